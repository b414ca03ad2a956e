/* Sealing uses the newest key of a patient, opening goes by id: so nobody races to make one. */
#include "gateway/store/keys.h"

#define COLUMNS "id, patient, root, wrapped, created, destroyed"

static const struct db_statement newest = {
    "key_newest",
    "SELECT k.id, k.patient, k.root, k.wrapped, k.created, k.destroyed"
    " FROM unnest($1::uuid[]) AS p (patient) CROSS JOIN LATERAL ("
    "  SELECT * FROM patient_key k WHERE k.patient = p.patient AND k.wrapped IS NOT NULL"
    "  ORDER BY k.created DESC, k.id DESC LIMIT 1) k",
};
static const struct db_statement by_id = {
    "key_by_id",
    "SELECT " COLUMNS " FROM patient_key WHERE id = ANY ($1::uuid[])",
};
static const struct db_statement insert = {
    "key_insert",
    "SELECT " COLUMNS " FROM key_insert($1::uuid, $2::uuid, $3::bytea, $4::bytea, $5::boolean)",
};
static const struct db_statement unrotated = {
    "key_unrotated",
    "SELECT " COLUMNS " FROM patient_key WHERE root <> $1::bytea AND wrapped IS NOT NULL"
    " ORDER BY id LIMIT $2::integer",
};
static const struct db_statement rewrap = {
    "key_rewrap",
    "UPDATE patient_key SET root = $2::bytea, wrapped = $3::bytea"
    " WHERE id = $1::uuid AND root = $4::bytea AND wrapped IS NOT NULL",
};
static const struct db_statement counts = {
    "key_counts",
    "SELECT CASE WHEN wrapped IS NULL THEN ''::bytea ELSE root END AS under, count(*),"
    " min(created), max(created) FROM patient_key GROUP BY under ORDER BY max(created) DESC",
};

void store_key_row(const struct db_rows *rows, int i, struct store_key *out)
{
    db_uuid(rows, i, 0, out->id);
    db_uuid(rows, i, 1, out->patient);
    out->root = db_bytes(rows, i, 2);
    out->wrapped = db_bytes(rows, i, 3);
    out->created = db_time(rows, i, 4);
    out->destroyed = db_time(rows, i, 5);
}

static struct op *ask(struct db *db, const struct db_statement *statement,
                      struct db_array *array, db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_array(&p, array);
    struct op *op = db_query(db, statement, &p, done, arg);
    db_array_free(array);
    return op;
}

struct op *store_key_newest(struct db *db, const uint8_t *patients, size_t n, db_done_fn done,
                            void *arg)
{
    struct db_array array;
    db_array_items(&array, DB_UUID, patients, n, 16);
    return ask(db, &newest, &array, done, arg);
}

struct op *store_key_by_id(struct db *db, const uint8_t *ids, size_t n, db_done_fn done,
                           void *arg)
{
    struct db_array array;
    db_array_items(&array, DB_UUID, ids, n, 16);
    return ask(db, &by_id, &array, done, arg);
}

struct op *store_key_insert(struct db *db, const struct store_key *key, bool only_first,
                            db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, key->id);
    db_put_uuid(&p, key->patient);
    db_put_bytes(&p, key->root);
    db_put_bytes(&p, key->wrapped);
    db_put_bool(&p, only_first);
    return db_query(db, &insert, &p, done, arg);
}

struct op *store_key_unrotated(struct db *db, struct str root, int limit, db_done_fn done,
                               void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, root);
    db_put_i32(&p, limit);
    return db_query(db, &unrotated, &p, done, arg);
}

struct op *store_key_rewrap(struct db *db, const struct store_key *key, struct str old_root,
                            db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, key->id);
    db_put_bytes(&p, key->root);
    db_put_bytes(&p, key->wrapped);
    db_put_bytes(&p, old_root);
    return db_query(db, &rewrap, &p, done, arg);
}

struct op *store_key_counts(struct db *db, db_done_fn done, void *arg)
{
    return db_query(db, &counts, NULL, done, arg);
}

void store_key_count_row(const struct db_rows *rows, int i, struct store_key_count *out)
{
    out->root = db_bytes(rows, i, 0);
    out->keys = db_i64(rows, i, 1);
    out->oldest = db_time(rows, i, 2);
    out->newest = db_time(rows, i, 3);
}
