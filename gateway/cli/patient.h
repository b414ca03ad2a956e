/* The patient that a command is about. */
#pragma once

#include "gateway/cli/session.h"

/**
 * cli_patient() - the number of the patient of an identifier
 * @text: SYSTEM|VALUE, or "-": the first line of standard input, which ps doesn't show
 * @out:  set on EX_OK only
 *
 * Needs cli_unlock(). Return: EX_OK, or the code to exit with; why was said on standard error.
 */
MUST_USE int cli_patient(struct cli_session *s, const char *text, uint8_t out[16]);
