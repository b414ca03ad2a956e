/* UTF-8: how far a text is valid, wherever in it the fault stands. */
#include "fhir/base/utf8.h"
#include "tests/check.h"

static void test_span(void **state)
{
    static const struct {
        struct str in;
        size_t want;
    } cases[] = {
        { STR_INIT(""), 0 },
        { STR_INIT("abc"), 3 },
        { STR_INIT("\xC2\x80"), 2 },
        { STR_INIT("\xDF\xBF"), 2 },
        { STR_INIT("\xE0\xA0\x80"), 3 },
        { STR_INIT("\xED\x9F\xBF"), 3 },
        { STR_INIT("\xEF\xBF\xBF"), 3 },
        { STR_INIT("\xF0\x90\x80\x80"), 4 },
        { STR_INIT("\xF4\x8F\xBF\xBF"), 4 },
        { STR_INIT("a\xC0\x80"), 1 },
        { STR_INIT("a\xC1\xBF"), 1 },
        { STR_INIT("a\x80"), 1 },
        { STR_INIT("a\xE0\x9F\xBF"), 1 },
        { STR_INIT("a\xED\xA0\x80"), 1 },
        { STR_INIT("a\xF0\x8F\xBF\xBF"), 1 },
        { STR_INIT("a\xF4\x90\x80\x80"), 1 },
        { STR_INIT("a\xF5\x80\x80\x80"), 1 },
        { STR_INIT("a\xC3"), 1 },
        { STR_INIT("a\xE2\x82"), 1 },
        { STR_INIT("a\xF0\x9D\x84"), 1 },
        { STR_INIT("a\xC3z"), 1 },
        { STR_INIT("a\xFF"), 1 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(utf8_span(cases[i].in), cases[i].want);
        for (size_t before = 0; before < 70; before++) {
            char text[160];
            memset(text, 'x', sizeof(text));
            memcpy(text + before, cases[i].in.p, cases[i].in.n);
            struct str all = str_of(text, before + cases[i].in.n);
            assert_int_equal(utf8_span(all), before + cases[i].want);
            bool whole = cases[i].want == cases[i].in.n;
            size_t want = whole ? sizeof(text) : before + cases[i].want;
            assert_int_equal(utf8_span(str_of(text, sizeof(text))), want);
        }
    }
}

static void test_characters(void **state)
{
    struct str rest = STR("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\xA5\xFF");
    static const uint32_t want[] = { 'a', 0xE4, 0x20AC, 0x1F525, 0xFF };
    (void)state;

    assert_int_equal(utf8_count(str_slice(rest, 0, 10)), 4);
    assert_int_equal(utf8_offset(rest, 3), 6);
    assert_int_equal(utf8_offset(STR("ab"), 2), 2);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct str before = rest;
        char bytes[UTF8_LENGTH_MAX];
        assert_int_equal(utf8_next(&rest), want[i]);
        size_t n = utf8_encode(want[i], bytes);
        if (want[i] != 0xFF) {
            assert_memory_equal(bytes, before.p, n);
            assert_int_equal(rest.p - before.p, n);
        }
    }
    assert_int_equal(rest.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_span),
        cmocka_unit_test(test_characters),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
