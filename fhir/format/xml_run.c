/*
 * Collecting elements of one name.
 *
 * JSON has one array for the values of an element that repeats, and for primitives a second one
 * for their ids and extensions, where XML has element after element. An array in which nothing
 * but null would stand is left out.
 */
#include "fhir/format/xml_run.h"

#include <errno.h>

struct node *xml_node_new(struct arena *arena, enum node_kind kind, size_t at)
{
    struct node *node = arena_calloc(arena, 1, sizeof(*node));
    if (node) {
        node->kind = kind;
        node->start = at;
        node->end = at;
    }
    return node;
}

void xml_node_append(struct node *parent, struct node **last, struct node *child)
{
    struct node **link = *last ? &(*last)->next : &parent->first;
    child->parent = parent;
    *link = child;
    *last = child;
}

bool xml_run_is_list(const struct xml_run *run)
{
    return run->element && run->element->max > 1;
}

int xml_run_value(struct xml_run *run, struct arena *arena, struct node *value)
{
    run->valued |= value->kind != NODE_NULL;
    if (!xml_run_is_list(run)) {
        run->values = value;
        return 0;
    }
    if (!run->values) {
        run->values = xml_node_new(arena, NODE_ARRAY, value->start);
    }
    if (!run->values) {
        return -ENOMEM;
    }
    xml_node_append(run->values, &run->last_value, value);
    return 0;
}

/* Fill up the extras with null to @count. */
static int pad(struct xml_run *run, struct arena *arena, size_t count, size_t at)
{
    while (run->extras_n < count) {
        struct node *null = xml_node_new(arena, NODE_NULL, at);
        if (!null) {
            return -ENOMEM;
        }
        xml_node_append(run->extras, &run->last_extra, null);
        run->extras_n++;
    }
    return 0;
}

int xml_run_extra(struct xml_run *run, struct arena *arena, struct node *extra)
{
    if (!xml_run_is_list(run)) {
        run->extras = extra;
        return 0;
    }
    if (!run->extras) {
        run->extras = xml_node_new(arena, NODE_ARRAY, extra->start);
    }
    if (!run->extras || pad(run, arena, run->count - 1, extra->start)) {
        return -ENOMEM;
    }
    xml_node_append(run->extras, &run->last_extra, extra);
    run->extras_n++;
    return 0;
}

/* "_name" */
static int extra_name(struct arena *arena, struct str name, struct str *out)
{
    char *p = arena_alloc(arena, name.n + 1);
    if (!p) {
        return -ENOMEM;
    }
    p[0] = '_';
    memcpy(p + 1, name.p, name.n);
    *out = str_of(p, name.n + 1);
    return 0;
}

int xml_run_finish(struct xml_run *run, struct arena *arena, struct node *object,
                   struct node **last)
{
    if (run->values && run->valued) {
        run->values->end = run->last_value ? run->last_value->end : run->values->end;
        run->values->name = run->name;
        xml_node_append(object, last, run->values);
    }
    int r = 0;
    if (run->extras) {
        r = run->last_extra ? pad(run, arena, run->count, run->last_extra->end) : 0;
        r = r ? r : extra_name(arena, run->name, &run->extras->name);
        run->extras->end = run->last_extra ? run->last_extra->end : run->extras->end;
        xml_node_append(object, last, run->extras);
    }
    *run = (struct xml_run){ 0 };
    return r;
}
