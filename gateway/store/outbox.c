/*
 * Reading the outbox without reading all of it.
 *
 * The first rows of all patients at all destinations are found by jumping through the index
 * (shard, destination, patient, number): from each group to the next, never through one. A
 * patient with ten thousand waiting messages costs as much as one with one.
 */
#include "gateway/store/outbox.h"

#include "crypto/digest.h"

#define COLUMNS                                                                                \
    "number, shard, state, attempts, created, next_at, patient, exchange, payload,"            \
    " destination, route, reason"

static const struct db_statement lease = {
    "outbox_lease",
    "SELECT shard, epoch, expiry, share"
    " FROM outbox_lease($1::uuid, make_interval(secs => $2::integer / 1000.0))",
};
static const struct db_statement release = {
    "outbox_release",
    "SELECT outbox_release($1::uuid, $2::smallint[])",
};
static const struct db_statement fetch = {
    "outbox_fetch",
    "WITH RECURSIVE head AS ("
    " SELECT f.* FROM unnest($1::smallint[]) AS s (shard) CROSS JOIN LATERAL ("
    "  SELECT * FROM outbox o WHERE o.shard = s.shard AND o.blocks"
    "  ORDER BY o.destination, o.patient, o.number LIMIT 1) f"
    " UNION ALL"
    " SELECT n.* FROM head h CROSS JOIN LATERAL ("
    "  SELECT * FROM outbox o WHERE o.shard = h.shard AND o.blocks"
    "  AND (o.destination, o.patient) > (h.destination, h.patient)"
    "  ORDER BY o.destination, o.patient, o.number LIMIT 1) n)"
    " SELECT " COLUMNS " FROM head"
    " WHERE state IN (0, 1) AND next_at <= now() AND number <> ALL ($2::bigint[])"
    " LIMIT $3::integer",
};
static const struct db_statement next = {
    "outbox_next",
    "SELECT f.* FROM unnest($1::smallint[], $2::text[], $3::uuid[])"
    " AS l (shard, destination, patient) CROSS JOIN LATERAL ("
    "  SELECT " COLUMNS " FROM outbox o WHERE o.shard = l.shard"
    "  AND o.destination = l.destination AND o.patient = l.patient AND o.blocks"
    "  ORDER BY o.number LIMIT 1) f"
    " WHERE f.state IN (0, 1) AND f.next_at <= now() AND f.number <> ALL ($4::bigint[])",
};
static const struct db_statement of_exchange = {
    "outbox_of_exchange",
    "SELECT " COLUMNS " FROM outbox WHERE exchange = $1::uuid ORDER BY number",
};
static const struct db_statement stopped = {
    "outbox_stopped",
    "SELECT " COLUMNS " FROM outbox WHERE destination = $1::text AND state IN (2, 4)"
    " AND number > $2::bigint ORDER BY number LIMIT $3::integer",
};
static const struct db_statement of_number = {
    "outbox_of_number",
    "SELECT " COLUMNS " FROM outbox WHERE number = $1::bigint",
};
static const struct db_statement find = {
    "outbox_find",
    "SELECT " COLUMNS " FROM outbox WHERE destination = $1::text AND state IN (2, 4)"
    " AND state = ANY ($2::smallint[]) AND number > $3::bigint"
    " AND coalesce($4::text, '') IN ('', reason) AND created >= $5::timestamptz"
    " AND created < $6::timestamptz ORDER BY number LIMIT $7::integer",
};
static const struct db_statement replay = {
    "outbox_replay",
    "UPDATE outbox SET state = 1, blocks = true, next_at = now(), reason = 'replay'"
    " WHERE number = $1::bigint AND state = $2::smallint AND state >= 2 RETURNING number",
};
static const struct db_statement counts = {
    "outbox_counts",
    "SELECT destination, count(*) FILTER (WHERE state < 2), count(*) FILTER (WHERE state = 4),"
    " count(*) FILTER (WHERE state = 2), min(created) FILTER (WHERE state < 2)"
    " FROM outbox WHERE blocks OR state IN (2, 4) GROUP BY destination",
};

const char *store_outbox_word(enum store_outbox_state state)
{
    static const char *const words[] = {
        [STORE_OUTBOX_OPEN] = "open",         [STORE_OUTBOX_HELD] = "held",
        [STORE_OUTBOX_WITHHELD] = "withheld", [STORE_OUTBOX_DELIVERED] = "delivered",
        [STORE_OUTBOX_PARKED] = "parked",
    };
    return words[state];
}

int16_t store_outbox_shard(struct str destination, const uint8_t patient[16])
{
    uint8_t hash[DIGEST_SIZE];
    const struct str parts[] = { str_of(patient, 16), destination };
    digest_sha256_parts(parts, 2, hash);
    return hash[0];
}

struct op *store_outbox_lease(struct db *db, const uint8_t owner[16], int ttl_ms,
                              db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, owner);
    db_put_i32(&p, ttl_ms);
    return db_query(db, &lease, &p, done, arg);
}

void store_lease_row(const struct db_rows *rows, int i, struct store_lease *out)
{
    out->shard = (int16_t)db_i16(rows, i, 0);
    out->epoch = db_i64(rows, i, 1);
    out->expiry = db_time(rows, i, 2);
    out->share = db_i32(rows, i, 3);
}

