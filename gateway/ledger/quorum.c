/*
 * All are asked at once, and a majority that says the same decides at once: nodes that hang
 * hold nothing up. What a majority has reached may be higher with every answer, so there the
 * rest is waited for, but not for long.
 *
 *   asking --each vote--> decided? --all have voted, or most say the same--> done
 *     |                      |
 *     |                      +--a height, enough told--> lingering --a while--> done
 *     +<-------no------------+
 */
#include "gateway/ledger/quorum.h"

#include "gateway/heap.h"
#include "gateway/net/timer.h"

#include <errno.h>
#include <stdlib.h>

struct vote {
    struct call *call;
    struct op *op;
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
    struct event *linger; /* owned; of a height */
    bool lingering;
    size_t n;
    size_t open; /* votes not given yet */
    struct vote votes[RPC_ENDPOINTS_MAX];
};

static void call_free(struct call *call)
{
    if (call->linger) {
        event_free(call->linger);
    }
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

/* Heights of those who told one; returns how many. */
static size_t heights(const struct call *call, uint64_t votes[RPC_ENDPOINTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < call->n; i++) {
        const struct vote *vote = &call->votes[i];
        if (vote->error == RPC_OK && vote->bytes.n == sizeof(votes[0])) {
            votes[count++] = number(buf_str(&vote->bytes));
        }
    }
    return count;
}

static struct quorum_answer highest(const struct call *call, struct buf *out)
{
    uint64_t votes[RPC_ENDPOINTS_MAX];
    uint64_t value;
    if (quorum_height(votes, heights(call, votes), call->n, &value) < 0) {
        return most(call).r == -EREMOTEIO
                   ? most(call)
                   : (struct quorum_answer){ .r = -EAGAIN, .error = call->votes[0].error };
    }
    buf_be64(out, value);
    return (struct quorum_answer){ .revert = "", .bytes = buf_str(out) };
}

static void decide(struct call *call)
{
    uint8_t room[sizeof(uint64_t)];
    struct buf value = buf_fixed(room, sizeof(room));
    struct quorum_answer all = call->height ? highest(call, &value) : most(call);
    call->done(call->owner, &all);
    call_free(call);
}

static void on_linger(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct call *call = arg;
    for (size_t i = 0; i < call->n; i++) {
        if (call->votes[i].op) {
            rpc_late(call->rpc, i);
        }
    }
    decide(call);
}

static void on_vote(void *owner, const struct rpc_answer *answer)
{
    struct vote *vote = owner;
    struct call *call = vote->call;
    uint64_t votes[RPC_ENDPOINTS_MAX];
    vote->op = NULL;
    vote->error = answer->error;
    vote->revert = answer->revert;
    if (answer->error == RPC_OK && call->read(call->arg, answer->result, &vote->bytes) != 0) {
        vote->error = RPC_E_ANSWER;
    }
    if (vote->error != RPC_OK || buf_failed(&vote->bytes)) {
        vote->error = vote->error == RPC_OK ? RPC_E_ANSWER : vote->error;
        heap_buf_free(&vote->bytes);
    }
    if (--call->open == 0 || (!call->height && most(call).r != -EAGAIN)) {
        decide(call);
    } else if (call->height && !call->lingering && heights(call, votes) > call->n / 2) {
        call->lingering = true;
        (void)timer_once(call->linger, QUORUM_LINGER_MS);
    }
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
    if (call->height) {
        call->linger = event_new(rpc_base(rpc), -1, 0, on_linger, call);
    }
    for (size_t i = 0; i < call->n && (!call->height || call->linger); i++) {
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
