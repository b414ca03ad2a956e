#include "tests/check.h"

#include "fhir/base/utf8.h"
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
        { "8859/15", (enum v2_charset)(V2_CHARSET_8859_1 + 14) },
        { "ISO-8859-1", V2_CHARSET_8859_1 },
        { "iso8859_2", (enum v2_charset)(V2_CHARSET_8859_1 + 1) },
        { "UNICODE UTF-8", V2_CHARSET_UTF8 },
        { "utf-8", V2_CHARSET_UTF8 },
        { "8859/12", V2_CHARSET_OTHER },
        { "8859/16", V2_CHARSET_8859_16 },
        { "8859/17", V2_CHARSET_OTHER },
        { "8859/0", V2_CHARSET_OTHER },
        { "ISO IR6", V2_CHARSET_ASCII },
        { "ISO IR14", V2_CHARSET_IR14 },
        { "ISO IR87", V2_CHARSET_IR87 },
        { "ISO IR159", V2_CHARSET_IR159 },
        { "UNICODE UTF-16", V2_CHARSET_UTF16 },
        { "GB 18030-2000", V2_CHARSET_GB18030 },
        { "KS X 1001", V2_CHARSET_KSX1001 },
        { "BIG-5", V2_CHARSET_BIG5 },
        { "CNS 11643-1992", V2_CHARSET_OTHER },
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
        { (enum v2_charset)(V2_CHARSET_8859_1 + 14), "\xa4", "\xe2\x82\xac", 0 },
        { (enum v2_charset)(V2_CHARSET_8859_1 + 1), "\xa3", "\xc5\x81", 0 },
        { (enum v2_charset)(V2_CHARSET_8859_1 + 4), "\xb0", "\xd0\x90", 0 },
        { V2_CHARSET_UTF8, "M\xc3\xbcller", "M\xc3\xbcller", 0 },
        { V2_CHARSET_UTF8, "M\xfcller", "M\xef\xbf\xbdller", 1 },
        { V2_CHARSET_ASCII, "\xfc\xfc", "\xef\xbf\xbd\xef\xbf\xbd", 2 },
        { V2_CHARSET_UTF8, "cut \xc3", "cut \xef\xbf\xbd", 1 },
        { V2_CHARSET_1252, "\x80 \x93M\xfcller\x94", "€ “Müller”", 0 },
        { V2_CHARSET_1252, "\x81", "\xef\xbf\xbd", 1 },
        { V2_CHARSET_IR14, "\xd4\xcf\xc0\xde \\", "ﾔﾏﾀﾞ \\", 0 },
        { V2_CHARSET_KSX1001, "\xc8\xab^\xb1\xe6\xb5\xbf", "홍^길동", 0 },
        { V2_CHARSET_KSX1001, "\xc8^x", "\xef\xbf\xbd^x", 1 }, /* the delimiter stays */
        { V2_CHARSET_BIG5, "\xa4\xfd^\xa4p\xa9\xfa", "王^小明", 0 },
        { V2_CHARSET_BIG5, "\xb3\\\xa5\\\xbb\\", "許功蓋", 0 }, /* ends in backslashes */
        { V2_CHARSET_GB18030, "\xcd\xf5\xd0\xa1\xc3\xf7", "王小明", 0 },
        { V2_CHARSET_GB18030, "\x81\x39\xee\x39\x95\x32\x82\x36", "㐀𠀀", 0 },
        { V2_CHARSET_GB18030, "\xff\x81", "\xef\xbf\xbd", 1 },
        { V2_CHARSET_GB18030, "\xfe\x39\xfe\x39", "\xef\xbf\xbd", 1 },
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
        { "CNS 11643-1992", V2_CHARSET_8859_1, "\xfc", "\xc3\xbc", 1, true },
        { "UNICODE UTF-16", V2_CHARSET_NONE, "M\xc3\xbcller", "Müller", 1, false },
        { "BIG-5", V2_CHARSET_NONE, "\xb3|\xa5\\", "逖功", 0, false },
        { "~ISO IR87", V2_CHARSET_NONE, "\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "山田^太郎", 0,
          false },
        { "8859/1~ISO IR87", V2_CHARSET_NONE, "M\xfcller \x1b$B;3\x1b(B", "Müller 山", 0,
          false },
        { "~ISO IR87", V2_CHARSET_NONE, "\\M2442\\;3ED\\C2842\\^x", "山田^x", 0, false },
        { "", V2_CHARSET_NONE, "\x1b$B;3ED\x1b(B", "山田", 1, false }, /* not announced */
        { "~ISO IR87", V2_CHARSET_NONE, "\x1b$B;3", "山", 0, false },  /* never left again */
        { "~ISO IR87", V2_CHARSET_NONE, "\x1b$G11", "\xef\xbf\xbd$G11", 2, true },
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
        assert_int_equal(utf8.count, 2);
    }
}

