/*
 * All consents in a worker's memory, found by patient.
 *
 * Equal policies are held once. Memory comes from one function of the owner's and is counted.
 * An entry permits only while the chain holds its version with its commitment, unrevoked, in
 * its window and safe; what it denies is in force from first sight. What doesn't add up denies.
 * While a new version's grant isn't safe there are two entries of a consent: the one before
 * still permits, and the new one already denies.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/consent/evaluate.h"
#include "fhir/consent/tenant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONSENT_PATIENT_SIZE = 16,
    CONSENT_ID_SIZE = 32,
    CONSENT_HASH_SIZE = 32,
};

#define CONSENT_DAY_OPEN UINT32_MAX /* as valid_until: no end */

enum {
    CONSENT_E_POLICY = 1, /* this policy isn't held yet: hand in its text */
};

/*
 * Memory: as realloc(), @size 0 frees and returns NULL. @old_size is what @old was asked with.
 */
typedef void *(*consent_memory_fn)(void *owner, void *old, size_t old_size, size_t size);

/* What the chain holds for a consent id. */
enum consent_chain {
    CONSENT_CHAIN_ABSENT,  /* nothing, or not seen yet */
    CONSENT_CHAIN_GRANTED, /* seen, its block not safe yet */
    CONSENT_CHAIN_SAFE,
    CONSENT_CHAIN_REVOKED, /* seen, safe or not */
};

/*
 * @version, @commitment: of the grant in force
 * @valid_from: first day, since 1970-01-01 UTC
 * @valid_until: first day after, or CONSENT_DAY_OPEN
 * @block:      of the event that made this state
 */
struct consent_chain_state {
    enum consent_chain state;
    uint16_t version;
    uint8_t commitment[CONSENT_HASH_SIZE];
    uint32_t valid_from;
    uint32_t valid_until;
    uint64_t block;
};

/*
 * One consent as the database has it, with the chain's state of it.
 *
 * @version, @commitment: as stored
 * @opened:      the policy, with its salt and statement, opens @commitment: checked at load
 * @policy_hash: SHA-256 of the policy's text
 */
struct consent_entry {
    uint8_t id[CONSENT_ID_SIZE];
    uint8_t patient[CONSENT_PATIENT_SIZE];
    uint16_t version;
    uint8_t commitment[CONSENT_HASH_SIZE];
    bool opened;
    uint8_t policy_hash[CONSENT_HASH_SIZE];
    struct consent_chain_state chain;
};

/*
 * What a decision rests on. @id and what follows are set if @has_consent.
 *
 * @considered: consents looked at
 * @engine:  CONSENT_ENGINE
 * @tenant:  digest of the tenant's policy; zeros without one
 * @obligations: of it, under which a permit is given: consent_tenant_obligations()
 * @reading: how the consent was read
 */
struct consent_evidence {
    struct consent_verdict verdict;
    unsigned considered;
    unsigned engine;
    uint8_t tenant[CONSENT_TENANT_DIGEST_SIZE];
    uint32_t obligations;
    bool has_consent;
    bool safe;
    uint16_t version;
    enum consent_reading reading;
    uint64_t block;
    uint8_t id[CONSENT_ID_SIZE];
    uint8_t commitment[CONSENT_HASH_SIZE];
    uint8_t policy_hash[CONSENT_HASH_SIZE];
};

struct consent_index;

/* An empty index; NULL if there is no memory. @memory and @owner outlive it. */
MUST_USE struct consent_index *consent_index_new(consent_memory_fn memory, void *owner);
void consent_index_free(struct consent_index *index);

/*
 * Decide by @tenant's policy from now on, which outlives the index; NULL, as at first: consents
 * alone, deny overrides.
 */
void consent_index_govern(struct consent_index *index, const struct consent_tenant *tenant);

/**
 * consent_index_put() - add a consent, or replace the one of the same id and version
 * @index: the index
 * @entry: copied
 * @text:  canonical text of its policy; may be empty if an equal policy is held, or if it isn't
 *         opened
 *
 * A text that can't be read, or whose digest isn't @entry's policy_hash, is no error: the entry
 * denies, as a consent that can't be processed must.
 *
 * Return: 0, CONSENT_E_POLICY (nothing changed) or -ENOMEM (nothing changed)
 */
MUST_USE int consent_index_put(struct consent_index *index, const struct consent_entry *entry,
                               struct str text);

/* Whether a policy of that digest is held. */
bool consent_index_holds(const struct consent_index *index,
                         const uint8_t policy_hash[CONSENT_HASH_SIZE]);

/* Forget a consent, all its versions; one that isn't there is fine. */
void consent_index_remove(struct consent_index *index, const uint8_t id[CONSENT_ID_SIZE]);

/**
 * consent_index_merge() - two numbers are one patient: the consents of both apply to each
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int consent_index_merge(struct consent_index *index,
                                 const uint8_t patient[CONSENT_PATIENT_SIZE],
                                 const uint8_t other[CONSENT_PATIENT_SIZE]);

/* Undo every merge that @patient is part of. */
void consent_index_unmerge(struct consent_index *index,
                           const uint8_t patient[CONSENT_PATIENT_SIZE]);

/* Entries, distinct policies, and bytes of memory taken in all. */
struct consent_index_size {
    size_t consents;
    size_t policies;
    size_t bytes;
};
struct consent_index_size consent_index_size(const struct consent_index *index);

/**
 * consent_decide() - decide for one patient by all consents held
 * @index:   the index
 * @patient: whose data it is
 * @request: who wants what for what, and when
 * @facts:   what is known of the data; NULL: nothing yet
 * @out:     the verdict and what it rests on
 *
 * Allocates nothing and can't fail.
 */
void consent_decide(const struct consent_index *index,
                    const uint8_t patient[CONSENT_PATIENT_SIZE],
                    const struct consent_request *request, const struct consent_facts *facts,
                    struct consent_evidence *out);

/* How a consent stands, by the database and the chain together. */
enum consent_standing {
    CONSENT_STANDS_ABSENT,
    CONSENT_STANDS_GRANTED,
    CONSENT_STANDS_SAFE,
    CONSENT_STANDS_REVOKED,
    CONSENT_STANDS_MISMATCH,
};

/* "in force", "revoked", …: for people. */
const char *consent_standing_name(enum consent_standing standing);

/* One of the consents that a decision looked at. @policy: NULL if it can't be processed */
struct consent_seen {
    const uint8_t *id;
    uint16_t version;
    enum consent_standing standing;
    uint64_t block;
    uint32_t valid_from;
    uint32_t valid_until;
    struct consent_finding found;
    const struct policy *policy;
};

/* @tell: called for each consent looked at, which is borrowed from the index */
struct consent_listener {
    void (*tell)(void *arg, const struct consent_seen *seen);
    void *arg;
};

/* As consent_decide(), and tells each consent that it looked at. */
void consent_explain(const struct consent_index *index,
                     const uint8_t patient[CONSENT_PATIENT_SIZE],
                     const struct consent_request *request, const struct consent_facts *facts,
                     struct consent_evidence *out, const struct consent_listener *listener);
