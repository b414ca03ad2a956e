/* All are asked at once; the last answer, or the end of the node's time, decides. */
#include "gateway/ledger/quorum.h"

#include "gateway/heap.h"

#include <errno.h>
#include <stdlib.h>

struct vote {
    struct call *call;
    struct op *op;
    bool given;
    enum rpc_error error;
    const char *revert;
    struct buf bytes; /* owned */
};

struct call {
    struct op op;
    struct rpc *rpc;
    quorum_read_fn read;
    const void *arg;
    bool height;
    quorum_fn done;
    void *owner;
    size_t n;
    size_t open; /* votes not given yet */
    struct vote votes[RPC_ENDPOINTS_MAX];
};

static void call_free(struct call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        op_cancel(call->votes[i].op);
        heap_buf_free(&call->votes[i].bytes);
    }
    free(call);
}

static void on_cancel(struct op *op)
{
    call_free((struct call *)op);
}

static int descending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

int quorum_height(const uint64_t *votes, size_t count, size_t n, uint64_t *out)
{
    uint64_t sorted[RPC_ENDPOINTS_MAX];
    size_t need = n / 2 + 1;
    if (count < need || count > RPC_ENDPOINTS_MAX) {
        return -EAGAIN;
    }
    memcpy(sorted, votes, count * sizeof(votes[0]));
    qsort(sorted, count, sizeof(sorted[0]), descending);
    *out = sorted[need - 1];
    return 0;
}

static bool same(const struct vote *a, const struct vote *b)
{
    return a->error == b->error && str_eq(buf_str(&a->bytes), buf_str(&b->bytes));
}

/* A node that wasn't reached has no vote. */
static bool counts(const struct vote *vote)
{
    return vote->error != RPC_E_TRANSPORT && vote->error != RPC_E_CHAIN &&
           vote->error != RPC_E_ANSWER;
}

static struct quorum_answer most(const struct call *call)
{
    struct quorum_answer none = { .r = -EAGAIN, .error = call->votes[0].error, .revert = "" };
    for (size_t i = 0; i < call->n; i++) {
        const struct vote *vote = &call->votes[i];
        size_t n = 0;
        for (size_t k = 0; k < call->n; k++) {
            n += same(vote, &call->votes[k]);
        }
        if (n > call->n / 2 && counts(vote)) {
            return (struct quorum_answer){ .r = vote->error == RPC_OK ? 0 : -EREMOTEIO,
                                           .error = vote->error,
                                           .revert = vote->revert,
                                           .bytes = buf_str(&vote->bytes) };
        }
    }
    return none;
}

static uint64_t number(struct str bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        value = value << 8 | (uint8_t)bytes.p[i];
    }
    return value;
}

static struct quorum_answer highest(const struct call *call, struct buf *out)
{
    uint64_t votes[RPC_ENDPOINTS_MAX];
    size_t count = 0;
    uint64_t value;
    for (size_t i = 0; i < call->n; i++) {
        const struct vote *vote = &call->votes[i];
        if (vote->error == RPC_OK && vote->bytes.n == sizeof(value)) {
            votes[count++] = number(buf_str(&vote->bytes));
        }
    }
    if (quorum_height(votes, count, call->n, &value) < 0) {
        return most(call).r == -EREMOTEIO
                   ? most(call)
                   : (struct quorum_answer){ .r = -EAGAIN, .error = call->votes[0].error };
    }
    buf_be64(out, value);
    return (struct quorum_answer){ .revert = "", .bytes = buf_str(out) };
}

static void on_vote(void *owner, const struct rpc_answer *answer)
{
    struct vote *vote = owner;
    struct call *call = vote->call;
    vote->op = NULL;
    vote->given = true;
    vote->error = answer->error;
    vote->revert = answer->revert;
    if (answer->error == RPC_OK && call->read(call->arg, answer->result, &vote->bytes) != 0) {
        vote->error = RPC_E_ANSWER;
    }
    if (vote->error != RPC_OK || buf_failed(&vote->bytes)) {
        vote->error = vote->error == RPC_OK ? RPC_E_ANSWER : vote->error;
        heap_buf_free(&vote->bytes);
    }
    if (--call->open > 0) {
        return;
    }
    uint8_t room[sizeof(uint64_t)];
    struct buf value = buf_fixed(room, sizeof(room));
    struct quorum_answer all = call->height ? highest(call, &value) : most(call);
    call->done(call->owner, &all);
    call_free(call);
}

struct op *quorum_call(struct rpc *rpc, const struct quorum_ask *ask, quorum_fn done,
                       void *owner)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        return NULL;
    }
    call->op.cancel = on_cancel;
    call->rpc = rpc;
    call->read = ask->read;
    call->arg = ask->arg;
    call->height = ask->height;
    call->done = done;
    call->owner = owner;
    call->n = rpc_endpoints(rpc);
    for (size_t i = 0; i < call->n; i++) {
        struct vote *vote = &call->votes[i];
        struct rpc_ask one = { ask->method, ask->params, i };
        vote->call = call;
        vote->error = RPC_E_TRANSPORT;
        vote->revert = "";
        vote->bytes = heap_buf(RPC_ANSWER_MAX);
        vote->op = rpc_call(rpc, &one, on_vote, vote);
        call->open += vote->op != NULL;
    }
    if (call->open == 0) {
        call_free(call);
        return NULL;
    }
    return &call->op;
}
