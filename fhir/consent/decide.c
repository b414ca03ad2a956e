/*
 * Deciding for one patient.
 *
 *   legal rules --open--> consents, combined --none applies--> implicit policy --> deny
 *
 * Each consent that says something has a rank, by the way of combining: none (deny overrides),
 * the block of its grant, or how specific its rule is. The highest decides, among equals deny.
 * As long as facts are missing a finding has several outcomes, and its rank may lie between two
 * bounds: an outcome is possible in all if it may outrank whatever surely speaks against it.
 */
#include "fhir/consent/compiled_impl.h"
#include "fhir/consent/purpose.h"

#include <string.h>

#define RANK_NONE (-1)
#define RANK_FATAL INT64_MAX /* what doesn't add up denies, however consents are combined */

/*
 * What the consents that may decide one way come to.
 *
 * @most: highest rank possible; @sure: highest that is certain to be reached
 * @set:  of the one that is cited, with its rank and path
 */
struct side {
    int64_t most;
    int64_t sure;
    uint8_t set;
    int64_t rank;
    enum consent_basis basis;
    struct consent_path path;
    const struct entry *entry;
};

/* What the consents looked at so far come to. */
struct tally {
    const struct consent_request *request;
    const struct consent_facts *facts;
    enum consent_combining combining;
    unsigned considered;
    bool bounded; /* one in force permits part of what could be asked for, and no more */
    bool silent;  /* all may say nothing */
    struct side permit;
    struct side deny;
    enum consent_basis pass_basis;
    const struct entry *pass;
    const struct consent_listener *listener;
};

static struct consent_finding passing(enum consent_basis basis)
{
    return (struct consent_finding){ .set = CONSENT_MAY_PASS, .basis = basis };
}

static struct consent_finding refusing(enum consent_basis basis)
{
    return (struct consent_finding){ .set = CONSENT_MAY_DENY, .basis = basis };
}

/* The finding on one consent, given how it stands on chain. */
static struct consent_finding find_one(const struct consent_index *index,
                                       const struct entry *entry, const struct tally *tally)
{
    int64_t now = tally->request->now;
    int64_t day = now >= 0 ? now / INSTANT_DAY_MS : -1;
    if (entry->standing == CONSENT_STANDS_MISMATCH) {
        return refusing(CONSENT_BASIS_MISMATCH);
    }
    if (entry->standing == CONSENT_STANDS_REVOKED) {
        return passing(CONSENT_BASIS_REVOKED);
    }
    if (entry->policy == SLOTS_NONE) {
        return refusing(CONSENT_BASIS_UNPROCESSABLE);
    }
    if (day < (int64_t)entry->valid_from) {
        return passing(CONSENT_BASIS_NOT_YET);
    }
    if (entry->valid_until != CONSENT_DAY_OPEN && day >= (int64_t)entry->valid_until) {
        return passing(CONSENT_BASIS_EXPIRED);
    }
    struct consent_finding found =
        consent_find(index->policies.at[entry->policy].at, tally->request, tally->facts);
    if (entry->standing != CONSENT_STANDS_SAFE) {
        found.bounded = false;
        if (found.set & CONSENT_MAY_PERMIT) {
            found.set = (found.set & (uint8_t)~CONSENT_MAY_PERMIT) | CONSENT_MAY_PASS;
            found.basis = CONSENT_BASIS_NOT_SAFE;
        }
    }
    return found;
}

/* The bounds of a finding's rank. */
struct bounds {
    int64_t least;
    int64_t most;
};

static struct bounds bounds_of(enum consent_combining combining, const struct entry *entry,
                               struct consent_rank rank)
{
    if (combining == CONSENT_MOST_SPECIFIC) {
        return (struct bounds){ rank.least, rank.most };
    }
    if (combining == CONSENT_MOST_RECENT) {
        return (struct bounds){ (int64_t)entry->block, (int64_t)entry->block };
    }
    return (struct bounds){ 0, 0 };
}

static void count_side(struct side *side, uint8_t outcome, const struct entry *entry,
                       const struct consent_finding *found, struct bounds bounds)
{
    if (!(found->set & outcome)) {
        return;
    }
    bool sure = found->set == outcome;
    bool was_sure = side->set == outcome;
    side->most = bounds.most > side->most ? bounds.most : side->most;
    side->sure = sure && bounds.least > side->sure ? bounds.least : side->sure;
    if (side->entry && (sure < was_sure || (sure == was_sure && bounds.most < side->rank))) {
        return;
    }
    bool equal = side->entry && sure == was_sure && bounds.most == side->rank;
    if (equal && found->basis <= side->basis) {
        return;
    }
    side->set = found->set;
    side->rank = bounds.most;
    side->basis = found->basis;
    side->path = outcome == CONSENT_MAY_PERMIT ? found->permit : found->deny;
    side->entry = entry;
}

static void count_in(struct tally *t, const struct entry *entry,
                     const struct consent_finding *found)
{
    const bool fatal = found->set == CONSENT_MAY_DENY && found->basis != 0;
    const struct bounds last = { RANK_FATAL, RANK_FATAL };
    t->considered++;
    t->bounded = t->bounded || found->bounded;
    t->silent = t->silent && (found->set & CONSENT_MAY_PASS);
    count_side(&t->permit, CONSENT_MAY_PERMIT, entry, found,
               bounds_of(t->combining, entry, found->permit_rank));
    count_side(&t->deny, CONSENT_MAY_DENY, entry, found,
               fatal ? last : bounds_of(t->combining, entry, found->deny_rank));
    if ((found->set & CONSENT_MAY_PASS) && (!t->pass || found->basis > t->pass_basis)) {
        t->pass_basis = found->basis;
        t->pass = entry;
    }
}

