/*
 * Policies as canonical JSON.
 *
 * One table in byte order of the names serves writing and reading. Reading takes what it knows
 * and then writes it again: whatever isn't the canonical text of the result is refused, be it
 * an unknown member, another order, a space or a value listed twice.
 */
#include "fhir/consent/policy.h"

#include "fhir/consent/action.h"
#include "fhir/consent/purpose.h"
#include "fhir/format/json.h"
#include "fhir/format/json_write.h"

#include <assert.h>
#include <errno.h>

enum kind {
    KIND_LIST,
    KIND_ACTIONS,
    KIND_LEVELS,
    KIND_PURPOSES,
    KIND_SENSITIVITY,
    KIND_PERIOD,
    KIND_DATA_PERIOD,
    KIND_EFFECT, /* of rules only */
    KIND_RULES,  /* of rules only */
};

static const struct member {
    const char *name;
    enum kind kind;
    enum policy_list list;
} members[] = {
    { "actions", KIND_ACTIONS, 0 },
    { "actors", KIND_LIST, POLICY_ACTORS },
    { "classes", KIND_LIST, POLICY_CLASSES },
    { "codes", KIND_LIST, POLICY_CODES },
    { "confidentiality", KIND_LEVELS, 0 },
    { "custodians", KIND_LIST, POLICY_CUSTODIANS },
    { "dataAuthoredBy", KIND_LIST, POLICY_AUTHORED_BY },
    { "dataDependents", KIND_LIST, POLICY_DEPENDENTS },
    { "dataInstances", KIND_LIST, POLICY_INSTANCES },
    { "dataPeriod", KIND_DATA_PERIOD, 0 },
    { "dataRelated", KIND_LIST, POLICY_RELATED },
    { "effect", KIND_EFFECT, 0 },
    { "otherLabels", KIND_LIST, POLICY_OTHER_LABELS },
    { "otherPurposes", KIND_LIST, POLICY_OTHER_PURPOSES },
    { "period", KIND_PERIOD, 0 },
    { "purposes", KIND_PURPOSES, 0 },
    { "rules", KIND_RULES, 0 },
    { "sensitivity", KIND_SENSITIVITY, 0 },
};

static const char *const effects[] = {
    [POLICY_SILENT] = "silent",
    [POLICY_DENY] = "deny",
    [POLICY_PERMIT] = "permit",
};

static const char *const readings[] = {
    [CONSENT_READING_NONE] = "",
    [CONSENT_R4] = "r4",
    [CONSENT_PCF] = "pcf",
    [CONSENT_R5] = "r5",
};

const char *consent_reading_name(enum consent_reading reading)
{
    return readings[reading];
}

/* Confidentiality in byte order, unlike its own. */
static const enum confidentiality levels[] = {
    CONFIDENTIALITY_L, CONFIDENTIALITY_M, CONFIDENTIALITY_N,
    CONFIDENTIALITY_R, CONFIDENTIALITY_U, CONFIDENTIALITY_V,
};

static const char *level_name(unsigned index)
{
    return labels_confidentiality_name(levels[index]);
}

/* The listed levels with bits in byte order of their names. */
static uint64_t levels_sorted(unsigned listed)
{
    uint64_t set = 0;
    for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
        set |= listed & (1U << levels[i]) ? UINT64_C(1) << i : 0;
    }
    return set;
}

static void write_texts(struct json_writer *w, const char *name,
                        const struct policy_texts *texts)
{
    if (texts->n == 0) {
        return;
    }
    json_array(w, name);
    for (size_t i = 0; i < texts->n; i++) {
        json_string(w, NULL, texts->at[i]);
    }
    json_end(w);
}

static void write_set(struct json_writer *w, const char *name, uint64_t set,
                      const char *(*name_of)(unsigned index))
{
    if (set == 0) {
        return;
    }
    json_array(w, name);
    for (unsigned i = 0; i < 64; i++) {
        if (set & (UINT64_C(1) << i)) {
            json_z(w, NULL, name_of(i));
        }
    }
    json_end(w);
}

static void write_span(struct json_writer *w, const char *name, bool has,
                       const struct instant_span *span)
{
    if (!has) {
        return;
    }
    json_object(w, name);
    if (span->from != INSTANT_LEAST) {
        json_i64(w, "from", span->from);
    }
    if (span->until != INSTANT_MOST) {
        json_i64(w, "until", span->until);
    }
    json_end(w);
}

static void write_rules(struct json_writer *w, const struct policy_rule *rules, size_t n);

