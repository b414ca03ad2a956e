/*
 * What the follower of the chain keeps: blocks, events, and how far it has come.
 *
 * The state of a consent is recomputed from its events in PostgreSQL, so applying, taking back
 * and applying again end where applying once does. Each write is fenced by the notary's epoch,
 * and raises the epoch of the workers if any state changed.
 */
#pragma once

#include "gateway/store/db.h"

enum {
    STORE_CHAIN_BLOCKS_MAX = 4096,
    STORE_CHAIN_EVENTS_MAX = 4096,
};

enum store_event_kind {
    STORE_EVENT_GRANTED = 1,
    STORE_EVENT_REVOKED = 2,
    STORE_EVENT_ROTATED = 3,
};

struct store_block {
    uint64_t number;
    uint8_t hash[32];
    uint8_t parent[32];
    uint64_t time; /* seconds since 1970 */
};

/* Members that the kind of event doesn't have are 0. */
struct store_event {
    uint64_t block_number;
    uint8_t block_hash[32];
    uint32_t log_index;
    uint8_t tx_hash[32];
    enum store_event_kind kind;
    uint8_t consent[32];
    uint16_t version;
    uint8_t commitment[32];
    uint8_t controller[20];
    uint64_t valid_from;
    uint64_t valid_until;
    uint8_t source; /* revoked by: 0 controller, 1 attestor */
};

struct store_cursor {
    uint64_t chain;
    uint64_t number; /* last block applied */
    uint8_t hash[32];
    uint64_t time; /* of that block, seconds since 1970 */
    uint64_t safe;
    uint64_t finalized;
    int64_t agreed; /* ms since 1970: when the endpoints last agreed */
};

/* No row: nothing followed yet. Rows: store_cursor_row() */
MUST_USE struct op *store_cursor(struct db *db, uint64_t chain, db_done_fn done, void *arg);
MUST_USE int store_cursor_row(const struct db_rows *rows, int i, struct store_cursor *out);

/* Kept blocks from @number down, at most @limit, highest first: to find the fork point. */
MUST_USE struct op *store_blocks(struct db *db, uint64_t chain, uint64_t number, int limit,
                                 db_done_fn done, void *arg);
MUST_USE int store_block_row(const struct db_rows *rows, int i, struct store_block *out);

/*
 * One step along the chain; borrowed for the call.
 * @fence: the notary's epoch
 * @cursor: where it stands afterwards
 */
struct store_advance {
    uint64_t fence;
    const struct store_cursor *cursor;
    const struct store_block *blocks;
    size_t block_count;
    const struct store_event *events;
    size_t event_count;
};

/**
 * store_chain_advance() - apply blocks and events, move the cursor, in one transaction
 *
 * Events known already change nothing. -EPERM: another notary leads. No rows.
 */
MUST_USE struct op *store_chain_advance(struct db *db, const struct store_advance *advance,
                                        db_done_fn done, void *arg);

/**
 * store_chain_rollback() - blocks above @number are gone
 * @number: the last block that both chains have; it must be kept
 *
 * Grants go with them, revocations stay (spec: consent 5.7). -EPERM: another notary leads.
 */
MUST_USE struct op *store_chain_rollback(struct db *db, uint64_t fence, uint64_t chain,
                                         uint64_t number, db_done_fn done, void *arg);

/* Revocations whose block went, not superseded since: to be sent again. Rows: consent,
 * version; read with store_removed_row() */
MUST_USE struct op *store_chain_removed(struct db *db, uint64_t chain, db_done_fn done,
                                        void *arg);
MUST_USE int store_removed_row(const struct db_rows *rows, int i, uint8_t consent[32],
                               uint16_t *version);
