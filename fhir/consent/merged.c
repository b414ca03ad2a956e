/* Rings of links: two become one by exchanging what follows in each. */
#include "fhir/consent/merged.h"

#include <errno.h>
#include <string.h>

enum {
    ROOM_LEAST = 16,
};

static const uint8_t *key_of(const void *owner, uint32_t ref)
{
    return ((const struct merged *)owner)->at[ref].patient;
}

void merged_init(struct merged *merged, struct slots_memory *memory)
{
    *merged = (struct merged){
        .memory = memory,
        .by_patient = { .key_size = CONSENT_PATIENT_SIZE, .key = key_of, .owner = merged },
    };
}

void merged_deinit(struct merged *merged)
{
    if (merged->at) {
        (void)slots_memory_get(merged->memory, merged->at, merged->room * sizeof(*merged->at),
                               0);
    }
    slots_free(&merged->by_patient, merged->memory);
}

uint32_t merged_find(const struct merged *merged, const uint8_t *patient)
{
    return slots_find(&merged->by_patient, patient);
}

static int reserve(struct merged *merged)
{
    if (merged->used == merged->room) {
        size_t size = sizeof(*merged->at);
        size_t room = merged->room ? merged->room * 2 : ROOM_LEAST;
        void *at =
            slots_memory_get(merged->memory, merged->at, merged->room * size, room * size);
        if (!at) {
            return -ENOMEM;
        }
        merged->at = at;
        merged->room = room;
    }
    return slots_reserve(&merged->by_patient, merged->memory);
}

/* The link of @patient, made if there is none; SLOTS_NONE if there is no memory. */
static uint32_t link_of(struct merged *merged, const uint8_t *patient)
{
    uint32_t ref = merged_find(merged, patient);
    if (ref != SLOTS_NONE || reserve(merged) != 0) {
        return ref;
    }
    ref = (uint32_t)merged->used++;
    merged->at[ref].next = ref;
    memcpy(merged->at[ref].patient, patient, CONSENT_PATIENT_SIZE);
    slots_put(&merged->by_patient, ref);
    return ref;
}

int merged_join(struct merged *merged, const uint8_t *patient, const uint8_t *other)
{
    uint32_t a = link_of(merged, patient);
    uint32_t b = link_of(merged, other);
    if (a == SLOTS_NONE || b == SLOTS_NONE) {
        return -ENOMEM;
    }
    for (uint32_t i = merged->at[a].next; i != a; i = merged->at[i].next) {
        if (i == b) {
            return 0;
        }
    }
    uint32_t next = merged->at[a].next;
    merged->at[a].next = merged->at[b].next;
    merged->at[b].next = next;
    return 0;
}

void merged_part(struct merged *merged, const uint8_t *patient)
{
    uint32_t ref = merged_find(merged, patient);
    while (ref != SLOTS_NONE && merged->at[ref].next != ref) {
        uint32_t next = merged->at[ref].next;
        merged->at[ref].next = ref;
        ref = next;
    }
}
