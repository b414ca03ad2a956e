/*
 * Evaluation against a naive reading of the rules.
 *
 * The reference below knows nothing of sets: it answers for fully known data only, with its own
 * few purposes and labels. Random policies and requests must agree with it; and whatever is
 * decided while facts are missing must hold for every way in which they may turn out.
 */
#include "fhir/consent/evaluate.h"

#include "fhir/consent/purpose.h"
#include "tests/check.h"

enum {
    ROUNDS = 20000,
    SEED = 20221122,
    ACTORS = 3,
    TIMES = 4,
};

static uint64_t seed = SEED;

/* xorshift64*: the same numbers on every machine */
static unsigned roll(unsigned sides)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % sides;
}

/* A small world: purposes and labels with their parents, as indexes; -1 is none. */
static const struct {
    const char *name;
    int parent;
    bool glass;
} purposes[] = {
    { "PurposeOfUse", -1, false }, { "TREAT", 0, false },   { "COC", 1, false },
    { "ETREAT", 1, true },         { "BTG", 3, true },      { "HRESCH", 0, false },
    { "BIORCH", 5, false },        { "ERTREAT", 3, false },
};

static const struct {
    const char *name;
    int parent;
} labels[] = {
    { "SPI", -1 }, { "SUD", 0 }, { "ETHUD", 1 }, { "PSY", 0 }, { "ETH", -1 },
};

static struct str actors[] = { { "a", 1 }, { "b", 1 }, { "c", 1 } };
static struct str types[] = { { "Observation", 11 }, { "Condition", 9 } };
static struct consent_coding codings[] = { { { "s", 1 }, { "1", 1 } },
                                           { { "s", 1 }, { "2", 1 } } };
static struct str coded[] = { { "s|1", 3 }, { "s|2", 3 } };

static bool purpose_below(int code, int above)
{
    for (int i = code; i >= 0; i = purposes[i].parent) {
        if (i == above) {
            return true;
        }
        if (strcmp(purposes[i].name, "ETREAT") == 0) {
            return false;
        }
    }
    return false;
}

static bool ref_purpose(enum policy_effect effect, int listed, int requested)
{
    if (purpose_below(requested, listed)) {
        return true;
    }
    if (effect == POLICY_PERMIT || purposes[listed].glass || purposes[requested].glass) {
        return false;
    }
    for (int i = listed; i >= 0; i = purposes[i].parent) {
        if (i == requested) {
            return true;
        }
    }
    for (int i = requested; i >= 0; i = purposes[i].parent) {
        if (i == listed) {
            return true;
        }
    }
    return false;
}

static bool label_below(int code, int above)
{
    for (int i = code; i >= 0; i = labels[i].parent) {
        if (i == above) {
            return true;
        }
    }
    return false;
}

static bool ref_label(int listed, int label)
{
    bool etoh = strcmp(labels[listed].name, "ETH") == 0 || label_below(1, listed);
    return label_below(label, listed) ||
           (etoh && (label_below(label, 1) || strcmp(labels[label].name, "ETH") == 0));
}

/* One bit for each purpose or label of the small world. */
static uint64_t to_purposes(unsigned set)
{
    uint64_t all = 0;
    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        all |= set & (1U << i) ? purpose_bit(str_z(purposes[i].name)) : 0;
    }
    return all;
}

static uint64_t to_labels(unsigned set)
{
    uint64_t all = 0;
    for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
        all |= set & (1U << i) ? labels_bit(str_z(labels[i].name)) : 0;
    }
    return all;
}

/* What the data turns out to be; times are single numbers. */
struct world {
    unsigned type;
    unsigned codes;
    unsigned labels;
    enum confidentiality level;
    unsigned time;
    bool labelled;
};

struct asking {
    unsigned actors;
    unsigned purposes;
    enum action action;
};

static bool ref_has(const struct policy_texts *texts, struct str want)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (str_eq(texts->at[i], want)) {
            return true;
        }
    }
    return false;
}

