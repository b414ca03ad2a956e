/* From an element that was made back to the part of the message that it is from. */
#pragma once

#include "fhir/translate/to_fhir.h"

/**
 * translate_origin_of() - where to look in the message for what is wrong with an element
 * @result: with origins
 * @entry:  index of the resource's entry
 * @path:   in the resource, as validation names it: "name[0].family", "value.code"; empty: the
 *          resource itself
 *
 * Return: "PID[1]-5[1].1"; the field, "PID[1]-5[1]", of a neighbour of what is missing; the
 * segment, "PID[1]", where no more is known; or empty. Borrowed from @result.
 */
struct str translate_origin_of(const struct translate_result *result, size_t entry,
                               struct str path);
