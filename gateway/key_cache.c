/*
 * Slots in an array, linked three ways: by use, by patient, by key id.
 *
 * Links are indexes, NONE ends a list. Ids and patients are random, so their first bytes are
 * hash enough.
 */
#include "gateway/key_cache.h"

#include <stdlib.h>
#include <string.h>

enum {
    BUCKETS = 1 << 14,
};

#define NONE UINT32_MAX

struct slot {
    struct vault_key key;
    bool newest; /* is in its patient's bucket */
    uint32_t next_patient;
    uint32_t next_id; /* also links free slots */
    uint32_t newer;
    uint32_t older;
};

struct key_cache {
    struct secret_slab slab;
    struct slot *slots; /* owned */
    size_t max;
    uint32_t free; /* first free slot */
    uint32_t newest;
    uint32_t oldest;
    uint32_t by_patient[BUCKETS];
    uint32_t by_id[BUCKETS];
};

static size_t bucket(const uint8_t value[16])
{
    uint32_t hash;
    memcpy(&hash, value + 12, sizeof(hash)); /* the random end of a UUIDv7 */
    return hash % BUCKETS;
}

static void clear(struct key_cache *cache)
{
    memset(cache->by_patient, 0xff, sizeof(cache->by_patient));
    memset(cache->by_id, 0xff, sizeof(cache->by_id));
    for (uint32_t i = 0; i < cache->max; i++) {
        cache->slots[i].next_id = i + 1 < cache->max ? i + 1 : NONE;
    }
    cache->free = 0;
    cache->newest = NONE;
    cache->oldest = NONE;
    secret_wipe(cache->slab.p, cache->slab.size);
}

struct key_cache *key_cache_new(size_t max)
{
    struct key_cache *cache = calloc(1, sizeof(*cache));
    if (!cache) {
        return NULL;
    }
    cache->max = max;
    cache->slots = calloc(max, sizeof(*cache->slots));
    if (!cache->slots || secret_slab_init(&cache->slab, max * SECRET_SIZE) < 0) {
        key_cache_free(cache);
        return NULL;
    }
    clear(cache);
    return cache;
}

void key_cache_free(struct key_cache *cache)
{
    if (cache) {
        secret_slab_deinit(&cache->slab);
        free(cache->slots);
        free(cache);
    }
}

static void unlink_use(struct key_cache *cache, uint32_t i)
{
    const struct slot *slot = &cache->slots[i];
    *(slot->newer == NONE ? &cache->newest : &cache->slots[slot->newer].older) = slot->older;
    *(slot->older == NONE ? &cache->oldest : &cache->slots[slot->older].newer) = slot->newer;
}

static void link_use(struct key_cache *cache, uint32_t i)
{
    struct slot *slot = &cache->slots[i];
    slot->newer = NONE;
    slot->older = cache->newest;
    *(cache->newest == NONE ? &cache->oldest : &cache->slots[cache->newest].newer) = i;
    cache->newest = i;
}

static void unlink_patient(struct key_cache *cache, uint32_t i)
{
    struct slot *slot = &cache->slots[i];
    uint32_t *at = &cache->by_patient[bucket(slot->key.patient)];
    while (slot->newest && *at != i) {
        at = &cache->slots[*at].next_patient;
    }
    if (slot->newest) {
        *at = slot->next_patient;
        slot->newest = false;
    }
}

static void drop(struct key_cache *cache, uint32_t i)
{
    struct slot *slot = &cache->slots[i];
    unlink_use(cache, i);
    unlink_patient(cache, i);
    uint32_t *at = &cache->by_id[bucket(slot->key.id)];
    while (*at != i) {
        at = &cache->slots[*at].next_id;
    }
    *at = slot->next_id;
    secret_wipe(cache->slab.p + (size_t)i * SECRET_SIZE, SECRET_SIZE);
    slot->next_id = cache->free;
    cache->free = i;
}

static uint32_t find_id(const struct key_cache *cache, const uint8_t id[16])
{
    uint32_t i = cache->by_id[bucket(id)];
    while (i != NONE && memcmp(cache->slots[i].key.id, id, 16) != 0) {
        i = cache->slots[i].next_id;
    }
    return i;
}

static uint32_t find_patient(const struct key_cache *cache, const uint8_t patient[16])
{
    uint32_t i = cache->by_patient[bucket(patient)];
    while (i != NONE && memcmp(cache->slots[i].key.patient, patient, 16) != 0) {
        i = cache->slots[i].next_patient;
    }
    return i;
}

static const struct vault_key *use(struct key_cache *cache, uint32_t i)
{
    if (i == NONE) {
        return NULL;
    }
    unlink_use(cache, i);
    link_use(cache, i);
    return &cache->slots[i].key;
}

/* A slot for a key that isn't held yet. */
static uint32_t enter(struct key_cache *cache, const uint8_t id[16], const uint8_t patient[16],
                      const uint8_t secret[SECRET_SIZE])
{
    if (cache->free == NONE) {
        drop(cache, cache->oldest);
    }
    uint32_t i = cache->free;
    struct slot *slot = &cache->slots[i];
    cache->free = slot->next_id;

    uint8_t *kept = cache->slab.p + (size_t)i * SECRET_SIZE;
    memcpy(kept, secret, SECRET_SIZE);
    memcpy(slot->key.id, id, 16);
    memcpy(slot->key.patient, patient, 16);
    slot->key.secret = kept;
    slot->newest = false;
    slot->next_id = cache->by_id[bucket(id)];
    cache->by_id[bucket(id)] = i;
    link_use(cache, i);
    return i;
}

const struct vault_key *key_cache_put(struct key_cache *cache, const uint8_t id[16],
                                      const uint8_t patient[16],
                                      const uint8_t secret[SECRET_SIZE], bool newest)
{
    uint32_t i = find_id(cache, id);
    if (i == NONE) {
        i = enter(cache, id, patient, secret);
    }
    if (newest) {
        uint32_t before = find_patient(cache, patient);
        if (before != NONE) {
            unlink_patient(cache, before);
        }
        struct slot *slot = &cache->slots[i];
        slot->newest = true;
        slot->next_patient = cache->by_patient[bucket(patient)];
        cache->by_patient[bucket(patient)] = i;
    }
    return use(cache, i);
}

const struct vault_key *key_cache_patient(struct key_cache *cache, const uint8_t patient[16])
{
    return use(cache, find_patient(cache, patient));
}

const struct vault_key *key_cache_id(struct key_cache *cache, const uint8_t id[16])
{
    return use(cache, find_id(cache, id));
}

void key_cache_forget(struct key_cache *cache, const uint8_t *id)
{
    if (!id) {
        clear(cache);
        return;
    }
    uint32_t i = find_id(cache, id);
    if (i != NONE) {
        drop(cache, i);
    }
}
