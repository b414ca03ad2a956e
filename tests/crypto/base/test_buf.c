#include "tests/check.h"

#include "crypto/base/buf.h"

static void test_writes_follow_each_other(void **state)
{
    (void)state;
    char memory[64];
    struct buf b = buf_fixed(memory, sizeof(memory));
    buf_z(&b, "a");
    buf_c(&b, '=');
    buf_u64(&b, UINT64_MAX);
    buf_c(&b, ' ');
    buf_i64(&b, INT64_MIN);
    assert_str(buf_str(&b), "a=18446744073709551615 -9223372036854775808");
}

static void test_failure_is_remembered(void **state)
{
    (void)state;
    char memory[4];
    struct buf b = buf_fixed(memory, sizeof(memory));
    buf_z(&b, "abc");
    buf_z(&b, "de");
    assert_true(buf_failed(&b));
    buf_z(&b, "f");
    assert_true(buf_failed(&b));
    assert_str(buf_str(&b), "abc");
}

static void test_exact_fit_is_no_failure(void **state)
{
    (void)state;
    char memory[4];
    struct buf b = buf_fixed(memory, sizeof(memory));
    buf_be32(&b, 0x61626364);
    assert_false(buf_failed(&b));
    assert_str(buf_str(&b), "abcd");
}

static void test_format_needs_one_byte_more(void **state)
{
    (void)state;
    char memory[4];
    struct buf b = buf_fixed(memory, sizeof(memory));
    buf_fmt(&b, "%d", 123);
    assert_str(buf_str(&b), "123");
    buf_fmt(&b, "%d", 4);
    assert_true(buf_failed(&b));
}

static void test_drop_moves_the_rest(void **state)
{
    (void)state;
    char memory[8];
    struct buf b = buf_fixed(memory, sizeof(memory));
    buf_hex(&b, "\x0f\xa0\x55", 3);
    buf_drop(&b, 2);
    assert_str(buf_str(&b), "a055");
    buf_drop(&b, 100);
    assert_int_equal(b.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_follow_each_other),
        cmocka_unit_test(test_failure_is_remembered),
        cmocka_unit_test(test_exact_fit_is_no_failure),
        cmocka_unit_test(test_format_needs_one_byte_more),
        cmocka_unit_test(test_drop_moves_the_rest),
    };
    return cmocka_run_group_tests_name("crypto/base/buf", tests, NULL, NULL);
}