/* The criteria @when, with effect and exceptions if they are those of @rule. */
static void write_members(struct json_writer *w, const struct policy_criteria *when,
                          const struct policy_rule *rule)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *name = members[i].name;
        switch (members[i].kind) {
        case KIND_LIST: write_texts(w, name, &when->lists[members[i].list]); break;
        case KIND_ACTIONS: write_set(w, name, when->actions, action_name); break;
        case KIND_LEVELS:
            write_set(w, name, levels_sorted(when->confidentiality), level_name);
            break;
        case KIND_PURPOSES: write_set(w, name, when->purposes, purpose_name); break;
        case KIND_SENSITIVITY: write_set(w, name, when->sensitivity, labels_name); break;
        case KIND_PERIOD: write_span(w, name, when->has_period, &when->period); break;
        case KIND_DATA_PERIOD:
            write_span(w, name, when->has_data_period, &when->data_period);
            break;
        case KIND_EFFECT:
            if (rule) {
                json_z(w, name, effects[rule->effect]);
            }
            break;
        case KIND_RULES:
        default:
            if (rule) {
                write_rules(w, rule->rules, rule->n_rules);
            }
            break;
        }
    }
}

static void write_rules(struct json_writer *w, const struct policy_rule *rules, size_t n)
{
    if (n == 0) {
        return;
    }
    assert(rules);
    json_array(w, "rules");
    for (size_t i = 0; i < n; i++) {
        json_object(w, NULL);
        write_members(w, &rules[i].when, &rules[i]);
        json_end(w);
    }
    json_end(w);
}

static bool asks_nothing(const struct policy_criteria *when)
{
    for (int i = 0; i < POLICY_LISTS; i++) {
        if (when->lists[i].n > 0) {
            return false;
        }
    }
    return !when->actions && !when->confidentiality && !when->purposes && !when->sensitivity &&
           !when->has_period && !when->has_data_period;
}

void policy_write(struct buf *out, const struct policy *policy)
{
    struct json_writer w = json_writer(out);
    json_object(&w, NULL);
    json_z(&w, "base", effects[policy->base]);
    if (policy->reading != CONSENT_READING_NONE) {
        json_z(&w, "reading", readings[policy->reading]);
    }
    write_rules(&w, policy->rules, policy->n_rules);
    json_i64(&w, "schema", POLICY_SCHEMA);
    if (!asks_nothing(&policy->scope)) {
        json_object(&w, "scope");
        write_members(&w, &policy->scope, NULL);
        json_end(&w);
    }
    write_texts(&w, "sources", &policy->sources);
    write_texts(&w, "uris", &policy->uris);
    json_end(&w);
}

struct reader {
    struct arena *arena;
    int error; /* the first one */
};

static void fail(struct reader *r, int error)
{
    r->error = r->error ? r->error : error;
}

static size_t count(const struct node *node)
{
    size_t n = 0;
    for (const struct node *child = node_first(node); child; child = child->next) {
        n++;
    }
    return n;
}

static void *array_of(struct reader *r, const struct node *node, size_t most, size_t size)
{
    size_t n = count(node);
    if (node && (node->kind != NODE_ARRAY || n == 0 || n > most)) {
        fail(r, POLICY_E_FORM);
        return NULL;
    }
    void *at = n ? arena_calloc(r->arena, n, size) : NULL;
    if (n && !at) {
        fail(r, -ENOMEM);
    }
    return at;
}

static void read_texts(struct reader *r, const struct node *node, struct policy_texts *texts)
{
    struct str *at = array_of(r, node, POLICY_VALUES_MAX, sizeof(*at));
    if (!at) {
        return;
    }
    size_t n = 0;
    for (const struct node *child = node->first; child; child = child->next) {
        if (child->kind != NODE_STRING || child->text.n == 0) {
            fail(r, POLICY_E_FORM);
            return;
        }
        at[n] = arena_str(r->arena, child->text);
        if (!at[n++].p) {
            fail(r, -ENOMEM);
            return;
        }
    }
    *texts = (struct policy_texts){ .at = at, .n = n };
}

static uint64_t action_bit(struct str name)
{
    return (uint64_t)action_of(name);
}

static uint64_t level_bit(struct str name)
{
    enum confidentiality level = labels_confidentiality(name);
    return level == CONFIDENTIALITY_NONE ? 0 : UINT64_C(1) << level;
}

static uint64_t read_set(struct reader *r, const struct node *node,
                         uint64_t (*bit_of)(struct str name))
{
    uint64_t set = 0;
    if (node && (node->kind != NODE_ARRAY || !node->first)) {
        fail(r, POLICY_E_FORM);
    }
    for (const struct node *child = node_first(node); child; child = child->next) {
        uint64_t bit = child->kind == NODE_STRING ? bit_of(child->text) : 0;
        if (!bit) {
            fail(r, POLICY_E_FORM);
        }
        set |= bit;
    }
    return set;
}

static int64_t read_time(struct reader *r, const struct node *node, int64_t open)
{
    int64_t value = open;
    if (node &&
        (!node_integer(node, &value) || value <= INSTANT_LEAST || value >= INSTANT_MOST)) {
        fail(r, POLICY_E_FORM);
    }
    return value;
}

static bool read_span(struct reader *r, const struct node *node, struct instant_span *span)
{
    if (node) {
        span->from = read_time(r, node_get(node, "from"), INSTANT_LEAST);
        span->until = read_time(r, node_get(node, "until"), INSTANT_MOST);
    }
    return node != NULL;
}

