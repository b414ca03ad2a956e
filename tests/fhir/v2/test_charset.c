#include "tests/check.h"

#include "fhir/v2/charset.h"

static void test_names(void **state)
{
    static const struct {
        const char *name;
        enum v2_charset want;
    } cases[] = {
        { "", V2_CHARSET_NONE },
        { "ASCII", V2_CHARSET_ASCII },
        { "8859/1", V2_CHARSET_8859_1 },
        { "8859/15", V2_CHARSET_8859_15 },
        { "ISO-8859-1", V2_CHARSET_8859_1 },
        { "iso8859_2", (enum v2_charset)(V2_CHARSET_8859_1 + 1) },
        { "UNICODE UTF-8", V2_CHARSET_UTF8 },
        { "utf-8", V2_CHARSET_UTF8 },
        { "8859/12", V2_CHARSET_OTHER },
        { "8859/16", V2_CHARSET_OTHER },
        { "8859/0", V2_CHARSET_OTHER },
        { "ISO IR87", V2_CHARSET_OTHER },
        { "UNICODE UTF-16", V2_CHARSET_OTHER },
        { "ISO", V2_CHARSET_OTHER },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(v2_charset_find(str_z(cases[i].name)), cases[i].want);
    }
}

static void test_conversion(void **state)
{
    static const struct {
        enum v2_charset charset;
        const char *in, *want;
        int replaced;
    } cases[] = {
        { V2_CHARSET_8859_1, "M\xfcller", "M\xc3\xbcller", 0 },
        { V2_CHARSET_8859_15, "\xa4", "\xe2\x82\xac", 0 },
        { (enum v2_charset)(V2_CHARSET_8859_1 + 1), "\xa3", "\xc5\x81", 0 },
        { (enum v2_charset)(V2_CHARSET_8859_1 + 4), "\xb0", "\xd0\x90", 0 },
        { V2_CHARSET_UTF8, "M\xc3\xbcller", "M\xc3\xbcller", 0 },
        { V2_CHARSET_UTF8, "M\xfcller", "M\xef\xbf\xbdller", 1 },
        { V2_CHARSET_ASCII, "\xfc\xfc", "\xef\xbf\xbd\xef\xbf\xbd", 2 },
        { V2_CHARSET_UTF8, "cut \xc3", "cut \xef\xbf\xbd", 1 },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        assert_int_equal(v2_to_utf8(arena, cases[i].charset, str_z(cases[i].in), &got),
                         cases[i].replaced);
        assert_str(got, cases[i].want);
    }
}

static void test_message_in_its_own_set(void **state)
{
    static const struct {
        const char *msh18;
        enum v2_charset fallback;
        const char *name, *want;
        size_t issues;
        bool bad;
    } cases[] = {
        { "8859/1", V2_CHARSET_NONE, "M\xfcller", "M\xc3\xbcller", 0, false },
        { "", V2_CHARSET_8859_1, "M\xfcller", "M\xc3\xbcller", 0, false },
        { "", V2_CHARSET_NONE, "M\xc3\xbcller", "M\xc3\xbcller", 0, false },
        { "", V2_CHARSET_NONE, "M\xfcller", "M\xef\xbf\xbdller", 1, false },
        { "ASCII", V2_CHARSET_8859_1, "M\xfcller", "M\xc3\xbcller", 1, false },
        { "ISO IR87", V2_CHARSET_NONE, "\x1b$B", "\x1b$B", 0, false },
        { "ISO IR87", V2_CHARSET_8859_1, "\xfc", "\xc3\xbc", 1, true },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        issues_init(&issues, arena);
        char text[200];
        (void)snprintf(text, sizeof(text), "MSH|^~\\&||||||||||||||||%s\rPID|1||||%s\r",
                       cases[i].msh18, cases[i].name);
        struct v2_message m;
        assert_int_equal(v2_parse(arena, str_z(text), &issues, &m), 0);
        struct v2_message utf8;
        assert_int_equal(v2_message_utf8(arena, &m, cases[i].fallback, &issues, &utf8), 0);
        assert_str(v2_field(&utf8, &utf8.segments[1], 5), cases[i].want);
        assert_int_equal(issues.count, cases[i].issues);
        assert_int_equal(issues_bad(&issues), cases[i].bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_message_in_its_own_set),
    };
    return cmocka_run_group_tests_name("fhir/v2/charset", tests, NULL, NULL);
}
