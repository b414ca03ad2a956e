/*
 * Which patient numbers are one patient; used by compiled.c only.
 *
 * Each number that was ever merged has a link; the links of one patient form a ring.
 */
#pragma once

#include "fhir/consent/slots.h"

struct merged_link {
    uint8_t patient[CONSENT_PATIENT_SIZE];
    uint32_t next;
};

/* @at: @used of @room links; owned */
struct merged {
    struct slots_memory *memory; /* borrowed */
    struct merged_link *at;
    size_t used;
    size_t room;
    struct slots by_patient;
};

/* @merged stays where it is from now on. */
void merged_init(struct merged *merged, struct slots_memory *memory);
void merged_deinit(struct merged *merged);

/* Make both one; 0 or -ENOMEM. */
MUST_USE int merged_join(struct merged *merged, const uint8_t *patient, const uint8_t *other);

/* Every number of @patient's ring stands alone again. */
void merged_part(struct merged *merged, const uint8_t *patient);

/* The link of @patient, or SLOTS_NONE. Follow next until it comes round. */
uint32_t merged_find(const struct merged *merged, const uint8_t *patient);
