#include "tests/check.h"

#include "fhir/v2/timestamp.h"

static void test_read(void **state)
{
    static const struct {
        const char *text;
        enum v2_precision precision;
        int month, day, hour, minute, second;
        const char *fraction;
        int offset; /* 1: none */
    } cases[] = {
        { "2026", V2_YEAR, 1, 1, 0, 0, 0, "", 1 },
        { "202602", V2_MONTH, 2, 1, 0, 0, 0, "", 1 },
        { "20260228", V2_DAY, 2, 28, 0, 0, 0, "", 1 },
        { "20240229", V2_DAY, 2, 29, 0, 0, 0, "", 1 },
        { "2026022823", V2_HOUR, 2, 28, 23, 0, 0, "", 1 },
        { "202602282359", V2_MINUTE, 2, 28, 23, 59, 0, "", 1 },
        { "20260228235960", V2_SECOND, 2, 28, 23, 59, 60, "", 1 },
        { "20260228235901.1234", V2_FRACTION, 2, 28, 23, 59, 1, "1234", 1 },
        { "20260228235901.1+0530", V2_FRACTION, 2, 28, 23, 59, 1, "1", 330 },
        { "202602282359-0800", V2_MINUTE, 2, 28, 23, 59, 0, "", -480 },
        { "20260000", V2_YEAR, 1, 1, 0, 0, 0, "", 1 },
        { "20260200000000", V2_MONTH, 2, 1, 0, 0, 0, "", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_timestamp t;
        assert_int_equal(v2_timestamp_read(str_z(cases[i].text), &t), 0);
        assert_int_equal(t.precision, cases[i].precision);
        assert_true(t.year == 2026 || t.year == 2024);
        assert_int_equal(t.month, cases[i].month);
        assert_int_equal(t.day, cases[i].day);
        assert_int_equal(t.hour, cases[i].hour);
        assert_int_equal(t.minute, cases[i].minute);
        assert_int_equal(t.second, cases[i].second);
        assert_str(t.fraction, cases[i].fraction);
        assert_int_equal(t.has_offset, cases[i].offset != 1);
        assert_int_equal(t.offset, t.has_offset ? cases[i].offset : 0);
    }
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "26",
        "0000",
        "20261301",
        "20260230",
        "20250229",
        "2026010124",
        "202601012360",
        "20260101235961",
        "202601011200.5",
        "20260101 12",
        "2026-01-01",
        "20260101120000.",
        "20260101120000.1234567890",
        "20260101120000Z",
        "202601011200+25",
        "202601011200+2500",
        "202601011200+0075",
        "20260012",
        "x",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_timestamp t;
        if (v2_timestamp_read(str_z(cases[i]), &t) != V2_TIMESTAMP_E_FORM) {
            print_error("%s was taken\n", cases[i]);
            fail();
        }
    }
}

static void test_times_of_day(void **state)
{
    (void)state;
    struct v2_timestamp t;
    assert_int_equal(v2_time_read(STR("1112"), &t), 0);
    assert_int_equal(t.precision, V2_MINUTE);
    assert_int_equal(t.hour * 60 + t.minute, 11 * 60 + 12);
    assert_int_equal(v2_time_read(STR("111213.5+0100"), &t), 0);
    assert_str(t.fraction, "5");
    assert_int_equal(t.offset, 60);
    assert_int_equal(v2_time_read(STR("25"), &t), V2_TIMESTAMP_E_FORM);
    assert_int_equal(v2_time_read(STR(""), &t), V2_TIMESTAMP_E_FORM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_times_of_day),
    };
    return cmocka_run_group_tests_name("fhir/v2/timestamp", tests, NULL, NULL);
}
