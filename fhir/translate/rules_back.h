/* What only the tables of the way back have: where something is read in resources, and which.
 */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct rule_map;
struct rule_name;
struct rule_path;
struct rule_test;

/*
 * What a step of a path is cut down to by a test in brackets.
 *
 * @path:    from the element itself; NULL: whether the table in force makes such a coding
 * @values:  @count of them, of which it is one; none: it is there
 * @negated: the other way round
 */
struct rule_filter {
    const struct rule_path *path;
    const struct str *values;
    uint16_t count;
    bool negated;
};

/*
 * A step of a path that is read.
 *
 * @prefix:       @name is only how the element's name begins
 * @filters:      @filter_count of them, all of which must hold
 * @first, @last: of those left the ones by number, from 1; @last 0: to the end
 */
struct rule_hop {
    const struct rule_name *name;
    const struct rule_filter *filters;
    uint8_t filter_count;
    bool prefix;
    uint16_t first;
    uint16_t last;
};

/* Where something is read. @type: of the resource it begins at, or NULL: what is at hand */
struct rule_path {
    const char *type;
    const struct rule_hop *hops;
    uint8_t count;
};

/*
 * On the way back: the segment from a resource of @type, or one for each that @each finds in
 * it.
 */
struct rule_segment_back {
    const char *type;
    const struct rule_path *each;
    const struct rule_map *map;
};

/*
 * On the way back: resources that a group is written for.
 *
 * @in:   where the one above refers to it, or NULL
 * @with: where it refers to the one above, or NULL
 */
struct rule_link {
    const char *type;
    const struct rule_path *in;
    const struct rule_path *with;
    const struct rule_test *tests;
};