/* Any other word is none, and written otherwise than it was read. */
static enum consent_reading read_reading(struct str text)
{
    enum consent_reading reading = CONSENT_READING_NONE;
    for (int i = CONSENT_R4; i <= CONSENT_R5; i++) {
        reading = str_eq(text, str_z(readings[i])) ? (enum consent_reading)i : reading;
    }
    return reading;
}

static enum policy_effect read_effect(struct reader *r, struct str text)
{
    for (int i = POLICY_SILENT; i <= POLICY_PERMIT; i++) {
        if (str_eq(text, str_z(effects[i]))) {
            return (enum policy_effect)i;
        }
    }
    fail(r, POLICY_E_FORM);
    return POLICY_DENY;
}

/* A code of a compiled system must not hide among the others, where it covers only itself. */
static void refuse_known(struct reader *r, const struct policy_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        struct str code = texts->at[i];
        struct str system = str_cut(&code, '|');
        if (code.n == 0 || (purpose_known_system(system) && purpose_bit(code)) ||
            (str_eq(system, STR(LABELS_ACT_CODE)) && labels_bit(code)) ||
            str_eq(system, STR(LABELS_CONFIDENTIALITY))) {
            fail(r, POLICY_E_FORM);
        }
    }
}

static void read_criteria(struct reader *r, const struct node *node,
                          struct policy_criteria *when)
{
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct node *value = node_get(node, members[i].name);
        switch (members[i].kind) {
        case KIND_LIST: read_texts(r, value, &when->lists[members[i].list]); break;
        case KIND_ACTIONS: when->actions = (uint8_t)read_set(r, value, action_bit); break;
        case KIND_LEVELS: when->confidentiality = (uint8_t)read_set(r, value, level_bit); break;
        case KIND_PURPOSES: when->purposes = read_set(r, value, purpose_bit); break;
        case KIND_SENSITIVITY: when->sensitivity = read_set(r, value, labels_bit); break;
        case KIND_PERIOD: when->has_period = read_span(r, value, &when->period); break;
        case KIND_DATA_PERIOD:
            when->has_data_period = read_span(r, value, &when->data_period);
            break;
        case KIND_EFFECT:
        case KIND_RULES:
        default: break; /* read_rules() */
        }
    }
    refuse_known(r, &when->lists[POLICY_OTHER_PURPOSES]);
    refuse_known(r, &when->lists[POLICY_OTHER_LABELS]);
}

static struct policy_rule *read_rules(struct reader *r, const struct node *node, int depth,
                                      size_t *n)
{
    *n = 0;
    if (node && depth > POLICY_DEPTH_MAX) {
        fail(r, POLICY_E_FORM);
        return NULL;
    }
    struct policy_rule *rules = array_of(r, node, POLICY_RULES_MAX, sizeof(*rules));
    struct policy_rule *rule = rules;
    if (!rules) {
        return NULL;
    }
    for (const struct node *child = node->first; child; child = child->next) {
        rule->effect = read_effect(r, node_text(child, "effect"));
        if (rule->effect == POLICY_SILENT) {
            fail(r, POLICY_E_FORM);
        }
        read_criteria(r, child, &rule->when);
        rule->rules = read_rules(r, node_get(child, "rules"), depth + 1, &rule->n_rules);
        rule++;
    }
    *n = (size_t)(rule - rules);
    return rules;
}

static int read_policy(struct arena *arena, const struct node *root, struct policy *out)
{
    struct reader r = { .arena = arena };
    struct policy policy = { .base = read_effect(&r, node_text(root, "base")),
                             .reading = read_reading(node_text(root, "reading")) };
    read_criteria(&r, node_get(root, "scope"), &policy.scope);
    policy.rules = read_rules(&r, node_get(root, "rules"), 1, &policy.n_rules);
    read_texts(&r, node_get(root, "uris"), &policy.uris);
    read_texts(&r, node_get(root, "sources"), &policy.sources);
    if (r.error) {
        return r.error;
    }
    policy_finish(&policy);
    *out = policy;
    return 0;
}

int policy_read(struct arena *arena, struct str text, struct issues *issues, struct policy *out)
{
    const struct node *root = NULL;
    struct policy policy;
    if (text.n > POLICY_TEXT_MAX) {
        issues_add(issues, ISSUE_ERROR, "too-long", STR("policy"), "longer than %d bytes",
                   POLICY_TEXT_MAX);
        return POLICY_E_FORM;
    }
    int r = json_parse(arena, text, issues, &root);
    if (r) {
        return r < 0 ? r : POLICY_E_FORM;
    }
    r = read_policy(arena, root, &policy);
    if (r < 0) {
        return r;
    }
    struct buf again = arena_buf(arena, POLICY_TEXT_MAX);
    if (r == 0) {
        policy_write(&again, &policy);
    }
    if (r || buf_failed(&again) || !str_eq(buf_str(&again), text)) {
        issues_add(issues, ISSUE_ERROR, "structure", STR("policy"),
                   "not the canonical text of a policy");
        return POLICY_E_FORM;
    }
    *out = policy;
    return 0;
}
