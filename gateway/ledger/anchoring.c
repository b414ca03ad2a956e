/*
 *   look --> rows --> each mined one (proof once safe) --> those in flight, oldest first
 *        --> newest checkpoint --due, or a minute over--> head on chain --ours grows out of
 * it--> proof --> plan --> sent as the next look begins
 *
 * One nonce is in flight. If it is stuck and a newer checkpoint is there, that one is planned
 * with the same nonce and higher fees; the older row stays open, listening, until one of them
 * is mined: the other is `replaced`.
 */
#include "gateway/ledger/anchoring_impl.h"

#include "crypto/digest.h"
#include "gateway/clock.h"
#include "gateway/ledger/anchor_proof.h"
#include "gateway/ledger/receipt_proof.h"
#include "gateway/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void look(struct anchoring *a);
static void step(struct anchoring *a);

bool anchoring_stuck(const struct anchoring_row *row)
{
    return row->sending.s.state == STORE_BROADCAST &&
           clock_utc_ms() - row->sending.s.changed > SENDER_STUCK_MS;
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

void anchoring_settle(struct anchoring *a, int r)
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

static bool mined(const struct anchoring_row *row)
{
    return row->sending.s.state == STORE_MINED || row->sending.s.state == STORE_SAFE;
}

bool anchoring_open(const struct anchoring_row *row)
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

static void on_proof_stored(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct anchoring *a = arg;
    a->op = NULL;
    if (r < 0) {
        anchoring_settle(a, r);
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
        sender_step(a->sender, &a->rows[a->at].sending, &view, anchoring_on_step, a);
        return;
    }
    a->op = store_anchor_prove(a->config.db, a->fence, a->rows[a->at].sending.s.id, proof,
                               on_proof_stored, a);
    if (!a->op) {
        anchoring_settle(a, -EAGAIN);
    }
}

static void prove(struct anchoring *a, const struct anchoring_row *row)
{
    struct receipt_place place;
    memcpy(place.tx, row->sending.hash, sizeof(place.tx));
    memcpy(place.block, row->sending.block, sizeof(place.block));
    a->op = receipt_proof_fetch(a->config.rpc, &place, on_proof, a);
    if (!a->op) {
        anchoring_settle(a, -EAGAIN);
    }
}

void anchoring_on_step(void *owner, int r)
{
    struct anchoring *a = owner;
    if (r < 0) {
        anchoring_settle(a, r);
        return;
    }
    if (a->rows[a->at].sending.s.state == STORE_FAILED) {
        a->compared = false;
        a->retry_at = clock_mono_ms() + ANCHORING_RETRY_MS;
    }
    a->at++;
    step(a);
}

/* Was another one with this nonce mined? Then this one never will be. */
static bool replaced(const struct anchoring *a, const struct anchoring_row *row)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct anchoring_row *other = &a->rows[i];
        if (other != row && other->sending.s.nonce == row->sending.s.nonce &&
            (mined(other) || other->sending.s.state == STORE_FINALIZED ||
             other->sending.s.state == STORE_FAILED) &&
            other->sending.s.block_number > 0 && row->sending.s.state != STORE_PLANNED) {
            return true;
        }
    }
    return false;
}

/* Is @row the last of those that are not mined? */
static bool last(const struct anchoring *a, const struct anchoring_row *row)
{
    for (const struct anchoring_row *other = row + 1; other < a->rows + a->count; other++) {
        if (anchoring_open(other)) {
            return false;
        }
    }
    return true;
}

/* Is @row stuck while a newer head waits? That one takes its place, instead of more of this. */
static bool outrun(const struct anchoring *a, const struct anchoring_row *row)
{
    return anchoring_stuck(row) && a->newest.size > row->head.size;
}

static void bring_on(struct anchoring *a, struct anchoring_row *row)
{
    static const struct sender_state gone = { STORE_REPLACED, "" };
    if (a->flying && replaced(a, row)) {
        sender_set(a->sender, &row->sending, &gone, anchoring_on_step, a);
    } else if (row->sending.s.state == STORE_PLANNED) {
        anchoring_send(a);
    } else if (row->sending.s.state == STORE_SAFE && !row->proven) {
        prove(a, row);
    } else {
        row->sending.listen = !last(a, row) || outrun(a, row);
        sender_step(a->sender, &row->sending, &a->view, anchoring_on_step, a);
    }
}

static void step(struct anchoring *a)
{
    while (a->at < a->count &&
           (a->flying ? !anchoring_open(&a->rows[a->at]) : !mined(&a->rows[a->at]))) {
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
        if (!a->surveyed) {
            a->surveyed = true;
            a->config.wallet->unknown--;
        }
        anchoring_compare(a);
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
    struct anchoring_row *row = &a->rows[a->count];
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
        anchoring_settle(a, r);
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
