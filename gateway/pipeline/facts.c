/* One list becomes another. */
#include "gateway/pipeline/facts.h"

#include <errno.h>

static int put_references(struct arena *arena, const struct subject_list *list,
                          const struct consent_context *context, struct consent_facts *out)
{
    struct str *texts = arena_calloc(arena, list->count + 1, sizeof(*texts));
    if (!texts) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (const struct subject_ref *ref = list->first; ref; ref = ref->next) {
        n += consent_data_text(context, arena, &ref->to, &texts[n]);
    }
    out->references = texts;
    out->n_references = n;
    return 0;
}

/* An author who can't be named, or none at all, leaves open who it was. */
static int put_authors(struct arena *arena, const struct subject_list *list,
                       const struct consent_context *context, struct consent_facts *out)
{
    struct str *uris = arena_calloc(arena, list->count + 1, sizeof(*uris));
    if (!uris) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (const struct subject_ref *ref = list->first; ref; ref = ref->next) {
        bool within = ref->to.form == REFERENCE_URN; /* an entry beside it, not a name */
        n += !within && consent_actor_uri(context, arena, &ref->to, &uris[n]);
    }
    if (n == 0 || n < list->count) {
        out->unknown |= CONSENT_FACT_AUTHORS;
    }
    out->authors = uris;
    out->n_authors = n;
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

/* What the codes say besides. */
static void put_found(const struct resource_facts *facts, const struct labeller *labeller,
                      struct consent_facts *out)
{
    struct labeller_found found = { 0 };
    for (size_t i = 0; i < facts->coding_count; i++) {
        labeller_look(labeller, facts->codings[i].system, facts->codings[i].code, &found);
    }
    out->labelled = true;
    out->sensitivity |= found.sensitivity;
    out->level = found.level > out->level ? found.level : out->level;
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
                      const struct consent_context *context, const struct labeller *labeller,
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
        r = put_references(arena, &facts->references, context, &made);
    }
    if (r == 0) {
        r = put_authors(arena, &facts->authors, context, &made);
    }
    if (r == 0 && labeller) {
        put_found(facts, labeller, &made);
    }
    if (r == 0) {
        *out = made;
    }
    return r;
}
