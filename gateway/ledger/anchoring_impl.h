/* What the parts of the anchoring share; see anchoring.c for who calls whom. */
#pragma once

#include "gateway/ledger/anchoring.h"
#include "gateway/ledger/calls.h"
#include "gateway/ledger/quorum.h"
#include "gateway/ledger/sender.h"

enum {
    ANCHORING_RETRY_MS = 10000,
};

struct anchoring_row {
    struct sender_row sending;
    struct calls_head head;
    bool proven;
};

struct anchoring {
    struct anchoring_config config;
    struct sender *sender; /* owned */
    struct op *op;
    uint64_t fence;
    uint8_t log_id[32];
    struct follower_view view;
    bool seen;
    bool busy;
    bool again;
    bool surveyed;
    bool forked;
    bool flying;                /* the second pass: those not mined */
    struct anchoring_row *rows; /* owned */
    size_t count;
    size_t at;
    struct merkle_head newest; /* checkpoint */
    uint8_t note_hash[32];
    bool compared;      /* with the chain, since the start */
    int64_t compare_at; /* clock_mono_ms() */
    int64_t retry_at;   /* clock_mono_ms(); nothing is planned before, since one failed */
    struct merkle_head anchored; /* on chain */
    int64_t anchored_at;
};

/* This look is over. */
void anchoring_settle(struct anchoring *a, int r);

/* Not mined, and neither failed nor replaced. */
bool anchoring_open(const struct anchoring_row *row);

/* In the nodes' pools for too long. */
bool anchoring_stuck(const struct anchoring_row *row);

/* All rows had their turn: compare with the chain, plan the next one if it is due. */
void anchoring_compare(struct anchoring *a);

/* The log is not the chain's: stop, and say so. */
void anchoring_alarm(struct anchoring *a, const char *why);

/* Ask the contract for its head. Return: 0 or -EAGAIN */
MUST_USE int anchoring_ask_head(struct anchoring *a, quorum_fn done);

/* Send a planned row; ends in anchoring_on_step(). */
void anchoring_send(struct anchoring *a);
void anchoring_on_step(void *owner, int r);
