/*
 * Consents in memory.
 *
 *   by_id ------> entry --policy--> policies (one for all equal ones, counted references)
 *   by_patient -> entry -next-> entry -next-> …    all of one patient
 *   by_link ----> link -next-> link -next-> (ring) numbers that are one patient
 *
 * Entries lie in chunks that never move, so growing copies nothing and wastes one chunk at
 * most. What the chain and the database say of each other is settled when either changes
 * (standing), not at each decision.
 */
#include "fhir/consent/compiled.h"

#include "crypto/digest.h"
#include "fhir/consent/table.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    CHUNK = 1024, /* entries */
    SCRATCH = 4096,
};

enum standing {
    STANDING_ABSENT,
    STANDING_GRANTED,
    STANDING_SAFE,
    STANDING_REVOKED,
    STANDING_MISMATCH,
};

/* @next: of the same patient, or free; @policy: TABLE_NONE if it can't be processed */
struct entry {
    uint8_t patient[CONSENT_PATIENT_SIZE];
    uint8_t id[CONSENT_ID_SIZE];
    uint8_t commitment[CONSENT_HASH_SIZE];
    uint64_t block;
    uint32_t valid_from;
    uint32_t valid_until;
    uint32_t policy;
    uint32_t next;
    uint16_t version;
    uint8_t standing;
    bool opened;
};

/* @at: owned, @size bytes, NULL in a free place; @users: entries, or the next free place */
struct held_policy {
    uint8_t hash[CONSENT_HASH_SIZE];
    const struct policy *at;
    size_t size;
    uint32_t users;
};

struct link {
    uint8_t patient[CONSENT_PATIENT_SIZE];
    uint32_t next;
};

/* @at: @used of @room elements in use; owned */
struct list {
    void *at;
    size_t used;
    size_t room;
};

struct consent_index {
    struct table_memory memory;
    struct list chunks;   /* struct entry * */
    struct list policies; /* struct held_policy */
    struct list links;    /* struct link */
    struct table by_id;
    struct table by_patient;
    struct table by_policy;
    struct table by_link;
    size_t given; /* entries ever given out */
    size_t consents;
    size_t held; /* policies */
    uint32_t free_entry;
    uint32_t free_policy;
};

static struct entry *entry_at(const struct consent_index *index, uint32_t ref)
{
    struct entry *const *chunks = index->chunks.at;
    return &chunks[ref / CHUNK][ref % CHUNK];
}

static struct held_policy *policy_at(const struct consent_index *index, uint32_t ref)
{
    return (struct held_policy *)index->policies.at + ref;
}

static struct link *link_at(const struct consent_index *index, uint32_t ref)
{
    return (struct link *)index->links.at + ref;
}

static const uint8_t *key_of_id(const void *owner, uint32_t ref)
{
    return entry_at(owner, ref)->id;
}

static const uint8_t *key_of_patient(const void *owner, uint32_t ref)
{
    return entry_at(owner, ref)->patient;
}

static const uint8_t *key_of_policy(const void *owner, uint32_t ref)
{
    return policy_at(owner, ref)->hash;
}

static const uint8_t *key_of_link(const void *owner, uint32_t ref)
{
    return link_at(owner, ref)->patient;
}

/* Room for one more element of @size bytes; 0 or -ENOMEM. */
static int list_reserve(struct consent_index *index, struct list *list, size_t size)
{
    if (list->used < list->room) {
        return 0;
    }
    size_t room = list->room ? list->room * 2 : 16;
    void *at = table_memory_get(&index->memory, list->at, list->room * size, room * size);
    if (!at) {
        return -ENOMEM;
    }
    list->at = at;
    list->room = room;
    return 0;
}

static void list_free(struct consent_index *index, struct list *list, size_t size)
{
    if (list->at) {
        (void)table_memory_get(&index->memory, list->at, list->room * size, 0);
    }
}

struct consent_index *consent_index_new(consent_memory_fn memory, void *owner)
{
    struct table_memory counted = { .memory = memory, .owner = owner };
    struct consent_index *index = table_memory_get(&counted, NULL, 0, sizeof(*index));
    if (!index) {
        return NULL;
    }
    *index = (struct consent_index){
        .memory = counted,
        .free_entry = TABLE_NONE,
        .free_policy = TABLE_NONE,
        .by_id = { .key_size = CONSENT_ID_SIZE, .key = key_of_id, .owner = index },
        .by_patient = { .key_size = CONSENT_PATIENT_SIZE,
                        .key = key_of_patient,
                        .owner = index },
        .by_policy = { .key_size = CONSENT_HASH_SIZE, .key = key_of_policy, .owner = index },
        .by_link = { .key_size = CONSENT_PATIENT_SIZE, .key = key_of_link, .owner = index },
    };
    return index;
}

static void policy_free(struct consent_index *index, struct held_policy *held)
{
    union {
        const struct policy *in;
        void *out;
    } memory = { .in = held->at }; /* ours, const only for those who read it */
    if (held->at) {
        (void)table_memory_get(&index->memory, memory.out, held->size, 0);
    }
}