static bool ref_meets(const struct policy_texts *texts, const struct str *all, unsigned set)
{
    bool found = texts->n == 0;
    for (unsigned i = 0; set >> i; i++) {
        found = found || ((set & (1U << i)) && ref_has(texts, all[i]));
    }
    return found;
}

static bool ref_purposes(const struct policy_criteria *when, enum policy_effect effect,
                         unsigned requested)
{
    for (int r = 0; r < (int)ARRAY_LEN(purposes); r++) {
        if (!(requested & (1U << r))) {
            continue;
        }
        if (!when->purposes && (effect == POLICY_DENY || !purposes[r].glass)) {
            return true;
        }
        for (int l = 0; l < (int)ARRAY_LEN(purposes); l++) {
            if ((when->purposes & purpose_bit(str_z(purposes[l].name))) &&
                ref_purpose(effect, l, r)) {
                return true;
            }
        }
    }
    return requested == 0 && effect == POLICY_DENY;
}

static bool ref_labels(const struct policy_criteria *when, enum policy_effect effect,
                       const struct world *w)
{
    if (!when->confidentiality && !when->sensitivity) {
        return true;
    }
    for (int l = 0; l < (int)ARRAY_LEN(labels); l++) {
        for (int d = 0; d < (int)ARRAY_LEN(labels); d++) {
            if ((when->sensitivity & labels_bit(str_z(labels[l].name))) &&
                (w->labels & (1U << d)) && ref_label(l, d)) {
                return true;
            }
        }
    }
    enum confidentiality level = w->level      ? w->level
                                 : w->labelled ? CONFIDENTIALITY_N
                                               : CONFIDENTIALITY_R;
    for (int c = CONFIDENTIALITY_U; c <= CONFIDENTIALITY_V; c++) {
        if ((when->confidentiality & (1U << c)) &&
            (effect == POLICY_DENY ? (int)level >= c : (int)level <= c)) {
            return true;
        }
    }
    return false;
}

static bool ref_match(const struct policy_criteria *when, enum policy_effect effect,
                      const struct asking *a, const struct world *w)
{
    bool time = !when->has_data_period || ((int64_t)w->time >= when->data_period.from &&
                                           (int64_t)w->time < when->data_period.until);
    return ref_meets(&when->lists[POLICY_ACTORS], actors, a->actors) &&
           ref_purposes(when, effect, a->purposes) &&
           (!when->actions || (when->actions & a->action)) && ref_labels(when, effect, w) &&
           ref_meets(&when->lists[POLICY_CLASSES], types, 1U << w->type) &&
           ref_meets(&when->lists[POLICY_CODES], coded, w->codes) && time;
}

static uint8_t ref_rules(const struct policy_rule *rules, size_t n, const struct asking *a,
                         const struct world *w)
{
    uint8_t sum = CONSENT_MAY_PASS;
    for (size_t i = 0; i < n; i++) {
        if (!ref_match(&rules[i].when, rules[i].effect, a, w)) {
            continue;
        }
        uint8_t one = ref_rules(rules[i].rules, rules[i].n_rules, a, w);
        if (one == CONSENT_MAY_PASS) {
            one = rules[i].effect == POLICY_PERMIT ? CONSENT_MAY_PERMIT : CONSENT_MAY_DENY;
        }
        sum = one == CONSENT_MAY_DENY || sum == CONSENT_MAY_PASS ? one : sum;
    }
    return sum;
}

static uint8_t reference(const struct policy *policy, const struct asking *a,
                         const struct world *w)
{
    uint8_t sum = ref_rules(policy->rules, policy->n_rules, a, w);
    if (sum == CONSENT_MAY_PASS && policy->base != POLICY_SILENT &&
        ref_match(&policy->scope, policy->base, a, w)) {
        return policy->base == POLICY_PERMIT ? CONSENT_MAY_PERMIT : CONSENT_MAY_DENY;
    }
    return sum;
}

static struct policy_texts some(struct arena *arena, struct str *all, unsigned n)
{
    struct policy_texts list = { .at = arena_calloc(arena, n, sizeof(struct str)) };
    assert_non_null(list.at);
    for (unsigned i = 0; i < n; i++) {
        if (roll(2)) {
            list.at[list.n++] = all[i];
        }
    }
    return list;
}

