/*
 * What patients log in with, codes that link it to them, and sessions.
 *
 * Everything that would lead to a person or open anything is here as a keyed hash.
 */
#pragma once

#include "gateway/store/db.h"

enum {
    STORE_LOGIN_BEGUN = 0,
    STORE_LOGIN_REPLAYED = 1,  /* the challenge was used before */
    STORE_LOGIN_CODE = 2,      /* the code isn't good, or not any more */
    STORE_LOGIN_UNKNOWN = 3,   /* the credential leads to nobody */
    STORE_LOGIN_FOREIGN = 4,   /* the credential is another patient's */
    STORE_LOGIN_COPIED = 5,    /* a passkey's counter didn't go up, or its id is another's */
    STORE_LOGIN_TRIES_MAX = 5, /* with one code */
};

/*
 * @challenge:  bytes that tell it from others; borrowed
 * @expires:    when it does, ms since 1970
 * @credential: keyed hash of what was logged in with
 * @code_name:  of an enrolment code, p NULL: none; borrowed. @code_hash: keyed, of all of it
 * @session, @until: to begin, and its end
 * @passkey:    keyed hash of a passkey's id, or all 0; @key: its public key, p NULL: it is no
 *              passkey; borrowed; @counter: as its authenticator counts
 */
struct store_login {
    struct str challenge;
    int64_t expires;
    uint8_t credential[32];
    struct str code_name;
    uint8_t code_hash[32];
    uint8_t session[16];
    int64_t until;
    uint8_t passkey[32];
    struct str key;
    uint32_t counter;
};

/* Use the challenge and the code, link, and begin a session. Rows: store_login_outcome() */
MUST_USE struct op *store_login_begin(struct db *db, const struct store_login *login,
                                      db_done_fn done, void *arg);

/* STORE_LOGIN_…; @patient is set for BEGUN. */
int store_login_outcome(const struct db_rows *rows, uint8_t patient[16]);

/* The public key of a passkey by the keyed hash of its id. Rows: store_passkey_key() */
MUST_USE struct op *store_passkey_find(struct db *db, const uint8_t id[32], db_done_fn done,
                                       void *arg);

/* Empty: there is none; borrowed from @rows. */
struct str store_passkey_key(const struct db_rows *rows);

/* Whose session it is. Rows: one if it hasn't ended, store_login_patient() */
MUST_USE struct op *store_login_session(struct db *db, const uint8_t session[16],
                                        db_done_fn done, void *arg);

/* False: it has ended. */
bool store_login_patient(const struct db_rows *rows, uint8_t patient[16]);

/* End it. No rows. */
MUST_USE struct op *store_login_end(struct db *db, const uint8_t session[16], db_done_fn done,
                                    void *arg);

/* @name finds it, @hash is keyed, of all of it; until @expires, ms since 1970. */
struct store_login_code {
    struct str name;
    uint8_t hash[32];
    uint8_t patient[16];
    int64_t expires;
};

/* A new code. -EEXIST: another has this name. No rows. */
MUST_USE struct op *store_login_code(struct db *db, const struct store_login_code *code,
                                     db_done_fn done, void *arg);

/* Forget what @patient logs in with, and unused codes; sessions end. Rows: store_login_count()
 */
MUST_USE struct op *store_login_forget(struct db *db, const uint8_t patient[16],
                                       db_done_fn done, void *arg);

/* How many credentials there were. */
int64_t store_login_count(const struct db_rows *rows);
