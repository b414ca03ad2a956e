/*
 * Sets of items.
 *
 * Equal items have equal hashes: strings by their bytes, numbers by their value, elements by
 * the names of their members and the strings among them. Dates, times and Quantities share one
 * chain, because equal ones may be written in many ways.
 */
#include "fhir/path/compare.h"

#include <errno.h>

enum {
    FIRST_ROOM = 16,
};

struct path_set path_set(struct path_machine *m)
{
    return (struct path_set){ .m = m };
}

static uint32_t mix(uint32_t a, uint32_t b)
{
    return (a ^ b) * 16777619u;
}

static uint32_t hash_number(struct decimal d)
{
    if (decimal_is_zero(&d)) {
        return 0;
    }
    int power = decimal_normalise(&d);
    uint32_t hash = mix((uint32_t)d.low, (uint32_t)(d.low >> 32));
    return mix(mix(hash, (uint32_t)d.high), (uint32_t)power + d.negative);
}

/* Eight bytes at a time. */
static uint32_t hash_text(struct str s)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = s.n;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= s.n; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, s.p + i, sizeof(word));
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    }
    for (; i < s.n; i++) {
        hash = (hash ^ (unsigned char)s.p[i]) * factor;
    }
    return (uint32_t)(hash >> 32);
}

/* Members in any order make the same hash. */
static uint32_t hash_node(const struct node *node)
{
    uint32_t hash = (uint32_t)(node ? node->kind : 0);
    for (const struct node *child = node_first(node); child; child = child->next) {
        uint32_t part = hash_text(child->name);
        if (child->kind == NODE_STRING) {
            part = mix(part, hash_text(child->text));
        }
        hash += mix(part, (uint32_t)child->kind);
    }
    return hash;
}

static uint32_t hash_of(const struct path_value *v)
{
    switch (v->kind) {
    case PATH_BOOLEAN: return v->boolean;
    case PATH_INTEGER: return hash_number(decimal_of(v->integer));
    case PATH_DECIMAL: return hash_number(v->decimal);
    case PATH_STRING: return hash_text(v->string);
    case PATH_ELEMENT: return hash_node(v->element.node ? v->element.node : v->element.extra);
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
    case PATH_QUANTITY:
    case PATH_TYPE: break;
    }
    return 1;
}

static uint32_t *head(const struct path_set *set, uint32_t hash)
{
    return &set->heads[hash & (set->room - 1)];
}

static void link_item(struct path_set *set, size_t i)
{
    uint32_t *chain = head(set, set->hashes[i]);
    set->next[i] = *chain;
    *chain = (uint32_t)i + 1;
}

static int grow(struct path_set *set)
{
    size_t room = set->room ? set->room * 2 : FIRST_ROOM;
    struct arena *arena = set->m->arena;
    struct path_value *items = arena_alloc(arena, room * sizeof(*items));
    uint32_t *numbers = arena_alloc(arena, room * sizeof(*numbers) * 3);
    if (!items || !numbers) {
        return -ENOMEM;
    }
    if (set->n) {
        memcpy(items, set->items, set->n * sizeof(*items));
        memcpy(numbers, set->hashes, set->n * sizeof(*numbers));
    }
    set->items = items;
    set->hashes = numbers;
    set->next = numbers + room;
    set->heads = numbers + 2 * room;
    set->room = room;
    memset(set->heads, 0, room * sizeof(*set->heads));
    for (size_t i = 0; i < set->n; i++) {
        link_item(set, i);
    }
    return 0;
}

/* Whether @item, made simple, equals one of the set. */
static int find(struct path_set *set, const struct path_value *item, uint32_t hash, bool *out)
{
    enum path_truth equal = PATH_FALSE;
    bool number = item->kind == PATH_INTEGER || item->kind == PATH_DECIMAL;
    bool all = item->kind == PATH_QUANTITY || (number && set->quantities);
    int r = 0;
    if (all) {
        for (size_t i = 0; i < set->n && equal != PATH_TRUE && !r; i++) {
            r = path_equal(set->m, &set->items[i], item, &equal);
        }
    } else if (set->n) {
        for (uint32_t i = *head(set, hash); i && equal != PATH_TRUE && !r;
             i = set->next[i - 1]) {
            if (set->hashes[i - 1] == hash) {
                r = path_equal(set->m, &set->items[i - 1], item, &equal);
            }
        }
    }
    *out = equal == PATH_TRUE;
    return r;
}

int path_set_has(struct path_set *set, const struct path_value *item, bool *out)
{
    struct path_value simple;
    int r = path_simple(set->m->schema, set->m->arena, item, &simple);
    return r ? r : find(set, &simple, hash_of(&simple), out);
}

int path_set_add(struct path_set *set, const struct path_value *item, bool *added)
{
    struct path_value simple;
    bool there;
    int r = path_simple(set->m->schema, set->m->arena, item, &simple);
    r = r ? r : path_step(set->m, 1);
    if (r) {
        return r;
    }
    uint32_t hash = hash_of(&simple);
    r = find(set, &simple, hash, &there);
    if (!r && !there && set->n == set->room) {
        r = grow(set);
    }
    if (r) {
        return r;
    }
    *added = !there;
    if (!there) {
        set->quantities |= simple.kind == PATH_QUANTITY;
        set->items[set->n] = simple;
        set->hashes[set->n] = hash;
        link_item(set, set->n++);
    }
    return 0;
}
