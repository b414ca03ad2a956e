/*
 * What waits to be relayed for consents (table relay): sent in order, one after the other, from
 * the relaying account, and followed until it is final.
 *
 * Revocations whose block a reorganisation took are sent again: the same bytes if they were
 * ours, by attestation if somebody else had sent them.
 *
 * Spec: spec/ledger.md 13.1, spec/consent.md 5.7
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/ledger/rounds.h"

#include <stdint.h>

struct relay;

struct relay_config {
    struct rounds_config rounds;
    uint8_t registry[20];
};

MUST_USE struct relay *relay_new(const struct relay_config *config);
void relay_free(struct relay *relay);

/* The notary's epoch; 0: rest at once. */
void relay_lead(struct relay *relay, uint64_t fence);

/* The chain was looked at, or something was planned. NULL: no news of the chain */
void relay_look(struct relay *relay, const struct follower_view *view);

/* Blocks were taken back. */
void relay_reorg(struct relay *relay);
