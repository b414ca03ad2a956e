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
 * @demands: its codes must be in a value set; @set: that set if it is R4's own
 * @narrows: one of its types is narrowed to a profile
 * @rules:   invariants of it alone
 */
struct known_element {
    bool demands;
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

struct validator {
    struct arena *arena; /* borrowed */
    const struct schema *schema;
    const struct terminology *terminology;
    uint8_t *forms;              /* primitive_form() of each type of the schema */
    struct ranks *required;      /* of each type: what must be there */
    struct known_element *known; /* of each element of the schema */
    struct registry registry;
    struct constraints rules;
};

static inline const struct known_element *validator_known(const struct validator *validator,
                                                          const struct schema_element *element)
{
    return &validator->known[element - validator->schema->elements];
}
