/* Which slice of an element a value belongs to. */
#pragma once

#include "fhir/validate/check.h"
#include "fhir/validate/items.h"
#include "fhir/validate/profile.h"

/* The slice of @element that @item belongs to by the discriminators; NULL if to none. */
const struct profile_element *
slice_of(struct check *check, const struct profile_element *element, const struct item *item);
