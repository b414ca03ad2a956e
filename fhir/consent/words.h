/* A policy in words, for the patient to read before signing, and for whoever asks later. */
#pragma once

#include "fhir/consent/policy.h"

enum {
    WORDS_MAX = 4 * POLICY_TEXT_MAX, /* bytes; policies are bounded, so it is always enough */
};

/*
 * @policy onto @out, a line for each rule, numbered as 1, 1.1, 1.1.1. Names of actors, codes
 * and data stand as they are matched, between quotes and escaped where they could be taken for
 * words of ours; nothing is left out. Times are UTC.
 */
void words_write(struct buf *out, const struct policy *policy);
