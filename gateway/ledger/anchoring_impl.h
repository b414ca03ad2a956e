/* What the parts of the anchoring share; see anchoring.c for who calls whom. */
#pragma once

#include "anchor/merkle.h"
#include "gateway/ledger/anchoring.h"
#include "gateway/ledger/quorum.h"

enum {
    ANCHORING_RETRY_MS = 10000,
};

struct anchoring_row {
    struct sender_row sending;
    struct merkle_head head;
    uint8_t note_hash[32];
    bool proven;
};

struct anchoring {
    struct rounds rounds;
    struct anchoring_config config;
    uint8_t log_id[32];
    bool forked;
    struct merkle_head newest; /* checkpoint */
    uint8_t note_hash[32];
    bool compared;      /* with the chain, since the start */
    int64_t compare_at; /* clock_mono_ms() */
    int64_t retry_at;   /* clock_mono_ms(); nothing is planned before, since one failed */
    struct merkle_head anchored; /* on chain */
    int64_t anchored_at;
};

/* Row @i of this round; the one whose turn it is. */
struct anchoring_row *anchoring_row(const struct anchoring *a, size_t i);
struct anchoring_row *anchoring_turn(const struct anchoring *a);

/* All rows had their turn: compare with the chain, plan the next one if it is due. */
void anchoring_compare(struct anchoring *a);

/* The log is not the chain's: stop, and say so. */
void anchoring_alarm(struct anchoring *a, const char *why);

/* Ask the contract for its head. */
void anchoring_ask_head(struct anchoring *a, quorum_fn done);

/* Send the planned row whose turn it is. */
void anchoring_send(struct anchoring *a);
