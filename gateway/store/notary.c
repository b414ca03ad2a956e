/* Each write is a transaction whose first statement is the fence. */
#include "gateway/store/notary.h"

#include <assert.h>

static const struct db_statement fence = { "fence", "SELECT notary_fence($1::bigint)" };
static const struct db_statement lead = { "notary_lead", "SELECT notary_lead($1::uuid)" };
static const struct db_statement resign = {
    "notary_resign",
    "SELECT pg_advisory_unlock_all()",
};
static const struct db_statement head = {
    "head",
    "SELECT size, root, frontier, epoch FROM tree_head WHERE log = $1::smallint",
};
static const struct db_statement unread = {
    "log_unread",
    "SELECT i.id, coalesce(c.seq, 0), i.seq FROM instance i"
    " LEFT JOIN instance_cursor c ON c.instance = i.id"
    " WHERE i.seq > coalesce(c.seq, 0) ORDER BY i.started, i.id",
};
/* An instance's records have ids made since it started: that names the months to look in. */
static const struct db_statement leaves = {
    "log_leaves",
    "SELECT seq, leaf FROM record WHERE instance = $1::uuid AND seq > $2::bigint"
    " AND seq <= $3::bigint AND id >= (SELECT uuid_floor(started - interval '1 day')"
    " FROM instance WHERE id = $1::uuid) ORDER BY seq LIMIT $4::integer",
};
static const struct db_statement move = {
    "head_move",
    "SELECT head_move($1::smallint, $2::bigint, $3::bytea, $4::bigint, $5::bytea, $6::bytea,"
    " $7::bigint)",
};
static const struct db_statement order = {
    "log_order",
    "SELECT log_order($1::smallint, $2::bigint, $3::uuid[], $4::bigint[], $5::bigint[])",
};
static const struct db_statement tiles = {
    "tile_put",
    "SELECT tile_put($1::smallint, $2::smallint[], $3::bigint[], $4::bytea[])",
};
static const struct db_statement put = {
    "checkpoint_put",
    "SELECT checkpoint_put($1::smallint, $2::bigint, $3::bytea, $4::text, $5::timestamptz)",
};
static const struct db_statement newest = {
    "checkpoint_newest",
    "SELECT size, root, note, signed FROM checkpoint WHERE log = $1::smallint"
    " AND size <= $2::bigint ORDER BY size DESC LIMIT 1",
};
static const struct db_statement covering = {
    "checkpoint_covering",
    "SELECT size, root, note, signed FROM checkpoint WHERE log = $1::smallint"
    " AND size >= $2::bigint ORDER BY size LIMIT 1",
};

struct op *store_notary_lead(struct db *db, const uint8_t holder[16], db_done_fn done,
                             void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, holder);
    return db_query(db, &lead, &p, done, arg);
}

uint64_t store_notary_epoch(const struct db_rows *rows)
{
    return (uint64_t)db_i64(rows, 0, 0);
}

struct op *store_notary_resign(struct db *db, db_done_fn done, void *arg)
{
    return db_query(db, &resign, NULL, done, arg);
}

struct op *store_head(struct db *db, int16_t log, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i16(&p, log);
    return db_query(db, &head, &p, done, arg);
}

static int hash(const struct db_rows *rows, int i, int column, struct merkle_hash *out)
{
    return db_fixed(rows, i, column, out->b, sizeof(out->b));
}

int store_head_row(const struct db_rows *rows, struct store_head *out)
{
    out->head.size = (uint64_t)db_i64(rows, 0, 0);
    out->frontier = db_bytes(rows, 0, 2);
    out->epoch = (uint64_t)db_i64(rows, 0, 3);
    return hash(rows, 0, 1, &out->head.root);
}

struct op *store_log_unread(struct db *db, db_done_fn done, void *arg)
{
    return db_query(db, &unread, NULL, done, arg);
}

void store_unread_row(const struct db_rows *rows, int i, struct store_unread *out)
{
    db_uuid(rows, i, 0, out->instance);
    out->read = (uint64_t)db_i64(rows, i, 1);
    out->committed = (uint64_t)db_i64(rows, i, 2);
}

struct op *store_log_leaves(struct db *db, const struct store_unread *of, int limit,
                            db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, of->instance);
    db_put_i64(&p, (int64_t)of->read);
    db_put_i64(&p, (int64_t)of->committed);
    db_put_i32(&p, limit);
    return db_query(db, &leaves, &p, done, arg);
}

int store_leaf_row(const struct db_rows *rows, int i, uint64_t *seq, struct merkle_hash *leaf)
{
    *seq = (uint64_t)db_i64(rows, i, 0);
    return hash(rows, i, 1, leaf);
}

