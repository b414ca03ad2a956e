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

#include "fhir/consent/purpose.h"

#include <assert.h>

/* Ordered: "and" is the lesser, "or" the greater. */
enum match {
    MATCH_NO,
    MATCH_MAYBE,
    MATCH_YES,
};

struct question {
    const struct consent_request *request;
    const struct consent_facts *facts;
    uint32_t unsure; /* bits of enum consent_fact */
};

static enum match greater(enum match a, enum match b)
{
    return a > b ? a : b;
}

static enum match doubt(const struct question *q, uint32_t facts)
{
    return q->unsure & facts ? MATCH_MAYBE : MATCH_NO;
}

/* Whether @text is "system|code" of @coding. */
static bool is_coding(struct str text, const struct consent_coding *coding)
{
    size_t n = coding->system.n;
    return text.n == n + 1 + coding->code.n && text.p[n] == '|' &&
           str_starts(text, coding->system) && str_ends(text, coding->code);
}

static bool texts_have(const struct policy_texts *texts, struct str want)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (str_eq(texts->at[i], want)) {
            return true;
        }
    }
    return false;
}

static bool texts_meet(const struct policy_texts *texts, const struct str *list, size_t n)
{
    for (size_t i = 0; texts->n > 0 && i < n; i++) {
        if (texts_have(texts, list[i])) {
            return true;
        }
    }
    return false;
}

static bool texts_code(const struct policy_texts *texts, const struct consent_coding *list,
                       size_t n)
{
    for (size_t i = 0; i < texts->n; i++) {
        for (size_t k = 0; k < n; k++) {
            if (is_coding(texts->at[i], &list[k])) {
                return true;
            }
        }
    }
    return false;
}

static enum match match_actors(const struct policy_criteria *when, const struct question *q)
{
    if (when->lists[POLICY_ACTORS].n == 0 && when->lists[POLICY_CUSTODIANS].n == 0) {
        return MATCH_YES;
    }
    if (texts_meet(&when->lists[POLICY_ACTORS], q->request->actors, q->request->n_actors) ||
        texts_meet(&when->lists[POLICY_CUSTODIANS], q->facts->custodians,
                   q->facts->n_custodians)) {
        return MATCH_YES;
    }
    if (when->lists[POLICY_ACTORS].n > 0 && q->request->actors_unknown) {
        return MATCH_MAYBE;
    }
    return when->lists[POLICY_CUSTODIANS].n > 0 ? doubt(q, CONSENT_FACT_CUSTODIANS) : MATCH_NO;
}

/* No purpose at all satisfies no permit, and no deny lets it pass. */
static bool match_purposes(const struct policy_criteria *when, enum policy_effect effect,
                           const struct consent_request *request)
{
    if (request->purposes == 0 && request->n_other_purposes == 0) {
        return effect == POLICY_DENY;
    }
    if (request->purposes & when->purposes_met) {
        return true;
    }
    if (when->purposes == 0 && when->lists[POLICY_OTHER_PURPOSES].n == 0) {
        return effect == POLICY_DENY || request->n_other_purposes > 0;
    }
    return texts_meet(&when->lists[POLICY_OTHER_PURPOSES], request->other_purposes,
                      request->n_other_purposes);
}

static bool match_action(const struct policy_criteria *when, enum policy_effect effect,
                         enum action action)
{
    if (action == ACTION_NONE) {
        return effect == POLICY_DENY;
    }
    return when->actions == 0 || (when->actions & (unsigned)action) != 0;
}

/* Without any label, what the labeller has seen is normal; the rest is taken for restricted. */
static enum confidentiality level_of(const struct consent_facts *facts)
{
    if (facts->level != CONFIDENTIALITY_NONE) {
        return facts->level;
    }
    return facts->labelled ? CONFIDENTIALITY_N : CONFIDENTIALITY_R;
}

static enum match match_labels(const struct policy_criteria *when, enum policy_effect effect,
                               const struct question *q)
{
    const struct consent_facts *facts = q->facts;
    bool tags = when->sensitivity != 0 || when->lists[POLICY_OTHER_LABELS].n > 0;
    if (when->confidentiality == 0 && !tags) {
        return MATCH_YES;
    }
    if ((facts->sensitivity & when->labels_met) ||
        texts_code(&when->lists[POLICY_OTHER_LABELS], facts->labels, facts->n_labels)) {
        return MATCH_YES;
    }
    if (q->unsure & CONSENT_FACT_LABELS) {
        return MATCH_MAYBE;
    }
    enum confidentiality level = level_of(facts);
    if (when->level != CONFIDENTIALITY_NONE &&
        (effect == POLICY_DENY ? level >= when->level : level <= when->level)) {
        return MATCH_YES;
    }
    bool seen = facts->labelled || facts->level != CONFIDENTIALITY_NONE || facts->sensitivity;
    return tags && !seen ? MATCH_MAYBE : MATCH_NO;
}

/* A class is a resource type unless it has what only URLs and codings have. */
static bool is_type(struct str class)
{
    return !memchr(class.p, ':', class.n) && !memchr(class.p, '|', class.n);
}

/* A profile is named with its version or without, by the rule as by the data. */
static enum match is_profile(struct str class, struct str profile)
{
    struct str version = class;
    struct str own = profile;
    if (!str_eq(str_cut(&version, '|'), str_cut(&own, '|')) || is_type(class)) {
        return MATCH_NO;
    }
    if (version.n == 0 || str_eq(version, own)) {
        return MATCH_YES;
    }
    return own.n == 0 ? MATCH_MAYBE : MATCH_NO;
}

