/* What is told of vaccines, given or not. */
#include "tests/fhir/translate/expectation.h"

#define VXU MSH("VXU^V04^VXU_V04")
#define ORC "ORC|RE|P1^EHR|F1^EHR\r"
#define RXA(rest) "RXA|0|1|20260102||03^MMR^CVX|" rest

static void test_status(void **state)
{
    static const struct {
        const char *rxa, *want;
    } cases[] = {
        { RXA("0.5"), "completed" },
        { RXA("0.5||||||||||||||CP|A"), "completed" },
        { RXA("0.5||||||||||||||PA|A"), "completed" },
        { RXA("999||||||||||||00^Parental decision^NIP002||RE|A"), "not-done" },
        { RXA("999||||||||||||||NA|A"), "not-done" },
        { RXA("999||||||||||||00^Parental decision^NIP002"), "not-done" },
        { RXA("0.5||||||||||||||CP|D"), "entered-in-error" },
        { RXA("0.5||||||||||||||CP|U"), "completed" },
        { RXA("0.5||||||||||||||??|A"), "completed" },
        { "RXA|0|1|20260102||998^No vaccine administered^CVX|999", "not-done" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400];
        char want[50];
        (void)snprintf(text, sizeof(text), "%s%s\r", VXU PID ORC, cases[i].rxa);
        (void)snprintf(want, sizeof(want), "\"status\":\"%s\"", cases[i].want);
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        const struct translate_entry *e = entry(&t, "Immunization");
        if (!memmem(e->resource.p, e->resource.n, want, strlen(want))) {
            fail_msg("%s: want %s in %.*s", cases[i].rxa, want, (int)e->resource.n,
                     e->resource.p);
        }
    }
}

