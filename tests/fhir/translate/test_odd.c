/* Messages with odd parts: what becomes of the rest is valid all the same. */
#include "tests/check.h"

#include "fhir/validate/validate.h"
#include "tests/fhir/translate/translated.h"

static const char *const messages[] = {
    /* periods that end before they begin, wherever they stand */
    ADT "EVN||2026|||9^Who^Doc^^^^^^LAB^^^^^^^^^^2026^2025\r" PID,
    ADT PID
    "ROL|1|AD|PP|^Who^Doc^^^^^^^^^^^^^^^^2026^2025|||||||1 Main St^^^^^^^^^^^2026^2025\r",
    MSH("SIU^S12^SIU_S12") "SCH|P1|F1|||||||||^^^20260102100000+0100^20260102090000+0100\r" PID,
    /* what is asked for in more than one way, a service that says nothing but details */
    MSH("OUL^R22^OUL_R22") PID
    "SPM|1|S1||B\rOBR|1|P1|F1|C||20260102||||||||||||||||||||||||||||||"
    "20260103\rORC|RE|P1|F1||||3^Q1H\r",
    MSH("OML^O21^OML_O21") PID
    "ORC|NW|P1\rOBR|1|P1||^^L||||||||||||||||||||||||||||||||||||||||||A^B\r",
    /* parts of something that has no name itself */
    ADT PID "NK1|1||EMR||||||||||^L|||||||||||||||||Doe^Joe|555|1 Main St\r",
    MSH("PEX^P07^PEX_P07") "EVN||20260102\r" PID "PES|Maker\rPEO||R21^Rash^I10|20260102\r"
                           "PCR|^^L||related|||||||||||||||||S\r",
    /* systems that are no URIs */
    ADT "PID|1||7^^^A&{\"a\":1}&URI~8^^^B&50%&URI~9^^^C&1..2&ISO~10^^^D&"
        "x2345678-1234-1234-1234-123456789012&UUID\r",
};

static void test_valid_all_the_same(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *definitions = arena_new(1 << 20);
    struct validator *validator;
    assert_int_equal(validator_new(definitions, &validator), 0);
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct translated t = { .arena = arena };
        struct issues issues;
        issues_init(&issues, arena);
        assert_int_equal(translate_with(&t, str_z(messages[i]), false), 0);
        assert_true(t.result.count > 1);
        assert_int_equal(validate_resource(validator, arena, t.result.tree,
                                           &(struct validate_options){ 0 }, &issues),
                         0);
        for (const struct issue *issue = issues.first; issue; issue = issue->next) {
            if (issue->severity >= ISSUE_ERROR) {
                fail_msg("message %zu: %.*s %.*s", i, (int)issue->place.n, issue->place.p,
                         (int)issue->text.n, issue->text.p);
            }
        }
    }
}

/* A system that is none is left out, the number stays. */
static void test_systems(void **state)
{
    static const struct {
        const char *authority, *want; /* "": no system */
    } cases[] = {
        { "&http://a.example/x%20y&URI", "http://a.example/x%20y" },
        { "&http://a.example/\xc3\xb6&URI", "http://a.example/\xc3\xb6" },
        { "&a|b&URI", "" },
        { "&a%2&URI", "" },
        { "&a%2g&URI", "" },
        { "&2.16.840.1&ISO", "urn:oid:2.16.840.1" },
        { "&2.16.840.1.&ISO", "" },
        { "&2..1&ISO", "" },
        { "&3.1&ISO", "" },
        { "&12345678-1234-1234-1234-123456789aBc&UUID",
          "urn:uuid:12345678-1234-1234-1234-123456789aBc" },
        { "&12345678-1234-1234-1234+123456789abc&UUID", "" },
        { "&12345678-1234-1234-1234-123456789ab&GUID", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct translated t = { .arena = arena };
        char text[256];
        (void)snprintf(text, sizeof(text), ADT "PID|1||7^^^%s\r", cases[i].authority);
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        const struct translate_entry *patient = entry(&t, "Patient");
        assert_non_null(patient);
        const struct node *id = node_first(node_get(patient->tree, "identifier"));
        assert_str(node_text(id, "value"), "7");
        assert_str(node_text(id, "system"), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_all_the_same),
        cmocka_unit_test(test_systems),
    };
    return cmocka_run_group_tests_name("fhir/translate/odd", tests, setup, teardown);
}
