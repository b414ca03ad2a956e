/* Codes and value sets: the shipped ones, and those that packages bring. */
#include "tests/fhir/validate/validating.h"

#include "fhir/validate/registry.h"

static void test_shipped_sets(void **state)
{
    static const struct {
        const char *set, *system, *code;
        enum terminology_answer want;
    } cases[] = {
        { "administrative-gender", NULL, "male", TERMINOLOGY_IN },
        { "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", NULL, "male",
          TERMINOLOGY_IN },
        { "administrative-gender", "http://hl7.org/fhir/administrative-gender", "male",
          TERMINOLOGY_IN },
        { "administrative-gender", "http://a", "male", TERMINOLOGY_OUT },
        { "administrative-gender", "", "male", TERMINOLOGY_OUT },
        { "administrative-gender", NULL, "Male", TERMINOLOGY_OUT },
        { "administrative-gender", NULL, "", TERMINOLOGY_OUT },
        { "administrative-gender", NULL, "*", TERMINOLOGY_OUT },
        { "no-such-set", NULL, "male", TERMINOLOGY_UNKNOWN },
        { "mimetypes", NULL, "application/fhir+json", TERMINOLOGY_IN },
        { "mimetypes", NULL, "xml", TERMINOLOGY_IN },
        { "mimetypes", NULL, "a/b/c", TERMINOLOGY_OUT },
        { "mimetypes", NULL, "/", TERMINOLOGY_OUT },
        { "all-languages", NULL, "en", TERMINOLOGY_IN },
        { "all-languages", NULL, "zh-Hant-TW", TERMINOLOGY_IN },
        { "all-languages", NULL, "en-", TERMINOLOGY_OUT },
        { "all-languages", NULL, "e1", TERMINOLOGY_OUT },
        { "all-languages", NULL, "abcdefghi", TERMINOLOGY_OUT },
        { "currencies", NULL, "EUR", TERMINOLOGY_IN },
        { "currencies", NULL, "EURO", TERMINOLOGY_OUT },
        { "ucum-units", "http://unitsofmeasure.org", "mm[Hg]", TERMINOLOGY_IN },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum terminology_answer got = terminology_has(
            &terminology_r4, str_z(cases[i].set), str_z(cases[i].system), str_z(cases[i].code));
        if (got != cases[i].want) {
            print_error("%s %s: %d\n", cases[i].set, cases[i].code, (int)got);
            fail();
        }
    }
}

/* Sets and systems as packages have them; the URLs end in what they are. */
static const char *const brought[] = {
    "{\"resourceType\":\"CodeSystem\",\"url\":\"http://c/whole\",\"content\":\"complete\","
    "\"concept\":[{\"code\":\"a\",\"concept\":[{\"code\":\"a1\"}]},{\"code\":\"b\"}]}",
    "{\"resourceType\":\"CodeSystem\",\"url\":\"http://c/part\",\"content\":\"fragment\","
    "\"concept\":[{\"code\":\"a\"}]}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/listed\",\"compose\":{\"include\":[{"
    "\"system\":\"http://c/x\",\"concept\":[{\"code\":\"a\"},{\"code\":\"b\"}]}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/whole\",\"compose\":{\"include\":[{"
    "\"system\":\"http://c/whole\"}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/part\",\"compose\":{\"include\":[{"
    "\"system\":\"http://c/part\"}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/filter\",\"compose\":{\"include\":[{"
    "\"system\":\"http://c/whole\",\"filter\":[{\"property\":\"concept\",\"op\":\"is-a\","
    "\"value\":\"a\"}]}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/imports\",\"compose\":{\"include\":[{"
    "\"valueSet\":[\"http://v/listed\"]},{\"valueSet\":[\"http://v/whole|1\"]}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/less\",\"compose\":{\"include\":[{"
    "\"valueSet\":[\"http://v/listed\"]}],\"exclude\":[{\"system\":\"http://c/x\","
    "\"concept\":[{\"code\":\"b\"}]}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/expanded\",\"expansion\":{\"contains\":["
    "{\"system\":\"http://c/x\",\"code\":\"a\",\"contains\":[{\"system\":\"http://c/x\","
    "\"code\":\"deep\"}]}]}}",
    "{\"resourceType\":\"ValueSet\",\"url\":\"http://v/itself\",\"compose\":{\"include\":[{"
    "\"valueSet\":[\"http://v/itself\"]}]}}",
    "{\"resourceType\":\"Patient\"}",
};

static void test_brought_sets(void **state)
{
    static const struct {
        const char *set, *system, *code;
        enum terminology_answer want;
    } cases[] = {
        { "http://v/listed", "http://c/x", "a", TERMINOLOGY_IN },
        { "http://v/listed", "http://c/y", "a", TERMINOLOGY_OUT },
        { "http://v/listed", NULL, "c", TERMINOLOGY_OUT },
        { "http://v/whole", "http://c/whole", "a1", TERMINOLOGY_IN },
        { "http://v/whole", "http://c/whole", "a2", TERMINOLOGY_OUT },
        { "http://v/part", "http://c/part", "z", TERMINOLOGY_UNKNOWN },
        { "http://v/filter", "http://c/whole", "a1", TERMINOLOGY_UNKNOWN },
        { "http://v/filter", "http://c/whole", "z", TERMINOLOGY_OUT },
        { "http://v/imports", "http://c/whole", "b", TERMINOLOGY_IN },
        { "http://v/imports", "http://c/x", "b", TERMINOLOGY_IN },
        { "http://v/imports", "http://c/x", "z", TERMINOLOGY_OUT },
        { "http://v/less", "http://c/x", "a", TERMINOLOGY_IN },
        { "http://v/less", "http://c/x", "b", TERMINOLOGY_OUT },
        { "http://v/expanded", "http://c/x", "deep", TERMINOLOGY_IN },
        { "http://v/expanded", "http://c/x", "z", TERMINOLOGY_OUT },
        { "http://v/itself", "http://c/x", "a", TERMINOLOGY_UNKNOWN },
        { "http://v/none", "http://c/x", "a", TERMINOLOGY_UNKNOWN },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct registry *registry = arena_calloc(arena, 1, sizeof(*registry));
    struct issues issues;
    issues_init(&issues, arena);
    for (size_t i = 0; i < ARRAY_LEN(brought); i++) {
        const struct node *node = NULL;
        assert_int_equal(json_parse(arena, str_z(brought[i]), &issues, &node), 0);
        assert_int_equal(registry_add(registry, arena, node, &issues), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum terminology_answer got = registry_has(
            registry, str_z(cases[i].set), str_z(cases[i].system), str_z(cases[i].code));
        if (got != cases[i].want) {
            print_error("%s %s: %d\n", cases[i].set, cases[i].code, (int)got);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_sets),
        cmocka_unit_test(test_brought_sets),
    };
    return cmocka_run_group_tests_name("fhir/validate/terminology", tests, NULL, NULL);
}
