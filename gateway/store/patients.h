/*
 * Patients: random numbers, found by keyed hashes of their identifiers.
 *
 * As everywhere in this folder: a function starts one statement and returns its op; the
 * completion gets rows, and the function named beside reads them.
 */
#pragma once

#include "gateway/store/db.h"
#include "gateway/store/keys.h"

enum {
    STORE_PATIENT_FOUND = 0,
    STORE_PATIENT_MADE = 1,
    STORE_PATIENT_UNKNOWN = 2,  /* none of the hashes is known */
    STORE_PATIENT_CONFLICT = 3, /* they lead to two patients: park */
    STORE_PATIENT_HASHES_MAX = 64,
    STORE_HASH_SIZE = 32,
};

/**
 * store_patient_find() - the patient that identifiers lead to
 * @hashes: @n times STORE_HASH_SIZE bytes, at most STORE_PATIENT_HASHES_MAX
 *
 * Merged patients are one: the number is that of the survivor. Rows: one,
 * store_patient_outcome()
 */
MUST_USE struct op *store_patient_find(struct db *db, const uint8_t *hashes, size_t n,
                                       db_done_fn done, void *arg);

/*
 * A patient who may be new.
 * @hashes: @n times STORE_HASH_SIZE bytes, at most STORE_PATIENT_HASHES_MAX; borrowed
 * @key:    its first key if it is new, of the patient key.patient, a fresh random number
 */
struct store_newcomer {
    const uint8_t *hashes;
    size_t n;
    struct store_key key;
};

/**
 * store_patient_learn() - the patients that identifiers lead to, made where they are new
 * @list: @n of them, whose keys are wrapped under the same root
 *
 * All in one transaction; a patient is new with its key or not at all. Hashes not known before
 * are learnt. Two workers that learn the same patient at once get the same number. Rows, in
 * the order of @list: store_patient_outcome()
 */
MUST_USE struct op *store_patient_learn(struct db *db, const struct store_newcomer *list,
                                        size_t n, db_done_fn done, void *arg);

/* STORE_PATIENT_…; @patient is set for FOUND and MADE. */
int store_patient_outcome(const struct db_rows *rows, int i, uint8_t patient[16]);

/**
 * store_patient_group() - all numbers merged with @patient, itself included, survivor first
 *
 * Rows: store_patient_row()
 */
MUST_USE struct op *store_patient_group(struct db *db, const uint8_t patient[16],
                                        db_done_fn done, void *arg);
void store_patient_row(const struct db_rows *rows, int i, uint8_t patient[16]);

/**
 * store_patient_merge() - point @source at @target, which survives
 *
 * Raises the epoch (STORE_CHANGE_LINK). No rows. Merging again changes nothing.
 */
MUST_USE struct op *store_patient_merge(struct db *db, const uint8_t source[16],
                                        const uint8_t target[16], db_done_fn done, void *arg);

/**
 * store_patient_join() - the patient whom @source is merged into, by that one's hashes
 * @hashes: of that patient; they lead to @source as well, so that store_patient_learn() can't
 *          tell who it is. As there.
 *
 * Points @source at the one whom they lead to besides. Rows: one, store_patient_outcome()
 */
MUST_USE struct op *store_patient_join(struct db *db, const uint8_t source[16],
                                       const uint8_t *hashes, size_t n, db_done_fn done,
                                       void *arg);

/**
 * store_patient_links() - all merges, for the memory of a worker
 * @after: source of the last row got, 16 zero bytes at first
 *
 * Rows, at most @limit, by source: store_patient_link_row()
 */
MUST_USE struct op *store_patient_links(struct db *db, const uint8_t after[16], int limit,
                                        db_done_fn done, void *arg);
void store_patient_link_row(const struct db_rows *rows, int i, uint8_t source[16],
                            uint8_t target[16]);

/**
 * store_patient_shred() - destroy keys, identifiers and access rows of a patient
 *
 * Those of all numbers merged with it too: they are one person.
 * Raises the epoch (STORE_CHANGE_KEY). -EACCES for the tenant's number. Rows: ids of the
 * destroyed keys, store_patient_row()
 */
MUST_USE struct op *store_patient_shred(struct db *db, const uint8_t patient[16],
                                        db_done_fn done, void *arg);
