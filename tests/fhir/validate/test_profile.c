/*
 * Profiles: HL7's extensions, and tests/vectors/fhir/profile_lab.json.
 */
#include "tests/fhir/validate/validating.h"

#define RESULT "http://lab.example/StructureDefinition/result"

/* A result that conforms, in pieces that a case replaces one of. */
enum piece {
    EXTENSION,
    IDENTIFIER,
    STATUS,
    CATEGORY,
    CODE,
    SUBJECT,
    VALUE,
    REST,
    PIECES,
};

static const char *const good[PIECES] = {
    [EXTENSION] = "\"extension\":[{\"url\":\"http://lab.example/StructureDefinition/device\","
                  "\"valueString\":\"a\"}]",
    [IDENTIFIER] = ",\"identifier\":[{\"system\":\"http://lab.example/results\"}]",
    [STATUS] = ",\"status\":\"final\"",
    [CATEGORY] = ",\"category\":[{\"text\":\"a\"},{\"coding\":[{\"system\":"
                 "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":"
                 "\"laboratory\",\"display\":\"b\"}]}]",
    [CODE] = ",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"1-8\"}]}",
    [SUBJECT] = ",\"subject\":{\"reference\":\"Patient/1\"}",
    [VALUE] = ",\"valueQuantity\":{\"value\":1.0,\"system\":\"http://a\",\"code\":\"1\"}",
    [REST] = "",
};

static void test_a_profile(void **state)
{
#define COMPONENT(code, more)                                                                  \
    ",\"component\":[{\"code\":{\"coding\":[{\"code\":\"" code "\"}]}" more "}]"
    static const struct {
        enum piece piece;
        const char *instead;
        const char *want;
    } cases[] = {
        { REST, "", "" },
        { EXTENSION, "\"id\":\"a\"",
          "Observation.extension: the element is there 0 times; its definition wants 1 at "
          "least\n"
          "Observation.extension: slice device is there 0 times; its definition wants 1 at "
          "least" },
        { EXTENSION,
          "\"extension\":[{\"url\":\"http://lab.example/StructureDefinition/device\","
          "\"valueInteger\":1}]",
          "Observation.extension[0].value: has a type that its definition doesn't allow\n"
          "Observation.extension[0]: conforms to none of the profiles it must conform to" },
        { IDENTIFIER, "",
          "Observation.identifier: the element is there 0 times; its definition wants 1 at "
          "least" },
        { IDENTIFIER, ",\"identifier\":[{\"system\":\"http://other.example\"}]",
          "Observation.identifier[0].system: isn't the value that its definition fixes" },
        { STATUS, ",\"status\":\"preliminary\"",
          "Observation.status: has no code of the value set "
          "http://lab.example/ValueSet/status, which its profile requires" },
        { STATUS, ",\"status\":\"corrected\"", "Observation: breaks lab-1" },
        { CATEGORY, ",\"category\":[{\"text\":\"a\"}]",
          "Observation.category: slice laboratory is there 0 times; its definition wants 1 at "
          "least" },
        { CODE, ",\"code\":{\"coding\":[{\"system\":\"http://snomed.info/sct\"}]}",
          "Observation.code: hasn't what its definition wants by a pattern" },
        { SUBJECT, ",\"subject\":{\"reference\":\"Group/1\"}",
          "Observation.subject: points at a type that its profile doesn't allow" },
        { VALUE, ",\"valueString\":\"a\"", "" },
        { VALUE, ",\"valueQuantity\":{\"value\":1.0}",
          "Observation.value.code: the element is there 0 times; its definition wants 1 at "
          "least" },
        { VALUE, ",\"valueInteger\":1",
          "Observation.value: has a type that its definition doesn't allow\n"
          "Observation.value: belongs to no slice, and others are not allowed" },
        { REST, ",\"note\":[{\"text\":\"a\"}]",
          "Observation.note: the element is there 1 times; its definition wants 0 at least, "
          "and not so many" },
        { REST, COMPONENT("method", ",\"valueString\":\"a\""), "" },
        { REST, COMPONENT("method", ""),
          "Observation.component[0].value: the element is there 0 times; its definition "
          "wants 1 at least" },
        { REST, COMPONENT("other", ",\"valueString\":\"a\""),
          "Observation.component[0]: belongs to no slice, and others are not allowed" },
        { REST, COMPONENT("method", ",\"dataAbsentReason\":{\"text\":\"a\"}"),
          "Observation.component[0]: belongs to no slice, and others are not allowed" },
    };
    (void)state;
    static const struct str profiles[] = { STR_INIT(RESULT "|1.0") };
    const struct validate_options options = { .profiles = profiles, .profiles_n = 1 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct buf text = arena_buf(arena, 1 << 16);
        buf_z(&text, "{\"resourceType\":\"Observation\",");
        for (size_t p = 0; p < PIECES; p++) {
            buf_z(&text, p == cases[i].piece ? cases[i].instead : good[p]);
        }
        buf_z(&text, "}");
        struct issues issues;
        validating_text(arena, buf_str(&text), &options, &issues);
        assert_str(validating_said(arena, &issues, ISSUE_ERROR), cases[i].want);
    }
}