static struct policy_criteria random_criteria(struct arena *arena)
{
    struct policy_criteria when = { 0 };
    if (roll(3) == 0) {
        when.lists[POLICY_ACTORS] = some(arena, actors, ACTORS);
    }
    if (roll(2) == 0) {
        when.purposes = to_purposes(1U << roll(ARRAY_LEN(purposes)));
    }
    if (roll(5) == 0) {
        when.actions = (uint8_t)(1U << roll(2));
    }
    if (roll(3) == 0) {
        when.confidentiality = (uint8_t)(1U << (CONFIDENTIALITY_U + roll(6)));
    }
    if (roll(4) == 0) {
        when.sensitivity = to_labels(1U << roll(ARRAY_LEN(labels)));
    }
    if (roll(4) == 0) {
        when.lists[POLICY_CLASSES] = some(arena, types, ARRAY_LEN(types));
    }
    if (roll(4) == 0) {
        when.lists[POLICY_CODES] = some(arena, coded, ARRAY_LEN(coded));
    }
    if (roll(4) == 0) {
        unsigned from = roll(TIMES);
        when.has_data_period = true;
        when.data_period = (struct instant_span){ from, from + 1 + roll(TIMES) };
    }
    return when;
}

static struct policy_rule *random_rules(struct arena *arena, unsigned depth, size_t *n)
{
    *n = depth > 3 ? 0 : roll(4 - depth);
    struct policy_rule *rules = arena_calloc(arena, *n + 1, sizeof(*rules));
    assert_non_null(rules);
    for (size_t i = 0; i < *n; i++) {
        rules[i].effect = roll(2) ? POLICY_PERMIT : POLICY_DENY;
        rules[i].when = random_criteria(arena);
        rules[i].rules = random_rules(arena, depth + 1, &rules[i].n_rules);
    }
    return rules;
}

static struct policy random_policy(struct arena *arena)
{
    struct policy policy = { .base = (enum policy_effect)roll(3) };
    policy.scope = roll(2) ? random_criteria(arena) : policy.scope;
    policy.rules = random_rules(arena, 0, &policy.n_rules);
    policy_finish(&policy);
    return policy;
}

static struct world random_world(void)
{
    return (struct world){ .type = roll(2),
                           .codes = roll(4),
                           .labels = roll(2) ? 1U << roll(ARRAY_LEN(labels)) : 0,
                           .level = (enum confidentiality)roll(7),
                           .time = roll(TIMES),
                           .labelled = roll(2) };
}

static struct consent_facts facts_of(const struct world *w, unsigned hidden, bool pending)
{
    struct consent_facts facts = { .pending = pending ? hidden : 0,
                                   .unknown = pending ? 0 : hidden };
    if (!(hidden & CONSENT_FACT_TYPE)) {
        facts.type = types[w->type];
    }
    if (!(hidden & CONSENT_FACT_CODES)) {
        facts.codes = w->codes & 1 ? codings : codings + 1;
        facts.n_codes = w->codes == 3 ? 2 : w->codes != 0;
    }
    if (!(hidden & CONSENT_FACT_LABELS)) {
        facts.level = w->level;
        facts.sensitivity = to_labels(w->labels);
        facts.labelled = w->labelled;
    }
    if (!(hidden & CONSENT_FACT_TIME)) {
        facts.time = (struct instant_span){ w->time, w->time + 1 };
    }
    return facts;
}

struct round {
    struct policy policy;
    struct asking asking;
    struct consent_request request;
    struct str names[ACTORS];
};

static void random_round(struct arena *arena, struct round *r)
{
    *r = (struct round){ .policy = random_policy(arena) };
    r->asking = (struct asking){ .actors = roll(1U << ACTORS),
                                 .purposes = 1U << roll(ARRAY_LEN(purposes)),
                                 .action = (enum action)(1U << roll(2)) };
    if (roll(4) == 0) {
        r->asking.purposes |= 1U << roll(ARRAY_LEN(purposes));
    }
    for (unsigned i = 0; i < ACTORS; i++) {
        if (r->asking.actors & (1U << i)) {
            r->names[r->request.n_actors++] = actors[i];
        }
    }
    r->request.actors = r->names;
    r->request.purposes = to_purposes(r->asking.purposes);
    r->request.action = r->asking.action;
}

