/* Writing JSON: commas, escapes, and failure. */
#include "fhir/format/json_write.h"
#include "tests/check.h"

static void test_object(void **state)
{
    (void)state;
    char memory[256];
    struct buf out = buf_fixed(memory, sizeof(memory));
    struct json_writer w = json_writer(&out);
    json_object(&w, NULL);
    json_z(&w, "a", "x");
    json_array(&w, "b");
    json_u64(&w, NULL, 1);
    json_i64(&w, NULL, -1);
    json_bool(&w, NULL, true);
    json_object(&w, NULL);
    json_end(&w);
    json_raw(&w, NULL, STR("1.00"));
    json_end(&w);
    json_bool(&w, "c", false);
    json_end(&w);
    assert_str(buf_str(&out), "{\"a\":\"x\",\"b\":[1,-1,true,{},1.00],\"c\":false}");
    assert_false(buf_failed(&out));
}

static void test_quote(void **state)
{
    static const struct {
        struct str in;
        const char *want;
    } cases[] = {
        { STR_INIT(""), "\"\"" },
        { STR_INIT("plain /"), "\"plain /\"" },
        { STR_INIT("\"\\"), "\"\\\"\\\\\"" },
        { STR_INIT("a\nb\rc\td\be\ff"), "\"a\\nb\\rc\\td\\be\\ff\"" },
        { STR_INIT("\x01\x1f\x7f"), "\"\\u0001\\u001f\x7f\"" },
        { STR_INIT("x\0y"), "\"x\\u0000y\"" },
        { STR_INIT("\xC3\xA4"), "\"\xC3\xA4\"" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char memory[64];
        struct buf out = buf_fixed(memory, sizeof(memory));
        json_quote(&out, cases[i].in);
        assert_str(buf_str(&out), cases[i].want);
    }
    char memory[64];
    struct buf out = buf_fixed(memory, sizeof(memory));
    json_quote(&out, STR("\xC3"));
    assert_true(buf_failed(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
