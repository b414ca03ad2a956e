/*
 * Checking narratives.
 *
 * HTML 4 without forms, scripts, frames and whatever comes from elsewhere: the elements and
 * attributes that may stand there are few, so they are listed.
 */
#include "fhir/format/xhtml.h"

#include "fhir/format/xml_sax.h"

static const char elements[][12] = {
    "a",       "abbr",  "acronym", "address", "b",        "bdo",  "big", "blockquote", "br",
    "caption", "cite",  "code",    "col",     "colgroup", "dd",   "dfn", "div",        "dl",
    "dt",      "em",    "h1",      "h2",      "h3",       "h4",   "h5",  "h6",         "hr",
    "i",       "img",   "kbd",     "li",      "map",      "area", "ol",  "p",          "pre",
    "q",       "samp",  "small",   "span",    "strong",   "sub",  "sup", "table",      "tbody",
    "td",      "tfoot", "th",      "thead",   "tr",       "tt",   "ul",  "var",
};

/* On any element. */
static const char attributes[][12] = {
    "abbr",    "accesskey", "align",    "axis",  "char",   "charoff", "class",
    "colspan", "dir",       "headers",  "id",    "lang",   "rowspan", "scope",
    "span",    "style",     "tabindex", "title", "valign", "width",
};

/* On that element only. */
static const struct {
    char element[12];
    char attribute[12];
} particular[] = {
    { "a", "charset" },
    { "a", "coords" },
    { "a", "href" },
    { "a", "hreflang" },
    { "a", "name" },
    { "a", "rel" },
    { "a", "rev" },
    { "a", "shape" },
    { "a", "type" },
    { "area", "alt" },
    { "area", "coords" },
    { "area", "href" },
    { "area", "nohref" },
    { "area", "shape" },
    { "blockquote", "cite" },
    { "img", "alt" },
    { "img", "border" },
    { "img", "height" },
    { "img", "ismap" },
    { "img", "longdesc" },
    { "img", "src" },
    { "img", "usemap" },
    { "map", "name" },
    { "pre", "space" },
    { "q", "cite" },
    { "table", "border" },
    { "table", "cellpadding" },
    { "table", "cellspacing" },
    { "table", "frame" },
    { "table", "rules" },
    { "table", "summary" },
    { "td", "nowrap" },
};

struct reading {
    size_t depth;
    bool seen; /* something to read or see */
};

static bool is_element(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(elements); i++) {
        if (str_eq(name, str_z(elements[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_attribute(struct str element, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (str_eq(name, str_z(attributes[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(particular); i++) {
        if (str_eq(element, str_z(particular[i].element)) &&
            str_eq(name, str_z(particular[i].attribute))) {
            return true;
        }
    }
    return false;
}

static int on_start(void *owner, const struct xml_element *element)
{
    struct reading *reading = owner;
    bool div = str_eq(element->name, STR("div"));
    bool foreign = element->uri.n && !str_eq(element->uri, STR(XML_XHTML));
    if (foreign || !is_element(element->name) || (!reading->depth && !div)) {
        return XHTML_E_FORM;
    }
    for (size_t i = 0; i < element->attributes_n; i++) {
        if (!is_attribute(element->name, element->attributes[i].name)) {
            return XHTML_E_FORM;
        }
    }
    reading->depth++;
    reading->seen |= str_eq(element->name, STR("img"));
    return 0;
}

static int on_end(void *owner, size_t after)
{
    (void)after;
    ((struct reading *)owner)->depth--;
    return 0;
}

static int on_text(void *owner, struct str text)
{
    struct reading *reading = owner;
    for (size_t i = 0; i < text.n && !reading->seen; i++) {
        reading->seen = !strchr(" \t\r\n", text.p[i]);
    }
    return 0;
}

static void on_aside(void *owner, const char *what, size_t line)
{
    (void)owner;
    (void)what;
    (void)line;
}

int xhtml_check(struct str div)
{
    struct reading reading = { 0 };
    struct xml_fault fault;
    const struct xml_sax_use use = { on_start, on_end, on_text, on_aside, &reading };
    int r = xml_sax(div, &use, &fault);
    if (r) {
        return r == XML_E_SYNTAX ? XHTML_E_FORM : r;
    }
    return reading.seen ? 0 : XHTML_E_EMPTY;
}
