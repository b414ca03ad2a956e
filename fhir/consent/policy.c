/*
 * Policies: their one order, what follows from them, and copies in one piece.
 *
 * Lists are sets and siblings are combined by deny-overrides, so neither has an order of its
 * own; sorting both gives equal policies equal bytes. A rule's place in that order is what
 * evidence calls its path.
 */
#include "fhir/consent/policy.h"

#include "fhir/consent/purpose.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void finish_texts(struct policy_texts *texts)
{
    size_t kept = 0;
    if (texts->n > 1) {
        qsort(texts->at, texts->n, sizeof(texts->at[0]), compare_texts);
    }
    for (size_t i = 0; i < texts->n; i++) {
        if (kept == 0 || !str_eq(texts->at[i], texts->at[kept - 1])) {
            texts->at[kept++] = texts->at[i];
        }
    }
    texts->n = kept;
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_lists(const struct policy_texts *a, const struct policy_texts *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int r = str_cmp(a->at[i], b->at[i]);
        if (r != 0) {
            return r;
        }
    }
    return compare_u64(a->n, b->n);
}

static int compare_spans(struct instant_span a, struct instant_span b)
{
    int from = (a.from > b.from) - (a.from < b.from);
    return from ? from : (a.until > b.until) - (a.until < b.until);
}

/* A total order of criteria; absent periods are all zeros. */
static int compare_criteria(const struct policy_criteria *a, const struct policy_criteria *b)
{
    int r = 0;
    for (int i = 0; i < POLICY_LISTS && r == 0; i++) {
        r = compare_lists(&a->lists[i], &b->lists[i]);
    }
    r = r ? r : compare_u64(a->actions, b->actions);
    r = r ? r : compare_u64(a->confidentiality, b->confidentiality);
    r = r ? r : compare_u64(a->purposes, b->purposes);
    r = r ? r : compare_u64(a->sensitivity, b->sensitivity);
    r = r ? r : compare_u64(a->has_period, b->has_period);
    r = r ? r : compare_u64(a->has_data_period, b->has_data_period);
    r = r ? r : compare_spans(a->period, b->period);
    return r ? r : compare_spans(a->data_period, b->data_period);
}

static int compare_rules(const void *left, const void *right)
{
    const struct policy_rule *a = left;
    const struct policy_rule *b = right;
    int r = (a->effect > b->effect) - (a->effect < b->effect);
    r = r ? r : compare_criteria(&a->when, &b->when);
    for (size_t i = 0; i < a->n_rules && i < b->n_rules && r == 0; i++) {
        r = compare_rules(&a->rules[i], &b->rules[i]);
    }
    return r ? r : compare_u64(a->n_rules, b->n_rules);
}

/* A period open at both ends is none. */
static void finish_span(bool *has, struct instant_span *span)
{
    if (!*has || (span->from == INSTANT_LEAST && span->until == INSTANT_MOST)) {
        *has = false;
        *span = (struct instant_span){ 0 };
    }
}

static uint64_t purposes_met(const struct policy_criteria *when, enum policy_effect effect)
{
    bool listed = when->purposes != 0 || when->lists[POLICY_OTHER_PURPOSES].n > 0;
    if (effect == POLICY_DENY) {
        return listed ? purpose_denied_by(when->purposes) : UINT64_MAX;
    }
    return listed ? purpose_permitted_by(when->purposes) : purpose_permitted_unlisted();
}

static enum confidentiality level_met(unsigned listed, enum policy_effect effect)
{
    enum confidentiality level = CONFIDENTIALITY_NONE;
    for (int i = CONFIDENTIALITY_U; i <= CONFIDENTIALITY_V; i++) {
        bool lowest = effect == POLICY_DENY && level != CONFIDENTIALITY_NONE;
        if ((listed & (1U << i)) && !lowest) {
            level = (enum confidentiality)i;
        }
    }
    return level;
}

/* Whether @when lists anything from @from to @to. */
static unsigned lists_any(const struct policy_criteria *when, int from, int to)
{
    unsigned any = 0;
    for (int i = from; i <= to; i++) {
        any |= when->lists[i].n > 0;
    }
    return any;
}

