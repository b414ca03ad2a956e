/*
 * What FHIRPath computes with: items of FHIRPath's own types, and elements of a resource.
 *
 * An element stays a place in the tree until an operator wants its value; then it becomes one
 * of FHIRPath's types, by the type it has in FHIR.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"
#include "fhir/base/datetime.h"
#include "fhir/base/decimal.h"
#include "fhir/model/node.h"
#include "fhir/model/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum path_kind {
    PATH_BOOLEAN,
    PATH_INTEGER,
    PATH_DECIMAL,
    PATH_STRING,
    PATH_DATE,
    PATH_DATETIME,
    PATH_TIME,
    PATH_QUANTITY,
    PATH_ELEMENT,
    PATH_TYPE, /* what type() returns */
};

/*
 * @node:  the value; NULL if a primitive has extensions only
 * @extra: of a primitive its id and extensions, the member with the underscore; NULL also if
 *         nobody has looked yet: see path_extra()
 * @type:  NULL if the schema doesn't know
 */
struct path_element {
    const struct node *node;
    const struct node *extra;
    const struct schema_type *type;
};

/*
 * @calendar: the unit is a calendar duration such as "month", not a code of UCUM
 * @element:  it comes from a resource, where "a" and "mo" mean calendar durations as well
 */
struct path_quantity {
    struct decimal value;
    struct str unit;
    bool calendar;
    bool element;
};

/* A type by its full name. */
struct path_type {
    struct str space; /* "FHIR", "System" */
    struct str name;
    struct str base; /* "FHIR.Element" */
};

struct path_value {
    enum path_kind kind;
    union {
        bool boolean;
        int64_t integer;
        struct decimal decimal;
        struct str string;
        struct datetime time;
        const struct path_quantity *quantity;
        struct path_element element;
        const struct path_type *type;
    };
};

static inline struct path_value path_boolean(bool value)
{
    return (struct path_value){ .kind = PATH_BOOLEAN, .boolean = value };
}

static inline struct path_value path_integer(int64_t value)
{
    return (struct path_value){ .kind = PATH_INTEGER, .integer = value };
}

static inline struct path_value path_decimal(struct decimal value)
{
    return (struct path_value){ .kind = PATH_DECIMAL, .decimal = value };
}

static inline struct path_value path_string(struct str value)
{
    return (struct path_value){ .kind = PATH_STRING, .string = value };
}

/* Element @node of @type; a resource, if @type is NULL and it says which. */
struct path_value path_element(const struct schema *schema, const struct node *node,
                               const struct schema_type *type);

/**
 * path_simple() - an element's value as one of FHIRPath's types
 * @schema: what its type is from
 * @arena:  memory for a Quantity
 * @value:  any item
 * @out:    the value; what isn't an element, or has no simple value, as it is
 *
 * Return: 0 or -ENOMEM.
 */
MUST_USE int path_simple(const struct schema *schema, struct arena *arena,
                         const struct path_value *value, struct path_value *out);

/* "Boolean", "Date" …; empty for elements. */
struct str path_kind_name(enum path_kind kind);
