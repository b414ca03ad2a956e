/* Broken glass: opened for one recipient and one patient, told, reviewed. */
#pragma once

#include "gateway/store/db.h"

enum store_glass_whom {
    STORE_GLASS_OFFICER = 1,
    STORE_GLASS_PATIENT = 2,
};

/*
 * Times in ms since 1970.
 *
 * @id:       of the exchange that opened it
 * @patient:  all zero: erased
 * @reason, @outcome: words; borrowed
 * @reviewed: 0: not yet
 * @officer_told, @patient_told: 0: not yet
 * @patient_due: when the patient is told; 0: never, or already
 */
struct store_glass {
    uint8_t id[16];
    uint8_t patient[16];
    int64_t recipient;
    struct str reason;
    int64_t opened;
    int64_t until;
    int64_t review_by;
    int64_t reviewed;
    struct str outcome;
    int64_t officer_told;
    int64_t patient_told;
    int64_t patient_due;
};

/* Open it: ->id to ->review_by and ->patient_due count. The officer is told at once. No rows.
 */
MUST_USE struct op *store_glass_open(struct db *db, const struct store_glass *glass,
                                     db_done_fn done, void *arg);

/* What is broken at @now for the recipient whose hash is @recipient, the newest @most.
 * Rows: store_glass_held_row() */
MUST_USE struct op *store_glass_held(struct db *db, const uint8_t recipient[32], int64_t now,
                                     int most, db_done_fn done, void *arg);
void store_glass_held_row(const struct db_rows *rows, int i, uint8_t id[16],
                          uint8_t patient[16], int64_t *until);

/* Which of them; @from, @to: when opened, 0: no bound. */
struct store_glass_filter {
    bool unreviewed;
    int64_t overdue_at; /* reviews that were due then; 0: all */
    const uint8_t *id;  /* this one alone; NULL: all */
    int64_t from;
    int64_t to;
    int limit;
};

/* Newest first. Rows: store_glass_row() */
MUST_USE struct op *store_glass_list(struct db *db, const struct store_glass_filter *filter,
                                     db_done_fn done, void *arg);
void store_glass_row(const struct db_rows *rows, int i, struct store_glass *out);

/* It was reviewed, and ends if it hasn't yet. Rows: db_changed(), 0 if it was reviewed before.
 */
MUST_USE struct op *store_glass_review(struct db *db, const uint8_t id[16], int64_t at,
                                       struct str outcome, db_done_fn done, void *arg);

/* Take notices that are due at @now: nobody else takes them for a while.
 * Rows: store_glass_due_row() */
MUST_USE struct op *store_glass_due(struct db *db, int64_t now, int most, db_done_fn done,
                                    void *arg);
void store_glass_due_row(const struct db_rows *rows, int i, struct store_glass *out,
                         enum store_glass_whom *whom);

/* A notice arrived. No rows. */
MUST_USE struct op *store_glass_told(struct db *db, const uint8_t id[16],
                                     enum store_glass_whom whom, int64_t at, db_done_fn done,
                                     void *arg);

/* How many reviews are overdue at @now. Rows: one, store_glass_overdue_row() */
MUST_USE struct op *store_glass_overdue(struct db *db, int64_t now, db_done_fn done, void *arg);
int64_t store_glass_overdue_row(const struct db_rows *rows);
