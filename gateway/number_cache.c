/*
 * One slot for each value of the hash's first bytes: the later one wins. The hashes are keyed,
 * so nobody outside can aim at a slot.
 */
#include "gateway/number_cache.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    uint8_t hash[NUMBER_CACHE_HASH];
    uint8_t number[16];
};

struct number_cache {
    uint64_t epoch;
    size_t count;
    struct slot slots[]; /* an empty one holds zeros, which are nobody's hash */
};

struct number_cache *number_cache_new(size_t slots)
{
    struct number_cache *cache = calloc(1, sizeof(*cache) + slots * sizeof(cache->slots[0]));
    if (cache) {
        cache->count = slots;
    }
    return cache;
}

void number_cache_free(struct number_cache *cache)
{
    free(cache);
}

static size_t slot_of(const struct number_cache *cache, const uint8_t *hash)
{
    uint32_t first;
    memcpy(&first, hash, sizeof(first));
    return first % cache->count;
}

void number_cache_clear(struct number_cache *cache)
{
    memset(cache->slots, 0, cache->count * sizeof(cache->slots[0]));
}

void number_cache_epoch(struct number_cache *cache, uint64_t epoch)
{
    if (cache->epoch != epoch) {
        number_cache_clear(cache);
        cache->epoch = epoch;
    }
}

bool number_cache_find(const struct number_cache *cache, const uint8_t *hashes, size_t n,
                       uint8_t number[16])
{
    const uint8_t *found = NULL;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *hash = hashes + i * NUMBER_CACHE_HASH;
        const struct slot *slot = &cache->slots[slot_of(cache, hash)];
        if (memcmp(slot->hash, hash, sizeof(slot->hash)) != 0 ||
            (found && memcmp(found, slot->number, sizeof(slot->number)) != 0)) {
            return false;
        }
        found = slot->number;
    }
    if (found) {
        memcpy(number, found, sizeof(cache->slots[0].number));
    }
    return found;
}

void number_cache_keep(struct number_cache *cache, const uint8_t *hashes, size_t n,
                       const uint8_t number[16])
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *hash = hashes + i * NUMBER_CACHE_HASH;
        struct slot *slot = &cache->slots[slot_of(cache, hash)];
        memcpy(slot->hash, hash, sizeof(slot->hash));
        memcpy(slot->number, number, sizeof(slot->number));
    }
}
