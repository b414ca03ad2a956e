/*
 * Heads of our log on AuditAnchor: when one is due, and what becomes of it.
 *
 * Before each anchor, at the start and every minute, the contract's head is compared with our
 * log. If it is ahead of ours, or ours doesn't grow out of it, an old backup was restored or
 * the log was forked: then nothing is anchored and the notary is told not to sign.
 *
 * Spec: spec/evidence.md 8.3, spec/ledger.md 13.1 and 13.2
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/ledger/rounds.h"

#include <stdbool.h>
#include <stdint.h>

struct anchoring;

/* @origin: borrowed. @every_ms, @leaves: ledger.anchor_every, ledger.anchor_leaves */
struct anchoring_config {
    struct rounds_config rounds;
    uint8_t contract[20];
    const char *origin;
    int16_t log;
    int64_t every_ms;
    uint64_t leaves;
};

MUST_USE struct anchoring *anchoring_new(const struct anchoring_config *config);
void anchoring_free(struct anchoring *anchoring);

/* The notary's epoch; 0: rest at once. */
void anchoring_lead(struct anchoring *anchoring, uint64_t fence);

/* The chain was looked at. NULL: a checkpoint was signed */
void anchoring_look(struct anchoring *anchoring, const struct follower_view *view);

/* Blocks were taken back. */
void anchoring_reorg(struct anchoring *anchoring);

/* The chain's head contradicts our log. */
bool anchoring_forked(const struct anchoring *anchoring);

/* What is known when it is asked whether an anchor is due. Times in ms since 1970. */
struct anchoring_due {
    uint64_t anchored; /* size of the contract's head */
    int64_t anchored_at;
    uint64_t signed_size; /* of the newest checkpoint */
    int64_t now;
    int64_t every_ms;
    uint64_t leaves;
};

bool anchoring_is_due(const struct anchoring_due *due);
