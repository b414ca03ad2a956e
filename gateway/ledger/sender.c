/*
 * The state machine of one transaction. Each function below asks one thing and names the one
 * that takes the answer; sender_advance() alone changes the state, and always through the
 * database.
 *
 *   planned:            eth_call -> gas -> fees -> nonce -> sign, store -> send -> store
 *   signed, broadcast,
 *   reorged:            nonce -> receipts of all our hashes -> mined | send | bump | alarm
 *   mined, safe:        receipt -> block at that height -> safe | finalized | reorged
 *
 * The nonce is asked before the receipts: if it has moved and no receipt is there, then (after
 * three looks, because nodes may lag) somebody else uses the key.
 */
#include "gateway/ledger/sender_impl.h"

#include "gateway/clock.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/sender_ask.h"
#include "gateway/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRANGE_LOOKS = 3,
    HASH_SIZE = 32,
};

static void ask_receipt(struct sender *s);

void sender_finish(struct sender *s, int r)
{
    sender_fn done = s->done;
    s->row = NULL;
    s->done = NULL;
    done(s->owner, r);
}

/* An op could not be started, or led nowhere. */
void sender_later(struct sender *s)
{
    sender_finish(s, -EAGAIN);
}

static void on_advanced(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct sender *s = arg;
    s->op = NULL;
    if (r < 0) {
        sender_finish(s, r);
        return;
    }
    enum store_sending_state state = s->row->s.state;
    log_line(state == STORE_FAILED ? LOG_WARN : LOG_INFO, s->config.name,
             LOG_Z("state", store_sending_word(state)), LOG_I("id", s->row->s.id),
             LOG_I("nonce", s->row->s.nonce), LOG_I("block", s->row->s.block_number),
             LOG_Z("reason", s->row->reason));
    switch (state) {
    case STORE_SIGNED: sender_send_raw(s); return;
    case STORE_PLANNED:
    case STORE_BROADCAST:
    case STORE_REORGED: break;
    case STORE_MINED:
    case STORE_SAFE:
    case STORE_FINALIZED:
    case STORE_REPLACED:
    case STORE_FAILED: wallet_give(s->config.wallet, s); break;
    }
    sender_finish(s, s->end);
}

/* The one place where a state changes. */
void sender_advance(struct sender *s, enum store_sending_state to, const char *reason, int end)
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
        sender_later(s);
    }
}

void sender_ask_all(struct sender *s, const struct quorum_ask *ask, quorum_fn done)
{
    s->op = quorum_call(s->config.rpc, ask, done, s);
    if (!s->op) {
        sender_later(s);
    }
}

void sender_ask_any(struct sender *s, const char *method, struct str params, rpc_fn done)
{
    struct rpc_ask ask = { method, params, RPC_ANY };
    s->op = rpc_call(s->config.rpc, &ask, done, s);
    if (!s->op) {
        sender_later(s);
    }
}

void sender_ask_nonce(struct sender *s, quorum_fn done)
{
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    sender_put_one(&params, str_of(s->config.wallet->address, 20), "latest");
    sender_ask_all(s,
                   &(struct quorum_ask){ .method = "eth_getTransactionCount",
                                         .params = buf_str(&params),
                                         .read = sender_read_u64 },
                   done);
}

