/*
 *   look --> rows --> each mined one (proof once safe) --> those in flight, oldest first
 *        --> newest checkpoint --due, or a minute over--> head on chain --ours grows out of
 * it--> proof --> plan --> sent as the next look begins
 *
 * One nonce is in flight. If it is stuck and a newer checkpoint is there, that one is planned
 * with the same nonce and higher fees; the older row stays open, listening, until one of them
 * is mined: the other is `replaced`.
 */
#include "gateway/ledger/anchoring.h"

#include "anchor/abi.h"
#include "crypto/digest.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/anchor_proof.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/calls.h"
#include "gateway/ledger/quorum.h"
#include "gateway/ledger/receipt_proof.h"
#include "gateway/ledger/sender.h"
#include "gateway/ledger/sender_ask.h"
#include "gateway/ledger/tree_proof.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/store/notary.h"

#include <errno.h>
#include <stdlib.h>

enum {
    COMPARE_MS = 60000,
    RETRY_MS = 10000,
    MODE_REGISTERED = 1,
    MODE_FROZEN = 4,
    HEAD_WORDS = 5,
    CALL_ROOM = 64,
};

struct row {
    struct sender_row sending;
    struct calls_head head;
    bool proven;
};

struct anchoring {
    struct anchoring_config config;
    struct sender *sender; /* owned */
    struct op *op;
    uint64_t fence;
    uint8_t log_id[32];
    struct follower_view view;
    bool seen;
    bool busy;
    bool again;
    bool surveyed;
    bool forked;
    bool flying;      /* the second pass: those not mined */
    struct row *rows; /* owned */
    size_t count;
    size_t at;
    struct merkle_head newest; /* checkpoint */
    uint8_t note_hash[32];
    bool compared;      /* with the chain, since the start */
    int64_t compare_at; /* clock_mono_ms() */
    int64_t retry_at;   /* clock_mono_ms(); nothing is planned before, since one failed */
    struct merkle_head anchored; /* on chain */
    int64_t anchored_at;
    struct merkle_proof proof;
};

static void look(struct anchoring *a);
static void on_step(void *owner, int r);
static void step(struct anchoring *a);
static void send_planned(struct anchoring *a, struct row *row);

bool anchoring_is_due(const struct anchoring_due *due)
{
    if (due->signed_size <= due->anchored) {
        return false;
    }
    return due->anchored == 0 || due->signed_size - due->anchored >= due->leaves ||
           due->now - due->anchored_at >= due->every_ms;
}

static void drop_rows(struct anchoring *a)
{
    for (size_t i = 0; i < a->count; i++) {
        sender_row_deinit(&a->rows[i].sending);
    }
    free(a->rows);
    a->rows = NULL;
    a->count = 0;
}

static void settle(struct anchoring *a, int r)
{
    drop_rows(a);
    a->busy = false;
    if (r == -EPERM) {
        a->config.on_fenced(a->config.owner);
        return;
    }
    if (r < 0 && r != -EAGAIN) {
        log_line(LOG_WARN, "anchoring interrupted", LOG_ERRNO(r));
    }
    if (a->again) {
        look(a);
    }
}

static bool mined(const struct row *row)
{
    return row->sending.s.state == STORE_MINED || row->sending.s.state == STORE_SAFE;
}

static bool open_state(const struct row *row)
{
    switch (row->sending.s.state) {
    case STORE_PLANNED:
    case STORE_SIGNED:
    case STORE_BROADCAST:
    case STORE_REORGED: return true;
    case STORE_MINED:
    case STORE_SAFE:
    case STORE_FINALIZED:
    case STORE_REPLACED:
    case STORE_FAILED: return false;
    }
    return false;
}

/* ---- planning the next one ---- */

static void on_planned(void *arg, int r, const struct db_rows *rows)
{
    struct anchoring *a = arg;
    a->op = NULL;
    if (r == 0) {
        log_line(LOG_INFO, "anchor planned", LOG_I("id", store_sending_id(rows)),
                 LOG_I("size", a->newest.size));
        a->again = true;
    }
    settle(a, r);
}

