/* Case of characters: both ways where there is a pair, unchanged where there is none. */
#include "fhir/base/fold.h"
#include "tests/check.h"

static void test_pairs(void **state)
{
    static const uint32_t pairs[][2] = {
        { 'A', 'a' },     { 'Z', 'z' },     { 0xC4, 0xE4 },           { 0xD8, 0xF8 },
        { 0x100, 0x101 }, { 0x139, 0x13A }, { 0x178, 0xFF },          { 0x17D, 0x17E },
        { 0x386, 0x3AC }, { 0x391, 0x3B1 }, { 0x401, 0x451 },         { 0x410, 0x430 },
        { 0x490, 0x491 }, { 0x531, 0x561 }, { 0x1E9E - 0xA, 0x1E95 }, { 0x1EA0, 0x1EA1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_int_equal(fold_lower(pairs[i][0]), pairs[i][1]);
        assert_int_equal(fold_lower(pairs[i][1]), pairs[i][1]);
        assert_int_equal(fold_upper(pairs[i][1]), pairs[i][0]);
        assert_int_equal(fold_upper(pairs[i][0]), pairs[i][0]);
    }
}

static void test_without_case(void **state)
{
    static const uint32_t points[] = {
        '0', '@', '[', '`', '{', 0xD7, 0xF7, 0xDF, 0x131, 0x4E00
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        assert_int_equal(fold_lower(points[i]), points[i]);
        assert_int_equal(fold_upper(points[i]), points[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_without_case),
    };
    return cmocka_run_group_tests_name("fhir/base/fold", tests, NULL, NULL);
}
