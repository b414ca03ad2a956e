/* What a validator has. */
#pragma once

#include "fhir/model/schema.h"
#include "fhir/validate/invariants.h"
#include "fhir/validate/registry.h"
#include "fhir/validate/validate.h"

/* What check_primitive() goes by for the type called @type. */
uint8_t primitive_form(struct str type);

/* The value set that an element's codes must be in; empty if there is none. */
struct str binding_demanded(const struct schema *schema, const struct schema_element *element);

/*
 * What is looked up once about an element of the schema.
 *
 * @demands: the value set that its codes must be in; empty if none
 * @set:     the same if it is R4's own
 * @narrows: one of its types is narrowed to a profile
 * @rules:   invariants of it alone
 */
struct known_element {
    struct str demands;
    bool narrows;
    const struct constraint *rules;
    const struct terminology_set *set;
};

enum {
    VALIDATOR_ELEMENTS_MAX = 128, /* of a type, those of its bases counted */
};

/* Elements of a type, by rank: bits. */
struct ranks {
    uint64_t bits[VALIDATOR_ELEMENTS_MAX / 64];
};

/* Types that more is looked at of than their elements. */
enum known_role {
    ROLE_NONE,
    ROLE_RESOURCE, /* any: its own type says what it is */
    ROLE_REFERENCE,
    ROLE_EXTENSION,
    ROLE_NARRATIVE,
    ROLE_CONCEPT,
    ROLE_CODING, /* or another that has a code with its system */
};

/*
 * The same about a type.
 *
 * @required: elements that must be there
 * @form:     see primitive_form()
 * @role:     enum known_role
 */
struct known_type {
    struct ranks required;
    uint8_t form;
    uint8_t role;
};

struct validator {
    struct arena *arena; /* borrowed */
    const struct schema *schema;
    const struct terminology *terminology;
    struct known_type *types;    /* of each type of the schema */
    struct known_element *known; /* of each element of the schema */
    const struct schema_type *element;
    struct registry registry;
    struct constraints rules;
};

static inline const struct known_type *validator_type(const struct validator *validator,
                                                      const struct schema_type *type)
{
    return &validator->types[type - validator->schema->types];
}

static inline const struct known_element *validator_known(const struct validator *validator,
                                                          const struct schema_element *element)
{
    return &validator->known[element - validator->schema->elements];
}
