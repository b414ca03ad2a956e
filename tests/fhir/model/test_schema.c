#include "fhir/model/schema.h"

#include "tests/check.h"

static const struct schema_type *type_of(const char *name)
{
    const struct schema_type *type = schema_type(&schema_r4, str_z(name));
    assert_non_null(type);
    return type;
}

static void test_types_are_found_by_name(void **state)
{
    static const struct {
        const char *name;
        enum schema_kind kind;
        bool abstract;
        const char *base;
    } cases[] = {
        { "Element", SCHEMA_COMPLEX, true, NULL },
        { "Resource", SCHEMA_RESOURCE, true, NULL },
        { "DomainResource", SCHEMA_RESOURCE, true, "Resource" },
        { "Patient", SCHEMA_RESOURCE, false, "DomainResource" },
        { "Bundle", SCHEMA_RESOURCE, false, "Resource" },
        { "Patient.contact", SCHEMA_NESTED, false, "BackboneElement" },
        { "Timing.repeat", SCHEMA_NESTED, false, "Element" },
        { "Age", SCHEMA_COMPLEX, false, "Quantity" },
        { "SimpleQuantity", SCHEMA_PROFILE, false, "Quantity" },
        { "code", SCHEMA_PRIMITIVE, false, "string" },
        { "xhtml", SCHEMA_PRIMITIVE, false, "Element" },
        { "VisionPrescription.lensSpecification.prism", SCHEMA_NESTED, false,
          "BackboneElement" },
    };
    (void)state;

    assert_string_equal(schema_r4.version, "4.0.1");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema_type *type = type_of(cases[i].name);
        assert_int_equal(type->kind, cases[i].kind);
        assert_int_equal(type->abstract, cases[i].abstract);
        const struct schema_type *base = schema_base(&schema_r4, type);
        assert_int_equal(base != NULL, cases[i].base != NULL);
        if (base) {
            assert_str(schema_type_name(&schema_r4, base), cases[i].base);
        }
    }
}

static void test_what_is_no_type_is_not_found(void **state)
{
    static const char
        *const names[] = { "",         "patient", "Patien",
                           "Patients", "A",       "Patient.contacts",
                           "zzz",      "string ", "SubscriptionStatus" /* of R4B */ };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_null(schema_type(&schema_r4, str_z(names[i])));
    }
}

static void test_derived_types_are_their_bases(void **state)
{
    static const struct {
        const char *type, *base;
        bool is;
    } cases[] = {
        { "Patient", "Patient", true },        { "Patient", "DomainResource", true },
        { "Patient", "Resource", true },       { "Patient", "Element", false },
        { "Bundle", "DomainResource", false }, { "positiveInt", "integer", true },
        { "integer", "positiveInt", false },   { "oid", "uri", true },
        { "Duration", "Quantity", true },      { "Patient.contact", "Element", true },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool is = schema_is_a(&schema_r4, type_of(cases[i].type), str_z(cases[i].base));
        assert_int_equal(is, cases[i].is);
    }
}

static void test_elements_come_in_the_order_of_xml(void **state)
{
    static const struct {
        const char *type, *order;
    } cases[] = {
        { "Period", "id extension start end " },
        { "Patient.link", "id extension modifierExtension other type " },
        { "Patient",
          "id meta implicitRules language text contained extension modifierExtension "
          "identifier active name telecom gender birthDate deceased address "
          "maritalStatus multipleBirth photo contact communication "
          "generalPractitioner managingOrganization link " },
        { "Age", "id extension value comparator unit system code " },
        { "string", "id extension " },
        { "Resource", "id meta implicitRules language " },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema_type *type = type_of(cases[i].type);
        char got[512] = "";
        for (size_t e = 0; e < schema_size(type); e++) {
            struct str name = schema_name(&schema_r4, schema_at(&schema_r4, type, e));
            strncat(got, name.p, name.n);
            strcat(got, " ");
        }
        assert_string_equal(got, cases[i].order);
    }
}

