/*
 * Paths that are read, on the way back.
 *
 *     path   = [ type "." ] hop { "." hop } | type | "@"
 *     hop    = name [ "*" ] { "[" [ test { "," test } | number [ "+" ] ] "]" }
 *     test   = [ "!" ] path | path ( "=" | "!=" ) value { "|" value } | [ "!" ] "$given"
 *
 * In a list each element is looked at. The tests are about the element itself.
 */
#include "fhir/translate/map_back.h"

#include <errno.h>

static const struct rule_path *read_path(struct map_compiler *c, struct str word, size_t depth);

static const struct rule_path *no_path(struct map_compiler *c, struct str word)
{
    map_wrong(c, "'%.*s' is no path", MAP_SPAN(word));
    return NULL;
}

/* A copy of @count elements of @size bytes; NULL if there is no memory. */
static void *keep(struct map_compiler *c, const void *list, size_t count, size_t size)
{
    void *p = map_alloc(c, count, size);
    if (p && count) {
        memcpy(p, list, count * size);
    }
    return p;
}

/* The values after "=", joined by "|". */
static bool values(struct map_compiler *c, struct str rest, struct rule_filter *out)
{
    struct str *list = map_alloc(c, rest.n + 1, sizeof(*list));
    if (!list || !rest.n) {
        return false;
    }
    while (rest.n) {
        list[out->count++] = map_intern(c, str_cut(&rest, '|'));
    }
    out->values = list;
    return true;
}

static bool filter(struct map_compiler *c, struct str word, size_t depth,
                   struct rule_filter *out)
{
    struct str rest = word;
    bool compares = word.n && memchr(word.p, '=', word.n);
    struct str path = str_cut(&rest, '=');
    bool unequal = compares && str_ends(path, STR("!"));
    path.n -= unequal;
    bool lacks = !compares && str_starts(path, STR("!"));
    path = str_slice(path, lacks, path.n);
    *out = (struct rule_filter){ .negated = unequal || lacks };
    if (!compares && str_eq(path, STR("$given"))) {
        return true;
    }
    out->path = read_path(c, path, depth + 1);
    return out->path && (!compares || values(c, rest, out));
}

/* "2", "2+" */
static bool numbers(struct str word, struct rule_hop *out)
{
    bool onwards = str_ends(word, STR("+"));
    unsigned value = 0;
    word.n -= onwards;
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] > '9' || value > MAP_PART_MAX) {
            return false;
        }
        value = value * 10 + (unsigned)(word.p[i] - '0');
    }
    out->first = (uint16_t)value;
    out->last = onwards ? 0 : out->first;
    return value > 0;
}

/* What stands between brackets. */
static bool bracket(struct map_compiler *c, struct str inside, size_t depth,
                    struct rule_filter *filters, struct rule_hop *out)
{
    if (!inside.n || numbers(inside, out)) {
        return true;
    }
    while (inside.n) {
        if (out->filter_count == MAP_FILTERS_MAX ||
            !filter(c, str_cut(&inside, ','), depth, &filters[out->filter_count++])) {
            return false;
        }
    }
    return true;
}

static bool is_name(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char ch = word.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
        if (!letter && (i == 0 || ch < '0' || ch > '9')) {
            return false;
        }
    }
    return word.n > 0;
}

/* Length of @s up to what ends a hop: a point outside of brackets. */
static size_t hop_length(struct str s)
{
    size_t open = 0;
    size_t n = 0;
    for (; n < s.n && (open || s.p[n] != '.'); n++) {
        open += s.p[n] == '[';
        open -= s.p[n] == ']' && open;
    }
    return n;
}

/* Length of @s, which begins with a bracket, up to the one that closes it; 0 if none does. */
static size_t bracket_length(struct str s)
{
    size_t open = 0;
    for (size_t n = 0; n < s.n; n++) {
        open += s.p[n] == '[';
        open -= s.p[n] == ']' && open;
        if (open == 0) {
            return n + 1;
        }
    }
    return 0;
}

static bool hop(struct map_compiler *c, struct str word, size_t depth, struct rule_hop *out)
{
    struct rule_filter filters[MAP_FILTERS_MAX];
    struct str rest = word;
    struct str name = str_cut(&rest, '[');
    rest = str_slice(word, name.n, word.n);
    *out = (struct rule_hop){ .first = 1, .prefix = str_ends(name, STR("*")) };
    name.n -= out->prefix;
    if (!is_name(name)) {
        return false;
    }
    while (rest.n) {
        size_t n = rest.p[0] == '[' ? bracket_length(rest) : 0;
        if (n == 0 || !bracket(c, str_slice(rest, 1, n - 1), depth, filters, out)) {
            return false;
        }
        rest = str_slice(rest, n, rest.n);
    }
    out->name = map_element(c, name);
    out->filters = keep(c, filters, out->filter_count, sizeof(*filters));
    return out->name && out->filters;
}

static const struct rule_path *read_path(struct map_compiler *c, struct str word, size_t depth)
{
    struct rule_hop hops[MAP_STEPS_MAX];
    struct rule_path path = { 0 };
    struct str rest = word;
    if (!word.n || depth > MAP_DEPTH_MAX || str_ends(word, STR("."))) {
        return no_path(c, word);
    }
    if (str_eq(word, STR("@"))) {
        rest = (struct str){ 0 };
    }
    struct str first = str_slice(rest, 0, hop_length(rest));
    if (map_is_resource(first)) {
        path.type = map_intern(c, first).p;
        rest = str_slice(rest, first.n + 1, rest.n);
    }
    while (rest.n && !c->error) {
        size_t n = hop_length(rest);
        if (path.count == MAP_STEPS_MAX ||
            !hop(c, str_slice(rest, 0, n), depth, &hops[path.count++])) {
            return no_path(c, word);
        }
        rest = str_slice(rest, n + 1, rest.n);
    }
    path.hops = keep(c, hops, path.count, sizeof(*hops));
    return path.hops ? keep(c, &path, 1, sizeof(path)) : NULL;
}

const struct rule_path *map_read_path(struct map_compiler *c, struct str word)
{
    return read_path(c, word, 0);
}

bool map_operand(struct map_compiler *c, struct str word, struct rule_test *test, bool other)
{
    if (!c->back) {
        return map_address(c, word, other ? &test->other : &test->at);
    }
    const struct rule_path *path = map_read_path(c, word);
    *(other ? &test->other_path : &test->path) = path;
    return path != NULL;
}
