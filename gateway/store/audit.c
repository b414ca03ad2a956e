/*
 * Ids are UUIDv7, so a span of time is a span of ids: months outside are never looked at.
 */
#include "gateway/store/audit.h"

#include <assert.h>
#include <string.h>

#define RECORD                                                                                 \
    "r.id, r.exchange, r.instance, r.seq, r.log, r.time, r.leaf,"                              \
    " coalesce((SELECT CASE WHEN r.seq < l.first_seq + l.count"                                \
    "                  THEN l.first_index + r.seq - l.first_seq END FROM leaf_range l"         \
    "           WHERE l.instance = r.instance AND l.first_seq <= r.seq"                        \
    "           ORDER BY l.first_seq DESC LIMIT 1), -1), r.bytes"

static const struct db_statement list = {
    "audit_list",
    "SELECT " RECORD " FROM record r WHERE r.id >= $1::uuid AND r.id < $2::uuid"
    " ORDER BY r.id DESC LIMIT $3::integer",
};
static const struct db_statement list_of = {
    "audit_list_of",
    "SELECT " RECORD " FROM record r JOIN (SELECT DISTINCT a.record FROM access a"
    " WHERE a.patient IN (SELECT patient_group($4::uuid)) AND a.record >= $1::uuid"
    " AND a.record < $2::uuid ORDER BY a.record DESC LIMIT $3::integer) a ON a.record = r.id"
    " WHERE r.id >= $1::uuid AND r.id < $2::uuid ORDER BY r.id DESC",
};
static const struct db_statement refused = {
    "audit_refused",
    "SELECT " RECORD " FROM record r, convert_from(r.bytes, 'UTF8') AS text"
    " WHERE r.id >= $1::uuid AND r.id < $2::uuid AND text::jsonb ->> 'mode' = 'enforce'"
    " AND text::jsonb ->> 'outcome' IN ('deny', 'held', 'parked', 'partial', 'refused',"
    " 'unavailable', 'withheld') ORDER BY r.id DESC LIMIT $3::integer",
};
/* The last word on each exchange; what operators did with it later isn't one. */
static const struct db_statement endings = {
    "audit_endings",
    "SELECT d.j ->> 'mode', d.j ->> 'outcome', d.j ->> 'basis', coalesce(d.j ->> 'route', ''),"
    " sum(CASE d.j ->> 'interaction' WHEN 'listener' THEN (d.j ->> 'refused')::bigint"
    "     ELSE 1 END)::bigint AS n,"
    " coalesce(sum((d.j ->> 'withheld')::bigint), 0)::bigint, max(d.id::text)::uuid"
    " FROM (SELECT DISTINCT ON (r.exchange) r.id, l.j FROM record r,"
    "       LATERAL (SELECT convert_from(r.bytes, 'UTF8')::jsonb AS j) l"
    "       WHERE r.id >= $1::uuid AND r.id < $2::uuid AND l.j ->> 'interaction' NOT IN"
    "       ('audit.export', 'audit.read', 'break-glass.review', 'v2.replay')"
    "       ORDER BY r.exchange, r.id DESC) d"
    " GROUP BY 1, 2, 3, 4 ORDER BY n DESC, 1, 2, 3, 4 LIMIT $3::integer",
};
static const struct db_statement record = {
    "audit_record",
    "SELECT " RECORD " FROM record r WHERE r.id = $1::uuid",
};
static const struct db_statement exchange = {
    "audit_exchange",
    "SELECT " RECORD " FROM record r WHERE r.exchange = $1::uuid ORDER BY r.id",
};
static const struct db_statement opening = {
    "audit_opening",
    "SELECT o.record, 2::smallint, o.key, k.patient, o.nonce, NULL::bytea, o.ciphertext"
    " FROM opening o LEFT JOIN patient_key k ON k.id = o.key WHERE o.record = $1::uuid",
};
static const struct db_statement payload = {
    "payload",
    "SELECT p.id, p.kind, p.key, k.patient, p.nonce, p.outer_layers, p.ciphertext"
    " FROM payload p LEFT JOIN patient_key k ON k.id = p.key WHERE p.id = $1::uuid",
};
static const struct db_statement payloads = {
    "payloads",
    "SELECT p.id, p.kind, p.key, k.patient, p.nonce, p.outer_layers, p.ciphertext"
    " FROM payload p LEFT JOIN patient_key k ON k.id = p.key WHERE p.exchange = $1::uuid"
    " ORDER BY p.id",
};
static const struct db_statement payloads_by_id = {
    "payloads_by_id",
    "SELECT p.id, p.kind, p.key, k.patient, p.nonce, p.outer_layers,"
    " CASE WHEN octet_length(p.ciphertext) <= $2::integer THEN p.ciphertext END"
    " FROM unnest($1::uuid[]) AS w (id) CROSS JOIN LATERAL"
    " (SELECT * FROM payload WHERE payload.id = w.id) p LEFT JOIN patient_key k ON k.id = "
    "p.key",
};
static const struct db_statement accesses = {
    "audit_access",
    "SELECT record, exchange, time, recipient, types, released FROM access"
    " WHERE patient IN (SELECT patient_group($4::uuid)) AND record >= $1::uuid"
    " AND record < $2::uuid ORDER BY record DESC LIMIT $3::integer",
};
static const struct db_statement access_of = {
    "audit_access_of",
    "SELECT record, exchange, time, recipient, types, released FROM access"
    " WHERE patient = $1::uuid AND record = $2::uuid",
};
static const struct db_statement recipient = {
    "recipient",
    "SELECT recipient_number($1::bytea, $2::uuid, $3::bytea, $4::bytea)",
};
static const struct db_statement recipients = {
    "recipients",
    "SELECT encode(substr(r.hash, 1, 16), 'hex')::uuid, 3::smallint, r.key, k.patient, "
    "r.nonce, NULL::bytea, r.ciphertext,"
    " r.number FROM recipient r LEFT JOIN patient_key k ON k.id = r.key"
    " WHERE r.number = ANY ($1::bigint[])",
};
static const struct db_statement tiles = {
    "tiles",
    "SELECT t.level, t.index, t.hashes FROM tile t JOIN"
    " unnest($2::smallint[], $3::bigint[]) AS w (level, index)"
    " ON t.level = w.level AND t.index = w.index WHERE t.log = $1::smallint",
};

