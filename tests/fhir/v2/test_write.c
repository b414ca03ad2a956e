#include "fhir/v2/write.h"

#include "fhir/v2/escape.h"
#include "tests/check.h"

#include <errno.h>

static const struct v2_delims seven = { '|', '^', '~', '\\', '&', '#' };
static const struct v2_delims few = { '$', '%', '\0', '\0', '\0', '\0' };

static void test_places_in_any_order(void **state)
{
    static const struct {
        const struct v2_delims *delims;
        struct v2_address at[4];
        const char *text[4], *want;
    } cases[] = {
        { &V2_DELIMS_USUAL, { { .field = 1 } }, { "a" }, "PID|a\r" },
        { &V2_DELIMS_USUAL, { { .field = 1 } }, { "" }, "PID\r" },
        { &V2_DELIMS_USUAL,
          { { .field = 5 }, { .field = 3, .component = 4 }, { .field = 3 } },
          { "n", "LAB", "7" },
          "PID|||7^^^LAB||n\r" },
        { &V2_DELIMS_USUAL,
          { { .field = 3, .repetition = 2, .component = 4, .subcomponent = 2 },
            { .field = 3, .repetition = 2 },
            { .field = 3, .component = 2 } },
          { "1.2", "8", "x" },
          "PID|||^x~8^^^&1.2\r" },
        { &V2_DELIMS_USUAL,
          { { .field = 2 }, { .field = 2 } },
          { "old", "new" },
          "PID||new\r" },
        { &V2_DELIMS_USUAL, { { .field = 2 } }, { "\"\"" }, "PID||\"\"\r" }, /* delete */
        { &V2_DELIMS_USUAL,
          { { .field = 1 } },
          { "a|b^c&d~e\\f#g\rh" },
          "PID|a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f#g\\X0D\\h\r" },
        { &seven, { { .field = 1 } }, { "#" }, "PID|\\P\\\r" },
        { &few,
          { { .field = 1 }, { .field = 1, .component = 2 } },
          { "a$", "b%" },
          "PID$a %b \r" }, /* nothing to escape with */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct buf out = arena_buf(arena, 4096);
        struct v2_writer w = v2_writer(arena, cases[i].delims);
        v2_write_segment(&w, "PID");
        for (size_t k = 0; k < 4 && cases[i].text[k]; k++) {
            v2_write(&w, cases[i].at[k], str_z(cases[i].text[k]));
        }
        assert_int_equal(v2_write_end(&w, &out), 0);
        assert_str(buf_str(&out), cases[i].want);
    }
}

static void test_segments_headers_and_raw_parts(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct buf out = arena_buf(arena, 4096);
    struct v2_writer w = v2_writer(arena, &seven);
    v2_write_segment(&w, "MSH");
    v2_write(&w, (struct v2_address){ .field = 2 }, STR("ignored"));
    v2_write(&w, (struct v2_address){ .field = 12 }, STR("2.7"));
    v2_write_segment(&w, "OBX");
    v2_write_raw(&w, (struct v2_address){ .field = 5 }, STR("a^b~\\F\\c"));
    v2_write_segment(&w, "ZZZ");
    assert_int_equal(v2_write_end(&w, &out), 0);
    assert_str(buf_str(&out), "MSH|^~\\&#||||||||||2.7\rOBX|||||a^b~\\F\\c\rZZZ\r");
}

/* What was written is read again as it was meant. */
static void test_there_and_back(void **state)
{
    static const char text[] = "all | of ^ these ~ are \\ text & no # delimiters";
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct buf out = arena_buf(arena, 4096);
    struct issues issues;
    struct v2_message message;
    struct str got;
    issues_init(&issues, arena);
    struct v2_writer w = v2_writer(arena, &seven);
    v2_write_segment(&w, "MSH");
    v2_write_segment(&w, "NTE");
    v2_write(&w, (struct v2_address){ .field = 3, .repetition = 2, .component = 2 }, STR(text));
    assert_int_equal(v2_write_end(&w, &out), 0);
    assert_int_equal(v2_parse(arena, buf_str(&out), &issues, &message), 0);
    assert_int_equal(v2_get_z(&message, "NTE-3[2].2", &got), V2_PRESENT);
    assert_int_equal(v2_unescape(arena, &message.delims, got, &got), 0);
    assert_str(got, text);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    char space[8];
    struct buf out = buf_fixed(space, sizeof(space));
    struct v2_writer w = v2_writer(arena, &V2_DELIMS_USUAL);
    v2_write_segment(&w, "PID");
    v2_write(&w, (struct v2_address){ .field = 9 }, STR("x"));
    assert_int_equal(v2_write_end(&w, &out), -ENOMEM);
    arena_limit(arena, 1);
    v2_write_segment(&w, "PV1");
    assert_int_equal(v2_write_end(&w, &out), -ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_in_any_order),
        cmocka_unit_test(test_segments_headers_and_raw_parts),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests_name("fhir/v2/write", tests, NULL, NULL);
}
