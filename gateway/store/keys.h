/* Wrapped keys of patients; the patient of 16 zero bytes is the tenant. */
#pragma once

#include "gateway/store/db.h"

/*
 * @wrapped: p NULL if the key was destroyed
 * Spans are borrowed from the rows.
 */
struct store_key {
    uint8_t id[16];
    uint8_t patient[16];
    struct str root;
    struct str wrapped;
    int64_t created;
    int64_t destroyed; /* 0: not */
};

void store_key_row(const struct db_rows *rows, int i, struct store_key *out);

/* The newest key of each of @n patients (16 bytes each) that has one. Rows: store_key_row() */
MUST_USE struct op *store_key_newest(struct db *db, const uint8_t *patients, size_t n,
                                     db_done_fn done, void *arg);

/* The keys with these @n ids, destroyed ones included. Rows: store_key_row() */
MUST_USE struct op *store_key_by_id(struct db *db, const uint8_t *ids, size_t n,
                                    db_done_fn done, void *arg);

/* Enter a new key. With @only_first it is entered only if the patient has none. Rows: the
 * newest key of the patient after that, store_key_row(). */
MUST_USE struct op *store_key_insert(struct db *db, const struct store_key *key,
                                     bool only_first, db_done_fn done, void *arg);

/* Keys not wrapped under @root, for a rotation; at most @limit. Rows: store_key_row() */
MUST_USE struct op *store_key_unrotated(struct db *db, struct str root, int limit,
                                        db_done_fn done, void *arg);

/* Replace the wrap of a key that is still wrapped under @old_root. No rows. */
MUST_USE struct op *store_key_rewrap(struct db *db, const struct store_key *key,
                                     struct str old_root, db_done_fn done, void *arg);

/* How many keys are wrapped under a root. @root: empty for those destroyed; borrowed */
struct store_key_count {
    struct str root;
    int64_t keys;
    int64_t oldest; /* made, ms since 1970 */
    int64_t newest;
};

/* Rows: store_key_count_row() */
MUST_USE struct op *store_key_counts(struct db *db, db_done_fn done, void *arg);
void store_key_count_row(const struct db_rows *rows, int i, struct store_key_count *out);
