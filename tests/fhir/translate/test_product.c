/* What PEX messages become: events, and the products that are suspected of them. */
#include "tests/fhir/translate/expectation.h"

#define PEX MSH("PEX^P07^PEX_P07") "EVN||20260102\r" PID
#define PES "PES|||||E1^LAB||||20260103|20260104\r"
#define PEO "PEO||R21^Rash^I10|20260101\r"

static void test_elements(void **state)
{
    static const struct expectation cases[] = {
        { PEX PES PEO, "AdverseEvent", "\"actuality\":\"actual\"" },
        { PEX PES PEO, "AdverseEvent", "\"subject\":{\"reference\":\"urn:uuid:" },
        { PEX PES PEO, "AdverseEvent", "\"value\":\"E1\"" },
        { PEX PES PEO, "AdverseEvent",
          "\"event\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10\","
          "\"code\":\"R21\",\"display\":\"Rash\"}]}" },
        { PEX PES PEO, "AdverseEvent", "\"date\":\"2026-01-01\"" },
        { PEX PES PEO, "AdverseEvent", "\"detected\":\"2026-01-03\"" },
        { PEX PES PEO, "AdverseEvent", "\"recordedDate\":\"2026-01-04\"" },
        { PEX PES PEO, "AdverseEvent", "!suspectEntity" },
        { PEX "PES|Maker\r" PEO, "AdverseEvent", "\"recorder\":{\"display\":\"Maker\"}" },
        { PEX "PES|Maker|^Who\r" PEO, "AdverseEvent",
          "\"recorder\":{\"reference\":\"#1\",\"display\":\"Who\"}" },
        { PEX PES "PEO||R21^^I10|||||||Y\r", "AdverseEvent", "\"code\":\"Serious\"" },
        { PEX PES "PEO||R21^^I10|||||||S\r", "AdverseEvent",
          "\"seriousness\":{\"text\":\"Significant\"}" },
        { PEX PES "PEO||R21^^I10||||||||||S\r", "AdverseEvent",
          "\"code\":\"resolvedWithSequelae\"" },
        { PEX PES "PEO||R21^^I10||||||||||X\r", "AdverseEvent", "!outcome" },
        /* products, of which some are devices */
        { PEX PES PEO "PCR|A^Pill||^like before|||||||||L7||||||||H\r", "AdverseEvent",
          "\"code\":\"A\",\"display\":\"Pill\"}]},\"batch\":{\"lotNumber\":\"L7\"}}" },
        { PEX PES PEO "PCR|A^Pill||^like before|||||||||L7||||||||H\r", "AdverseEvent",
          "\"code\":\"H\",\"display\":\"Highly probable\"" },
        { PEX PES PEO "PCR|A^Pump^L||||||20250101\r", "AdverseEvent",
          "\"resourceType\":\"Device\"" },
        { PEX PES PEO "PCR|A^Pump^L||||||20250101\r", "AdverseEvent", "!Medication" },
        { PEX PES PEO "PCR|A^Pill\rOBX|1|NM|K||1\r", "AdverseEvent",
          "\"subjectMedicalHistory\":[{\"reference\":\"urn:uuid:" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* Each observation is an event, told by its report's number, its time and what it is. */
static void test_several(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    (void)state;
    struct str text = str_z(PEX PES PEO "PCR|A^Pill\rPCR|B^Pill^L\rPEO||R22^^I10|20260102\r");
    assert_int_equal(translate_with(&t, text, false), 0);
    size_t events = 0;
    for (size_t i = 0; i < t.result.count; i++) {
        events += strcmp(t.result.entries[i].type, "AdverseEvent") == 0;
    }
    assert_int_equal(events, 2);
    static const struct same_id same[] = {
        { PEX PES PEO, PEX PES PEO "PCR|A^Pill\r", "AdverseEvent" },
    };
    check_same_ids(same, ARRAY_LEN(same));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_several),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
