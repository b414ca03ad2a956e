/*
 * Delivery from the outbox.
 *
 * A worker leases shards of the outbox, takes the rows that may go now and runs one delivery
 * exchange for each: of a patient only the oldest waiting row, so order holds within a patient
 * and nobody waits for another. What a row becomes is written together with its record.
 */
#pragma once

#include "gateway/op.h"
#include "gateway/worker.h"

struct delivery;
struct store_outbox;

enum {
    DELIVERY_RUNS_MAX = 64,    /* under way in one worker */
    DELIVERY_LEASE_MS = 10000, /* of a shard; renewed after a third */
    DELIVERY_GATHER_MS = 10,   /* while others run, for rows to be asked for together */
    DELIVERY_LOOK_MS = 100,    /* least pause between two looks at all shards */
    DELIVERY_LOOK_MAX = 2000,  /* most; between them it is twenty times what the last took */
    DELIVERY_LINES_MAX = 256,  /* patients whose next row may be due; more: look at all */
};

MUST_USE struct delivery *delivery_new(struct worker *worker);
void delivery_free(struct delivery *delivery);

void delivery_start(struct delivery *delivery);

/* Begin nothing new, give the shards back when what runs has ended. */
void delivery_drain(struct delivery *delivery);

/* Whether nothing runs and no shard is held. */
bool delivery_idle(const struct delivery *delivery);

/*
 * A row of @patient for @destination may be due now: it was committed, or the one before it is
 * done. @destination lives as long as the configuration. If another worker holds its shard,
 * that one is told.
 */
void delivery_wake(struct delivery *delivery, struct str destination,
                   const uint8_t patient[16]);

/* A run has ended. */
void delivery_ended(struct delivery *delivery, int64_t number);

/* A run no longer needs its connection; NULL is fine. */
void delivery_client_done(struct delivery *delivery, struct mllp_client *client);
