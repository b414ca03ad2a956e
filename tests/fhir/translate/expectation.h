/* Pieces that resources must have, or must not. */
#pragma once

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
