/* What the parts of the sender share; see sender.c for who calls whom. */
#pragma once

#include "gateway/ledger/answers.h"
#include "gateway/ledger/quorum.h"
#include "gateway/ledger/sender.h"

#include <event2/event.h>

struct sender {
    struct sender_config config;
    uint64_t fence;
    struct follower_view view;
    bool recheck;
    struct op *op;
    sender_fn done;
    void *owner;
    struct sender_row *row; /* under way */

    size_t looked;    /* receipts asked for of this row */
    uint64_t nonce;   /* of the chain */
    struct eth_tx tx; /* being signed; its data is the row's */
    uint64_t gas;
    bool bump;
    struct answers_receipt receipt;
    int end;            /* what follows the write under way */
    struct event *soon; /* owned */
    bool set;           /* write the state below, nothing else */
    enum store_sending_state set_to;
    const char *set_reason;

    int64_t strange_id;
    unsigned strange;
    int64_t too_low; /* row whose fees the node refused */
    int64_t sent_id;
    int64_t sent_at; /* clock_mono_ms() */
};

/* The step ends with @r; sender_later(): it couldn't go on, try again at the next look. */
void sender_finish(struct sender *s, int r);
void sender_later(struct sender *s);

/* Ask a majority, or one node. */
void sender_ask_all(struct sender *s, const struct quorum_ask *ask, quorum_fn done);
void sender_ask_any(struct sender *s, const char *method, struct str params, rpc_fn done);

/* The one place where a state changes; the step ends with @end, unless it was signed. */
void sender_advance(struct sender *s, enum store_sending_state to, const char *reason, int end);

/* The chain's count of the account; then @done. */
void sender_ask_nonce(struct sender *s, quorum_fn done);

/* Try, price, sign, store and send what is planned; the same for more, if s->bump. */
void sender_plan(struct sender *s);
void sender_price(struct sender *s);

/* Send the bytes that are stored. */
void sender_send_raw(struct sender *s);