static void test_switches_by_iso_2022(void **state)
{
    static const struct {
        enum v2_charset base;
        const char *in, *want;
        int replaced;
    } cases[] = {
        { V2_CHARSET_ASCII, "\x1b$B;3ED\x1b(BA", "山田A", 0 },
        { V2_CHARSET_ASCII, "\x1b$@;3ED\x1b(J\\", "山田\\", 0 },
        { V2_CHARSET_ASCII, "\x1b$(D0!0\"\x1b(B", "丂丄", 0 },
        { V2_CHARSET_ASCII, "\x1b(ITO@^\x1b(B", "ﾔﾏﾀﾞ", 0 },
        { V2_CHARSET_ASCII, "\x1b)I\xd4\xcf", "ﾔﾏ", 0 },
        { V2_CHARSET_ASCII, "\x1b$)C\xc8\xab x", "홍 x", 0 },
        { V2_CHARSET_ASCII, "\x1b-L\xb0\x1b-F\xe1", "Аα", 0 },
        { V2_CHARSET_8859_1, "\xfc\x1b-B\xa3", "üŁ", 0 },
        { V2_CHARSET_ASCII, "\x1b$B;3\r;3", "山\r;3", 0 }, /* the segment's end undoes it */
        { V2_CHARSET_ASCII, "\x1b$B;\r3", "\xef\xbf\xbd\r3", 1 },
        { V2_CHARSET_ASCII, "\x1b$B~~", "\xef\xbf\xbd", 1 },
        { V2_CHARSET_ASCII, "\x1b", "\xef\xbf\xbd", 1 },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        assert_int_equal(v2_to_utf8(arena, cases[i].base, str_z(cases[i].in), &got),
                         cases[i].replaced);
        assert_str(got, cases[i].want);
    }
}

static void test_back_from_utf8(void **state)
{
    static const struct {
        const char *to, *in, *want;
        int replaced;
    } cases[] = {
        { "UNICODE UTF-8", "Müller", "Müller", 0 },
        { "", "Müller", "M?ller", 1 },
        { "8859/1", "Müller €", "M\xfcller ?", 1 },
        { "8859/15", "€", "\xa4", 0 },
        { "WINDOWS-1252", "€ü", "\x80\xfc", 0 },
        { "KS X 1001", "홍^길동", "\xc8\xab^\xb1\xe6\xb5\xbf", 0 },
        { "BIG-5", "許功蓋", "\xb3\\\xa5\\\xbb\\", 0 },
        { "GB 18030-2000", "王㐀𠀀", "\xcd\xf5\x81\x39\xee\x39\x95\x32\x82\x36", 0 },
        { "~ISO IR87", "山田^太郎", "\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", 0 },
        { "~ISO IR87~ISO IR159", "山丂a", "\x1b$B;3\x1b$(D0!\x1b(Ba", 0 },
        { "ISO IR14~ISO IR87", "ﾔ山", "\xd4\x1b$B;3\x1b(B", 0 },
        { "~ISO IR13", "ﾔ", "\x1b(IT\x1b(B", 0 },
        { "8859/1~ISO IR87", "ü山", "\xfc\x1b$B;3\x1b(B", 0 },
        { "~ISO IR87", "𠀀山", "?\x1b$B;3\x1b(B", 1 },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_charsets to;
        struct str got;
        v2_charsets_read(str_z(cases[i].to), '~', &to);
        assert_int_equal(v2_from_utf8(arena, &to, str_z(cases[i].in), &got), cases[i].replaced);
        assert_str(got, cases[i].want);
    }
}

/* Every character that a set has goes there and back; how many it has is its standard's. */
static void test_whole_sets_there_and_back(void **state)
{
    static const struct {
        const char *name;
        enum v2_charset base;
        size_t has;
    } cases[] = {
        { "8859/1", V2_CHARSET_8859_1, 96 },
        { "~ISO IR87", V2_CHARSET_ASCII, 6879 },
        { "~ISO IR159", V2_CHARSET_ASCII, 6066 }, /* less the tilde, which is ASCII */
        { "KS X 1001", V2_CHARSET_KSX1001, 17048 },
        { "BIG-5", V2_CHARSET_BIG5, 13742 },
        { "GB 18030-2000", V2_CHARSET_GB18030, 0x10000 - 0x80 - 0x800 - 1 }, /* less U+FFFD */
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_charsets to;
        size_t has = 0;
        v2_charsets_read(str_z(cases[i].name), '~', &to);
        for (uint32_t point = 0x80; point <= 0xffff; point++) {
            char text[UTF8_LENGTH_MAX];
            struct str one = str_of(text, utf8_encode(point, text));
            struct str there;
            struct str back;
            arena_reset(arena);
            if ((point >= 0xd800 && point < 0xe000) || point == 0xfffd ||
                v2_from_utf8(arena, &to, one, &there)) {
                continue;
            }
            has++;
            assert_int_equal(v2_to_utf8(arena, cases[i].base, there, &back), 0);
            assert_true(str_eq(one, back));
        }
        assert_int_equal(has, cases[i].has);
    }
}

/* Each field that had to be mended is named. */
static void test_places_of_what_was_replaced(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    struct v2_message m;
    struct v2_message utf8;
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena,
                              STR("MSH|^~\\&|\xfc|||||||||||||||UNICODE UTF-8\rOBX|1|\xfc\r"
                                  "OBX|2|ok\rOBX|3||\xfc|\xfc"),
                              &issues, &m),
                     0);
    assert_int_equal(v2_message_utf8(arena, &m, V2_CHARSET_NONE, &issues, &utf8), 0);
    static const char *const want[] = { "MSH-3", "OBX-2", "OBX[3]-3", "OBX[3]-4" };
    const struct issue *issue = issues.first;
    assert_int_equal(issues.count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++, issue = issue->next) {
        assert_str(issue->place, want[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_message_in_its_own_set),
        cmocka_unit_test(test_switches_by_iso_2022),
        cmocka_unit_test(test_back_from_utf8),
        cmocka_unit_test(test_whole_sets_there_and_back),
        cmocka_unit_test(test_places_of_what_was_replaced),
    };
    return cmocka_run_group_tests_name("fhir/v2/charset", tests, NULL, NULL);
}
