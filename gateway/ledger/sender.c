/*
 * The state machine of one transaction. Each function below asks one thing and names the one
 * that takes the answer; advance() alone changes the state, and always through the database.
 *
 *   planned:            eth_call -> gas -> fees -> nonce -> sign, store -> send -> store
 *   signed, broadcast,
 *   reorged:            nonce -> receipts of all our hashes -> mined | send | bump | alarm
 *   mined, safe:        receipt -> block at that height -> safe | finalized | reorged
 *
 * The nonce is asked before the receipts: if it has moved and no receipt is there, then (after
 * three looks, because nodes may lag) somebody else uses the key.
 */
#include "gateway/ledger/sender.h"

#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/sender_ask.h"
#include "gateway/log.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OLD_MAX = 16, /* hashes of bumped transactions remembered */
    GAS_MARGIN = 4,
    STRANGE_LOOKS = 3,
};

struct old {
    int64_t id;
    uint8_t hash[32];
};

struct sender {
    struct sender_config config;
    uint64_t fence;
    struct follower_view view;
    bool recheck;
    struct op *op;
    sender_fn done;
    void *owner;
    struct sender_row *row; /* under way */

    struct old old[OLD_MAX];
    size_t old_at;  /* the next one goes here */
    size_t looked;  /* receipts asked for of this row */
    uint64_t nonce; /* of the chain */
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

static void ask_receipt(struct sender *s);
static void send_raw(struct sender *s);
static void ask_gas(struct sender *s);

static void finish(struct sender *s, int r)
{
    sender_fn done = s->done;
    s->row = NULL;
    s->done = NULL;
    done(s->owner, r);
}

/* An op could not be started, or led nowhere. */
static void later(struct sender *s)
{
    finish(s, -EAGAIN);
}

static const char *const state_names[] = {
    "planned",   "signed",   "broadcast", "mined",  "safe",
    "finalized", "replaced", "reorged",   "failed",
};

static void on_advanced(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct sender *s = arg;
    s->op = NULL;
    if (r < 0) {
        finish(s, r);
        return;
    }
    enum store_sending_state state = s->row->s.state;
    log_line(state == STORE_FAILED ? LOG_WARN : LOG_INFO, s->config.name,
             LOG_Z("state", state_names[state]), LOG_I("id", s->row->s.id),
             LOG_I("nonce", s->row->s.nonce), LOG_I("block", s->row->s.block_number),
             LOG_Z("reason", s->row->reason));
    switch (state) {
    case STORE_SIGNED: send_raw(s); return;
    case STORE_PLANNED:
    case STORE_BROADCAST:
    case STORE_REORGED: break;
    case STORE_MINED:
    case STORE_SAFE:
    case STORE_FINALIZED:
    case STORE_REPLACED:
    case STORE_FAILED: wallet_give(s->config.wallet, s); break;
    }
    finish(s, s->end);
}

/* The one place where a state changes. */
static void advance(struct sender *s, enum store_sending_state to, const char *reason, int end)
{
    struct sender_row *row = s->row;
    row->s.state = to;
    row->s.chain = s->config.chain;
    row->s.changed = clock_utc_ms();
    (void)snprintf(row->reason, sizeof(row->reason), "%s", reason);
    row->s.reason = str_z(row->reason);
    s->end = end;
    s->op = s->config.update(s->config.db, s->fence, &row->s, on_advanced, s);
    if (!s->op) {
        later(s);
    }
}

static void ask_all(struct sender *s, const char *method, struct str params,
                    quorum_read_fn read, quorum_fn done)
{
    struct quorum_ask ask = { .method = method, .params = params, .read = read };
    s->op = quorum_call(s->config.rpc, &ask, done, s);
    if (!s->op) {
        later(s);
    }
}

static void ask_any(struct sender *s, const char *method, struct str params, rpc_fn done)
{
    struct rpc_ask ask = { method, params, RPC_ANY };
    s->op = rpc_call(s->config.rpc, &ask, done, s);
    if (!s->op) {
        later(s);
    }
}

/* ---- sending ---- */

static void on_sent(void *owner, const struct rpc_answer *answer)
{
    struct sender *s = owner;
    s->op = NULL;
    s->sent_id = s->row->s.id;
    s->sent_at = clock_mono_ms();
    switch (answer->error) {
    case RPC_OK:
    case RPC_E_KNOWN:
        if (s->row->s.state != STORE_BROADCAST) {
            advance(s, STORE_BROADCAST, "", SENDER_WAIT);
            return;
        }
        break;
    case RPC_E_UNDERPRICED:
    case RPC_E_FEE_LOW: s->too_low = s->row->s.id; break;
    case RPC_E_NONCE_LOW: break; /* the next look finds the receipt */
    case RPC_E_TRANSPORT: later(s); return;
    case RPC_E_ANSWER:
    case RPC_E_CHAIN:
    case RPC_E_REVERT:
    case RPC_E_FUNDS:
    case RPC_E_RANGE:
    case RPC_E_TOO_MANY:
    case RPC_E_METHOD:
    case RPC_E_OTHER:
        log_line(LOG_ERROR, "transaction not taken", LOG_Z("kind", s->config.name),
                 LOG_I("id", s->row->s.id), LOG_Z("why", rpc_error_text(answer->error)));
        break;
    }
    finish(s, SENDER_WAIT);
}

static void send_raw(struct sender *s)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    sender_put_one(&params, s->row->s.raw, NULL);
    ask_any(s, "eth_sendRawTransaction", buf_str(&params), on_sent);
    heap_buf_free(&params);
}

