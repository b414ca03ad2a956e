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
#include "fhir/consent/compiled.h"

#include "fhir/consent/merged.h"
#include "fhir/consent/pool.h"
#include "fhir/consent/slots.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    CHUNK = 1024, /* entries */
    CHUNKS_LEAST = 16,
};

enum standing {
    STANDING_ABSENT,
    STANDING_GRANTED,
    STANDING_SAFE,
    STANDING_REVOKED,
    STANDING_MISMATCH,
};

/*
 * @next:    of the same patient, or free
 * @sibling: of the same id
 * @policy:  SLOTS_NONE if it can't be processed
 */
struct entry {
    uint8_t patient[CONSENT_PATIENT_SIZE];
    uint8_t id[CONSENT_ID_SIZE];
    uint8_t commitment[CONSENT_HASH_SIZE];
    uint64_t block;
    uint32_t valid_from;
    uint32_t valid_until;
    uint32_t policy;
    uint32_t next;
    uint32_t sibling;
    uint16_t version;
    uint8_t standing;
    bool opened;
};

/* @at: CHUNK entries; owned */
struct chunk {
    struct entry *at;
};

/* @chunks: @n_chunks of @room; owned */
struct consent_index {
    struct slots_memory memory;
    struct pool policies;
    struct merged merged;
    struct slots by_id;
    struct slots by_patient;
    struct chunk *chunks;
    size_t n_chunks;
    size_t room;
    size_t given; /* entries ever given out */
    size_t consents;
    uint32_t free_entry;
};

static struct entry *entry_at(const struct consent_index *index, uint32_t ref)
{
    return &index->chunks[ref / CHUNK].at[ref % CHUNK];
}

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

