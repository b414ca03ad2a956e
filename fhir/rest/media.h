/* Media types of bodies. */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>

/**
 * media_is_json() - is a body of this Content-Type FHIR in JSON, as it is read here?
 * @content_type: the field's value; empty: there is none, so nobody knows
 *
 * UTF-8 alone is read: another charset isn't JSON to us.
 *
 * Spec: RFC 9110 8.3.1; FHIR R4 3.1.0.1.10
 */
bool media_is_json(struct str content_type);