void consent_index_free(struct consent_index *index)
{
    if (!index) {
        return;
    }
    struct entry **chunks = index->chunks.at;
    for (size_t i = 0; i < index->chunks.used; i++) {
        (void)table_memory_get(&index->memory, chunks[i], CHUNK * sizeof(**chunks), 0);
    }
    for (size_t i = 0; i < index->policies.used; i++) {
        policy_free(index, policy_at(index, (uint32_t)i));
    }
    list_free(index, &index->chunks, sizeof(*chunks));
    list_free(index, &index->policies, sizeof(struct held_policy));
    list_free(index, &index->links, sizeof(struct link));
    table_free(&index->by_id, &index->memory);
    table_free(&index->by_patient, &index->memory);
    table_free(&index->by_policy, &index->memory);
    table_free(&index->by_link, &index->memory);
    struct table_memory memory = index->memory;
    (void)table_memory_get(&memory, index, sizeof(*index), 0);
}

/* Make sure that the next entry and its places in the tables are there. */
static int reserve(struct consent_index *index)
{
    int r = table_reserve(&index->by_id, &index->memory);
    r = r ? r : table_reserve(&index->by_patient, &index->memory);
    if (r || index->free_entry != TABLE_NONE || index->given < index->chunks.used * CHUNK) {
        return r;
    }
    r = list_reserve(index, &index->chunks, sizeof(struct entry *));
    if (r) {
        return r;
    }
    struct entry *chunk =
        table_memory_get(&index->memory, NULL, 0, CHUNK * sizeof(struct entry));
    if (!chunk) {
        return -ENOMEM;
    }
    ((struct entry **)index->chunks.at)[index->chunks.used++] = chunk;
    return 0;
}

static uint32_t entry_take(struct consent_index *index)
{
    uint32_t ref = index->free_entry;
    if (ref == TABLE_NONE) {
        return (uint32_t)index->given++;
    }
    index->free_entry = entry_at(index, ref)->next;
    return ref;
}

/* Read @text into one piece of memory; NULL with 0 if it can't be processed. */
static int compile(struct consent_index *index, const uint8_t *hash, struct str text,
                   struct held_policy *out)
{
    uint8_t digest[DIGEST_SIZE];
    struct issues issues;
    struct policy policy;
    *out = (struct held_policy){ .users = 0 };
    digest_sha256(text, digest);
    if (memcmp(digest, hash, sizeof(digest)) != 0) {
        return 0;
    }
    CLEANUP(arena_freep) struct arena *scratch = arena_new(SCRATCH);
    if (!scratch) {
        return -ENOMEM;
    }
    issues_init(&issues, scratch);
    int r = policy_read(scratch, text, &issues, &policy);
    if (r) {
        return r < 0 ? r : 0;
    }
    out->size = policy_size(&policy);
    void *memory = table_memory_get(&index->memory, NULL, 0, out->size);
    if (!memory) {
        return -ENOMEM;
    }
    out->at = policy_copy(memory, &policy);
    memcpy(out->hash, hash, sizeof(out->hash));
    return 0;
}

/* The policy of that digest, held already or from now on; TABLE_NONE if it can't be read. */
static int policy_find(struct consent_index *index, const uint8_t *hash, struct str text,
                       uint32_t *out)
{
    struct held_policy held;
    uint32_t ref = table_find(&index->by_policy, hash);
    if (ref != TABLE_NONE) {
        *out = ref;
        return 0;
    }
    if (text.n == 0) {
        return CONSENT_E_POLICY;
    }
    int r = table_reserve(&index->by_policy, &index->memory);
    r = r ? r : list_reserve(index, &index->policies, sizeof(held));
    r = r ? r : compile(index, hash, text, &held);
    if (r || !held.at) {
        *out = TABLE_NONE;
        return r;
    }
    ref = index->free_policy;
    if (ref == TABLE_NONE) {
        ref = (uint32_t)index->policies.used++;
    } else {
        index->free_policy = policy_at(index, ref)->users;
    }
    *policy_at(index, ref) = held;
    table_put(&index->by_policy, ref);
    index->held++;
    *out = ref;
    return 0;
}

