/*
 * A narrative is the bytes from the "<" of its div to the ">" of its end. They mean the same
 * elsewhere if the div itself declares its namespace; if it stood further out, it is put in.
 * For that all elements of a div share one prefix, commonly none.
 */
#include "fhir/format/xml_narrative.h"

#include <errno.h>

static const char NOT_XHTML[] = "the narrative isn't XHTML";

const char *xml_narrative_begin(struct xml_narrative *narrative,
                                const struct xml_element *element)
{
    *narrative = (struct xml_narrative){
        .prefix = element->prefix,
        .uri = element->uri,
        .start = element->at,
        .bare = !element->declares,
    };
    if (!str_eq(element->name, STR("div"))) {
        return "the narrative isn't a div";
    }
    return xml_narrative_enter(narrative, element);
}

const char *xml_narrative_enter(struct xml_narrative *narrative,
                                const struct xml_element *element)
{
    bool xhtml = str_eq(element->uri, STR(XML_XHTML)) || !element->uri.n;
    if (!xhtml || !str_eq(element->uri, narrative->uri)) {
        return NOT_XHTML;
    }
    if (!str_eq(element->prefix, narrative->prefix)) {
        return "elements of the narrative have different prefixes";
    }
    for (size_t i = 0; i < element->attributes_n; i++) {
        struct str uri = element->attributes[i].uri;
        if (uri.n && !str_eq(uri, STR("http://www.w3.org/XML/1998/namespace"))) {
            return NOT_XHTML;
        }
    }
    if (narrative->depth == XML_NARRATIVE_DEPTH) {
        return "nested too deep";
    }
    narrative->depth++;
    return NULL;
}

bool xml_narrative_leave(struct xml_narrative *narrative, size_t after)
{
    narrative->end = after;
    return --narrative->depth == 0;
}

int xml_narrative_text(const struct xml_narrative *narrative, struct arena *arena,
                       struct str text, struct str *out)
{
    struct str div = str_slice(text, narrative->start, narrative->end);
    if (!narrative->bare) {
        *out = div;
        return 0;
    }
    struct str prefix = narrative->prefix;
    size_t name = 1 + prefix.n + (prefix.n != 0) + sizeof("div") - 1;
    struct buf b = arena_buf(arena, div.n + prefix.n + sizeof(" xmlns:=\"\"" XML_XHTML));
    buf_str_put(&b, str_slice(div, 0, name));
    buf_z(&b, prefix.n ? " xmlns:" : " xmlns");
    buf_str_put(&b, prefix);
    buf_z(&b, "=\"" XML_XHTML "\"");
    buf_str_put(&b, str_slice(div, name, div.n));
    if (buf_failed(&b)) {
        return -ENOMEM;
    }
    *out = buf_str(&b);
    return 0;
}

/* ---- a narrative of JSON ---- */

struct check {
    struct xml_narrative narrative;
    bool begun;
    const char *reason;
};

static int on_start(void *owner, const struct xml_element *element)
{
    struct check *check = owner;
    check->reason = check->begun ? xml_narrative_enter(&check->narrative, element)
                                 : xml_narrative_begin(&check->narrative, element);
    check->begun = true;
    return check->reason ? XML_E_FORM : 0;
}

static int on_end(void *owner, size_t after)
{
    struct check *check = owner;
    (void)xml_narrative_leave(&check->narrative, after);
    return 0;
}

static int on_text(void *owner, struct str text)
{
    (void)owner;
    (void)text;
    return 0;
}

static void on_aside(void *owner, const char *what, size_t line)
{
    (void)owner;
    (void)what;
    (void)line;
}

int xml_narrative_check(struct arena *arena, struct str text, struct str *out,
                        const char **reason)
{
    struct check check = { .begun = false };
    struct xml_fault fault;
    const struct xml_sax_use use = {
        .start = on_start, .end = on_end, .text = on_text, .aside = on_aside, .owner = &check
    };
    int r = xml_sax(text, &use, &fault);
    if (r > 0) {
        *reason = check.reason ? check.reason : fault.reason;
        return XML_E_FORM;
    }
    return r ? r : xml_narrative_text(&check.narrative, arena, text, out);
}
