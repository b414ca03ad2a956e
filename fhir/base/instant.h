/*
 * FHIR date, dateTime and instant as spans of time.
 *
 * A date such as "2022" or "2022-12-31" stands for the whole of that time: it becomes the
 * half-open span from its first millisecond up to, not including, the first one after it.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    INSTANT_DAY_MS = 24 * 60 * 60 * 1000,
};

/* Open ends. Both fit an integer of RFC 8785 JSON. */
#define INSTANT_LEAST (-(INT64_C(1) << 53) + 1)
#define INSTANT_MOST ((INT64_C(1) << 53) - 1)

/*
 * @from:  first millisecond since 1970-01-01T00:00:00Z
 * @until: first millisecond after the span
 */
struct instant_span {
    int64_t from;
    int64_t until;
};

/**
 * instant_span() - the span that a date, dateTime or instant stands for
 * @text: YYYY, YYYY-MM, YYYY-MM-DD or a full time with zone; a leap second counts as :59
 * @out:  the span; dates without a zone are taken as UTC, digits beyond a millisecond are cut
 *
 * Return: whether @text is one; @out is set only on true.
 * Spec:   FHIR R4 datatypes, section date, dateTime and instant
 */
MUST_USE bool instant_span(struct str text, struct instant_span *out);