static void plan(struct anchoring *a)
{
    struct store_anchor row = {
        .sending = { .chain = a->config.chain },
        .log = a->config.log,
        .size = a->newest.size,
    };
    memcpy(row.root, a->newest.root.b, sizeof(row.root));
    memcpy(row.note_hash, a->note_hash, sizeof(row.note_hash));
    memcpy(row.contract, a->config.contract, sizeof(row.contract));
    memcpy(row.sender, a->config.wallet->address, sizeof(row.sender));
    a->op = store_anchor_plan(a->config.db, a->fence, &row, on_planned, a);
    if (!a->op) {
        settle(a, -EAGAIN);
    }
}

/* ---- the head on chain ---- */

/* Something is wrong that a person has to mend: look now and then, plan nothing. */
static void again_later(struct anchoring *a)
{
    a->compared = true;
    a->compare_at = clock_mono_ms() + RETRY_MS;
    a->retry_at = a->compare_at;
}

static void alarm(struct anchoring *a, const char *why)
{
    a->forked = true;
    log_line(LOG_ERROR, "the chain's head is not our log's: nothing is anchored or signed",
             LOG_Z("why", why), LOG_I("chain", a->anchored.size),
             LOG_I("ours", a->newest.size));
    again_later(a);
    settle(a, 0);
}

/* Is there one in flight? Then it is replaced only once it is stuck. */
static bool may_plan(const struct anchoring *a)
{
    if (clock_mono_ms() < a->retry_at || a->config.wallet->stopped) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        const struct store_sending *s = &a->rows[i].sending.s;
        bool stuck =
            s->state == STORE_BROADCAST && clock_utc_ms() - s->changed > SENDER_STUCK_MS;
        if (open_state(&a->rows[i]) && (!stuck || a->rows[i].head.size >= a->newest.size)) {
            return false;
        }
    }
    return true;
}

static void agreed(struct anchoring *a)
{
    if (a->forked) {
        log_text(LOG_WARN, "the chain's head is our log's again");
    }
    a->forked = false;
    a->compared = true;
    metrics_set(METRIC_ANCHORED_SIZE, (int64_t)a->anchored.size);
    metrics_set(METRIC_UNANCHORED_LEAVES, (int64_t)(a->newest.size - a->anchored.size));
    struct anchoring_due due = {
        .anchored = a->anchored.size,
        .anchored_at = a->anchored_at,
        .signed_size = a->newest.size,
        .now = clock_utc_ms(),
        .every_ms = a->config.every_ms,
        .leaves = a->config.leaves,
    };
    if (anchoring_is_due(&due) && may_plan(a)) {
        plan(a);
    } else {
        settle(a, 0);
    }
}

static void on_consistent(void *owner, int r, const struct merkle_proof *proof)
{
    struct anchoring *a = owner;
    a->op = NULL;
    if (r == -EBADMSG) {
        alarm(a, "inconsistent");
        return;
    }
    if (r < 0) {
        settle(a, r);
        return;
    }
    a->proof = *proof;
    agreed(a);
}

static void compare(struct anchoring *a)
{
    struct tree_span span = { a->config.log, a->anchored, a->newest };
    if (a->anchored.size > a->newest.size) {
        alarm(a, "ahead");
    } else if (a->anchored.size == a->newest.size && a->newest.size > 0 &&
               !merkle_same(&a->anchored.root, &a->newest.root)) {
        alarm(a, "another root");
    } else if (a->anchored.size == 0 || a->anchored.size == a->newest.size) {
        agreed(a);
    } else {
        a->op = tree_proof_load(a->config.db, &span, on_consistent, a);
        if (!a->op) {
            settle(a, -EAGAIN);
        }
    }
}

static int read_head(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    int r = answers_data(result, out);
    return r == 0 && out->n != (size_t)HEAD_WORDS * ABI_WORD ? -EBADMSG : r;
}

static void on_head(void *owner, const struct quorum_answer *answer)
{
    struct anchoring *a = owner;
    uint64_t time;
    uint64_t mode;
    a->op = NULL;
    if (answer->r < 0) {
        settle(a, -EAGAIN);
        return;
    }
    if (abi_word(answer->bytes, 0, a->anchored.root.b) < 0 ||
        abi_u64(answer->bytes, 1, &a->anchored.size) < 0 ||
        abi_u64(answer->bytes, 3, &time) < 0 || abi_u64(answer->bytes, 4, &mode) < 0) {
        settle(a, -EBADMSG);
        return;
    }
    a->anchored_at = (int64_t)time * 1000;
    a->compare_at = clock_mono_ms() + COMPARE_MS;
    if (!(mode & MODE_REGISTERED) || (mode & MODE_FROZEN)) {
        log_line(LOG_ERROR, "the log can't be anchored",
                 LOG_Z("why", mode & MODE_FROZEN ? "frozen" : "not registered"));
        again_later(a);
        settle(a, 0);
        return;
    }
    compare(a);
}

