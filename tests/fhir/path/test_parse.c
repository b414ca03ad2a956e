/* Reading of expressions: literals, precedence, and where a mistake is. */
#include "tests/fhir/path/expect.h"

static void test_literals(void **state)
{
    static const struct expect cases[] = {
        { "true", "true" },
        { "{ }", "" },
        { "'a\\'b\\\\ \\n\\u0041\\uD83D\\uDD25'", "a'b\\ \nA\xF0\x9F\x94\xA5" },
        { "'\\p\\3\\u005'", "p3u005" },
        { "007", "7" },
        { "1.50", "1.50" },
        { "1.5 'mg'", "1.5 'mg'" },
        { "4 days", "4 days" },
        { "4 'days'", "4 days" },
        { "@2014", "2014" },
        { "@2014-01-25T", "2014-01-25" },
        { "@2014-01-25T14:30:14.559+10:00", "2014-01-25T14:30:14.559+10:00" },
        { "@T14:30", "14:30" },
        { "/* a */ 1 // b\n + /**/ 2", "3" },
        { "2147483647", "2147483647" },
        { "-2147483647", "-2147483647" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_precedence(void **state)
{
    static const struct expect cases[] = {
        { "1 + 2 * 3", "7" },
        { "(1 + 2) * 3", "9" },
        { "10 - 4 - 3", "3" },
        { "2 * 3 mod 4", "2" },
        { "-1 + 2", "1" },
        { "- - 1", "1" },
        { "1 | 2 = 2 | 1", "false" },
        { "1 < 2 = true", "true" },
        { "1 in 1 | 2", "true" },
        { "false and true or true", "true" },
        { "true or false and false", "true" },
        { "false implies false implies false", "false" },
        { "true xor true or true", "true" },
        { "1 + 1 is Integer", "true" },
        { "(1 | 1 is Integer).count()", "2" },
        { "'a' & 'b' + 'c' = 'abc'", "true" },
        { "contains.is.as.`div`.empty()", "true" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_mistakes(void **state)
{
    static const struct expect cases[] = {
        { "", "!1" },
        { "1 +", "!4" },
        { "1 + + ", "!7" },
        { "(1", "!3" },
        { "1)", "!2" },
        { "a b", "!3" },
        { "a.", "!3" },
        { "a.1", "!3" },
        { "a[0", "!4" },
        { "{1}", "!2" },
        { "%", "!2" },
        { "'a", "!3" },
        { "`a", "!3" },
        { "'\\uD83D'", "!9" },
        { "'\\u0000'", "!9" },
        { "1 /* a", "!3" },
        { "#", "!1" },
        { "a = and", "!5" },
        { "2147483648", "!1" },
        { "12345678901234567890123456789012345678", "!1" },
        { "@2014-13", "!9" },
        { "@T25:00", "!8" },
        { "@T14:30Z", "!8" },
        { "nothing()", "!1" },
        { "a.count(1)", "!3" },
        { "a.where()", "!3" },
        { "a.where(b,)", "!11" },
        { "a.where(b c)", "!11" },
        { "a is", "!5" },
        { "a as Nothing", "!13" },
        { "a.ofType(Nothing)", "!17" },
        { "a is FHIR.", "!11" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static struct str repeated(struct arena *arena, const char *before, size_t n,
                           const char *middle, const char *after)
{
    struct buf b = arena_buf(arena, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        buf_z(&b, before);
    }
    buf_z(&b, middle);
    for (size_t i = 0; i < n; i++) {
        buf_z(&b, after);
    }
    return buf_str(&b);
}

static int compile(struct arena *arena, struct str text)
{
    struct issues issues;
    struct path_list list;
    const struct path_env env = { 0 };
    return expect_run(arena, text, 0, &env, NULL, &issues, &list);
}

static void test_limits(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    (void)state;
    /* the expression itself is one level */
    assert_int_equal(compile(arena, repeated(arena, "(", PATH_DEPTH_MAX - 1, "1", ")")), 0);
    assert_int_equal(compile(arena, repeated(arena, "(", PATH_DEPTH_MAX, "1", ")")),
                     PATH_E_SYNTAX);
    assert_int_equal(compile(arena, repeated(arena, "-", PATH_DEPTH_MAX, "1", "")),
                     PATH_E_SYNTAX);
    assert_int_equal(compile(arena, repeated(arena, "a.where(", 60, "b", ")")), 0);
    /* chains may be long */
    assert_int_equal(compile(arena, repeated(arena, "1 + ", 5000, "1", "")), 0);
    assert_int_equal(compile(arena, repeated(arena, " ", PATH_TEXT_MAX - 1, "1", "")), 0);
    assert_int_equal(compile(arena, repeated(arena, " ", PATH_TEXT_MAX, "1", "")),
                     PATH_E_SYNTAX);
    assert_int_equal(
        compile(arena, repeated(arena, "coalesce(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 1, ",1", ")")),
        0);
    assert_int_equal(compile(arena, repeated(arena, "coalesce(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 1,
                                             ",1,1", ")")),
                     PATH_E_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("fhir/path/parse", tests, NULL, NULL);
}
