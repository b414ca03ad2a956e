/*
 * Building a tree.
 *
 * Nodes come in blocks, so that they are cheap to make and can be walked when the window
 * moves. Each name sets one of 64 bits; only where a bit was set twice, duplicates are looked
 * for when the object closes: pairwise if it is small, by sorting if it is not, so that no
 * choice of names makes it slow.
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

/* @text itself if it lasts, else a copy. */
static int keep(struct json_tree *t, struct str text, bool lasts, struct str *out)
{
    struct str kept = lasts || !text.n ? text : arena_str(t->arena, text);
    *out = kept;
    return text.n && !kept.p ? -ENOMEM : 0;
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

static void note_name(struct json_tree_level *level, struct str name)
{
    unsigned hash = (unsigned)name.n * 5;
    if (name.n) {
        hash += (unsigned char)name.p[0] * 3u + (unsigned char)name.p[name.n - 1] * 7u;
    }
    uint64_t bit = 1ull << (hash & 63);
    level->clash = level->clash || (level->names & bit);
    level->names |= bit;
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
        .start = event->start - t->base,
        .end = event->end - t->base,
        .parent = t->open,
    };
    if (keep(t, event->text, event->lasts, &node->text) < 0 ||
        keep(t, event->name, event->name_lasts, &node->name) < 0) {
        return -ENOMEM;
    }
    if (++t->count > JSON_NODES_MAX) {
        t->reason = "too many values";
        return JSON_E_SYNTAX;
    }

    struct json_tree_level *level = &t->level[t->depth];
    struct node **link = &t->root;
    if (t->open) {
        link = level->last ? &level->last->next : &t->open->first;
    }
    *link = node;
    level->last = node;
    level->members++;
    note_name(level, node->name);
    return 0;
}

static int begin(struct json_tree *t, const struct json_event *event)
{
    int r = add(t, event);
    if (r) {
        return r;
    }
    t->open = t->level[t->depth].last;
    assert(t->depth < JSON_DEPTH_MAX);
    t->level[++t->depth] = (struct json_tree_level){ 0 };
    return 0;
}

static int close(struct json_tree *t, const struct json_event *event)
{
    struct node *node = t->open;
    assert(node);
    node->end = event->end - t->base;
    const struct json_tree_level *level = &t->level[t->depth];
    t->open = node->parent;
    t->depth--;
    t->done = !t->depth;
    bool look = node->kind == NODE_OBJECT && level->clash;
    return look ? unique_names(t, node, level->members) : 0;
}

int json_tree_event(struct json_tree *tree, const struct json_event *event)
{
    assert(!tree->done);
    switch (event->kind) {
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
    json_tree_blocks_moved(tree->blocks, from, to);
}
