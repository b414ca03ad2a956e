/*
 * Evidence of a mined transaction: header of its block, and its receipt in the receipts trie.
 *
 * Nothing of it rests on the node that was asked: the header must hash to the block's hash, and
 * the receipts must make the trie that the header names.
 *
 * Spec: spec/ledger.md 13.1 (evidence), EIP-2718
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/ledger/rpc.h"

#include <stdint.h>

struct receipt_place {
    uint8_t tx[32];
    uint8_t block[32];
};

/* @r: 0; -EBADMSG: what the node says doesn't fit together; -EAGAIN: no answer.
 * @proof: as anchor_proof_put() writes it; valid during the call */
typedef void (*receipt_proof_fn)(void *owner, int r, struct str proof);

/* NULL: couldn't begin. */
MUST_USE struct op *receipt_proof_fetch(struct rpc *rpc, const struct receipt_place *place,
                                        receipt_proof_fn done, void *owner);
