/*
 * Consents in memory.
 *
 *   by_id ------> entry --policy--> pool           one for all that are equal
 *                   +--sibling--> entry            another version of the same id
 *   by_patient -> entry -next-> entry -next-> …    all of one patient
 *   merged -----> number -> number -> (ring)       numbers that are one patient
 *
 * Entries lie in chunks that never move, so growing copies nothing and wastes one chunk at
 * most. What the chain and the database say of each other is settled when either changes
 * (standing), not at each decision.
 */
#include "fhir/consent/compiled_impl.h"

#include <errno.h>
#include <string.h>

enum {
    CHUNKS_LEAST = 16,
};

static const uint8_t *key_of_id(const void *owner, uint32_t ref)
{
    return entry_at(owner, ref)->id;
}

static const uint8_t *key_of_patient(const void *owner, uint32_t ref)
{
    return entry_at(owner, ref)->patient;
}

struct consent_index *consent_index_new(consent_memory_fn memory, void *owner)
{
    struct slots_memory counted = { .memory = memory, .owner = owner };
    struct consent_index *index = slots_memory_get(&counted, NULL, 0, sizeof(*index));
    if (!index) {
        return NULL;
    }
    *index = (struct consent_index){
        .memory = counted,
        .free_entry = SLOTS_NONE,
        .by_id = { .key_size = CONSENT_ID_SIZE, .key = key_of_id, .owner = index },
        .by_patient = { .key_size = CONSENT_PATIENT_SIZE,
                        .key = key_of_patient,
                        .owner = index },
    };
    pool_init(&index->policies, &index->memory);
    merged_init(&index->merged, &index->memory);
    return index;
}

void consent_index_govern(struct consent_index *index, const struct consent_tenant *tenant)
{
    index->tenant = tenant;
}

void consent_index_free(struct consent_index *index)
{
    if (!index) {
        return;
    }
    struct slots_memory *memory = &index->memory;
    for (size_t i = 0; i < index->n_chunks; i++) {
        (void)slots_memory_get(memory, index->chunks[i].at,
                               COMPILED_CHUNK * sizeof(struct entry), 0);
    }
    if (index->chunks) {
        (void)slots_memory_get(memory, index->chunks, index->room * sizeof(*index->chunks), 0);
    }
    pool_deinit(&index->policies);
    merged_deinit(&index->merged);
    slots_free(&index->by_id, memory);
    slots_free(&index->by_patient, memory);
    struct slots_memory last = *memory;
    (void)slots_memory_get(&last, index, sizeof(*index), 0);
}

/* One chunk more; 0 or -ENOMEM. */
static int add_chunk(struct consent_index *index)
{
    struct slots_memory *memory = &index->memory;
    size_t size = sizeof(*index->chunks);
    if (index->n_chunks == index->room) {
        size_t room = index->room ? index->room * 2 : CHUNKS_LEAST;
        void *at = slots_memory_get(memory, index->chunks, index->room * size, room * size);
        if (!at) {
            return -ENOMEM;
        }
        index->chunks = at;
        index->room = room;
    }
    struct entry *chunk = slots_memory_get(memory, NULL, 0, COMPILED_CHUNK * sizeof(*chunk));
    if (!chunk) {
        return -ENOMEM;
    }
    index->chunks[index->n_chunks++].at = chunk;
    return 0;
}

/* Make sure that the next entry and its places in the tables are there. */
static int reserve(struct consent_index *index)
{
    int r = slots_reserve(&index->by_id, &index->memory);
    r = r ? r : slots_reserve(&index->by_patient, &index->memory);
    if (r || index->free_entry != SLOTS_NONE ||
        index->given < index->n_chunks * COMPILED_CHUNK) {
        return r;
    }
    return add_chunk(index);
}

static uint32_t entry_take(struct consent_index *index)
{
    uint32_t ref = index->free_entry;
    if (ref == SLOTS_NONE) {
        return (uint32_t)index->given++;
    }
    index->free_entry = entry_at(index, ref)->next;
    return ref;
}

/*
 * What follows from both sides. A chain behind the database waits for a grant; one ahead of it,
 * or another commitment, means that one of the two was tampered with.
 */
static enum consent_standing standing_of(const struct entry *entry,
                                         const struct consent_chain_state *chain)
{
    bool current = chain->version == entry->version;
    if (!entry->opened) {
        return CONSENT_STANDS_MISMATCH;
    }
    if (chain->state == CONSENT_CHAIN_ABSENT || chain->version < entry->version) {
        return CONSENT_STANDS_ABSENT;
    }
    if (chain->state == CONSENT_CHAIN_REVOKED) {
        return CONSENT_STANDS_REVOKED;
    }
    if (!current || memcmp(chain->commitment, entry->commitment, CONSENT_HASH_SIZE) != 0) {
        return CONSENT_STANDS_MISMATCH;
    }
    return chain->state == CONSENT_CHAIN_SAFE ? CONSENT_STANDS_SAFE : CONSENT_STANDS_GRANTED;
}

