/*
 * Blocks and events go in as they are; chain_fold() in schemas/sql adds them up.
 *
 * An event seen again (the same block, the same place) changes nothing but that it is no longer
 * removed: a reorganisation may bring a block back.
 */
#include "gateway/store/chain.h"

#include <assert.h>
#include <errno.h>

static const struct db_statement fence = { "notary_fence", "SELECT notary_fence($1::bigint)" };
static const struct db_statement cursor = {
    "chain_cursor",
    "SELECT chain, number, hash, time, safe, finalized, agreed FROM chain_cursor"
    " WHERE chain = $1::bigint",
};
static const struct db_statement blocks = {
    "chain_blocks",
    "SELECT number, hash, parent, time FROM chain_block"
    " WHERE chain = $1::bigint AND number <= $2::bigint ORDER BY number DESC LIMIT $3::integer",
};
static const struct db_statement put_blocks = {
    "chain_put_blocks",
    "INSERT INTO chain_block (chain, number, hash, parent, time)"
    " SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bigint[])"
    " ON CONFLICT (chain, number) DO UPDATE SET hash = excluded.hash, parent = excluded.parent,"
    " time = excluded.time",
};
static const struct db_statement put_events = {
    "chain_put_events",
    "INSERT INTO chain_event (chain, block_number, block_hash, log_index, tx_hash, kind, "
    "consent,"
    " version, commitment, controller, valid_from, valid_until, source)"
    " SELECT $1::bigint, * FROM unnest($2::bigint[], $3::bytea[], $4::integer[], $5::bytea[],"
    " $6::smallint[], $7::bytea[], $8::integer[], $9::bytea[], $10::bytea[], $11::bigint[],"
    " $12::bigint[], $13::smallint[])"
    " ON CONFLICT (chain, block_hash, log_index) DO UPDATE SET removed = false",
};
static const struct db_statement advance_to = {
    "chain_advance",
    "SELECT chain_advance($1::bigint, $2::bigint, $3::bytea, $4::bigint, $5::bigint, "
    "$6::bigint,"
    " $7::timestamptz)",
};
static const struct db_statement fold = {
    "chain_fold",
    "SELECT chain_fold($1::bigint, $2::bytea[])",
};
static const struct db_statement rollback = {
    "chain_rollback",
    "SELECT chain_rollback($1::bigint, $2::bigint)",
};
static const struct db_statement removed = {
    "chain_removed",
    "SELECT DISTINCT e.consent, e.version FROM chain_event e"
    " JOIN consent_chain c ON c.consent = e.consent"
    " AND coalesce(c.next_version, c.version) <= e.version"
    " WHERE e.chain = $1::bigint AND e.kind = 2 AND e.removed AND NOT EXISTS ("
    "  SELECT FROM chain_event o WHERE o.consent = e.consent AND o.kind = 2 AND NOT o.removed"
    "  AND o.version >= e.version)",
};

static struct op *by_chain(struct db *db, const struct db_statement *statement, uint64_t chain,
                           db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)chain);
    return db_query(db, statement, &p, done, arg);
}

struct op *store_cursor(struct db *db, uint64_t chain, db_done_fn done, void *arg)
{
    return by_chain(db, &cursor, chain, done, arg);
}

int store_cursor_row(const struct db_rows *rows, int i, struct store_cursor *out)
{
    out->chain = (uint64_t)db_i64(rows, i, 0);
    out->number = (uint64_t)db_i64(rows, i, 1);
    out->time = (uint64_t)db_i64(rows, i, 3);
    out->safe = (uint64_t)db_i64(rows, i, 4);
    out->finalized = (uint64_t)db_i64(rows, i, 5);
    out->agreed = db_time(rows, i, 6);
    return db_fixed(rows, i, 2, out->hash, sizeof(out->hash));
}

struct op *store_blocks(struct db *db, uint64_t chain, uint64_t number, int limit,
                        db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)chain);
    db_put_i64(&p, (int64_t)number);
    db_put_i32(&p, limit);
    return db_query(db, &blocks, &p, done, arg);
}

int store_block_row(const struct db_rows *rows, int i, struct store_block *out)
{
    out->number = (uint64_t)db_i64(rows, i, 0);
    out->time = (uint64_t)db_i64(rows, i, 3);
    int r = db_fixed(rows, i, 1, out->hash, sizeof(out->hash));
    return r ? r : db_fixed(rows, i, 2, out->parent, sizeof(out->parent));
}

enum {
    BLOCK_COLUMNS = 4,
    EVENT_COLUMNS = 12,
    EVENT_CONSENT = 5,
};

static const enum db_type types[BLOCK_COLUMNS + EVENT_COLUMNS] = {
    DB_I64, DB_BYTEA, DB_BYTEA, DB_I64, /* block */
    DB_I64, DB_BYTEA, DB_I32,   DB_BYTEA, DB_I16, DB_BYTEA,
    DB_I32, DB_BYTEA, DB_BYTEA, DB_I64,   DB_I64, DB_I16,
};