static void remember(struct sender *s, const struct sender_row *row)
{
    struct old *old = &s->old[s->old_at++ % OLD_MAX];
    old->id = row->s.id;
    memcpy(old->hash, row->hash, sizeof(old->hash));
}

/* All is known: sign, store, send. */
static void sign(struct sender *s, const struct wallet_fees *fees)
{
    struct sender_row *row = s->row;
    struct eth_tx tx = {
        .chain = s->config.chain,
        .nonce = s->bump ? row->s.nonce : s->nonce,
        .tip = fees->tip,
        .max_fee = fees->max_fee,
        .gas = s->gas,
        .data = row->call,
    };
    uint8_t hash[32];
    struct buf raw = heap_buf(row->call.n + 2 * ETH_TX_ROOM);
    memcpy(tx.to, row->to, sizeof(tx.to));
    if (wallet_sign(s->config.wallet, &tx, &raw, hash) < 0) {
        heap_buf_free(&raw);
        later(s);
        return;
    }
    if (s->bump) {
        remember(s, row);
    }
    s->too_low = 0;
    sender_row_raw(row, buf_str(&raw));
    memcpy(row->hash, hash, sizeof(row->hash));
    row->s.hash = str_of(row->hash, sizeof(row->hash));
    row->s.nonce = tx.nonce;
    row->s.tip = tx.tip;
    row->s.max_fee = tx.max_fee;
    advance(s, STORE_SIGNED, "", SENDER_WAIT);
}

/* ---- planned, or to be signed anew for more ---- */

static void on_nonce(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    s->op = NULL;
    if (answer->r < 0 || answer->bytes.n != sizeof(s->nonce)) {
        later(s);
        return;
    }
    memcpy(&s->nonce, answer->bytes.p, sizeof(s->nonce));
    if (s->row->s.state != STORE_PLANNED) {
        s->looked = 0;
        ask_receipt(s);
        return;
    }
    struct wallet_fees fees = { s->row->s.tip, s->row->s.max_fee };
    sign(s, &fees);
}

static void ask_nonce(struct sender *s)
{
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    sender_put_one(&params, str_of(s->config.wallet->address, 20), "latest");
    ask_all(s, "eth_getTransactionCount", buf_str(&params), sender_read_u64, on_nonce);
}

/* Fees are known to be enough; or the caps forbid it, and it has to wait. */
static void on_fees(void *owner, const struct rpc_answer *answer)
{
    struct sender *s = owner;
    struct sender_row *row = s->row;
    uint64_t base;
    uint64_t median;
    s->op = NULL;
    if (answer->error != RPC_OK || answers_fees(answer->result, &base, &median) < 0) {
        later(s);
        return;
    }
    struct wallet_fees fees = wallet_fees_of(base, median, &wallet_caps_usual);
    const struct store_sending *before = s->bump         ? &row->s
                                         : row->replaces ? &row->replaces->s
                                                         : NULL;
    if (before) {
        struct wallet_fees old = { before->tip, before->max_fee };
        if (wallet_fees_bump(&old, &fees, &wallet_caps_usual, &fees) < 0) {
            log_line(LOG_ERROR, "fees are at their cap", LOG_Z("kind", s->config.name),
                     LOG_I("id", row->s.id));
            finish(s, SENDER_WAIT);
            return;
        }
    }
    if (wallet_too_dear(s->gas, &fees, &wallet_caps_usual)) {
        log_line(LOG_ERROR, "transaction too dear", LOG_Z("kind", s->config.name),
                 LOG_I("id", row->s.id));
        finish(s, SENDER_WAIT);
        return;
    }
    if (before) {
        s->nonce = before->nonce;
        sign(s, &fees);
        return;
    }
    row->s.tip = fees.tip;
    row->s.max_fee = fees.max_fee;
    ask_nonce(s);
}

