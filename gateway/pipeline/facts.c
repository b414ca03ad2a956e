/*
 * One list becomes another.
 *
 * There is no labeller yet: a resource without labels counts as not labelled, so that rules
 * about labels treat it as restricted.
 */
#include "gateway/pipeline/facts.h"

#include <errno.h>

enum {
    REFERENCE_TEXT_MAX = 300,
};

static struct str reference_text(struct arena *arena, const struct reference *to)
{
    struct buf text = arena_buf(arena, REFERENCE_TEXT_MAX);
    buf_str_put(&text, to->type);
    buf_c(&text, '/');
    buf_str_put(&text, to->id);
    return buf_failed(&text) ? (struct str){ 0 } : buf_str(&text);
}

static int put_references(struct arena *arena, const struct subject_list *list,
                          const struct str **out, size_t *n)
{
    struct str *texts = arena_calloc(arena, list->count + 1, sizeof(*texts));
    if (!texts) {
        return -ENOMEM;
    }
    size_t count = 0;
    for (const struct subject_ref *ref = list->first; ref; ref = ref->next) {
        texts[count++] = reference_text(arena, &ref->to);
    }
    *out = texts;
    *n = count;
    return 0;
}

static int put_labels(struct arena *arena, const struct resource_facts *facts,
                      struct consent_facts *out)
{
    struct consent_coding *others =
        arena_calloc(arena, facts->label_count + 1, sizeof(*others));
    if (!others) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (size_t i = 0; i < facts->label_count; i++) {
        const struct coding *label = &facts->labels[i];
        enum confidentiality level = CONFIDENTIALITY_NONE;
        uint64_t bit = 0;
        if (str_eq(label->system, STR(LABELS_CONFIDENTIALITY))) {
            level = labels_confidentiality(label->code);
        } else if (str_eq(label->system, STR(LABELS_ACT_CODE))) {
            bit = labels_bit(label->code);
        }
        out->level = level > out->level ? level : out->level;
        out->sensitivity |= bit;
        if (level == CONFIDENTIALITY_NONE && !bit) {
            others[n++] = (struct consent_coding){ label->system, label->code };
        }
    }
    out->labels = others;
    out->n_labels = n;
    return 0;
}

static int put_codes(struct arena *arena, const struct resource_facts *facts,
                     struct consent_facts *out)
{
    struct consent_coding *codes = arena_calloc(arena, facts->coding_count + 1, sizeof(*codes));
    if (!codes) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < facts->coding_count; i++) {
        codes[i] = (struct consent_coding){ facts->codings[i].system, facts->codings[i].code };
    }
    out->codes = codes;
    out->n_codes = facts->coding_count;
    return 0;
}

/* From the beginning of the one to the end of the other; unknown if either can't be read. */
static struct instant_span period(const struct resource_facts *facts)
{
    struct instant_span start;
    struct instant_span end;
    bool has_start = instant_span(facts->period.start, &start);
    bool has_end = instant_span(facts->period.end, &end);
    if (has_start && has_end) {
        return (struct instant_span){ .from = start.from, .until = end.until };
    }
    if (has_start && facts->period.end.n == 0) {
        return (struct instant_span){ .from = start.from, .until = INSTANT_MOST };
    }
    if (has_end && facts->period.start.n == 0) {
        return (struct instant_span){ .from = INSTANT_LEAST, .until = end.until };
    }
    bool silent = facts->period.start.n == 0 && facts->period.end.n == 0;
    if (silent && instant_span(facts->updated, &start)) {
        return start;
    }
    return (struct instant_span){ 0 };
}

int facts_for_consent(struct arena *arena, const struct resource_facts *facts,
                      struct consent_facts *out)
{
    struct consent_facts made = {
        .type = facts->type,
        .id = facts->id,
        .version = facts->version,
        .profiles = facts->profiles,
        .n_profiles = facts->profile_count,
        .time = period(facts),
        .unknown = CONSENT_FACT_CUSTODIANS,
    };
    int r = put_codes(arena, facts, &made);
    if (r == 0) {
        r = put_labels(arena, facts, &made);
    }
    if (r == 0) {
        r = put_references(arena, &facts->references, &made.references, &made.n_references);
    }
    if (r == 0) {
        r = put_references(arena, &facts->authors, &made.authors, &made.n_authors);
    }
    if (r == 0) {
        *out = made;
    }
    return r;
}
