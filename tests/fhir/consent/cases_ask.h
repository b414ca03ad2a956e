/* What a case of the table asks: a request, and what is known of the data. */
#pragma once

#include "fhir/consent/evaluate.h"
#include "fhir/consent/purpose.h"
#include "tests/check.h"

enum {
    LIST_MAX = 8,
};

/* What a case asks. */
struct ask {
    struct consent_request request;
    struct consent_facts facts;
    bool no_facts;
    struct str actors[LIST_MAX], purposes[LIST_MAX], profiles[LIST_MAX], references[LIST_MAX];
    struct str authors[LIST_MAX], custodians[LIST_MAX];
    struct consent_coding codes[LIST_MAX], labels[LIST_MAX];
};

static inline void wrong(unsigned line, const char *what, struct str word)
{
    print_error("cases.txt:%u: %s: %.*s\n", line, what, (int)word.n, word.p);
    fail();
}

/* "2022..2023-05" as a FHIR Period; either end may be left out. */
static inline struct instant_span span_of(unsigned line, struct str text)
{
    struct instant_span span = { INSTANT_LEAST, INSTANT_MOST };
    struct instant_span end;
    const char *dots = memmem(text.p, text.n, "..", 2);
    if (!dots) {
        wrong(line, "no period", text);
        return span;
    }
    size_t at = (size_t)(dots - text.p);
    struct str from = str_slice(text, 0, at);
    struct str until = str_slice(text, at + 2, text.n);
    if (from.n && instant_span(from, &end)) {
        span.from = end.from;
    }
    if (until.n && instant_span(until, &end)) {
        span.until = end.until;
    }
    return span;
}

static inline uint32_t facts_named(unsigned line, struct str names)
{
    static const char *const all[] = { "type",       "codes",   "labels",    "time",
                                       "references", "authors", "custodians" };
    uint32_t set = 0;
    while (names.n) {
        struct str name = str_cut(&names, ',');
        uint32_t bit = str_eq(name, STR("all")) ? CONSENT_FACT_ALL : 0;
        for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
            bit |= str_eq(name, str_z(all[i])) ? 1U << i : 0;
        }
        if (!bit) {
            wrong(line, "no fact", name);
        }
        set |= bit;
    }
    return set;
}

static inline size_t words_of(struct str values, struct str out[LIST_MAX])
{
    size_t n = 0;
    while (values.n) {
        assert_true(n < LIST_MAX);
        out[n++] = str_cut(&values, ',');
    }
    return n;
}

static inline size_t codings_of(struct str values, struct consent_coding out[LIST_MAX])
{
    struct str words[LIST_MAX];
    size_t n = words_of(values, words);
    for (size_t i = 0; i < n; i++) {
        out[i].code = words[i];
        out[i].system = str_cut(&out[i].code, '|');
    }
    return n;
}

static inline void ask_purposes(struct ask *ask, struct str values)
{
    struct str words[LIST_MAX];
    size_t n = words_of(values, words);
    ask->request.purposes = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bit = purpose_bit(words[i]);
        ask->request.purposes |= bit;
        if (!bit && !str_eq(words[i], STR("none"))) {
            ask->purposes[ask->request.n_other_purposes++] = words[i];
        }
    }
}

static inline void ask_labels(struct ask *ask, struct str values)
{
    struct str words[LIST_MAX];
    size_t n = words_of(values, words);
    for (size_t i = 0; i < n; i++) {
        enum confidentiality level = labels_confidentiality(words[i]);
        ask->facts.level = level > ask->facts.level ? level : ask->facts.level;
        ask->facts.sensitivity |= labels_bit(words[i]);
        if (memchr(words[i].p, '|', words[i].n)) {
            ask->facts.n_labels = codings_of(words[i], ask->labels);
        }
    }
}

/* One "name=value" of a case. */
static inline void read_asked(unsigned line, struct ask *ask, struct str name, struct str value)
{
    struct consent_facts *facts = &ask->facts;
    struct instant_span now;
    if (str_eq(name, STR("actor"))) {
        ask->request.n_actors = words_of(value, ask->actors);
        ask->request.actors_unknown = str_ends(value, STR("?"));
    } else if (str_eq(name, STR("purpose"))) {
        ask_purposes(ask, value);
    } else if (str_eq(name, STR("action"))) {
        ask->request.action = action_of(value);
    } else if (str_eq(name, STR("at")) && instant_span(value, &now)) {
        ask->request.now = now.from;
    } else if (str_eq(name, STR("type"))) {
        facts->type = value;
    } else if (str_eq(name, STR("id"))) {
        facts->id = str_cut(&value, '/');
        facts->version = value;
    } else if (str_eq(name, STR("profile"))) {
        facts->n_profiles = words_of(value, ask->profiles);
    } else if (str_eq(name, STR("code"))) {
        facts->n_codes = codings_of(value, ask->codes);
    } else if (str_eq(name, STR("label"))) {
        ask_labels(ask, value);
    } else if (str_eq(name, STR("labelled"))) {
        facts->labelled = !str_eq(value, STR("no"));
    } else if (str_eq(name, STR("time"))) {
        facts->time =
            str_eq(value, STR("none")) ? (struct instant_span){ 0 } : span_of(line, value);
    } else if (str_eq(name, STR("ref"))) {
        facts->n_references = words_of(value, ask->references);
    } else if (str_eq(name, STR("author"))) {
        facts->n_authors = words_of(value, ask->authors);
    } else if (str_eq(name, STR("custodian"))) {
        facts->n_custodians = words_of(value, ask->custodians);
    } else if (str_eq(name, STR("pending"))) {
        facts->pending = facts_named(line, value);
    } else if (str_eq(name, STR("unknown"))) {
        facts->unknown = facts_named(line, value);
    } else if (str_eq(name, STR("data"))) {
        ask->no_facts = str_eq(value, STR("none"));
    } else {
        wrong(line, "can't be asked", name);
    }
}

static inline void ask_init(struct ask *ask)
{
    *ask = (struct ask){
        .request = { .n_actors = 1,
                     .purposes = purpose_bit(STR("TREAT")),
                     .action = ACTION_ACCESS },
        .facts = { .type = STR("Observation"), .id = STR("o1"), .labelled = true },
        .actors = { STR("Practitioner/me") },
    };
    struct instant_span now;
    assert_true(instant_span(STR("2022-07-01"), &now));
    ask->request.now = now.from;
    assert_true(instant_span(STR("2022-05-01"), &ask->facts.time));
    ask->request.actors = ask->actors;
    ask->request.other_purposes = ask->purposes;
    ask->facts.profiles = ask->profiles;
    ask->facts.codes = ask->codes;
    ask->facts.labels = ask->labels;
    ask->facts.references = ask->references;
    ask->facts.authors = ask->authors;
    ask->facts.custodians = ask->custodians;
}
