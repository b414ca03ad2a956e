/* Tables of expressions and what comes out of them. */
#pragma once

#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/path/path.h"
#include "fhir/path/put.h"

/* 2026-11-22T10:20:30.400Z */
#define EXPECT_NOW INT64_C(1795342830400)

/*
 * @want: the items as text, joined by " | "; empty for none; for an error "!" and where it is:
 *        "!5" for character 5, "!5 limit" for PATH_E_LIMIT
 */
struct expect {
    const char *expression;
    const char *want;
};

static inline const struct node *expect_parse(struct arena *arena, const char *json)
{
    struct issues issues;
    const struct node *root = NULL;
    issues_init(&issues, arena);
    assert_int_equal(json_parse(arena, str_z(json), &issues, &root), 0);
    return root;
}

static inline int expect_run(struct arena *arena, struct str text, unsigned flags,
                             const struct path_env *env, const struct node *root,
                             struct issues *issues, struct path_list *out)
{
    const struct path_source source = { .text = text,
                                        .schema = &schema_r4,
                                        .type = node_text(root, "resourceType"),
                                        .flags = flags };
    const struct path *path;
    struct path_value input = path_element(&schema_r4, root, NULL);
    issues_init(issues, arena);
    int r = path_compile(arena, &source, issues, &path);
    return r ? r
             : path_run(path_machine_new(arena, env), path, root ? &input : NULL, issues, out);
}

/* What a run came to, in the words of struct expect. */
static inline struct str expect_tell(struct arena *arena, int r, const struct issues *issues,
                                     const struct path_list *list)
{
    struct buf text = arena_buf(arena, 1 << 20);
    if (r) {
        assert_int_equal(issues->count, 1);
        struct str place = issues->first->place;
        assert_true(str_starts(place, STR("character ")));
        buf_c(&text, '!');
        buf_str_put(&text, str_slice(place, 10, place.n));
        buf_z(&text, r == PATH_E_LIMIT ? " limit" : "");
        return buf_str(&text);
    }
    assert_int_equal(issues->count, 0);
    for (size_t i = 0; i < list->n; i++) {
        buf_z(&text, i ? " | " : "");
        path_put_text(arena, &schema_r4, &list->items[i], &text);
    }
    return buf_str(&text);
}

static inline void expect_all(const struct expect *cases, size_t n, const char *json,
                              const struct path_env *env, unsigned flags)
{
    const struct path_env usual = { .now = EXPECT_NOW };
    for (size_t i = 0; i < n; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 14);
        struct issues issues;
        struct path_list list = { 0 };
        const struct node *root = json ? expect_parse(arena, json) : NULL;
        int r = expect_run(arena, str_z(cases[i].expression), flags, env ? env : &usual, root,
                           &issues, &list);
        struct str got = expect_tell(arena, r, &issues, &list);
        if (!str_eq(got, str_z(cases[i].want))) {
            fail_msg("%s\ngot  %.*s%s%.*s\nwant %s", cases[i].expression, (int)got.n, got.p,
                     r ? " " : "", r ? (int)issues.first->text.n : 0,
                     r ? issues.first->text.p : "", cases[i].want);
        }
    }
}

#define EXPECT_ALL(cases, json) expect_all(cases, ARRAY_LEN(cases), json, NULL, 0)
