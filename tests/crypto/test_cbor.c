/* CBOR as authenticators write it: examples of RFC 8949, and what isn't the one encoding. */
#include "tests/check.h"

#include "crypto/cbor.h"

enum {
    BYTES_MAX = 256,
};

static struct cbor of(const char *hex, uint8_t bytes[BYTES_MAX])
{
    return cbor(str_of(bytes, check_unhex(hex, bytes)));
}

static void test_integers(void **state)
{
    static const struct {
        const char *hex;
        int64_t want;
    } cases[] = {
        { "00", 0 },
        { "17", 23 },
        { "1818", 24 },
        { "18ff", 255 },
        { "190100", 256 },
        { "19ffff", 65535 },
        { "1a00010000", 65536 },
        { "1a000f4240", 1000000 },
        { "1b000000e8d4a51000", 1000000000000 },
        { "1b7fffffffffffffff", INT64_MAX },
        { "20", -1 },
        { "3863", -100 },
        { "3903e7", -1000 },
        { "3b7fffffffffffffff", INT64_MIN },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[BYTES_MAX];
        struct cbor c = of(cases[i].hex, bytes);
        assert_int_equal(cbor_integer(&c), cases[i].want);
        assert_true(cbor_ended(&c));
    }
}

static void test_strings_arrays_and_maps(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct cbor c = of("a2616101616282024401020304", bytes);
    assert_int_equal(cbor_map(&c), 2);
    cbor_want_text(&c, "a");
    cbor_want_integer(&c, 1);
    assert_str(cbor_text(&c), "b");
    assert_int_equal(cbor_array(&c), 2);
    assert_int_equal(cbor_integer(&c), 2);
    assert_false(cbor_ended(&c));
    struct str got = cbor_bytes(&c);
    assert_hex(got.p, got.n, "01020304");
    assert_true(cbor_ended(&c));

    c = of("60", bytes);
    assert_int_equal(cbor_text(&c).n, 0);
    assert_true(cbor_ended(&c));
}

/* Whatever asks for it, and cbor_skip(). */
static void test_what_is_not_the_one_encoding(void **state)
{
    static const char *const cases[] = {
        "",                     /* nothing */
        "18",                   /* cut */
        "1817",                 /* 23 in two bytes */
        "1900ff",               /* 255 in three */
        "1a0000ffff",           /* 65535 in five */
        "1b00000000ffffffff",   /* 4294967295 in nine */
        "1c",                   /* reserved */
        "1f",                   /* no integer has that */
        "43 0102",              /* a string that is cut */
        "5f41014102ff",         /* of indefinite length */
        "7f6161ff",             /* the same */
        "9f01ff",               /* the same */
        "bf6161 01ff",          /* the same */
        "5b7fffffffffffffff01", /* longer than anything */
        "9b7fffffffffffffff01", /* the same */
        "bb7fffffffffffffff01", /* the same */
        "8201",                 /* an array that is cut */
        "a1 01",                /* a map that is cut */
        "c001",                 /* a tag */
        "f90000",               /* floats */
        "fa00000000",
        "fb0000000000000000",
        "f7", /* undefined */
        "e0", /* a simple value that nobody has named */
        "f8ff",
        "ff", /* an end of nothing */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[BYTES_MAX];
        char hex[2 * BYTES_MAX];
        size_t n = 0;
        for (const char *p = cases[i]; *p; p++) {
            if (*p != ' ') {
                hex[n++] = *p;
            }
        }
        hex[n] = '\0';
        struct cbor c = of(hex, bytes);
        cbor_skip(&c);
        if (cbor_ended(&c)) {
            print_error("taken: %s\n", cases[i]);
            fail();
        }
        c = of(hex, bytes);
        (void)cbor_integer(&c);
        assert_false(cbor_ended(&c));
        c = of(hex, bytes);
        (void)cbor_bytes(&c);
        assert_false(cbor_ended(&c));
    }
}

static void test_values_are_skipped_whole(void **state)
{
    static const char *const cases[] = {
        "00",
        "20",
        "4101",
        "6161",
        "80",
        "a0",
        "83010203",
        "a201020304",
        "a1016162",
        "f4",
        "f5",
        "f6",
        "81818180", /* four deep */
        "a101a101a101a10102",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[BYTES_MAX];
        struct cbor c = of(cases[i], bytes);
        cbor_skip(&c);
        assert_true(cbor_ended(&c));
        for (size_t n = 0; n < strlen(cases[i]) / 2; n++) {
            struct cbor cut = cbor(str_of(bytes, n));
            cbor_skip(&cut);
            assert_true(cut.failed);
        }
    }
    uint8_t bytes[BYTES_MAX];
    struct cbor c = of("8181818180", bytes); /* five deep */
    cbor_skip(&c);
    assert_true(c.failed);
}

static void test_after_a_failure_nothing_is_read(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    struct cbor c = of("0102", bytes);
    cbor_want_text(&c, "a");
    assert_true(c.failed);
    assert_int_equal(cbor_integer(&c), 0);
    assert_int_equal(cbor_bytes(&c).n, 0);
    cbor_skip(&c);
    assert_false(cbor_ended(&c));
    c = of("02", bytes);
    cbor_want_integer(&c, 1);
    assert_false(cbor_ended(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_strings_arrays_and_maps),
        cmocka_unit_test(test_what_is_not_the_one_encoding),
        cmocka_unit_test(test_values_are_skipped_whole),
        cmocka_unit_test(test_after_a_failure_nothing_is_read),
    };
    return cmocka_run_group_tests_name("crypto/cbor", tests, NULL, NULL);
}
