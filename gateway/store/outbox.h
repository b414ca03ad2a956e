/*
 * The outbox: messages on their way to destinations, in order for each patient.
 *
 *   open --delivered--> delivered          open --4xx, AE--> parked
 *   held --decided----> open | withheld    open --retry----> open, later
 *   parked, withheld, delivered --replay by a person--> held
 *
 * Rows enter and change state in batches only (struct batch_outbox, struct batch_mark).
 * A worker leases shards and sends, for each patient and destination, the oldest row that
 * blocks. Rows, once delivered, stay until upkeep removes them.
 */
#pragma once

#include "gateway/store/db.h"

enum {
    STORE_SHARDS = 256,
};

/* Numbers are stored: never change one. Which states block: open and held always, parked if
 * the route says on_park: wait, the others never. */
enum store_outbox_state {
    STORE_OUTBOX_OPEN = 0,
    STORE_OUTBOX_HELD = 1, /* not decidable at acceptance: decide before delivery */
    STORE_OUTBOX_WITHHELD = 2,
    STORE_OUTBOX_DELIVERED = 3,
    STORE_OUTBOX_PARKED = 4,
};

/* "open", "held", … */
const char *store_outbox_word(enum store_outbox_state state);

/* The shard of a patient at a destination; the same on every machine and for ever. */
int16_t store_outbox_shard(struct str destination, const uint8_t patient[16]);

/* @epoch: lease epoch, goes into struct batch_mark. @share: shards it may keep. */
struct store_lease {
    int16_t shard;
    int64_t epoch;
    int64_t expiry; /* ms since 1970, PostgreSQL's clock */
    int32_t share;
};

/**
 * store_outbox_lease() - renew @owner's shards and take free ones up to an even share
 * @owner:  instance of the worker
 * @ttl_ms: call again after a third of it
 *
 * Rows: all it holds now, store_lease_row(). A shard that is missing was lost. If more came
 * than share, the worker stops starting on the surplus and gives it back once quiet.
 */
MUST_USE struct op *store_outbox_lease(struct db *db, const uint8_t owner[16], int ttl_ms,
                                       db_done_fn done, void *arg);
void store_lease_row(const struct db_rows *rows, int i, struct store_lease *out);

/* Give back shards, all at drain. No rows. */
MUST_USE struct op *store_outbox_release(struct db *db, const uint8_t owner[16],
                                         const int16_t *shards, size_t n, db_done_fn done,
                                         void *arg);

/* Spans are borrowed from the rows. */
struct store_outbox {
    int64_t number;
    int16_t shard;
    enum store_outbox_state state;
    int32_t attempts;
    int64_t created;
    int64_t next_at;
    uint8_t patient[16];
    uint8_t exchange[16];
    uint8_t payload[16];
    struct str destination;
    struct str route;
    struct str reason;
};

/* Numbers of the rows that a worker has under way, which it isn't to be given again. */
struct store_outbox_busy {
    const int64_t *numbers;
    size_t n;
};

/* What to fetch; borrowed for the call. @shards: the worker's */
struct store_outbox_fetch {
    const int16_t *shards;
    size_t shard_count;
    struct store_outbox_busy busy;
    int limit;
};

/**
 * store_outbox_fetch() - rows that may be sent now
 *
 * Of each patient and destination only the oldest row that blocks, and that only if it is open
 * or held and due. Costs as many index look-ups as there are patients waiting, however many
 * rows each has. Rows, at most @what->limit: store_outbox_row()
 */
MUST_USE struct op *store_outbox_fetch(struct db *db, const struct store_outbox_fetch *what,
                                       db_done_fn done, void *arg);

/* The rows of one patient at one destination. */
struct store_outbox_line {
    struct str destination;
    uint8_t patient[16];
};

/* The same as store_outbox_fetch() of @n lines only, borrowed for the call. */
MUST_USE struct op *store_outbox_next(struct db *db, const struct store_outbox_line *lines,
                                      size_t n, const struct store_outbox_busy *busy,
                                      db_done_fn done, void *arg);
void store_outbox_row(const struct db_rows *rows, int i, struct store_outbox *out);

/* Messages stored before for delivery runs and people. Rows: store_outbox_row() */
MUST_USE struct op *store_outbox_of_exchange(struct db *db, const uint8_t exchange[16],
                                             db_done_fn done, void *arg);

/* Withheld and parked rows of a destination, by number after @after. Rows: store_outbox_row()
 */
MUST_USE struct op *store_outbox_stopped(struct db *db, struct str destination, int64_t after,
                                         int limit, db_done_fn done, void *arg);

/* One row. Rows: none or one, store_outbox_row() */
MUST_USE struct op *store_outbox_of_number(struct db *db, int64_t number, db_done_fn done,
                                           void *arg);

/*
 * Which withheld or parked rows of a destination; borrowed for the call.
 *
 * @states:   of them
 * @after:    number of the last row got, 0 at first
 * @reason:   exactly; empty: any
 * @from, @to: when the message was taken, ms since 1970; @to is left out
 */
struct store_outbox_filter {
    struct str destination;
    enum store_outbox_state states[2];
    size_t state_count;
    int64_t after;
    struct str reason;
    int64_t from;
    int64_t to;
    int limit;
};

/* By number. Rows: store_outbox_row() */
MUST_USE struct op *store_outbox_find(struct db *db, const struct store_outbox_filter *what,
                                      db_done_fn done, void *arg);

/**
 * store_outbox_replay() - open a row again, if it is still in @state; decided anew before
 * delivery
 * @state: withheld, parked or delivered
 *
 * It keeps its number, so it goes before the patient's later rows that still wait.
 * Rows: the number, if there was such a row
 */
MUST_USE struct op *store_outbox_replay(struct db *db, int64_t number,
                                        enum store_outbox_state state, db_done_fn done,
                                        void *arg);

/* @oldest: ms since 1970, 0 if @waiting is 0 */
struct store_outbox_count {
    struct str destination;
    int64_t waiting; /* open or held */
    int64_t parked;
    int64_t withheld;
    int64_t oldest;
};

/* For metrics. Rows, one for each destination: store_outbox_count_row() */
MUST_USE struct op *store_outbox_counts(struct db *db, db_done_fn done, void *arg);
void store_outbox_count_row(const struct db_rows *rows, int i, struct store_outbox_count *out);
