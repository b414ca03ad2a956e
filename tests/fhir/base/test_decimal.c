/* Decimals: nothing is rounded that fits, and digits after the point are kept. */
#include "tests/check.h"

#include "fhir/base/decimal.h"

#define DIGITS_37 "1234567890123456789012345678901234567"

static struct decimal number(const char *text)
{
    struct decimal d;
    assert_true(decimal_read(str_z(text), &d));
    return d;
}

static void assert_decimal(struct decimal d, const char *want)
{
    char text[DECIMAL_TEXT_SIZE];
    struct buf b = buf_fixed(text, sizeof(text));
    decimal_put(&b, &d);
    assert_false(buf_failed(&b));
    assert_str(buf_str(&b), want);
}

static void test_text(void **state)
{
    static const struct {
        const char *in, *want; /* NULL: no decimal */
    } cases[] = {
        { "0", "0" },
        { "-0.0", "-0.0" },
        { "1.10", "1.10" },
        { "+5", "5" },
        { "007", "7" },
        { "1e3", "1000" },
        { "1.5E-3", "0.0015" },
        { "1.25e1", "12.5" },
        { "0e999", "0" },
        { "0e-999", "0.0000000000000000000000000000000000000" },
        { "1000e-38", "0.00000000000000000000000000000000001"
                      "00" },
        { DIGITS_37, DIGITS_37 },
        { "-0." DIGITS_37, "-0." DIGITS_37 },
        { "1" DIGITS_37, NULL },
        { "1e-38", NULL },
        { "1e37", NULL },
        { "1e1000", NULL },
        { "", NULL },
        { "-", NULL },
        { ".5", NULL },
        { "5.", NULL },
        { "1e", NULL },
        { "1e+", NULL },
        { "1 ", NULL },
        { "--1", NULL },
        { "1.2.3", NULL },
        { "NaN", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d;
        bool read = decimal_read(str_z(cases[i].in), &d);
        assert_int_equal(read, cases[i].want != NULL);
        if (read) {
            assert_decimal(d, cases[i].want);
        }
    }
}

static void test_order(void **state)
{
    static const struct {
        const char *a, *b;
        int want;
    } cases[] = {
        { "1.10", "1.1", 0 },
        { "0", "-0.00", 0 },
        { "-1", "1", -1 },
        { "-2", "-1", -1 },
        { "0.1", "0.09999999999999999999999999999999999", 1 },
        { DIGITS_37, "0." DIGITS_37, 1 },
        { "0." DIGITS_37, DIGITS_37, -1 },
        { "-" DIGITS_37, "-0." DIGITS_37, -1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal a = number(cases[i].a);
        struct decimal b = number(cases[i].b);
        assert_int_equal(decimal_compare(&a, &b), cases[i].want);
        assert_int_equal(decimal_compare(&b, &a), -cases[i].want);
    }
}

static void test_arithmetic(void **state)
{
    static const struct {
        const char *a;
        char what;
        const char *b, *want; /* NULL: doesn't fit */
    } cases[] = {
        { "1.2", '+', "1.8", "3.0" },
        { "1.8", '-', "1.2", "0.6" },
        { "1", '-', "3.50", "-2.50" },
        { "-1", '+', "-2", "-3" },
        { "9e36", '+', "9e36", NULL },
        { "1e36", '+', "0.125", "1000000000000000000000000000000000000" },
        { "1.2", '*', "1.8", "2.16" },
        { "-0.5", '*', "0.5", "-0.25" },
        { "1e20", '*', "1e20", NULL },
        { "1.000000000000000000001", '*', "1.000000000000000000001",
          "1.000000000000000000002000000000000000" },
        { "99999999999999999999", '*', "0.00000000000000000001", "0.99999999999999999999" },
        { "1", '/', "2", "0.5" },
        { "4.0", '/', "2.0", "2" },
        { "10", '/', "0.004", "2500" },
        { "1", '/', "3", "0.3333333333333333333333333333" },
        { "2", '/', "3", "0.6666666666666666666666666667" },
        { "1", '/', "0.0", NULL },
        { "1e36", '/', "0.01", NULL },
        { "5", 'q', "2", "2" },
        { "-5", 'q', "2", "-2" },
        { "2.2", 'q', "1.8", "1" },
        { "2.2", 'r', "1.8", "0.4" },
        { "-5.5", 'r', "0.7", "-0.6" },
        { "5", 'r', "0", NULL },
        { "1e36", 'r', "1e-30", NULL }, /* the divisor would be rounded away */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal a = number(cases[i].a);
        struct decimal b = number(cases[i].b);
        struct decimal got;
        bool fits = false;
        switch (cases[i].what) {
        case '+': fits = decimal_add(&a, &b, &got); break;
        case '-': fits = decimal_subtract(&a, &b, &got); break;
        case '*': fits = decimal_multiply(&a, &b, &got); break;
        case '/': fits = decimal_divide(&a, &b, &got); break;
        case 'q': fits = decimal_divide_whole(&a, &b, &got, NULL); break;
        default: fits = decimal_divide_whole(&a, &b, NULL, &got); break;
        }
        assert_int_equal(fits, cases[i].want != NULL);
        if (fits) {
            assert_decimal(got, cases[i].want);
        }
    }
}

static void test_rounding(void **state)
{
    static const struct {
        const char *in;
        int scale;
        const char *nearest, *down, *up, *cut;
    } cases[] = {
        { "1.25", 1, "1.3", "1.2", "1.3", "1.2" },
        { "-1.25", 1, "-1.3", "-1.3", "-1.2", "-1.2" },
        { "1.1", 0, "1", "1", "2", "1" },
        { "0.5", 0, "1", "0", "1", "0" },
        { "-0.04", 1, "-0.0", "-0.1", "-0.0", "-0.0" },
        { "9.99", 1, "10.0", "9.9", "10.0", "9.9" },
        { "7", 3, "7", "7", "7", "7" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d = number(cases[i].in);
        assert_decimal(decimal_round(d, cases[i].scale, DECIMAL_NEAREST), cases[i].nearest);
        assert_decimal(decimal_round(d, cases[i].scale, DECIMAL_DOWN), cases[i].down);
        assert_decimal(decimal_round(d, cases[i].scale, DECIMAL_UP), cases[i].up);
        assert_decimal(decimal_round(d, cases[i].scale, DECIMAL_CUT), cases[i].cut);
    }
}

static void test_digits_after_the_point(void **state)
{
    (void)state;
    assert_decimal(decimal_pad(number("1.5"), 4), "1.5000");
    assert_decimal(decimal_pad(number(DIGITS_37), 4), DIGITS_37);
    assert_decimal(decimal_trim(number("1.500")), "1.5");
    assert_decimal(decimal_trim(number("100")), "100");
}

static void test_powers_of_ten(void **state)
{
    static const struct {
        const char *in;
        int by;
        const char *want; /* NULL: doesn't fit */
    } cases[] = {
        { "1.5", 3, "1500" },
        { "1500", -3, "1.500" },
        { "-15", -37, "-0.0000000000000000000000000000000000015" },
        { "15", -38, "0.0000000000000000000000000000000000002" },
        { "15", -99, "0.0000000000000000000000000000000000000" },
        { "1", 37, NULL },
        { "0", 99, "0" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d = number(cases[i].in);
        assert_int_equal(decimal_shift(&d, cases[i].by, &d), cases[i].want != NULL);
        assert_decimal(d, cases[i].want ? cases[i].want : cases[i].in);
    }
    struct decimal d = number("-120.50");
    assert_int_equal(decimal_normalise(&d), -1);
    assert_decimal(d, "-1205");
    d = number("3000");
    assert_int_equal(decimal_normalise(&d), 3);
    assert_decimal(d, "3");
}

static void test_whole_numbers(void **state)
{
    static const struct {
        const char *in;
        bool whole;
        int64_t want;
    } cases[] = {
        { "12.00", true, 12 },
        { "-9223372036854775807", true, -INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "1.5", false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d = number(cases[i].in);
        int64_t got = 0;
        assert_int_equal(decimal_integer(&d, &got), cases[i].whole);
        assert_int_equal(got, cases[i].want);
    }
    assert_decimal(decimal_of(INT64_MIN), "-9223372036854775808");
}

static void test_binary_fractions(void **state)
{
    struct decimal d = number("6.25");
    (void)state;
    assert_true(decimal_double(&d) == 6.25);
    assert_true(decimal_from_double(0.1 + 0.2, &d));
    assert_decimal(d, "0.3");
    assert_true(decimal_from_double(1e-20, &d));
    assert_decimal(d, "0.00000000000000000001");
    assert_false(decimal_from_double(1e300, &d));
    assert_false(decimal_from_double(0.0 / 0.0 * 1.0, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_digits_after_the_point),
        cmocka_unit_test(test_powers_of_ten),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_binary_fractions),
    };
    return cmocka_run_group_tests_name("fhir/base/decimal", tests, NULL, NULL);
}
