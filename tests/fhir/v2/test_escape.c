#include "tests/check.h"

#include "fhir/v2/escape.h"

static void test_known_sequences(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "Smith \\T\\ Sons", "Smith & Sons" },
        { "\\F\\\\S\\\\R\\\\E\\", "|^~\\" },
        { "\\X4A6F\\", "Jo" },
        { "\\Xc3a4\\", "\xc3\xa4" },
        { "\\X0D0A\\", "\r\n" },
        { "\\XE4\\", "\\XE4\\" }, /* no UTF-8: kept */
        { "\\X00\\", "\\X00\\" },
        { "\\X4\\", "\\X4\\" },
        { "one\\.br\\two", "one\ntwo" },
        { "a\\.sp\\b\\.sp3\\c", "a\nb\n\n\nc" },
        { "a\\.ce\\b\\.fi\\c\\.nf\\d", "a\nbcd" },
        { "a\\.sk3\\b\\.sk 2\\c\\.sk\\d", "a   b  c d" },
        { "\\.in2\\a\\.br\\b\\.in0\\\\.br\\c", "  a\n  b\nc" },
        { "\\.in2\\a\\.br\\\\.ti+1\\b\\.br\\c", "  a\n   b\n  c" },
        { "a\\.ti3\\b", "ab" }, /* only at the begin of a line */
        { "\\.sk99\\", "                                " },
        { "\\.xy\\", "\\.xy\\" },
        { "\\.br2x\\", "\\.br2x\\" },
        { "\\.\\", "\\.\\" },
        { "\\H\\bold\\N\\", "\\H\\bold\\N\\" }, /* highlighting: kept */
        { "\\Zlocal\\", "\\Zlocal\\" },
        { "\\P\\", "\\P\\" }, /* no truncation character in force */
        { "\\\\", "\\\\" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        assert_int_equal(v2_unescape(arena, &V2_DELIMS_USUAL, str_z(cases[i].in), &got), 0);
        assert_str(got, cases[i].want);
    }
}

static void test_open_sequence_refused(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct str got;
    assert_int_equal(v2_unescape(arena, &V2_DELIMS_USUAL, STR("C:\\dir"), &got),
                     V2_ESCAPE_E_OPEN);
}

static void test_text_without_sequences_is_borrowed(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct str in = STR("nothing to do");
    struct str got;
    assert_int_equal(v2_unescape(arena, &V2_DELIMS_USUAL, in, &got), 0);
    assert_ptr_equal(got.p, in.p);
    assert_int_equal(arena_used(arena), 0);
}

static void test_escape_and_back(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "a|b^c~d\\e&f", "a\\F\\b\\S\\c\\R\\d\\E\\e\\T\\f" },
        { "two\r\nlines", "two\\X0D\\\\X0A\\lines" },
        { "plain", "plain" },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = arena_buf(arena, 1000);
        v2_escape(&out, &V2_DELIMS_USUAL, str_z(cases[i].in));
        assert_str(buf_str(&out), cases[i].want);
        struct str back;
        assert_int_equal(v2_unescape(arena, &V2_DELIMS_USUAL, buf_str(&out), &back), 0);
        assert_str(back, cases[i].in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_sequences),
        cmocka_unit_test(test_open_sequence_refused),
        cmocka_unit_test(test_text_without_sequences_is_borrowed),
        cmocka_unit_test(test_escape_and_back),
    };
    return cmocka_run_group_tests_name("fhir/v2/escape", tests, NULL, NULL);
}
