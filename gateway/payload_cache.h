/*
 * Sealed payloads that this worker has just committed: most are delivered at once, and need not
 * be asked for.
 *
 * What is kept is what the database has, ciphertext: opening it takes its keys as ever.
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/store/audit.h"
#include "gateway/store/batch.h"

enum {
    PAYLOAD_CACHE_SLOTS = 512,
    PAYLOAD_CACHE_BYTES = 16 << 10, /* larger ones are not kept: 8 MB in all at most */
};

struct payload_cache;

/* NULL if there is no memory. */
MUST_USE struct payload_cache *payload_cache_new(void);
void payload_cache_free(struct payload_cache *cache);

/* Remember @payload, which is committed; another in its slot is forgotten. */
void payload_cache_keep(struct payload_cache *cache, const struct batch_payload *payload);

/* The payload @id as store_sealed_row() has it, without the patient; @out is set only on true
 * and borrows from the cache until the next one is kept. */
bool payload_cache_find(const struct payload_cache *cache, const uint8_t id[16],
                        struct store_sealed *out);
