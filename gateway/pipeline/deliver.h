/*
 * Delivering a message from the outbox.
 *
 *   claim → translate → consent → forward → seal → record
 *
 * The stored message is opened, translated with the rows in force now, decided again, sent,
 * and what came of it is recorded together with the new state of the outbox row.
 */
#pragma once

#include "gateway/delivery.h"
#include "gateway/store/outbox.h"

/**
 * deliver_start() - begin a delivery
 * @row:    copied
 * @lease:  epoch under which its shard is held
 * @client: connection to its v2 receiver, given back at the end; NULL for FHIR servers
 *
 * delivery_ended() is called at the end. Return: 0 or -ENOMEM
 */
MUST_USE int deliver_start(struct delivery *delivery, struct worker *worker,
                           const struct store_outbox *row, int64_t lease,
                           struct mllp_client *client);
