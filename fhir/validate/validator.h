/* What a validator has. */
#pragma once

#include "fhir/model/schema.h"
#include "fhir/validate/invariants.h"
#include "fhir/validate/registry.h"
#include "fhir/validate/validate.h"

struct validator {
    struct arena *arena; /* borrowed */
    const struct schema *schema;
    const struct terminology *terminology;
    struct registry registry;
    struct constraints rules;
};
