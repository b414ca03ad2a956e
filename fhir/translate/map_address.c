/* Addresses, and what names look like. */
#include "fhir/translate/map_draft.h"

static bool upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

bool map_is_segment(struct str name)
{
    return name.n == 3 && upper(name.p[0]) && (upper(name.p[1]) || digit(name.p[1])) &&
           (upper(name.p[2]) || digit(name.p[2]));
}

bool map_is_resource(struct str name)
{
    if (name.n < 2 || !upper(name.p[0]) || !lower(name.p[1])) {
        return false;
    }
    for (size_t i = 2; i < name.n; i++) {
        if (!upper(name.p[i]) && !lower(name.p[i]) && !digit(name.p[i]) && name.p[i] != '_') {
            return false;
        }
    }
    return true;
}

/* A number at the start of @rest, 1 to @most; 0 if there is none. */
static unsigned take_number(struct str *rest, unsigned most)
{
    size_t n = 0;
    unsigned value = 0;
    while (n < rest->n && digit(rest->p[n]) && value <= most) {
        value = value * 10 + (unsigned)(rest->p[n++] - '0');
    }
    *rest = str_slice(*rest, n, rest->n);
    return value <= most ? value : 0;
}

static bool take_char(struct str *rest, char c)
{
    bool is = rest->n && rest->p[0] == c;
    *rest = str_slice(*rest, is, rest->n);
    return is;
}

/* "[2]" after a field; false if it is begun and isn't one. */
static bool take_repetition(struct str *rest, struct rule_address *at)
{
    if (!take_char(rest, '[')) {
        return true;
    }
    at->repetition = (uint8_t)take_number(rest, MAP_PART_MAX);
    return at->repetition && take_char(rest, ']');
}

/* Component, subcomponent and "+" of an address; what is wrong with them, or NULL. */
static const char *take_parts(struct str *rest, struct rule_address *at)
{
    uint8_t *parts[] = { &at->component, &at->subcomponent };
    for (size_t i = 0; take_char(rest, '.'); i++) {
        unsigned number = take_number(rest, MAP_PART_MAX);
        if (i == ARRAY_LEN(parts)) {
            return "goes too deep";
        }
        if (number == 0) {
            return "is no address";
        }
        *parts[i] = (uint8_t)number;
    }
    at->onwards = take_char(rest, '+');
    return rest->n ? "is no address" : NULL;
}

bool map_address(struct map_compiler *c, struct str text, struct rule_address *out)
{
    struct rule_address at = { .segment = RULE_VALUE };
    struct str rest = text;
    const char *wrong = text.n ? NULL : "is no address";
    if (str_eq(text, STR("@"))) {
        rest = (struct str){ 0 };
    } else if (text.n > 3 && map_is_segment(str_slice(text, 0, 3)) && text.p[3] == '-') {
        rest = str_slice(text, 4, text.n);
        at.field = (uint8_t)take_number(&rest, MAP_FIELD_MAX);
        wrong = at.field ? NULL : "is no address: no such field";
        wrong = wrong || take_repetition(&rest, &at) ? wrong : "is no address";
    }
    wrong = wrong ? wrong : take_parts(&rest, &at);
    if (wrong) {
        map_wrong(c, "'%.*s' %s", MAP_SPAN(text), wrong);
        return false;
    }
    if (at.field) {
        const struct draft_segment *segment = map_segment(c, str_slice(text, 0, 3));
        if (!segment) {
            return false;
        }
        at.segment = (int16_t)segment->id;
    }
    *out = at;
    return true;
}
