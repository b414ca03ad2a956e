/*
 * The table of cases, tests/vectors/consent/cases.txt: consents in short, requests, and what is
 * decided, each under the rule that it shows. Its README says how it is written.
 */
#include "crypto/digest.h"
#include "fhir/consent/compiled.h"
#include "tests/fhir/consent/cases_ask.h"

#include <unistd.h>

enum {
    CONSENTS_MAX = 4,
    RULES_MAX = 16, /* in one list */
    LEVELS_MAX = POLICY_DEPTH_MAX + 1,
    CASES_LEAST = 300,
    BLOCK = 100, /* of a grant that names no other */
};

/* A consent, or the tenant's legal rules, while it is read. */
struct draft {
    struct policy policy;
    struct policy_rule *open[LEVELS_MAX]; /* the rule that indented lines belong to */
    enum consent_chain state;
    uint64_t block;
    uint32_t from;
    uint32_t until;
    bool mismatch;
    bool unreadable;
};

struct table {
    struct arena *arena;
    struct str rule;
    unsigned line;
    unsigned cases;
    unsigned failed;
    struct draft consents[CONSENTS_MAX];
    size_t n_consents;
    struct draft legal;
    struct draft part2;
    struct draft *last; /* that indented lines belong to */
    struct consent_tenant tenant;
    bool has_tenant;
};

static struct str next_word(struct str *line)
{
    while (line->n && line->p[0] == ' ') {
        *line = str_slice(*line, 1, line->n);
    }
    return str_cut(line, ' ');
}

static void *keep(struct table *t, size_t n, size_t size)
{
    void *at = arena_calloc(t->arena, n, size);
    assert_non_null(at);
    return at;
}

static enum policy_list list_of(struct str name)
{
    static const char *const names[POLICY_LISTS] = {
        [POLICY_ACTORS] = "actor",          [POLICY_CUSTODIANS] = "custodian",
        [POLICY_OTHER_PURPOSES] = "-",      [POLICY_OTHER_LABELS] = "-",
        [POLICY_CLASSES] = "class",         [POLICY_CODES] = "code",
        [POLICY_INSTANCES] = "data",        [POLICY_RELATED] = "related",
        [POLICY_DEPENDENTS] = "dependents", [POLICY_AUTHORED_BY] = "authoredby",
    };
    for (int i = 0; i < POLICY_LISTS; i++) {
        if (str_eq(name, str_z(names[i]))) {
            return (enum policy_list)i;
        }
    }
    return POLICY_LISTS;
}

static void add_text(struct table *t, struct policy_texts *texts, struct str text)
{
    if (!texts->at) {
        texts->at = keep(t, LIST_MAX, sizeof(*texts->at));
    }
    assert_true(texts->n < LIST_MAX);
    texts->at[texts->n++] = text;
}

static void add_value(struct table *t, struct policy_criteria *when, struct str name,
                      struct str value)
{
    enum policy_list list = list_of(name);
    if (list != POLICY_LISTS) {
        add_text(t, &when->lists[list], value);
    } else if (str_eq(name, STR("purpose")) && purpose_bit(value)) {
        when->purposes |= purpose_bit(value);
    } else if (str_eq(name, STR("purpose"))) {
        add_text(t, &when->lists[POLICY_OTHER_PURPOSES], value);
    } else if (str_eq(name, STR("action")) && action_of(value)) {
        when->actions |= (uint8_t)action_of(value);
    } else if (str_eq(name, STR("label")) && labels_confidentiality(value)) {
        when->confidentiality |= (uint8_t)(1U << labels_confidentiality(value));
    } else if (str_eq(name, STR("label")) && labels_bit(value)) {
        when->sensitivity |= labels_bit(value);
    } else if (str_eq(name, STR("label"))) {
        add_text(t, &when->lists[POLICY_OTHER_LABELS], value);
    } else if (str_eq(name, STR("period"))) {
        when->has_period = true;
        when->period = span_of(t->line, value);
    } else if (str_eq(name, STR("dataPeriod"))) {
        when->has_data_period = true;
        when->data_period = span_of(t->line, value);
    } else {
        wrong(t->line, "no criterion", name);
    }
}

/* "@revoked", "@block=7", "@until=2022-01-01": how the chain holds it. */
static bool read_standing(struct draft *draft, struct str word)
{
    struct str value = word;
    struct str name = str_cut(&value, '=');
    struct instant_span day = { 0 };
    (void)!instant_span(value, &day);
    uint32_t days = (uint32_t)(day.from / INSTANT_DAY_MS);
    if (word.n == 0 || word.p[0] != '@') {
        return false;
    }
    draft->state = str_eq(word, STR("@revoked"))   ? CONSENT_CHAIN_REVOKED
                   : str_eq(word, STR("@granted")) ? CONSENT_CHAIN_GRANTED
                   : str_eq(word, STR("@absent"))  ? CONSENT_CHAIN_ABSENT
                                                   : draft->state;
    draft->mismatch |= str_eq(word, STR("@mismatch"));
    draft->unreadable |= str_eq(word, STR("@unreadable"));
    for (size_t i = 0; str_eq(name, STR("@block")) && i < value.n; i++) {
        draft->block = (i ? draft->block * 10 : 0) + (uint64_t)(value.p[i] - '0');
    }
    draft->from = str_eq(name, STR("@from")) ? days : draft->from;
    draft->until = str_eq(name, STR("@until")) ? days : draft->until;
    return true;
}

