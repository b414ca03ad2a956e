/* Elements, cardinality, types, primitives, codes and references of R4. */
#include "tests/fhir/validate/validating.h"

struct validate_case {
    const char *resource;
    const char *want; /* errors, a line each; "" if it is valid */
};

static void check_cases(const struct validate_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        validating_text(arena, str_z(cases[i].resource), &(struct validate_options){ 0 },
                        &issues);
        assert_str(validating_said(arena, &issues, ISSUE_ERROR), cases[i].want);
    }
}

static void test_elements(void **state)
{
    static const struct validate_case cases[] = {
        { "{\"resourceType\":\"Patient\"}", "" },
        { "{\"resourceType\":\"Patent\"}", "Patent: has no resourceType that FHIR R4 knows" },
        { "{\"id\":\"a\"}", "Resource: has no resourceType that FHIR R4 knows" },
        { "{\"resourceType\":\"DomainResource\"}",
          "DomainResource: has no resourceType that FHIR R4 knows" },
        { "{\"resourceType\":\"Patient\",\"colour\":\"red\"}",
          "Patient.colour: is no element that FHIR R4 knows here" },
        { "{\"resourceType\":\"Patient\",\"eye colour\":\"red\"}",
          "Patient.?: is no element that FHIR R4 knows here" },
        { "{\"resourceType\":\"Patient\",\"contact\":[{\"name\":{\"famly\":\"A\"}}]}",
          "Patient.contact[0].name.famly: is no element that FHIR R4 knows here" },
        { "{\"resourceType\":\"Patient\",\"name\":{\"family\":\"A\"}}",
          "Patient.name: may repeat and must be an array" },
        { "{\"resourceType\":\"Patient\",\"name\":[]}", "Patient.name: is an empty array" },
        { "{\"resourceType\":\"Patient\",\"name\":[{}]}", "Patient.name[0]: is empty" },
        { "{\"resourceType\":\"Patient\",\"name\":[\"A\"]}",
          "Patient.name[0]: must be an object" },
        { "{\"resourceType\":\"Patient\",\"birthDate\":[\"1970\"]}",
          "Patient.birthDate: may not repeat and must be no array" },
        { "{\"resourceType\":\"Observation\",\"status\":\"final\"}",
          "Observation.code: is required and missing" },
        { "{\"resourceType\":\"Patient\",\"multipleBirthInteger\":2,"
          "\"multipleBirthBoolean\":true}",
          "Patient.multipleBirth: is there with two types" },
        { "{\"resourceType\":\"Patient\",\"multipleBirthDecimal\":2}",
          "Patient.multipleBirthDecimal: is no element that FHIR R4 knows here" },
        { "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Patient\","
          "\"gender\":\"x\"}]}",
          "Patient.contained[0].gender: has no code of the value set administrative-gender, "
          "which is required" },
    };
    (void)state;
    check_cases(cases, ARRAY_LEN(cases));
}

static void test_companions(void **state)
{
    static const struct validate_case cases[] = {
        { "{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/patient-birthTime\","
          "\"valueDateTime\":\"1970-01-01T12:00:00Z\"}]}}",
          "" },
        { "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null,\"B\"],"
          "\"_given\":[{\"id\":\"a\"},null]}]}",
          "" },
        { "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[null,\"B\"]}]}",
          "Patient.name[0].given[0]: is null and has no extension" },
        { "{\"resourceType\":\"Patient\",\"name\":[{\"given\":[\"A\",\"B\"],"
          "\"_given\":[{\"id\":\"a\"}]}]}",
          "Patient.name[0].given: and its companion with _ are arrays of different length" },
        { "{\"resourceType\":\"Patient\",\"_name\":[{\"id\":\"a\"}]}",
          "Patient._name: is no primitive and has no companion with _" },
        { "{\"resourceType\":\"Patient\",\"birthDate\":null}",
          "Patient.birthDate: is null and has no extension" },
        { "{\"resourceType\":\"Patient\",\"_birthDate\":{}}", "Patient.birthDate: is empty" },
        { "{\"resourceType\":\"Patient\",\"_birthDate\":{\"value\":\"1970\"}}",
          "Patient.birthDate.value: is no element that FHIR R4 knows here" },
    };
    (void)state;
    check_cases(cases, ARRAY_LEN(cases));
}

