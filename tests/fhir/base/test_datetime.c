/* Dates and times: precision is kept, and what can't be known isn't said. */
#include "tests/check.h"

#include "fhir/base/datetime.h"

enum {
    UNSURE = 9,
};

static struct datetime moment(const char *text)
{
    struct datetime t;
    bool clock = text[0] == 'T';
    assert_true(clock ? datetime_read_time(str_z(text + 1), &t)
                      : datetime_read(str_z(text), &t));
    return t;
}

static void assert_moment(struct datetime t, const char *want)
{
    char text[DATETIME_TEXT_SIZE];
    struct buf b = buf_fixed(text, sizeof(text));
    if (want[0] == 'T') {
        buf_c(&b, 'T');
        datetime_put_time(&b, &t);
    } else {
        datetime_put(&b, &t);
    }
    assert_str(buf_str(&b), want);
}

static void test_written_as_read(void **state)
{
    static const char *const cases[] = {
        "2022",
        "2022-12",
        "2022-12-31",
        "2022-12-31T23",
        "2022-12-31T23:59",
        "2022-12-31T23:59+14:00",
        "2022-12-31T23:59:58",
        "2022-12-31T23:59:58.120Z",
        "2022-12-31T23:59:58.123456789-04:30",
        "T07",
        "T07:30",
        "T07:30:00.0",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_moment(moment(cases[i]), cases[i]);
    }
    assert_moment(moment("2022-12-31T23:59:60+00:00"), "2022-12-31T23:59:59Z");
    assert_moment(moment("2022-12-31T10:00:00.1234567899Z"), "2022-12-31T10:00:00.123456789Z");
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "0000",
        "2022-02-29",
        "2022-12-31T",
        "2022-12-31T24:00",
        "2022-12-31T10:00:00.",
        "2022-12-31T10:00+1:00",
        "2022-12-31T10:00+15:00",
        "2022-12-31 10:00",
        "2022-12-31Z",
    };
    struct datetime t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_false(datetime_read(str_z(cases[i]), &t));
    }
    assert_false(datetime_read_time(STR("10:00Z"), &t));
    assert_false(datetime_read_time(STR("7:00"), &t));
}

static void test_order(void **state)
{
    static const struct {
        const char *a, *b;
        int want;
    } cases[] = {
        { "2022", "2022", 0 },
        { "2022", "2023-01", -1 },
        { "2022", "2022-12-31", UNSURE },
        { "2022-12-31T10:00:00", "2022-12-31T10:00:00.0", 0 },
        { "2022-12-31T10:00:00", "2022-12-31T10:00:00.1", -1 },
        { "2022-12-31T10:00", "2022-12-31T10:00:00", UNSURE },
        { "2022-12-31T15:00:00+02:00", "2022-12-31T16:00:00+03:00", 0 },
        { "2022-12-31T23:30:00-01:00", "2023-01-01T00:30:00Z", 0 },
        /* an unknown zone lies between -12:00 and +14:00 */
        { "2022-12-31T15:00:00Z", "2022-12-31T10:00:00", UNSURE },
        { "2022-12-31T15:00:00Z", "2022-12-30T10:00:00", 1 },
        { "2022-12-31T15:00:00", "2022-12-29T10:00:00Z", 1 },
        /* a date alone has no zone */
        { "2022-12-31", "2022-12-31T10:00:00Z", UNSURE },
        { "2022-12-30", "2022-12-31T00:00:00Z", -1 },
        { "T10:30", "T10:30:00", UNSURE },
        { "T10:30", "T11", -1 },
        { "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z",
          0 }, /* no year before the first */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datetime a = moment(cases[i].a);
        struct datetime b = moment(cases[i].b);
        int order = UNSURE;
        int r = datetime_compare(&a, &b, &order);
        assert_int_equal(r, cases[i].want == UNSURE ? DATETIME_E_UNSURE : 0);
        assert_int_equal(order, cases[i].want);
        r = datetime_compare(&b, &a, &order);
        assert_int_equal(r, cases[i].want == UNSURE ? DATETIME_E_UNSURE : 0);
        assert_int_equal(order, r ? UNSURE : -cases[i].want);
    }
}