static void on_gas(void *owner, const struct rpc_answer *answer)
{
    struct sender *s = owner;
    uint64_t gas;
    s->op = NULL;
    if (answer->error != RPC_OK || answers_quantity(answer->result, &gas) < 0 ||
        gas > UINT32_MAX) {
        if (s->bump) {
            send_raw(s); /* it may be true no more: the old bytes decide */
        } else {
            later(s);
        }
        return;
    }
    s->gas = gas + gas / GAS_MARGIN;
    ask_any(s, "eth_feeHistory", STR("[\"0x5\",\"latest\",[50]]"), on_fees);
}

static void ask_gas(struct sender *s)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    sender_put_call(&params, s->config.wallet->address, s->row->to, s->row->call);
    ask_any(s, "eth_estimateGas", buf_str(&params), on_gas);
    heap_buf_free(&params);
}

static void on_tried(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    s->op = NULL;
    if (answer->r == -EREMOTEIO && answer->error == RPC_E_REVERT) {
        char reason[64];
        struct str rest = str_z(answer->revert);
        struct str name = str_cut(&rest, '(');
        (void)snprintf(reason, sizeof(reason), "%.*s", (int)name.n, name.n ? name.p : "");
        advance(s, STORE_FAILED, name.n ? reason : "revert", SENDER_DONE);
        return;
    }
    if (answer->r < 0) {
        wallet_give(s->config.wallet, s);
        later(s);
        return;
    }
    ask_gas(s);
}

static void begin_planned(struct sender *s)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    s->bump = false;
    sender_put_call(&params, s->config.wallet->address, s->row->to, s->row->call);
    ask_all(s, "eth_call", buf_str(&params), sender_read_any, on_tried);
    heap_buf_free(&params);
}

/* ---- in flight ---- */

static void not_mined(struct sender *s)
{
    struct sender_row *row = s->row;
    if (row->listen) {
        finish(s, SENDER_WAIT);
        return;
    }
    if (wallet_nonce_judge(row->s.nonce, s->nonce) == WALLET_NONCE_AHEAD) {
        s->strange = s->strange_id == row->s.id ? s->strange + 1 : 1;
        s->strange_id = row->s.id;
        if (s->strange < STRANGE_LOOKS) {
            finish(s, SENDER_WAIT);
            return;
        }
        log_line(LOG_ERROR, "somebody else uses the key: nothing more is sent",
                 LOG_Z("kind", s->config.name), LOG_I("nonce", row->s.nonce));
        s->config.wallet->stopped = true;
        advance(s, STORE_FAILED, "nonce-taken", SENDER_DONE);
        return;
    }
    bool ours = s->sent_id == row->s.id;
    bool stuck =
        row->s.state == STORE_BROADCAST && clock_utc_ms() - row->s.changed > SENDER_STUCK_MS;
    if (s->too_low == row->s.id || stuck) {
        s->bump = true;
        ask_gas(s);
    } else if (row->s.state != STORE_BROADCAST || !ours ||
               clock_mono_ms() - s->sent_at > SENDER_RESEND_MS) {
        send_raw(s);
    } else {
        finish(s, SENDER_WAIT);
    }
}

static void set_block(struct sender_row *row, const struct answers_receipt *receipt)
{
    row->s.block_number = receipt->number;
    memcpy(row->block, receipt->block, sizeof(row->block));
    row->s.block_hash = str_of(row->block, sizeof(row->block));
}

static void on_receipt(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    s->op = NULL;
    if (answer->r < 0) {
        later(s);
        return;
    }
    if (answer->bytes.n != sizeof(s->receipt)) {
        s->looked++;
        ask_receipt(s);
        return;
    }
    memcpy(&s->receipt, answer->bytes.p, sizeof(s->receipt));
    set_block(s->row, &s->receipt);
    memcpy(s->row->hash, s->receipt.tx, sizeof(s->row->hash));
    advance(s, s->receipt.success ? STORE_MINED : STORE_FAILED,
            s->receipt.success ? "" : "reverted", SENDER_DONE);
}

/* The hash that is to be asked for in turn: the row's, then those it had before. */
static const uint8_t *next_hash(struct sender *s)
{
    if (s->looked == 0) {
        return s->row->hash;
    }
    while (s->looked <= OLD_MAX) {
        const struct old *old = &s->old[s->looked - 1];
        if (old->id == s->row->s.id) {
            return old->hash;
        }
        s->looked++;
    }
    return NULL;
}

static void ask_receipt(struct sender *s)
{
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    const uint8_t *hash = next_hash(s);
    if (!hash) {
        not_mined(s);
        return;
    }
    sender_put_one(&params, str_of(hash, 32), NULL);
    ask_all(s, "eth_getTransactionReceipt", buf_str(&params), sender_read_receipt, on_receipt);
}

/* ---- mined ---- */

