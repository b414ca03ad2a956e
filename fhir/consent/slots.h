/*
 * A hash table of numbers, found by the bytes they stand for; used by compiled.c only.
 *
 * Keys are random or digests, so a little mixing is hash enough. A slot takes four bytes.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/consent/compiled.h"

#define SLOTS_NONE UINT32_MAX /* no number */

/* The key of number @ref in what @owner holds. */
typedef const uint8_t *(*slots_key_fn)(const void *owner, uint32_t ref);

/* Memory that is counted. */
struct slots_memory {
    consent_memory_fn memory;
    void *owner;
    size_t bytes;
};

/*
 * @at:       number + 1, or 0; owned
 * @capacity: power of two, or 0
 * @key_size: bytes of a key, at least 16
 */
struct slots {
    uint32_t *at;
    size_t capacity;
    size_t used;
    size_t key_size;
    slots_key_fn key;
    const void *owner;
};

/* Grow or free counted memory; @size 0 frees. NULL if there is none. */
void *slots_memory_get(struct slots_memory *memory, void *old, size_t old_size, size_t size);

/* Make room for one more; 0 or -ENOMEM. */
MUST_USE int slots_reserve(struct slots *slots, struct slots_memory *memory);

/* The number held for @key, or SLOTS_NONE. */
uint32_t slots_find(const struct slots *slots, const uint8_t *key);

/* Hold @ref for its key, in place of the one held so far; room must be reserved. */
void slots_put(struct slots *slots, uint32_t ref);

/* Forget @key, which is held. The key must still be readable. */
void slots_remove(struct slots *slots, const uint8_t *key);
void slots_free(struct slots *slots, struct slots_memory *memory);
