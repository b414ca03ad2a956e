/*
 * One pass over the markup, from "<" to "<".
 *
 * libxml2 reads a start tag in one piece, whatever its size, and work on it grows with the
 * square of its attributes; a document type declaration may make it fetch and multiply. Both
 * are stopped here.
 */
#include "fhir/format/xml_guard.h"

#include "fhir/base/utf8.h"
#include "fhir/format/xml.h"

#include <strings.h>

enum {
    DECLARATION_MAX = 256,
};

static const char TOO_LARGE[] = "a value larger than 10,000,000 bytes";

/* How far it is to the end of @mark in @text; all of it if @mark isn't there. */
static size_t past(struct str text, const char *mark)
{
    size_t n = strlen(mark);
    const char *p = text.n ? memmem(text.p, text.n, mark, n) : NULL;
    return p ? (size_t)(p - text.p) + n : text.n;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of the pseudo attribute @name of an XML declaration; empty without one. */
static struct str declared(struct str declaration, const char *name)
{
    size_t at = past(declaration, name);
    while (at < declaration.n && (is_space(declaration.p[at]) || declaration.p[at] == '=')) {
        at++;
    }
    struct str rest = str_slice(declaration, at, declaration.n);
    if (!rest.n || (rest.p[0] != '"' && rest.p[0] != '\'')) {
        return (struct str){ 0 };
    }
    char quote = rest.p[0];
    rest = str_slice(rest, 1, rest.n);
    return str_cut(&rest, quote);
}

static const char *check_declaration(struct str text)
{
    struct str mark = STR(XML_BYTE_ORDER_MARK);
    struct str start = str_starts(text, mark) ? str_slice(text, mark.n, text.n) : text;
    if (!str_starts(start, STR("<?xml")) || start.n < 6 || !is_space(start.p[5])) {
        return NULL;
    }
    struct str declaration = str_slice(start, 0, past(start, "?>"));
    if (declaration.n > DECLARATION_MAX) {
        return "XML declaration too long";
    }
    struct str version = declared(declaration, "version");
    struct str encoding = declared(declaration, "encoding");
    if (version.n && !str_eq(version, STR("1.0"))) {
        return "another version than XML 1.0";
    }
    struct str utf8 = STR("UTF-8");
    if (encoding.n && (encoding.n != utf8.n || strncasecmp(encoding.p, utf8.p, utf8.n) != 0)) {
        return "another encoding than UTF-8";
    }
    return NULL;
}

/* A tag from its "<" on: where it ends in @n. */
static const char *check_tag(struct str text, size_t *n)
{
    size_t attributes = 0;
    size_t values = 0;
    size_t at = 1;
    while (at < text.n && text.p[at] != '>') {
        char c = text.p[at++];
        if (at - values > XML_TAG_MAX) {
            return "tag too long";
        }
        if (c != '"' && c != '\'') {
            continue;
        }
        const char *close = at < text.n ? memchr(text.p + at, c, text.n - at) : NULL;
        size_t value = close ? (size_t)(close - text.p) - at : text.n - at;
        if (value > XML_VALUE_MAX) {
            return TOO_LARGE;
        }
        if (++attributes > XML_ATTRIBUTES_MAX) {
            return "too many attributes";
        }
        values += value;
        at += value + (close != NULL);
    }
    *n = at + (at < text.n);
    return NULL;
}

/* Markup from its "<" on: where it ends in @n. */
static const char *check_markup(struct str text, size_t *n)
{
    if (str_starts(text, STR("<?"))) {
        *n = past(text, "?>");
    } else if (str_starts(text, STR("<!--"))) {
        *n = past(text, "-->");
    } else if (str_starts(text, STR("<![CDATA["))) {
        *n = past(text, "]]>");
    } else if (str_starts(text, STR("<!"))) {
        return "document type declaration";
    } else {
        return check_tag(text, n);
    }
    return *n > XML_VALUE_MAX ? TOO_LARGE : NULL;
}

const char *xml_guard(struct str text, size_t *place)
{
    size_t at = 0;
    const char *wrong = text.n > XML_TEXT_MAX ? "document too large" : check_declaration(text);
    if (!wrong && utf8_span(text) < text.n) {
        at = utf8_span(text);
        wrong = "bytes that aren't UTF-8";
    }
    while (!wrong && at < text.n) {
        const char *p = memchr(text.p + at, '<', text.n - at);
        size_t gap = p ? (size_t)(p - text.p) - at : text.n - at;
        if (gap > XML_VALUE_MAX) {
            wrong = TOO_LARGE;
            break;
        }
        at += gap;
        size_t n = 0;
        wrong = p ? check_markup(str_slice(text, at, text.n), &n) : NULL;
        at += wrong ? 0 : n;
    }
    if (wrong) {
        *place = at < text.n ? at : 0;
    }
    return wrong;
}
