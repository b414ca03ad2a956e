/* From elements to elements: choices, extensions of primitives, types, what isn't known. */
#include "tests/fhir/path/expect.h"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"active\":true,"
    "\"_gender\":{\"extension\":[{\"url\":\"u\",\"valueCode\":\"x\"}]},"
    "\"name\":[{\"use\":\"official\",\"family\":\"A\",\"given\":[\"B\",null,\"C\"],"
    "\"_given\":[null,{\"id\":\"g\"},{\"extension\":[{\"url\":\"u\",\"valueString\":\"n\"}]}]},"
    "{\"family\":\"D\"}],"
    "\"birthDate\":\"1974-12-25\",\"_birthDate\":{\"id\":\"b\"},"
    "\"deceasedDateTime\":\"2015-02-07T13:28:17Z\",\"multipleBirthInteger\":2,"
    "\"contact\":[{\"name\":{\"family\":\"E\"}}],"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"F\"}]}";

static void test_members(void **state)
{
    static const struct expect cases[] = {
        { "Patient.name.family", "A | D" },
        { "name.family", "A | D" },
        { "DomainResource.id | Resource.id", "p" },
        { "Encounter.id", "" },
        { "`name`.`family`", "A | D" },
        { "name.given", "B | {\"id\":\"g\"} | C" },
        { "name.given.count()", "3" },
        { "name.given.extension.value", "n" },
        { "name.given.id", "g" },
        { "gender.extension('u').value", "x" },
        { "gender.exists()", "true" },
        { "gender.hasValue()", "false" },
        { "birthDate.id", "b" },
        { "birthDate.value", "1974-12-25" },
        { "deceased", "2015-02-07T13:28:17Z" },
        { "deceasedDateTime", "" },
        { "_birthDate", "" },
        { "resourceType", "" },
        { "multipleBirth + 1", "3" },
        { "contained.name", "F" },
        { "contact.name.family", "E" },
        { "nothing.at.all", "" },
        { "children().count()", "10" },
        { "descendants().where($this is HumanName).family", "A | D | E" },
        { "(5 'mg').value", "5" },
        { "(5 'mg').unit", "mg" },
        { "1.a", "" },
    };
    (void)state;
    EXPECT_ALL(cases, patient);
}

static void test_types(void **state)
{
    static const struct expect cases[] = {
        { "Patient is DomainResource", "true" },
        { "Patient is Encounter", "false" },
        { "active is boolean", "true" },
        { "active is Boolean", "false" },
        { "active is System.Boolean", "false" },
        { "true is System.Boolean", "true" },
        { "1 'mg' is Quantity", "true" },
        { "id is string", "true" },
        { "id.as(string)", "" },
        { "id.ofType(id)", "p" },
        { "deceased is dateTime", "true" },
        { "(deceased as boolean).empty()", "true" },
        { "contained is Resource", "true" },
        { "contained.ofType(DomainResource).id", "o" },
        { "name is HumanName", "!6" },
        { "name as HumanName", "!6" },
        { "name.ofType(HumanName).count()", "2" },
        { "contact is BackboneElement", "true" },
        { "{} is Patient", "" },
        { "Patient is Citation", "false" }, /* of another version */
        { "type().name", "Patient" },
        { "type().baseType", "FHIR.DomainResource" },
        { "active.type()", "FHIR.boolean" },
        { "1.type()", "System.Integer" },
        { "1.type() = 2.type()", "true" },
    };
    static const struct expect filtering[] = {
        { "(name as HumanName).family", "A | D" },
        { "name.as(HumanName).family", "A | D" },
    };
    (void)state;
    EXPECT_ALL(cases, patient);
    expect_all(filtering, ARRAY_LEN(filtering), patient, NULL, PATH_AS_FILTERS);
}

