/*
 * The chain's word stands beside each row, so that nothing is ever seen without it: for the
 * version in force that of its grant, for all others that of the newest grant.
 */
#include "gateway/store/consents.h"

#include <errno.h>

/* Without the statement, which only people and evidence want. */
#define COLUMNS                                                                                \
    "c.consent, c.version, c.patient, c.key, c.nonce, c.sealed, ''::bytea, c.policy_hash,"     \
    " c.commitment, c.status, c.filed, c.superseded, " CHAIN_COLUMNS
#define COLUMNS_FULL                                                                           \
    "c.consent, c.version, c.patient, c.key, c.nonce, c.sealed, c.statement, c.policy_hash,"   \
    " c.commitment, c.status, c.filed, c.superseded, " CHAIN_COLUMNS
#define OTHER "c.version <> h.granted AND h.next_granted IS NOT NULL"
#define EITHER(column) " CASE WHEN " OTHER " THEN h.next_" column " ELSE h." column " END"
#define CHAIN_COLUMNS                                                                          \
    "h.chain," EITHER("version") "," EITHER("commitment") "," EITHER("controller") "," EITHER( \
        "valid_from") "," EITHER("valid_until") ", h.revoked, h.safe AND NOT (" OTHER          \
                                                ")," EITHER("block_number") "," EITHER(        \
                                                    "block_hash") "," EITHER("granted")
#define TABLES "consent c LEFT JOIN consent_chain h ON h.consent = c.consent"
#define CURRENT "(c.superseded IS NULL OR c.version IN (h.granted, h.next_granted))"

enum {
    CHAIN_COLUMN = 12,
};

static const struct db_statement epoch = {
    "epoch",
    "SELECT e.value, (SELECT coalesce(min(epoch) - 1, e.value) FROM change), clock_timestamp(),"
    " c.agreed, c.number, c.time"
    " FROM epoch e LEFT JOIN chain_cursor c ON c.chain = $1::bigint",
};
static const struct db_statement changes = {
    "changes",
    "SELECT epoch, kind, ref, (extract(epoch FROM clock_timestamp() - at) * 1000)::bigint,"
    " kind = 2 AND EXISTS (SELECT FROM consent_chain h WHERE h.consent = c.ref AND h.revoked)"
    " FROM change c WHERE epoch > $1::bigint ORDER BY epoch LIMIT $2::integer",
};
static const struct db_statement raise_by = {
    "epoch_raise",
    "SELECT raise_epoch($1::smallint, ARRAY[$2::bytea])",
};
static const struct db_statement load = {
    "consent_load",
    "SELECT " COLUMNS " FROM " TABLES " WHERE (c.consent, c.version) > ($1::bytea, $2::integer)"
    " AND " CURRENT " ORDER BY c.consent, c.version LIMIT $3::integer",
};
static const struct db_statement load_of = {
    "consent_load_of",
    "SELECT " COLUMNS " FROM " TABLES " WHERE c.patient = ANY ($4::uuid[])"
    " AND (c.consent, c.version) > ($1::bytea, $2::integer)"
    " AND " CURRENT " ORDER BY c.consent, c.version LIMIT $3::integer",
};
static const struct db_statement by_id = {
    "consent_by_id",
    "SELECT " COLUMNS " FROM " TABLES " WHERE c.consent = ANY ($1::bytea[]) AND " CURRENT
    " ORDER BY c.consent, c.version",
};
static const struct db_statement stated = {
    "consent_stated",
    "SELECT " COLUMNS_FULL " FROM " TABLES " WHERE c.consent = $1::bytea AND " CURRENT
    " ORDER BY c.version",
};
static const struct db_statement of_patient = {
    "consent_of",
    "SELECT " COLUMNS_FULL " FROM " TABLES " WHERE c.patient = $1::uuid"
    " ORDER BY c.consent, c.version",
};
static const struct db_statement identity = {
    "consent_identity",
    "INSERT INTO consent_identity AS i (patient, hash, consent)"
    " VALUES ($1::uuid, $2::bytea, $3::bytea)"
    " ON CONFLICT (patient, hash) DO UPDATE SET consent = i.consent RETURNING consent",
};
static const struct db_statement file = {
    "consent_file",
    "INSERT INTO consent (consent, version, patient, key, nonce, sealed, statement, "
    "policy_hash,"
    " commitment, status, filed) VALUES ($1::bytea, $2::integer, $3::uuid, $4::uuid, $5::bytea,"
    " $6::bytea, $7::bytea, $8::bytea, $9::bytea, $10::smallint, $11::timestamptz)",
};
static const struct db_statement supersede = {
    "consent_supersede",
    "UPDATE consent SET superseded = $3::timestamptz"
    " WHERE consent = $1::bytea AND version < $2::integer AND superseded IS NULL",
};
static const struct db_statement mark = {
    "consent_mark",
    "UPDATE consent SET status = $3::smallint WHERE consent = $1::bytea AND version = "
    "$2::integer",
};

