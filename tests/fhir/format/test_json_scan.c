/* The scanner against one that goes byte by byte, wherever the text is cut. */
#include "fhir/format/json_scan.h"
#include "tests/check.h"

#include <stdlib.h>

/* Bytes up to @n, one at a time. */
static struct json_scan slow_scan(const char *text, size_t n)
{
    struct json_scan s = { 0 };
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        bool odd = c >= 0x80 || c == '\f' || c == '\v';
        s.odd = odd ? i + 1 : s.odd;
        if (s.escaped) {
            s.escaped = false;
        } else if (c == '"') {
            s.in_string = !s.in_string;
            s.quote = i;
        } else {
            s.escaped = c == '\\';
        }
    }
    return s;
}

static void check(const char *text, size_t n, size_t piece)
{
    struct json_scan got = { 0 };
    for (size_t at = 0; at < n; at += piece) {
        json_scan(&got, str_slice(str_of(text, n), at, at + piece), at);
    }
    struct json_scan want = slow_scan(text, n);
    assert_int_equal(got.in_string, want.in_string);
    assert_int_equal(got.escaped, want.escaped);
    assert_int_equal(got.quote, want.quote);
    assert_true(got.odd >= want.odd && got.odd <= n);
    assert_true((got.odd == 0) == (want.odd == 0));
}

static void test_as_byte_by_byte(void **state)
{
    static const char *const alphabets[] = { "\"\\a", "\\\\\\\"", "\"x",
                                             "ab\"\\\xC3\xA4\f\v {},:" };
    (void)state;

    srand(7);
    for (size_t a = 0; a < ARRAY_LEN(alphabets); a++) {
        size_t letters = strlen(alphabets[a]);
        for (int turn = 0; turn < 300; turn++) {
            char text[300];
            size_t n = (size_t)rand() % sizeof(text);
            for (size_t i = 0; i < n; i++) {
                text[i] = alphabets[a][(size_t)rand() % letters];
            }
            for (size_t piece = 1; piece < 140; piece += 1 + (size_t)rand() % 13) {
                check(text, n, piece);
            }
        }
    }
}

static void test_odd_bytes_anywhere(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < 150; at += 7) {
            char text[150];
            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            struct json_scan s = { 0 };
            json_scan(&s, str_of(text, sizeof(text)), 0);
            bool odd = c >= 0x80 || c == '\f' || c == '\v';
            assert_int_equal(s.odd > at, odd);
            assert_int_equal(s.odd != 0, odd);
        }
    }
}

static void test_whole_tokens(void **state)
{
    static const struct {
        const char *text;
        size_t want;
    } cases[] = {
        { "{\"a\":1", 4 },       { "{\"a\":12,", 7 },     { "{\"a\" : \"bc", 5 },
        { "{\"a\":\"bc\"", 9 },  { "[1, true, fal", 8 },  { "[\"a\\\"b\",\"c\\", 7 },
        { "[{\"a\":[]}  ", 11 }, { "[ \"never ends", 0 }, { "  ", 2 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str text = str_z(cases[i].text);
        struct json_scan s = { 0 };
        json_scan(&s, text, 0);
        size_t got = json_scan_whole(&s, text, 0);
        if (got != cases[i].want) {
            fail_msg("%s: %zu", cases[i].text, got);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_byte_by_byte),
        cmocka_unit_test(test_odd_bytes_anywhere),
        cmocka_unit_test(test_whole_tokens),
    };
    return cmocka_run_group_tests_name("json_scan", tests, NULL, NULL);
}
