/*
 * Evaluation over sets of outcomes.
 *
 * A criterion matches, doesn't, or may. A rule that may match contributes its outcomes and,
 * besides, that of having passed. Sets of siblings are combined pairwise by deny-overrides, so
 * the result holds exactly the outcomes that some completion of the unknown facts would lead
 * to, each rule's doubt taken for itself. Rules with exceptions thus need no special care: an
 * unknown date neither opens a permit nor, by missing it, the permit behind it.
 */
#include "fhir/consent/evaluate.h"

#include "fhir/consent/match.h"

#include <assert.h>

/* The outcomes that two sets may come to together: deny overrides. */
static uint8_t combine(uint8_t sum, uint8_t with)
{
    uint8_t either = sum | with;
    uint8_t both = sum & with;
    uint8_t set = (either & CONSENT_MAY_DENY) | (both & CONSENT_MAY_PASS);
    bool permit =
        ((sum & CONSENT_MAY_PERMIT) && (with & (CONSENT_MAY_PERMIT | CONSENT_MAY_PASS))) ||
        ((with & CONSENT_MAY_PERMIT) && (sum & (CONSENT_MAY_PERMIT | CONSENT_MAY_PASS)));
    return set | (permit ? CONSENT_MAY_PERMIT : 0);
}

static uint8_t outcome_of(enum policy_effect effect)
{
    static const uint8_t outcomes[] = {
        [POLICY_SILENT] = CONSENT_MAY_PASS,
        [POLICY_DENY] = CONSENT_MAY_DENY,
        [POLICY_PERMIT] = CONSENT_MAY_PERMIT,
    };
    return outcomes[effect];
}

/* Of two that may both decide so; the one that surely does bounds the rank from below. */
static struct consent_rank join(struct consent_rank a, bool a_sure, struct consent_rank b,
                                bool b_sure)
{
    uint8_t lesser = a.least < b.least ? a.least : b.least;
    uint8_t larger = a.least < b.least ? b.least : a.least;
    struct consent_rank rank = { lesser, a.most < b.most ? b.most : a.most };
    if (a_sure && b_sure) {
        rank.least = larger;
    } else if (a_sure || b_sure) {
        rank.least = a_sure ? a.least : b.least;
    }
    return rank;
}

/* Note who may permit: the first one stays. Who can't pass permits for sure, if any does. */
static void note_permit(struct consent_finding *found, const struct consent_finding *with)
{
    if (!(with->set & CONSENT_MAY_PERMIT)) {
        return;
    }
    if (found->set & CONSENT_MAY_PERMIT) {
        found->permit_rank = join(found->permit_rank, !(found->set & CONSENT_MAY_PASS),
                                  with->permit_rank, !(with->set & CONSENT_MAY_PASS));
        return;
    }
    found->permit = with->permit;
    found->permit_rank = with->permit_rank;
}

/* The same for who may deny. */
static void note_deny(struct consent_finding *found, const struct consent_finding *with)
{
    if (!(with->set & CONSENT_MAY_DENY)) {
        return;
    }
    if (found->set & CONSENT_MAY_DENY) {
        found->deny_rank = join(found->deny_rank, found->set == CONSENT_MAY_DENY,
                                with->deny_rank, with->set == CONSENT_MAY_DENY);
        return;
    }
    found->deny = with->deny;
    found->deny_rank = with->deny_rank;
}

void consent_add(struct consent_finding *found, const struct consent_finding *with)
{
    note_permit(found, with);
    note_deny(found, with);
    found->set = combine(found->set, with->set);
}

void consent_fall_back(struct consent_finding *found, const struct consent_finding *with)
{
    if (!(found->set & CONSENT_MAY_PASS)) {
        return;
    }
    struct consent_finding perhaps = *with; /* or what was found before decides */
    perhaps.set |= CONSENT_MAY_PASS;
    note_permit(found, &perhaps);
    note_deny(found, &perhaps);
    found->set = (found->set & (uint8_t)~CONSENT_MAY_PASS) | with->set;
}

/* Where no exception surely decides, the one at @path does, with @effect. */
static void decide_self(struct consent_finding *found, enum policy_effect effect,
                        const struct consent_path *path, uint8_t rank)
{
    struct consent_finding own = {
        .set = outcome_of(effect),
        .permit = *path,
        .deny = *path,
        .permit_rank = { rank, rank },
        .deny_rank = { rank, rank },
    };
    consent_fall_back(found, &own);
}

