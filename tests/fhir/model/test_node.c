/* Walking a tree. */
#include "fhir/model/node.h"

#include "fhir/format/json.h"
#include "tests/check.h"

static const struct node *read_tree(struct arena *arena, const char *text)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root;
    assert_int_equal(json_parse(arena, str_z(text), &issues, &root), 0);
    return root;
}

static void test_paths(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    const struct node *root =
        read_tree(arena, "{\"name\":[{\"family\":\"A\"},{\"family\":\"B\"}],\"n\":1,\"e\":[]}");
    assert_str(node_text(node_at(root, "name"), "family"), "A");
    assert_str(node_at(root, "name.family")->text, "A");
    assert_null(node_at(root, "name.given"));
    assert_null(node_at(root, "n.x"));
    assert_null(node_at(root, "e"));
    assert_null(node_get(NULL, "x"));
    assert_int_equal(node_text(root, "n").n, 0);
    assert_null(node_first(node_get(root, "missing")));
}

static void test_integers(void **state)
{
    static const struct {
        const char *in;
        bool ok;
        int64_t want;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "42", true, 42 },
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775808", true, INT64_MIN },
        { "-9223372036854775809", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "\"1\"", false, 0 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        int64_t got = 0;
        assert_int_equal(node_integer(read_tree(arena, cases[i].in), &got), cases[i].ok);
        assert_true(got == cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_integers),
    };
    return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
