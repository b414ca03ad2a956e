/*
 * What paths find.
 *
 * Lists are walked without being asked to; where a step isn't in an object but that is a
 * reference, it is looked for in what the reference leads to.
 */
#include "fhir/translate/back.h"

#include <errno.h>

static const struct str ORIGINAL_URL =
    STR_INIT("http://hl7.org/fhir/StructureDefinition/originalText");

void back_add(struct back *b, struct back_nodes *out, const struct node *node)
{
    if (!out->list) {
        out->list = out->few;
        out->room = BACK_NODES;
    }
    if (out->n == out->room) {
        const struct node **more =
            arena_calloc(b->arena, out->room * 2, sizeof(const struct node *));
        if (!more) {
            b->error = -ENOMEM;
            return;
        }
        memcpy(more, out->list, out->n * sizeof(const struct node *));
        out->list = more;
        out->room *= 2;
    }
    out->list[out->n++] = node;
}

static bool is_extension_of(struct str name, struct str of)
{
    return name.n == of.n + 1 && name.p[0] == '_' && memcmp(name.p + 1, of.p, of.n) == 0;
}

const struct node *back_member(const struct node *object, struct str name)
{
    const struct node *beside = NULL;
    if (!node_is(object, NODE_OBJECT)) {
        return NULL;
    }
    for (const struct node *m = object->first; m; m = m->next) {
        if (str_eq(m->name, name)) {
            return m;
        }
        beside = is_extension_of(m->name, name) ? m : beside;
    }
    return beside;
}

struct str back_text(const struct node *node)
{
    switch (node ? node->kind : NODE_NULL) {
    case NODE_STRING:
    case NODE_NUMBER: return node->text;
    case NODE_TRUE: return STR("true");
    case NODE_FALSE: return STR("false");
    case NODE_NULL:
    case NODE_ARRAY:
    case NODE_OBJECT: break;
    }
    return (struct str){ 0 };
}

/* The originalText among the extensions of @beside, the object next to a primitive. */
static struct str original_in(const struct node *beside)
{
    const struct node *x = node_first(node_get(beside, "extension"));
    for (; x; x = x->next) {
        if (str_eq(node_text(x, "url"), ORIGINAL_URL)) {
            return node_text(x, "valueString");
        }
    }
    return (struct str){ 0 };
}

struct str back_original(const struct node *node)
{
    if (node->kind == NODE_OBJECT) {
        return node->name.n && node->name.p[0] == '_' ? original_in(node) : (struct str){ 0 };
    }
    const struct node *m = node->name.n ? node_first(node->parent) : NULL;
    for (; m; m = m->next) {
        if (is_extension_of(m->name, node->name)) {
            return original_in(m);
        }
    }
    return (struct str){ 0 };
}

/* Whether the table in force makes such a coding. */
static bool is_given(const struct back_place *place, const struct node *coding)
{
    struct str system = node_text(coding, "system");
    return place->table && system.n &&
           rule_table_back(place->table, system, node_text(coding, "code"));
}

static bool any_value(const struct rule_filter *filter, struct str text)
{
    for (uint16_t i = 0; i < filter->count; i++) {
        if (str_eq(filter->values[i], text)) {
            return true;
        }
    }
    return false;
}

static bool passes(struct back *b, const struct back_place *place,
                   const struct rule_filter *filter, const struct node *item)
{
    if (!filter->path) {
        return is_given(place, item) != filter->negated;
    }
    struct back_nodes found = { 0 };
    struct back_place there = *place;
    there.at = item;
    back_find(b, &there, filter->path, &found);
    bool is = filter->count == 0 && found.n > 0;
    for (size_t i = 0; i < found.n && !is; i++) {
        is = filter->count && any_value(filter, back_text(found.list[i]));
    }
    return is != filter->negated;
}

static bool passes_all(struct back *b, const struct back_place *place,
                       const struct rule_hop *hop, const struct node *item)
{
    for (uint8_t i = 0; i < hop->filter_count; i++) {
        if (!passes(b, place, &hop->filters[i], item)) {
            return false;
        }
    }
    return true;
}

static void walk(struct back *b, const struct back_place *place, const struct rule_path *path,
                 uint8_t from, const struct node *at, struct back_nodes *out);

/* Go on from @member, one node or a list of them. */
static void step(struct back *b, const struct back_place *place, const struct rule_path *path,
                 uint8_t from, const struct node *member, struct back_nodes *out)
{
    const struct rule_hop *hop = &path->hops[from];
    bool list = member->kind == NODE_ARRAY;
    uint32_t number = 0;
    for (const struct node *item = list ? member->first : member; item && !b->error;
         item = list ? item->next : NULL) {
        if (item->kind == NODE_NULL || !passes_all(b, place, hop, item)) {
            continue;
        }
        number++;
        if (number >= hop->first && (!hop->last || number <= hop->last)) {
            walk(b, place, path, from + 1, item, out);
        }
    }
}

/* All members of @at whose names begin as @hop says. */
static void step_prefix(struct back *b, const struct back_place *place,
                        const struct rule_path *path, uint8_t from, const struct node *at,
                        struct back_nodes *out)
{
    struct str name = str_of(path->hops[from].name->z, path->hops[from].name->n);
    const struct node *m = node_is(at, NODE_OBJECT) ? at->first : NULL;
    for (; m && !b->error; m = m->next) {
        if (str_starts(m->name, name)) {
            step(b, place, path, from, m, out);
        }
    }
}

static void walk(struct back *b, const struct back_place *place, const struct rule_path *path,
                 uint8_t from, const struct node *at, struct back_nodes *out)
{
    if (from == path->count) {
        back_add(b, out, at);
        return;
    }
    const struct rule_hop *hop = &path->hops[from];
    if (++b->steps > BACK_STEPS_MAX) {
        b->error = TO_V2_E_SIZE; /* references that lead to many that lead to many */
        return;
    }
    struct str name = str_of(hop->name->z, hop->name->n);
    const struct node *member = hop->prefix ? NULL : back_member(at, name);
    const struct back_resource *to = member ? NULL : back_resolve(b, at);
    if (hop->prefix) {
        step_prefix(b, place, path, from, to ? to->node : at, out);
        return;
    }
    member = to ? back_member(to->node, name) : member;
    if (member) {
        step(b, place, path, from, member, out);
    }
}

void back_find(struct back *b, const struct back_place *place, const struct rule_path *path,
               struct back_nodes *out)
{
    const struct node *at = place->at;
    if (path->type) {
        const struct back_resource *r = back_reach(place->group, path->type);
        at = r ? r->node : NULL;
    }
    if (at) {
        walk(b, place, path, 0, at, out);
    }
}
