/* Consents for commands that decide as workers do. */
#pragma once

#include "fhir/consent/compiled.h"
#include "gateway/cli/session.h"

/**
 * cli_consents() - load consents into a new index
 * @patient: of this one, by all its numbers; NULL: of all patients
 * @out:     owned by the caller, also on failure; may be NULL then
 *
 * Needs cli_unlock(). Return: EX_OK, or the code to exit with; why was said on standard error.
 */
MUST_USE int cli_consents(struct cli_session *s, const uint8_t *patient,
                          struct consent_index **out);