static void ask_head(struct anchoring *a)
{
    char data[CALL_ROOM];
    struct buf call = buf_fixed(data, sizeof(data));
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    calls_head(&call, a->log_id);
    sender_put_call(&params, a->config.wallet->address, a->config.contract, buf_str(&call));
    struct quorum_ask ask = { .method = "eth_call",
                              .params = buf_str(&params),
                              .read = read_head };
    a->op = quorum_call(a->config.rpc, &ask, on_head, a);
    heap_buf_free(&params);
    if (!a->op) {
        settle(a, -EAGAIN);
    }
}

/* ---- our newest checkpoint ---- */

static bool worth_comparing(const struct anchoring *a)
{
    struct anchoring_due due = {
        .anchored = a->anchored.size,
        .anchored_at = a->anchored_at,
        .signed_size = a->newest.size,
        .now = clock_utc_ms(),
        .every_ms = a->config.every_ms,
        .leaves = a->config.leaves,
    };
    return !a->compared || clock_mono_ms() >= a->compare_at ||
           (anchoring_is_due(&due) && may_plan(a));
}

static void on_newest(void *arg, int r, const struct db_rows *rows)
{
    struct anchoring *a = arg;
    struct store_checkpoint newest;
    a->op = NULL;
    if (r == 0 && db_count(rows) == 0) {
        merkle_empty(&a->newest.root);
        a->newest.size = 0;
    } else if (r == 0) {
        r = store_checkpoint_row(rows, 0, &newest);
    }
    if (r < 0) {
        settle(a, r);
        return;
    }
    if (db_count(rows)) {
        a->newest = newest.head;
        digest_sha256(newest.note, a->note_hash);
    }
    metrics_set(METRIC_UNANCHORED_LEAVES, a->newest.size > a->anchored.size
                                              ? (int64_t)(a->newest.size - a->anchored.size)
                                              : 0);
    if (worth_comparing(a)) {
        ask_head(a);
    } else {
        settle(a, 0);
    }
}

static void after_rows(struct anchoring *a)
{
    if (!a->surveyed) {
        a->surveyed = true;
        a->config.wallet->unknown--;
    }
    a->op = store_checkpoint_newest(a->config.db, a->config.log, UINT64_MAX, on_newest, a);
    if (!a->op) {
        settle(a, -EAGAIN);
    }
}

/* ---- rows ---- */

static void on_proof_stored(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct anchoring *a = arg;
    a->op = NULL;
    if (r < 0) {
        settle(a, r);
        return;
    }
    log_line(LOG_INFO, "anchor proven", LOG_I("id", a->rows[a->at].sending.s.id),
             LOG_I("size", a->rows[a->at].head.size));
    a->rows[a->at].proven = true;
    a->at++;
    step(a);
}

static void on_proof(void *owner, int r, struct str proof)
{
    struct anchoring *a = owner;
    a->op = NULL;
    if (r < 0) {
        /* Is it still where it was? It isn't final before it's proven. */
        struct follower_view view = a->view;
        view.finalized = 0;
        log_line(LOG_WARN, "anchor not proven yet", LOG_I("id", a->rows[a->at].sending.s.id),
                 LOG_ERRNO(r));
        sender_recheck(a->sender, true);
        sender_step(a->sender, &a->rows[a->at].sending, &view, on_step, a);
        return;
    }
    a->op = store_anchor_prove(a->config.db, a->fence, a->rows[a->at].sending.s.id, proof,
                               on_proof_stored, a);
    if (!a->op) {
        settle(a, -EAGAIN);
    }
}

static void prove(struct anchoring *a, const struct row *row)
{
    struct receipt_place place;
    memcpy(place.tx, row->sending.hash, sizeof(place.tx));
    memcpy(place.block, row->sending.block, sizeof(place.block));
    a->op = receipt_proof_fetch(a->config.rpc, &place, on_proof, a);
    if (!a->op) {
        settle(a, -EAGAIN);
    }
}

