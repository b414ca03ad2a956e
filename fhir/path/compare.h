/* Equality, equivalence and order of items; sets of them. */
#pragma once

#include "fhir/path/machine.h"

enum {
    PATH_TREE_DEPTH_MAX = 128, /* of elements that are compared as a whole */
};

/* = of two items. */
MUST_USE int path_equal(struct path_machine *m, const struct path_value *a,
                        const struct path_value *b, enum path_truth *out);

/* ~ of two items. */
MUST_USE int path_equivalent(struct path_machine *m, const struct path_value *a,
                             const struct path_value *b, bool *out);

/**
 * path_order() - which of two items comes first
 * @m:     the run; ends with an error if they can't be compared at all
 * @a, @b: items
 * @order: <0, 0 or >0
 * @known: false: it can't be told, as with 2018-03 and 2018-03-01, or "cm" and "s"
 */
MUST_USE int path_order(struct path_machine *m, const struct path_value *a,
                        const struct path_value *b, int *order, bool *known);

/* Whether @item equals one of the @n items at @first. */
MUST_USE int path_contains(struct path_machine *m, size_t first, size_t n,
                           const struct path_value *item, bool *out);

/*
 * A set of items, none equal to another. Small ones compare each with each; larger ones hash
 * what equal items have in common.
 *
 * @items: simple where they can be
 */
struct path_set {
    struct path_machine *m;
    struct path_value *items;
    uint32_t *hashes;
    uint32_t *next; /* in a chain; index + 1 */
    uint32_t *heads;
    size_t n;
    size_t room;
    bool quantities; /* they may equal numbers, whatever their hash */
};

struct path_set path_set(struct path_machine *m);
MUST_USE int path_set_has(struct path_set *set, const struct path_value *item, bool *out);
MUST_USE int path_set_add(struct path_set *set, const struct path_value *item, bool *added);
