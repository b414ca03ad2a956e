/*
 * Building a tree.
 *
 * Nodes come in blocks, so that they are cheap to make and can be walked when the window
 * moves. Each name sets one of 64 bits; only where a bit was set before, duplicates are looked
 * for: at once among the first names of an object, by sorting them all when it closes if there
 * are more, so that no choice of names makes it slow.
 */
#include "fhir/format/json_tree.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SMALL_OBJECT = 24,
};

void json_tree_init(struct json_tree *tree, struct arena *arena, size_t base)
{
    tree->arena = arena;
    tree->base = base;
    tree->tell = 0;
    tree->root = NULL;
    tree->reason = NULL;
    tree->blocks = NULL;
    tree->block_count = 0;
    tree->unused = NULL;
    tree->end = NULL;
    tree->open = NULL;
    tree->link = &tree->root;
    tree->depth = 0;
    tree->level[0] = (struct json_tree_level){ 0 }; /* the others when they open */
}

int json_tree_grow(struct json_tree *tree)
{
    if (tree->block_count == JSON_NODES_MAX / JSON_TREE_BLOCK) {
        tree->reason = "too many values";
        return JSON_E_SYNTAX;
    }
    struct json_tree_block *block = arena_alloc(tree->arena, sizeof(*block));
    if (!block) {
        return -ENOMEM;
    }
    block->older = json_tree_blocks(tree);
    block->n = 0;
    tree->blocks = block;
    tree->block_count++;
    tree->unused = block->nodes;
    tree->end = block->nodes + JSON_TREE_BLOCK;
    return 0;
}

struct json_tree_block *json_tree_blocks(struct json_tree *tree)
{
    if (tree->blocks) {
        tree->blocks->n = (size_t)(tree->unused - tree->blocks->nodes);
    }
    return tree->blocks;
}

static int duplicate(struct json_tree *t)
{
    t->reason = "duplicate member name";
    return JSON_E_SYNTAX;
}

int json_tree_same_bit(struct json_tree *tree, struct str name)
{
    size_t n = 0;
    for (const struct node *a = node_first(tree->open); a; a = a->next) {
        if (++n > SMALL_OBJECT) {
            tree->level[tree->depth].many = true;
            return 0;
        }
        if (str_eq(a->name, name)) {
            return duplicate(tree);
        }
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct node *const *left = a;
    const struct node *const *right = b;
    return str_cmp((*left)->name, (*right)->name);
}

int json_tree_many(struct json_tree *tree)
{
    size_t n = 0;
    for (const struct node *child = tree->open->first; child; child = child->next) {
        n++;
    }
    const struct node **all = arena_calloc(tree->arena, n, sizeof(const struct node *));
    if (!all) {
        return -ENOMEM;
    }
    size_t i = 0;
    for (const struct node *child = tree->open->first; child; child = child->next) {
        all[i++] = child;
    }
    qsort(all, n, sizeof(const struct node *), by_name);
    for (i = 1; i < n; i++) {
        if (str_eq(all[i - 1]->name, all[i]->name)) {
            return duplicate(tree);
        }
    }
    return 0;
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
    json_tree_blocks_moved(json_tree_blocks(tree), from, to);
}