struct op *store_epoch(struct db *db, uint64_t chain, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)chain);
    return db_query(db, &epoch, &p, done, arg);
}

void store_epoch_row(const struct db_rows *rows, struct store_epoch *out)
{
    out->epoch = (uint64_t)db_i64(rows, 0, 0);
    out->oldest = (uint64_t)db_i64(rows, 0, 1);
    out->now = db_time(rows, 0, 2);
    out->agreed = db_time(rows, 0, 3);
    out->head_number = (uint64_t)db_i64(rows, 0, 4);
    out->head_time = db_i64(rows, 0, 5) * 1000;
}

struct op *store_changes(struct db *db, uint64_t after, int limit, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i64(&p, (int64_t)after);
    db_put_i32(&p, limit);
    return db_query(db, &changes, &p, done, arg);
}

void store_change_row(const struct db_rows *rows, int i, struct store_change *out)
{
    out->epoch = (uint64_t)db_i64(rows, i, 0);
    out->kind = (enum store_change_kind)db_i16(rows, i, 1);
    out->ref = db_bytes(rows, i, 2);
    out->age = db_i64(rows, i, 3);
    out->revoked = db_bool(rows, i, 4);
}

struct op *store_epoch_raise(struct db *db, enum store_change_kind kind, struct str ref,
                             db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_i16(&p, (int16_t)kind);
    db_put_bytes(&p, ref.p ? ref : STR(""));
    return db_query(db, &raise_by, &p, done, arg);
}

static int chain_row(const struct db_rows *rows, int i, struct store_consent_chain *out)
{
    *out = (struct store_consent_chain){ 0 };
    if (db_null(rows, i, CHAIN_COLUMN)) {
        return 0;
    }
    out->known = true;
    out->chain = (uint64_t)db_i64(rows, i, CHAIN_COLUMN);
    out->version = (uint16_t)db_i32(rows, i, CHAIN_COLUMN + 1);
    out->valid_from = (uint64_t)db_i64(rows, i, CHAIN_COLUMN + 4);
    out->valid_until = (uint64_t)db_i64(rows, i, CHAIN_COLUMN + 5);
    out->revoked = db_bool(rows, i, CHAIN_COLUMN + 6);
    out->safe = db_bool(rows, i, CHAIN_COLUMN + 7);
    out->block_number = (uint64_t)db_i64(rows, i, CHAIN_COLUMN + 8);
    out->granted = (uint16_t)db_i32(rows, i, CHAIN_COLUMN + 10);
    int r = db_fixed(rows, i, CHAIN_COLUMN + 2, out->commitment, sizeof(out->commitment));
    r = r ? r : db_fixed(rows, i, CHAIN_COLUMN + 3, out->controller, sizeof(out->controller));
    return r ? r
             : db_fixed(rows, i, CHAIN_COLUMN + 9, out->block_hash, sizeof(out->block_hash));
}