static void test_a_profile_that_the_resource_names(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    validating_text(arena,
                    STR("{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"" RESULT "\","
                        "\"http://other.example/unknown\"]}}"),
                    &(struct validate_options){ 0 }, &issues);
    assert_str(validating_said(arena, &issues, ISSUE_ERROR),
               "Patient: isn't of the type that its profile is about");
}

static void test_a_profile_that_is_not_here(void **state)
{
    static const struct str profiles[] = { STR_INIT("http://other.example/unknown") };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    validating_text(arena, STR("{\"resourceType\":\"Patient\"}"),
                    &(struct validate_options){ .profiles = profiles, .profiles_n = 1 },
                    &issues);
    assert_str(validating_said(arena, &issues, ISSUE_ERROR),
               "Patient: can't be compared with a profile that isn't here");
}

/* Of a Bundle's entries those of the type; of a resource itself only if it is of the type. */
static void test_profiles_by_type(void **state)
{
#define ENTRY(resource) "{\"fullUrl\":\"urn:uuid:0190\",\"resource\":" resource "}"
#define BUNDLE(entries)                                                                        \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"
#define BAD "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"a\"}}"
#define PATIENT                                                                                \
    "{\"resourceType\":\"Patient\",\"active\":true,\"contained\":["                            \
    "{\"resourceType\":\"Organization\",\"id\":\"a\",\"name\":\"b\"}],"                        \
    "\"managingOrganization\":{\"reference\":\"#a\"}}"
    static const struct {
        const char *text;
        const char *where; /* NULL: nothing breaks the profile */
    } cases[] = {
        { PATIENT, NULL },
        { BAD, "Observation.identifier: the element is there 0 times" },
        { BUNDLE(ENTRY(PATIENT)), NULL },
        { BUNDLE(ENTRY(PATIENT) "," ENTRY(BAD)),
          "Bundle.entry[1].resource.identifier: the element is there 0 times" },
    };
    (void)state;
    static const struct str profiles[] = { STR_INIT(RESULT),
                                           STR_INIT("http://other.example/unknown") };
    const struct validate_options options = { .profiles = profiles,
                                              .profiles_n = ARRAY_LEN(profiles),
                                              .by_type = true };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        validating_text(arena, str_z(cases[i].text), &options, &issues);
        struct str said = validating_said(arena, &issues, ISSUE_ERROR);
        const char *where = cases[i].where ? cases[i].where : "definition wants";
        bool found = said.n && memmem(said.p, said.n, where, strlen(where));
        if (found != (cases[i].where != NULL)) {
            fail_msg("case %zu: %.*s", i, (int)said.n, said.p);
        }
    }
    assert_str(validator_profile_type(validating(), profiles[0]), "Observation");
    assert_int_equal(validator_profile_type(validating(), profiles[1]).n, 0);
}

/* Of two lists, each item of one looked for in the other: what takes too long is an error. */
static void test_work_is_bounded(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct buf text = arena_buf(arena, 1 << 16);
    buf_z(&text, "{\"resourceType\":\"Patient\",\"active\":true,\"contained\":[");
    for (int i = 0; i < 200; i++) {
        buf_fmt(&text,
                "%s{\"resourceType\":\"Basic\",\"id\":\"a%d\",\"code\":{\"text\":\"a\"}}",
                i ? "," : "", i);
    }
    buf_z(&text, "]}");
    struct issues issues;
    validating_text(arena, buf_str(&text), &(struct validate_options){ .work = 10000 },
                    &issues);
    assert_str(validating_said(arena, &issues, ISSUE_ERROR),
               "Patient: takes more work to look at than it may");
    assert_string_equal(issues.last->code, "too-costly");
    validating_text(arena, buf_str(&text), &(struct validate_options){ .work = 100 << 20 },
                    &issues);
    assert_str(validating_said(arena, &issues, ISSUE_ERROR), "Patient: breaks dom-3");
}

