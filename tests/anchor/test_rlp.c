/* RLP: the vectors that every implementation has, and what must be refused. */
#include "anchor/rlp.h"
#include "tests/check.h"

#include <errno.h>

static void test_rlp_vectors(void **state)
{
    static const struct {
        const char *bytes, *want;
    } strings[] = {
        { "", "80" },     { "00", "00" },           { "7f", "7f" },
        { "80", "8180" }, { "646f67", "83646f67" }, { "0400", "820400" },
    };
    static const struct {
        uint64_t number;
        const char *want;
    } numbers[] = {
        { 0, "80" },
        { 1, "01" },
        { 16, "10" },
        { 127, "7f" },
        { 128, "8180" },
        { 1000, "8203e8" },
        { 100000, "830186a0" },
        { UINT64_MAX, "88ffffffffffffffff" },
    };
    (void)state;
    char text[128];
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        unsigned char bytes[64];
        struct buf b = buf_fixed(text, sizeof(text));
        size_t n = check_unhex(strings[i].bytes, bytes);
        rlp_put(&b, bytes, n);
        assert_hex(b.p, b.n, strings[i].want);
        struct str rest = buf_str(&b);
        struct str got;
        assert_int_equal(rlp_string(&rest, &got), 0);
        assert_true(str_eq(got, str_of(bytes, n)) && rest.n == 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct buf b = buf_fixed(text, sizeof(text));
        rlp_put_u64(&b, numbers[i].number);
        assert_hex(b.p, b.n, numbers[i].want);
        struct str rest = buf_str(&b);
        uint64_t got;
        assert_int_equal(rlp_u64(&rest, &got), 0);
        assert_true(got == numbers[i].number);
    }
    struct buf b = buf_fixed(text, sizeof(text)); /* [[], [[]], [[], [[]]]] */
    size_t a = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    size_t c = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    rlp_close(&b, c);
    size_t d = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    size_t e = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    rlp_close(&b, e);
    rlp_close(&b, d);
    rlp_close(&b, a);
    assert_hex(b.p, b.n, "c7c0c1c0c3c0c1c0");
}

static void test_long_rlp(void **state)
{
    static const char lorem[] = "Lorem ipsum dolor sit amet, consectetur adipisicing elit";
    static char text[70000];
    static char long_text[66000];
    (void)state;
    struct buf b = buf_fixed(text, sizeof(text));
    rlp_put(&b, lorem, sizeof(lorem) - 1);
    assert_hex(b.p, 3, "b8384c");
    b.n = 0;
    size_t list = rlp_open(&b);
    rlp_put(&b, long_text, sizeof(long_text));
    rlp_close(&b, list);
    assert_hex(b.p, 8, "fa0101d4ba0101d0");
    struct str rest;
    struct str got;
    assert_int_equal(rlp_only_list(buf_str(&b), &rest), 0);
    assert_int_equal(rlp_string(&rest, &got), 0);
    assert_int_equal(got.n, sizeof(long_text));
}

static void test_bad_rlp(void **state)
{
    static const char *const cases[] = {
        "",
        "8100", /* a byte below 0x80 with a header */
        "817f",
        "b800", /* long form of a short length */
        "b83700",
        "b90040", /* length with a leading zero */
        "f800",
        "f90000",
        "83646f", /* too short */
        "c2",
        "bfffffffffffffffff", /* length beyond everything */
        "ffffffffffffffffff",
        "bf8000000000000000",
        "f8",
        "b9ff",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char bytes[64];
        struct str rest = str_of(bytes, check_unhex(cases[i], bytes));
        struct rlp item;
        if (rlp_next(&rest, &item) == 0) {
            fail_msg("accepted %s", cases[i]);
        }
    }
    uint64_t number;
    struct str rest = STR("\x82\x00\x01");
    assert_int_equal(rlp_u64(&rest, &number), -EINVAL);
    rest = STR("\x00");
    assert_int_equal(rlp_u64(&rest, &number), -EINVAL);
    rest = STR("\xc0");
    assert_int_equal(rlp_u64(&rest, &number), -EINVAL);
    assert_int_equal(rlp_only_list(STR("\xc0\xc0"), &rest), -EINVAL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rlp_vectors),
        cmocka_unit_test(test_long_rlp),
        cmocka_unit_test(test_bad_rlp),
    };
    return cmocka_run_group_tests_name("anchor/rlp", tests, NULL, NULL);
}
