/*
 * A tree of nodes, built in the order of the text: fhir/format/json_events.c puts in what yajl
 * reads. It runs once for each value of each answer, so the usual case is inline here.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/format/json.h"
#include "fhir/model/node.h"

#include <stdint.h>

enum {
    JSON_TREE_BLOCK = 32, /* nodes of a block */
};

struct json_tree_block {
    struct json_tree_block *older;
    size_t n;
    struct node nodes[JSON_TREE_BLOCK];
};

/*
 * @base:   offset in the document that node offsets count from
 * @tell:   depth down to which who builds the tree is told of each whole value
 * @root:   NULL until there is one
 * @reason: of JSON_E_SYNTAX; static text
 */
struct json_tree {
    struct arena *arena; /* borrowed */
    size_t base;
    size_t tell;
    struct node *root;
    const char *reason;

    struct json_tree_block *blocks; /* the newest */
    size_t block_count;
    struct node *unused; /* nodes of the newest block, up to @end */
    struct node *end;
    struct node *open;  /* object or array being filled */
    struct node **link; /* what will point to the next node */
    size_t depth;       /* objects and arrays that are open */
    struct json_tree_level {
        uint64_t names; /* a bit for each name seen, by a hash */
        bool many;      /* two of many names had the same bit: look closer */
    } level[JSON_DEPTH_MAX + 1];
};

/* A tree without nodes in @arena, whose memory it takes. */
void json_tree_init(struct json_tree *tree, struct arena *arena, size_t base);

/* Room for another node. Return: 0, JSON_E_SYNTAX or -ENOMEM. */
MUST_USE int json_tree_grow(struct json_tree *tree);

/* Whether a name is there already whose bit is. Return: 0 or JSON_E_SYNTAX. */
MUST_USE int json_tree_same_bit(struct json_tree *tree, struct str name);

/* Whether one of the many names of what is open is there twice. Return: also -ENOMEM. */
MUST_USE int json_tree_many(struct json_tree *tree);

/* The blocks of its nodes, for later moves. */
struct json_tree_block *json_tree_blocks(struct json_tree *tree);

/* Texts inside of @from are now inside of @to. */
void json_tree_moved(struct json_tree *tree, struct str from, struct str to);

/* The same for the nodes of a finished tree, known by its @blocks. */
void json_tree_blocks_moved(struct json_tree_block *blocks, struct str from, struct str to);

/* Move one span that may lie inside of @from. */
void json_tree_text_moved(struct str *text, struct str from, struct str to);

/* The next member of what is open is called @name. True: its bit is there already. */
static inline bool json_tree_name(struct json_tree *tree, struct str name)
{
    struct json_tree_level *level = &tree->level[tree->depth];
    unsigned hash = (unsigned)name.n * 5;
    if (name.n) { /* these tell most names of an object apart */
        hash += (unsigned char)name.p[0] * 3u + (unsigned char)name.p[name.n - 1] * 7u;
    }
    uint64_t bit = 1ull << (hash & 63);
    bool seen = level->names & bit;
    level->names |= bit;
    return seen;
}

/* Hang in @node as the next child of what is open, or as the root. */
static inline void json_tree_hang(struct json_tree *tree, struct node *node)
{
    node->parent = tree->open;
    node->first = NULL;
    node->next = NULL;
    *tree->link = node;
    tree->link = &node->next;
}

/* What follows are children of @node, an object or array just hung in. */
static inline void json_tree_open(struct json_tree *tree, struct node *node)
{
    tree->open = node;
    tree->link = &node->first;
    tree->depth++; /* the reader's limit of depth is ours */
    tree->level[tree->depth] = (struct json_tree_level){ 0 };
}

/* What is open ends at offset @end, counted from the base. */
static inline struct node *json_tree_close(struct json_tree *tree, size_t end)
{
    struct node *node = tree->open;
    node->end = end;
    tree->open = node->parent;
    tree->link = &node->next;
    tree->depth--;
    return node;
}
