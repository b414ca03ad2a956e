/*
 * From events to a tree of nodes, for one value of a document.
 *
 * Feed it the events of a value, from its first to its last; it says when the value is whole.
 */
#pragma once

#include "fhir/format/json_stream.h"

#include <stdint.h>

struct json_tree_block;

/*
 * @base: offset in the document that node offsets count from
 * @root: NULL until the first event
 * @done: the root value is whole
 */
struct json_tree {
    struct arena *arena; /* borrowed */
    size_t base;
    struct node *root;
    bool done;
    const char *reason; /* of JSON_E_SYNTAX; static text */

    struct json_tree_block *blocks;
    struct node *open; /* object or array being filled */
    size_t depth;
    size_t count;
    struct json_tree_level {
        struct node *last; /* youngest child */
        size_t members;
        uint64_t names; /* a bit for each name seen, by a hash */
        bool clash;     /* two names had the same bit: look closer */
    } level[JSON_DEPTH_MAX + 1];
};

struct json_tree json_tree(struct arena *arena, size_t base);

/* Take one event of the value. Return: 0, JSON_E_SYNTAX or -ENOMEM. */
MUST_USE int json_tree_event(struct json_tree *tree, const struct json_event *event);

/* Texts inside of @from are now inside of @to. */
void json_tree_moved(struct json_tree *tree, struct str from, struct str to);

/* The same for the nodes of a finished tree, known by its @blocks. */
void json_tree_blocks_moved(struct json_tree_block *blocks, struct str from, struct str to);

/* Move one span that may lie inside of @from. */
void json_tree_text_moved(struct str *text, struct str from, struct str to);
