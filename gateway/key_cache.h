/*
 * A bounded cache of keys in guarded memory, least recently used out.
 *
 * Found by patient (the newest key that was put for it) and by key id.
 */
#pragma once

#include "crypto/secret.h"

#include <stddef.h>
#include <stdint.h>

/*
 * @id:     as stored beside what it seals
 * @secret: in the slab
 */
struct vault_key {
    uint8_t id[16];
    uint8_t patient[16];
    const uint8_t *secret;
};

struct key_cache;

/* Room for @max keys; NULL if there is no memory, or it can't be locked. */
MUST_USE struct key_cache *key_cache_new(size_t max);
void key_cache_free(struct key_cache *cache);

/* Keep a key and return it; @newest: it is what key_cache_patient() gives from now on. */
const struct vault_key *key_cache_put(struct key_cache *cache, const uint8_t id[16],
                                      const uint8_t patient[16],
                                      const uint8_t secret[SECRET_SIZE], bool newest);

/* NULL if it isn't there. Valid until the next put. */
const struct vault_key *key_cache_patient(struct key_cache *cache, const uint8_t patient[16]);
const struct vault_key *key_cache_id(struct key_cache *cache, const uint8_t id[16]);

/* Wipe key @id, or all if NULL. */
void key_cache_forget(struct key_cache *cache, const uint8_t *id);