/* A Parameters resource whose parameter has the value @value of type @type. */
static struct str parameter(struct arena *arena, const char *type, const char *value)
{
    struct buf out = arena_buf(arena, 4096);
    buf_fmt(&out,
            "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"a\","
            "\"value%s\":%s}]}",
            type, value);
    return buf_str(&out);
}

static void test_primitives(void **state)
{
    static const struct {
        const char *type, *value;
        bool valid;
    } cases[] = {
        { "Boolean", "true", true },
        { "Boolean", "\"true\"", false },
        { "Integer", "2147483647", true },
        { "Integer", "2147483648", false },
        { "Integer", "-2147483648", true },
        { "Integer", "-2147483649", false },
        { "Integer", "1.0", false },
        { "Integer", "1e3", false },
        { "Integer", "\"1\"", false },
        { "UnsignedInt", "0", true },
        { "UnsignedInt", "-1", false },
        { "PositiveInt", "1", true },
        { "PositiveInt", "0", false },
        { "Decimal", "-1.00e-12", true },
        { "Decimal", "\"1\"", false },
        { "String", "\"a\"", true },
        { "String", "\"\"", false },
        { "String", "\" \"", false },
        { "String", "\"a\\u0007\"", false },
        { "Code", "\"a b\"", true },
        { "Code", "\"a  b\"", false },
        { "Code", "\" a\"", false },
        { "Code", "\"a \"", false },
        { "Uri", "\"urn:a\"", true },
        { "Uri", "\"urn: a\"", false },
        { "Uri", "\"\"", false },
        { "Id", "\"A-z.0\"", true },
        { "Id", "\"a_b\"", false },
        { "Id", "\"1234567890123456789012345678901234567890123456789012345678901234\"", true },
        { "Id", "\"12345678901234567890123456789012345678901234567890123456789012345\"",
          false },
        { "Oid", "\"urn:oid:1.2.3\"", true },
        { "Oid", "\"urn:oid:3.2.3\"", false },
        { "Oid", "\"urn:oid:1\"", false },
        { "Oid", "\"urn:oid:1.02\"", false },
        { "Oid", "\"1.2.3\"", false },
        { "Uuid", "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"", true },
        { "Uuid", "\"urn:uuid:C757873D-EC9A-4326-A141-556F43239520\"", false },
        { "Date", "\"2024\"", true },
        { "Date", "\"2024-02-29\"", true },
        { "Date", "\"2023-02-29\"", false },
        { "Date", "\"2024-02-29T00:00:00Z\"", false },
        { "DateTime", "\"2024-02\"", true },
        { "DateTime", "\"2024-02-29T10:00:00.123+01:00\"", true },
        { "DateTime", "\"2024-02-29T10:00:00\"", false },
        { "DateTime", "\"2024-02-29T10:00Z\"", false },
        { "DateTime", "\"2024-02-29T24:00:00Z\"", false },
        { "Instant", "\"2024-02-29T10:00:00Z\"", true },
        { "Instant", "\"2024-02-29\"", false },
        { "Time", "\"10:00:00\"", true },
        { "Time", "\"10:00\"", false },
        { "Time", "\"10:00:00Z\"", false },
        { "Base64Binary", "\"YQ==\"", true },
        { "Base64Binary", "\"YWJj\\nYWJj\"", true },
        { "Base64Binary", "\"YQ=\"", false },
        { "Base64Binary", "\"Y===\"", false },
        { "Base64Binary", "\"Y-==\"", false },
        { "Markdown", "\"*a*\"", true },
        { "Canonical", "\"http://a/b|1\"", true },
        { "Url", "1", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        validating_text(arena, parameter(arena, cases[i].type, cases[i].value),
                        &(struct validate_options){ 0 }, &issues);
        if (issues_bad(&issues) == cases[i].valid) {
            print_error("%s %s\n", cases[i].type, cases[i].value);
            fail();
        }
    }
}

static void test_codes(void **state)
{
    static const struct validate_case cases[] = {
        { "{\"resourceType\":\"Patient\",\"language\":\"de-CH\",\"gender\":\"other\"}", "" },
        { "{\"resourceType\":\"Patient\",\"language\":\"de_CH\"}",
          "Patient.language: has no code of the value set all-languages, which is required" },
        { "{\"resourceType\":\"Binary\",\"contentType\":\"text/plain; charset=utf-8\"}", "" },
        { "{\"resourceType\":\"Binary\",\"contentType\":\"plain\"}",
          "Binary.contentType: has no code of the value set mimetypes, which is required" },
        { "{\"resourceType\":\"AllergyIntolerance\",\"patient\":{\"reference\":\"Patient/1\"},"
          "\"clinicalStatus\":{\"coding\":[{\"system\":\"http://a\",\"code\":\"x\"},"
          "{\"system\":\"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical\","
          "\"code\":\"active\"}]}}",
          "" },
        { "{\"resourceType\":\"AllergyIntolerance\",\"patient\":{\"reference\":\"Patient/1\"},"
          "\"clinicalStatus\":{\"coding\":[{\"system\":\"http://a\",\"code\":\"active\"}]}}",
          "AllergyIntolerance.clinicalStatus: has no code of the value set "
          "allergyintolerance-clinical, which is required" },
        { "{\"resourceType\":\"AllergyIntolerance\",\"patient\":{\"reference\":\"Patient/1\"},"
          "\"clinicalStatus\":{\"text\":\"active\"}}",
          "AllergyIntolerance.clinicalStatus: has no code of the value set "
          "allergyintolerance-clinical, which is required" },
    };
    (void)state;
    check_cases(cases, ARRAY_LEN(cases));
}

static void test_references(void **state)
{
    static const struct validate_case cases[] = {
        { "{\"resourceType\":\"Patient\",\"managingOrganization\":{\"reference\":"
          "\"Organization/1\"}}",
          "" },
        { "{\"resourceType\":\"Patient\",\"managingOrganization\":{\"reference\":"
          "\"Patient/1\"}}",
          "Patient.managingOrganization: may not point at a Patient" },
        { "{\"resourceType\":\"Patient\",\"managingOrganization\":{\"type\":\"Patient\","
          "\"identifier\":{\"value\":\"1\"}}}",
          "Patient.managingOrganization: may not point at a Patient" },
        { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
          "{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resourceType\":\"Patient\","
          "\"managingOrganization\":{\"reference\":\"Organization/2\"}}},"
          "{\"fullUrl\":\"http://a/Organization/2\",\"resource\":{\"resourceType\":"
          "\"Patient\"}}]}",
          "Bundle.entry[0].resource.managingOrganization: says Organization and means a "
          "resource of another type" },
        { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
          "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\","
          "\"managingOrganization\":{\"reference\":\"urn:uuid:2\"}}},"
          "{\"fullUrl\":\"urn:uuid:2\",\"resource\":{\"resourceType\":\"Location\"}}]}",
          "Bundle.entry[0].resource.managingOrganization: may not point at a Location" },
        { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
          "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\","
          "\"managingOrganization\":{\"reference\":\"Organization/2\"}}},"
          "{\"fullUrl\":\"urn:uuid:2\",\"resource\":{\"resourceType\":\"Location\"}}]}",
          "Bundle.entry[0].resource.managingOrganization: says Organization and means a "
          "resource of another type" },
        { "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Location\","
          "\"id\":\"a\"}],\"managingOrganization\":{\"reference\":\"#a\"}}",
          "Patient.managingOrganization: may not point at a Location" },
        { "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"a\",\"resource\":{"
          "\"resourceType\":\"Patient\",\"id\":\"1\"}},{\"name\":\"b\",\"resource\":{"
          "\"resourceType\":\"Account\",\"status\":\"active\",\"subject\":[{\"reference\":"
          "\"Patient/1\"},{\"reference\":\"Patient/2\"}]}}]}",
          "Parameters.parameter[1].resource.subject[1]: points at a resource that isn't among "
          "the parameters" },
    };
    (void)state;
    check_cases(cases, ARRAY_LEN(cases));
}

static void test_definitions(void **state)
{
#define DEFINITION(path)                                                                       \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a/b\",\"name\":\"B\","         \
    "\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Observation\","              \
    "\"status\":\"draft\",\"kind\":\"resource\",\"abstract\":false,\"type\":\"Observation\","  \
    "\"derivation\":\"constraint\",\"differential\":{\"element\":[{\"id\":\"a\",\"path\":"     \
    "\"" path "\"}]}}"
    static const struct validate_case cases[] = {
        { DEFINITION("Observation.value[x]"), "" },
        { DEFINITION("Observation.valueQuantity.code"), "" },
        { DEFINITION("Observation.component.code.coding"), "" },
        { DEFINITION("Observation.valueBla"),
          "StructureDefinition.differential.element[0].path: is no path of that type" },
        { DEFINITION("Patient.name"),
          "StructureDefinition.differential: breaks sdf-8a\n"
          "StructureDefinition.differential.element[0].path: is no path of that type" },
    };
    (void)state;
    check_cases(cases, ARRAY_LEN(cases));
}

static void test_invariants(void **state)
{
#define NARRATIVE                                                                              \
    "\"text\":{\"status\":\"empty\",\"div\":\"<div "                                           \
    "xmlns=\\\"http://www.w3.org/1999/xhtml\\\">"                                              \
    "a</div>\"}"
    static const struct validate_case cases[] = {
        { "{\"resourceType\":\"Patient\"}", "Patient: breaks dom-6" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE "}", "" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"contact\":[{\"gender\":\"other\"}]}",
          "Patient.contact[0]: breaks pat-1" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"telecom\":[{\"value\":\"1\"}]}",
          "Patient.telecom[0]: breaks cpt-2" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"extension\":[{\"url\":\"http://a\"}]}",
          "Patient.extension[0]: breaks ext-1" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"contained\":[{\"resourceType\":"
          "\"Organization\",\"id\":\"o\",\"name\":\"a\"," NARRATIVE "}]}",
          "Patient: breaks dom-3" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"managingOrganization\":{\"reference\":"
          "\"#o\"}}",
          "Patient.managingOrganization: breaks ref-1" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"name\":[{\"family\":\"a\",\"period\":"
          "{\"start\":\"2020-01\",\"end\":\"2019\"}}]}",
          "Patient.name[0].period: breaks per-1" },
        { "{\"resourceType\":\"Patient\"," NARRATIVE ",\"name\":[{\"family\":\"a\",\"period\":"
          "{\"start\":\"2020-01\",\"end\":\"2020\"}}]}",
          "" }, /* nobody can tell */
        { "{\"resourceType\":\"MedicationStatement\",\"status\":\"active\"," NARRATIVE
          ",\"subject\":{\"display\":\"a\"},\"medicationCodeableConcept\":{\"text\":\"a\"},"
          "\"dosage\":[{\"maxDosePerAdministration\":{\"value\":1,\"comparator\":\"<\"}}]}",
          "MedicationStatement.dosage[0].maxDosePerAdministration: breaks sqty-1" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        validating_text(arena, str_z(cases[i].resource), &(struct validate_options){ 0 },
                        &issues);
        assert_str(validating_said(arena, &issues, ISSUE_WARNING), cases[i].want);
    }
}

static void test_issues_hold_no_content(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    validating_text(arena,
                    STR("{\"resourceType\":\"Patient\",\"id\":\"Se cret\",\"gender\":"
                        "\"Secret\",\"birthDate\":\"Secret\",\"extension\":[{\"url\":"
                        "\"http://Secret\",\"valueString\":\"Secret\"}]}"),
                    &(struct validate_options){ .strict_extensions = true }, &issues);
    struct str said = validating_said(arena, &issues, ISSUE_INFORMATION);
    assert_true(issues.count >= 4);
    assert_null(memmem(said.p, said.n, "cret", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),   cmocka_unit_test(test_companions),
        cmocka_unit_test(test_primitives), cmocka_unit_test(test_codes),
        cmocka_unit_test(test_references), cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_invariants), cmocka_unit_test(test_issues_hold_no_content),
    };
    return cmocka_run_group_tests_name("fhir/validate/structure", tests, NULL, validating_end);
}
