/*
 * Whether the criteria of a rule match a request and what is known of the data; used by
 * evaluate.c only.
 */
#pragma once

#include "fhir/consent/evaluate.h"

/* Ordered: "and" is the lesser, "or" the greater. */
enum match {
    MATCH_NO,
    MATCH_MAYBE,
    MATCH_YES,
};

/* @unsure: bits of enum consent_fact */
struct question {
    const struct consent_request *request;
    const struct consent_facts *facts;
    uint32_t unsure;
};

/* Whether the rule holds at @now. */
bool match_period(const struct policy_criteria *when, int64_t now);

/* Whether every criterion that is present matches, for a rule of that effect. */
enum match match_all(const struct policy_criteria *when, enum policy_effect effect,
                     const struct question *q);