/* The least id of a millisecond. */
static void floor_id(int64_t utc_ms, uint8_t out[16])
{
    memset(out, 0, 16);
    for (int i = 0; i < 6; i++) {
        out[i] = (uint8_t)((uint64_t)utc_ms >> (40 - 8 * i));
    }
}

static struct op *ask(struct db *db, const struct db_statement *statement,
                      const struct store_filter *filter, db_done_fn done, void *arg)
{
    uint8_t from[16];
    uint8_t to[16];
    floor_id(filter->from, from);
    memset(to, 0xff, sizeof(to));
    if (filter->to) {
        floor_id(filter->to, to);
    }
    if (filter->before && memcmp(filter->before, to, sizeof(to)) < 0) {
        memcpy(to, filter->before, sizeof(to));
    }
    struct db_params p = { 0 };
    db_put_uuid(&p, from);
    db_put_uuid(&p, to);
    db_put_i32(&p, filter->limit);
    if (filter->patient) {
        db_put_uuid(&p, filter->patient);
    }
    return db_query(db, statement, &p, done, arg);
}

struct op *store_audit_list(struct db *db, const struct store_filter *filter, db_done_fn done,
                            void *arg)
{
    return ask(db, filter->patient ? &list_of : &list, filter, done, arg);
}

struct op *store_audit_access(struct db *db, const struct store_filter *filter, db_done_fn done,
                              void *arg)
{
    assert(filter->patient);
    return ask(db, &accesses, filter, done, arg);
}

static struct op *by_id(struct db *db, const struct db_statement *statement,
                        const uint8_t id[16], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, id);
    return db_query(db, statement, &p, done, arg);
}

struct op *store_audit_refused(struct db *db, const struct store_filter *filter,
                               db_done_fn done, void *arg)
{
    return ask(db, &refused, filter, done, arg);
}

struct op *store_audit_endings(struct db *db, const struct store_filter *filter,
                               db_done_fn done, void *arg)
{
    return ask(db, &endings, filter, done, arg);
}

void store_ending_row(const struct db_rows *rows, int i, struct store_ending *out)
{
    out->mode = db_bytes(rows, i, 0);
    out->outcome = db_bytes(rows, i, 1);
    out->basis = db_bytes(rows, i, 2);
    out->route = db_bytes(rows, i, 3);
    out->exchanges = db_i64(rows, i, 4);
    out->withheld = db_i64(rows, i, 5);
    db_uuid(rows, i, 6, out->newest);
}

struct op *store_audit_record(struct db *db, const uint8_t id[16], db_done_fn done, void *arg)
{
    return by_id(db, &record, id, done, arg);
}

struct op *store_audit_exchange(struct db *db, const uint8_t id[16], db_done_fn done, void *arg)
{
    return by_id(db, &exchange, id, done, arg);
}

