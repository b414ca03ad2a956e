/* Operators: missing values, three-valued logic, units, dates. */
#include "tests/fhir/path/expect.h"

static void test_logic(void **state)
{
    static const struct expect cases[] = {
        { "true and {}", "" },
        { "{} and false", "false" },
        { "{} or true", "true" },
        { "{} xor true", "" },
        { "{} implies false", "" },
        { "{} implies true", "true" },
        { "false implies {}", "true" },
        { "'a' and 1", "true" }, /* one item that is no Boolean is true */
        { "(1 | 2) and true", "!9" },
        { "false and (1 | 2)", "false" },
        { "true or (1 | 2)", "true" },
        { "false implies (1 | 2)", "true" },
        { "{}.not()", "" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_equality(void **state)
{
    static const struct expect cases[] = {
        { "{} = 1", "" },
        { "1 = 1.0", "true" },
        { "1 = '1'", "false" },
        { "(1 | 2) = 1", "false" },
        { "(1 | @2012) = (1 | @2012-01)", "" },
        { "(2 | @2012) = (1 | @2012-01)", "false" },
        { "{} ~ {}", "true" },
        { "1 ~ {}", "false" },
        { "(1 | 2 | 3) ~ (3 | 1 | 2)", "true" },
        { "1.combine(1).combine(2) ~ 1.combine(2).combine(2)", "false" },
        { "'A b' ~ 'a\\tB'", "true" },
        { "'a  b' ~ 'a b'", "false" },
        { "'\\u00C4' ~ '\\u00E4'", "true" },
        { "0.67 ~ 2 / 3", "true" },
        { "@2012-01 ~ @2012", "false" },
        { "@T10:30 = @T10:30:00", "" },
        { "@2012 = @T10", "false" },
        { "true ~ true", "true" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_units(void **state)
{
    static const struct expect cases[] = {
        { "1 'cm' = 10.0 'mm'", "true" },
        { "1 'cm' = 1 's'", "" },
        { "1 'foo' = 1 'foo'", "true" },
        { "1 'foo' = 1 'bar'", "" },
        { "23 = 23 '1'", "true" },
        { "23 'Cel' = 73.4 '[degF]'", "true" },
        { "1 year = 12 months", "true" },
        { "1 year = 1 'a'", "" },
        { "1 year ~ 1 'a'", "true" },
        { "1 year ~ 11 months", "true" },
        { "1 year = 365 days", "true" },
        { "1 week = 7 'd'", "true" },
        { "1 hour = 3600 's'", "true" },
        { "6 months > 1 year", "false" },
        { "10 seconds > 1 's'", "true" },
        { "1 year > 1 'a'", "" },
        { "21 'mm' ~ 2 'cm'", "true" },
        { "1 '[in_i]' ~ 2.5 'cm'", "true" },
        { "3 'm' + 3 'cm'", "303 'cm'" },
        { "3 'cm' - 3 'm'", "-297 'cm'" },
        { "2 + 2 'cm'", "" },
        { "2 + 2 '1'", "4 '1'" },
        { "60 's' + 2 minutes", "180 seconds" },
        { "1 year + 12 months", "" },
        { "3 'd' + 1 'wk'", "10 'd'" },
        { "12 'cm' * 3 'cm'", "36 'cm2'" },
        { "3 * 2 'cm'", "6 'cm'" },
        { "12 days * 45 'm'", "" },
        { "2 * 3 days", "6 days" },
        { "120 'm' / 60 's'", "2 'm/s'" },
        { "60 / 1 's'", "60 '/s'" },
        { "1 'm' / 0 's'", "" },
        { "-(5 'mg')", "-5 'mg'" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_arithmetic(void **state)
{
    static const struct expect cases[] = {
        { "0.1 + 0.2", "0.3" },
        { "2147483647 + 1", "" },
        { "-2147483647 - 2", "" },
        { "65536 * 65536", "" },
        { "1 / 3", "0.3333333333333333333333333333" },
        { "5.5 div 0.7", "7" },
        { "5.5 mod 0.7", "0.6" },
        { "-5 mod 2", "-1" },
        { "1 / 0", "" },
        { "1 div 0", "" },
        { "1 + {}", "" },
        { "'a' + 'b'", "ab" },
        { "'a' & {} & 'b'", "ab" },
        { "'a' + 1", "!5" },
        { "1 & 'a'", "!3" },
        { "(1 | 2) + 1", "!9" },
        { "-'a'", "!1" },
        { "+true", "!1" },
        { "-{}", "" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_dates(void **state)
{
    static const struct expect cases[] = {
        { "@1973-12-25 + 7.9 days", "1974-01-01" },
        { "@2026-01-31 + 1 month", "2026-02-28" },
        { "@2014 + 24 months", "2016" },
        { "@2014 + 23 months", "2015" },
        { "@2016 + 365 days", "2017" },
        { "@2026-02 + 5 weeks", "2026-03" },
        { "@2026-02 - 1 day", "2026-02" },
        { "@T23:30:00 + 1 hour", "00:30:00" },
        { "@T00:30:00 - 1 hour", "23:30:00" },
        { "@T01:00:00 + 48 hours", "01:00:00" },
        { "@1973-12-25T00:00:00.000+10:00 + 42.53 seconds", "1973-12-25T00:00:42.530+10:00" },
        { "@1973-12-25T00:00:00Z + 10 'ms'", "1973-12-25T00:00:00.01Z" },
        { "@2014 + 1 'a'", "!7" },
        { "@2014 + 1 'mo'", "!7" },
        { "@2014 + 1 'cm'", "!7" },
        { "@T10 + 1 day", "!6" },
        { "@2014 + 1", "!7" },
        { "@9999-12-31 + 1 day", "!13" },
        { "@2014 + 99999999999999999999.0 years", "!7" },
        { "@2014-01-01 < @2014-01-02T00:00:00Z", "true" },
        { "@2014 < 'a'", "!7" },
        { "@2014-01-01T10:00:00Z < @2014-01-01T10:00:00", "" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

static void test_collections(void **state)
{
    static const struct expect cases[] = {
        { "1 | 2 | 1.0 | {} | 1 '1'", "1 | 2" },
        { "1 'm' | 100 'cm'", "1 'm'" },
        { "(1|2|3|4|5|6|7|8|9|10|11|12|13|1.0|13 '1'|'1'|'2'|'1').count()", "15" },
        { "{} in (1 | 2)", "" },
        { "1 in {}", "false" },
        { "(1 | 2) in (1 | 2)", "!9" },
        { "(1 | 2) contains 2", "true" },
        { "{} contains 1", "false" },
        { "1 contains {}", "" },
        { "(1 | 2)[1]", "2" },
        { "(1 | 2)[2]", "" },
        { "(1 | 2)[-1]", "" },
        { "(1 | 2)[{}]", "" },
        { "(1 | 2)['a']", "!8" },
    };
    (void)state;
    EXPECT_ALL(cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logic), cmocka_unit_test(test_equality),
        cmocka_unit_test(test_units), cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_dates), cmocka_unit_test(test_collections),
    };
    return cmocka_run_group_tests_name("fhir/path/operators", tests, NULL, NULL);
}
