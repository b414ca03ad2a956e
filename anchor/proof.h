/* An inclusion proof with its checkpoint, as one text. https://c2sp.org/tlog-proof */
#pragma once

#include "anchor/merkle.h"
#include "crypto/base/buf.h"

/* @note: the signed checkpoint, borrowed. */
struct proof {
    uint64_t index;
    struct merkle_proof path;
    struct str note;
};

void proof_put(const struct proof *proof, struct buf *b);

/* Read a proof; one with extra data is refused, since nothing would vouch for it. 0 or -EINVAL
 */
MUST_USE int proof_read(struct str text, struct proof *out);
