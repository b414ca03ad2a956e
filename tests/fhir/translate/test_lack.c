/* Messages of which nothing comes: suspected at a glance, and told what they lack. */
#include "fhir/translate/lack.h"

#include "tests/check.h"

#include "tests/fhir/translate/translated.h"

#include <errno.h>

static struct v2_message parsed(struct arena *arena, const char *text)
{
    struct issues issues;
    struct v2_message message;
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena, str_z(text), &issues, &message), 0);
    return message;
}

#define FULL "PID|1||7^^^LAB^MR||Doe^Jane||19800101|F|||Street 1\rPV1|1|I|W1||||8\r"

static void test_suspects(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        { ADT, true },
        { ADT "EVN||2026\r" PID, true },
        { ADT FULL, false },
        { ADT "ZZZ|1|2|3|4|5|6|7|8|9|10\r", true },    /* what no row reads doesn't count */
        { ADT "PID|1|2|3|4|5|6|7|8\r", true },         /* at the limit */
        { ADT "PID|1|2|3|4|5|6|7|8|9\r", false },      /* beyond it */
        { ADT "PID|||||||||||||||||||||1\r", true },   /* empty fields don't count */
        { ADT "PID|1|2|3|4\rNK1|1|2|3|4|5\r", false }, /* of all segments together */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct v2_message message = parsed(arena, cases[i].text);
        if (translate_suspect(rules, &message) != cases[i].want) {
            fail_msg("case %zu", i);
        }
    }
}

/* Of none of these anything comes, and the sender hears what is missing. */
static void test_told(void **state)
{
    static const struct {
        const char *text;
        const char *place;
        const char *missing;
        bool segment;
    } cases[] = {
        { ADT "EVN||2026\r", "PID", "PID, PV1", true },
        { ADT "EVN||2026\rPID|1\rPV1|1\r", "PID-3", "PID-3, PID-5, PV1-2", false },
        { ADT "PID|1||||||\rPV1|1\r", "PID-3", "PID-3, PID-5, PV1-2", false },
        { ORU, "OBR", "OBR", true },
        { ORU "PID|1\rNK1|1\r", "OBR", "OBR, PID-3, PID-5", true },
        { MSH("VXU^V04^VXU_V04") "PID|\rORC|\rRXA|\r", "PID-3", "PID-3, PID-5, ORC-1, RXA-1",
          false },
    };
    static const char begin[] = "nothing in it becomes a resource; required and missing: ";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct v2_message message = parsed(arena, cases[i].text);
        struct translated t = { .arena = arena };
        struct translate_lack lack;
        assert_int_equal(translate_with(&t, str_z(cases[i].text), false), 0);
        assert_int_equal(t.result.count, 0);
        assert_int_equal(translate_lack(arena, rules, &message, &lack), 0);
        assert_str(lack.place, cases[i].place);
        assert_int_equal(lack.segment, cases[i].segment);
        assert_true(str_starts(lack.text, str_z(begin)));
        struct str missing = { lack.text.p + sizeof(begin) - 1,
                               lack.text.n - sizeof(begin) + 1 };
        assert_str(missing, cases[i].missing);
    }
}

/* What the standard has nothing against may still be nothing. */
static void test_nothing_missing(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct v2_message message = parsed(arena, MSH("QQQ^Q99"));
    struct translate_lack lack;
    assert_int_equal(translate_lack(arena, rules, &message, &lack), 0);
    assert_str(lack.place, "MSH-9");
    assert_false(lack.segment);
}

static void test_memory(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct v2_message message = parsed(arena, ADT "EVN||2026\r");
    struct translate_lack lack;
    int r = -ENOMEM;
    for (size_t limit = 64; r == -ENOMEM && limit < 65536; limit *= 2) {
        CLEANUP(arena_freep) struct arena *small = arena_new(64);
        arena_limit(small, limit);
        r = translate_lack(small, rules, &message, &lack);
        assert_true(r == 0 || r == -ENOMEM);
    }
    assert_int_equal(r, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspects),
        cmocka_unit_test(test_told),
        cmocka_unit_test(test_nothing_missing),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("fhir/translate/lack", tests, setup, teardown);
}
