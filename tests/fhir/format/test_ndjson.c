#include "fhir/format/ndjson.h"

#include "tests/check.h"

static void test_lines_of_a_whole_text(void **state)
{
    static const struct {
        const char *text, *lines; /* number:line; */
    } cases[] = {
        { "", "" },
        { "\n \r\n\t", "" },
        { "{}", "1:{};" },
        { "{}\n", "1:{};" },
        { "{}\n[]\n", "1:{};2:[];" },
        { "\n{}\r\n\n 1 \n", "2:{}\r;4: 1 ;" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ndjson lines = { 0 };
        struct str rest = str_z(cases[i].text);
        struct str line;
        char got[128] = "";
        while (ndjson_next(&lines, &rest, true, &line)) {
            size_t n = strlen(got);
            (void)snprintf(got + n, sizeof(got) - n, "%zu:%.*s;", lines.line, (int)line.n,
                           line.p);
        }
        assert_string_equal(got, cases[i].lines);
        assert_int_equal(rest.n, 0);
    }
}

static void test_a_line_that_is_not_whole_waits_for_more(void **state)
{
    (void)state;
    struct ndjson lines = { 0 };
    struct str rest = STR("{\"a\":1}\n\n{\"b\"");
    struct str line;
    assert_true(ndjson_next(&lines, &rest, false, &line));
    assert_str(line, "{\"a\":1}");
    assert_false(ndjson_next(&lines, &rest, false, &line));
    assert_str(rest, "{\"b\"");
    rest = STR("{\"b\":2}");
    assert_true(ndjson_next(&lines, &rest, true, &line));
    assert_str(line, "{\"b\":2}");
    assert_int_equal(lines.line, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_a_whole_text),
        cmocka_unit_test(test_a_line_that_is_not_whole_waits_for_more),
    };
    return cmocka_run_group_tests_name("fhir/format/ndjson", tests, NULL, NULL);
}