static void on_step(void *owner, int r)
{
    struct anchoring *a = owner;
    if (r < 0) {
        settle(a, r);
        return;
    }
    if (a->rows[a->at].sending.s.state == STORE_FAILED) {
        a->compared = false;
        a->retry_at = clock_mono_ms() + RETRY_MS;
    }
    a->at++;
    step(a);
}

/* Was another one with this nonce mined? Then this one never will be. */
static bool replaced(const struct anchoring *a, const struct row *row)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct row *other = &a->rows[i];
        if (other != row && other->sending.s.nonce == row->sending.s.nonce &&
            (mined(other) || other->sending.s.state == STORE_FINALIZED ||
             other->sending.s.state == STORE_FAILED) &&
            other->sending.s.block_number > 0 && row->sending.s.state != STORE_PLANNED) {
            return true;
        }
    }
    return false;
}

/* One in flight before @row whose nonce it is to take, or NULL. */
static const struct row *before(const struct anchoring *a, const struct row *row)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct row *other = &a->rows[i];
        if (other != row && open_state(other) && other->sending.s.state != STORE_PLANNED) {
            return other;
        }
    }
    return NULL;
}

/* Is @row the last of those that are not mined? */
static bool last(const struct anchoring *a, const struct row *row)
{
    for (const struct row *other = row + 1; other < a->rows + a->count; other++) {
        if (open_state(other)) {
            return false;
        }
    }
    return true;
}

static void bring_on(struct anchoring *a, struct row *row)
{
    static const struct sender_state gone = { STORE_REPLACED, "" };
    if (a->flying && replaced(a, row)) {
        sender_set(a->sender, &row->sending, &gone, on_step, a);
    } else if (row->sending.s.state == STORE_PLANNED) {
        send_planned(a, row);
    } else if (row->sending.s.state == STORE_SAFE && !row->proven) {
        prove(a, row);
    } else {
        row->sending.listen = !last(a, row);
        sender_step(a->sender, &row->sending, &a->view, on_step, a);
    }
}

static void step(struct anchoring *a)
{
    while (a->at < a->count &&
           (a->flying ? !open_state(&a->rows[a->at]) : !mined(&a->rows[a->at]))) {
        a->at++;
    }
    if (a->at < a->count) {
        bring_on(a, &a->rows[a->at]);
    } else if (!a->flying) {
        sender_recheck(a->sender, false);
        a->flying = true;
        a->at = 0;
        step(a);
    } else {
        after_rows(a);
    }
}

/* ---- sending what was planned: the call needs the proof from the head on chain ---- */

static void put_call(struct anchoring *a, struct row *row, const struct merkle_proof *proof)
{
    struct buf data = heap_buf(CALLS_DATA_MAX);
    const struct row *old = before(a, row);
    calls_anchor(&data, &row->head, proof);
    if (buf_failed(&data)) {
        heap_buf_free(&data);
        settle(a, -ENOMEM);
        return;
    }
    sender_row_call(&row->sending, buf_str(&data));
    row->sending.replaces = old ? &old->sending : NULL;
    sender_step(a->sender, &row->sending, &a->view, on_step, a);
}

static void on_call_proof(void *owner, int r, const struct merkle_proof *proof)
{
    struct anchoring *a = owner;
    a->op = NULL;
    if (r == -EBADMSG) {
        alarm(a, "inconsistent");
        return;
    }
    if (r < 0) {
        settle(a, r);
        return;
    }
    put_call(a, &a->rows[a->at], proof);
}

static void on_call_head(void *owner, const struct quorum_answer *answer)
{
    static const struct merkle_proof none = { 0 };
    struct anchoring *a = owner;
    struct row *row = &a->rows[a->at];
    struct tree_span span = { .log = a->config.log, .to = { .size = row->head.size } };
    a->op = NULL;
    if (answer->r < 0 || abi_word(answer->bytes, 0, span.from.root.b) < 0 ||
        abi_u64(answer->bytes, 1, &span.from.size) < 0) {
        settle(a, -EAGAIN);
        return;
    }
    memcpy(span.to.root.b, row->head.root, sizeof(row->head.root));
    if (span.from.size >= row->head.size) {
        static const struct sender_state done = { STORE_FAILED, "head-is-there" };
        sender_set(a->sender, &row->sending, &done, on_step, a);
    } else if (span.from.size == 0) {
        put_call(a, row, &none);
    } else {
        a->op = tree_proof_load(a->config.db, &span, on_call_proof, a);
        if (!a->op) {
            settle(a, -EAGAIN);
        }
    }
}

