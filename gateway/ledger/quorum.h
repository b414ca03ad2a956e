/*
 * Asking several nodes the same and taking what most of them say.
 *
 * A majority is more than half of the nodes configured, reached or not; of one node it is that
 * one, of two both. Once it has said the same, the others are waited for no longer.
 */
#pragma once

#include "crypto/base/buf.h"
#include "gateway/ledger/rpc.h"

enum {
    QUORUM_LINGER_MS = 300, /* for the heights of the rest, when a majority has told theirs */
};

/*
 * Write what counts of @result in one form, so that equal answers are equal bytes.
 * Return: 0, or anything else: not an answer
 */
typedef int (*quorum_read_fn)(const void *arg, const struct node *result, struct buf *out);

/*
 * @r:     0; -EAGAIN: no majority; -EREMOTEIO: a majority refused, see @error
 * @bytes: what the majority's answers were read to; valid during the call
 */
struct quorum_answer {
    int r;
    enum rpc_error error;
    const char *revert;
    struct str bytes;
};

typedef void (*quorum_fn)(void *owner, const struct quorum_answer *answer);

/*
 * @method, @params: as of struct rpc_ask
 * @read, @arg:      @arg is borrowed until the end
 * @height:          @read gives 8 bytes, big-endian; the answer is the largest number that a
 *                   majority has reached
 */
struct quorum_ask {
    const char *method;
    struct str params;
    quorum_read_fn read;
    const void *arg;
    bool height;
};

/* NULL: no memory, or too many calls under way. */
MUST_USE struct op *quorum_call(struct rpc *rpc, const struct quorum_ask *ask, quorum_fn done,
                                void *owner);

/* Of @n votes with @count for a height, sorted or not: what a majority of @n has reached.
 * Return: 0 or -EAGAIN */
MUST_USE int quorum_height(const uint64_t *votes, size_t count, size_t n, uint64_t *out);
