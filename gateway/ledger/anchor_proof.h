/*
 * The evidence of an anchor as the database keeps it: the block's header, the place of the
 * transaction in the block, and the trie proof of its receipt. RLP: [header, index, [node …]].
 *
 * What `audit prove` puts into struct evidence_anchor; note and consistency come from the
 * checkpoints.
 */
#pragma once

#include "anchor/trie.h"
#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stddef.h>
#include <stdint.h>

enum {
    ANCHOR_PROOF_MAX = 1 << 20, /* bytes */
};

/* Spans borrow from what was read. */
struct anchor_proof {
    struct str header;
    uint64_t index;
    size_t count;
    struct str nodes[TRIE_NODES_MAX];
};

void anchor_proof_put(struct buf *b, const struct anchor_proof *proof);

/* Return: 0 or -EBADMSG; @out is set only on 0 */
MUST_USE int anchor_proof_read(struct str bytes, struct anchor_proof *out);
