/* The rows of one transaction of a batch, as arrays, one for each column. Part of batch.c. */
#pragma once

#include "gateway/store/batch.h"
#include "gateway/store/db.h"

struct batch_rows;

MUST_USE struct batch_rows *batch_rows_new(void);
void batch_rows_free(struct batch_rows *rows);

/* Begin anew; memory is kept. */
void batch_rows_clear(struct batch_rows *rows);

/**
 * batch_rows_add() - have the records of an entry made, and add its rows
 * @first: place of its first record
 *
 * Return: 0, or -errno of its fill; then nothing was added
 */
MUST_USE int batch_rows_add(struct batch_rows *rows, const struct batch_entry *entry,
                            const struct batch_place *first);

/* First arguments of the transaction: see batch_begin() in schemas/sql. */
struct batch_head {
    const uint8_t *instance;
    int64_t generation;
    int64_t number;
    int64_t seq;
    int64_t count;
    int64_t epoch;
};

/**
 * batch_rows_send() - send the transaction
 *
 * @done's second rows, if there were control ids, are the keys that had been used before.
 * Return: NULL: nothing is known to have been sent, and nothing to have been not
 */
MUST_USE struct op *batch_rows_send(struct batch_rows *rows, struct db *db,
                                    const struct batch_head *head, db_done_fn done, void *arg);

/* Are there control ids? */
bool batch_rows_controls(const struct batch_rows *rows);

/* Look up which of the entries' control ids were entered. Rows: key, digest, ack, time. */
MUST_USE struct op *batch_rows_look_up(struct batch_rows *rows, struct db *db, db_done_fn done,
                                       void *arg);
