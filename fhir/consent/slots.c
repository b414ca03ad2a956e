/*
 * Open addressing with linear probing, at most three quarters full. Removal moves later ones of
 * a run back, so there are no tombstones and a table doesn't wear out.
 */
#include "fhir/consent/slots.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    CAPACITY_LEAST = 64,
};

void *slots_memory_get(struct slots_memory *memory, void *old, size_t old_size, size_t size)
{
    void *got = memory->memory(memory->owner, old, old_size, size);
    if (got || size == 0) {
        memory->bytes += size - old_size;
    }
    return got;
}

static size_t home(const struct slots *slots, const uint8_t *key)
{
    uint64_t low;
    uint64_t high;
    memcpy(&low, key, sizeof(low));
    memcpy(&high, key + sizeof(low), sizeof(high));
    uint64_t hash = (low ^ (high << 1)) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 20) & (slots->capacity - 1);
}

static const uint8_t *key_at(const struct slots *slots, size_t slot)
{
    return slots->key(slots->owner, slots->at[slot] - 1);
}

/* The slot that holds @key, or the free one where it would go. */
static size_t seek(const struct slots *slots, const uint8_t *key)
{
    size_t slot = home(slots, key);
    while (slots->at[slot] && memcmp(key_at(slots, slot), key, slots->key_size) != 0) {
        slot = (slot + 1) & (slots->capacity - 1);
    }
    return slot;
}

int slots_reserve(struct slots *slots, struct slots_memory *memory)
{
    if ((slots->used + 1) * 4 <= slots->capacity * 3) {
        return 0;
    }
    struct slots larger = *slots;
    larger.capacity = slots->capacity ? slots->capacity * 2 : CAPACITY_LEAST;
    size_t bytes = larger.capacity * sizeof(*larger.at);
    larger.at = slots_memory_get(memory, NULL, 0, bytes);
    if (!larger.at) {
        return -ENOMEM;
    }
    memset(larger.at, 0, bytes);
    for (size_t i = 0; i < slots->capacity; i++) {
        if (slots->at[i]) {
            larger.at[seek(&larger, key_at(slots, i))] = slots->at[i];
        }
    }
    slots_free(slots, memory);
    *slots = larger;
    return 0;
}

uint32_t slots_find(const struct slots *slots, const uint8_t *key)
{
    if (slots->capacity == 0) {
        return SLOTS_NONE;
    }
    uint32_t held = slots->at[seek(slots, key)];
    return held ? held - 1 : SLOTS_NONE;
}

void slots_put(struct slots *slots, uint32_t ref)
{
    size_t slot = seek(slots, slots->key(slots->owner, ref));
    slots->used += slots->at[slot] == 0;
    assert(slots->used < slots->capacity);
    slots->at[slot] = ref + 1;
}

void slots_remove(struct slots *slots, const uint8_t *key)
{
    size_t mask = slots->capacity - 1;
    size_t gap = seek(slots, key);
    assert(slots->at[gap]);
    for (size_t slot = (gap + 1) & mask; slots->at[slot]; slot = (slot + 1) & mask) {
        size_t wanted = home(slots, key_at(slots, slot));
        if (((slot - wanted) & mask) >= ((slot - gap) & mask)) {
            slots->at[gap] = slots->at[slot];
            gap = slot;
        }
    }
    slots->at[gap] = 0;
    slots->used--;
}

void slots_free(struct slots *slots, struct slots_memory *memory)
{
    if (slots->at) {
        (void)slots_memory_get(memory, slots->at, slots->capacity * sizeof(*slots->at), 0);
    }
    slots->at = NULL;
    slots->capacity = 0;
    slots->used = 0;
}
