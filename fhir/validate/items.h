/*
 * What stands in an element: the values of an instance, one after the other.
 */
#pragma once

#include "fhir/model/node.h"
#include "fhir/model/schema.h"

/*
 * @node:  the value; NULL if a primitive has extensions only
 * @extra: id and extensions of a primitive, the member with the underscore; or NULL
 * @type:  of the value; NULL if the definitions don't know
 * @index: among those of its name
 */
struct item {
    const struct node *node;
    const struct node *extra;
    const struct schema_type *type;
    size_t index;
};

/* Going through the values that an object has in one element, value[x] of any type. */
struct items {
    const struct schema *schema;
    struct item of;
    struct str name;
    const struct node *member; /* the next one to look at */
    const struct node *value;
    const struct node *extra;
    const struct schema_type *type;
    size_t index;
};

/* The values of element @name, without [x], below @of. */
struct items items_of(const struct schema *schema, const struct item *of, struct str name);

/* The next one; false after the last. */
bool items_next(struct items *items, struct item *out);

/* A resource as an item; its type from its resourceType. */
struct item item_resource(const struct schema *schema, const struct node *node);