static void on_canonical(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    struct sender_row *row = s->row;
    struct store_block block;
    s->op = NULL;
    if (answer->r < 0 || answer->bytes.n != sizeof(block)) {
        later(s);
        return;
    }
    memcpy(&block, answer->bytes.p, sizeof(block));
    if (memcmp(block.hash, s->receipt.block, sizeof(block.hash)) != 0) {
        later(s); /* the nodes are moving */
        return;
    }
    bool moved = memcmp(row->block, s->receipt.block, sizeof(row->block)) != 0;
    set_block(row, &s->receipt);
    /* One state at a time: what is safe is looked at once more before it's final. */
    enum store_sending_state to = STORE_MINED;
    if (s->view.finalized >= block.number && row->s.state == STORE_SAFE && !moved) {
        to = STORE_FINALIZED;
    } else if (s->view.safe >= block.number) {
        to = STORE_SAFE;
    }
    if (to != row->s.state || moved) {
        advance(s, to, "", SENDER_DONE);
    } else {
        finish(s, SENDER_DONE);
    }
}

static void on_mined_receipt(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    s->op = NULL;
    if (answer->r < 0) {
        later(s);
        return;
    }
    if (answer->bytes.n != sizeof(s->receipt)) {
        s->row->s.block_number = 0;
        s->row->s.block_hash = (struct str){ 0 };
        advance(s, STORE_REORGED, "", SENDER_WAIT);
        return;
    }
    memcpy(&s->receipt, answer->bytes.p, sizeof(s->receipt));
    struct json_writer w = json_writer(&params);
    json_array(&w, NULL);
    rpc_put_quantity(&w, NULL, s->receipt.number);
    json_bool(&w, NULL, false);
    json_end(&w);
    ask_all(s, "eth_getBlockByNumber", buf_str(&params), sender_read_block, on_canonical);
}

static void ask_mined(struct sender *s)
{
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    sender_put_one(&params, str_of(s->row->hash, 32), NULL);
    ask_all(s, "eth_getTransactionReceipt", buf_str(&params), sender_read_receipt,
            on_mined_receipt);
}

/* ---- beginning ---- */

/* Is there anything to learn about a mined one? */
static bool worth_asking(const struct sender *s, const struct store_sending *row)
{
    return s->recheck || s->view.finalized >= row->block_number ||
           (row->state == STORE_MINED && s->view.safe >= row->block_number);
}

static void begin(struct sender *s)
{
    struct sender_row *row = s->row;
    switch (row->s.state) {
    case STORE_PLANNED:
        if (wallet_take(s->config.wallet, s)) {
            begin_planned(s);
        } else {
            finish(s, SENDER_WAIT);
        }
        return;
    case STORE_SIGNED:
    case STORE_BROADCAST:
    case STORE_REORGED:
        if (!s->config.wallet->holder) {
            s->config.wallet->holder = s;
        }
        s->bump = false;
        ask_nonce(s);
        return;
    case STORE_MINED:
    case STORE_SAFE:
        if (worth_asking(s, &row->s)) {
            ask_mined(s);
        } else {
            finish(s, SENDER_DONE);
        }
        return;
    case STORE_FINALIZED:
    case STORE_REPLACED:
    case STORE_FAILED: finish(s, SENDER_DONE); return;
    }
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct sender *s = arg;
    if (s->set) {
        s->set = false;
        advance(s, s->set_to, s->set_reason, SENDER_DONE);
    } else {
        begin(s);
    }
}

struct sender *sender_new(const struct sender_config *config)
{
    struct sender *s = calloc(1, sizeof(*s));
    if (!s) {
        return NULL;
    }
    s->config = *config;
    s->soon = event_new(config->base, -1, 0, on_soon, s);
    if (!s->soon) {
        free(s);
        return NULL;
    }
    return s;
}

void sender_free(struct sender *s)
{
    if (s) {
        sender_lead(s, 0);
        event_free(s->soon);
        free(s);
    }
}

void sender_lead(struct sender *s, uint64_t fence)
{
    (void)event_del(s->soon);
    op_cancel(s->op);
    s->op = NULL;
    s->row = NULL;
    s->done = NULL;
    s->set = false;
    s->fence = fence;
    s->recheck = true;
    wallet_give(s->config.wallet, s);
}

void sender_recheck(struct sender *s, bool all)
{
    s->recheck = all;
}

static void soon(struct sender *s, struct sender_row *row, sender_fn done, void *owner)
{
    assert(!s->row && s->fence);
    s->row = row;
    s->done = done;
    s->owner = owner;
    event_active(s->soon, 0, 0);
}

void sender_step(struct sender *s, struct sender_row *row, const struct follower_view *view,
                 sender_fn done, void *owner)
{
    s->view = *view;
    soon(s, row, done, owner);
}

void sender_set(struct sender *s, struct sender_row *row, const struct sender_state *to,
                sender_fn done, void *owner)
{
    s->set = true;
    s->set_to = to->state;
    s->set_reason = to->reason;
    soon(s, row, done, owner);
}
