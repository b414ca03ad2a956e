/* The Bundle as a tree is what its text would be read as. */
#include "tests/fhir/translate/same_nodes.h"
#include "tests/fhir/translate/translated.h"

#include "fhir/format/json.h"

static void check_tree(const char *message, bool zoned)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    const struct node *root = NULL;
    assert_int_equal(translate_with(&t, str_z(message), zoned), 0);
    assert_int_equal(json_parse(arena, t.result.bundle, &t.issues, &root), 0);
    assert_true(same_nodes(root, t.result.tree));
    for (size_t i = 0; i < t.result.count; i++) {
        const struct translate_entry *entry = &t.result.entries[i];
        assert_int_equal(json_parse(arena, entry->resource, &t.issues, &root), 0);
        assert_str(node_text(entry->tree, "resourceType"), entry->type);
        assert_true(same_children(root, entry->tree));
    }
}

static void test_same_as_the_text(void **state)
{
    (void)state;
    check_tree(ADT PID, true);
    check_tree(ADT PID
               "PV1|1|I|W3^312^A^HOSP||||1^Adams^Anna|||||||||||||||||||||||||||||||||||||"
               "20260101101500\r",
               true);
    check_tree(ORU PID "OBR|1|P1|F1|1^Panel^LN|||20260101\r"
                       "OBX|1|NM|2^One^LN||5.1|g/L||||F|||202601011015\r"
                       "OBX|2|ST|3^Two^LN||a \\T\\ \"b\"||||||F\r",
               true);
}

/* What lost its precision says what it was, beside it. */
static void test_originals(void **state)
{
    (void)state;
    check_tree(ORU PID "OBR|1|P1|F1|1^Panel^LN|||202601011015\r"
                       "OBX|1|NM|2^One^LN||5.1|g/L||||F|||202601011015\r",
               false);
    check_tree(ORU PID "OBR|1|P1|F1|1^Panel^L\r", false);
    check_tree(ADT "PID|1||7^^^LAB^MR|||||female|||\"\"||\"\"\r", false);
}

static void test_only_if_wanted(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    struct v2_message m;
    struct translate_result result;
    const struct translate_site site = { .rules = rules };
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena, STR(ADT PID), &issues, &m), 0);
    assert_int_equal(translate_to_fhir(arena, &m, &site, &result, &issues), 0);
    assert_null(result.tree);
    assert_null(result.entries[0].tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_text),
        cmocka_unit_test(test_originals),
        cmocka_unit_test(test_only_if_wanted),
    };
    return cmocka_run_group_tests_name("fhir/translate/tree", tests, setup, teardown);
}
