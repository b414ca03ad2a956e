/* Proofs of our own log, out of the tiles in the database. */
#pragma once

#include "anchor/merkle.h"
#include "crypto/base/attr.h"
#include "gateway/op.h"

#include <stdint.h>

struct db;

/* @r: 0 or -errno; -EBADMSG: the tiles don't lead from one to the other.
 * @proof: valid during the call; checked */
typedef void (*tree_proof_fn)(void *owner, int r, const struct merkle_proof *proof);

/* That @from begins @to; sizes from 1 up. NULL: couldn't begin. */
struct tree_span {
    int16_t log;
    struct merkle_head from;
    struct merkle_head to;
};

MUST_USE struct op *tree_proof_load(struct db *db, const struct tree_span *span,
                                    tree_proof_fn done, void *owner);

/* That @leaf stands at @index in @head, a tree of two leaves or more. */
struct tree_leaf {
    int16_t log;
    uint64_t index;
    struct merkle_hash leaf;
    struct merkle_head head;
};

MUST_USE struct op *tree_proof_leaf(struct db *db, const struct tree_leaf *leaf,
                                    tree_proof_fn done, void *owner);
