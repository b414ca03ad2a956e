/* One function of SQL for each, so that each is one trip and one transaction. */
#include "gateway/store/patients.h"

#include <assert.h>

static const struct db_statement find = {
    "patient_find",
    "SELECT outcome, patient FROM patient_resolve($1::bytea[], NULL)",
};
static const struct db_statement learn = {
    "patient_learn",
    "SELECT outcome, patient FROM patient_learn($1::bytea[], $2::integer[], $3::uuid[],"
    " $4::uuid[], $5::bytea, $6::bytea[])",
};
static const struct db_statement group = {
    "patient_group",
    "SELECT id FROM patient_group($1::uuid) AS id ORDER BY id <> patient_root($1::uuid), id",
};
static const struct db_statement merge = {
    "patient_merge",
    "SELECT patient_merge($1::uuid, $2::uuid)",
};
static const struct db_statement join = {
    "patient_join",
    "SELECT outcome, patient FROM patient_join($1::uuid, $2::bytea[])",
};
static const struct db_statement links = {
    "patient_links",
    "SELECT source, target FROM patient_link WHERE source > $1::uuid ORDER BY source"
    " LIMIT $2::integer",
};
static const struct db_statement shred = {
    "patient_shred",
    "SELECT id FROM patient_shred($1::uuid) AS id",
};

struct op *store_patient_find(struct db *db, const uint8_t *hashes, size_t n, db_done_fn done,
                              void *arg)
{
    assert(n <= STORE_PATIENT_HASHES_MAX);
    struct db_array array;
    db_array_items(&array, DB_BYTEA, hashes, n, STORE_HASH_SIZE);
    struct db_params p = { 0 };
    db_put_array(&p, &array);
    struct op *op = db_query(db, &find, &p, done, arg);
    db_array_free(&array);
    return op;
}

struct op *store_patient_learn(struct db *db, const struct store_newcomer *list, size_t n,
                               db_done_fn done, void *arg)
{
    enum { HASHES, FIRST, FRESH, KEY, WRAPPED, ARRAYS };
    static const enum db_type types[ARRAYS] = { DB_BYTEA, DB_I32, DB_UUID, DB_UUID, DB_BYTEA };
    struct db_array a[ARRAYS];
    for (size_t i = 0; i < ARRAYS; i++) {
        db_array_init(&a[i], types[i]);
    }
    int32_t first = 1;
    db_array_i32(&a[FIRST], first);
    for (size_t i = 0; i < n; i++) {
        assert(list[i].n <= STORE_PATIENT_HASHES_MAX);
        for (size_t k = 0; k < list[i].n; k++) {
            db_array_bytes(&a[HASHES],
                           str_of(list[i].hashes + k * STORE_HASH_SIZE, STORE_HASH_SIZE));
        }
        first += (int32_t)list[i].n;
        db_array_i32(&a[FIRST], first);
        db_array_uuid(&a[FRESH], list[i].key.patient);
        db_array_uuid(&a[KEY], list[i].key.id);
        db_array_bytes(&a[WRAPPED], list[i].key.wrapped);
    }
    struct db_params p = { 0 };
    for (size_t i = 0; i < ARRAYS; i++) {
        if (i == WRAPPED) {
            db_put_bytes(&p, list[0].key.root);
        }
        db_put_array(&p, &a[i]);
    }
    struct op *op = db_query(db, &learn, &p, done, arg);
    for (size_t i = 0; i < ARRAYS; i++) {
        db_array_free(&a[i]);
    }
    return op;
}

int store_patient_outcome(const struct db_rows *rows, int i, uint8_t patient[16])
{
    db_uuid(rows, i, 1, patient);
    return db_i32(rows, i, 0);
}

static struct op *ask(struct db *db, const struct db_statement *statement,
                      const uint8_t patient[16], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, patient);
    return db_query(db, statement, &p, done, arg);
}

struct op *store_patient_group(struct db *db, const uint8_t patient[16], db_done_fn done,
                               void *arg)
{
    return ask(db, &group, patient, done, arg);
}

void store_patient_row(const struct db_rows *rows, int i, uint8_t patient[16])
{
    db_uuid(rows, i, 0, patient);
}

struct op *store_patient_merge(struct db *db, const uint8_t source[16],
                               const uint8_t target[16], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, source);
    db_put_uuid(&p, target);
    return db_query(db, &merge, &p, done, arg);
}

struct op *store_patient_join(struct db *db, const uint8_t source[16], const uint8_t *hashes,
                              size_t n, db_done_fn done, void *arg)
{
    assert(n <= STORE_PATIENT_HASHES_MAX);
    struct db_array array;
    db_array_items(&array, DB_BYTEA, hashes, n, STORE_HASH_SIZE);
    struct db_params p = { 0 };
    db_put_uuid(&p, source);
    db_put_array(&p, &array);
    struct op *op = db_query(db, &join, &p, done, arg);
    db_array_free(&array);
    return op;
}

struct op *store_patient_links(struct db *db, const uint8_t after[16], int limit,
                               db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, after);
    db_put_i32(&p, limit);
    return db_query(db, &links, &p, done, arg);
}

void store_patient_link_row(const struct db_rows *rows, int i, uint8_t source[16],
                            uint8_t target[16])
{
    db_uuid(rows, i, 0, source);
    db_uuid(rows, i, 1, target);
}

struct op *store_patient_shred(struct db *db, const uint8_t patient[16], db_done_fn done,
                               void *arg)
{
    return ask(db, &shred, patient, done, arg);
}