static void test_months(void **state)
{
    static const struct {
        const char *from;
        int64_t months;
        const char *want; /* NULL: no such year */
    } cases[] = {
        { "2026-01-31", 1, "2026-02-28" },  { "2024-02-29", 12, "2025-02-28" },
        { "2024-03-31", -1, "2024-02-29" }, { "2019-03-01", -24, "2017-03-01" },
        { "0001-01-01", -1, NULL },         { "9999-12-31", 1, NULL },
        { "2024-01-01", INT64_MAX, NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datetime t = moment(cases[i].from);
        assert_int_equal(datetime_add_months(&t, cases[i].months), cases[i].want != NULL);
        assert_moment(t, cases[i].want ? cases[i].want : cases[i].from);
    }
}

static void test_seconds(void **state)
{
    static const struct {
        const char *from;
        int64_t seconds, nanoseconds;
        const char *want;
    } cases[] = {
        { "1973-12-25T00:00:00.000+10:00", 7 * 86400, 0, "1974-01-01T00:00:00.000+10:00" },
        { "1973-12-25T00:00:00.000Z", 0, 10000000, "1973-12-25T00:00:00.010Z" },
        { "1973-12-25T00:00:00.000Z", 0, -1000000, "1973-12-24T23:59:59.999Z" },
        { "1900-03-01T00:00:00Z", -1, 0, "1900-02-28T23:59:59Z" },
        { "2000-03-01T00:00:00Z", -1, 0, "2000-02-29T23:59:59Z" },
        { "0001-01-01T00:00:00Z", -1, 0, NULL },
        { "9999-12-31T23:59:59Z", 1, 0, NULL },
        { "2000-01-01T00:00:00Z", INT64_MAX, 0, NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datetime t = moment(cases[i].from);
        bool fits = datetime_add_seconds(&t, cases[i].seconds, cases[i].nanoseconds);
        assert_int_equal(fits, cases[i].want != NULL);
        assert_moment(t, cases[i].want ? cases[i].want : cases[i].from);
    }
}

static void test_time_of_day_turns(void **state)
{
    struct datetime t = moment("T00:30:00.5");
    (void)state;
    datetime_turn(&t, -3600, 0);
    assert_moment(t, "T23:30:00.5");
    datetime_turn(&t, INT64_C(86400) * 1000 + 1800, 500000000);
    assert_moment(t, "T00:00:01.0");
    datetime_turn(&t, 0, -1100000000);
    assert_moment(t, "T23:59:59.9");
}

static void test_days_both_ways(void **state)
{
    static const int64_t days[] = { 0, -1, 11016, -719162, 2932896 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(days); i++) {
        struct datetime t;
        assert_true(datetime_of(days[i] * DATETIME_SECONDS_OF_DAY, 0, 0, 0, &t));
        assert_int_equal(datetime_days(t.year, t.month, t.day), days[i]);
    }
    struct datetime t;
    assert_true(datetime_of(0, 5000000, 3, 90, &t));
    assert_moment(t, "1970-01-01T01:30:00.005+01:30");
    assert_false(datetime_of(INT64_MAX, 0, 0, 0, &t));
}

static void test_first_and_last_moment(void **state)
{
    static const struct {
        const char *in;
        enum datetime_precision precision;
        int digits;
        const char *first, *last;
    } cases[] = {
        { "2024", DATETIME_MONTH, 0, "2024-01", "2024-12" },
        { "2024-02", DATETIME_DAY, 0, "2024-02-01", "2024-02-29" },
        { "2014-01-01T08", DATETIME_SECOND, 3, "2014-01-01T08:00:00.000+14:00",
          "2014-01-01T08:59:59.999-12:00" },
        { "2014-01-01T08:05+08:00", DATETIME_SECOND, 3, "2014-01-01T08:05:00.000+08:00",
          "2014-01-01T08:05:59.999+08:00" },
        { "2014-01-01T08:05:01.5Z", DATETIME_SECOND, 3, "2014-01-01T08:05:01.500Z",
          "2014-01-01T08:05:01.599Z" },
        { "2014-01-01T08", DATETIME_DAY, 0, "2014-01-01", "2014-01-01" },
        { "2014-01-01T08:05:01.5Z", DATETIME_SECOND, 0, "2014-01-01T08:05:01Z",
          "2014-01-01T08:05:01Z" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datetime t = moment(cases[i].in);
        assert_moment(datetime_first(t, cases[i].precision, cases[i].digits), cases[i].first);
        assert_moment(datetime_last(t, cases[i].precision, cases[i].digits), cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_as_read), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_order),           cmocka_unit_test(test_months),
        cmocka_unit_test(test_seconds),         cmocka_unit_test(test_time_of_day_turns),
        cmocka_unit_test(test_days_both_ways),  cmocka_unit_test(test_first_and_last_moment),
    };
    return cmocka_run_group_tests_name("fhir/base/datetime", tests, NULL, NULL);
}
