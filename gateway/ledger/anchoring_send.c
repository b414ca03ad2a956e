/*
 * Sending what was planned. The call carries the proof from the head that the contract has now,
 * so it is made at the last moment and kept nowhere.
 */
#include "gateway/ledger/anchoring_impl.h"

#include "anchor/eth_call.h"
#include "gateway/heap.h"
#include "gateway/ledger/tree_proof.h"

#include <errno.h>
#include <string.h>

/* One in flight before @row whose nonce it is to take, or NULL. */
static const struct anchoring_row *before(const struct anchoring *a,
                                          const struct anchoring_row *row)
{
    for (size_t i = 0; i < a->rounds.count; i++) {
        const struct anchoring_row *other = anchoring_row(a, i);
        if (other != row && sender_row_open(&other->sending) &&
            other->sending.s.state != STORE_PLANNED) {
            return other;
        }
    }
    return NULL;
}

static void put_call(struct anchoring *a, struct anchoring_row *row,
                     const struct merkle_proof *proof)
{
    struct buf data = heap_buf(ETH_CALL_MAX);
    const struct anchoring_row *old = before(a, row);
    eth_call_anchor(a->log_id, &row->head, row->note_hash, proof, &data);
    if (buf_failed(&data)) {
        heap_buf_free(&data);
        rounds_settle(&a->rounds, -ENOMEM);
        return;
    }
    sender_row_call(&row->sending, buf_str(&data));
    row->sending.replaces = old ? &old->sending : NULL;
    rounds_send(&a->rounds, &a->rounds.view);
}

static void on_call_proof(void *owner, int r, const struct merkle_proof *proof)
{
    struct anchoring *a = owner;
    a->rounds.op = NULL;
    if (r == -EBADMSG) {
        anchoring_alarm(a, "inconsistent");
        return;
    }
    if (r < 0) {
        rounds_settle(&a->rounds, r);
        return;
    }
    put_call(a, anchoring_turn(a), proof);
}

static void on_call_head(void *owner, const struct quorum_answer *answer)
{
    static const struct merkle_proof none = { 0 };
    struct anchoring *a = owner;
    struct anchoring_row *row = anchoring_turn(a);
    struct eth_head there;
    struct tree_span span = { .log = a->config.log, .to = row->head };
    a->rounds.op = NULL;
    if (answer->r < 0 || eth_head_read(answer->bytes, &there) < 0) {
        rounds_settle(&a->rounds, -EAGAIN);
        return;
    }
    span.from = there.head;
    if (span.from.size >= row->head.size) {
        static const struct sender_state done = { STORE_FAILED, "head-is-there" };
        rounds_set(&a->rounds, &done);
    } else if (span.from.size == 0) {
        put_call(a, row, &none);
    } else {
        rounds_went(&a->rounds, tree_proof_load(a->rounds.config.db, &span, on_call_proof, a));
    }
}

void anchoring_send(struct anchoring *a)
{
    anchoring_ask_head(a, on_call_head);
}
