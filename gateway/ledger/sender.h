/*
 * Bringing one transaction on: from planned to final, whatever happens on the way.
 *
 *   planned -> signed -> broadcast -> mined -> safe -> finalized
 *      |          ^          |          |        |
 *      v          +--bump----+          +--gone--+--> reorged --sent again--> broadcast
 *    failed (the contract refuses it; it was mined and reverted; its nonce was taken)
 *
 * One implementation for what the relayer and the anchoring send; the rows differ only in the
 * table they're written to. The signed bytes are stored before they are sent, so that after a
 * crash or a reorganisation the same bytes go again.
 *
 * Spec: spec/ledger.md 13.1
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/ledger/follower.h"
#include "gateway/ledger/rpc.h"
#include "gateway/ledger/wallet.h"
#include "gateway/store/sendings.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SENDER_DONE = 0, /* as far as it goes for now */
    SENDER_WAIT = 1, /* in flight, or not its turn: nothing after it may be sent yet */

    SENDER_STUCK_MS = 30000, /* not mined for so long: pay more */
    SENDER_RESEND_MS = 3000, /* nodes forget: send the same bytes again */
};

/*
 * A row; on the heap of its owner, sender_row_deinit().
 * @s:        its spans point into the members below
 * @replaces: same nonce, and fees above these; NULL: a nonce of its own
 * @listen:   only look whether it was mined: a newer one replaces it
 */
struct sender_row {
    struct store_sending s;
    uint8_t to[20];
    struct str call;  /* owned */
    struct str raw;   /* owned; NULL: none */
    struct str older; /* owned; hashes that it had before */
    uint8_t hash[32];
    uint8_t block[32];
    char reason[64];
    const struct sender_row *replaces;
    bool listen;
};

/* Copy what a row of the database holds; an empty @call is taken out of the signed bytes.
 * Return: 0 or -ENOMEM */
MUST_USE int sender_row_init(struct sender_row *row, const struct store_sending *from,
                             const uint8_t to[20], struct str call);
void sender_row_deinit(struct sender_row *row);

/* In a block, and not final yet. */
bool sender_row_mined(const struct sender_row *row);

/* Not mined, and neither failed nor replaced. */
bool sender_row_open(const struct sender_row *row);

/* In the nodes' pools for too long. */
bool sender_row_stuck(const struct sender_row *row);

/* @raw, @call, of the heap, become the row's. */
void sender_row_raw(struct sender_row *row, struct str raw);
void sender_row_call(struct sender_row *row, struct str call);

typedef struct op *(*sender_update_fn)(struct db *db, uint64_t fence,
                                       const struct store_sending *sending, db_done_fn done,
                                       void *arg);

/* All borrowed. @update: writes a row */
struct sender_config {
    struct event_base *base;
    struct rpc *rpc;
    struct db *db;
    struct wallet *wallet;
    uint64_t chain;
    sender_update_fn update;
    const char *name; /* for logs; static */
};

struct sender;

MUST_USE struct sender *sender_new(const struct sender_config *config);
void sender_free(struct sender *sender);

/* The notary's epoch; 0 stops what is under way. */
void sender_lead(struct sender *sender, uint64_t fence);

/* Blocks were taken back: look at mined ones again, however deep. */
void sender_recheck(struct sender *sender, bool all);

/* @r: SENDER_DONE, SENDER_WAIT or -errno (-EPERM: fenced off; others: later again) */
typedef void (*sender_fn)(void *owner, int r);

/* Bring @row, which stays the owner's, on. One at a time; @done is never called inside of this.
 */
void sender_step(struct sender *sender, struct sender_row *row,
                 const struct follower_view *view, sender_fn done, void *owner);

/* @reason: static */
struct sender_state {
    enum store_sending_state state;
    const char *reason;
};

/* Only write another state; ends as sender_step() does. */
void sender_set(struct sender *sender, struct sender_row *row, const struct sender_state *to,
                sender_fn done, void *owner);
