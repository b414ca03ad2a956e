#include "tests/check.h"

static void test_cut_at_a_byte(void **state)
{
    static const struct {
        const char *in;
        const char *head;
        const char *rest;
    } cases[] = {
        { "a:b:c", "a", "b:c" }, { ":b", "", "b" }, { "a:", "a", "" },
        { "a", "a", "" },        { "", "", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str rest = str_z(cases[i].in);
        assert_str(str_cut(&rest, ':'), cases[i].head);
        assert_str(rest, cases[i].rest);
    }
}

static void test_order_is_by_bytes_then_length(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("a"), STR("aa")) < 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_cmp((struct str){ 0 }, STR("")), 0);
}

static void test_slice_is_cut_to_the_text(void **state)
{
    (void)state;
    assert_str(str_slice(STR("abcd"), 1, 3), "bc");
    assert_str(str_slice(STR("abcd"), 2, 99), "cd");
    assert_str(str_slice(STR("abcd"), 9, 99), "");
    assert_str(str_slice((struct str){ 0 }, 0, 5), "");
}

static void test_texts_that_differ_anywhere_have_other_hashes(void **state)
{
    static const struct str texts[] = {
        STR_INIT(""),          STR_INIT("a"),         STR_INIT("b"),
        STR_INIT("a\0"),       STR_INIT("abcdefgh"),  STR_INIT("abcdefgi"),
        STR_INIT("abcdefgha"), STR_INIT("abcdefghb"), STR_INIT("bbcdefgha"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char copy[16];
        memcpy(copy, texts[i].p, texts[i].n);
        assert_true(str_hash(texts[i]) == str_hash(str_of(copy, texts[i].n)));
        for (size_t k = 0; k < i; k++) {
            assert_true(str_hash(texts[i]) != str_hash(texts[k]));
        }
    }
}

static void test_beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")));
    assert_true(str_ends(STR("abc"), STR("")));
    assert_false(str_ends(STR("c"), STR("bc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_at_a_byte),
        cmocka_unit_test(test_order_is_by_bytes_then_length),
        cmocka_unit_test(test_slice_is_cut_to_the_text),
        cmocka_unit_test(test_texts_that_differ_anywhere_have_other_hashes),
        cmocka_unit_test(test_beginnings_and_ends),
    };
    return cmocka_run_group_tests_name("crypto/base/str", tests, NULL, NULL);
}
