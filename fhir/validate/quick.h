/*
 * Invariants that nearly every resource meets, answered without running their expressions.
 *
 * An answer is only given where it can't be doubted. In all other cases, and so wherever there
 * is something to explain, the expression itself is run.
 */
#pragma once

#include "crypto/base/str.h"
#include "fhir/model/node.h"

enum quick_answer {
    QUICK_ASK, /* run the expression */
    QUICK_HOLDS,
    QUICK_BREAKS,
};

/* What is certain about the object @node. */
typedef enum quick_answer (*quick_fn)(const struct node *node);

/* The function for R4's invariant @key, or NULL. */
quick_fn quick_find(struct str key);
