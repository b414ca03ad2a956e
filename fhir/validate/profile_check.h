/* An instance against a profile. */
#pragma once

#include "fhir/validate/check.h"
#include "fhir/validate/items.h"
#include "fhir/validate/profile.h"

/* Check @item against @profile; what breaches it is told at @place. */
void profile_check(struct check *check, const struct profile *profile, const struct item *item,
                   const struct place *place);

/* Whether @item conforms to the profile @url, without telling what breaches it; if it isn't
 * here, it does. */
bool profile_conforms(struct check *check, struct str url, const struct item *item);

/* Whether @type is the one that ElementDefinition.type.code names. */
bool profile_is_type(const struct schema *schema, const struct schema_type *type,
                     struct str code);

/* An extension against its definition. */
void profile_check_extension(struct check *check, const struct item *item,
                             const struct place *place);