static void put_move(struct db_params *p, const struct store_append *a)
{
    db_put_i16(p, a->log);
    db_put_i64(p, (int64_t)a->from.size);
    db_put_bytes(p, str_of(a->from.root.b, MERKLE_HASH_SIZE));
    db_put_i64(p, (int64_t)a->to.size);
    db_put_bytes(p, str_of(a->to.root.b, MERKLE_HASH_SIZE));
    db_put_bytes(p, a->frontier.p ? a->frontier : STR(""));
    db_put_i64(p, (int64_t)a->fence);
}

static void put_runs(struct db_params *p, const struct store_append *a, struct db_array *c)
{
    uint64_t count = 0;
    for (size_t i = 0; i < a->run_count; i++) {
        db_array_uuid(&c[0], a->runs[i].instance);
        db_array_i64(&c[1], (int64_t)a->runs[i].first_seq);
        db_array_i64(&c[2], (int64_t)a->runs[i].count);
        count += a->runs[i].count;
    }
    assert(a->from.size + count == a->to.size);
    db_put_i16(p, a->log);
    db_put_i64(p, (int64_t)a->from.size);
    for (size_t i = 0; i < 3; i++) {
        db_put_array(p, &c[i]);
    }
}

static void put_tiles(struct db_params *p, const struct store_append *a, struct db_array *c)
{
    for (size_t i = 0; i < a->tile_count; i++) {
        const struct store_tile *tile = &a->tiles[i];
        db_array_i16(&c[0], tile->level);
        db_array_i64(&c[1], (int64_t)tile->index);
        db_array_bytes(&c[2], str_of(tile->hashes, (size_t)tile->width * MERKLE_HASH_SIZE));
    }
    db_put_i16(p, a->log);
    for (size_t i = 0; i < 3; i++) {
        db_put_array(p, &c[i]);
    }
}

struct op *store_log_append(struct db *db, const struct store_append *a, db_done_fn done,
                            void *arg)
{
    static const enum db_type types[] = { DB_UUID, DB_I64, DB_I64, DB_I16, DB_I64, DB_BYTEA };
    struct db_array c[ARRAY_LEN(types)];
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        db_array_init(&c[i], types[i]);
    }
    struct db_params p[4] = { 0 };
    db_put_i64(&p[0], (int64_t)a->fence);
    put_move(&p[1], a);
    put_runs(&p[2], a, c);
    put_tiles(&p[3], a, c + 3);
    const struct db_step steps[] = {
        { &fence, &p[0] }, { &move, &p[1] }, { &order, &p[2] }, { &tiles, &p[3] }
    };
    struct op *op = db_transaction(db, steps, ARRAY_LEN(steps), done, arg);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        db_array_free(&c[i]);
    }
    return op;
}

struct op *store_checkpoint_put(struct db *db, uint64_t by, int16_t log,
                                const struct store_checkpoint *c, db_done_fn done, void *arg)
{
    struct db_params p[2] = { 0 };
    db_put_i64(&p[0], (int64_t)by);
    db_put_i16(&p[1], log);
    db_put_i64(&p[1], (int64_t)c->head.size);
    db_put_bytes(&p[1], str_of(c->head.root.b, MERKLE_HASH_SIZE));
    db_put_bytes(&p[1], c->note);
    db_put_time(&p[1], c->signed_at);
    const struct db_step steps[] = { { &fence, &p[0] }, { &put, &p[1] } };
    return db_transaction(db, steps, ARRAY_LEN(steps), done, arg);
}

static void put_size(struct db_params *p, int16_t log, uint64_t size)
{
    db_put_i16(p, log);
    db_put_i64(p, size > INT64_MAX ? INT64_MAX : (int64_t)size);
}

struct op *store_checkpoint_newest(struct db *db, int16_t log, uint64_t size, db_done_fn done,
                                   void *arg)
{
    struct db_params p = { 0 };
    put_size(&p, log, size);
    return db_query(db, &newest, &p, done, arg);
}

struct op *store_checkpoint_covering(struct db *db, int16_t log, uint64_t size, db_done_fn done,
                                     void *arg)
{
    struct db_params p = { 0 };
    put_size(&p, log, size);
    return db_query(db, &covering, &p, done, arg);
}

int store_checkpoint_row(const struct db_rows *rows, int i, struct store_checkpoint *out)
{
    out->head.size = (uint64_t)db_i64(rows, i, 0);
    out->note = db_bytes(rows, i, 2);
    out->signed_at = db_time(rows, i, 3);
    return hash(rows, i, 1, &out->head.root);
}
