/* One trip each; what has to be one transaction is a function of schemas/sql. */
#include "gateway/store/logins.h"

static const struct db_statement begin = {
    "login_begin",
    "SELECT outcome, patient FROM login_begin($1::bytea, $2::timestamptz, $3::bytea, $4::text,"
    " $5::bytea, $6::integer, $7::uuid, $8::timestamptz)",
};
static const struct db_statement begin_passkey = {
    "login_begin_passkey",
    "SELECT outcome, patient FROM login_begin_passkey($1::bytea, $2::timestamptz, $3::bytea,"
    " $4::text, $5::bytea, $6::integer, $7::uuid, $8::timestamptz, $9::bytea, $10::bytea,"
    " $11::bigint)",
};
static const struct db_statement passkey = {
    "login_passkey",
    "SELECT key FROM login_passkey WHERE id = $1::bytea",
};
static const struct db_statement session_of = {
    "login_session",
    "SELECT patient_root(c.patient) FROM login_session s"
    " JOIN login_credential c ON c.hash = s.credential"
    " WHERE s.id = $1::uuid AND s.expires > clock_timestamp()",
};
static const struct db_statement end = {
    "login_end",
    "DELETE FROM login_session WHERE id = $1::uuid",
};
static const struct db_statement add_code = {
    "login_code",
    "INSERT INTO login_code (name, hash, patient, expires)"
    " VALUES ($1::text, $2::bytea, $3::uuid, $4::timestamptz)",
};
static const struct db_statement forget = {
    "login_forget",
    "SELECT login_forget($1::uuid)",
};

struct op *store_login_begin(struct db *db, const struct store_login *login, db_done_fn done,
                             void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, login->challenge);
    db_put_time(&p, login->expires);
    db_put_bytes(&p, str_of(login->credential, sizeof(login->credential)));
    db_put_bytes(&p, login->code_name);
    db_put_bytes(&p, str_of(login->code_hash, sizeof(login->code_hash)));
    db_put_i32(&p, STORE_LOGIN_TRIES_MAX);
    db_put_uuid(&p, login->session);
    db_put_time(&p, login->until);
    if (!login->key.p) {
        return db_query(db, &begin, &p, done, arg);
    }
    db_put_bytes(&p, str_of(login->passkey, sizeof(login->passkey)));
    db_put_bytes(&p, login->key);
    db_put_i64(&p, login->counter);
    return db_query(db, &begin_passkey, &p, done, arg);
}

int store_login_outcome(const struct db_rows *rows, uint8_t patient[16])
{
    db_uuid(rows, 0, 1, patient);
    return db_i32(rows, 0, 0);
}

struct op *store_passkey_find(struct db *db, const uint8_t id[32], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, str_of(id, 32));
    return db_query(db, &passkey, &p, done, arg);
}

struct str store_passkey_key(const struct db_rows *rows)
{
    return db_count(rows) == 1 ? db_bytes(rows, 0, 0) : STR("");
}

static struct op *by_uuid(struct db *db, const struct db_statement *statement,
                          const uint8_t id[16], db_done_fn done, void *arg)
{
    struct db_params p = { 0 };
    db_put_uuid(&p, id);
    return db_query(db, statement, &p, done, arg);
}

struct op *store_login_session(struct db *db, const uint8_t session[16], db_done_fn done,
                               void *arg)
{
    return by_uuid(db, &session_of, session, done, arg);
}

bool store_login_patient(const struct db_rows *rows, uint8_t patient[16])
{
    if (db_count(rows) != 1) {
        return false;
    }
    db_uuid(rows, 0, 0, patient);
    return true;
}

struct op *store_login_end(struct db *db, const uint8_t session[16], db_done_fn done, void *arg)
{
    return by_uuid(db, &end, session, done, arg);
}

struct op *store_login_code(struct db *db, const struct store_login_code *code, db_done_fn done,
                            void *arg)
{
    struct db_params p = { 0 };
    db_put_bytes(&p, code->name);
    db_put_bytes(&p, str_of(code->hash, sizeof(code->hash)));
    db_put_uuid(&p, code->patient);
    db_put_time(&p, code->expires);
    return db_query(db, &add_code, &p, done, arg);
}

struct op *store_login_forget(struct db *db, const uint8_t patient[16], db_done_fn done,
                              void *arg)
{
    return by_uuid(db, &forget, patient, done, arg);
}

int64_t store_login_count(const struct db_rows *rows)
{
    return db_i64(rows, 0, 0);
}
