/* Deciding for one patient: each of the consents is asked, and deny overrides. */
#include "fhir/consent/compiled_impl.h"

#include <string.h>

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
    const struct consent_listener *listener;
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
    if (entry->standing == CONSENT_STANDS_MISMATCH) {
        return (
            struct consent_finding){ CONSENT_MAY_DENY, CONSENT_BASIS_MISMATCH, { 0 }, { 0 } };
    }
    if (entry->standing == CONSENT_STANDS_REVOKED) {
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
    if (entry->standing != CONSENT_STANDS_SAFE && (found.set & CONSENT_MAY_PERMIT)) {
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

static void tell(const struct consent_index *index, const struct entry *entry,
                 const struct consent_finding *found, const struct tally *t)
{
    struct consent_seen seen = {
        .id = entry->id,
        .version = entry->version,
        .standing = entry->standing,
        .block = entry->block,
        .valid_from = entry->valid_from,
        .valid_until = entry->valid_until,
        .found = *found,
    };
    if (entry->policy != SLOTS_NONE) {
        seen.policy = index->policies.at[entry->policy].at;
    }
    t->listener->tell(t->listener->arg, &seen);
}

static void count_patient(const struct consent_index *index, const uint8_t *patient,
                          struct tally *t)
{
    uint32_t ref = slots_find(&index->by_patient, patient);
    while (ref != SLOTS_NONE) {
        const struct entry *entry = entry_at(index, ref);
        struct consent_finding found = find_one(index, entry, t);
        count_in(t, entry, &found);
        if (t->listener) {
            tell(index, entry, &found, t);
        }
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
    out->safe = entry->standing == CONSENT_STANDS_SAFE;
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

void consent_explain(const struct consent_index *index,
                     const uint8_t patient[CONSENT_PATIENT_SIZE],
                     const struct consent_request *request, const struct consent_facts *facts,
                     struct consent_evidence *out, const struct consent_listener *listener)
{
    struct tally t = {
        .request = request,
        .facts = facts,
        .set = CONSENT_MAY_PASS,
        .listener = listener,
    };
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

void consent_decide(const struct consent_index *index,
                    const uint8_t patient[CONSENT_PATIENT_SIZE],
                    const struct consent_request *request, const struct consent_facts *facts,
                    struct consent_evidence *out)
{
    consent_explain(index, patient, request, facts, out, NULL);
}

const char *consent_standing_name(enum consent_standing standing)
{
    static const char *const names[] = {
        [CONSENT_STANDS_ABSENT] = "not on chain",
        [CONSENT_STANDS_GRANTED] = "granted, not safe yet",
        [CONSENT_STANDS_SAFE] = "in force",
        [CONSENT_STANDS_REVOKED] = "revoked",
        [CONSENT_STANDS_MISMATCH] = "not what the chain holds",
    };
    return names[standing];
}
