/* What tests of the index share: entries, memory that can fail, decisions. */
#pragma once

#include "crypto/digest.h"
#include "fhir/consent/compiled.h"
#include "fhir/consent/purpose.h"
#include "tests/check.h"

#define DAY INT64_C(86400000)

/* Policies, as canonical text. */
#define PERMIT_TREAT "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"purposes\":[\"TREAT\"]}}"
#define PERMIT_ORG                                                                             \
    "{\"base\":\"silent\",\"rules\":[{\"actors\":[\"org\"],\"effect\":\"permit\"}],"           \
    "\"schema\":1}"
#define DENY_ALL "{\"base\":\"deny\",\"schema\":1}"
#define DENY_CONDITIONS                                                                        \
    "{\"base\":\"silent\",\"rules\":[{\"classes\":[\"Condition\"],\"effect\":\"deny\"}],"      \
    "\"schema\":1}"

/* Counts what is in use, and fails from the @fail_at-th allocation on. */
struct heap {
    size_t bytes;
    size_t calls;
    size_t fail_at;
};

static inline void *heap_memory(void *owner, void *old, size_t old_size, size_t size)
{
    struct heap *heap = owner;
    if (size == 0) {
        heap->bytes -= old_size;
        free(old);
        return NULL;
    }
    if (heap->fail_at && ++heap->calls >= heap->fail_at) {
        return NULL;
    }
    void *at = realloc(old, size);
    assert_non_null(at);
    heap->bytes += size - old_size;
    return at;
}

static inline void fill(uint8_t *out, size_t n, unsigned number)
{
    char text[32];
    uint8_t digest[DIGEST_SIZE];
    (void)snprintf(text, sizeof(text), "%zu:%u", n, number);
    digest_sha256(str_z(text), digest);
    memcpy(out, digest, n);
}

/* Consent @number of patient @patient: safe, opened, always valid. */
static inline struct consent_entry entry_of(unsigned number, unsigned patient,
                                            const char *policy)
{
    struct consent_entry entry = { .version = 2, .opened = true };
    fill(entry.id, sizeof(entry.id), number);
    fill(entry.patient, sizeof(entry.patient), patient);
    fill(entry.commitment, sizeof(entry.commitment), number + 1000000);
    digest_sha256(str_z(policy), entry.policy_hash);
    entry.chain = (struct consent_chain_state){
        .state = CONSENT_CHAIN_SAFE, .version = 2, .valid_until = CONSENT_DAY_OPEN, .block = 77
    };
    memcpy(entry.chain.commitment, entry.commitment, CONSENT_HASH_SIZE);
    return entry;
}

static inline void put(struct consent_index *index, const struct consent_entry *entry,
                       const char *policy)
{
    assert_int_equal(consent_index_put(index, entry, str_z(policy)), 0);
}

/* Decide on an Observation of @patient for treatment on day 100. */
static inline struct consent_evidence decide(const struct consent_index *index,
                                             unsigned patient)
{
    static const struct consent_facts facts = { .type = { "Observation", 11 },
                                                .labelled = true };
    static const struct str org[] = { { "org", 3 } };
    struct consent_request request = { .actors = org,
                                       .n_actors = 1,
                                       .purposes = purpose_bit(STR("TREAT")),
                                       .action = ACTION_ACCESS,
                                       .now = 100 * DAY + 5 };
    uint8_t number[CONSENT_PATIENT_SIZE];
    struct consent_evidence evidence;
    fill(number, sizeof(number), patient);
    consent_decide(index, number, &request, &facts, &evidence);
    return evidence;
}

static inline struct consent_index *fresh(struct heap *heap)
{
    *heap = (struct heap){ 0 };
    struct consent_index *index = consent_index_new(heap_memory, heap);
    assert_non_null(index);
    return index;
}

static inline void done(struct consent_index *index, const struct heap *heap)
{
    assert_int_equal(consent_index_size(index).bytes, heap->bytes);
    consent_index_free(index);
    assert_int_equal(heap->bytes, 0);
}
