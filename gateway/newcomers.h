/*
 * Patients whom this worker may not have met: where their identifiers lead, many in one
 * transaction. One who is new to all gets number and key in it.
 *
 * Nothing is sealed for a new patient before that transaction is committed, so no key can be
 * lost that something was sealed under.
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/op.h"

#include <stddef.h>
#include <stdint.h>

struct db;
struct event_base;
struct newcomers;
struct vault;

enum {
    NEWCOMERS_TOGETHER_MAX = 64, /* in one transaction */
};

/* All borrowed; NULL if there is no memory. */
MUST_USE struct newcomers *newcomers_new(struct event_base *base, struct db *db,
                                         struct vault *vault);

/* Those that haven't ended are dropped without completion. */
void newcomers_free(struct newcomers *newcomers);

/**
 * typedef newcomers_done_fn - it is known where identifiers lead
 * @r:       0, or -errno as db_query(): nothing was made
 * @outcome: STORE_PATIENT_…
 * @patient: 16 bytes, of FOUND and MADE
 */
typedef void (*newcomers_done_fn)(void *arg, int r, int outcome, const uint8_t *patient);

/**
 * newcomers_learn() - the patient that identifiers lead to, made if they lead to none
 * @hashes: @n times STORE_HASH_SIZE bytes, at most STORE_PATIENT_HASHES_MAX; copied
 *
 * Hashes not known before are learnt. Return: the op; NULL if there is no memory
 */
MUST_USE struct op *newcomers_learn(struct newcomers *newcomers, const uint8_t *hashes,
                                    size_t n, newcomers_done_fn done, void *arg);