void consent_index_free(struct consent_index *index)
{
    if (!index) {
        return;
    }
    struct slots_memory *memory = &index->memory;
    for (size_t i = 0; i < index->n_chunks; i++) {
        (void)slots_memory_get(memory, index->chunks[i].at, CHUNK * sizeof(struct entry), 0);
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
    struct entry *chunk = slots_memory_get(memory, NULL, 0, CHUNK * sizeof(*chunk));
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
    if (r || index->free_entry != SLOTS_NONE || index->given < index->n_chunks * CHUNK) {
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
static enum standing standing_of(const struct entry *entry,
                                 const struct consent_chain_state *chain)
{
    bool current = chain->version == entry->version;
    if (!entry->opened) {
        return STANDING_MISMATCH;
    }
    if (chain->state == CONSENT_CHAIN_ABSENT || chain->version < entry->version) {
        return STANDING_ABSENT;
    }
    if (chain->state == CONSENT_CHAIN_REVOKED) {
        return STANDING_REVOKED;
    }
    if (!current || memcmp(chain->commitment, entry->commitment, CONSENT_HASH_SIZE) != 0) {
        return STANDING_MISMATCH;
    }
    return chain->state == CONSENT_CHAIN_SAFE ? STANDING_SAFE : STANDING_GRANTED;
}

static void settle(struct entry *entry, const struct consent_chain_state *chain)
{
    entry->standing = (uint8_t)standing_of(entry, chain);
    entry->block = chain->block;
    entry->valid_from = chain->valid_from;
    entry->valid_until = chain->valid_until;
    if (entry->standing == STANDING_ABSENT) { /* the window is that of an older version */
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

/* What the consents looked at so far come to. */
struct tally {
    const struct consent_request *request;
    const struct consent_facts *facts;
    uint8_t set;
    unsigned considered;
    enum consent_basis deny_basis;
    enum consent_basis pass_basis;
    uint8_t permit_set; /* of the one that permits */
    uint8_t deny_set;
    struct consent_path permit_path;
    struct consent_path deny_path;
    const struct entry *permit;
    const struct entry *deny;
    const struct entry *pass;
};

static struct consent_finding passing(enum consent_basis basis)
{
    return (struct consent_finding){ .set = CONSENT_MAY_PASS, .basis = basis };
}

/* The finding on one consent, given how it stands on chain. */
static struct consent_finding find_one(const struct consent_index *index,
                                       const struct entry *entry, const struct tally *tally)
{
    int64_t now = tally->request->now;
    int64_t day = now >= 0 ? now / INSTANT_DAY_MS : -1;
    if (entry->standing == STANDING_MISMATCH) {
        return (
            struct consent_finding){ CONSENT_MAY_DENY, CONSENT_BASIS_MISMATCH, { 0 }, { 0 } };
    }
    if (entry->standing == STANDING_REVOKED) {
        return passing(CONSENT_BASIS_REVOKED);
    }
    if (entry->policy == SLOTS_NONE) {
        return (struct consent_finding){
            CONSENT_MAY_DENY, CONSENT_BASIS_UNPROCESSABLE, { 0 }, { 0 }
        };
    }
    if (day < (int64_t)entry->valid_from) {
        return passing(CONSENT_BASIS_NOT_YET);
    }
    if (entry->valid_until != CONSENT_DAY_OPEN && day >= (int64_t)entry->valid_until) {
        return passing(CONSENT_BASIS_EXPIRED);
    }
    struct consent_finding found =
        consent_find(index->policies.at[entry->policy].at, tally->request, tally->facts);
    if (entry->standing != STANDING_SAFE && (found.set & CONSENT_MAY_PERMIT)) {
        found.set = (found.set & (uint8_t)~CONSENT_MAY_PERMIT) | CONSENT_MAY_PASS;
        found.basis = CONSENT_BASIS_NOT_SAFE;
    }
    return found;
}

/* Whether a finding is better evidence for @outcome than that with @set: surer. */
static bool surer(const struct consent_finding *found, uint8_t outcome, uint8_t set)
{
    return (found->set & outcome) && (set == 0 || (found->set == outcome && set != outcome));
}

static void count_in(struct tally *t, const struct entry *entry,
                     const struct consent_finding *found)
{
    t->considered++;
    t->set = consent_combine(t->set, found->set);
    if (surer(found, CONSENT_MAY_PERMIT, t->permit_set)) {
        t->permit_set = found->set;
        t->permit_path = found->permit;
        t->permit = entry;
    }
    if (surer(found, CONSENT_MAY_DENY, t->deny_set)) {
        t->deny_set = found->set;
        t->deny_path = found->deny;
        t->deny = entry;
        t->deny_basis = found->set == CONSENT_MAY_DENY ? found->basis : 0;
    }
    if ((found->set & CONSENT_MAY_PASS) && found->basis > t->pass_basis) {
        t->pass_basis = found->basis;
        t->pass = entry;
    }
}

static void count_patient(const struct consent_index *index, const uint8_t *patient,
                          struct tally *t)
{
    uint32_t ref = slots_find(&index->by_patient, patient);
    while (ref != SLOTS_NONE) {
        const struct entry *entry = entry_at(index, ref);
        struct consent_finding found = find_one(index, entry, t);
        count_in(t, entry, &found);
        ref = entry->next;
    }
}

static void cite(const struct consent_index *index, const struct entry *entry,
                 struct consent_evidence *out)
{
    if (!entry) {
        return;
    }
    out->has_consent = true;
    out->safe = entry->standing == STANDING_SAFE;
    out->version = entry->version;
    out->block = entry->block;
    memcpy(out->id, entry->id, sizeof(out->id));
    memcpy(out->commitment, entry->commitment, sizeof(out->commitment));
    if (entry->policy != SLOTS_NONE) {
        memcpy(out->policy_hash, index->policies.at[entry->policy].hash,
               sizeof(out->policy_hash));
    }
}

/* The consent that the verdict rests on. */
static const struct entry *ground_of(const struct tally *t, enum consent_basis basis)
{
    if (basis == CONSENT_BASIS_PERMIT) {
        return t->permit;
    }
    if (t->deny) {
        return t->deny;
    }
    return basis == CONSENT_BASIS_IN_DOUBT ? t->permit : t->pass;
}

void consent_decide(const struct consent_index *index,
                    const uint8_t patient[CONSENT_PATIENT_SIZE],
                    const struct consent_request *request, const struct consent_facts *facts,
                    struct consent_evidence *out)
{
    struct tally t = { .request = request, .facts = facts, .set = CONSENT_MAY_PASS };
    const struct merged *merged = &index->merged;
    uint32_t first = merged_find(merged, patient);
    count_patient(index, patient, &t);
    if (first != SLOTS_NONE) {
        for (uint32_t i = merged->at[first].next; i != first; i = merged->at[i].next) {
            count_patient(index, merged->at[i].patient, &t);
        }
    }

    struct consent_finding sum = { t.set, t.pass_basis, t.permit_path, t.deny_path };
    *out = (struct consent_evidence){
        .verdict = consent_conclude(&sum, !facts || facts->pending),
        .considered = t.considered,
    };
    if (out->verdict.basis == CONSENT_BASIS_DENY && t.deny_basis != 0) {
        out->verdict.basis = t.deny_basis;
    }
    cite(index, ground_of(&t, out->verdict.basis), out);
}
