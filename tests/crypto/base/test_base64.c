#include "tests/check.h"

#include "crypto/base/base64.h"

#include <errno.h>

static void test_vectors_of_rfc_4648(void **state)
{
    static const struct {
        const char *bytes, *usual, *url;
    } cases[] = {
        { "", "", "" },
        { "f", "Zg==", "Zg" },
        { "fo", "Zm8=", "Zm8" },
        { "foo", "Zm9v", "Zm9v" },
        { "foob", "Zm9vYg==", "Zm9vYg" },
        { "fooba", "Zm9vYmE=", "Zm9vYmE" },
        { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
        { "\xfb\xff\xbf", "+/+/", "-_-_" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text[] = { cases[i].usual, cases[i].url };
        for (size_t kind = 0; kind < 2; kind++) {
            char memory[16];
            struct buf b = buf_fixed(memory, sizeof(memory));
            base64_put(&b, (enum base64_kind)kind, cases[i].bytes, strlen(cases[i].bytes));
            assert_str(buf_str(&b), text[kind]);

            uint8_t got[8];
            size_t n;
            assert_int_equal(
                base64_decode((enum base64_kind)kind, str_z(text[kind]), got, sizeof(got), &n),
                0);
            assert_str(str_of(got, n), cases[i].bytes);
        }
    }
}

static void test_every_length_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 37);
    }
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        char memory[140];
        struct buf b = buf_fixed(memory, sizeof(memory));
        base64_put(&b, BASE64_URL, bytes, n);
        assert_false(buf_failed(&b));
        assert_true(base64_room(b.n) >= n);

        /* In place, as tokens are read. */
        size_t got;
        assert_int_equal(base64_decode(BASE64_URL, buf_str(&b), (uint8_t *)memory, n, &got), 0);
        assert_int_equal(got, n);
        assert_memory_equal(memory, bytes, n);
    }
}

static void test_only_one_text_for_each_value(void **state)
{
    static const struct {
        enum base64_kind kind;
        const char *text;
    } cases[] = {
        { BASE64_USUAL, "Zg" },       /* padding missing */
        { BASE64_USUAL, "Zg=" },      /* half of it */
        { BASE64_USUAL, "Zh==" },     /* a bit that no byte needs */
        { BASE64_USUAL, "Zm9=" },     /* the same, two bytes */
        { BASE64_USUAL, "Z===" },     /* one character is no byte */
        { BASE64_USUAL, "====" },     /* nothing but padding */
        { BASE64_USUAL, "Zg==Zg==" }, /* padding in the middle */
        { BASE64_USUAL, "Z=g=" },     /* padding between characters */
        { BASE64_USUAL, "Zm9v\n" },   /* white space at the end */
        { BASE64_USUAL, "Zm 9" },     /* and within */
        { BASE64_USUAL, "-_-_" },     /* the other alphabet */
        { BASE64_URL, "Zg==" },       /* padding, where none is due */
        { BASE64_URL, "Z" },          /* one character */
        { BASE64_URL, "Zm9vY" },      /* and after a group */
        { BASE64_URL, "Zh" },         /* stray bits */
        { BASE64_URL, "Zm9" },        /* stray bits, two bytes */
        { BASE64_URL, "+/+/" },       /* the other alphabet */
        { BASE64_URL, "Zm9\x80" },    /* no ASCII */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t got[8];
        size_t n;
        assert_int_equal(
            base64_decode(cases[i].kind, str_z(cases[i].text), got, sizeof(got), &n), -EINVAL);
    }
}

static void test_room_is_checked_first(void **state)
{
    (void)state;
    uint8_t got[2] = { 0, 0 };
    size_t n;
    assert_int_equal(base64_decode(BASE64_URL, STR("Zm9v"), got, sizeof(got), &n), -ENOSPC);
    assert_int_equal(got[0], 0);

    char memory[5];
    struct buf b = buf_fixed(memory, sizeof(memory));
    base64_put(&b, BASE64_USUAL, "foob", 4);
    assert_true(buf_failed(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_of_rfc_4648),
        cmocka_unit_test(test_every_length_comes_back),
        cmocka_unit_test(test_only_one_text_for_each_value),
        cmocka_unit_test(test_room_is_checked_first),
    };
    return cmocka_run_group_tests_name("crypto/base/base64", tests, NULL, NULL);
}
