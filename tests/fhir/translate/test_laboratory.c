/* What laboratories say: results, specimens, and what belongs to what. */
#include "tests/check.h"

#include "tests/fhir/translate/expectation.h"

#define OML MSH("OML^O21^OML_O21")
#define ORM MSH("ORM^O01^ORM_O01")
#define ORC "ORC|NW|P1^HIS|||||||20260101"
#define OBR "OBR|1|P1^HIS||CBC^Blood count^L\r"

static void test_specimens(void **state)
{
    static const struct expectation cases[] = {
        { OML PID ORC "\r" OBR "SPM|1|S1&LAB^T1||BLD|||||||||||||||N\r", "Specimen",
          "!status" },
        { OML PID ORC "\r" OBR "SPM|1|S1&LAB^T1||BLD||||||||||||||||N\r", "Specimen",
          "\"status\":\"unavailable\"" },
        { OML PID ORC "\r" OBR "SPM|1|S1&LAB^T1||BLD|||||||||||||||||RH^Hemolysis\r",
          "Specimen", "\"status\":\"unsatisfactory\"" },
        { OML PID ORC "\r" OBR "SPM|1|S1&LAB^T1||BLD|||||||||||||||||RH^Hemolysis\r",
          "Specimen", "\"note\":[{\"text\":\"Rejected: Hemolysis\"}]" },
        { OML PID ORC "\r" OBR "SPM|1|S2|S1&LAB^T1~S0|BLD\r", "Specimen",
          "\"parent\":[{\"identifier\":{\"type\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PLAC\",\"display\":"
          "\"Placer Identifier\"}]},\"system\":\"urn:oid:1.2.3.4\",\"value\":\"S1\"," },
        { OML PID ORC "\r" OBR "SPM|1|S2|||||||||||||||||||||||||TUBE^Tube\r", "Specimen",
          "\"container\":[{\"type\":{\"coding\":[{\"code\":\"TUBE\"," },
        { OML PID ORC
          "\r" OBR
          "SPM|1|S2|||||||||||||||||||||||||TUBE^Tube\rSAC||A1|C1^LAB|C0||||||||||||||||||10|"
          "4||ml\r",
          "Specimen",
          "\"container\":[{\"identifier\":[{\"system\":\"urn:oid:1.2.3.4\",\"value\":\"C1\","
          "\"assigner\":{\"display\":\"LAB\"}}],\"type\":{\"coding\":[{\"code\":\"TUBE\","
          "\"display\":\"Tube\"}]},\"description\":\"parent container C0\"" },
        { OML PID ORC "\rOBR|1|P1||C||||||9^Col\rSPM|1|S2||BLD\r", "Specimen",
          "\"collector\":{\"reference\":" },
        { OML PID ORC "\r" OBR "PRT|1|AD||SC^Collector|9^Who\rSPM|1|S2||BLD\r", "Specimen",
          "\"collector\":{\"reference\":" },
        /* before there was an SPM */
        { ORM PID ORC "\rOBR|1|P1||C|||20260101|||||||20260102|BLD&Blood^EDTA^red^ARM\r",
          "Specimen", "\"collectedDateTime\":\"2026-01-01\"" },
        { MSH("OUL^R21^OUL_R21") PID "SAC||A1|C1|||BLD\rORC|RE|P1|F1\rOBR|1|P1|F1|C\r",
          "Specimen",
          "\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0070\","
          "\"code\":\"BLD\"}]}" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_results(void **state)
{
    static const struct expectation cases[] = {
        { ORU PID "OBR|1|P|F|C\rOBX|1|NM|A|1.2^1^2|5||||||X\r", "Observation",
          "observation-v2-subid\",\"extension\":[{\"url\":\"original-sub-identifier\","
          "\"valueString\":\"1.2\"},{\"url\":\"group\",\"valueDecimal\":1}," },
        { ORU PID "OBR|1|P|F|C\rOBX|1|NM|A||||||||X\r", "Observation",
          "\"_status\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/alternate-codes\"" },
        { ORU PID "OBR|1|P|F|C\rOBX|1|NM|A||5|||||S|F|||||||||20260102\r", "Observation",
          "nature-of-abnormal-test\",\"valueCodeableConcept\":" },
        { ORU PID "OBR|1|P|F|C\rOBX|1|NM|A||5|||||S|F||||||||20260102\r", "Observation",
          "observation-analysis-date-time\",\"valueDateTime\":\"2026-01-02\"" },
        { ORU PID "OBR|1|P|F|C\rOBX|1|SN|A||^1^:^8|{titer}^^UCUM\r", "Observation",
          "\"denominator\":{\"value\":8,\"unit\":\"{titer}\"" },
        { ORU PID "OBR|1|P|F|C\rOBX|1|VR|A||a^b\r", "Observation", "\"valueString\":\"a-b\"" },
        { ORU PID "OBR|1|P|F|C\rOBX|1|NM|A||5||||||F||||||||||||Lab^^7|||9^Head\r",
          "Observation", "\"performer\":[{\"reference\":\"urn:uuid:" },
        { ORU PID "OBR|1|P|F|C\rOBX|1|NM|A||5||||||F||||||||||||Lab^^7||9^Head\r",
          "Observation",
          "\"display\":\"Head\",\"extension\":[{\"url\":\"http://hl7.org/fhir/"
          "StructureDefinition/"
          "event-performerFunction\",\"valueCodeableConcept\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0912\",\"code\":\"MDIR\"" },
        { ORU PID "OBR|1|P|F|C|||||||||||||||||||||F|||||||9&Int|8&Tec|7&Typ\r",
          "DiagnosticReport", "\"resultsInterpreter\":[{\"reference\":\"urn:uuid:" },
        { ORU PID "OBR|1|P|F|C|||||||||||||||||||||F|||||||9&Int^2026^^W^2^B\r",
          "PractitionerRole", "\"period\":{\"start\":\"2026\"},\"location\":[{\"reference\"" },
        { ORU PID "OBR|1|P|F|C|||||||||||||||||||||F||||||||||7&Typ\r", "DiagnosticReport",
          "\"code\":\"TRANS\",\"_code\":" },
        /* documents stand in the report, or where there is none with the result */
        { OML PID ORC "\r" OBR "OBX|1|ED|A||^application^pdf^Base64^QUJD\r", "Observation",
          "extension-Observation.valueAttachment\",\"valueAttachment\":{\"contentType\":"
          "\"application/pdf\",\"data\":\"QUJD\"}" },
        { ORU PID "OBX|1|ED|A||^application^pdf^Base64^QUJD\r", "Observation",
          "\"valueAttachment\":{\"contentType\":\"application/pdf\",\"data\":\"QUJD\"}" },
        { OML PID ORC "\r" OBR "OBX|1|ED|A||^application^pdf^Base64^QUJD\r", "DiagnosticReport",
          "!{" },
        /* an answer to a question of the order's */
        { OML PID ORC "\r" OBR "OBX|1|CWE|A||Y||||||O||||||||||||||||||QST\r", "Observation",
          "\"category\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0936\",\"code\":\"QST\"}]}]" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* Each result belongs to its order and specimen, each specimen and diagnosis to its order. */
static void test_what_belongs_to_what(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = translated(
        arena, ORU PID "PV1|1|I|||||||||||||||||V1^^^LAB\rOBX|1|NM|AGE||70\r"
                       "ORC|RE|P1|F1\rOBR|1|P1|F1|A\rNTE|1||x\rOBX|1|NM|A1||1\rOBX|2|NM|A2||2\r"
                       "SPM|1|S1&LAB||BLD\rOBX|1|ST|COL||red\r"
                       "ORC|RE|P2|F2\rOBR|2|P2|F2|B\rOBX|1|NM|B1||3\rSPM|1|S1&LAB||BLD\r");
    assert_int_equal(count_of(&t, "DiagnosticReport"), 2);
    assert_int_equal(count_of(&t, "Observation"), 5);
    assert_int_equal(count_of(&t, "Specimen"), 1); /* the same in both orders */
    const struct translate_entry *visit = nth(&t, "Encounter", 0);
    const struct translate_entry *specimen = nth(&t, "Specimen", 0);
    static const size_t of[] = { 2, 0, 0, 0, 1 }; /* report of each result, 2: none */
    for (size_t i = 0; i < ARRAY_LEN(of); i++) {
        const struct translate_entry *result = nth(&t, "Observation", i);
        for (size_t r = 0; r < 2; r++) {
            assert_int_equal(refers(&t, nth(&t, "DiagnosticReport", r), "result", result),
                             of[i] == r);
            assert_int_equal(refers(&t, result, "basedOn", nth(&t, "ServiceRequest", r)),
                             of[i] == r);
        }
        assert_int_equal(refers(&t, result, "focus", specimen), i == 3);
    }
    for (size_t r = 0; r < 2; r++) {
        const struct translate_entry *report = nth(&t, "DiagnosticReport", r);
        assert_true(refers(&t, report, "basedOn", nth(&t, "ServiceRequest", r)));
        assert_true(refers(&t, report, "specimen", specimen));
        assert_non_null(memmem(report->resource.p, report->resource.n, visit->full_url.p,
                               visit->full_url.n));
    }
}

/* Specimens above their orders, and orders that stand before their ORC. */
static void test_specimens_with_several_orders(void **state)
{
    static const char *const messages[] = {
        MSH("OML^O33^OML_O33") PID
        "SPM|1|S1&LAB||BLD\rSAC||A1|C1\rORC|NW|P1\rOBR|1|P1||A\rORC|NW|P2\r"
        "OBR|2|P2||B\rSPM|2|S2&LAB||URN\rORC|NW|P3\rOBR|3|P3||C\r",
        MSH("OUL^R22^OUL_R22") PID
        "SPM|1|S1&LAB||BLD\rSAC||A1|C1\rOBR|1|P1|F1|A\rORC|RE|P1|F1\rOBX|1|NM|A||1\r"
        "OBR|2|P2|F2|B\rORC|RE|P2|F2\rSPM|2|S2&LAB||URN\rORC|RE|P3|F3\r"
        "OBR|3|P3|F3|C\r",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = translated(arena, messages[i]);
        assert_int_equal(count_of(&t, "Specimen"), 2);
        assert_int_equal(count_of(&t, "ServiceRequest"), 3);
        for (size_t r = 0; r < 3; r++) {
            const struct translate_entry *order = nth(&t, "ServiceRequest", r);
            assert_int_equal(refers(&t, order, "specimen", nth(&t, "Specimen", 0)), r < 2);
            assert_int_equal(refers(&t, order, "specimen", nth(&t, "Specimen", 1)), r == 2);
        }
    }
}

/* A specimen is the same in other orders and messages if its number says whose it is. */
static void test_ids_of_specimens(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { OML PID ORC "\r" OBR "SPM|1|S1&LAB||BLD\r",
          OML PID "ORC|NW|P2\rOBR|1|P2||C\rSPM|2|S1&LAB||URN\r", true },
        { OML PID ORC "\r" OBR "SPM|1|S1||BLD\r",
          OML PID "ORC|NW|P2\rOBR|1|P2||C\rSPM|1|S1||BLD\r", false },
        { OML PID ORC "\r" OBR "SPM|1|S1||BLD\r", OML PID "ORC|SC|P1^HIS\rSPM|1|S1||BLD\r",
          true },
        { OML PID ORC "\r" OBR "SPM|1|S1&LAB||BLD\r",
          OML "PID|1||8^^^LAB\r" ORC "\r" OBR "SPM|1|S1&LAB||BLD\r", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated a = translated(arena, cases[i].a);
        struct translated b = translated(arena, cases[i].b);
        assert_int_equal(str_eq(nth(&a, "Specimen", 0)->id, nth(&b, "Specimen", 0)->id),
                         cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specimens),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_what_belongs_to_what),
        cmocka_unit_test(test_specimens_with_several_orders),
        cmocka_unit_test(test_ids_of_specimens),
    };
    return cmocka_run_group_tests_name("fhir/translate/laboratory", tests, setup, teardown);
}