static enum match match_profiles(const struct policy_texts *classes,
                                 const struct consent_facts *facts)
{
    enum match found = MATCH_NO;
    for (size_t i = 0; i < classes->n; i++) {
        for (size_t k = 0; k < facts->n_profiles; k++) {
            found = greater(found, is_profile(classes->at[i], facts->profiles[k]));
        }
    }
    return found;
}

static enum match match_classes(const struct policy_criteria *when, const struct question *q)
{
    const struct consent_facts *facts = q->facts;
    const struct policy_texts *classes = &when->lists[POLICY_CLASSES];
    if (classes->n == 0) {
        return MATCH_YES;
    }
    enum match found = match_profiles(classes, facts);
    if (found == MATCH_YES || (facts->type.n > 0 && texts_have(classes, facts->type)) ||
        texts_code(classes, facts->codes, facts->n_codes)) {
        return MATCH_YES;
    }
    for (size_t i = 0; i < classes->n; i++) {
        bool type = is_type(classes->at[i]);
        if (doubt(q, type ? CONSENT_FACT_TYPE : CONSENT_FACT_CODES) == MATCH_MAYBE) {
            return MATCH_MAYBE;
        }
    }
    return found;
}

static enum match match_codes(const struct policy_criteria *when, const struct question *q)
{
    if (when->lists[POLICY_CODES].n == 0 ||
        texts_code(&when->lists[POLICY_CODES], q->facts->codes, q->facts->n_codes)) {
        return MATCH_YES;
    }
    return doubt(q, CONSENT_FACT_CODES);
}

/* A permit needs all of the data's time inside, a deny any of it: between them lies doubt. */
static enum match match_time(const struct policy_criteria *when, const struct question *q)
{
    struct instant_span time = q->facts->time;
    struct instant_span want = when->data_period;
    if (!when->has_data_period) {
        return MATCH_YES;
    }
    if ((q->unsure & CONSENT_FACT_TIME) || time.from >= time.until) {
        return MATCH_MAYBE;
    }
    if (time.from >= want.until || time.until <= want.from) {
        return MATCH_NO;
    }
    return time.from >= want.from && time.until <= want.until ? MATCH_YES : MATCH_MAYBE;
}

/* Whether reference @text, "Type/id" or with "/_history/version", means the resource itself. */
static enum match is_self(struct str text, const struct consent_facts *facts)
{
    struct str rest = text;
    struct str type = str_cut(&rest, '/');
    struct str id = str_cut(&rest, '/');
    if (!str_eq(type, facts->type) || !str_eq(id, facts->id)) {
        return MATCH_NO;
    }
    if (rest.n == 0) {
        return MATCH_YES;
    }
    (void)str_cut(&rest, '/'); /* _history */
    if (facts->version.n == 0) {
        return MATCH_MAYBE;
    }
    return str_eq(rest, facts->version) ? MATCH_YES : MATCH_NO;
}

static enum match match_self(const struct policy_texts *texts, const struct question *q)
{
    enum match found = MATCH_NO;
    for (size_t i = 0; i < texts->n && found != MATCH_YES; i++) {
        found = greater(found, is_self(texts->at[i], q->facts));
    }
    if (found == MATCH_YES || texts->n == 0) {
        return found;
    }
    return greater(found, doubt(q, CONSENT_FACT_TYPE | CONSENT_FACT_REFERENCES));
}

/* The four ways to name data: from POLICY_INSTANCES to POLICY_AUTHORED_BY. */
static bool names_data(const struct policy_criteria *when)
{
    for (int i = POLICY_INSTANCES; i <= POLICY_AUTHORED_BY; i++) {
        if (when->lists[i].n > 0) {
            return true;
        }
    }
    return false;
}

static enum match match_data(const struct policy_criteria *when, const struct question *q)
{
    const struct consent_facts *facts = q->facts;
    const struct policy_texts *lists = when->lists;
    if (!names_data(when) ||
        texts_meet(&lists[POLICY_AUTHORED_BY], facts->authors, facts->n_authors) ||
        texts_meet(&lists[POLICY_RELATED], facts->references, facts->n_references) ||
        texts_meet(&lists[POLICY_DEPENDENTS], facts->references, facts->n_references)) {
        return MATCH_YES;
    }
    enum match found = greater(match_self(&lists[POLICY_INSTANCES], q),
                               greater(match_self(&lists[POLICY_RELATED], q),
                                       match_self(&lists[POLICY_DEPENDENTS], q)));
    return lists[POLICY_AUTHORED_BY].n > 0 ? greater(found, doubt(q, CONSENT_FACT_AUTHORS))
                                           : found;
}

static bool match_period(const struct policy_criteria *when, int64_t now)
{
    return !when->has_period || (now >= when->period.from && now < when->period.until);
}

/* Every present criterion must match; what the request alone tells is looked at first. */
static enum match match_all(const struct policy_criteria *when, enum policy_effect effect,
                            const struct question *q)
{
    if (!match_action(when, effect, q->request->action) ||
        !match_purposes(when, effect, q->request) || !match_period(when, q->request->now)) {
        return MATCH_NO;
    }
    enum match least = match_actors(when, q);
    enum match more[] = {
        least == MATCH_NO ? MATCH_NO : match_labels(when, effect, q),
        least == MATCH_NO ? MATCH_NO : match_classes(when, q),
        least == MATCH_NO ? MATCH_NO : match_codes(when, q),
        least == MATCH_NO ? MATCH_NO : match_time(when, q),
        least == MATCH_NO ? MATCH_NO : match_data(when, q),
    };
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        least = more[i] < least ? more[i] : least;
    }
    return least;
}

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
