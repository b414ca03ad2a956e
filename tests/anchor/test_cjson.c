/* Canonical JSON: what is accepted, and that nothing else is. */
#include "anchor/cjson.h"
#include "tests/check.h"

#include <errno.h>

static int read_any(const char *text)
{
    struct cjson c;
    cjson_start(&c, str_z(text));
    (void)cjson_value(&c);
    return cjson_finish(&c);
}

static void test_canonical_texts(void **state)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "0",
        "9007199254740991",
        "\"\"",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f/\x7f\"",
        "\"\xe2\x80\x94 \xf0\x9f\x98\x80\"",
        "{\"A\":1,\"a\":[{},[],\"\"],\"aa\":{\"b\":\"c\"}}",
        "[[[[[[[[]]]]]]]]",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(read_any(cases[i]), 0);
    }
}

static void test_refused_texts(void **state)
{
    static const char *const cases[] = {
        "",
        " {}",
        "{} ",
        "{ }",
        "[1, 2]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\" :1}",
        "{\"a\":}",
        "{\"a\"}",
        "{a:1}",
        "{\"b\":1,\"a\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"\":1}",
        "{\"\\n\":1}",
        "01",
        "-1",
        "-0",
        "1.0",
        "1e2",
        "+1",
        "9007199254740992",
        "99999999999999999999",
        "true",
        "null",
        "\"",
        "\"\\",
        "\"\\/\"",
        "\"\\u000a\"",
        "\"\\u001F\"",
        "\"\\u0020\"",
        "\"\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\x\"",
        "\"\n\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xe2\x80\"",
        "{}{}",
        "[[[[[[[[[]]]]]]]]]",
        "[}",
        "{]",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (read_any(cases[i]) == 0) {
            fail_msg("accepted %s", cases[i]);
        }
    }
}

static void test_writer_and_reader_agree(void **state)
{
    (void)state;
    char text[256];
    struct buf b = buf_fixed(text, sizeof(text));
    struct cjson_out out;
    static const char odd[] = "\x01\n\"\\\x1f/\x7f\xe2\x80\x94";
    cjson_out_start(&out, &b);
    cjson_open(&out, '{');
    cjson_name(&out, "a");
    cjson_open(&out, '[');
    cjson_put_number(&out, 0);
    cjson_put_number(&out, CJSON_INTEGER_MAX);
    cjson_open(&out, '{');
    cjson_close(&out, '}');
    cjson_close(&out, ']');
    cjson_name(&out, "h");
    cjson_put_hex(&out, true, "\x01\xab", 2);
    cjson_name(&out, "s");
    cjson_put_string(&out, str_z(odd));
    cjson_close(&out, '}');
    assert_false(buf_failed(&b));
    assert_str(buf_str(&b), "{\"a\":[0,9007199254740991,{}],\"h\":\"0x01ab\","
                            "\"s\":\"\\u0001\\n\\\"\\\\\\u001f/\x7f\xe2\x80\x94\"}");

    struct cjson c;
    struct str name;
    char memory[64];
    struct buf m = buf_fixed(memory, sizeof(memory));
    cjson_start(&c, buf_str(&b));
    cjson_object(&c);
    assert_true(cjson_member(&c, &name));
    assert_str(cjson_value(&c), "[0,9007199254740991,{}]");
    assert_true(cjson_member(&c, &name));
    struct str bytes = cjson_hex_bytes(&c, &m);
    assert_hex(bytes.p, bytes.n, "01ab");
    assert_true(cjson_member(&c, &name));
    assert_str(name, "s");
    assert_str(cjson_string(&c, &m), odd);
    assert_false(cjson_member(&c, &name));
    assert_int_equal(cjson_finish(&c), 0);
}

static void test_writer_fails_rather_than_lies(void **state)
{
    (void)state;
    char text[64];
    struct buf b = buf_fixed(text, sizeof(text));
    struct cjson_out out;
    cjson_out_start(&out, &b);
    cjson_put_number(&out, CJSON_INTEGER_MAX + 1);
    assert_true(buf_failed(&b));
    b = buf_fixed(text, sizeof(text));
    cjson_out_start(&out, &b);
    cjson_put_string(&out, STR("\xc3("));
    assert_true(buf_failed(&b));
}

static void test_upper_case_digits_refused(void **state)
{
    static const char *const cases[] = { "\"0xAB\"", "\"ab\"", "\"0xa\"", "\"0xabcd\"",
                                         "\"0Xab\"" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cjson c;
        uint8_t byte;
        cjson_start(&c, str_z(cases[i]));
        cjson_hex(&c, true, &byte, 1);
        assert_int_equal(cjson_finish(&c), -EINVAL);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_texts),
        cmocka_unit_test(test_refused_texts),
        cmocka_unit_test(test_writer_and_reader_agree),
        cmocka_unit_test(test_writer_fails_rather_than_lies),
        cmocka_unit_test(test_upper_case_digits_refused),
    };
    return cmocka_run_group_tests_name("anchor/cjson", tests, NULL, NULL);
}