int store_consent_row(const struct db_rows *rows, int i, struct store_consent *out)
{
    out->version = (uint16_t)db_i32(rows, i, 1);
    db_uuid(rows, i, 2, out->patient);
    db_uuid(rows, i, 3, out->key);
    out->sealed = db_bytes(rows, i, 5);
    out->statement = db_bytes(rows, i, 6);
    out->status = (enum store_consent_status)db_i16(rows, i, 9);
    out->filed = db_time(rows, i, 10);
    out->superseded = db_time(rows, i, 11);
    int r = db_fixed(rows, i, 0, out->id, sizeof(out->id));
    r = r ? r : db_fixed(rows, i, 4, out->nonce, sizeof(out->nonce));
    r = r ? r : db_fixed(rows, i, 7, out->policy_hash, sizeof(out->policy_hash));
    r = r ? r : db_fixed(rows, i, 8, out->commitment, sizeof(out->commitment));
    return r ? r : chain_row(rows, i, &out->on_chain);
}

struct op *store_consent_load(struct db *db, const struct store_consent_page *page,
                              db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(page->after, sizeof(page->after)));
    db_put_i32(&p, page->after_version);
    db_put_i32(&p, page->limit);
    if (!page->patients) {
        return db_query(db, &load, &p, done, arg);
    }
    struct db_array array;
    db_array_items(&array, DB_UUID, page->patients, page->n_patients, 16);
    db_put_array(&p, &array);
    struct op *op = db_query(db, &load_of, &p, done, arg);
    db_array_free(&array);
    return op;
}

struct op *store_consent_by_id(struct db *db, const uint8_t *ids, size_t n, db_done_fn done,
                               void *arg)
{
    struct db_array array;
    db_array_items(&array, DB_BYTEA, ids, n, 32);
    struct db_params p = { 0 };
    db_put_array(&p, &array);
    struct op *op = db_query(db, &by_id, &p, done, arg);
    db_array_free(&array);
    return op;
}

struct op *store_consent_stated(struct db *db, const uint8_t id[32], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(id, 32));
    return db_query(db, &stated, &p, done, arg);
}

struct op *store_consent_of(struct db *db, const uint8_t patient[16], db_done_fn done,
                            void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, patient);
    return db_query(db, &of_patient, &p, done, arg);
}

struct op *store_consent_identity(struct db *db, const uint8_t patient[16],
                                  const uint8_t hash[32], const uint8_t id[32], db_done_fn done,
                                  void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, patient);
    db_put_bytes(&p, str_of(hash, 32));
    db_put_bytes(&p, str_of(id, 32));
    return db_query(db, &identity, &p, done, arg);
}

int store_consent_identity_row(const struct db_rows *rows, uint8_t id[32])
{
    return db_fixed(rows, 0, 0, id, 32);
}

struct op *store_consent_file(struct db *db, const struct store_consent *c, db_done_fn done,
                              void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(c->id, sizeof(c->id)));
    db_put_i32(&p, c->version);
    db_put_uuid(&p, c->patient);
    db_put_uuid(&p, c->key);
    db_put_bytes(&p, str_of(c->nonce, sizeof(c->nonce)));
    db_put_bytes(&p, c->sealed);
    db_put_bytes(&p, c->statement.p ? c->statement : STR(""));
    db_put_bytes(&p, str_of(c->policy_hash, sizeof(c->policy_hash)));
    db_put_bytes(&p, str_of(c->commitment, sizeof(c->commitment)));
    db_put_i16(&p, (int16_t)c->status);
    db_put_time(&p, c->filed);
    struct db_params older = { 0 };
    db_put_bytes(&older, str_of(c->id, sizeof(c->id)));
    db_put_i32(&older, c->version);
    db_put_time(&older, c->filed);
    const struct db_step steps[] = { { &file, &p }, { &supersede, &older } };
    return db_transaction(db, steps, ARRAY_LEN(steps), done, arg);
}

struct op *store_consent_mark(struct db *db, const uint8_t id[32], uint16_t version,
                              enum store_consent_status status, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(id, 32));
    db_put_i32(&p, version);
    db_put_i16(&p, (int16_t)status);
    return db_query(db, &mark, &p, done, arg);
}
