/* Pieces that resources must have, or must not, and what refers to what. */
#pragma once

#include "fhir/format/json.h"
#include "tests/fhir/translate/translated.h"

/* @want stands in the first resource of @type, or doesn't if it begins with "!". */
struct expectation {
    const char *message, *type, *want;
};

static inline void check_expectations(const struct expectation *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), false), 0);
        const struct translate_entry *e = entry(&t, cases[i].type);
        bool absent = cases[i].want[0] == '!';
        const char *want = cases[i].want + absent;
        struct str got = e ? e->resource : (struct str){ 0 };
        if (absent == (got.n && memmem(got.p, got.n, want, strlen(want)))) {
            print_error("case %zu: %s %s\nin %.*s\n", i, absent ? "unwanted" : "want", want,
                        (int)got.n, got.p);
            fail();
        }
    }
}

/* The first resource of @type of both messages is the same one. */
struct same_id {
    const char *one, *other, *type;
};

static inline void check_same_ids(const struct same_id *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated one = { .arena = arena };
        struct translated other = { .arena = arena };
        assert_int_equal(translate_with(&one, str_z(cases[i].one), false), 0);
        assert_int_equal(translate_with(&other, str_z(cases[i].other), false), 0);
        assert_non_null(entry(&one, cases[i].type));
        assert_non_null(entry(&other, cases[i].type));
        if (!str_eq(entry(&one, cases[i].type)->full_url,
                    entry(&other, cases[i].type)->full_url)) {
            fail_msg("case %zu: two of %s", i, cases[i].type);
        }
    }
}

/* Entry @number, from 0, of @type. */
static inline const struct translate_entry *nth(const struct translated *t, const char *type,
                                                size_t number)
{
    for (size_t i = 0; i < t->result.count; i++) {
        if (strcmp(t->result.entries[i].type, type) == 0 && number-- == 0) {
            return &t->result.entries[i];
        }
    }
    return NULL;
}

static inline size_t count_of(const struct translated *t, const char *type)
{
    size_t n = 0;
    while (nth(t, type, n)) {
        n++;
    }
    return n;
}

static inline struct translated translated(struct arena *arena, const char *message)
{
    struct translated t = { .arena = arena };
    assert_int_equal(translate_with(&t, arena_str(arena, str_z(message)), false), 0);
    return t;
}

/* Whether element @path of @from holds a reference to @to. */
static inline bool refers(const struct translated *t, const struct translate_entry *from,
                          const char *path, const struct translate_entry *to)
{
    struct issues issues;
    const struct node *root = NULL;
    issues_init(&issues, t->arena);
    assert_non_null(from);
    assert_non_null(to);
    assert_int_equal(json_parse(t->arena, from->resource, &issues, &root), 0);
    const struct node *list = node_get(root, path);
    for (const struct node *n = node_first(list); n; n = n->next) {
        struct str url = node_first(n) ? node_text(n, "reference") : n->text;
        if (str_eq(url, to->full_url)) {
            return true;
        }
    }
    return false;
}
