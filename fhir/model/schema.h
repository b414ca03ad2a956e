/*
 * What the types of a FHIR version are made of: elements, their order, cardinality, types.
 *
 * One table for each version, generated from schemas/fhir/types_*.txt; about 200 KB each,
 * constant. A nested element of a resource or data type is a type of its own, named by its path
 * ("Patient.contact"). Names are borrowed from the table, which lives for ever.
 */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_kind {
    SCHEMA_PRIMITIVE,
    SCHEMA_COMPLEX,
    SCHEMA_NESTED,  /* BackboneElement or Element with elements of its own */
    SCHEMA_PROFILE, /* a narrower use of its base: SimpleQuantity */
    SCHEMA_RESOURCE,
};

/* How a primitive is written in JSON. */
enum schema_json {
    SCHEMA_STRING,
    SCHEMA_NUMBER,
    SCHEMA_BOOLEAN,
};

enum schema_strength {
    SCHEMA_UNBOUND,
    SCHEMA_EXAMPLE,
    SCHEMA_PREFERRED,
    SCHEMA_EXTENSIBLE,
    SCHEMA_REQUIRED,
};

enum {
    SCHEMA_ATTRIBUTE = 1, /* an attribute in XML */
    SCHEMA_SUMMARY = 2,
    SCHEMA_MODIFIER = 4,
    SCHEMA_CHOICE = 8, /* value[x] */
};

enum {
    SCHEMA_UNBOUNDED = UINT16_MAX, /* max of 0..* */
};

/* Offsets are into the version's pool of terminated texts; 0 is the empty one. */
struct schema_type {
    uint32_t name;
    uint32_t regex;
    uint32_t binding; /* of all elements of this type: Age, Distance, Duration */
    uint32_t slots;   /* its members, 2 to the power of @slot_bits */
    uint16_t base;    /* index + 1; 0 for those that have none */
    uint16_t first;   /* own elements */
    uint16_t count;
    uint16_t inherited; /* how many elements the bases have */
    uint8_t name_n;
    uint8_t kind;
    uint8_t json;
    uint8_t strength;
    uint8_t slot_bits;
    bool abstract;
};

struct schema_element {
    uint32_t name; /* without [x] */
    uint32_t binding;
    uint32_t within;
    uint16_t choices; /* the first of them */
    uint16_t max;
    uint8_t min;
    uint8_t name_n;
    uint8_t choices_n;
    uint8_t flags;
    uint8_t strength;
};

/* One type that an element may have, and for Reference, canonical and profiles, of what. */
struct schema_choice {
    uint16_t type;
    uint16_t targets;
    uint16_t targets_n; /* 0: anything */
};

/* Of the hash table over a type's members, those of its bases among them. */
struct schema_slot {
    uint32_t name; /* as in JSON: "valueQuantity"; 0: nothing here */
    uint16_t element;
    uint16_t found; /* the element's type by that name */
    uint16_t rank;
    uint8_t name_n;
};

struct schema {
    const char *version; /* "4.0.1" */
    const char *pool;
    const struct schema_type *types; /* by name */
    const struct schema_element *elements;
    const struct schema_choice *choices;
    const uint16_t *targets; /* indexes of types */
    const struct schema_slot *slots;
    size_t types_n;
};

extern const struct schema schema_r4;
extern const struct schema schema_r4b; /* without bindings, as the next */
extern const struct schema schema_r5;

/* The type named @name ("Patient", "Patient.contact", "string"); NULL if there is none. */
const struct schema_type *schema_type(const struct schema *schema, struct str name);

static inline struct str schema_type_name(const struct schema *schema,
                                          const struct schema_type *type)
{
    return str_of(schema->pool + type->name, type->name_n);
}

/* What @type is a kind of; NULL for Element and Resource, in R5 for Base. */
static inline const struct schema_type *schema_base(const struct schema *schema,
                                                    const struct schema_type *type)
{
    return type->base ? &schema->types[type->base - 1] : NULL;
}

/* Whether @type is @base or derived from it; @base is a name such as "DomainResource". */
bool schema_is_a(const struct schema *schema, const struct schema_type *type, struct str base);

/* Elements of @type with those of its bases; element 0 comes first in XML. */
static inline size_t schema_size(const struct schema_type *type)
{
    return (size_t)type->inherited + type->count;
}

/* Element @i of @type, in the order of XML. */
const struct schema_element *schema_at(const struct schema *schema,
                                       const struct schema_type *type, size_t i);

/* Name without [x]. */
static inline struct str schema_name(const struct schema *schema,
                                     const struct schema_element *element)
{
    return str_of(schema->pool + element->name, element->name_n);
}

/* Type @i of @element, below choices_n; a content reference is the type it refers to. */
const struct schema_type *schema_choice(const struct schema *schema,
                                        const struct schema_element *element, size_t i);

/* The type of @element that a member's @name says: Quantity of value[x] for "valueQuantity";
 * NULL if @name isn't that element. */
const struct schema_type *schema_named(const struct schema *schema,
                                       const struct schema_element *element, struct str name);

/* Whether type @i of @element, a Reference or canonical, may point at a @type. */
bool schema_may_target(const struct schema *schema, const struct schema_element *element,
                       size_t i, const struct schema_type *type);

/* Any text of the pool: regex, binding, within. HL7's value sets stand without their base. */
static inline struct str schema_text(const struct schema *schema, uint32_t offset)
{
    return str_z(schema->pool + offset);
}

/*
 * What a member of a JSON object or a child in XML is.
 *
 * @rank: its place among the elements of the type, as schema_at() counts
 */
struct schema_field {
    const struct schema_element *element;
    const struct schema_type *type;
    size_t rank;
};

/**
 * schema_field() - the element of a type that a name means
 * @schema: the FHIR version
 * @type:   type of the object
 * @name:   as in JSON and XML: "birthDate", "valueQuantity"; not "_birthDate"
 * @out:    the element, and its type; that of a choice is the one that the name says
 *
 * Return: whether there is such an element; @out is set only on true
 */
bool schema_field(const struct schema *schema, const struct schema_type *type, struct str name,
                  struct schema_field *out);

/* The element named @name in the definition, "value" for value[x]; NULL if there is none. */
const struct schema_element *schema_element(const struct schema *schema,
                                            const struct schema_type *type, struct str name);
