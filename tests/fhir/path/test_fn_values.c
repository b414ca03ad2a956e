/* Functions on single values: conversions, Strings, mathematics, dates and times. */
#include "tests/fhir/path/expect.h"

static void test_conversions(void **state)
{
    static const struct expect cases[] = {
        { "'Yes'.toBoolean()", "true" },
        { "'0.0'.toBoolean()", "false" },
        { "1.0.toBoolean()", "true" },
        { "2.toBoolean()", "" },
        { "'maybe'.convertsToBoolean()", "false" },
        { "{}.convertsToBoolean()", "" },
        { "'+12'.toInteger()", "12" },
        { "'1.0'.toInteger()", "" },
        { "'2147483648'.toInteger()", "" },
        { "true.toInteger()", "1" },
        { "'1e3'.toDecimal()", "" },
        { "'-1.50'.toDecimal()", "-1.50" },
        { "true.toDecimal()", "1.0" },
        { "'4 days'.toQuantity()", "4 days" },
        { "'10 \\'mm[Hg]\\''.toQuantity()", "10 'mm[Hg]'" },
        { "'1 wk'.toQuantity()", "" },
        { "45.toQuantity()", "45 '1'" },
        { "52 'cm'.toQuantity('m')", "0.52 'm'" },
        { "45.toQuantity('m')", "" },
        { "1 'a'.toQuantity('d')", "365.25 'd'" },
        { "7 days.toQuantity('wk')", "1 'wk'" },
        { "182.5 days.toQuantity('a')", "0.5 'a'" },
        { "1 year.toQuantity('months')", "12 months" },
        { "'2015-02'.toDate()", "2015-02" },
        { "'2015-02-04T10:00'.toDate()", "" },
        { "@2024-01-15T23:30:00-05:00.toDate()", "2024-01-15" },
        { "@2015.toDateTime()", "2015" },
        { "@2015.toDateTime() is System.DateTime", "true" },
        { "'14:30'.toTime()", "14:30" },
        { "'25:00'.convertsToTime()", "false" },
        { "1.50.toString()", "1.50" },
        { "(1 'wk').toString()", "1 'wk'" },
        { "@T10:30.toString()", "10:30" },
        { "(1 | 2).toString()", "!9" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_strings(void **state)
{
    static const struct expect cases[] = {
        { "'a\xF0\x9F\x94\xA5"
          "b'.length()",
          "3" },
        { "'a\xF0\x9F\x94\xA5"
          "b'.indexOf('b')",
          "2" },
        { "'abc abc'.lastIndexOf('a')", "4" },
        { "'0123'.lastIndexOf('')", "4" },
        { "'abc'.lastIndexOf('x')", "-1" },
        { "'abcdefg'.substring(1, 2)", "bc" },
        { "'abcdefg'.substring(3, -1)", "" },
        { "'abcdefg'.substring(7, 1).empty()", "true" },
        { "'abcdefg'.substring(-1, 1).empty()", "true" },
        { "'abc'.substring(1, {})", "bc" },
        { "''.substring(0).empty()", "true" },
        { "'abc'.startsWith('ab') and 'abc'.endsWith('bc') and 'abc'.contains('b')", "true" },
        { "'abc'.startsWith({})", "" },
        { "'\xC3\xA4\xC3\x9F'.upper()", "\xC3\x84\xC3\x9F" },
        { "'\xC3\x84'.lower()", "\xC3\xA4" },
        { "'abc'.replace('', 'x')", "xaxbxcx" },
        { "'aaa'.replace('aa', 'b')", "ba" },
        { "'a\xF0\x9F\x94\xA5'.toChars()", "a | \xF0\x9F\x94\xA5" },
        { "' \\t a b\\n'.trim()", "a b" },
        { "'A,,C'.split(',')", "A |  | C" },
        { "'AB'.split('')", "A | B" },
        { "('A' | 'B').join()", "AB" },
        { "('A' | 'B').join(', ')", "A, B" },
        { "{}.join(',')", "" },
        { "(1 | 2).join()", "!9" },
        { "1.length()", "!3" },
        { "('a' | 'b').length()", "!13" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_patterns(void **state)
{
    static const struct expect cases[] = {
        { "'N8000123123'.matches('^N[0-9]{8}$')", "false" },
        { "'N8000123123'.matches('N[0-9]{8}')", "true" },
        { "'N8000123123'.matchesFull('N[0-9]{10}')", "true" },
        { "'first\\nsecond'.matches('^SECOND', 'im')", "true" },
        { "'first\\nsecond'.matches('^second', '')", "false" },
        { "'a'.matches('a', 'x')", "!5" },
        { "'a'.matches('(')", "!5" },
        { "'a'.matches('(?=a)')", "!5" },
        { "'11/30/1972'.replaceMatches('\\\\b(?<month>\\\\d{1,2})/(?<day>\\\\d{1,2})/(?<year>"
          "\\\\d{2,4})\\\\b', '${day}-${month}-${year}')",
          "30-11-1972" },
        { "'aaabaa'.replaceMatches('aa', '\"aa\"')", "\"aa\"ab\"aa\"" },
        { "'abb'.replaceMatches('b*', '-')", "a-" },
        { "'abc'.replaceMatches('(b)(x)?', '<$1$2$$>')", "a<b$>c" },
        { "'abc'.replaceMatches('b', '$7')", "ac" },
        { "('a' | 'b' | 'ab').where(matches('^a'))", "a | ab" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_encodings(void **state)
{
    static const struct expect cases[] = {
        { "'subjects?_d'.encode('urlbase64')", "c3ViamVjdHM_X2Q=" },
        { "'c3ViamVjdHM_X2Q='.decode('urlbase64')", "subjects?_d" },
        { "'test'.encode('hex').decode('hex')", "test" },
        { "'a\xC3\xA4'.encode('ascii')", "a?" },
        { "'7'.decode('hex')", "" },
        { "'ff'.decode('hex')", "" }, /* no text */
        { "'dGVzdA'.decode('base64')", "" },
        { "'a'.encode('rot13')", "!5" },
        { "'a'.encode({})", "" },
        { "'<a&\"\\'>'.escape('html')", "&lt;a&amp;&quot;&#39;&gt;" },
        { "'&lt;&#x26;&#65;&nothing;&'.unescape('html')", "<&A&nothing;&" },
        { "'a\"\\n\\\\'.escape('json')", "a\\\"\\n\\\\" },
        { "'a\\\\u0041\\\\n\\\\ud83d\\\\udd25'.unescape('json')", "aA\n\xF0\x9F\x94\xA5" },
        { "'\\\\q'.unescape('json')", "" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_mathematics(void **state)
{
    static const struct expect cases[] = {
        { "(-5.5 'mg').abs()", "5.5 'mg'" },
        { "(-1.1).ceiling()", "-1" },
        { "(-2.1).floor()", "-3" },
        { "(-1.56).truncate()", "-1" },
        { "2.5 'mg'.floor()", "2 'mg'" },
        { "99999999999.5.floor()", "" },
        { "0.5.round()", "1" },
        { "(-0.5).round()", "-1" },
        { "3.14159.round(3)", "3.142" },
        { "1.round(-1)", "!3" },
        { "0.exp()", "1" },
        { "100.0.log(10.0)", "2" },
        { "81.sqrt()", "9" },
        { "(-1).sqrt()", "" },
        { "0.ln()", "" },
        { "2.power(3)", "8" },
        { "2.power(-1)", "0.5" },
        { "2.5.power(2)", "6.25" },
        { "0.power(-1)", "" },
        { "10.power(99)", "" },
        { "4.power(0.5)", "2" },
        { "'a'.abs()", "!5" },
        { "1 'cm'.comparable(1 '[in_i]')", "true" },
        { "1 'cm'.comparable(1 's')", "false" },
        { "1 year.comparable(1 'a')", "false" },
        { "1.comparable(2)", "true" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_dates(void **state)
{
    static const struct expect cases[] = {
        { "now()", "2026-11-22T10:20:30.400Z" },
        { "today()", "2026-11-22" },
        { "timeOfDay()", "10:20:30.400" },
        { "today().yearOf() + today().monthOf() + today().dayOf()", "2059" },
        { "@2012.monthOf()", "" },
        { "@T10:30:40.002.hourOf()", "10" },
        { "now().minuteOf() + now().secondOf() + now().millisecondOf()", "450" },
        { "@2012-01-01T12:30:00-07:30.timezoneOffsetOf()", "-7.5" },
        { "@2012-01-01T12:30:00.timezoneOffsetOf()", "" },
        { "@2012-01-01T12:30:00.000-07:00.dateOf()", "2012-01-01" },
        { "@2012-01-01T12:30:00.000-07:00.timeOf()", "12:30:00.000" },
        { "@2012-01-01.timeOf()", "" },
        { "1.58700.precision()", "5" },
        { "@2014-01-05T10:30:00.000.precision()", "17" },
        { "@2014.lowBoundary()", "2014-01-01" },
        { "@2014.highBoundary()", "2014-12-31" },
        { "@2014.lowBoundary(17)", "" },
        { "@T10.highBoundary()", "10:59:59.999" },
        { "@2014T.lowBoundary()", "2014-01-01T00:00:00.000+14:00" },
        { "(-120).highBoundary(2)", "-119.50" },
        { "1.5 'cm'.lowBoundary(2)", "1.45 'cm'" },
        { "true.lowBoundary()", "!6" },
        { "@2025-01-02.duration(@2025-01-07, 'week')", "0" },
        { "@2024-12-01.duration(@2025-09-01, 'year')", "0" },
        { "@2024-12-01.difference(@2025-09-01, 'year')", "1" },
        { "@2025-01-02.difference(@2025-01-07, 'week')", "1" },
        { "@2024-01-31.duration(@2024-02-29, 'month')", "0" },
        { "@2024-03-31.duration(@2024-01-31, 'month')", "-2" },
        { "@2025-01-01T00:30:00+01:00.duration(@2025-01-01T00:30:00Z, 'minutes')", "60" },
        { "@T10:59.difference(@T11:01, 'hour')", "1" },
        { "@2025.duration(@2026-01-01, 'day')", "" },
        { "@T10.duration(@T11, 'day')", "!6" },
        { "@2025.duration(@2026, 'moon')", "!7" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversions), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_patterns),    cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_mathematics), cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests_name("fhir/path/fn_values", tests, NULL, NULL);
}
