#include "tests/check.h"

#include "crypto/base/hex.h"

#include <errno.h>

static void test_digits_of_both_cases(void **state)
{
    (void)state;
    uint8_t got[4];
    assert_int_equal(hex_decode(STR("00fFA9b8"), got, 4), 0);
    assert_hex(got, 4, "00ffa9b8");
    assert_int_equal(hex_decode_0x(STR("0x00fFA9b8"), got, 4), 0);
    assert_hex(got, 4, "00ffa9b8");
    assert_int_equal(hex_decode(STR(""), got, 0), 0);
}

static void test_anything_else_is_refused(void **state)
{
    static const char *const cases[] = { "",
                                         "0",
                                         "000000",
                                         "0000000000",
                                         "0000000",
                                         "000000000",
                                         "0000000g",
                                         "g0000000",
                                         "0000 000",
                                         "0x000000",
                                         "-0000000",
                                         "0000000\x80",
                                         "00:00:00",
                                         ("\x10"
                                          "0000000"),
                                         "0000000`" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t got[4];
        assert_int_equal(hex_decode(str_z(cases[i]), got, 4), -EINVAL);
    }
    uint8_t got[4];
    assert_int_equal(hex_decode_0x(STR("00ffa9b8"), got, 4), -EINVAL);
    assert_int_equal(hex_decode_0x(STR("0X00ffa9b8"), got, 4), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits_of_both_cases),
        cmocka_unit_test(test_anything_else_is_refused),
    };
    return cmocka_run_group_tests_name("crypto/base/hex", tests, NULL, NULL);
}
