/* Command lines: options by table. */
#include "tests/check.h"

#include "gateway/cli/audit.h"
#include "gateway/cli/cli.h"
#include "gateway/clock.h"

#include <errno.h>

enum {
    WORDS = 8,
};

struct got {
    const char *config;
    bool json;
    struct cli_words many;
    struct cli_words words;
};

static int read_line(const char *const *line, struct got *got)
{
    char *argv[WORDS] = { NULL };
    int argc = 0;
    const struct cli_arg args[] = {
        { .name = "--config", .value = &got->config },
        { .name = "--json", .flag = &got->json },
        { .name = "--assigner", .many = &got->many },
    };
    while (line[argc]) {
        argv[argc] = (char *)(uintptr_t)line[argc];
        argc++;
    }
    return cli_args(argc, argv, args, ARRAY_LEN(args), &got->words);
}

static void test_options_and_words_in_any_order(void **state)
{
    static const struct {
        const char *line[WORDS];
        const char *config;
        bool json;
        size_t many;
        size_t words;
    } cases[] = {
        { { "list" }, NULL, false, 0, 0 },
        { { "show", "R", "--config", "f" }, "f", false, 0, 1 },
        { { "show", "--json", "--config", "f", "R" }, "f", true, 0, 1 },
        { { "t", "--assigner", "A=b", "--assigner", "C=d", "-" }, NULL, false, 2, 1 },
        { { "t", "--", "--json" }, NULL, false, 0, 1 }, /* a word after all */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct got got = { 0 };
        assert_int_equal(read_line(cases[i].line, &got), 0);
        assert_int_equal(got.json, cases[i].json);
        assert_int_equal(got.many.n, cases[i].many);
        assert_int_equal(got.words.n, cases[i].words);
        assert_true(cases[i].config ? strcmp(got.config, cases[i].config) == 0 : !got.config);
    }
}

static void test_what_is_not_understood_is_refused(void **state)
{
    static const char *const cases[][WORDS] = {
        { "list", "--nonsense" },
        { "list", "--config" },                       /* without its value */
        { "list", "--config", "a", "--config", "b" }, /* twice */
        { "list", "--json=yes" },
        { "t", "--assigner" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct got got = { 0 };
        assert_int_equal(read_line(cases[i], &got), -EINVAL);
    }
}

static void test_ids_with_and_without_dashes(void **state)
{
    static const struct {
        const char *text;
        int r;
    } cases[] = {
        { "019b7600-0000-7000-8000-000000000002", 0 },
        { "019b7600000070008000000000000002", 0 },
        { "019B7600-0000-7000-8000-000000000002", 0 },
        { "", -EINVAL },
        { "019b7600-0000-7000-8000-00000000000", -EINVAL },
        { "019b7600-0000-7000-8000-0000000000023", -EINVAL },
        { "019b7600-0000-7000-8000-00000000000x", -EINVAL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t id[16];
        assert_int_equal(audit_id_read(cases[i].text, id), cases[i].r);
        if (cases[i].r == 0) {
            assert_int_equal(id[0], 0x01);
            assert_int_equal(id[15], 0x02);
        }
    }
}

static void test_times_are_utc_to_the_millisecond(void **state)
{
    char text[64];
    struct buf b = buf_fixed(text, sizeof(text));
    (void)state;
    clock_utc_put(&b, 1767225600007);
    assert_str(buf_str(&b), "2026-01-01T00:00:00.007Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_and_words_in_any_order),
        cmocka_unit_test(test_what_is_not_understood_is_refused),
        cmocka_unit_test(test_ids_with_and_without_dashes),
        cmocka_unit_test(test_times_are_utc_to_the_millisecond),
    };
    return cmocka_run_group_tests_name("gateway/cli/options", tests, NULL, NULL);
}
