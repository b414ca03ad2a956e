/*
 * Open addressing with linear probing, at most three quarters full. Removal moves later ones of
 * a run back, so there are no tombstones and a table doesn't wear out.
 */
#include "fhir/consent/table.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    CAPACITY_LEAST = 64,
};

void *table_memory_get(struct table_memory *memory, void *old, size_t old_size, size_t size)
{
    void *got = memory->memory(memory->owner, old, old_size, size);
    if (got || size == 0) {
        memory->bytes += size - old_size;
    }
    return got;
}

static size_t home(const struct table *table, const uint8_t *key)
{
    uint64_t low;
    uint64_t high;
    memcpy(&low, key, sizeof(low));
    memcpy(&high, key + sizeof(low), sizeof(high));
    uint64_t hash = (low ^ (high << 1)) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 20) & (table->capacity - 1);
}

static const uint8_t *key_at(const struct table *table, size_t slot)
{
    return table->key(table->owner, table->slots[slot] - 1);
}

/* The slot that holds @key, or the free one where it would go. */
static size_t seek(const struct table *table, const uint8_t *key)
{
    size_t slot = home(table, key);
    while (table->slots[slot] && memcmp(key_at(table, slot), key, table->key_size) != 0) {
        slot = (slot + 1) & (table->capacity - 1);
    }
    return slot;
}

int table_reserve(struct table *table, struct table_memory *memory)
{
    if ((table->used + 1) * 4 <= table->capacity * 3) {
        return 0;
    }
    struct table larger = *table;
    larger.capacity = table->capacity ? table->capacity * 2 : CAPACITY_LEAST;
    size_t bytes = larger.capacity * sizeof(*larger.slots);
    larger.slots = table_memory_get(memory, NULL, 0, bytes);
    if (!larger.slots) {
        return -ENOMEM;
    }
    memset(larger.slots, 0, bytes);
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i]) {
            larger.slots[seek(&larger, key_at(table, i))] = table->slots[i];
        }
    }
    table_free(table, memory);
    *table = larger;
    return 0;
}

uint32_t table_find(const struct table *table, const uint8_t *key)
{
    if (table->capacity == 0) {
        return TABLE_NONE;
    }
    uint32_t held = table->slots[seek(table, key)];
    return held ? held - 1 : TABLE_NONE;
}

void table_put(struct table *table, uint32_t ref)
{
    size_t slot = seek(table, table->key(table->owner, ref));
    table->used += table->slots[slot] == 0;
    assert(table->used < table->capacity);
    table->slots[slot] = ref + 1;
}

void table_remove(struct table *table, const uint8_t *key)
{
    if (table_find(table, key) == TABLE_NONE) {
        return;
    }
    size_t mask = table->capacity - 1;
    size_t gap = seek(table, key);
    for (size_t slot = (gap + 1) & mask; table->slots[slot]; slot = (slot + 1) & mask) {
        size_t wanted = home(table, key_at(table, slot));
        if (((slot - wanted) & mask) >= ((slot - gap) & mask)) {
            table->slots[gap] = table->slots[slot];
            gap = slot;
        }
    }
    table->slots[gap] = 0;
    table->used--;
}

void table_free(struct table *table, struct table_memory *memory)
{
    if (table->slots) {
        (void)table_memory_get(memory, table->slots, table->capacity * sizeof(*table->slots),
                               0);
    }
    table->slots = NULL;
    table->capacity = 0;
    table->used = 0;
}
