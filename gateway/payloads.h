/*
 * Sealed payloads for whoever delivers them: from memory if this worker has just committed
 * them, else from PostgreSQL, many in one query.
 *
 * They are handed out one in a turn of the loop, in turns with nothing else to do: opening and
 * translating one takes a while, and those who wait for an answer come first. On a loop that
 * always has something to do, one every PAYLOADS_PAUSE_MS.
 */
#pragma once

#include "gateway/op.h"
#include "gateway/payload_cache.h"

struct db;
struct event_base;
struct payloads;

enum {
    PAYLOADS_TOGETHER_MAX = 64,         /* in one query */
    PAYLOADS_TOGETHER_BYTES = 64 << 10, /* larger ones are asked for alone */
    PAYLOADS_PAUSE_MS = 5,
};

/* @base has at least two priorities. All borrowed; NULL if there is no memory. */
MUST_USE struct payloads *payloads_new(struct event_base *base, struct db *db);

/* Those that haven't ended are dropped without completion. */
void payloads_free(struct payloads *payloads);

/* Remember @payload, which is committed. */
void payloads_keep(struct payloads *payloads, const struct batch_payload *payload);

/**
 * typedef payloads_done_fn - a payload is at hand
 * @r:       0; -ENOENT: there is none; -errno as db_query()
 * @payload: valid during the call, without the patient; set only on 0
 */
typedef void (*payloads_done_fn)(void *arg, int r, const struct store_sealed *payload);

/* The payload @id. Return: the op; NULL if there is no memory */
MUST_USE struct op *payloads_fetch(struct payloads *payloads, const uint8_t id[16],
                                   payloads_done_fn done, void *arg);
