/* Regular expressions: the first match of backtracking, in linear time. */
#include "tests/fhir/with_arena.h"

#include "fhir/base/regex.h"

static struct regex_work work;

static int compile(const char *pattern, unsigned flags, const struct regex **out)
{
    return regex_compile(arena, str_z(pattern), flags, out);
}

static void test_first_match(void **state)
{
    static const struct {
        const char *pattern;
        unsigned flags;
        const char *text, *want; /* NULL: none */
    } cases[] = {
        { "234", 0, "123456", "234" },
        { "", 0, "abc", "" },
        { "A.*B", 0, "xA\n\tBx", "A\n\tB" },
        { "a|ab", 0, "ab", "a" },
        { "(a|ab)(c|bcd)", 0, "abcd", "abcd" },
        { "a*?b", 0, "aaab", "aaab" },
        { "<.+?>", 0, "<a><b>", "<a>" },
        { "<.+>", 0, "<a><b>", "<a><b>" },
        { "a{2}", 0, "aaaa", "aa" },
        { "a{2,}", 0, "aaaa", "aaaa" },
        { "a{2,3}?", 0, "aaaa", "aa" },
        { "a{,3}", 0, "a{,3}", "a{,3}" }, /* no repetition: as it stands */
        { "x{", 0, "x{", "x{" },
        { "(?:ab)+", 0, "ababa", "abab" },
        { "(a*)*b", 0, "aab", "aab" },
        { "(|a)+", 0, "aa", "" },
        { "[0-9]", 0, "abc1", "1" },
        { "[^a-c]+", 0, "abcdefa", "def" },
        { "[]a]+", 0, "x]a]", "]a]" },
        { "[a-]+", 0, "x-a-", "-a-" },
        { "[\\w-]+", 0, "+a-1_", "a-1_" },
        { "[^\\s\\.,]+", 0, " .,ab c", "ab" },
        { "\\d+\\D\\s\\S\\w\\W", 0, "12x ab-", "12x ab-" },
        { "\\bcat\\b", 0, "concat cat", "cat" },
        { "\\Bcat", 0, "cat concat", "cat" },
        { "^b", 0, "a\nb", NULL },
        { "^b$", REGEX_LINES, "a\nb\nc", "b" },
        { "a$", 0, "a\n", NULL },
        { "FHIR", 0, "fhir", NULL },
        { "fhir|x[a-z]", REGEX_IGNORE_CASE, "XFHIR", "XF" },
        { "\xC3\x84+", REGEX_IGNORE_CASE, "\xC3\xA4\xC3\x84", "\xC3\xA4\xC3\x84" },
        { "^.$", 0, "\xF0\x9F\x94\xA5", "\xF0\x9F\x94\xA5" },
        { "[\xC3\xA0-\xC3\xBF]", 0, "e\xC3\xA9", "\xC3\xA9" },
        { "\\u00e9|\\x41", 0, "A", "A" },
        { "\\[x\\]\\/\\-\\@", 0, "[x]/-@", "[x]/-@" },
        { "(\\[x])?", 0, "[x]", "[x]" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct regex *regex;
        struct regex_match match;
        struct str text = str_z(cases[i].text);
        assert_int_equal(compile(cases[i].pattern, cases[i].flags, &regex), 0);
        int r = regex_find(regex, &work, text, 0, &match);
        assert_int_equal(r, cases[i].want ? 0 : REGEX_E_NONE);
        assert_int_equal(regex_find(regex, &work, text, 0, NULL), r);
        if (!r) {
            assert_str(str_slice(text, match.begin[0], match.end[0]), cases[i].want);
        }
    }
}

static void test_whole(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool want;
    } cases[] = {
        { "a|ab", "ab", true },
        { "Library", "FHIR Library", false },
        { ".*Library.*", "the Library\nthere", true },
        { "^Library$", "Library", true },
        { "[A-Za-z0-9\\-\\.]{1,64}", "a.b-c", true },
        { "[A-Za-z0-9\\-\\.]{1,64}", "", false },
        { "[A-Z]([A-Za-z0-9_]){0,254}", "Name_1", true },
        { "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?", "-12.50e+3", true },
        { "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?", "012", false },
        { "[^\\s]+(\\s[^\\s]+)*", "a b", true },
        { "[^\\s]+(\\s[^\\s]+)*", "a  b", false },
        { "[ \\r\\n\\t\\S]+", "a\tb\r\n", true },
        { "urn:oid:[0-2](\\.(0|[1-9][0-9]*))+", "urn:oid:1.2.03", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct regex *regex;
        assert_int_equal(compile(cases[i].pattern, 0, &regex), 0);
        int r = regex_whole(regex, &work, str_z(cases[i].text));
        assert_int_equal(r, cases[i].want ? 0 : REGEX_E_NONE);
    }
}

static void test_groups(void **state)
{
    const struct regex *regex;
    struct regex_match match;
    struct str text = STR("on 11/30/1972");
    (void)state;
    assert_int_equal(
        compile("\\b(?<month>\\d{1,2})/(?<day>\\d{1,2})(x)?/(\\d{2,4})\\b", 0, &regex), 0);
    assert_int_equal(regex_groups(regex), 5);
    assert_int_equal(regex_group(regex, STR("day")), 2);
    assert_int_equal(regex_group(regex, STR("year")), -1);
    assert_int_equal(regex_find(regex, &work, text, 0, &match), 0);
    assert_str(str_slice(text, match.begin[0], match.end[0]), "11/30/1972");
    assert_str(str_slice(text, match.begin[1], match.end[1]), "11");
    assert_str(str_slice(text, match.begin[2], match.end[2]), "30");
    assert_true(match.begin[3] == SIZE_MAX);
    assert_str(str_slice(text, match.begin[4], match.end[4]), "1972");
    assert_int_equal(regex_find(regex, &work, text, 4, &match), REGEX_E_NONE);
}

static void test_refused(void **state)
{
    static const struct {
        const char *pattern;
        int want;
    } cases[] = {
        { "(", REGEX_E_SYNTAX },
        { "a)", REGEX_E_SYNTAX },
        { "[a", REGEX_E_SYNTAX },
        { "[b-a]", REGEX_E_SYNTAX },
        { "*a", REGEX_E_SYNTAX },
        { "a**", REGEX_E_SYNTAX },
        { "a++", REGEX_E_SYNTAX },
        { "a{3,2}", REGEX_E_SYNTAX },
        { "\\", REGEX_E_SYNTAX },
        { "\\x4", REGEX_E_SYNTAX },
        { "(a)\\1", REGEX_E_SYNTAX },
        { "\\p{L}", REGEX_E_SYNTAX },
        { "(?=a)", REGEX_E_SYNTAX },
        { "(?<=a)", REGEX_E_SYNTAX },
        { "(?<1a>b)", REGEX_E_SYNTAX },
        { "(?<a", REGEX_E_SYNTAX },
        { "a{1001}", REGEX_E_LIMIT },
        { "(((a{1000}){1000}){1000}){1000}", REGEX_E_LIMIT },
        { "()()()()()()()()()()", REGEX_E_LIMIT },
    };
    const struct regex *regex;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(compile(cases[i].pattern, 0, &regex), cases[i].want);
    }
}

