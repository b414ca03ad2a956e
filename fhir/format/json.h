/* JSON text to a tree of nodes, strictly. */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/model/node.h"

enum {
    JSON_DEPTH_MAX = 64,
    JSON_NAME_MAX = 1024,     /* bytes of a member name */
    JSON_NUMBER_MAX = 256,    /* bytes of a number */
    JSON_TEXT_MAX = 64 << 20, /* bytes of a document read as a whole */
    JSON_NODES_MAX = 4 << 20,
};

enum {
    JSON_E_SYNTAX = 1, /* not JSON, or JSON this reader refuses; the issue names the place */
};

/**
 * json_parse() - read one JSON document
 * @arena:  memory for the tree
 * @text:   the document; the tree borrows from it
 * @issues: told the place and the reason of a refusal
 * @root:   the tree
 *
 * Refused besides what RFC 8259 refuses: bytes that aren't UTF-8, a byte order mark, lone
 * surrogates, U+0000, duplicate member names, anything beyond the limits above.
 *
 * Return: 0, JSON_E_SYNTAX or -ENOMEM; @root is set only on 0.
 * Spec:   RFC 8259, RFC 7493 section 2
 */
MUST_USE int json_parse(struct arena *arena, struct str text, struct issues *issues,
                        const struct node **root);
