/*
 * From planned to sent: eth_call, gas, fees, nonce, signature, store, send. What is stuck takes
 * the same way for more, with the nonce it has.
 */
#include "gateway/ledger/sender_impl.h"

#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/sender_ask.h"
#include "gateway/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    GAS_MARGIN = 4, /* a quarter more than estimated */
};

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
            sender_advance(s, STORE_BROADCAST, "", SENDER_WAIT);
            return;
        }
        break;
    case RPC_E_UNDERPRICED:
    case RPC_E_FEE_LOW: s->too_low = s->row->s.id; break;
    case RPC_E_NONCE_LOW: break; /* the next look finds the receipt */
    case RPC_E_TRANSPORT: sender_later(s); return;
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
    sender_finish(s, SENDER_WAIT);
}

void sender_send_raw(struct sender *s)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    sender_put_one(&params, s->row->s.raw, NULL);
    sender_ask_any(s, "eth_sendRawTransaction", buf_str(&params), on_sent);
    heap_buf_free(&params);
}

/* Signed: store, then send. A hash that it had before is kept with it by the store. */
static void keep_signed(struct sender *s, struct buf *raw)
{
    struct sender_row *row = s->row;
    s->too_low = 0;
    digest_keccak256(buf_str(raw), row->hash);
    sender_row_raw(row, buf_str(raw));
    row->s.hash = str_of(row->hash, sizeof(row->hash));
    row->s.nonce = s->tx.nonce;
    row->s.tip = s->tx.tip;
    row->s.max_fee = s->tx.max_fee;
    sender_advance(s, STORE_SIGNED, "", SENDER_WAIT);
}

static void on_signed(void *owner, int r, struct str text)
{
    struct sender *s = owner;
    s->op = NULL;
    struct buf raw = heap_buf(text.n + 1);
    buf_str_put(&raw, text);
    if (r == 0 && !buf_failed(&raw)) {
        keep_signed(s, &raw);
        return;
    }
    log_line(LOG_ERROR, "signer didn't sign", LOG_Z("kind", s->config.name),
             LOG_I("id", s->row->s.id), LOG_ERRNO(r));
    heap_buf_free(&raw);
    sender_later(s);
}

static void sign_here(struct sender *s)
{
    uint8_t hash[32];
    struct buf raw = heap_buf(s->tx.data.n + (size_t)2 * ETH_TX_ROOM);
    if (wallet_sign(s->config.wallet, &s->tx, &raw, hash) < 0) {
        heap_buf_free(&raw);
        sender_later(s);
        return;
    }
    keep_signed(s, &raw);
}

/* All is known: sign. */
static void sign(struct sender *s, const struct wallet_fees *fees)
{
    struct sender_row *row = s->row;
    s->tx = (struct eth_tx){
        .chain = s->config.chain,
        .nonce = s->bump ? row->s.nonce : s->nonce,
        .tip = fees->tip,
        .max_fee = fees->max_fee,
        .gas = s->gas,
        .data = row->call,
    };
    memcpy(s->tx.to, row->to, sizeof(s->tx.to));
    if (!s->config.wallet->remote) {
        sign_here(s);
        return;
    }
    s->op = remote_signer_sign(s->config.wallet->remote, &s->tx, on_signed, s);
    if (!s->op) {
        sender_later(s);
    }
}

static void on_nonce(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    s->op = NULL;
    if (answer->r < 0 || answer->bytes.n != sizeof(s->nonce)) {
        sender_later(s);
        return;
    }
    memcpy(&s->nonce, answer->bytes.p, sizeof(s->nonce));
    struct wallet_fees fees = { s->row->s.tip, s->row->s.max_fee };
    sign(s, &fees);
}

/* Fees are known to be enough; or the caps forbid it, and it has to wait. */
static void on_fees(void *owner, const struct rpc_answer *answer)
{
    struct sender *s = owner;
    struct sender_row *row = s->row;
    assert(row);
    uint64_t base;
    uint64_t median;
    s->op = NULL;
    if (answer->error != RPC_OK || answers_fees(answer->result, &base, &median) < 0) {
        sender_later(s);
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
            sender_finish(s, SENDER_WAIT);
            return;
        }
    }
    if (wallet_too_dear(s->gas, &fees, &wallet_caps_usual)) {
        log_line(LOG_ERROR, "transaction too dear", LOG_Z("kind", s->config.name),
                 LOG_I("id", row->s.id));
        sender_finish(s, SENDER_WAIT);
        return;
    }
    if (before) {
        s->nonce = before->nonce;
        sign(s, &fees);
        return;
    }
    row->s.tip = fees.tip;
    row->s.max_fee = fees.max_fee;
    sender_ask_nonce(s, on_nonce);
}

static void on_gas(void *owner, const struct rpc_answer *answer)
{
    struct sender *s = owner;
    uint64_t gas;
    s->op = NULL;
    if (answer->error != RPC_OK || answers_quantity(answer->result, &gas) < 0 ||
        gas > UINT32_MAX) {
        if (s->bump) {
            sender_send_raw(s); /* it may be true no more: the old bytes decide */
        } else {
            sender_later(s);
        }
        return;
    }
    s->gas = gas + gas / GAS_MARGIN;
    sender_ask_any(s, "eth_feeHistory", STR("[\"0x5\",\"latest\",[50]]"), on_fees);
}

void sender_price(struct sender *s)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    sender_put_call(&params, s->config.wallet->address, s->row->to, s->row->call);
    sender_ask_any(s, "eth_estimateGas", buf_str(&params), on_gas);
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
        sender_advance(s, STORE_FAILED, name.n ? reason : "revert", SENDER_DONE);
        return;
    }
    if (answer->r < 0) {
        wallet_give(s->config.wallet, s);
        sender_later(s);
        return;
    }
    sender_price(s);
}

void sender_plan(struct sender *s)
{
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    s->bump = false;
    sender_put_call(&params, s->config.wallet->address, s->row->to, s->row->call);
    sender_ask_all(s,
                   &(struct quorum_ask){ .method = "eth_call",
                                         .params = buf_str(&params),
                                         .read = sender_read_any },
                   on_tried);
    heap_buf_free(&params);
}
