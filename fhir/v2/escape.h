/* HL7 v2 escape sequences. */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/v2/delims.h"

enum {
    V2_ESCAPE_E_OPEN = 1, /* an escape character without its partner */
};

/**
 * v2_unescape() - replace escape sequences by the characters they stand for
 * @arena:  memory for the result
 * @delims: delimiters in force, from MSH-1 and MSH-2
 * @in:     field text as received, in UTF-8
 * @out:    decoded text; borrows @in if there was nothing to decode
 *
 * F, S, T, R, E and P become the delimiters; X with hexadecimal digits the bytes, if they are
 * UTF-8 without control characters. Formatting becomes text: .br, .ce and .sp line ends, .sk,
 * .in and .ti spaces, .fi and .nf nothing. Highlighting (H, N), character set switches (C, M)
 * that the character set left, and local ones (Z) stay as they are.
 *
 * Return: 0, V2_ESCAPE_E_OPEN or -ENOMEM; @out is set only on 0.
 * Spec:   HL7 v2.5.1 section 2.7
 */
MUST_USE int v2_unescape(struct arena *arena, const struct v2_delims *delims, struct str in,
                         struct str *out);

/* Append @text with the delimiters in it escaped, control characters but tabs as \X0D\. */
void v2_escape(struct buf *out, const struct v2_delims *delims, struct str text);
