/*
 * libxml2's push parser with functions for nothing but what a FHIR document may hold.
 *
 *   text --> xml_guard --> slices --> libxml2 --> events
 *
 * There is no function that loads an external entity or a DTD, and a document type declaration
 * ends the reading: so XML_PARSE_NOENT, without which libxml2 hands on &amp; as &#38;, has no
 * other entities to replace than XML's own five. XML_PARSE_HUGE lifts libxml2's own limits,
 * which count the document and not its parts; xml_guard and the user of the events have limits
 * of their own. Any error ends the reading, those about namespaces too, which libxml2 would let
 * pass.
 *
 * A value without references stands in libxml2's buffer as it stands in the document, so that
 * it can be borrowed from the document: how far the buffer is into it is known.
 */
#include "fhir/format/xml_sax.h"

#include "fhir/format/xml_guard.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

enum {
    SLICE = 64 << 10,
    ATTRIBUTE_FIELDS = 5, /* name, prefix, URI, value, end of value */
};

struct sax {
    const struct xml_sax_use *use;
    struct str text;
    size_t skipped;          /* a byte order mark */
    xmlParserCtxtPtr parser; /* owned */
    bool begun;              /* the first element has */
    size_t open;             /* elements */
    size_t tag_end;          /* of the last tag, or just before its ">" */
    int result;
    const char *reason;
    size_t line;
    struct xml_attribute attributes[XML_ATTRIBUTES_MAX];
};

static struct str name_of(const xmlChar *z)
{
    return str_z((const char *)z);
}

/* There is no parser yet when there is no memory for one. */
static size_t line_of(const struct sax *sax)
{
    bool reading = sax->parser && sax->parser->input;
    return reading ? (size_t)sax->parser->input->line : 0;
}

static void stop(struct sax *sax, int result, const char *reason)
{
    if (result && !sax->result) {
        sax->result = result;
        sax->reason = reason;
        sax->line = line_of(sax);
        if (sax->parser) {
            xmlStopParser(sax->parser);
        }
    }
}

/* Offset in the document of @p, a place in libxml2's buffer. */
static size_t offset_of(const struct sax *sax, const xmlChar *p)
{
    const xmlParserInput *input = sax->parser->input;
    return sax->skipped + (size_t)input->consumed + (size_t)(p - input->base);
}

static struct xml_attribute attribute_of(const struct sax *sax, const xmlChar *const *fields)
{
    const xmlParserInput *input = sax->parser->input;
    const xmlChar *value = fields[3];
    struct xml_attribute out = {
        .uri = name_of(fields[2]),
        .name = name_of(fields[0]),
        .value = str_of(value, (size_t)(fields[4] - value)),
    };
    if (value >= input->base && value < input->end) {
        size_t at = offset_of(sax, value);
        struct str same = str_slice(sax->text, at, at + out.value.n);
        out.lasts = str_eq(same, out.value);
        out.value = out.lasts ? same : out.value;
    }
    return out;
}

/* The "<" of the tag whose end libxml2 has reached: no "<" may stand inside of a tag. */
static size_t tag_start(struct sax *sax)
{
    size_t end = offset_of(sax, sax->parser->input->cur);
    struct str since = str_slice(sax->text, sax->tag_end, end);
    const char *p = since.n ? memrchr(since.p, '<', since.n) : NULL;
    sax->tag_end = end;
    return p ? (size_t)(p - sax->text.p) : 0;
}

