/* Whether what a v2 message becomes is valid FHIR; and which part of the message isn't. */
#pragma once

#include "gateway/pipeline/v2_case.h"

enum v2_validity {
    V2_VALID,
    V2_INVALID,
    V2_TOO_LONG, /* more than VALIDATION_BYTES_MAX: not looked at */
};

/* Look at @bundle by the definitions and the route's profiles; breaches are told to @issues.
 * Return: 0 or -ENOMEM; @out is set only on 0. */
MUST_USE int v2_valid_look(struct exchange *ex, const struct translate_result *bundle,
                           struct issues *issues, enum v2_validity *out);

/*
 * The first breach, for the sender.
 *
 * @code:  of the issue
 * @place: in the message, "PID[1]-5[1].1"; only the segment, or empty, where no more is known
 * @text:  the element of FHIR and the rule
 */
struct v2_breach {
    const char *code;
    struct str place;
    struct str text;
};

/* Find it: translates once more, for where each element comes from. @accepted: as for
 * v2_case_translate(). Return: 0 or -ENOMEM; @out is set only on 0. */
MUST_USE int v2_valid_breach(struct exchange *ex, int64_t accepted, const struct issues *issues,
                             struct v2_breach *out);
