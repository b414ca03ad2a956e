/* One trip each. */
#include "gateway/store/fragments.h"

static const struct db_statement keep = {
    "fragment_keep",
    "SELECT fragment_keep($1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::uuid,"
    " make_interval(secs => $6::integer), make_interval(days => $7::integer))",
};
static const struct db_statement chain = {
    "fragment_chain",
    "SELECT p.id, p.kind, p.key, k.patient, p.nonce, p.outer_layers, p.ciphertext, c.digest"
    " FROM fragment_chain($1::bytea, $2::integer) c"
    " LEFT JOIN payload p ON p.id = c.payload"
    " LEFT JOIN patient_key k ON k.id = p.key ORDER BY c.n DESC",
};
static const struct db_statement joined = {
    "fragment_joined",
    "UPDATE fragment SET joined = true WHERE key IN"
    " (SELECT c.key FROM fragment_chain($1::bytea, $2::integer) c)",
};

static const struct db_statement waiting = {
    "fragment_waiting",
    "SELECT count(*), min(taken) FROM fragment WHERE NOT joined",
};

enum {
    DIGEST_COLUMN = 7,
};

struct op *store_fragment_keep(struct db *db, const struct store_fragment *fragment,
                               db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    const struct str none = { 0 };
    db_put_bytes(&p, str_of(fragment->key, sizeof(fragment->key)));
    db_put_bytes(&p, str_of(fragment->digest, sizeof(fragment->digest)));
    db_put_bytes(&p,
                 fragment->first ? none : str_of(fragment->before, sizeof(fragment->before)));
    db_put_bytes(&p, fragment->first
                         ? none
                         : str_of(fragment->before_digest, sizeof(fragment->before_digest)));
    db_put_uuid(&p, fragment->payload);
    db_put_i32(&p, STORE_FRAGMENT_STALE_S);
    db_put_i32(&p, STORE_FRAGMENT_FORGET_DAYS);
    return db_query(db, &keep, &p, done, arg);
}

bool store_fragment_kept(const struct db_rows *rows)
{
    return db_count(rows) == 1 && db_bool(rows, 0, 0);
}

static struct op *by_key(struct db *db, const struct db_statement *statement,
                         const uint8_t key[32], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(key, 32));
    db_put_i32(&p, STORE_FRAGMENTS_MAX);
    return db_query(db, statement, &p, done, arg);
}

struct op *store_fragment_chain(struct db *db, const uint8_t key[32], db_done_fn done,
                                void *arg)
{
    return by_key(db, &chain, key, done, arg);
}

int store_fragment_digest(const struct db_rows *rows, int i, uint8_t out[32])
{
    return db_fixed(rows, i, DIGEST_COLUMN, out, 32);
}

struct op *store_fragment_waiting(struct db *db, db_done_fn done, void *arg)
{
    return db_query(db, &waiting, NULL, done, arg);
}

int64_t store_fragment_waiting_row(const struct db_rows *rows, int64_t *oldest)
{
    int64_t count = db_i64(rows, 0, 0);
    *oldest = count ? db_time(rows, 0, 1) : 0;
    return count;
}

struct op *store_fragment_joined(struct db *db, const uint8_t key[32], db_done_fn done,
                                 void *arg)
{
    return by_key(db, &joined, key, done, arg);
}
