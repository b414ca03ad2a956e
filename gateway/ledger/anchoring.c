/*
 *   rounds as in rounds.h: each mined one (proof once safe) --> those in flight, oldest first
 *        --> newest checkpoint --due, or a minute over--> head on chain
 *        --ours grows out of it--> plan --> sent in the next round
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

struct anchoring_row *anchoring_row(const struct anchoring *a, size_t i)
{
    return (struct anchoring_row *)rounds_row(&a->rounds, i);
}

struct anchoring_row *anchoring_turn(const struct anchoring *a)
{
    return anchoring_row(a, a->rounds.at);
}

static void on_proof_stored(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct anchoring *a = arg;
    a->rounds.op = NULL;
    if (r < 0) {
        rounds_settle(&a->rounds, r);
        return;
    }
    struct anchoring_row *row = anchoring_turn(a);
    log_line(LOG_INFO, "anchor proven", LOG_I("id", row->sending.s.id),
             LOG_I("size", row->head.size));
    row->proven = true;
    rounds_next(&a->rounds);
}

static void on_proof(void *owner, int r, struct str proof)
{
    struct anchoring *a = owner;
    int64_t id = anchoring_turn(a)->sending.s.id;
    a->rounds.op = NULL;
    if (r < 0) {
        /* Is it still where it was? It isn't final before it's proven. */
        struct follower_view view = a->rounds.view;
        view.finalized = 0;
        log_line(LOG_WARN, "anchor not proven yet", LOG_I("id", id), LOG_ERRNO(r));
        sender_recheck(a->rounds.sender, true);
        rounds_send(&a->rounds, &view);
        return;
    }
    rounds_went(&a->rounds, store_anchor_prove(a->rounds.config.db, a->rounds.fence, id, proof,
                                               on_proof_stored, a));
}

static void prove(struct anchoring *a, const struct anchoring_row *row)
{
    struct receipt_place place;
    memcpy(place.tx, row->sending.hash, sizeof(place.tx));
    memcpy(place.block, row->sending.block, sizeof(place.block));
    rounds_went(&a->rounds, receipt_proof_fetch(a->rounds.config.rpc, &place, on_proof, a));
}

/* Was another one with this nonce mined? Then this one never will be. */
static bool replaced(const struct anchoring *a, const struct anchoring_row *row)
{
    for (size_t i = 0; i < a->rounds.count; i++) {
        const struct anchoring_row *other = anchoring_row(a, i);
        if (other != row && other->sending.s.nonce == row->sending.s.nonce &&
            (sender_row_mined(&other->sending) || other->sending.s.state == STORE_FINALIZED ||
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
    for (size_t i = a->rounds.count; i-- > 0;) {
        const struct anchoring_row *other = anchoring_row(a, i);
        if (sender_row_open(&other->sending)) {
            return other == row;
        }
    }
    return true;
}

/* Is @row stuck while a newer head waits? That one takes its place, instead of more of this. */
static bool outrun(const struct anchoring *a, const struct anchoring_row *row)
{
    return sender_row_stuck(&row->sending) && a->newest.size > row->head.size;
}

static void bring(struct rounds *rounds, struct sender_row *sending)
{
    static const struct sender_state gone = { STORE_REPLACED, "" };
    struct anchoring *a = (struct anchoring *)rounds;
    struct anchoring_row *row = (struct anchoring_row *)sending;
    if (rounds->flying && replaced(a, row)) {
        rounds_set(rounds, &gone);
    } else if (sending->s.state == STORE_PLANNED) {
        anchoring_send(a);
    } else if (sending->s.state == STORE_SAFE && !row->proven) {
        prove(a, row);
    } else {
        sending->listen = !last(a, row) || outrun(a, row);
        rounds_send(rounds, &rounds->view);
    }
}

/* One in flight doesn't hold up those after it: they take its nonce. */
static bool stepped(struct rounds *rounds, struct sender_row *row, int r)
{
    struct anchoring *a = (struct anchoring *)rounds;
    (void)r;
    if (row->s.state == STORE_FAILED) {
        a->compared = false;
        a->retry_at = clock_mono_ms() + ANCHORING_RETRY_MS;
    }
    return false;
}

static void after(struct rounds *rounds)
{
    anchoring_compare((struct anchoring *)rounds);
}

static struct op *open_rows(struct rounds *rounds, db_done_fn done, void *arg)
{
    return store_anchor_open(rounds->config.db, rounds->config.chain, done, arg);
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

static int take(struct rounds *rounds, const struct db_rows *rows, int i, void *out)
{
    const struct anchoring *a = (const struct anchoring *)rounds;
    struct anchoring_row *row = out;
    struct store_anchor from;
    int r = store_anchor_row(rows, i, &from);
    r = r ? r
          : sender_row_init(&row->sending, &from.sending, a->config.contract,
                            (struct str){ 0 });
    if (r < 0) {
        return r;
    }
    memcpy(row->head.root.b, from.root, sizeof(row->head.root.b));
    memcpy(row->note_hash, from.note_hash, sizeof(row->note_hash));
    row->head.size = from.size;
    row->proven = proves(from.proof, row->sending.block);
    return 0;
}

static const struct rounds_kind kind = {
    .name = "anchor",
    .update = store_anchor_update,
    .row_size = sizeof(struct anchoring_row),
    .open = open_rows,
    .take = take,
    .bring = bring,
    .stepped = stepped,
    .after = after,
};

struct anchoring *anchoring_new(const struct anchoring_config *config)
{
    struct anchoring *a = calloc(1, sizeof(*a));
    if (!a) {
        return NULL;
    }
    a->config = *config;
    digest_keccak256(str_z(config->origin), a->log_id);
    if (rounds_init(&a->rounds, &kind, &config->rounds) < 0) {
        free(a);
        return NULL;
    }
    return a;
}

void anchoring_free(struct anchoring *a)
{
    if (a) {
        rounds_deinit(&a->rounds);
        free(a);
    }
}

void anchoring_lead(struct anchoring *a, uint64_t fence)
{
    rounds_lead(&a->rounds, fence);
    a->compared = false;
}

void anchoring_look(struct anchoring *a, const struct follower_view *view)
{
    rounds_look(&a->rounds, view);
}

void anchoring_reorg(struct anchoring *a)
{
    a->compared = false;
    sender_recheck(a->rounds.sender, true);
}

bool anchoring_forked(const struct anchoring *a)
{
    return a->forked;
}