static void test_limits(void **state)
{
    char deep[REGEX_DEPTH_MAX * 4 + 8] = "";
    char long_one[REGEX_PATTERN_MAX + 2];
    const struct regex *regex;
    (void)state;
    for (int i = 0; i < REGEX_DEPTH_MAX; i++) {
        strcat(deep, "(?:");
    }
    for (int i = 0; i < REGEX_DEPTH_MAX; i++) {
        strcat(deep, ")");
    }
    assert_int_equal(compile(deep, 0, &regex), 0);
    char deeper[sizeof(deep) + 8];
    (void)snprintf(deeper, sizeof(deeper), "(?:%s)", deep);
    assert_int_equal(compile(deeper, 0, &regex), REGEX_E_LIMIT);

    memset(long_one, 'a', sizeof(long_one));
    struct str pattern = str_of(long_one, REGEX_PATTERN_MAX);
    assert_int_equal(regex_compile(arena, pattern, 0, &regex), 0);
    pattern.n++;
    assert_int_equal(regex_compile(arena, pattern, 0, &regex), REGEX_E_LIMIT);
}

/* What takes a backtracking engine longer than the universe lasts. */
static void test_time_is_bounded(void **state)
{
    enum {
        LENGTH = 20000,
    };
    const struct regex *regex;
    char *text = malloc(LENGTH);
    (void)state;
    memset(text, 'a', LENGTH);
    assert_int_equal(compile("(a+)+$|(a|aa)*b|(.*)*x", 0, &regex), 0);
    text[LENGTH - 1] = '!';
    assert_int_equal(regex_find(regex, &work, str_of(text, LENGTH), 0, NULL), REGEX_E_NONE);
    assert_int_equal(compile("((a?){900}){20}b", 0, &regex), REGEX_E_LIMIT);
    assert_int_equal(compile("(a?){900}(a?){900}b", 0, &regex), 0);
    assert_int_equal(regex_find(regex, &work, str_of(text, LENGTH), 0, NULL), REGEX_E_LIMIT);
    free(text);
}

static int set_up(void **state)
{
    int r = open_arena(state);
    work = (struct regex_work){ .arena = arena };
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_match), cmocka_unit_test(test_whole),
        cmocka_unit_test(test_groups),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_time_is_bounded),
    };
    return cmocka_run_group_tests_name("fhir/base/regex", tests, set_up, close_arena);
}
