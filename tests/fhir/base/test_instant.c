#include "fhir/base/instant.h"

#include "tests/check.h"

#define DAY INT64_C(86400000)

static void test_spans(void **state)
{
    static const struct {
        const char *text;
        int64_t from;
        int64_t until;
    } cases[] = {
        { "1970-01-01", 0, DAY },
        { "1970-01", 0, 31 * DAY },
        { "1970", 0, 365 * DAY },
        { "1969-12-31", -DAY, 0 },
        { "2000-02-29", 11016 * DAY, 11017 * DAY },
        { "2022-12-31", 19357 * DAY, 19358 * DAY },
        { "1970-01-02T00:00:00Z", DAY, DAY + 1000 },
        { "1970-01-02T00:00:00.5Z", DAY + 500, DAY + 600 },
        { "1970-01-02T00:00:00.123456Z", DAY + 123, DAY + 124 },
        { "1970-01-02T02:00:00+02:00", DAY, DAY + 1000 },
        { "1970-01-01T19:30:00-04:30", DAY, DAY + 1000 },
        { "1970-01-01T23:59:60Z", DAY - 1000, DAY },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct instant_span got;
        assert_true(instant_span(str_z(cases[i].text), &got));
        assert_int_equal(got.from, cases[i].from);
        assert_int_equal(got.until, cases[i].until);
    }
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "19",
        "2022-",
        "2022-13",
        "2022-00",
        "2022-02-30",
        "1900-02-29",
        "2022-12-31T",
        "2022-1-1",
        " 2022",
        "2022 ",
        "2022-12-31T10:00Z",
        "+2022",
        "0000",
        "2022-12-31T10:00:00",
        "2022-12-31T24:00:00Z",
        "2022-12-31T10:00:00.Z",
        "2022-12-31T10:00:00+15:00",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct instant_span got;
        assert_false(instant_span(str_z(cases[i]), &got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("fhir/base/instant", tests, NULL, NULL);
}
