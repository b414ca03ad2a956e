/*
 * Sending what was planned. The call carries the proof from the head that the contract has now,
 * so it is made at the last moment and kept nowhere.
 */
#include "gateway/ledger/anchoring_impl.h"

#include "anchor/abi.h"
#include "gateway/heap.h"
#include "gateway/ledger/tree_proof.h"

#include <errno.h>
#include <string.h>

/* One in flight before @row whose nonce it is to take, or NULL. */
static const struct anchoring_row *before(const struct anchoring *a,
                                          const struct anchoring_row *row)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct anchoring_row *other = &a->rows[i];
        if (other != row && anchoring_open(other) && other->sending.s.state != STORE_PLANNED) {
            return other;
        }
    }
    return NULL;
}

static void put_call(struct anchoring *a, struct anchoring_row *row,
                     const struct merkle_proof *proof)
{
    struct buf data = heap_buf(CALLS_DATA_MAX);
    const struct anchoring_row *old = before(a, row);
    calls_anchor(&data, &row->head, proof);
    if (buf_failed(&data)) {
        heap_buf_free(&data);
        anchoring_settle(a, -ENOMEM);
        return;
    }
    sender_row_call(&row->sending, buf_str(&data));
    row->sending.replaces = old ? &old->sending : NULL;
    sender_step(a->sender, &row->sending, &a->view, anchoring_on_step, a);
}

static void on_call_proof(void *owner, int r, const struct merkle_proof *proof)
{
    struct anchoring *a = owner;
    a->op = NULL;
    if (r == -EBADMSG) {
        anchoring_alarm(a, "inconsistent");
        return;
    }
    if (r < 0) {
        anchoring_settle(a, r);
        return;
    }
    put_call(a, &a->rows[a->at], proof);
}

static void on_call_head(void *owner, const struct quorum_answer *answer)
{
    static const struct merkle_proof none = { 0 };
    struct anchoring *a = owner;
    struct anchoring_row *row = &a->rows[a->at];
    struct tree_span span = { .log = a->config.log, .to = { .size = row->head.size } };
    a->op = NULL;
    if (answer->r < 0 || abi_word(answer->bytes, 0, span.from.root.b) < 0 ||
        abi_u64(answer->bytes, 1, &span.from.size) < 0) {
        anchoring_settle(a, -EAGAIN);
        return;
    }
    memcpy(span.to.root.b, row->head.root, sizeof(row->head.root));
    if (span.from.size >= row->head.size) {
        static const struct sender_state done = { STORE_FAILED, "head-is-there" };
        sender_set(a->sender, &row->sending, &done, anchoring_on_step, a);
    } else if (span.from.size == 0) {
        put_call(a, row, &none);
    } else {
        a->op = tree_proof_load(a->config.db, &span, on_call_proof, a);
        if (!a->op) {
            anchoring_settle(a, -EAGAIN);
        }
    }
}

void anchoring_send(struct anchoring *a)
{
    if (anchoring_ask_head(a, on_call_head) < 0) {
        anchoring_settle(a, -EAGAIN);
    }
}