static struct consent_finding find_rules(const struct policy_rule *rules, size_t n,
                                         const struct consent_path *path, uint8_t rank,
                                         const struct question *q)
{
    struct consent_finding found = { .set = CONSENT_MAY_PASS };
    assert(path->n < POLICY_DEPTH_MAX || n == 0);
    for (size_t i = 0; i < n; i++) {
        enum match match = match_all(&rules[i].when, rules[i].effect, q);
        if (match == MATCH_NO) {
            continue;
        }
        struct consent_path at = *path;
        at.steps[at.n++] = (uint8_t)i;
        uint8_t own = (uint8_t)(rank + rules[i].when.asked);
        struct consent_finding one = find_rules(rules[i].rules, rules[i].n_rules, &at, own, q);
        decide_self(&one, rules[i].effect, &at, own);
        one.set |= match == MATCH_MAYBE ? CONSENT_MAY_PASS : 0;
        consent_add(&found, &one);
    }
    return found;
}

struct consent_finding consent_find(const struct policy *policy,
                                    const struct consent_request *request,
                                    const struct consent_facts *facts)
{
    static const struct consent_facts nothing = { .pending = CONSENT_FACT_ALL };
    const struct consent_path base = { .n = 0 };
    const struct policy_criteria *scope = &policy->scope;
    facts = facts ? facts : &nothing;
    struct question q = { request, facts, facts->pending | facts->unknown };

    if (!match_period(scope, request->now)) {
        return (struct consent_finding){
            .set = CONSENT_MAY_PASS,
            .basis = request->now < scope->period.from ? CONSENT_BASIS_NOT_YET
                                                       : CONSENT_BASIS_EXPIRED,
        };
    }
    struct consent_finding found =
        find_rules(policy->rules, policy->n_rules, &base, scope->asked, &q);
    enum match match = MATCH_NO;
    if (policy->base != POLICY_SILENT && (found.set & CONSENT_MAY_PASS)) {
        match = match_all(scope, policy->base, &q);
    }
    if (match != MATCH_NO) {
        decide_self(&found, policy->base, &base, scope->asked);
        found.set |= match == MATCH_MAYBE ? CONSENT_MAY_PASS : 0;
    }
    found.bounded = policy->base == POLICY_PERMIT;
    return found;
}

struct consent_verdict consent_conclude(const struct consent_finding *found, bool pending)
{
    const bool permit = found->set & CONSENT_MAY_PERMIT;
    const bool deny = found->set & CONSENT_MAY_DENY;
    if (found->set == CONSENT_MAY_PERMIT) {
        return (struct consent_verdict){ CONSENT_PERMIT, CONSENT_BASIS_PERMIT, found->permit };
    }
    if (permit) {
        return (struct consent_verdict){
            .decision = pending ? CONSENT_NEEDS_FACTS : CONSENT_DENY,
            .basis = CONSENT_BASIS_IN_DOUBT,
            .path = deny ? found->deny : found->permit,
        };
    }
    if (deny) {
        return (struct consent_verdict){ CONSENT_DENY, CONSENT_BASIS_DENY, found->deny };
    }
    return (struct consent_verdict){ .decision = CONSENT_DENY, .basis = found->basis };
}

struct consent_verdict consent_evaluate(const struct policy *policy,
                                        const struct consent_request *request,
                                        const struct consent_facts *facts)
{
    struct consent_finding found = consent_find(policy, request, facts);
    return consent_conclude(&found, !facts || facts->pending);
}

const char *consent_basis_name(enum consent_basis basis)
{
    static const char *const names[] = {
        [CONSENT_BASIS_NO_CONSENT] = "no-consent",
        [CONSENT_BASIS_PERMIT] = "consent-permit",
        [CONSENT_BASIS_DENY] = "consent-deny",
        [CONSENT_BASIS_IN_DOUBT] = "in-doubt",
        [CONSENT_BASIS_NOT_YET] = "not-yet-valid",
        [CONSENT_BASIS_EXPIRED] = "expired",
        [CONSENT_BASIS_NOT_SAFE] = "not-yet-safe",
        [CONSENT_BASIS_REVOKED] = "revoked",
        [CONSENT_BASIS_MISMATCH] = "ledger-mismatch",
        [CONSENT_BASIS_UNPROCESSABLE] = "unprocessable",
        [CONSENT_BASIS_LEGAL] = "legal",
        [CONSENT_BASIS_LEGAL_PERMIT] = "legal-permit",
        [CONSENT_BASIS_PART2] = "part2",
        [CONSENT_BASIS_IMPLICIT] = "implicit-policy",
    };
    return names[basis];
}

void consent_path_write(struct buf *out, const struct consent_path *path)
{
    if (path->n == 0) {
        buf_z(out, "base");
    }
    for (uint8_t i = 0; i < path->n; i++) {
        buf_fmt(out, "%srules[%u]", i ? "." : "", path->steps[i]);
    }
}
