/*
 * The notary's writes: leading, reading what was recorded, ordering it, heads, checkpoints.
 *
 * The advisory lock belongs to the session, so it is taken on the notary's own connection,
 * never through a pooler. The lock elects; the epoch fences: every write here names it and
 * fails with -EPERM if another leader raised it.
 */
#pragma once

#include "anchor/merkle.h"
#include "gateway/store/db.h"

/**
 * store_notary_lead() - try to become the leader
 * @holder: instance of the process, shown to people
 *
 * Rows: store_notary_epoch(). Ask again while it says no; after a loss of the connection it is
 * no longer the leader and asks anew. The session of a leader that asks nothing for 15 s ends,
 * so that one that was stopped gives way.
 */
MUST_USE struct op *store_notary_lead(struct db *db, const uint8_t holder[16], db_done_fn done,
                                      void *arg);
/* The epoch to fence with, or 0: another one holds the lock. */
uint64_t store_notary_epoch(const struct db_rows *rows);

/* Give the lock back. No rows. */
MUST_USE struct op *store_notary_resign(struct db *db, db_done_fn done, void *arg);

struct store_head {
    struct merkle_head head;
    struct str frontier; /* borrowed; as store_log_append() was given it */
    uint64_t epoch;
};

/* Rows: store_head_row() */
MUST_USE struct op *store_head(struct db *db, int16_t log, db_done_fn done, void *arg);
MUST_USE int store_head_row(const struct db_rows *rows, struct store_head *out);

/* An instance that has committed more than was sequenced: read @read + 1 to @committed. */
struct store_unread {
    uint8_t instance[16];
    uint64_t read;
    uint64_t committed;
};

/* Rows: store_unread_row() */
MUST_USE struct op *store_log_unread(struct db *db, db_done_fn done, void *arg);
void store_unread_row(const struct db_rows *rows, int i, struct store_unread *out);

/**
 * store_log_leaves() - leaves of one instance in the order of their numbers
 * @read:      last number sequenced
 * @committed: last number committed
 *
 * Rows, at most @limit, without gaps from @read + 1: store_leaf_row(). A gap is a reason to
 * stop and call somebody: committed records are missing.
 */
MUST_USE struct op *store_log_leaves(struct db *db, const struct store_unread *unread,
                                     int limit, db_done_fn done, void *arg);
MUST_USE int store_leaf_row(const struct db_rows *rows, int i, uint64_t *seq,
                            struct merkle_hash *leaf);

/* A run of leaves: @count records of @instance from @first_seq. */
struct store_run {
    uint8_t instance[16];
    uint64_t first_seq;
    uint64_t count;
};

struct store_tile {
    int16_t level;
    uint64_t index;
    const struct merkle_hash *hashes;
    unsigned width;
};

/*
 * An append; borrowed for the call.
 * @from: the head it starts at; @to: where it ends; from.size + counts of @runs = to.size
 */
struct store_append {
    uint64_t fence;
    int16_t log;
    struct merkle_head from;
    struct merkle_head to;
    struct str frontier;
    const struct store_run *runs;
    size_t run_count;
    const struct store_tile *tiles;
    size_t tile_count;
};

/**
 * store_log_append() - order, tiles and head in one transaction
 *
 * -EPERM: another leads, the head isn't @from, a run leaves a gap, or a tile would change. Then
 * and after -ECONNRESET read the head again before anything else. No rows.
 */
MUST_USE struct op *store_log_append(struct db *db, const struct store_append *append,
                                     db_done_fn done, void *arg);

/* @note: the signed note, borrowed */
struct store_checkpoint {
    struct merkle_head head;
    struct str note;
    int64_t signed_at; /* ms since 1970 */
};

/* Keep a checkpoint; the head must have that size and root or have passed it: else -EPERM.
 * -EEXIST: that size has one. No rows. */
MUST_USE struct op *store_checkpoint_put(struct db *db, uint64_t fence, int16_t log,
                                         const struct store_checkpoint *checkpoint,
                                         db_done_fn done, void *arg);

/* The newest checkpoint of at most @size leaves (UINT64_MAX: the newest), or the smallest of
 * at least @size. Rows: none or one, store_checkpoint_row() */
MUST_USE struct op *store_checkpoint_newest(struct db *db, int16_t log, uint64_t size,
                                            db_done_fn done, void *arg);
MUST_USE struct op *store_checkpoint_covering(struct db *db, int16_t log, uint64_t size,
                                              db_done_fn done, void *arg);
MUST_USE int store_checkpoint_row(const struct db_rows *rows, int i,
                                  struct store_checkpoint *out);