/* The outcomes that are possible in all. */
static struct consent_finding sum_of(const struct tally *t)
{
    struct consent_finding sum = {
        .set = t->silent ? CONSENT_MAY_PASS : 0,
        .basis = t->pass_basis,
        .bounded = t->bounded,
        .permit = t->permit.path,
        .deny = t->deny.path,
    };
    sum.set |= t->permit.most > t->deny.sure ? CONSENT_MAY_PERMIT : 0;
    sum.set |= t->deny.entry && t->deny.most >= t->permit.sure ? CONSENT_MAY_DENY : 0;
    return sum;
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
        const struct pool_policy *policy = &index->policies.at[entry->policy];
        out->reading = policy->at->reading;
        memcpy(out->policy_hash, policy->hash, sizeof(out->policy_hash));
    }
}

/* The consent that the verdict rests on. */
static const struct entry *ground_of(const struct tally *t, enum consent_basis basis)
{
    if (basis >= CONSENT_BASIS_LEGAL) { /* the tenant's policy */
        return NULL;
    }
    if (basis == CONSENT_BASIS_PERMIT) {
        return t->permit.entry;
    }
    if (t->deny.entry) {
        return t->deny.entry;
    }
    return basis == CONSENT_BASIS_IN_DOUBT ? t->permit.entry : t->pass;
}

static void count_all(const struct consent_index *index, const uint8_t *patient,
                      struct tally *t)
{
    const struct merged *merged = &index->merged;
    uint32_t first = merged_find(merged, patient);
    count_patient(index, patient, t);
    if (first != SLOTS_NONE) {
        for (uint32_t i = merged->at[first].next; i != first; i = merged->at[i].next) {
            count_patient(index, merged->at[i].patient, t);
        }
    }
}

/*
 * Whether the implicit policy is asked: not beyond a permit that a patient has bounded, but for
 * what breaks the glass, which no bound speaks of.
 */
static bool asks_implicit(const struct consent_finding *sum,
                          const struct consent_request *request)
{
    const uint64_t glass = purpose_bit(STR("BTG")) | purpose_bit(STR("ETREAT"));
    bool only_glass = request->purposes != 0 && (request->purposes & ~glass) == 0 &&
                      request->n_other_purposes == 0;
    return (sum->set & CONSENT_MAY_PASS) && (!sum->bounded || only_glass);
}

/* The basis of a verdict, by who of the three gave it. */
static enum consent_basis basis_of(enum consent_basis basis, const struct tally *t,
                                   const struct consent_finding *legal, uint8_t consents)
{
    if (basis != CONSENT_BASIS_PERMIT && basis != CONSENT_BASIS_DENY) {
        return basis;
    }
    if (!(legal->set & CONSENT_MAY_PASS)) {
        return basis == CONSENT_BASIS_PERMIT ? CONSENT_BASIS_LEGAL_PERMIT : legal->basis;
    }
    if (basis == CONSENT_BASIS_PERMIT) {
        return consents & CONSENT_MAY_PASS ? CONSENT_BASIS_IMPLICIT : basis;
    }
    if (!t->deny.entry) { /* no consent may deny, so a legal rule may */
        return legal->basis;
    }
    bool told = t->deny.set == CONSENT_MAY_DENY && t->deny.basis != 0;
    return told ? t->deny.basis : basis;
}

void consent_explain(const struct consent_index *index,
                     const uint8_t patient[CONSENT_PATIENT_SIZE],
                     const struct consent_request *request, const struct consent_facts *facts,
                     struct consent_evidence *out, const struct consent_listener *listener)
{
    const struct consent_tenant *tenant = index->tenant;
    struct consent_finding found = passing(CONSENT_BASIS_NO_CONSENT);
    struct tally t = {
        .request = request,
        .facts = facts,
        .silent = true,
        .permit = { .most = RANK_NONE, .sure = RANK_NONE },
        .deny = { .most = RANK_NONE, .sure = RANK_NONE },
        .listener = listener,
    };
    if (tenant) {
        t.combining = tenant->combining;
        found = consent_tenant_legal(tenant, request, facts);
    }
    const struct consent_finding legal = found;
    count_all(index, patient, &t);
    const struct consent_finding sum = sum_of(&t);
    consent_fall_back(&found, &sum);
    if (tenant && asks_implicit(&sum, request)) {
        struct consent_finding implicit = consent_tenant_implicit(tenant, request, facts);
        consent_fall_back(&found, &implicit);
    }
    found.basis = t.pass_basis;

    *out = (struct consent_evidence){
        .verdict = consent_conclude(&found, !facts || facts->pending),
        .considered = t.considered,
        .engine = CONSENT_ENGINE,
    };
    out->verdict.basis = basis_of(out->verdict.basis, &t, &legal, sum.set);
    if (tenant) {
        memcpy(out->tenant, tenant->digest, sizeof(out->tenant));
    }
    if (tenant && out->verdict.decision == CONSENT_PERMIT) {
        out->obligations = consent_tenant_obligations(tenant, request, facts);
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