static void add_block(struct db_array *c, const struct store_block *b)
{
    db_array_i64(&c[0], (int64_t)b->number);
    db_array_bytes(&c[1], str_of(b->hash, sizeof(b->hash)));
    db_array_bytes(&c[2], str_of(b->parent, sizeof(b->parent)));
    db_array_i64(&c[3], (int64_t)b->time);
}

static void add_event(struct db_array *c, const struct store_event *e)
{
    db_array_i64(&c[0], (int64_t)e->block_number);
    db_array_bytes(&c[1], str_of(e->block_hash, sizeof(e->block_hash)));
    db_array_i32(&c[2], (int32_t)e->log_index);
    db_array_bytes(&c[3], str_of(e->tx_hash, sizeof(e->tx_hash)));
    db_array_i16(&c[4], (int16_t)e->kind);
    db_array_bytes(&c[EVENT_CONSENT], str_of(e->consent, sizeof(e->consent)));
    db_array_i32(&c[6], e->version);
    db_array_bytes(&c[7], str_of(e->commitment, sizeof(e->commitment)));
    db_array_bytes(&c[8], str_of(e->controller, sizeof(e->controller)));
    db_array_i64(&c[9], (int64_t)e->valid_from);
    db_array_i64(&c[10], (int64_t)e->valid_until);
    db_array_i16(&c[11], e->source);
}

static void put_cursor(struct db_params *p, const struct store_cursor *at)
{
    db_put_i64(p, (int64_t)at->chain);
    db_put_i64(p, (int64_t)at->number);
    db_put_bytes(p, str_of(at->hash, sizeof(at->hash)));
    db_put_i64(p, (int64_t)at->time);
    db_put_i64(p, (int64_t)at->safe);
    db_put_i64(p, (int64_t)at->finalized);
    db_put_time(p, at->agreed);
}

/* The cursor first: whether a grant is safe depends on it. */
static struct op *send_advance(struct db *db, const struct store_advance *a, struct db_array *c,
                               db_done_fn done, void *arg)
{
    struct db_params p[5] = { 0 };
    db_put_i64(&p[0], (int64_t)a->fence);
    put_cursor(&p[1], a->cursor);
    for (size_t i = 2; i < ARRAY_LEN(p); i++) {
        db_put_i64(&p[i], (int64_t)a->cursor->chain);
    }
    for (size_t i = 0; i < BLOCK_COLUMNS; i++) {
        db_put_array(&p[2], &c[i]);
    }
    for (size_t i = 0; i < EVENT_COLUMNS; i++) {
        db_put_array(&p[3], &c[BLOCK_COLUMNS + i]);
    }
    db_put_array(&p[4], &c[BLOCK_COLUMNS + EVENT_CONSENT]);
    struct db_step steps[5] = { { &fence, &p[0] }, { &advance_to, &p[1] } };
    size_t n = 2;
    if (a->block_count) {
        steps[n++] = (struct db_step){ &put_blocks, &p[2] };
    }
    if (a->event_count) {
        steps[n++] = (struct db_step){ &put_events, &p[3] };
        steps[n++] = (struct db_step){ &fold, &p[4] };
    }
    return db_transaction(db, steps, n, done, arg);
}

struct op *store_chain_advance(struct db *db, const struct store_advance *a, db_done_fn done,
                               void *arg)
{
    assert(a->block_count <= STORE_CHAIN_BLOCKS_MAX &&
           a->event_count <= STORE_CHAIN_EVENTS_MAX);
    struct db_array c[BLOCK_COLUMNS + EVENT_COLUMNS];
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        db_array_init(&c[i], types[i]);
    }
    for (size_t i = 0; i < a->block_count; i++) {
        add_block(c, &a->blocks[i]);
    }
    for (size_t i = 0; i < a->event_count; i++) {
        add_event(c + BLOCK_COLUMNS, &a->events[i]);
    }
    struct op *op = send_advance(db, a, c, done, arg);
    for (size_t i = 0; i < ARRAY_LEN(c); i++) {
        db_array_free(&c[i]);
    }
    return op;
}

struct op *store_chain_rollback(struct db *db, uint64_t by, uint64_t chain, uint64_t number,
                                db_done_fn done, void *arg)
{
    struct db_params p[2] = { 0 };
    db_put_i64(&p[0], (int64_t)by);
    db_put_i64(&p[1], (int64_t)chain);
    db_put_i64(&p[1], (int64_t)number);
    const struct db_step steps[] = { { &fence, &p[0] }, { &rollback, &p[1] } };
    return db_transaction(db, steps, ARRAY_LEN(steps), done, arg);
}

struct op *store_chain_removed(struct db *db, uint64_t chain, db_done_fn done, void *arg)
{
    return by_chain(db, &removed, chain, done, arg);
}

int store_removed_row(const struct db_rows *rows, int i, uint8_t consent[32], uint16_t *version)
{
    *version = (uint16_t)db_i32(rows, i, 1);
    return db_fixed(rows, i, 0, consent, 32);
}