static void test_a_name_means_an_element_and_its_type(void **state)
{
    static const struct {
        const char *type, *name, *means; /* NULL: nothing */
    } cases[] = {
        { "Patient", "birthDate", "date" },
        { "Patient", "contact", "Patient.contact" },
        { "Patient", "id", "id" },
        { "Patient", "contained", "Resource" },
        { "Patient.contact", "modifierExtension", "Extension" },
        { "Patient.contact", "name", "HumanName" },
        { "Observation", "valueQuantity", "Quantity" },
        { "Observation", "valueDateTime", "dateTime" },
        { "Extension", "valueBase64Binary", "base64Binary" },
        { "Extension", "valueReference", "Reference" },
        { "Narrative", "div", "xhtml" },
        { "HumanName", "id", "string" },
        { "Bundle.entry", "link", "Bundle.link" },
        { "QuestionnaireResponse.item.answer", "item", "QuestionnaireResponse.item" },
        { "Observation", "value", NULL },
        { "Observation", "valueDatetime", NULL },
        { "Observation", "valueAge", NULL },
        { "Observation", "value[x]", NULL },
        { "Observation", "statu", NULL },
        { "Observation", "statuss", NULL },
        { "Observation", "", NULL },
        { "Bundle", "text", NULL },
        { "Period", "modifierExtension", NULL },
        { "Meta", "account", NULL }, /* not HL7's */
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema_type *type = type_of(cases[i].type);
        struct schema_field field;
        bool found = schema_field(&schema_r4, type, str_z(cases[i].name), &field);
        assert_int_equal(found, cases[i].means != NULL);
        if (found) {
            assert_str(schema_type_name(&schema_r4, field.type), cases[i].means);
            assert_ptr_equal(schema_at(&schema_r4, type, field.rank), field.element);
        }
    }
}

/* Each element of each type is found again by each name it may have; how many there are. */
static size_t check_names(const struct schema *schema)
{
    size_t names = 0;

    for (size_t t = 0; t < schema->types_n; t++) {
        const struct schema_type *type = &schema->types[t];
        for (size_t e = 0; e < schema_size(type); e++) {
            const struct schema_element *element = schema_at(schema, type, e);
            for (size_t c = 0; c < element->choices_n; c++) {
                const struct schema_type *choice = schema_choice(schema, element, c);
                char name[128];
                struct str stem = schema_name(schema, element);
                struct str suffix = schema_type_name(schema, choice);
                bool is_choice = element->flags & SCHEMA_CHOICE;
                int n = snprintf(name, sizeof(name), "%.*s%.*s", (int)stem.n, stem.p,
                                 is_choice ? (int)suffix.n : 0, suffix.p);
                if (is_choice && name[stem.n] >= 'a') {
                    name[stem.n] = (char)(name[stem.n] - 'a' + 'A');
                }
                struct schema_field field;
                assert_true(schema_field(schema, type, str_of(name, (size_t)n), &field));
                assert_ptr_equal(field.type, choice);
                assert_int_equal(field.rank, e);
                assert_ptr_equal(schema_element(schema, type, stem), element);
                names++;
            }
        }
    }
    return names;
}

static void test_every_element_is_found_by_its_names(void **state)
{
    (void)state;
    assert_true(check_names(&schema_r4) > 8000);
    assert_true(check_names(&schema_r4b) > 8000);
    assert_true(check_names(&schema_r5) > 10000);
}