static enum policy_effect effect_of(const struct table *t, struct str word)
{
    if (str_eq(word, STR("permit"))) {
        return POLICY_PERMIT;
    }
    if (str_eq(word, STR("silent"))) {
        return POLICY_SILENT;
    }
    if (!str_eq(word, STR("deny"))) {
        wrong(t->line, "no effect", word);
    }
    return POLICY_DENY;
}

static void read_criteria(struct table *t, struct draft *draft, struct policy_criteria *when,
                          struct str line)
{
    for (struct str word = next_word(&line); word.n; word = next_word(&line)) {
        if (read_standing(draft, word)) {
            continue;
        }
        struct str values = word;
        struct str name = str_cut(&values, '=');
        while (values.n) {
            add_value(t, when, name, str_cut(&values, ','));
        }
    }
}

static void read_consent(struct table *t, struct str line)
{
    assert_true(t->n_consents < CONSENTS_MAX);
    struct draft *draft = &t->consents[t->n_consents++];
    *draft = (struct draft){ .state = CONSENT_CHAIN_SAFE,
                             .block = BLOCK,
                             .until = CONSENT_DAY_OPEN };
    draft->policy.base = effect_of(t, next_word(&line));
    read_criteria(t, draft, &draft->policy.scope, line);
    t->last = draft;
}

/* A rule, @depth steps in. */
static void read_rule(struct table *t, size_t depth, struct str line)
{
    struct draft *draft = t->last;
    struct policy *policy = &draft->policy;
    struct policy_rule *parent = depth > 1 ? draft->open[depth - 2] : NULL;
    struct policy_rule **rules = parent ? &parent->rules : &policy->rules;
    size_t *n = parent ? &parent->n_rules : &policy->n_rules;
    if (!*rules) {
        *rules = keep(t, RULES_MAX, sizeof(**rules));
    }
    assert_true(*n < RULES_MAX && depth < LEVELS_MAX);
    struct policy_rule *rule = &(*rules)[(*n)++];
    rule->effect = effect_of(t, next_word(&line));
    read_criteria(t, draft, &rule->when, line);
    draft->open[depth - 1] = rule;
}

static void read_tenant(struct table *t, struct str line)
{
    static const char *const ways[] = { "deny-overrides", "most-specific", "most-recent" };
    struct str word = next_word(&line);
    t->has_tenant = !str_eq(word, STR("none"));
    if (!t->has_tenant) {
        t->tenant = (struct consent_tenant){ 0 };
        t->legal = t->part2 = (struct draft){ 0 };
    } else if (str_eq(word, STR("legal"))) {
        t->last = &t->legal;
    } else if (str_eq(word, STR("part2"))) {
        t->last = &t->part2;
    } else if (str_eq(word, STR("implicit"))) {
        char text[1024];
        struct buf out = buf_fixed(text, sizeof(text));
        struct consent_tenant read;
        struct issues issues;
        issues_init(&issues, t->arena);
        buf_z(&out, "{\"schema\":1,\"implicit\":[");
        for (word = next_word(&line); word.n; word = next_word(&line)) {
            struct str purposes = word;
            struct str name = str_cut(&purposes, '=');
            buf_fmt(&out, "%s{\"policy\":\"https://profiles.ihe.net/ITI/PCF/Policy-%.*s\"",
                    text[out.n - 1] == '[' ? "" : ",", (int)name.n, name.p);
            const char *before = ",\"purposes\":[\"";
            const char *after = purposes.n ? "\"]" : "";
            while (purposes.n) {
                struct str code = str_cut(&purposes, ',');
                buf_fmt(&out, "%s%.*s", before, (int)code.n, code.p);
                before = "\",\"";
            }
            buf_fmt(&out, "%s}", after);
        }
        buf_z(&out, "]}");
        if (consent_tenant_read(t->arena, arena_str(t->arena, buf_str(&out)), &issues, &read)) {
            wrong(t->line, "no tenant", buf_str(&out));
            return;
        }
        t->tenant.implicit = read.implicit;
        t->tenant.n_implicit = read.n_implicit;
    } else {
        for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
            t->tenant.combining =
                str_eq(word, str_z(ways[i])) ? (enum consent_combining)i : t->tenant.combining;
        }
    }
}