static void settle(struct entry *entry, const struct consent_chain_state *chain)
{
    entry->standing = (uint8_t)standing_of(entry, chain);
    entry->block = chain->block;
    entry->valid_from = chain->valid_from;
    entry->valid_until = chain->valid_until;
    if (entry->standing == CONSENT_STANDS_ABSENT) { /* the window is that of an older version */
        entry->block = 0;
        entry->valid_from = 0;
        entry->valid_until = CONSENT_DAY_OPEN;
    }
}

bool consent_index_holds(const struct consent_index *index,
                         const uint8_t policy_hash[CONSENT_HASH_SIZE])
{
    return pool_find(&index->policies, policy_hash) != SLOTS_NONE;
}

/* Take @ref out of its patient's list. */
static void unlink_entry(struct consent_index *index, uint32_t ref)
{
    const struct entry *entry = entry_at(index, ref);
    uint32_t head = slots_find(&index->by_patient, entry->patient);
    if (head != ref) {
        struct entry *before = entry_at(index, head);
        while (before->next != ref) {
            before = entry_at(index, before->next);
        }
        before->next = entry->next;
    } else if (entry->next == SLOTS_NONE) {
        slots_remove(&index->by_patient, entry->patient);
    } else {
        slots_put(&index->by_patient, entry->next);
    }
}

static void forget(struct consent_index *index, uint32_t ref)
{
    struct entry *entry = entry_at(index, ref);
    unlink_entry(index, ref);
    pool_release(&index->policies, entry->policy);
    entry->next = index->free_entry;
    index->free_entry = ref;
    index->consents--;
}

void consent_index_remove(struct consent_index *index, const uint8_t id[CONSENT_ID_SIZE])
{
    uint32_t ref = slots_find(&index->by_id, id);
    if (ref == SLOTS_NONE) {
        return;
    }
    slots_remove(&index->by_id, id);
    while (ref != SLOTS_NONE) {
        uint32_t sibling = entry_at(index, ref)->sibling;
        forget(index, ref);
        ref = sibling;
    }
}

/* Forget that version of @id alone. */
static void remove_version(struct consent_index *index, const uint8_t id[CONSENT_ID_SIZE],
                           uint16_t version)
{
    uint32_t before = SLOTS_NONE;
    uint32_t ref = slots_find(&index->by_id, id);
    while (ref != SLOTS_NONE && entry_at(index, ref)->version != version) {
        before = ref;
        ref = entry_at(index, ref)->sibling;
    }
    if (ref == SLOTS_NONE) {
        return;
    }
    uint32_t sibling = entry_at(index, ref)->sibling;
    if (before != SLOTS_NONE) {
        entry_at(index, before)->sibling = sibling;
    } else if (sibling != SLOTS_NONE) {
        slots_put(&index->by_id, sibling);
    } else {
        slots_remove(&index->by_id, id);
    }
    forget(index, ref);
}

int consent_index_put(struct consent_index *index, const struct consent_entry *from,
                      struct str text)
{
    uint32_t policy = SLOTS_NONE;
    int r = reserve(index);
    if (r == 0 && from->opened) { /* one that isn't opened denies, whatever it says */
        r = pool_hold(&index->policies, from->policy_hash, text, &policy);
    }
    if (r) {
        return r;
    }
    remove_version(index, from->id, from->version);

    uint32_t ref = entry_take(index);
    struct entry *entry = entry_at(index, ref);
    *entry =
        (struct entry){ .policy = policy, .version = from->version, .opened = from->opened };
    memcpy(entry->patient, from->patient, sizeof(entry->patient));
    memcpy(entry->id, from->id, sizeof(entry->id));
    memcpy(entry->commitment, from->commitment, sizeof(entry->commitment));
    settle(entry, &from->chain);
    entry->next = slots_find(&index->by_patient, from->patient);
    entry->sibling = slots_find(&index->by_id, from->id);
    slots_put(&index->by_patient, ref);
    slots_put(&index->by_id, ref);
    index->consents++;
    return 0;
}

int consent_index_merge(struct consent_index *index,
                        const uint8_t patient[CONSENT_PATIENT_SIZE],
                        const uint8_t other[CONSENT_PATIENT_SIZE])
{
    return merged_join(&index->merged, patient, other);
}

void consent_index_unmerge(struct consent_index *index,
                           const uint8_t patient[CONSENT_PATIENT_SIZE])
{
    merged_part(&index->merged, patient);
}

struct consent_index_size consent_index_size(const struct consent_index *index)
{
    return (struct consent_index_size){ .consents = index->consents,
                                        .policies = index->policies.held,
                                        .bytes = index->memory.bytes };
}