static void test_values_have_the_types_of_fhir(void **state)
{
    static const char observation[] =
        "{\"resourceType\":\"Observation\",\"issued\":\"2015-02-07T13:28:17.500Z\","
        "\"valueQuantity\":{\"value\":185,\"unit\":\"lbs\",\"code\":\"[lb_av]\","
        "\"system\":\"http://unitsofmeasure.org\"},"
        "\"component\":[{\"valueTime\":\"10:30:00\"},{\"valueQuantity\":{\"value\":1.50,"
        "\"comparator\":\"<\"}},{\"valueQuantity\":{\"value\":2,\"unit\":\"tablets\"}},"
        "{\"valueQuantity\":{\"value\":1,\"code\":\"a\","
        "\"system\":\"http://unitsofmeasure.org\"}}]}";
    static const struct expect cases[] = {
        { "value = 185 '[lb_av]'", "true" },
        { "value > 80 'kg'", "true" },
        { "value.value + 0.5", "185.5" },
        { "issued > @2015-02-07T13:28:17Z", "true" },
        { "component[0].value = @T10:30", "" },
        { "component[0].value = @T10:30:00.0", "true" },
        { "component[1].value = 1.5", "false" }, /* "<" is no value */
        { "component[1].value.value.toString()", "1.50" },
        { "component[2].value = 2 'tablets'", "true" },
        { "component[3].value = 1 year", "true" },
        { "component[3].value = 1 'a'", "true" },
        { "@2000 + component[3].value", "2001" },
    };
    (void)state;
    EXPECT_ALL(cases, observation);
}

static void test_unknown_types(void **state)
{
    static const char other[] =
        "{\"resourceType\":\"Unheard\",\"valueString\":\"a\",\"_valueString\":{\"id\":\"i\"},"
        "\"list\":[1,2.5,null,{\"x\":true}],\"patient\":{\"resourceType\":\"Patient\","
        "\"active\":true}}";
    static const struct expect cases[] = {
        { "Unheard.valueString", "a" },
        { "value", "a" },
        { "value.id", "i" },
        { "value is string", "true" },
        { "list.count()", "3" },
        { "list[0] + list[1]", "3.5" },
        { "list.x", "true" },
        { "patient is Patient", "true" },
        { "patient.active is boolean", "true" },
        { "type()", "" },
        { "$this is Resource", "false" },
    };
    (void)state;
    EXPECT_ALL(cases, other);
}

static void test_equal_elements(void **state)
{
    static const char bundle[] =
        "{\"resourceType\":\"Parameters\",\"parameter\":["
        "{\"name\":\"a\",\"valueCoding\":{\"system\":\"s\",\"code\":\"c\"}},"
        "{\"name\":\"b\",\"valueCoding\":{\"code\":\"c\",\"system\":\"s\"}},"
        "{\"name\":\"c\",\"valueCoding\":{\"system\":\"S\",\"code\":\"c\"}},"
        "{\"name\":\"d\",\"valueQuantity\":{\"value\":1.0}},"
        "{\"name\":\"e\",\"valueQuantity\":{\"value\":1}},"
        "{\"name\":\"f\",\"valueCodeableConcept\":{\"coding\":[{\"code\":\"1\"},"
        "{\"code\":\"2\"}]}},"
        "{\"name\":\"g\",\"valueCodeableConcept\":{\"coding\":[{\"code\":\"2\"},"
        "{\"code\":\"1\"}]}}]}";
    static const struct expect cases[] = {
        { "parameter[0].value = parameter[1].value", "true" }, /* members have no order */
        { "parameter[0].value = parameter[2].value", "false" },
        { "parameter[0].value ~ parameter[2].value", "true" },
        { "parameter[3].value = parameter[4].value", "true" },
        { "parameter[5].value = parameter[6].value", "false" },
        { "parameter[5].value ~ parameter[6].value", "true" },
        { "parameter[0] = parameter[1]", "false" },
        { "parameter.value.distinct().count()", "5" },
        { "parameter[0].value = 'c'", "false" },
    };
    (void)state;
    EXPECT_ALL(cases, bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_values_have_the_types_of_fhir),
        cmocka_unit_test(test_unknown_types),
        cmocka_unit_test(test_equal_elements),
    };
    return cmocka_run_group_tests_name("fhir/path/navigate", tests, NULL, NULL);
}
