/* Reading references. Strict: what doesn't have the form of Type/id points at who knows what.
 */
#include "fhir/model/reference.h"

static bool is_letter(char c)
{
    return ((unsigned char)(c | 0x20) >= 'a') & ((unsigned char)(c | 0x20) <= 'z');
}

bool reference_is_id(struct str id)
{
    if (id.n < 1 || id.n > 64) {
        return false;
    }
    bool good = true;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        good &= is_letter(c) | ((c >= '0') & (c <= '9')) | (c == '-') | (c == '.');
    }
    bool climbs = str_eq(id, STR(".")) || str_eq(id, STR("..")); /* in a path */
    return good && !climbs;
}

bool reference_is_type(struct str type)
{
    for (size_t i = 0; i < type.n; i++) {
        if (!is_letter(type.p[i])) {
            return false;
        }
    }
    return type.n >= 1 && type.n <= 64 && type.p[0] >= 'A' && type.p[0] <= 'Z';
}

/* Split off what follows the last slash of @text; empty if there is none. */
static struct str cut_last(struct str *text)
{
    const char *slash = text->n ? memrchr(text->p, '/', text->n) : NULL;
    size_t at = slash ? (size_t)(slash - text->p) : text->n;
    struct str tail = str_slice(*text, at + (slash != NULL), text->n);
    *text = str_slice(*text, 0, at);
    return tail;
}

/* [base/]Type/id[/_history/version] */
static struct reference of_path(struct str text, bool absolute)
{
    struct reference untyped = { .form = REFERENCE_UNTYPED };
    struct reference out = { .form = absolute ? REFERENCE_ABSOLUTE : REFERENCE_RELATIVE };
    struct str rest = text;
    if (!memchr(rest.p, '/', rest.n)) {
        return untyped;
    }
    out.id = cut_last(&rest);
    struct str before = rest;
    if (str_eq(cut_last(&before), STR("_history"))) {
        out.version = out.id;
        rest = before;
        out.id = cut_last(&rest);
        if (!reference_is_id(out.version)) {
            return untyped;
        }
    }
    if (absolute) {
        out.type = cut_last(&rest);
        out.base = rest;
    } else {
        out.type = rest;
    }
    return reference_is_type(out.type) && reference_is_id(out.id) ? out : untyped;
}

/* Type?identifier=system|value, as conditional references of a transaction have it. */
static struct reference of_query(struct str text)
{
    struct str query = text;
    struct reference out = { .form = REFERENCE_LOGICAL, .type = str_cut(&query, '?') };
    struct str value = query;
    bool plain = str_eq(str_cut(&value, '='), STR("identifier")) &&
                 !memchr(query.p, '&', query.n) && !memchr(query.p, '%', query.n) &&
                 !memchr(query.p, ',', query.n) && memchr(query.p, '|', query.n);
    out.system = str_cut(&value, '|');
    out.value = value;
    if (!plain || !value.n || !reference_is_type(out.type)) {
        return (struct reference){ .form = REFERENCE_UNTYPED };
    }
    return out;
}

struct reference reference_of(struct str text)
{
    if (!text.n) {
        return (struct reference){ .form = REFERENCE_NONE };
    }
    if (text.p[0] == '#') {
        return (struct reference){ .form = REFERENCE_CONTAINED,
                                   .id = str_slice(text, 1, text.n) };
    }
    if (str_starts(text, STR("urn:"))) {
        return (struct reference){ .form = REFERENCE_URN, .id = text };
    }
    if (str_starts(text, STR("http://")) || str_starts(text, STR("https://"))) {
        return of_path(text, true);
    }
    return memchr(text.p, '?', text.n) ? of_query(text) : of_path(text, false);
}

struct reference reference_read(const struct node *node)
{
    struct reference out = reference_of(node_text(node, "reference"));
    const struct node *identifier = node_get(node, "identifier");
    struct str value = node_text(identifier, "value");
    if (value.n) {
        out.system = node_text(identifier, "system");
        out.value = value;
        out.form = out.form == REFERENCE_NONE ? REFERENCE_LOGICAL : out.form;
    }
    if (!out.type.n) {
        struct str type = node_text(node, "type");
        out.type = reference_is_type(type) ? type : (struct str){ 0 };
    }
    return out;
}
