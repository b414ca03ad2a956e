/* From elements to their children, and what types they are of. */
#pragma once

#include "fhir/path/machine.h"

/*
 * Put the children of @item that are called @name on top: "value" finds valueQuantity. @item
 * may be on the stack, and may be written over by the first child.
 */
MUST_USE int path_push_member(struct path_machine *m, const struct path_value *item,
                              const struct path_name *name);

/* Put all children of @item on top. */
MUST_USE int path_push_children(struct path_machine *m, const struct path_value *item);

/* The id and extensions of a primitive; NULL if it has none. */
const struct node *path_extra(const struct path_element *element);

/* Whether @item is of the type @wanted, or of one derived from it. */
bool path_is(const struct path_machine *m, const struct path_value *item,
             const struct path_specifier *wanted);

/*
 * Whether "as" and ofType() let @item through: as path_is(), but a primitive must be just of
 * @wanted, so that a code is no string there. FHIRPath's text would let it through; its tests,
 * and R4's invariants, which list uri, url and canonical one by one, won't.
 */
bool path_passes(const struct path_machine *m, const struct path_value *item,
                 const struct path_specifier *wanted);

/* Whether @name, in front of a path, means the type of @item: "Patient" in "Patient.name". */
bool path_is_lead(const struct path_machine *m, const struct path_value *item, struct str name);

/* What type() tells of @item; false if nothing is known. */
MUST_USE int path_type_of(struct path_machine *m, const struct path_value *item,
                          struct path_value *out, bool *known);

/* The resource that @node is in, itself perhaps; the outermost one if @outermost. */
const struct node *path_resource_of(const struct node *node, bool outermost);
