/* What master files tell of staff and places. */
#include "tests/fhir/translate/expectation.h"

#define STAFF MSH("MFN^M02^MFN_M02") "MFI|PRA||UPD|||AL\r"
#define PLACES MSH("MFN^M05^MFN_M05") "MFI|LOC||UPD|||AL\r"
#define MFE(event) "MFE|" event "|1||S7|CWE\r"
#define STF "STF|S7|77^^^LAB^EI|Who^Doc^^^Dr|N^Nurse|F|19700203|A\r"
#define LOC "LOC|W^2^B^HOSP|Ward 2|N|Hospital^^9|1 Street^^Town|^WPN^PH^^1^555^7\r"

static void test_staff(void **state)
{
    static const struct expectation cases[] = {
        { STAFF MFE("MAD") STF, "Practitioner",
          "\"system\":\"urn:oid:1.2.3.4\",\"value\":\"77\"" },
        { STAFF MFE("MAD") STF, "Practitioner",
          "\"active\":true,\"name\":[{\"family\":\"Who\",\"given\":[\"Doc\"],\"prefix\":["
          "\"Dr\"]}],\"gender\":\"female\",\"birthDate\":\"1970-02-03\"" },
        { STAFF MFE("MDL") STF, "Practitioner", "\"active\":false" },
        { STAFF MFE("MDC") STF, "Practitioner", "\"active\":false" },
        { STAFF MFE("MDC") STF, "PractitionerRole", "\"active\":false" },
        { STAFF MFE("MAC") "STF|S7|77^^^LAB|Who||||I\r", "Practitioner", "\"active\":true" },
        { STAFF MFE("MUP") "STF|S7|77^^^LAB|Who||||I\r", "Practitioner", "\"active\":false" },
        { STAFF MFE("MUP") "STF|S7|77^^^LAB|Who\r", "Practitioner", "!active" },
        { STAFF MFE("MAD") "STF|S7|77^^^LAB|Who\r", "Practitioner", "\"active\":true" },
        { STAFF MFE("MAD") "STF|S7|77^^^LAB|Who||||||||||||a@b.c\r", "Practitioner",
          "\"telecom\":[{\"system\":\"email\",\"value\":\"a@b.c\"}]" },
        { STAFF MFE("MAD") STF "PRA|S7|G^Group|D^Doctor||Surgery^Board^C^20000101|123^SL\r",
          "PractitionerRole", "\"practitioner\":{\"reference\":" },
        { STAFF MFE("MAD") STF "PRA|S7|G^Group|D^Doctor||Surgery^Board^C^20000101|123^SL\r",
          "PractitionerRole", "\"specialty\":[{\"text\":\"Surgery\"}]" },
        { STAFF MFE("MAD") STF "PRA|S7|G^Group|D^Doctor||Surgery^Board^C^20000101|123^SL\r",
          "Practitioner",
          "\"qualification\":[{\"code\":{\"text\":\"Surgery\"},\"period\":{\"start\":"
          "\"2000-01-01\"},\"issuer\":{\"display\":\"Board\"}}]" },
        { STAFF MFE("MAD") STF "ORG|1|U1^Unit^L|D^Department|Y\r", "Organization",
          "\"name\":\"Unit\"" },
        { STAFF MFE("MAD") "STF|S7|77^^^LAB|Who\rORG|1|U1^Unit^L|D\r", "PractitionerRole",
          "\"organization\":{\"reference\":" },
        { STAFF MFE(
              "MAD") "STF|S7|77^^^LAB|Who\rAFF|1|Society^^12|1 Street|20000101^20100101\r",
          "PractitionerRole", "\"period\":{\"start\":\"2000-01-01\",\"end\":\"2010-01-01\"}" },
        { STAFF MFE("MAD") STF "LAN|1|eng^English^ISO639\rLAN|2|ger^German^ISO639\r",
          "Practitioner",
          "\"communication\":[{\"coding\":[{\"system\":\"urn:ietf:bcp:47\",\"code\":\"en\"," },
        { STAFF MFE("MAD") STF "EDU|1|MD|19900101^19960101||19960601|University^^3\r",
          "Practitioner",
          "\"qualification\":[{\"code\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0360\",\"code\":\"MD\"" },
        { STAFF MFE("MAD") STF "EDU|1|MD|19900101^19960101||19960601|University^^3\r",
          "Practitioner", "\"period\":{\"start\":\"1990-01-01\",\"end\":\"1996-06-01\"}" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_places(void **state)
{
    static const struct expectation cases[] = {
        { PLACES MFE("MAD") LOC, "Location",
          "\"identifier\":[{\"value\":\"W^2^B^HOSP\"}],\"status\":\"active\",\"name\":"
          "\"Ward 2\",\"mode\":\"instance\"" },
        { PLACES MFE("MAD") LOC, "Location",
          "\"type\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
          "v2-0260\","
          "\"code\":\"N\"}]}]" },
        { PLACES MFE("MAD") LOC, "Location", "\"managingOrganization\":{\"reference\":" },
        { PLACES MFE("MDL") LOC, "Location", "\"status\":\"inactive\"" },
        { PLACES MFE("MDC") LOC "LDP|W^2^B^HOSP|D||||A\r", "Location",
          "\"status\":\"inactive\"" },
        { PLACES MFE("MUP") LOC "LDP|W^2^B^HOSP|D||||I\r", "Location",
          "\"status\":\"inactive\"" },
        { PLACES MFE("MAC") LOC, "Location", "\"status\":\"active\"" },
        { PLACES MFE("MAD") LOC "LRL|W^2^B|A||PAR^Parent||W^^^HOSP\r", "Location",
          "\"partOf\":{\"reference\":" },
        { PLACES MFE("MAD") LOC "LCH|W^2^B|A||SMK^Smoking|Y\r", "Location",
          "extension-Location.characteristic\",\"valueCodeableConcept\":{\"coding\":[{\"code\":"
          "\"SMK\"" },
        { PLACES MFE("MAD") LOC "LCH|W^2^B|A||SMK^Smoking|N\r", "Location",
          "!Location.characteristic" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* A record is the one that other messages mention, and an update is of the record. */
static void test_records_are_those_mentioned(void **state)
{
    static const struct same_id cases[] = {
        { STAFF MFE("MAD") STF, STAFF MFE("MDL") "STF|X|77^^^LAB|New^Name\r", "Practitioner" },
        { STAFF MFE("MAD") STF, ADT PID "PV1|1|I|||||77^Who^Doc^^^^^^LAB\r", "Practitioner" },
        { STAFF MFE("MAD") STF, STAFF MFE("MUP") STF, "PractitionerRole" },
        { PLACES MFE("MAD") LOC, PLACES MFE("MDC") "LOC|W^2^B^HOSP|Other\r", "Location" },
        { PLACES MFE("MAD") LOC, ADT PID "PV1|1|I|W^2^B^HOSP\r", "Location" },
    };
    (void)state;
    check_same_ids(cases, ARRAY_LEN(cases));
}

/* Records beside each other are of nobody's but their own. */
static void test_records_beside_each_other(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    const char *text =
        STAFF "MFE|MAD|1||S7|CWE\r" STF "MFE|MDL|2||S8|CWE\rSTF|S8|78^^^LAB|Other^One\r"
              "MFE|MAD|3||W^2^B|PL\r" LOC;
    assert_int_equal(translate_with(&t, str_z(text), false), 0);
    static const char *const want[] = { "Practitioner", "PractitionerRole", "Practitioner",
                                        "Location",     "Organization",     "Organization",
                                        "Provenance" };
    size_t found = 0;
    for (size_t i = 0; i < t.result.count; i++) {
        found += strcmp(t.result.entries[i].type, "Practitioner") == 0;
    }
    assert_int_equal(found, 2);
    assert_true(t.result.count <= ARRAY_LEN(want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_staff),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_records_are_those_mentioned),
        cmocka_unit_test(test_records_beside_each_other),
    };
    return cmocka_run_group_tests_name("fhir/translate/master", tests, setup, teardown);
}
