/* Runs: limits that hostile expressions and resources meet, use of a machine again, strictness.
 */
#include "tests/fhir/path/expect.h"

static void test_hostile_expressions_end(void **state)
{
    static const struct expect cases[] = {
        { "1.repeatAll($this.combine(1))", "!27 limit" },
        { "(1|2|3|4|5|6|7|8|9|10).repeatAll(1|2|3|4|5|6|7|8|9|10)", "!46 limit" },
        { "(1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30)"
          ".aggregate($total & $total, 'aaaaaaaaaaaaaaaa')",
          "!101 limit" },
        { "(1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|21|22|23|24|25|26|27|28|29|30)"
          ".aggregate($total.replace('', 'aaaa'), 'a')",
          "!101 limit" },
        { "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!').matches('(a+)+$')", "false" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

/* A Bundle with as many entries as its text allows: sets don't compare each with each. */
static void test_large_collections(void **state)
{
    enum {
        ENTRIES = 50000,
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct buf text = arena_buf(arena, 64 << 20);
    struct issues issues;
    struct path_list list = { 0 };
    const struct path_env env = { 0 };
    (void)state;
    buf_z(&text, "{\"resourceType\":\"Bundle\",\"entry\":[");
    for (int i = 0; i < ENTRIES; i++) {
        buf_fmt(&text, "%s{\"fullUrl\":\"urn:%d\"}", i ? "," : "", i);
    }
    buf_z(&text, "]}");
    buf_c(&text, '\0');
    const struct node *root = expect_parse(arena, text.p);
    static const char *const expressions[] = {
        "entry.fullUrl.isDistinct()",
        "entry.isDistinct()",
        "entry.fullUrl.subsetOf(entry.fullUrl)",
        "(entry.fullUrl | entry.fullUrl).count() = entry.count()",
        "entry.where(fullUrl.empty()).empty()",
        "entry.sort(-fullUrl).first().fullUrl = 'urn:9999'",
    };
    for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
        int r = expect_run(arena, str_z(expressions[i]), 0, &env, root, &issues, &list);
        assert_str(expect_tell(arena, r, &issues, &list), "true");
    }
}

/* What one run leaves behind, the next one doesn't see. */
static void test_machine_runs_again(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 14);
    static const struct {
        const char *expression;
        int r;
        size_t n;
    } cases[] = {
        { "(1 | 2).select(defineVariable('a').select(1 + 'a'))", PATH_E_RUN, 0 },
        { "%a", PATH_E_RUN, 0 },
        { "(1 | 2).aggregate($total + 'a', 1)", PATH_E_RUN, 0 },
        { "$total", PATH_E_RUN, 0 },
        { "(1 | 2 | 3).where($this > 1)", 0, 2 },
        { "$this", 0, 0 },
    };
    const struct path_env env = { 0 };
    struct path_machine *m = path_machine_new(arena, &env);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct issues issues;
        struct path_list list = { 0 };
        const struct path *path;
        const struct path_source source = { .text = str_z(cases[i].expression),
                                            .schema = &schema_r4 };
        issues_init(&issues, arena);
        assert_int_equal(path_compile(arena, &source, &issues, &path), 0);
        assert_int_equal(path_run(m, path, NULL, &issues, &list), cases[i].r);
        assert_int_equal(list.n, cases[i].n);
    }
}

static void test_without_memory(void **state)
{
    (void)state;
    for (size_t limit = 256; limit < 8192; limit += 64) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 14);
        struct issues issues;
        struct path_list list = { 0 };
        const struct path_env env = { 0 };
        const struct path *path;
        const struct path_source source = {
            .text = STR("(1 | 'a' & 'b' | 2 'm' * 3).select($this.type()).sort(name)"),
            .schema = &schema_r4
        };
        issues_init(&issues, arena);
        struct path_machine *m = path_machine_new(arena, &env);
        arena_limit(arena, arena_used(arena) + limit);
        int r = path_compile(arena, &source, &issues, &path);
        r = r ? r : path_run(m, path, NULL, &issues, &list);
        assert_true(r < 0 || (r == 0 && list.n == 3));
    }
}

static void test_holds(void **state)
{
    static const struct {
        const char *expression;
        bool want;
    } cases[] = {
        { "true", true },     { "false", false },  { "{}", false },          { "1", true },
        { "(1 | 2)", false }, { "active", false }, { "active.not()", true },
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 14);
    const struct node *root =
        expect_parse(arena, "{\"resourceType\":\"Patient\",\"active\":false}");
    const struct path_env env = { 0 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct issues issues;
        struct path_list list = { 0 };
        assert_int_equal(
            expect_run(arena, str_z(cases[i].expression), 0, &env, root, &issues, &list), 0);
        assert_int_equal(path_holds(&list), cases[i].want);
    }
}

static void test_strict(void **state)
{
    static const char observation[] = "{\"resourceType\":\"Observation\"}";
    static const struct expect cases[] = {
        { "value.unit", "" },
        { "Observation.component.value.ofType(Quantity).value", "" },
        { "valueQuantity", "!1" },
        { "Patient.name", "!1" },
        { "code.coding.cod", "!13" },
        { "component.where(cod.exists())", "!17" },
        { "component.select(code).codng", "!24" },
        { "(value as Period).unit", "!19" },
        { "(value as Patient)", "!8" },
        { "value is Citation", "!18" },
        { "children().first()", "!12" },
        { "children()[0]", "!11" },
        { "children().where(true).skip(1)", "!24" },
        { "contained.anything", "" },
        { "descendants().anything", "" },
        { "%context.anything", "!10" },
        { "code.coding.first().system.value", "" },
    };
    (void)state;
    expect_all(cases, ARRAY_LEN(cases), observation, NULL, PATH_STRICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_expressions_end),
        cmocka_unit_test(test_large_collections),
        cmocka_unit_test(test_machine_runs_again),
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_holds),
        cmocka_unit_test(test_strict),
    };
    return cmocka_run_group_tests_name("fhir/path/run", tests, NULL, NULL);
}
