/* Elements of one name in a row, which JSON has as one member, or as two. */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/model/node.h"
#include "fhir/model/schema.h"

/*
 * @element:  what they are; NULL: no run is under way
 * @values:   the value, or the array of all
 * @extras:   "_name": ids and extensions of primitives, or the array of them
 * @count:    elements so far
 * @extras_n: how many of them @extras covers
 * @valued:   not all values are null
 */
struct xml_run {
    const struct schema_element *element;
    struct str name;
    struct node *values;
    struct node *extras;
    struct node *last_value;
    struct node *last_extra;
    size_t count;
    size_t extras_n;
    bool valued;
};

/* A node whose text stands at @at; NULL if there is no memory. */
MUST_USE struct node *xml_node_new(struct arena *arena, enum node_kind kind, size_t at);

/* Add @child to @parent behind @last, its youngest child or NULL, and be that from now on. */
void xml_node_append(struct node *parent, struct node **last, struct node *child);

/* Whether JSON has an array for this run. */
bool xml_run_is_list(const struct xml_run *run);

/* The value of the run's newest element; in a list null for one without. 0 or -ENOMEM. */
MUST_USE int xml_run_value(struct xml_run *run, struct arena *arena, struct node *value);

/* The newest element's id and extensions. 0 or -ENOMEM. */
MUST_USE int xml_run_extra(struct xml_run *run, struct arena *arena, struct node *extra);

/* Put what was collected among the members of @object; the run is over. 0 or -ENOMEM. */
MUST_USE int xml_run_finish(struct xml_run *run, struct arena *arena, struct node *object,
                            struct node **last);