static void put_shards(struct db_array *array, const int16_t *shards, size_t n)
{
    db_array_init(array, DB_I16);
    for (size_t i = 0; i < n; i++) {
        db_array_i16(array, shards[i]);
    }
}

struct op *store_outbox_release(struct db *db, const uint8_t owner[16], const int16_t *shards,
                                size_t n, db_done_fn done, void *arg)
{
    struct db_array array;
    put_shards(&array, shards, n);
    struct db_params p = { 0 };
    db_put_uuid(&p, owner);
    db_put_array(&p, &array);
    struct op *op = db_query(db, &release, &p, done, arg);
    db_array_free(&array);
    return op;
}

static void put_busy(struct db_array *array, const struct store_outbox_busy *busy)
{
    db_array_init(array, DB_I64);
    for (size_t i = 0; i < busy->n; i++) {
        db_array_i64(array, busy->numbers[i]);
    }
}

struct op *store_outbox_fetch(struct db *db, const struct store_outbox_fetch *what,
                              db_done_fn done, void *arg)
{
    struct db_array shards;
    put_shards(&shards, what->shards, what->shard_count);
    struct db_array busy;
    put_busy(&busy, &what->busy);
    struct db_params p = { 0 };
    db_put_array(&p, &shards);
    db_put_array(&p, &busy);
    db_put_i32(&p, what->limit);
    struct op *op = db_query(db, &fetch, &p, done, arg);
    db_array_free(&shards);
    db_array_free(&busy);
    return op;
}

struct op *store_outbox_next(struct db *db, const struct store_outbox_line *lines, size_t n,
                             const struct store_outbox_busy *busy, db_done_fn done, void *arg)
{
    struct db_array arrays[4];
    db_array_init(&arrays[0], DB_I16);
    db_array_init(&arrays[1], DB_TEXT);
    db_array_init(&arrays[2], DB_UUID);
    for (size_t i = 0; i < n; i++) {
        db_array_i16(&arrays[0], store_outbox_shard(lines[i].destination, lines[i].patient));
        db_array_bytes(&arrays[1], lines[i].destination);
        db_array_uuid(&arrays[2], lines[i].patient);
    }
    put_busy(&arrays[3], busy);
    struct db_params p = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        db_put_array(&p, &arrays[i]);
    }
    struct op *op = db_query(db, &next, &p, done, arg);
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++) {
        db_array_free(&arrays[i]);
    }
    return op;
}

void store_outbox_row(const struct db_rows *rows, int i, struct store_outbox *out)
{
    out->number = db_i64(rows, i, 0);
    out->shard = (int16_t)db_i16(rows, i, 1);
    out->state = (enum store_outbox_state)db_i16(rows, i, 2);
    out->attempts = db_i32(rows, i, 3);
    out->created = db_time(rows, i, 4);
    out->next_at = db_time(rows, i, 5);
    db_uuid(rows, i, 6, out->patient);
    db_uuid(rows, i, 7, out->exchange);
    db_uuid(rows, i, 8, out->payload);
    out->destination = db_bytes(rows, i, 9);
    out->route = db_bytes(rows, i, 10);
    out->reason = db_bytes(rows, i, 11);
}

struct op *store_outbox_of_exchange(struct db *db, const uint8_t exchange[16], db_done_fn done,
                                    void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, exchange);
    return db_query(db, &of_exchange, &p, done, arg);
}

struct op *store_outbox_stopped(struct db *db, struct str destination, int64_t after, int limit,
                                db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, destination);
    db_put_i64(&p, after);
    db_put_i32(&p, limit);
    return db_query(db, &stopped, &p, done, arg);
}

struct op *store_outbox_of_number(struct db *db, int64_t number, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, number);
    return db_query(db, &of_number, &p, done, arg);
}

struct op *store_outbox_find(struct db *db, const struct store_outbox_filter *what,
                             db_done_fn done, void *arg)
{
    struct db_array states;
    db_array_init(&states, DB_I16);
    for (size_t i = 0; i < what->state_count; i++) {
        db_array_i16(&states, (int16_t)what->states[i]);
    }
    struct db_params p = { 0 };
    db_put_bytes(&p, what->destination);
    db_put_array(&p, &states);
    db_put_i64(&p, what->after);
    db_put_bytes(&p, what->reason);
    db_put_time(&p, what->from);
    db_put_time(&p, what->to);
    db_put_i32(&p, what->limit);
    struct op *op = db_query(db, &find, &p, done, arg);
    db_array_free(&states);
    return op;
}

struct op *store_outbox_replay(struct db *db, int64_t number, enum store_outbox_state state,
                               db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, number);
    db_put_i16(&p, (int16_t)state);
    return db_query(db, &replay, &p, done, arg);
}

struct op *store_outbox_counts(struct db *db, db_done_fn done, void *arg)
{
    return db_query(db, &counts, NULL, done, arg);
}

void store_outbox_count_row(const struct db_rows *rows, int i, struct store_outbox_count *out)
{
    out->destination = db_bytes(rows, i, 0);
    out->waiting = db_i64(rows, i, 1);
    out->parked = db_i64(rows, i, 2);
    out->withheld = db_i64(rows, i, 3);
    out->oldest = db_time(rows, i, 4);
}