static void not_mined(struct sender *s)
{
    struct sender_row *row = s->row;
    assert(row);
    if (row->listen) {
        sender_finish(s, SENDER_WAIT);
        return;
    }
    if (wallet_nonce_judge(row->s.nonce, s->nonce) == WALLET_NONCE_AHEAD) {
        s->strange = s->strange_id == row->s.id ? s->strange + 1 : 1;
        s->strange_id = row->s.id;
        if (s->strange < STRANGE_LOOKS) {
            sender_finish(s, SENDER_WAIT);
            return;
        }
        log_line(LOG_ERROR, "somebody else uses the key: nothing more is sent",
                 LOG_Z("kind", s->config.name), LOG_I("nonce", row->s.nonce));
        s->config.wallet->stopped = true;
        sender_advance(s, STORE_FAILED, "nonce-taken", SENDER_DONE);
        return;
    }
    bool ours = s->sent_id == row->s.id;
    if (s->too_low == row->s.id || sender_row_stuck(row)) {
        s->bump = true;
        sender_price(s);
    } else if (row->s.state != STORE_BROADCAST || !ours ||
               clock_mono_ms() - s->sent_at > SENDER_RESEND_MS) {
        sender_send_raw(s);
    } else {
        sender_finish(s, SENDER_WAIT);
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
        sender_later(s);
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
    sender_advance(s, s->receipt.success ? STORE_MINED : STORE_FAILED,
                   s->receipt.success ? "" : "reverted", SENDER_DONE);
}

/* The hash that is to be asked for in turn: the row's, then those it had before; or NULL. */
static const char *next_hash(const struct sender *s)
{
    struct str hash = s->row->s.hash;
    if (s->looked) {
        hash = str_slice(s->row->older, (s->looked - 1) * HASH_SIZE, s->row->older.n);
    }
    return hash.n < HASH_SIZE ? NULL : hash.p;
}

static void ask_receipt(struct sender *s)
{
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    const char *hash = next_hash(s);
    if (!hash) {
        not_mined(s);
        return;
    }
    sender_put_one(&params, str_of(hash, HASH_SIZE), NULL);
    sender_ask_all(s,
                   &(struct quorum_ask){ .method = "eth_getTransactionReceipt",
                                         .params = buf_str(&params),
                                         .read = sender_read_receipt },
                   on_receipt);
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
    s->looked = 0;
    ask_receipt(s);
}

static void on_canonical(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    struct sender_row *row = s->row;
    struct store_block block;
    s->op = NULL;
    if (answer->r < 0 || answer->bytes.n != sizeof(block)) {
        sender_later(s);
        return;
    }
    memcpy(&block, answer->bytes.p, sizeof(block));
    if (memcmp(block.hash, s->receipt.block, sizeof(block.hash)) != 0) {
        sender_later(s); /* the nodes are moving */
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
        sender_advance(s, to, "", SENDER_DONE);
    } else {
        sender_finish(s, SENDER_DONE);
    }
}

static void on_mined_receipt(void *owner, const struct quorum_answer *answer)
{
    struct sender *s = owner;
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    s->op = NULL;
    if (answer->r < 0) {
        sender_later(s);
        return;
    }
    if (answer->bytes.n != sizeof(s->receipt)) {
        s->row->s.block_number = 0;
        s->row->s.block_hash = (struct str){ 0 };
        sender_advance(s, STORE_REORGED, "", SENDER_WAIT);
        return;
    }
    memcpy(&s->receipt, answer->bytes.p, sizeof(s->receipt));
    rpc_put_block(&params, NULL, s->receipt.number);
    sender_ask_all(s,
                   &(struct quorum_ask){ .method = "eth_getBlockByNumber",
                                         .params = buf_str(&params),
                                         .read = sender_read_block },
                   on_canonical);
}

static void ask_mined(struct sender *s)
{
    char room[256];
    struct buf params = buf_fixed(room, sizeof(room));
    sender_put_one(&params, str_of(s->row->hash, 32), NULL);
    sender_ask_all(s,
                   &(struct quorum_ask){ .method = "eth_getTransactionReceipt",
                                         .params = buf_str(&params),
                                         .read = sender_read_receipt },
                   on_mined_receipt);
}

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
            sender_plan(s);
        } else {
            sender_finish(s, SENDER_WAIT);
        }
        return;
    case STORE_SIGNED:
    case STORE_BROADCAST:
    case STORE_REORGED:
        if (!s->config.wallet->holder) {
            s->config.wallet->holder = s;
        }
        s->bump = false;
        sender_ask_nonce(s, on_nonce);
        return;
    case STORE_MINED:
    case STORE_SAFE:
        if (worth_asking(s, &row->s)) {
            ask_mined(s);
        } else {
            sender_finish(s, SENDER_DONE);
        }
        return;
    case STORE_FINALIZED:
    case STORE_REPLACED:
    case STORE_FAILED: sender_finish(s, SENDER_DONE); return;
    }
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct sender *s = arg;
    if (s->set) {
        s->set = false;
        sender_advance(s, s->set_to, s->set_reason, SENDER_DONE);
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
