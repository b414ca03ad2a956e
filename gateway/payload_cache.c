/* One slot for each id, by its random end; each holds a block of its own. */
#include "gateway/payload_cache.h"

#include <stdlib.h>
#include <string.h>

/* @bytes: owned; the outer layers, then the ciphertext. NULL: free */
struct slot {
    uint8_t id[16];
    uint8_t key[16];
    uint8_t nonce[BATCH_NONCE_SIZE];
    int16_t kind;
    size_t outer_n;
    size_t text_n;
    char *bytes;
};

struct payload_cache {
    struct slot slots[PAYLOAD_CACHE_SLOTS];
};

static size_t slot_of(const uint8_t id[16])
{
    return (id[15] | (size_t)id[14] << 8) % PAYLOAD_CACHE_SLOTS;
}

struct payload_cache *payload_cache_new(void)
{
    return calloc(1, sizeof(struct payload_cache));
}

void payload_cache_free(struct payload_cache *cache)
{
    for (size_t i = 0; cache && i < PAYLOAD_CACHE_SLOTS; i++) {
        free(cache->slots[i].bytes);
    }
    free(cache);
}

void payload_cache_keep(struct payload_cache *cache, const struct batch_payload *payload)
{
    size_t n = payload->outer.n + payload->ciphertext.n;
    struct slot *slot = &cache->slots[slot_of(payload->id)];
    free(slot->bytes);
    slot->bytes = n && n <= PAYLOAD_CACHE_BYTES ? malloc(n) : NULL;
    if (!slot->bytes) {
        return; /* it is asked for then */
    }
    memcpy(slot->id, payload->id, sizeof(slot->id));
    memcpy(slot->key, payload->key, sizeof(slot->key));
    memcpy(slot->nonce, payload->nonce, sizeof(slot->nonce));
    slot->kind = payload->kind;
    slot->outer_n = payload->outer.n;
    slot->text_n = payload->ciphertext.n;
    if (slot->outer_n) {
        memcpy(slot->bytes, payload->outer.p, slot->outer_n);
    }
    if (slot->text_n) {
        memcpy(slot->bytes + slot->outer_n, payload->ciphertext.p, slot->text_n);
    }
}

bool payload_cache_find(const struct payload_cache *cache, const uint8_t id[16],
                        struct store_sealed *out)
{
    const struct slot *slot = &cache->slots[slot_of(id)];
    if (!slot->bytes || memcmp(slot->id, id, sizeof(slot->id)) != 0) {
        return false;
    }
    *out = (struct store_sealed){
        .kind = slot->kind,
        .nonce = str_of(slot->nonce, sizeof(slot->nonce)),
        .outer = str_of(slot->bytes, slot->outer_n),
        .ciphertext = str_of(slot->bytes + slot->outer_n, slot->text_n),
    };
    memcpy(out->id, slot->id, sizeof(out->id));
    memcpy(out->key, slot->key, sizeof(out->key));
    return true;
}