static void explain(const struct round *r, const struct world *w, uint8_t got, uint8_t want)
{
    char text[8192];
    struct buf out = buf_fixed(text, sizeof(text));
    policy_write(&out, &r->policy);
    print_error("%.*s\nactors %x purposes %x action %d type %u codes %x labels %x level %d "
                "time %u labelled %d: got %x want %x\n",
                (int)out.n, out.p, r->asking.actors, r->asking.purposes, (int)r->asking.action,
                w->type, w->codes, w->labels, (int)w->level, w->time, w->labelled, got, want);
    fail();
}

/* Data about which nothing is in doubt: some label is there, or the labeller has run. */
static bool clear(const struct world *w)
{
    return w->labelled || w->level != CONFIDENTIALITY_NONE || w->labels != 0;
}

static void test_known_data_agrees_with_the_reference(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct round r;
        arena_reset(arena);
        random_round(arena, &r);
        struct world w = random_world();
        w.labelled = w.labelled || !clear(&w);
        struct consent_facts facts = facts_of(&w, 0, false);
        uint8_t got = consent_find(&r.policy, &r.request, &facts).set;
        uint8_t want = reference(&r.policy, &r.asking, &w);
        if (got != want) {
            explain(&r, &w, got, want);
        }
    }
}

/* Whatever may turn out must be among what was held possible before. */
static void test_missing_facts_never_surprise(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    unsigned decided = 0;
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct round r;
        arena_reset(arena);
        random_round(arena, &r);
        struct world base = random_world();
        unsigned hidden = roll(16);
        bool pending = roll(2);
        struct consent_facts facts = facts_of(&base, hidden, pending);
        uint8_t held = consent_find(&r.policy, &r.request, &facts).set;
        struct consent_verdict verdict = consent_evaluate(&r.policy, &r.request, &facts);
        decided += verdict.decision != CONSENT_NEEDS_FACTS;
        assert_true(pending || verdict.decision != CONSENT_NEEDS_FACTS);
        for (int k = 0; k < 12; k++) {
            struct world w = random_world();
            w.type = hidden & CONSENT_FACT_TYPE ? w.type : base.type;
            w.codes = hidden & CONSENT_FACT_CODES ? w.codes : base.codes;
            w.time = hidden & CONSENT_FACT_TIME ? w.time : base.time;
            if (!(hidden & CONSENT_FACT_LABELS)) {
                w.labels = base.labels;
                w.level = base.level;
                w.labelled = base.labelled;
            }
            uint8_t turned_out = reference(&r.policy, &r.asking, &w);
            if (!(turned_out & held)) {
                explain(&r, &w, held, turned_out);
            }
            assert_true(verdict.decision != CONSENT_PERMIT || turned_out == CONSENT_MAY_PERMIT);
        }
    }
    assert_true(decided > ROUNDS / 4);
}

/* Writing and reading a random policy changes no decision. */
static void test_text_decides_the_same(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    (void)state;
    for (int i = 0; i < ROUNDS / 20; i++) {
        struct round r;
        struct issues issues;
        struct policy again;
        arena_reset(arena);
        issues_init(&issues, arena);
        random_round(arena, &r);
        struct world w = random_world();
        struct consent_facts facts = facts_of(&w, 0, false);
        struct buf text = arena_buf(arena, POLICY_TEXT_MAX);
        policy_write(&text, &r.policy);
        assert_int_equal(policy_read(arena, buf_str(&text), &issues, &again), 0);
        assert_int_equal(consent_find(&r.policy, &r.request, &facts).set,
                         consent_find(&again, &r.request, &facts).set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_data_agrees_with_the_reference),
        cmocka_unit_test(test_missing_facts_never_surprise),
        cmocka_unit_test(test_text_decides_the_same),
    };
    return cmocka_run_group_tests_name("fhir/consent/evaluate by chance", tests, NULL, NULL);
}
