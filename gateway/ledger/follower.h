/*
 * Following the chain: events of ConsentRegistry into PostgreSQL, block after block.
 *
 * A step is taken only on what a majority of the nodes says and what fits onto the blocks kept;
 * otherwise nothing moves, the view of the ledger ages, and the gateway closes by itself.
 *
 * Spec: spec/contracts.md 10.3, spec/consent.md 5.7
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/ledger/rpc.h"
#include "gateway/store/chain.h"

#include <stdbool.h>
#include <stdint.h>

struct db;
struct event_base;
struct follower;

/* Heights that a majority of the nodes has reached; what is kept reaches up to @latest. */
struct follower_view {
    uint64_t latest;
    uint64_t safe;
    uint64_t finalized;
};

/*
 * @on_step:   a look at the chain ended well and all of it is stored
 * @on_reorg:  blocks were taken back
 * @on_fenced: another process leads
 */
struct follower_calls {
    void (*on_step)(void *owner, const struct follower_view *view);
    void (*on_reorg)(void *owner);
    void (*on_fenced)(void *owner);
};

/* @deployed: block to begin at. @confirmations: 0: the chain's own safe block. */
struct follower_config {
    struct event_base *base;
    struct rpc *rpc; /* borrowed */
    struct db *db;   /* borrowed */
    uint64_t chain;
    uint8_t registry[20];
    uint64_t deployed;
    uint64_t confirmations;
    int64_t poll_ms;
};

MUST_USE struct follower *follower_new(const struct follower_config *config,
                                       const struct follower_calls *calls, void *owner);
void follower_free(struct follower *follower);

/* Begin, with the notary's epoch; stop at once. */
void follower_start(struct follower *follower, uint64_t fence);
void follower_stop(struct follower *follower);

/* Which block a search for the fork compares next, and what it found. */
enum follower_fork {
    FOLLOWER_FORK_NONE,  /* the nodes are behind us, or nothing is wrong */
    FOLLOWER_FORK_HERE,  /* blocks above this kept one are gone */
    FOLLOWER_FORK_LOWER, /* this one is gone too */
};

/**
 * follower_judge() - is a kept block still on the chain, and what follows from it?
 * @kept:  block that we kept
 * @now:   the chain's block of that number
 * @at:    last block that we applied
 * @head:  the chain's head
 */
enum follower_fork follower_judge(const struct store_block *kept, const struct store_block *now,
                                  uint64_t at, uint64_t head);

/* Safe height by confirmations: the last block with @n blocks after it; 0 if there is none. */
uint64_t follower_confirmed(uint64_t latest, uint64_t n);
