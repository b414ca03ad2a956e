/*
 * One tree for any document: FHIR resources, Bundles, tokens, JSON-RPC answers.
 *
 * A node knows the bytes it was read from, so what is released unchanged can be copied
 * byte for byte. Numbers stay text. The tree lives in the arena it was read into and borrows
 * from the source text.
 */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_kind {
    NODE_NULL,
    NODE_FALSE,
    NODE_TRUE,
    NODE_NUMBER, /* text: as written */
    NODE_STRING, /* text: decoded UTF-8 */
    NODE_ARRAY,
    NODE_OBJECT,
};

/*
 * @name:  decoded member name; empty in arrays and at the root
 * @text:  of strings and numbers
 * @start: offset of the value's first byte in the source
 * @end:   offset after its last byte
 */
struct node {
    enum node_kind kind;
    struct str name;
    struct str text;
    size_t start;
    size_t end;
    struct node *parent;
    struct node *first; /* child */
    struct node *next;  /* sibling */
};

/* The member @name of object @node; NULL if @node is NULL, no object, or has none. */
const struct node *node_member(const struct node *node, struct str name);

/* The same by a literal. */
static inline const struct node *node_get(const struct node *node, const char *name)
{
    return node_member(node, str_z(name));
}

/* Walk along @path, names joined by dots; in an array the first element is taken. */
const struct node *node_at(const struct node *node, const char *path);

/* First child of @node or NULL, so that loops need no special case for a missing array. */
static inline const struct node *node_first(const struct node *node)
{
    return node ? node->first : NULL;
}

static inline bool node_is(const struct node *node, enum node_kind kind)
{
    return node && node->kind == kind;
}

/* Decoded text of string member @name, or the empty span. */
static inline struct str node_text(const struct node *node, const char *name)
{
    const struct node *child = node_get(node, name);
    return node_is(child, NODE_STRING) ? child->text : (struct str){ 0 };
}

/* A number node as an integer that fits; @out is set only on true. */
bool node_integer(const struct node *node, int64_t *out);

/* The node after @node and all in it, in document order below @top; NULL after the last. */
const struct node *node_skip(const struct node *node, const struct node *top);

/* The same, children first. */
static inline const struct node *node_following(const struct node *node, const struct node *top)
{
    return node->first ? node->first : node_skip(node, top);
}
