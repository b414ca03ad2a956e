/* Resource types as access rows keep them: a set of the numbers of fhir/compartment/subject.h.
 */
#pragma once

#include "fhir/compartment/subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin with zeros. */
struct type_set {
    uint8_t bits[SUBJECT_TYPES_MAX / 8];
};

/* Add @type; what is no type of R4 isn't added. */
void type_set_add(struct type_set *set, struct str type);

/* Add all of @more. */
void type_set_join(struct type_set *set, const struct type_set *more);

/* Take out all of @less; whether anything is left. */
bool type_set_without(struct type_set *set, const struct type_set *less);

/* Two bytes for each, big-endian, in order; @out: 2 * SUBJECT_TYPES_MAX bytes. Returns how many
 * bytes. */
size_t type_set_bytes(const struct type_set *set, uint8_t *out);