static void test_extensions(void **state)
{
#define HL7 "http://hl7.org/fhir/StructureDefinition/"
    static const struct {
        const char *extension;
        bool strict;
        const char *want;
    } cases[] = {
        { "{\"url\":\"" HL7 "patient-congregation\",\"valueString\":\"a\"}", false, "" },
        { "{\"url\":\"" HL7 "patient-congregation\",\"valueCode\":\"a\"}", false,
          "Patient.extension[0].value: has a type that its definition doesn't allow" },
        { "{\"url\":\"" HL7 "patient-congregation|4.0.1\",\"valueString\":\"a\"}", false,
          "Patient.extension[0]: names a version in its URL" },
        { "{\"url\":\"" HL7 "patient-animal\",\"extension\":[{\"url\":\"species\","
          "\"valueCodeableConcept\":{\"text\":\"a\"}}]}",
          false, "" },
        { "{\"url\":\"" HL7 "patient-animal\",\"extension\":[{\"url\":\"breed\","
          "\"valueCodeableConcept\":{\"text\":\"a\"}}]}",
          false,
          "Patient.extension[0].extension: slice species is there 0 times; its definition "
          "wants 1 at least" },
        { "{\"url\":\"" HL7 "patient-animal\",\"extension\":[{\"url\":\"species\","
          "\"valueCodeableConcept\":{\"text\":\"a\"}},{\"url\":\"colour\","
          "\"valueString\":\"a\"}]}",
          false,
          "Patient.extension[0].extension[1]: belongs to no slice, and others are not "
          "allowed" },
        { "{\"url\":\"http://other.example/a\",\"valueString\":\"a\"}", false, "" },
        { "{\"url\":\"http://other.example/a\",\"valueString\":\"a\"}", true,
          "Patient.extension[0]: is an extension nobody here knows" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct buf text = arena_buf(arena, 4096);
        buf_fmt(&text, "{\"resourceType\":\"Patient\",\"extension\":[%s]}", cases[i].extension);
        struct issues issues;
        validating_text(arena, buf_str(&text),
                        &(struct validate_options){ .strict_extensions = cases[i].strict },
                        &issues);
        assert_str(validating_said(arena, &issues, ISSUE_ERROR), cases[i].want);
    }
}

static void test_snapshots_that_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\"}",
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\","
        "\"snapshot\":{\"element\":[]}}",
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\","
        "\"snapshot\":{\"element\":[{\"path\":\"Patient.name\"}]}}",
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\","
        "\"snapshot\":{\"element\":[{\"path\":\"Patient\"},{\"path\":\"Patient.a.b\"}]}}",
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\","
        "\"snapshot\":{\"element\":[{\"path\":\"Patient\"},{\"path\":\"Patient\"}]}}",
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\","
        "\"snapshot\":{\"element\":[{\"path\":\"Patient\"},{\"path\":\"Patient.name\","
        "\"sliceName\":\"a\"}]}}",
        "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a\",\"type\":\"Patient\","
        "\"snapshot\":{\"element\":[{\"path\":\"Patient\"},{\"path\":"
        "\"Patient.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4\"}]}}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        issues_init(&issues, arena);
        const struct node *node = NULL;
        assert_int_equal(json_parse(arena, str_z(cases[i]), &issues, &node), 0);
        assert_int_equal(validator_add(validating(), node, &issues), PROFILE_E_SHAPE);
        assert_true(issues_bad(&issues));
    }
}

static int add_vectors(void **state)
{
    (void)state;
    size_t n = 0;
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/fhir/profile_lab.json", getenv("CHARTSEAL_VECTORS"));
    char *text = check_read(path, &n);
    assert_non_null(text);
    struct validator *validator = validating();
    struct str kept = arena_str(validating_memory, str_of(text, n));
    free(text);
    struct issues issues;
    issues_init(&issues, validating_memory);
    const struct node *node = NULL;
    assert_int_equal(json_parse(validating_memory, kept, &issues, &node), 0);
    return validator_add(validator, node, &issues);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_profile),
        cmocka_unit_test(test_a_profile_that_the_resource_names),
        cmocka_unit_test(test_a_profile_that_is_not_here),
        cmocka_unit_test(test_profiles_by_type),
        cmocka_unit_test(test_work_is_bounded),
        cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_snapshots_that_cannot_be_read),
    };
    return cmocka_run_group_tests_name("fhir/validate/profile", tests, add_vectors,
                                       validating_end);
}