static uint8_t count_criteria(const struct policy_criteria *when)
{
    unsigned purposes = when->purposes != 0;
    unsigned labels = (when->confidentiality | when->sensitivity) != 0;
    purposes |= lists_any(when, POLICY_OTHER_PURPOSES, POLICY_OTHER_PURPOSES);
    labels |= lists_any(when, POLICY_OTHER_LABELS, POLICY_OTHER_LABELS);
    return (uint8_t)(purposes + labels + (when->actions != 0) + when->has_period +
                     when->has_data_period + lists_any(when, POLICY_ACTORS, POLICY_CUSTODIANS) +
                     lists_any(when, POLICY_CLASSES, POLICY_CLASSES) +
                     lists_any(when, POLICY_CODES, POLICY_CODES) +
                     lists_any(when, POLICY_INSTANCES, POLICY_AUTHORED_BY));
}

static void finish_criteria(struct policy_criteria *when, enum policy_effect effect)
{
    for (int i = 0; i < POLICY_LISTS; i++) {
        finish_texts(&when->lists[i]);
    }
    finish_span(&when->has_period, &when->period);
    finish_span(&when->has_data_period, &when->data_period);
    when->purposes_met = purposes_met(when, effect);
    when->labels_met = labels_covered_by(when->sensitivity);
    when->level = level_met(when->confidentiality, effect);
    when->asked = count_criteria(when);
}

static size_t finish_rules(struct policy_rule *rules, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        finish_criteria(&rules[i].when, rules[i].effect);
        rules[i].n_rules = finish_rules(rules[i].rules, rules[i].n_rules);
    }
    if (n > 1) {
        qsort(rules, n, sizeof(rules[0]), compare_rules);
    }
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || compare_rules(&rules[i], &rules[kept - 1]) != 0) {
            rules[kept++] = rules[i];
        }
    }
    return kept;
}

void policy_finish(struct policy *policy)
{
    finish_criteria(&policy->scope, policy->base);
    policy->n_rules = finish_rules(policy->rules, policy->n_rules);
    finish_texts(&policy->uris);
    finish_texts(&policy->sources);
}

static size_t rounded(size_t n)
{
    const size_t align = alignof(max_align_t);
    return (n + align - 1) / align * align;
}

static size_t size_texts(const struct policy_texts *texts)
{
    size_t size = rounded(texts->n * sizeof(texts->at[0]));
    for (size_t i = 0; i < texts->n; i++) {
        size += rounded(texts->at[i].n);
    }
    return size;
}

static size_t size_lists(const struct policy_criteria *when)
{
    size_t size = 0;
    for (int i = 0; i < POLICY_LISTS; i++) {
        size += size_texts(&when->lists[i]);
    }
    return size;
}

static size_t size_rules(const struct policy_rule *rules, size_t n)
{
    size_t size = rounded(n * sizeof(rules[0]));
    for (size_t i = 0; i < n; i++) {
        size += size_lists(&rules[i].when) + size_rules(rules[i].rules, rules[i].n_rules);
    }
    return size;
}

size_t policy_size(const struct policy *policy)
{
    return rounded(sizeof(*policy)) + size_lists(&policy->scope) + size_texts(&policy->uris) +
           size_texts(&policy->sources) + size_rules(policy->rules, policy->n_rules);
}

/* Take @n bytes off the front of what is left at *@memory, filled from @from. */
static void *take(char **memory, const void *from, size_t n)
{
    char *at = *memory;
    if (n > 0) {
        memcpy(at, from, n);
    }
    *memory += rounded(n);
    return at;
}

static void copy_texts(char **memory, struct policy_texts *texts)
{
    texts->at = take(memory, texts->at, texts->n * sizeof(texts->at[0]));
    for (size_t i = 0; i < texts->n; i++) {
        texts->at[i].p = take(memory, texts->at[i].p, texts->at[i].n);
    }
}

static void copy_lists(char **memory, struct policy_criteria *when)
{
    for (int i = 0; i < POLICY_LISTS; i++) {
        copy_texts(memory, &when->lists[i]);
    }
}

static struct policy_rule *copy_rules(char **memory, const struct policy_rule *from, size_t n)
{
    struct policy_rule *rules = take(memory, from, n * sizeof(from[0]));
    for (size_t i = 0; i < n; i++) {
        copy_lists(memory, &rules[i].when);
        rules[i].rules = copy_rules(memory, rules[i].rules, rules[i].n_rules);
    }
    return rules;
}

const struct policy *policy_copy(void *memory, const struct policy *policy)
{
    char *rest = memory;
    struct policy *copy = take(&rest, policy, sizeof(*policy));
    copy_lists(&rest, &copy->scope);
    copy_texts(&rest, &copy->uris);
    copy_texts(&rest, &copy->sources);
    copy->rules = copy_rules(&rest, copy->rules, copy->n_rules);
    assert(rest == (char *)memory + policy_size(policy));
    return copy;
}
