#include "fhir/v2/read.h"

#include "fhir/v2/address.h"
#include "fhir/v2/continuation.h"
#include "tests/fhir/with_arena.h"

#include <errno.h>

static struct issues issues;
static struct v2_message message;

static int read_text(struct str text)
{
    issues_init(&issues, arena);
    return v2_read(arena, text, V2_CHARSET_8859_1, &issues, &message);
}

static void test_two_and_four_bytes_a_character(void **state)
{
    static const struct {
        struct str text;
        const char *name, *issue;
    } cases[] = {
        { STR_INIT("\xff\xfeM\0S\0H\0|\0^\0~\0\\\0&\0\r\0P\0I\0D\0|\0\x71\x5c\r\0"), "山",
          "sent in UTF-16; read all the same" },
        { STR_INIT("M\0S\0H\0|\0^\0~\0\\\0&\0\r\0P\0I\0D\0|\0\x40\xd8\x00\xdc\r\0"), "𠀀",
          "sent in UTF-16; read all the same" },
        { STR_INIT("\xfe\xff\0M\0S\0H\0|\0^\0~\0\\\0&\0\r\0P\0I\0D\0|\xd8\x40\0a"),
          "\xef\xbf\xbd"
          "a",
          "sent in UTF-16; read all the same" },
        { STR_INIT("\0M\0S\0H\0|\0^\0~\0\\\0&\0\r\0P\0I\0D\0|\0a\0"), "a",
          "sent in UTF-16; read all the same, but for half a character at its end" },
        { STR_INIT("\0\0\xfe\xff\0\0\0M\0\0\0S\0\0\0H\0\0\0|\0\0\0^\0\0\0\r\0\0\0P\0\0\0I\0\0\0"
                   "D\0\0\0|\0\0\x5c\x71"),
          "山", "sent in UTF-32; read all the same" },
        { STR_INIT("M\0\0\0S\0\0\0H\0\0\0|\0\0\0^\0\0\0\r\0\0\0P\0\0\0I\0\0\0D\0\0\0|\0\0\0"
                   "\0\0\x11\0"),
          "\xef\xbf\xbd", "sent in UTF-32; read all the same" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        assert_int_equal(read_text(cases[i].text), 0);
        assert_int_equal(v2_get_z(&message, "PID-1", &got), V2_PRESENT);
        assert_str(got, cases[i].name);
        assert_str(issues.first->text, cases[i].issue);
    }
}

static void test_other_sets_and_refusals(void **state)
{
    struct str got;
    (void)state;
    assert_int_equal(read_text(STR("MSH|^~\\&\rPID|M\xfcller")), 0);
    assert_int_equal(v2_get_z(&message, "PID-1", &got), V2_PRESENT);
    assert_str(got, "Müller");
    assert_int_equal(read_text(STR("PID|1")), V2_MESSAGE_E_HEADER);
    assert_int_equal(read_text(STR("\xff\xfe")), V2_MESSAGE_E_HEADER);
    assert_int_equal(read_text(STR("")), V2_MESSAGE_E_HEADER);
}

static void test_additions(void **state)
{
    static const struct {
        const char *text, *field, *want;
        size_t segments, issues;
    } cases[] = {
        { "MSH|^~\\&\rOBX|1|FT|a||begin\rADD| and\rADD| end||x\rNTE|1", "OBX-5",
          "begin and end", 3, 0 },
        { "MSH|^~\\&\rOBX|1|FT|a||begin\rADD| and\rADD| end||x\rNTE|1", "OBX-7", "x", 3, 0 },
        { "MSH|^~\\&\rOBX|1\rADD\rNTE|1", "OBX-1", "1", 3, 0 },
        { "MSH|^~\\&\rADD|x\rOBX|1", "ADD-1", "x", 3, 1 },
        { "MSH|^~\\&\rADD|x\rOBX|1\rADD|2", "OBX-1", "12", 3, 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        assert_int_equal(read_text(str_z(cases[i].text)), 0);
        assert_int_equal(message.count, cases[i].segments);
        assert_int_equal(issues.count, cases[i].issues);
        assert_int_equal(v2_get_z(&message, cases[i].field, &got), V2_PRESENT);
        assert_str(got, cases[i].want);
    }
}

/* Of section 2.10.2: a result cut in the middle, with an ADD on both sides of the seam. */
static void test_fragments(void **state)
{
    struct v2_message first;
    struct v2_message next;
    struct str whole;
    (void)state;
    issues_init(&issues, arena);
    assert_int_equal(
        v2_parse(arena,
                 STR("MSH|^~\\&|A||||||ORU^R01|1|P|2.5\rPID|1\rOBX|1|FT|a||This is\r"
                     "ADD|\rDSC|42|F\r"),
                 &issues, &first),
        0);
    assert_int_equal(v2_parse(arena,
                              STR("MSH|^~\\&|A||||||ORU^R01|2|P|2.5||42\rADD| the end||x\r"
                                  "OBX|2\r"),
                              &issues, &next),
                     0);
    assert_str(v2_continues(&first), "42");
    assert_str(v2_continues(&next), "");
    assert_str(v2_continuation_of(&first), "");
    assert_str(v2_continuation_of(&next), "42");
    assert_str(v2_part_place(&first), "DSC-1");
    assert_str(v2_part_place(&next), "MSH-14");
    struct v2_message whole_one; /* many fill MSH-14 */
    assert_int_equal(v2_parse(arena, STR("MSH|^~\\&|A||||||ORU^R01|2|P|2.5||42\rPID|1\r"),
                              &issues, &whole_one),
                     0);
    assert_str(v2_part_place(&whole_one), "");
    assert_int_equal(v2_join_fragments(arena, &first, &next, &whole), 0);
    assert_str(whole,
               "MSH|^~\\&|A||||||ORU^R01|1|P|2.5\rPID|1\rOBX|1|FT|a||This is the end||x\r"
               "OBX|2\r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_and_four_bytes_a_character),
        cmocka_unit_test(test_other_sets_and_refusals),
        cmocka_unit_test(test_additions),
        cmocka_unit_test(test_fragments),
    };
    return cmocka_run_group_tests_name("fhir/v2/read", tests, open_arena, close_arena);
}
