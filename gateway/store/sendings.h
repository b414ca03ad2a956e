/*
 * Transactions on a chain: anchors of the log, and what is relayed for consents.
 *
 *   planned → signed → broadcast → mined → safe → finalized
 *                  └→ replaced | reorged | failed
 *
 * The raw bytes are stored before they are sent, so that after a crash the same bytes go again.
 */
#pragma once

#include "gateway/store/db.h"

enum store_sending_state {
    STORE_PLANNED = 0,
    STORE_SIGNED = 1,
    STORE_BROADCAST = 2,
    STORE_MINED = 3,
    STORE_SAFE = 4,
    STORE_FINALIZED = 5,
    STORE_REPLACED = 6,
    STORE_REORGED = 7,
    STORE_FAILED = 8,
};

/* For people: "planned", "signed", … */
const char *store_sending_word(enum store_sending_state state);

/* The part that both kinds share. Fees are in wei. Spans are borrowed. */
struct store_sending {
    int64_t id;
    enum store_sending_state state;
    uint64_t chain;
    uint64_t nonce;
    uint64_t max_fee;
    uint64_t tip;
    struct str raw;        /* empty before STORE_SIGNED */
    struct str hash;       /* of @raw, 32 bytes or empty */
    struct str older;      /* hashes that it had before, 32 bytes each; read only */
    uint64_t block_number; /* 0 before STORE_MINED */
    struct str block_hash;
    struct str reason; /* a static code */
    int64_t changed;   /* ms since 1970 */
};

struct store_anchor {
    struct store_sending sending;
    int16_t log;
    uint64_t size;
    uint8_t root[32];
    uint8_t note_hash[32];
    uint8_t contract[20];
    uint8_t sender[20];
    struct str proof; /* evidence, once safe */
};

enum store_relay_kind {
    STORE_RELAY_GRANT = 1,
    STORE_RELAY_REVOKE = 2,
    STORE_RELAY_ROTATE = 3,
    STORE_RELAY_ATTEST = 4, /* revocation by the attestor */
};

#define STORE_RELAY_CHANNEL "chartseal_relay"

struct store_relay {
    struct store_sending sending;
    uint8_t consent[32];
    uint16_t version;
    enum store_relay_kind kind;
    struct str call; /* call data */
};

/* Plan an anchor. sending.id, .nonce and later members don't count. Rows: the id */
MUST_USE struct op *store_anchor_plan(struct db *db, uint64_t fence,
                                      const struct store_anchor *anchor, db_done_fn done,
                                      void *arg);

/* Plan a relayed call; workers may. The same consent, version and kind again changes nothing
 * unless that one failed: then it is planned again. Rows: the id. */
MUST_USE struct op *store_relay_plan(struct db *db, const struct store_relay *relay,
                                     db_done_fn done, void *arg);
int64_t store_sending_id(const struct db_rows *rows);

/* Write state, nonce, fees, raw, hash, block and reason of @sending.id. -EPERM: not leading, or
 * no such row. No rows. */
MUST_USE struct op *store_anchor_update(struct db *db, uint64_t fence,
                                        const struct store_sending *sending, db_done_fn done,
                                        void *arg);
MUST_USE struct op *store_relay_update(struct db *db, uint64_t fence,
                                       const struct store_sending *sending, db_done_fn done,
                                       void *arg);

/* Keep the evidence of an anchor. No rows. */
MUST_USE struct op *store_anchor_prove(struct db *db, uint64_t fence, int64_t id,
                                       struct str proof, db_done_fn done, void *arg);

/* Those not final: states below STORE_FINALIZED, and STORE_REORGED, oldest first.
 * Rows: store_anchor_row(), store_relay_row() */
MUST_USE struct op *store_anchor_open(struct db *db, uint64_t chain, db_done_fn done,
                                      void *arg);
MUST_USE struct op *store_relay_open(struct db *db, uint64_t chain, int limit, db_done_fn done,
                                     void *arg);

/* The anchor of the smallest tree of at least @size leaves that is mined, safe or finalized;
 * size 0 and newest: the last one. Rows: none or one, store_anchor_row() */
MUST_USE struct op *store_anchor_covering(struct db *db, int16_t log, uint64_t size,
                                          db_done_fn done, void *arg);
MUST_USE struct op *store_anchor_newest(struct db *db, int16_t log, db_done_fn done, void *arg);

MUST_USE int store_anchor_row(const struct db_rows *rows, int i, struct store_anchor *out);
MUST_USE int store_relay_row(const struct db_rows *rows, int i, struct store_relay *out);

/* All relayed calls of a consent, newest first. Rows: store_relay_row() */
MUST_USE struct op *store_relay_of(struct db *db, const uint8_t consent[32], db_done_fn done,
                                   void *arg);
