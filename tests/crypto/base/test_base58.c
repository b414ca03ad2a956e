#include "tests/check.h"

#include "crypto/base/base58.h"

#include <errno.h>

/* The vectors of draft-msporny-base58, and the shortest texts. */
static void test_known_texts(void **state)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "" },
        { "1", "00" },
        { "2", "01" },
        { "z", "39" },
        { "21", "3a" },
        { "111", "000000" },
        { "2NEpo7TZRRrLZSi2U", "48656c6c6f20576f726c6421" },
        { "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
          "54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f"
          "672e" },
        { "11233QC4", "0000287fb4cd" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t out[64];
        size_t n = 0;
        assert_int_equal(base58_decode(str_z(cases[i].text), out, sizeof(out), &n), 0);
        assert_hex(out, n, cases[i].hex);
        char text[BASE58_TEXT_MAX];
        struct buf again = buf_fixed(text, sizeof(text));
        base58_put(&again, out, n);
        assert_str(buf_str(&again), cases[i].text);
    }
}

static void test_what_is_no_text_of_it(void **state)
{
    static const char *const cases[] = { "0", "O", "I", "l", "2 ", " 2", "2\n", "z-", "+" };
    (void)state;
    uint8_t out[BASE58_TEXT_MAX];
    size_t n = 77;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(base58_decode(str_z(cases[i]), out, sizeof(out), &n), -EINVAL);
    }
    assert_int_equal(base58_decode(STR("2\0"), out, sizeof(out), &n), -EINVAL);
    assert_int_equal(n, 77);
}

static void test_limits(void **state)
{
    (void)state;
    char text[BASE58_TEXT_MAX + 1];
    uint8_t out[BASE58_TEXT_MAX];
    size_t n = 0;
    memset(text, 'z', sizeof(text));
    assert_int_equal(base58_decode(str_of(text, BASE58_TEXT_MAX), out, sizeof(out), &n), 0);
    assert_int_equal(n, 94); /* 128 × log 58 ÷ log 256 */
    assert_int_equal(base58_decode(str_of(text, sizeof(text)), out, sizeof(out), &n), -EINVAL);
    assert_int_equal(base58_decode(str_of(text, BASE58_TEXT_MAX), out, 93, &n), -ENOSPC);
    uint8_t bytes[BASE58_TEXT_MAX / 2 + 1];
    memset(bytes, 0xff, sizeof(bytes));
    struct buf put = buf_fixed(text, sizeof(text));
    base58_put(&put, bytes, sizeof(bytes) - 1);
    assert_false(buf_failed(&put));
    assert_int_equal(put.n, 88);
    put.n = 0;
    base58_put(&put, bytes, sizeof(bytes));
    assert_true(buf_failed(&put));
    memset(text, '1', sizeof(text));
    assert_int_equal(base58_decode(str_of(text, 8), out, 7, &n), -ENOSPC);
    assert_int_equal(base58_decode(str_of(text, 8), out, 8, &n), 0);
    assert_int_equal(n, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_texts),
        cmocka_unit_test(test_what_is_no_text_of_it),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("crypto/base/base58", tests, NULL, NULL);
}