static void *heap(void *owner, void *old, size_t old_size, size_t size)
{
    (void)owner;
    (void)old_size;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

static void put_consent(const struct table *t, struct consent_index *index, size_t i)
{
    const struct draft *draft = &t->consents[i];
    struct policy policy = draft->policy;
    struct consent_entry entry = {
        .version = 1,
        .opened = true,
        .chain = { .state = draft->state,
                   .version = 1,
                   .valid_from = draft->from,
                   .valid_until = draft->until,
                   .block = draft->block },
    };
    policy_finish(&policy);
    struct buf text = arena_buf(t->arena, POLICY_TEXT_MAX);
    policy_write(&text, &policy);
    if (draft->unreadable) {
        buf_z(&text, " ");
    }
    digest_sha256(buf_str(&text), entry.policy_hash);
    entry.id[0] = (uint8_t)i;
    entry.chain.commitment[0] = draft->mismatch;
    assert_int_equal(consent_index_put(index, &entry, buf_str(&text)), 0);
}

static struct consent_evidence decide(const struct table *t, const struct ask *ask)
{
    static const uint8_t patient[CONSENT_PATIENT_SIZE];
    struct consent_index *index = consent_index_new(heap, NULL);
    struct consent_tenant tenant = t->tenant;
    struct consent_evidence evidence;
    assert_non_null(index);
    tenant.legal = t->legal.policy;
    tenant.part2 = t->part2.policy;
    policy_finish(&tenant.legal);
    policy_finish(&tenant.part2);
    consent_index_govern(index, t->has_tenant ? &tenant : NULL);
    for (size_t i = 0; i < t->n_consents; i++) {
        put_consent(t, index, i);
    }
    consent_decide(index, patient, &ask->request, ask->no_facts ? NULL : &ask->facts,
                   &evidence);
    consent_index_free(index);
    return evidence;
}

/* "permit consent-permit rules[0]" */
static void write_verdict(struct buf *out, const struct consent_evidence *got)
{
    static const char *const names[] = {
        [CONSENT_DENY] = "deny",
        [CONSENT_PERMIT] = "permit",
        [CONSENT_NEEDS_FACTS] = "needs",
    };
    buf_fmt(out, "%s %s ", names[got->verdict.decision],
            consent_basis_name(got->verdict.basis));
    consent_path_write(out, &got->verdict.path);
}

static void read_case(struct table *t, struct str line)
{
    struct ask ask;
    char text[256];
    struct buf got = buf_fixed(text, sizeof(text));
    struct str word = next_word(&line);
    ask_init(&ask);
    for (; word.n && !str_eq(word, STR("=>")); word = next_word(&line)) {
        struct str value = word;
        struct str name = str_cut(&value, '=');
        read_asked(t->line, &ask, name, value);
    }
    while (line.n && line.p[0] == ' ') {
        line = str_slice(line, 1, line.n);
    }
    struct consent_evidence evidence = decide(t, &ask);
    write_verdict(&got, &evidence);
    t->cases++;
    if (line.n == 0 || !str_starts(buf_str(&got), line) ||
        (got.n > line.n && text[line.n] != ' ')) {
        print_error("cases.txt:%u: %.*s\n  want %.*s\n  got  %.*s\n", t->line, (int)t->rule.n,
                    t->rule.p, (int)line.n, line.p, (int)got.n, got.p);
        t->failed++;
    }
}

static void read_line(struct table *t, struct str line)
{
    size_t indent = 0;
    while (indent < line.n && line.p[indent] == ' ') {
        indent++;
    }
    if (line.n == indent || line.p[0] == '#') {
        return;
    }
    if (indent > 0) {
        read_rule(t, indent / 2, line);
        return;
    }
    struct str rest = line;
    struct str word = next_word(&rest);
    if (str_eq(word, STR("rule"))) {
        t->rule = rest;
        t->n_consents = 0;
        read_tenant(t, STR("none"));
    } else if (str_eq(word, STR("consent"))) {
        t->n_consents = 0;
        read_consent(t, rest);
    } else if (str_eq(word, STR("and"))) {
        read_consent(t, rest);
    } else if (str_eq(word, STR("tenant"))) {
        read_tenant(t, rest);
    } else if (str_eq(word, STR("case"))) {
        assert_true(t->rule.n > 0);
        read_case(t, rest);
    } else {
        wrong(t->line, "no such line", word);
    }
}

static void test_every_case_of_the_table(void **state)
{
    char path[512];
    struct table t = { .arena = arena_new(1 << 16) };
    (void)state;
    assert_non_null(getenv("CHARTSEAL_VECTORS"));
    (void)snprintf(path, sizeof(path), "%s/consent/cases.txt", getenv("CHARTSEAL_VECTORS"));
    char *text = check_read(path, NULL);
    assert_non_null(text);
    assert_non_null(t.arena);
    struct str rest = str_z(text);
    while (rest.n) {
        t.line++;
        read_line(&t, str_cut(&rest, '\n'));
    }
    print_message("%u cases\n", t.cases);
    assert_int_equal(t.failed, 0);
    assert_true(t.cases >= CASES_LEAST);
    arena_free(t.arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_case_of_the_table),
    };
    return cmocka_run_group_tests_name("fhir/consent/cases", tests, NULL, NULL);
}