static void test_versions_differ(void **state)
{
    static const struct {
        const struct schema *schema;
        const char *version, *type, *name, *means; /* NULL: nothing */
    } cases[] = {
        { &schema_r4, "4.0.1", "Encounter", "hospitalization", "Encounter.hospitalization" },
        { &schema_r4b, "4.3.0", "Encounter", "hospitalization", "Encounter.hospitalization" },
        { &schema_r5, "5.0.0", "Encounter", "hospitalization", NULL },
        { &schema_r5, "5.0.0", "Encounter", "admission", "Encounter.admission" },
        { &schema_r4, "4.0.1", "Observation", "valueAttachment", NULL },
        { &schema_r5, "5.0.0", "Observation", "valueAttachment", "Attachment" },
        { &schema_r4b, "4.3.0", "SubscriptionStatus", "topic", "canonical" },
        { &schema_r4b, "4.3.0", "ClinicalUseDefinition", "contraindication",
          "ClinicalUseDefinition.contraindication" },
        { &schema_r5, "5.0.0", "Attachment", "size", "integer64" },
        { &schema_r5, "5.0.0", "CodeableReference", "reference", "Reference" },
        { &schema_r5, "5.0.0", "Patient", "id", "id" },
        { &schema_r5, "5.0.0", "HumanName", "extension", "Extension" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema *schema = cases[i].schema;
        const struct schema_type *type = schema_type(schema, str_z(cases[i].type));
        struct schema_field field;
        assert_string_equal(schema->version, cases[i].version);
        assert_non_null(type);
        bool found = schema_field(schema, type, str_z(cases[i].name), &field);
        assert_int_equal(found, cases[i].means != NULL);
        if (found) {
            assert_str(schema_type_name(schema, field.type), cases[i].means);
        }
    }
}

static void test_elements_have_their_facts(void **state)
{
    static const struct {
        const char *type, *name;
        unsigned min, max, flags;
        enum schema_strength strength;
        const char *binding, *within;
    } cases[] = {
        { "Patient", "gender", 0, 1, SCHEMA_SUMMARY, SCHEMA_REQUIRED,
          "administrative-gender|4.0.1", "" },
        { "Patient", "active", 0, 1, SCHEMA_SUMMARY | SCHEMA_MODIFIER, SCHEMA_UNBOUND, "", "" },
        { "Patient", "name", 0, SCHEMA_UNBOUNDED, SCHEMA_SUMMARY, SCHEMA_UNBOUND, "", "" },
        { "Observation", "value", 0, 1, SCHEMA_SUMMARY | SCHEMA_CHOICE, SCHEMA_UNBOUND, "",
          "" },
        { "Observation", "status", 1, 1, SCHEMA_SUMMARY | SCHEMA_MODIFIER, SCHEMA_REQUIRED,
          "observation-status|4.0.1", "" },
        { "Extension", "url", 1, 1, SCHEMA_ATTRIBUTE, SCHEMA_UNBOUND, "", "" },
        { "Coding", "id", 0, 1, SCHEMA_ATTRIBUTE, SCHEMA_UNBOUND, "", "" },
        { "Patient", "id", 0, 1, SCHEMA_SUMMARY, SCHEMA_UNBOUND, "", "" },
        { "Patient.communication", "language", 1, 1, 0, SCHEMA_PREFERRED, "languages",
          "all-languages" },
        { "Encounter", "class", 1, 1, SCHEMA_SUMMARY, SCHEMA_EXTENSIBLE,
          "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema_element *element =
            schema_element(&schema_r4, type_of(cases[i].type), str_z(cases[i].name));
        assert_non_null(element);
        assert_int_equal(element->min, cases[i].min);
        assert_int_equal(element->max, cases[i].max);
        assert_int_equal(element->flags, cases[i].flags);
        assert_int_equal(element->strength, cases[i].strength);
        assert_str(schema_text(&schema_r4, element->binding), cases[i].binding);
        assert_str(schema_text(&schema_r4, element->within), cases[i].within);
    }
}

static void test_primitives_say_how_they_are_written(void **state)
{
    static const struct {
        const char *type;
        enum schema_json json;
        const char *regex;
    } cases[] = {
        { "boolean", SCHEMA_BOOLEAN, "true|false" },
        { "decimal", SCHEMA_NUMBER, "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?" },
        { "positiveInt", SCHEMA_NUMBER, "[1-9][0-9]*" },
        { "unsignedInt", SCHEMA_NUMBER, "[0]|([1-9][0-9]*)" },
        { "date", SCHEMA_STRING,
          "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
          "(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?" },
        { "xhtml", SCHEMA_STRING, "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema_type *type = type_of(cases[i].type);
        assert_int_equal(type->json, cases[i].json);
        assert_str(schema_text(&schema_r4, type->regex), cases[i].regex);
    }
}

static void test_references_have_their_targets(void **state)
{
    static const struct {
        const char *type, *name, *target;
        bool may;
    } cases[] = {
        { "Patient", "generalPractitioner", "Practitioner", true },
        { "Patient", "generalPractitioner", "Patient", false },
        { "Observation", "focus", "Patient", true }, /* anything */
        { "Patient.link", "other", "RelatedPerson", true },
        { "Patient.link", "other", "Group", false },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct schema_element *element =
            schema_element(&schema_r4, type_of(cases[i].type), str_z(cases[i].name));
        assert_non_null(element);
        bool may = schema_may_target(&schema_r4, element, 0, type_of(cases[i].target));
        assert_int_equal(may, cases[i].may);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_are_found_by_name),
        cmocka_unit_test(test_what_is_no_type_is_not_found),
        cmocka_unit_test(test_derived_types_are_their_bases),
        cmocka_unit_test(test_elements_come_in_the_order_of_xml),
        cmocka_unit_test(test_a_name_means_an_element_and_its_type),
        cmocka_unit_test(test_every_element_is_found_by_its_names),
        cmocka_unit_test(test_versions_differ),
        cmocka_unit_test(test_elements_have_their_facts),
        cmocka_unit_test(test_primitives_say_how_they_are_written),
        cmocka_unit_test(test_references_have_their_targets),
    };
    return cmocka_run_group_tests_name("fhir/model/schema", tests, NULL, NULL);
}