static void test_what_was_given(void **state)
{
    static const struct expectation cases[] = {
        { VXU PID ORC RXA("0.50|mL^^UCUM\r"), "Immunization",
          "\"doseQuantity\":{\"value\":0.50,\"unit\":\"mL\",\"system\":"
          "\"http://unitsofmeasure.org\",\"code\":\"mL\"}" },
        { VXU PID ORC RXA("0.50|mL^^UCUM\r"), "Immunization",
          "\"vaccineCode\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/cvx\",\"code\":"
          "\"03\",\"display\":\"MMR\"}]}" },
        { VXU PID ORC RXA("0.50\r"), "Immunization", "\"occurrenceDateTime\":\"2026-01-02\"" },
        { VXU PID ORC "RXA|0|1|||03^MMR^CVX|1\r", "Immunization",
          "\"occurrenceString\":\"unknown\"" },
        { VXU PID ORC RXA("999\r"), "Immunization", "!doseQuantity" },
        { VXU PID ORC RXA("0.5||||||||||||||PA\r"), "Immunization", "\"isSubpotent\":true" },
        { VXU PID ORC RXA("0.5|||00^New^NIP001\r"), "Immunization", "\"primarySource\":true" },
        { VXU PID ORC RXA("999|||01^Historical^NIP001\r"), "Immunization",
          "\"primarySource\":false,\"reportOrigin\":{\"coding\":[{\"code\":\"01\"" },
        { VXU PID ORC RXA("999|||03^From the parent\\T\\s record^NIP001\r"), "Immunization",
          "\"reportOrigin\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/immunization-origin\",\"code\":\"record\"" },
        { VXU PID ORC RXA("0.5|||^cried a little\r"), "Immunization",
          "\"note\":[{\"text\":\"cried a little\"}]" },
        { VXU PID ORC RXA("0.5|||^cried a little\r"), "Immunization", "!primarySource" },
        { VXU PID ORC RXA("0.5|||00|8^Nurse^Ann|^^^Clinic 1\r"), "Location",
          "\"identifier\":[{\"value\":\"Clinic 1\"}],\"name\":\"Clinic "
          "1\",\"mode\":\"instance\"" },
        { VXU PID ORC RXA("0.5|||00|8^Nurse^Ann|^^^Clinic 1\r"), "Immunization",
          "\"performer\":[{\"function\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0443\",\"code\":\"AP\",\"display\":"
          "\"Administering Provider\"}]},\"actor\":{\"reference\":" },
        { VXU PID ORC RXA("0.5|||||||||L7|20270101|MSD^Merck^MVX\r"), "Immunization",
          "\"lotNumber\":\"L7\",\"expirationDate\":\"2027-01-01\"" },
        { VXU PID ORC RXA("0.5|||||||||L7|20270101|MSD^Merck^MVX\r"), "Organization",
          "\"system\":\"http://hl7.org/fhir/sid/mvx\",\"value\":\"MSD\"}],\"name\":\"Merck\"" },
        { VXU PID ORC RXA("0.5||||||||||||||||20260103\r"), "Immunization",
          "\"recorded\":\"2026-01-03\"" },
        { VXU PID ORC RXA("0.5\rRXR|IM^^HL70162|LD^^HL70163\r"), "Immunization",
          "\"site\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0163\","
          "\"code\":\"LD\"}]},\"route\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/"
          "v3-RouteOfAdministration\",\"code\":\"IM\"" },
        { VXU PID "PV1|1|R|||||||||||||||||V1^^^LAB\r" ORC RXA("1\r"), "Immunization",
          "\"encounter\":{\"reference\":" },
        { VXU PID ORC RXA("1\rNTE|1||well\r"), "Immunization",
          "\"note\":[{\"text\":\"well\"}]" },
        { VXU PID ORC RXA("1\rRXR|IM\rNTE|1||well\r"), "Immunization",
          "\"note\":[{\"text\":\"well\"}]" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_results_below_it(void **state)
{
    static const struct expectation cases[] = {
        { VXU PID ORC RXA("1\rOBX|1|CE|64994-7^^LN|1|V02^Medicaid^HL70064||||||F\r"),
          "Immunization",
          "\"programEligibility\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0064\",\"code\":\"V02\"" },
        { VXU PID ORC RXA("1\rOBX|1|CE|30963-3^^LN|1|PHC70^Private^CDCPHINVS||||||F\r"),
          "Immunization", "\"fundingSource\":{\"coding\":[{\"code\":\"PHC70\"" },
        { VXU PID ORC RXA("1\rOBX|1|ST|48767-8^^LN|1|careful||||||F\r"), "Immunization",
          "\"note\":[{\"text\":\"careful\"" },
        { VXU PID ORC RXA("1\rOBX|1|CE|64994-7^^LN|1|V02^Medicaid^HL70064||||||D\r"),
          "Immunization", "!programEligibility" },
        /* statements: what belongs together shares a sub-id, wherever it stands */
        { VXU PID ORC RXA("1\rOBX|1|CE|30956-7^^LN|2|85^Hepatitis A^CVX||||||F\r"
                          "OBX|2|CE|30956-7^^LN|3|48^Hib^CVX||||||F\r"
                          "OBX|3|TS|29768-9^^LN|2|20111025||||||F\r"
                          "OBX|4|TS|29769-7^^LN|2|20150303||||||F\r"
                          "OBX|5|TS|29769-7^^LN|3|20150304||||||F\r"),
          "Immunization",
          "\"education\":[{\"documentType\":\"Hepatitis A\",\"publicationDate\":\"2011-10-25\","
          "\"presentationDate\":\"2015-03-03\"},{\"documentType\":\"Hib\","
          "\"presentationDate\":\"2015-03-04\"}]" },
        { VXU PID ORC RXA("1\rOBX|1|TS|29769-7^^LN|2|20150303||||||F\r"), "Immunization",
          "\"education\":[{\"presentationDate\":\"2015-03-03\",\"documentType\":"
          "\"Vaccine information statement\"}]" },
        { VXU PID ORC RXA(
              "1\rOBX|1|CE|31044-1^^LN|1|VXC12^Fever^CDCPHINVS||||||F|||20260103\r"),
          "Immunization", "\"reaction\":[{\"date\":\"2026-01-03\",\"detail\":{\"reference\":" },
        { VXU PID ORC RXA("1\rOBX|1|CE|31044-1^^LN|1|VXC12^Fever^CDCPHINVS||||||F\r"),
          "Observation", "\"partOf\":[{\"reference\":" },
        { VXU PID "OBX|1|NM|8867-4^Heart rate^LN||60||||||F\r" ORC RXA("1\r"), "Observation",
          "!partOf" },
        { VXU PID ORC "PRT|1|AD||OP^^HL70443|9^Who\r" RXA("1\r"), "Immunization",
          "\"code\":\"OP\",\"display\":\"Ordering Provider\"}" },
        { VXU PID ORC "PRT|1|AD||OP^^HL70443|9^Who\r" RXA("1\r"), "CareTeam", "!{" },
        { MSH("RSP^K11^RSP_K11") "MSA|AA|1\rQAK|1|OK|Z34\rQPD|Z34|1|7\r" PID ORC RXA("1\r"),
          "Immunization", "\"code\":\"03\"" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_the_same_ones(void **state)
{
    static const struct same_id cases[] = {
        { VXU PID ORC RXA("1\r"),
          VXU PID ORC "RXA|0|1|20260103||48^Hib^CVX|2||||||||||||||CP|U\r", "Immunization" },
        { VXU PID ORC RXA("1\r"), VXU PID "PV1|1|R\r" ORC RXA("1||||||||||||||CP|D\r"),
          "Immunization" },
        { VXU PID "ORC|RE||9999^CDC\r" RXA("999||||||||||||00||RE\r"),
          VXU PID "ORC|RE||9999^CDC\r" RXA("999||||||||||||03||RE\r"), "Immunization" },
    };
    (void)state;
    check_same_ids(cases, ARRAY_LEN(cases));
}

/* 9999 is nobody's number: refusals of two patients, and of two vaccines, are two. */
static void test_refusals_without_number(void **state)
{
    static const char *const messages[] = {
        VXU PID "ORC|RE||9999^CDC\r" RXA("999||||||||||||00||RE\r"),
        VXU "PID|1||8^^^LAB\rORC|RE||9999^CDC\r" RXA("999||||||||||||00||RE\r"),
        VXU PID "ORC|RE||9999^CDC\rRXA|0|1|20260102||48^Hib^CVX|999||||||||||||00||RE\r",
        VXU PID "ORC|RE||9998^CDC\r" RXA("999||||||||||||00||RE\r"),
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct str seen[ARRAY_LEN(messages)];
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(messages[i]), false), 0);
        seen[i] = entry(&t, "Immunization")->id;
        for (size_t j = 0; j < i; j++) {
            assert_false(str_eq(seen[i], seen[j]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_what_was_given),
        cmocka_unit_test(test_results_below_it),
        cmocka_unit_test(test_the_same_ones),
        cmocka_unit_test(test_refusals_without_number),
    };
    return cmocka_run_group_tests_name("fhir/translate/immunization", tests, setup, teardown);
}
