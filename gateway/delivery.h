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
    DELIVERY_LOOK_MS = 100,    /* pause between two looks for rows */
    DELIVERY_CLIENTS_MAX = 32, /* MLLP connections to one destination */
};

MUST_USE struct delivery *delivery_new(struct worker *worker);
void delivery_free(struct delivery *delivery);

void delivery_start(struct delivery *delivery);

/* Begin nothing new, give the shards back when what runs has ended. */
void delivery_drain(struct delivery *delivery);

/* Whether nothing runs and no shard is held. */
bool delivery_idle(const struct delivery *delivery);

/* A run has ended: its row may go on at once. */
void delivery_ended(struct delivery *delivery, int64_t number);

/* A run no longer needs its connection; NULL is fine. */
void delivery_client_done(struct delivery *delivery, struct mllp_client *client);
