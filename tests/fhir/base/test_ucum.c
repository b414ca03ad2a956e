/* Units: factors are exact, what can't be compared isn't. */
#include "tests/check.h"

#include "fhir/base/ucum.h"
#include "fhir/base/ucum_table.h"

static void test_conversion(void **state)
{
    static const struct {
        const char *value, *from, *to, *want; /* NULL: not commensurable */
    } cases[] = {
        { "4040", "mg", "g", "4.04" },
        { "1", "[lb_av]", "kg", "0.45359237" },
        { "1", "[in_i]", "cm", "2.54" },
        { "5.5", "mmol/L", "umol/mL", "5.5" },
        { "7", "10*3/uL", "10*9/L", "7" },
        { "7", "10^3/uL", "/nL", "7" },
        { "120", "mm[Hg]", "kPa", "15.99864" },
        { "1", "U/L", "nkat/L", "16.666666666666666666666666667" },
        { "37", "Cel", "[degF]", "98.6" },
        { "98.6", "[degF]", "Cel", "37" },
        { "0", "Cel", "K", "273.15" },
        { "-5", "[degF]", "[degF]", "-5" },
        { "72", "{beats}/min", "Hz", "1.2" },
        { "1", "km/h", "m/min", "16.666666666666666666666666667" },
        { "1", "wk", "d", "7" },
        { "1", "a", "d", "365.25" },
        { "1", "mo", "d", "30.4375" },
        { "90", "%", "1", "0.9" },
        { "1", "kg.m/s2", "N", "1" },
        { "1", "kg.m.s-2", "N", "1" },
        { "1", "J/(kg.K)", "J.kg-1.K-1", "1" },
        { "1", "m/(s/(m))", "m2.s-1", "1" },
        { "3", "k[IU]/L", "[iU]/mL", "3" },
        { "1", "dL", "mL", "100" },
        { "1", "daL", "L", "10" },
        { "1", "KiBy", "bit", "8192" },
        { "1", "fg3", "ag3", "1000000000" },
        { "180", "deg", "[pi].rad", "1" },
        { "1", "mg/mg{creat}", "%", "100" },
        { "1", "cm", "s", NULL },
        { "1", "cm", "cm2", NULL },
        { "1", "[iU]", "g", NULL },
        { "1", "[iU]", "[arb'U]", NULL },
        { "7.4", "[pH]", "mol/L", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ucum from;
        struct ucum to;
        struct decimal value;
        assert_true(ucum_read(str_z(cases[i].from), &from));
        assert_true(ucum_read(str_z(cases[i].to), &to));
        assert_true(decimal_read(str_z(cases[i].value), &value));
        bool fits = ucum_convert(&value, &from, &to, &value);
        assert_int_equal(fits, cases[i].want != NULL);
        assert_int_equal(ucum_commensurable(&from, &to), fits);
        if (fits) {
            struct decimal want;
            assert_true(decimal_read(str_z(cases[i].want), &want));
            value = decimal_round(value, 27, DECIMAL_NEAREST);
            assert_int_equal(decimal_compare(&value, &want), 0);
        }
    }
}

static void test_larger_unit(void **state)
{
    static const struct {
        const char *a, *b;
        int want;
    } cases[] = {
        { "mm", "cm", -1 }, { "[in_i]", "cm", 1 }, { "m/s", "km/h", 1 },
        { "L", "dm3", 0 },  { "ym", "Ym", -1 },    { "10*30", "1", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ucum a;
        struct ucum b;
        assert_true(ucum_read(str_z(cases[i].a), &a));
        assert_true(ucum_read(str_z(cases[i].b), &b));
        assert_int_equal(ucum_compare(&a, &b), cases[i].want);
        assert_int_equal(ucum_compare(&b, &a), -cases[i].want);
    }
}

static void test_no_code(void **state)
{
    static const char *const cases[] = {
        "",
        "days",
        "[s]",
        "mmin",
        "kCel",
        "Cel/min",
        "Cel2",
        "m//s",
        "m.",
        "(m",
        "m)",
        "m{",
        "m s",
        "2x",
        "m100",
        "0",
        "((((((((( m",
        "m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m",
        "[iU].[arb'U]",
    };
    char long_one[UCUM_CODE_MAX + 1];
    struct ucum unit;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_false(ucum_read(str_z(cases[i]), &unit));
    }
    memset(long_one, '{', sizeof(long_one));
    long_one[UCUM_CODE_MAX - 1] = '}';
    assert_true(ucum_read(str_of(long_one, UCUM_CODE_MAX), &unit));
    long_one[UCUM_CODE_MAX] = '}';
    assert_false(ucum_read(str_of(long_one, UCUM_CODE_MAX + 1), &unit));
}

static void test_codes_of_products(void **state)
{
    static const struct {
        const char *a, *b;
        bool divide;
        const char *want; /* NULL: none */
    } cases[] = {
        { "cm", "m", false, "cm.m" },
        { "cm", "cm", false, "cm2" },
        { "cm", "cm2", false, "cm3" },
        { "cm2", "cm", true, "cm" },
        { "m/s", "s", false, "m" },
        { "g", "m", true, "g/m" },
        { "m", "m", true, "1" },
        { "1", "s", true, "/s" },
        { "m", "1", false, "m" },
        { "mg", "kg.d", true, "mg/kg/d" },
        { "J/(kg.K)", "K2", true, "J/kg/K3" },
        { "10*3/uL", "10*3", true, "/uL" },
        { "Cel", "m", false, NULL },
        { "m", "days", false, NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[64];
        struct buf b = buf_fixed(text, sizeof(text));
        bool there = ucum_product(str_z(cases[i].a), str_z(cases[i].b), cases[i].divide, &b);
        assert_int_equal(there, cases[i].want != NULL);
        assert_str(buf_str(&b), cases[i].want ? cases[i].want : "");
    }
}

/* The table is sorted, and each of its definitions leads to base units. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ucum_rows_n; i++) {
        struct ucum unit;
        assert_true(i == 0 || strcmp(ucum_rows[i - 1].code, ucum_rows[i].code) < 0);
        if (!ucum_read(str_z(ucum_rows[i].code), &unit)) {
            fail_msg("%s", ucum_rows[i].code);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversion), cmocka_unit_test(test_larger_unit),
        cmocka_unit_test(test_no_code),    cmocka_unit_test(test_codes_of_products),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests_name("fhir/base/ucum", tests, NULL, NULL);
}
