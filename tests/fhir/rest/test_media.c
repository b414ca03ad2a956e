/* What a Content-Type says of a body. */
#include "fhir/rest/media.h"

#include "tests/check.h"

static void test_json_is_told_by_its_type_and_charset(void **state)
{
    static const struct {
        const char *type;
        bool json;
    } cases[] = {
        { "application/fhir+json", true },
        { "application/json", true },
        { "Application/FHIR+JSON", true },
        { "application/fhir+json; charset=utf-8", true },
        { "application/fhir+json;charset=UTF-8", true },
        { "application/fhir+json ; fhirVersion=4.0 ;\tcharset=\"UTF-8\"", true },
        { "application/fhir+json;", true },
        { "application/fhir+json; charset=utf-16", false },
        { "application/fhir+json; charset=", false },
        { "application/fhir+json; charset=\"", false },
        { "application/fhir+json; charset=utf-8; charset=latin1", false },
        { "application/fhir+jsonx", false },
        { "application/fhir+jso", false },
        { "application/fhir+xml", false },
        { "application/json-patch+json", false },
        { "text/html", false },
        { ";charset=utf-8", false },
        { "", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(media_is_json(str_z(cases[i].type)), cases[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_is_told_by_its_type_and_charset),
    };
    return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}
