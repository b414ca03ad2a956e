/* Whether a message is what its version of HL7 v2 says: fields, repetitions, types, codes. */
#pragma once

#include "fhir/v2/structure.h"

/**
 * v2_validate() - compare the fields of a message with the dictionary
 * @message: in UTF-8 (v2_message_utf8())
 * @version: to compare with, as v2_structure_of() found it
 * @issues:  told, by place: as errors required fields that are missing, too many repetitions
 *           and values that aren't of their datatype; as warnings components that are missing
 *           or not defined, and fields not defined; as information what is longer than it may
 *           be, codes that their table hasn't got, and fields withdrawn
 *
 * Segments as such are v2_group_segments()'s. Z segments are not looked at.
 */
void v2_validate(const struct v2_message *message, enum v2_version version,
                 struct issues *issues);
