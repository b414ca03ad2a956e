/*
 * Consents as workers see them: the epoch, the rows with what the chain says of them, filing.
 *
 * A worker listens on STORE_EPOCH_CHANNEL, and on each wake and at least twice a second asks
 * store_epoch(). If that is ahead of its own, it reads store_changes() and loads what they
 * name.
 */
#pragma once

#include "gateway/store/db.h"

#define STORE_EPOCH_CHANNEL "chartseal_epoch"

enum store_change_kind {
    STORE_CHANGE_CONSENT = 1, /* ref: consent id, 32 bytes */
    STORE_CHANGE_CHAIN = 2,   /* ref: consent id, 32 bytes */
    STORE_CHANGE_KEY = 3,     /* ref: key id, 16 bytes: drop it */
    STORE_CHANGE_LINK = 4,    /* ref: number of a merged patient, 16 bytes */
    STORE_CHANGE_TOKEN = 5,   /* ref: free */
};

/* @agreed: when the ledger's endpoints last agreed, ms since 1970; 0: never.
 * @oldest: changes are known after this epoch; a worker that is behind it loads all anew. */
struct store_epoch {
    uint64_t epoch;
    uint64_t oldest;
    int64_t now; /* PostgreSQL's clock, ms since 1970 */
    int64_t agreed;
    uint64_t head_number;
    int64_t head_time; /* of the block, ms since 1970 */
};

/* Rows: store_epoch_row() */
MUST_USE struct op *store_epoch(struct db *db, uint64_t chain, db_done_fn done, void *arg);
void store_epoch_row(const struct db_rows *rows, struct store_epoch *out);

/*
 * @ref:     borrowed from the rows
 * @age:     ms since the transaction that changed it began, when asked
 * @revoked: it left a consent revoked
 */
struct store_change {
    uint64_t epoch;
    enum store_change_kind kind;
    struct str ref;
    int64_t age;
    bool revoked;
};

/**
 * store_changes() - what changed after @epoch, in order
 * @limit: at most this many rows; if that many came, ask again after the epoch before the last
 *         one (one epoch may have many rows), or load all
 *
 * Rows: store_change_row()
 */
MUST_USE struct op *store_changes(struct db *db, uint64_t epoch, int limit, db_done_fn done,
                                  void *arg);
void store_change_row(const struct db_rows *rows, int i, struct store_change *out);

/* Raise the epoch for a change that no table tells (STORE_CHANGE_TOKEN). No rows. */
MUST_USE struct op *store_epoch_raise(struct db *db, enum store_change_kind kind,
                                      struct str ref, db_done_fn done, void *arg);

enum store_consent_status {
    STORE_CONSENT_FILED = 0,
    STORE_CONSENT_WITHDRAWN = 1,
    STORE_CONSENT_ERROR = 2, /* entered in error */
};

/*
 * What the chain says of this version if it is granted, else of the newest. @known false:
 * nothing.
 *
 * @version: what the chain has now
 * @granted: that of the grant, from which rotations of the controller led to @version
 */
struct store_consent_chain {
    bool known;
    uint64_t chain;
    uint16_t version;
    uint16_t granted;
    uint8_t commitment[32];
    uint8_t controller[20];
    uint64_t valid_from; /* seconds since 1970 */
    uint64_t valid_until;
    bool revoked;
    bool safe;
    uint64_t block_number;
    uint8_t block_hash[32];
};

/* @sealed, @statement, borrowed; ids of their seal: patient, key, and the consent's first 16
 * bytes. Of a load, @statement is empty. */
struct store_consent {
    uint8_t id[32];
    uint16_t version;
    uint8_t patient[16];
    uint8_t key[16];
    uint8_t nonce[24];
    struct str sealed;
    struct str statement;
    uint8_t policy_hash[32];
    uint8_t commitment[32];
    enum store_consent_status status;
    int64_t filed;
    int64_t superseded; /* 0: not */
    struct store_consent_chain on_chain;
};

/* -EBADMSG: a column has a wrong length. */
MUST_USE int store_consent_row(const struct db_rows *rows, int i, struct store_consent *out);

/*
 * A chunk of the consents that count.
 *
 * @patients: the only ones wanted, @n_patients numbers of 16 bytes each; NULL: all
 * @after:    id and version of the last row got; zero at first
 */
struct store_consent_page {
    const uint8_t *patients;
    size_t n_patients;
    uint8_t after[32];
    uint16_t after_version;
    int limit;
};

/**
 * store_consent_load() - consents in chunks, for the memory of a worker
 *
 * Of each consent: the version in force by the chain, one whose grant isn't safe yet, and those
 * not superseded.
 * Rows, at most the page's limit: store_consent_row()
 */
MUST_USE struct op *store_consent_load(struct db *db, const struct store_consent_page *page,
                                       db_done_fn done, void *arg);

/* The same for @n ids (32 bytes each); an id without a row is gone. */
MUST_USE struct op *store_consent_by_id(struct db *db, const uint8_t *ids, size_t n,
                                        db_done_fn done, void *arg);

/* The same for one id, with statements. */
MUST_USE struct op *store_consent_stated(struct db *db, const uint8_t id[32], db_done_fn done,
                                         void *arg);

/* All versions of a patient's consents, statements included; for people and evidence. */
MUST_USE struct op *store_consent_of(struct db *db, const uint8_t patient[16], db_done_fn done,
                                     void *arg);

/**
 * store_consent_identity() - the consent that an identifier means
 * @hash: keyed, of the identifier
 * @id:   of a new one, which the identifier means from now on if it meant none
 *
 * One row: store_consent_identity_row()
 */
MUST_USE struct op *store_consent_identity(struct db *db, const uint8_t patient[16],
                                           const uint8_t hash[32], const uint8_t id[32],
                                           db_done_fn done, void *arg);

/* Return: 0, or -EBADMSG: no id */
MUST_USE int store_consent_identity_row(const struct db_rows *rows, uint8_t id[32]);

/**
 * store_consent_file() - file a version and supersede those before
 *
 * Raises the epoch. -EEXIST: that version is filed already. No rows.
 */
MUST_USE struct op *store_consent_file(struct db *db, const struct store_consent *consent,
                                       db_done_fn done, void *arg);

/* Change the status of a version. Raises the epoch. No rows. */
MUST_USE struct op *store_consent_mark(struct db *db, const uint8_t id[32], uint16_t version,
                                       enum store_consent_status status, db_done_fn done,
                                       void *arg);
