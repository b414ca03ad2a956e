/* Whether two trees are alike: kinds, names, texts, and the order of children. */
#pragma once

#include "fhir/model/node.h"
#include "tests/check.h"

static inline bool same_nodes(const struct node *a, const struct node *b);

static inline bool same_children(const struct node *a, const struct node *b)
{
    const struct node *y = b->first;
    for (const struct node *x = a->first; x; x = x->next) {
        if (!y || y->parent != b || !same_nodes(x, y)) {
            return false;
        }
        y = y->next;
    }
    return y == NULL;
}

static inline bool same_nodes(const struct node *a, const struct node *b)
{
    bool same = a->kind == b->kind && str_eq(a->name, b->name) && str_eq(a->text, b->text) &&
                same_children(a, b);
    if (!same) {
        print_error("they differ at %.*s\n", (int)a->name.n, a->name.p);
    }
    return same;
}
