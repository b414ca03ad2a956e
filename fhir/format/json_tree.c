/*
 * Building a tree.
 *
 * Nodes come in blocks, so that they are cheap to make and can be walked when the window
 * moves. Duplicate names are looked for when an object closes: pairwise if it is small, by
 * sorting if it is not, so that no choice of names makes it slow.
 */
#include "fhir/format/json_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    BLOCK_NODES = 32,
    SMALL_OBJECT = 12,
};

struct json_tree_block {
    struct json_tree_block *older;
    size_t n;
    struct node nodes[BLOCK_NODES];
};

struct json_tree json_tree(struct arena *arena, size_t base)
{
    return (struct json_tree){ .arena = arena, .base = base };
}

static struct node *node_new(struct json_tree *t)
{
    struct json_tree_block *block = t->blocks;
    if (!block || block->n == BLOCK_NODES) {
        block = arena_alloc(t->arena, sizeof(*block));
        if (!block) {
            return NULL;
        }
        block->older = t->blocks;
        block->n = 0;
        t->blocks = block;
    }
    return &block->nodes[block->n++];
}

static int keep_text(struct json_tree *t, const struct json_event *event, struct str *out)
{
    if (event->lasts) {
        *out = event->text;
        return 0;
    }
    struct str copy = arena_str(t->arena, event->text);
    if (!copy.p) {
        return -ENOMEM;
    }
    *out = copy;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct node *const *left = a;
    const struct node *const *right = b;
    return str_cmp((*left)->name, (*right)->name);
}

static int duplicate(struct json_tree *t)
{
    t->reason = "duplicate member name";
    return JSON_E_SYNTAX;
}

static int unique_sorted(struct json_tree *t, const struct node *object, size_t n)
{
    const struct node **all = arena_calloc(t->arena, n, sizeof(const struct node *));
    if (!all) {
        return -ENOMEM;
    }
    size_t i = 0;
    for (const struct node *child = object->first; child; child = child->next) {
        all[i++] = child;
    }
    qsort(all, n, sizeof(const struct node *), by_name);
    for (i = 1; i < n; i++) {
        if (str_eq(all[i - 1]->name, all[i]->name)) {
            return duplicate(t);
        }
    }
    return 0;
}

static int unique_names(struct json_tree *t, const struct node *object, size_t n)
{
    if (n > SMALL_OBJECT) {
        return unique_sorted(t, object, n);
    }
    for (const struct node *a = object->first; a; a = a->next) {
        for (const struct node *b = a->next; b; b = b->next) {
            if (str_eq(a->name, b->name)) {
                return duplicate(t);
            }
        }
    }
    return 0;
}

static enum node_kind kind_of(enum json_event_kind kind)
{
    static const enum node_kind kinds[] = {
        [JSON_EVENT_NULL] = NODE_NULL,     [JSON_EVENT_FALSE] = NODE_FALSE,
        [JSON_EVENT_TRUE] = NODE_TRUE,     [JSON_EVENT_NUMBER] = NODE_NUMBER,
        [JSON_EVENT_STRING] = NODE_STRING, [JSON_EVENT_OBJECT] = NODE_OBJECT,
        [JSON_EVENT_ARRAY] = NODE_ARRAY,
    };
    return kinds[kind];
}

/* A new child of what is open, or the root. */
static int add(struct json_tree *t, const struct json_event *event)
{
    struct node *node = node_new(t);
    if (!node) {
        return -ENOMEM;
    }
    *node = (struct node){
        .kind = kind_of(event->kind),
        .name = t->name,
        .start = event->start - t->base,
        .end = event->end - t->base,
        .parent = t->open,
    };
    if (event->text.p) {
        int r = keep_text(t, event, &node->text);
        if (r < 0) {
            return r;
        }
    }
    if (++t->count > JSON_NODES_MAX) {
        t->reason = "too many values";
        return JSON_E_SYNTAX;
    }
    t->name = (struct str){ 0 };

    struct node **link = &t->root;
    if (t->open) {
        link = t->last[t->depth] ? &t->last[t->depth]->next : &t->open->first;
    }
    *link = node;
    t->last[t->depth] = node;
    t->members[t->depth]++;
    return 0;
}

static int begin(struct json_tree *t, const struct json_event *event)
{
    int r = add(t, event);
    if (r) {
        return r;
    }
    t->open = t->last[t->depth];
    assert(t->depth < JSON_DEPTH_MAX);
    t->depth++;
    t->last[t->depth] = NULL;
    t->members[t->depth] = 0;
    return 0;
}

static int close(struct json_tree *t, const struct json_event *event)
{
    struct node *node = t->open;
    assert(node);
    node->end = event->end - t->base;
    size_t members = t->members[t->depth];
    t->open = node->parent;
    t->depth--;
    t->done = !t->depth;
    return node->kind == NODE_OBJECT ? unique_names(t, node, members) : 0;
}

int json_tree_event(struct json_tree *tree, const struct json_event *event)
{
    assert(!tree->done);
    switch (event->kind) {
    case JSON_EVENT_NAME: return keep_text(tree, event, &tree->name);
    case JSON_EVENT_OBJECT:
    case JSON_EVENT_ARRAY: return begin(tree, event);
    case JSON_EVENT_OBJECT_END:
    case JSON_EVENT_ARRAY_END: return close(tree, event);
    case JSON_EVENT_NULL:
    case JSON_EVENT_FALSE:
    case JSON_EVENT_TRUE:
    case JSON_EVENT_NUMBER:
    case JSON_EVENT_STRING: break;
    }
    int r = add(tree, event);
    tree->done = !tree->depth;
    return r;
}

void json_tree_text_moved(struct str *text, struct str from, struct str to)
{
    uintptr_t distance = (uintptr_t)text->p - (uintptr_t)from.p;
    if (text->p && distance < from.n) {
        text->p = to.p + distance;
    }
}

void json_tree_blocks_moved(struct json_tree_block *blocks, struct str from, struct str to)
{
    for (struct json_tree_block *block = blocks; block; block = block->older) {
        for (size_t i = 0; i < block->n; i++) {
            json_tree_text_moved(&block->nodes[i].name, from, to);
            json_tree_text_moved(&block->nodes[i].text, from, to);
        }
    }
}

void json_tree_moved(struct json_tree *tree, struct str from, struct str to)
{
    json_tree_text_moved(&tree->name, from, to);
    json_tree_blocks_moved(tree->blocks, from, to);
}