static bool declares(const xmlChar *prefix, int n, const xmlChar *const *namespaces)
{
    for (; n > 0; n--, namespaces += 2) {
        if (xmlStrEqual(*namespaces, prefix)) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are libxml2's */
static void on_start(void *owner, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri, int namespaces_n, const xmlChar **namespaces,
                     int attributes_n, int defaulted_n, const xmlChar **attributes)
{
    struct sax *sax = owner;
    (void)defaulted_n;
    if (attributes_n > XML_ATTRIBUTES_MAX) {
        stop(sax, XML_E_SYNTAX, "too many attributes");
        return;
    }
    for (int i = 0; i < attributes_n; i++) {
        const xmlChar *const *fields = (const xmlChar *const *)attributes;
        sax->attributes[i] = attribute_of(sax, fields + (ptrdiff_t)i * ATTRIBUTE_FIELDS);
    }
    const struct xml_element element = {
        .name = name_of(name),
        .prefix = name_of(prefix),
        .uri = name_of(uri),
        .declares = declares(prefix, namespaces_n, (const xmlChar *const *)namespaces),
        .attributes = sax->attributes,
        .attributes_n = (size_t)attributes_n,
        .at = tag_start(sax),
    };
    sax->begun = true;
    sax->open++;
    stop(sax, sax->use->start(sax->use->owner, &element), NULL);
}

static void on_end(void *owner, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct sax *sax = owner;
    (void)name;
    (void)prefix;
    (void)uri;
    size_t after = offset_of(sax, sax->parser->input->cur);
    sax->open--;
    sax->tag_end = after;
    stop(sax, sax->use->end(sax->use->owner, after), NULL);
}

static void on_text(void *owner, const xmlChar *text, int n)
{
    struct sax *sax = owner;
    stop(sax, sax->use->text(sax->use->owner, str_of(text, (size_t)n)), NULL);
}

static void on_comment(void *owner, const xmlChar *text)
{
    struct sax *sax = owner;
    (void)text;
    sax->use->aside(sax->use->owner, "comment", line_of(sax));
}

static void on_instruction(void *owner, const xmlChar *target, const xmlChar *data)
{
    struct sax *sax = owner;
    (void)target;
    (void)data;
    sax->use->aside(sax->use->owner, "processing instruction", line_of(sax));
}

static void on_doctype(void *owner, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    (void)name;
    (void)public_id;
    (void)system_id;
    stop(owner, XML_E_SYNTAX, "document type declaration");
}

static const char *reason_of(const struct sax *sax, int code)
{
    static const struct {
        int code;
        const char *reason;
    } reasons[] = {
        { XML_ERR_TAG_NAME_MISMATCH, "end tag of another element" },
        { XML_ERR_TAG_NOT_FINISHED, "the document ends inside of an element" },
        { XML_ERR_ATTRIBUTE_REDEFINED, "attribute given twice" },
        { XML_ERR_UNDECLARED_ENTITY, "entity that XML itself doesn't define" },
        { XML_WAR_UNDECLARED_ENTITY, "entity that XML itself doesn't define" },
        { XML_ERR_INVALID_CHAR, "character that XML doesn't allow" },
        { XML_ERR_INVALID_CHARREF, "character that XML doesn't allow" },
        { XML_NS_ERR_UNDEFINED_NAMESPACE, "prefix without a namespace" },
    };
    if (code == XML_ERR_DOCUMENT_EMPTY || code == XML_ERR_DOCUMENT_END) {
        return !sax->begun ? "no element"
               : sax->open ? "the document ends inside of an element"
                           : "something after the end of the document";
    }
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code) {
            return reasons[i].reason;
        }
    }
    return "not well-formed";
}

static void on_error(void *owner, xmlErrorPtr error)
{
    struct sax *sax = owner;
    if (error->level >= XML_ERR_ERROR || error->code == XML_WAR_UNDECLARED_ENTITY) {
        stop(sax, error->code == XML_ERR_NO_MEMORY ? -ENOMEM : XML_E_SYNTAX,
             reason_of(sax, error->code));
    }
}

static xmlParserCtxtPtr parser_new(struct sax *sax)
{
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .comment = on_comment,
        .processingInstruction = on_instruction,
        .serror = on_error,
    };
    xmlParserCtxtPtr parser = xmlCreatePushParserCtxt(&handler, sax, NULL, 0, NULL);
    if (parser) {
        (void)xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_NOENT |
                                            XML_PARSE_IGNORE_ENC);
        (void)xmlSwitchEncoding(parser, XML_CHAR_ENCODING_UTF8);
    }
    return parser;
}

static int feed(struct sax *sax)
{
    struct str text = sax->text;
    for (size_t at = sax->skipped; at < text.n && !sax->result; at += SLICE) {
        struct str slice = str_slice(text, at, at + SLICE);
        (void)xmlParseChunk(sax->parser, slice.p, (int)slice.n, 0);
    }
    if (!sax->result) {
        (void)xmlParseChunk(sax->parser, "", 0, 1);
    }
    if (!sax->result && !sax->parser->wellFormed) {
        stop(sax, XML_E_SYNTAX, "not well-formed");
    }
    return sax->result;
}

static size_t line_at(struct str text, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < text.n; i++) {
        line += text.p[i] == '\n';
    }
    return line;
}

int xml_sax(struct str text, const struct xml_sax_use *use, struct xml_fault *fault)
{
    size_t place;
    const char *wrong = xml_guard(text, &place);
    if (wrong) {
        *fault = (struct xml_fault){ .reason = wrong, .line = line_at(text, place) };
        return XML_E_SYNTAX;
    }
    struct sax sax = { .use = use, .text = text };
    sax.skipped = str_starts(text, STR(XML_BYTE_ORDER_MARK)) ? strlen(XML_BYTE_ORDER_MARK) : 0;
    sax.parser = parser_new(&sax);
    if (!sax.parser) {
        return -ENOMEM;
    }
    int r = feed(&sax);
    xmlFreeParserCtxt(sax.parser);
    if (r) {
        *fault = (struct xml_fault){ .reason = sax.reason, .line = sax.line };
    }
    return r;
}