int store_record_row(const struct db_rows *rows, int i, struct store_record *out)
{
    db_uuid(rows, i, 0, out->id);
    db_uuid(rows, i, 1, out->exchange);
    db_uuid(rows, i, 2, out->instance);
    out->seq = (uint64_t)db_i64(rows, i, 3);
    out->log = (int16_t)db_i16(rows, i, 4);
    out->time = db_time(rows, i, 5);
    out->index = db_i64(rows, i, 7);
    out->bytes = db_bytes(rows, i, 8);
    return db_fixed(rows, i, 6, out->leaf, sizeof(out->leaf));
}

struct op *store_audit_opening(struct db *db, const uint8_t id[16], db_done_fn done, void *arg)
{
    return by_id(db, &opening, id, done, arg);
}

struct op *store_payload(struct db *db, const uint8_t id[16], db_done_fn done, void *arg)
{
    return by_id(db, &payload, id, done, arg);
}

struct op *store_payloads(struct db *db, const uint8_t *ids, size_t n, int longest,
                          db_done_fn done, void *arg)
{
    struct db_array array;
    db_array_init(&array, DB_UUID);
    for (size_t i = 0; i < n; i++) {
        db_array_uuid(&array, ids + 16 * i);
    }
    struct db_params p = { 0 };
    db_put_array(&p, &array);
    db_put_i32(&p, longest);
    struct op *op = db_query(db, &payloads_by_id, &p, done, arg);
    db_array_free(&array);
    return op;
}

struct op *store_payloads_of(struct db *db, const uint8_t id[16], db_done_fn done, void *arg)
{
    return by_id(db, &payloads, id, done, arg);
}

void store_sealed_row(const struct db_rows *rows, int i, struct store_sealed *out)
{
    db_uuid(rows, i, 0, out->id);
    out->kind = (int16_t)db_i16(rows, i, 1);
    db_uuid(rows, i, 2, out->key);
    db_uuid(rows, i, 3, out->patient);
    out->nonce = db_bytes(rows, i, 4);
    out->outer = db_bytes(rows, i, 5);
    out->ciphertext = db_bytes(rows, i, 6);
}

struct op *store_access_of(struct db *db, const uint8_t patient[16], const uint8_t id[16],
                           db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, patient);
    db_put_uuid(&p, id);
    return db_query(db, &access_of, &p, done, arg);
}

void store_access_row(const struct db_rows *rows, int i, struct store_access *out)
{
    db_uuid(rows, i, 0, out->record);
    db_uuid(rows, i, 1, out->exchange);
    out->time = db_time(rows, i, 2);
    out->recipient = db_i64(rows, i, 3);
    out->types = db_bytes(rows, i, 4);
    out->released = db_bool(rows, i, 5);
}

struct op *store_recipient(struct db *db, const uint8_t hash[32],
                           const struct store_sealed *sealed, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(hash, 32));
    db_put_uuid(&p, sealed->key);
    db_put_bytes(&p, sealed->nonce);
    db_put_bytes(&p, sealed->ciphertext);
    return db_query(db, &recipient, &p, done, arg);
}

int64_t store_recipient_number(const struct db_rows *rows)
{
    return db_i64(rows, 0, 0);
}

struct op *store_recipients(struct db *db, const int64_t *numbers, size_t n, db_done_fn done,
                            void *arg)
{
    struct db_array array;
    db_array_init(&array, DB_I64);
    for (size_t i = 0; i < n; i++) {
        db_array_i64(&array, numbers[i]);
    }
    struct db_params p = { 0 };
    db_put_array(&p, &array);
    struct op *op = db_query(db, &recipients, &p, done, arg);
    db_array_free(&array);
    return op;
}

int64_t store_recipient_row(const struct db_rows *rows, int i, struct store_sealed *out)
{
    store_sealed_row(rows, i, out);
    return db_i64(rows, i, 7);
}

struct op *store_tiles(struct db *db, const struct store_tiles *what, db_done_fn done,
                       void *arg)
{
    struct db_array levels;
    struct db_array indexes;
    db_array_init(&levels, DB_I16);
    db_array_init(&indexes, DB_I64);
    for (size_t i = 0; i < what->n; i++) {
        db_array_i16(&levels, what->levels[i]);
        db_array_i64(&indexes, (int64_t)what->indexes[i]);
    }
    struct db_params p = { 0 };
    db_put_i16(&p, what->log);
    db_put_array(&p, &levels);
    db_put_array(&p, &indexes);
    struct op *op = db_query(db, &tiles, &p, done, arg);
    db_array_free(&levels);
    db_array_free(&indexes);
    return op;
}

void store_tile_row(const struct db_rows *rows, int i, int16_t *level, uint64_t *index,
                    struct str *hashes)
{
    *level = (int16_t)db_i16(rows, i, 0);
    *index = (uint64_t)db_i64(rows, i, 1);
    *hashes = db_bytes(rows, i, 2);
}
