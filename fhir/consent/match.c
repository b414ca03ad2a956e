/*
 * Criteria, one after the other.
 *
 * A criterion matches, doesn't, or may: what isn't known of the data leaves it in doubt. Inside
 * one, any value will do.
 *
 * Spec: consent rules, section 5.3
 */
#include "fhir/consent/match.h"

#include "fhir/consent/purpose.h"

#include <string.h>

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

bool match_period(const struct policy_criteria *when, int64_t now)
{
    return !when->has_period || (now >= when->period.from && now < when->period.until);
}

/* What the request alone tells is looked at first. */
enum match match_all(const struct policy_criteria *when, enum policy_effect effect,
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