static void send_planned(struct anchoring *a, struct row *row)
{
    (void)row;
    char data[CALL_ROOM];
    struct buf call = buf_fixed(data, sizeof(data));
    struct buf params = heap_buf(RPC_PARAMS_MAX);
    calls_head(&call, a->log_id);
    sender_put_call(&params, a->config.wallet->address, a->config.contract, buf_str(&call));
    struct quorum_ask ask = { .method = "eth_call",
                              .params = buf_str(&params),
                              .read = read_head };
    a->op = quorum_call(a->config.rpc, &ask, on_call_head, a);
    heap_buf_free(&params);
    if (!a->op) {
        settle(a, -EAGAIN);
    }
}

/* Is @proof there, and of the block that it is in now? */
static bool proves(struct str bytes, const uint8_t block[32])
{
    struct anchor_proof proof;
    uint8_t hash[DIGEST_SIZE];
    if (bytes.n == 0 || anchor_proof_read(bytes, &proof) < 0) {
        return false;
    }
    digest_keccak256(proof.header, hash);
    return memcmp(hash, block, sizeof(hash)) == 0;
}

static int take_row(struct anchoring *a, const struct db_rows *rows, int i)
{
    struct store_anchor from;
    struct row *row = &a->rows[a->count];
    int r = store_anchor_row(rows, i, &from);
    r = r ? r
          : sender_row_init(&row->sending, &from.sending, a->config.contract,
                            (struct str){ 0 });
    if (r < 0) {
        return r;
    }
    memcpy(row->head.log_id, a->log_id, sizeof(row->head.log_id));
    memcpy(row->head.root, from.root, sizeof(row->head.root));
    memcpy(row->head.note_hash, from.note_hash, sizeof(row->head.note_hash));
    row->head.size = from.size;
    row->proven = proves(from.proof, row->sending.block);
    a->count++;
    return 0;
}

static void on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct anchoring *a = arg;
    a->op = NULL;
    drop_rows(a);
    if (r == 0) {
        a->rows = calloc((size_t)db_count(rows) + 1, sizeof(*a->rows));
        r = a->rows ? 0 : -ENOMEM;
    }
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        r = take_row(a, rows, i);
    }
    if (r < 0) {
        settle(a, r);
        return;
    }
    a->at = 0;
    a->flying = false;
    step(a);
}

static void look(struct anchoring *a)
{
    a->again = false;
    a->busy = true;
    a->op = store_anchor_open(a->config.db, a->config.chain, on_rows, a);
    if (!a->op) {
        a->busy = false; /* the next look at the chain brings us back */
    }
}

struct anchoring *anchoring_new(const struct anchoring_config *config)
{
    struct anchoring *a = calloc(1, sizeof(*a));
    if (!a) {
        return NULL;
    }
    a->config = *config;
    digest_keccak256(str_z(config->origin), a->log_id);
    struct sender_config sender = {
        .base = config->base,
        .rpc = config->rpc,
        .db = config->db,
        .wallet = config->wallet,
        .chain = config->chain,
        .update = store_anchor_update,
        .name = "anchor",
    };
    a->sender = sender_new(&sender);
    if (!a->sender) {
        free(a);
        return NULL;
    }
    return a;
}

void anchoring_free(struct anchoring *a)
{
    if (a) {
        anchoring_lead(a, 0);
        sender_free(a->sender);
        free(a);
    }
}

void anchoring_lead(struct anchoring *a, uint64_t fence)
{
    op_cancel(a->op);
    a->op = NULL;
    sender_lead(a->sender, fence);
    drop_rows(a);
    a->fence = fence;
    a->busy = false;
    a->again = false;
    a->seen = false;
    a->surveyed = false;
    a->compared = false;
}

void anchoring_look(struct anchoring *a, const struct follower_view *view)
{
    if (view) {
        a->view = *view;
        a->seen = true;
    }
    if (!a->fence || !a->seen) {
        return;
    }
    if (a->busy) {
        a->again = a->again || !view;
        return;
    }
    look(a);
}

void anchoring_reorg(struct anchoring *a)
{
    a->compared = false;
    sender_recheck(a->sender, true);
}

bool anchoring_forked(const struct anchoring *a)
{
    return a->forked;
}