/* One user less; the last one frees it. */
static void policy_release(struct consent_index *index, uint32_t ref)
{
    if (ref == TABLE_NONE || --policy_at(index, ref)->users > 0) {
        return;
    }
    struct held_policy *held = policy_at(index, ref);
    table_remove(&index->by_policy, held->hash);
    policy_free(index, held);
    *held = (struct held_policy){ .users = index->free_policy };
    index->free_policy = ref;
    index->held--;
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

int consent_index_put(struct consent_index *index, const struct consent_entry *from,
                      struct str text)
{
    uint32_t policy = TABLE_NONE;
    int r = reserve(index);
    r = r ? r : policy_find(index, from->policy_hash, text, &policy);
    if (r) {
        return r;
    }
    if (policy != TABLE_NONE) {
        policy_at(index, policy)->users++; /* before the old one may give it up */
    }
    consent_index_remove(index, from->id);

    uint32_t ref = entry_take(index);
    struct entry *entry = entry_at(index, ref);
    *entry =
        (struct entry){ .policy = policy, .version = from->version, .opened = from->opened };
    memcpy(entry->patient, from->patient, sizeof(entry->patient));
    memcpy(entry->id, from->id, sizeof(entry->id));
    memcpy(entry->commitment, from->commitment, sizeof(entry->commitment));
    settle(entry, &from->chain);
    entry->next = table_find(&index->by_patient, from->patient);
    table_put(&index->by_patient, ref);
    table_put(&index->by_id, ref);
    index->consents++;
    return 0;
}

bool consent_index_holds(const struct consent_index *index,
                         const uint8_t policy_hash[CONSENT_HASH_SIZE])
{
    return table_find(&index->by_policy, policy_hash) != TABLE_NONE;
}

/* Take @ref out of its patient's list. */
static void unlink_entry(struct consent_index *index, uint32_t ref)
{
    const struct entry *entry = entry_at(index, ref);
    uint32_t head = table_find(&index->by_patient, entry->patient);
    if (head != ref) {
        struct entry *before = entry_at(index, head);
        while (before->next != ref) {
            before = entry_at(index, before->next);
        }
        before->next = entry->next;
    } else if (entry->next == TABLE_NONE) {
        table_remove(&index->by_patient, entry->patient);
    } else {
        table_put(&index->by_patient, entry->next);
    }
}

void consent_index_remove(struct consent_index *index, const uint8_t id[CONSENT_ID_SIZE])
{
    uint32_t ref = table_find(&index->by_id, id);
    if (ref == TABLE_NONE) {
        return;
    }
    struct entry *entry = entry_at(index, ref);
    unlink_entry(index, ref);
    table_remove(&index->by_id, id);
    policy_release(index, entry->policy);
    entry->next = index->free_entry;
    index->free_entry = ref;
    index->consents--;
}

bool consent_index_chain(struct consent_index *index, const uint8_t id[CONSENT_ID_SIZE],
                         const struct consent_chain_state *chain)
{
    uint32_t ref = table_find(&index->by_id, id);
    if (ref == TABLE_NONE) {
        return false;
    }
    settle(entry_at(index, ref), chain);
    return true;
}

/* The link of @patient, made if there is none; TABLE_NONE if there is no memory. */
static uint32_t link_of(struct consent_index *index, const uint8_t *patient)
{
    uint32_t ref = table_find(&index->by_link, patient);
    if (ref != TABLE_NONE || table_reserve(&index->by_link, &index->memory) ||
        list_reserve(index, &index->links, sizeof(struct link))) {
        return ref;
    }
    ref = (uint32_t)index->links.used++;
    *link_at(index, ref) = (struct link){ .next = ref };
    memcpy(link_at(index, ref)->patient, patient, CONSENT_PATIENT_SIZE);
    table_put(&index->by_link, ref);
    return ref;
}

int consent_index_merge(struct consent_index *index,
                        const uint8_t patient[CONSENT_PATIENT_SIZE],
                        const uint8_t other[CONSENT_PATIENT_SIZE])
{
    uint32_t a = link_of(index, patient);
    uint32_t b = link_of(index, other);
    if (a == TABLE_NONE || b == TABLE_NONE) {
        return -ENOMEM;
    }
    for (uint32_t i = link_at(index, a)->next; i != a; i = link_at(index, i)->next) {
        if (i == b) {
            return 0;
        }
    }
    if (a != b) { /* two rings become one by exchanging what follows */
        uint32_t next = link_at(index, a)->next;
        link_at(index, a)->next = link_at(index, b)->next;
        link_at(index, b)->next = next;
    }
    return 0;
}

void consent_index_unmerge(struct consent_index *index,
                           const uint8_t patient[CONSENT_PATIENT_SIZE])
{
    uint32_t ref = table_find(&index->by_link, patient);
    while (ref != TABLE_NONE && link_at(index, ref)->next != ref) {
        uint32_t next = link_at(index, ref)->next;
        link_at(index, ref)->next = ref;
        ref = next;
    }
}

struct consent_index_size consent_index_size(const struct consent_index *index)
{
    return (struct consent_index_size){ .consents = index->consents,
                                        .policies = index->held,
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
    if (entry->policy == TABLE_NONE) {
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
        consent_find(policy_at(index, entry->policy)->at, tally->request, tally->facts);
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
    uint32_t ref = table_find(&index->by_patient, patient);
    while (ref != TABLE_NONE) {
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
    if (entry->policy != TABLE_NONE) {
        memcpy(out->policy_hash, policy_at(index, entry->policy)->hash,
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
    uint32_t first = table_find(&index->by_link, patient);
    count_patient(index, patient, &t);
    if (first != TABLE_NONE) {
        for (uint32_t i = link_at(index, first)->next; i != first;
             i = link_at(index, i)->next) {
            count_patient(index, link_at(index, i)->patient, &t);
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
