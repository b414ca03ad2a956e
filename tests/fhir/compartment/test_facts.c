/* What consent rules may ask of a resource. */
#include "fhir/compartment/facts.h"

#include "fhir/format/json.h"
#include "tests/check.h"

static const char *const observation =
    "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"meta\":{\"versionId\":\"3\","
    "\"lastUpdated\":\"2024-01-02T03:04:05Z\",\"profile\":[\"http://p\"],\"security\":["
    "{\"system\":\"http://s\",\"code\":\"R\"},{\"code\":\"ETH\"}],\"tag\":[{\"system\":\"t\","
    "\"code\":\"x\"}]},\"category\":[{\"coding\":[{\"system\":\"c\",\"code\":\"laboratory\"}]}]"
    ","
    "\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"718-7\"}]},"
    "\"subject\":{\"reference\":\"Patient/1\"},\"encounter\":{\"reference\":\"Encounter/5\"},"
    "\"effectivePeriod\":{\"start\":\"2023-12-01\"},\"performer\":[{\"reference\":"
    "\"Practitioner/7\"},{\"reference\":\"Organization/8\"}],\"valueQuantity\":{\"value\":1.00,"
    "\"system\":\"http://unitsofmeasure.org\",\"code\":\"g\"}}";

static void test_observation(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root;
    assert_int_equal(json_parse(arena, str_z(observation), &issues, &root), 0);
    struct resource_facts facts;
    assert_int_equal(resource_facts_read(arena, root, &facts), 0);

    assert_str(facts.type, "Observation");
    assert_str(facts.id, "o1");
    assert_str(facts.version, "3");
    assert_str(facts.updated, "2024-01-02T03:04:05Z");
    assert_int_equal(facts.profile_count, 1);
    assert_str(facts.profiles[0], "http://p");
    assert_int_equal(facts.label_count, 2);
    assert_str(facts.labels[0].code, "R");
    assert_str(facts.labels[1].system, "");
    assert_int_equal(facts.coding_count, 2); /* neither tags nor units */
    assert_str(facts.codings[0].code, "laboratory");
    assert_str(facts.codings[1].system, "http://loinc.org");
    assert_str(facts.period.start, "2023-12-01");
    assert_str(facts.period.end, "");
    assert_int_equal(facts.authors.count, 2);
    assert_str(facts.authors.last->to.id, "8");
    assert_int_equal(facts.references.count, 4);
    assert_int_equal(facts.subjects.class, SUBJECT_KNOWN);
}

static void test_periods(void **state)
{
    static const struct {
        const char *in, *start, *end;
    } cases[] = {
        { "{\"resourceType\":\"Observation\",\"issued\":\"2024\"}", "2024", "2024" },
        { "{\"resourceType\":\"Observation\",\"issued\":\"2024\",\"effectiveDateTime\":"
          "\"2023\"}",
          "2023", "2023" },
        { "{\"resourceType\":\"Encounter\",\"period\":{\"start\":\"a\",\"end\":\"b\"}}", "a",
          "b" },
        { "{\"resourceType\":\"DocumentReference\",\"context\":{\"period\":{\"end\":\"b\"}}}",
          "", "b" },
        { "{\"resourceType\":\"Patient\",\"birthDate\":\"1970\"}", "", "" },
        { "{\"resourceType\":\"Unheard\",\"date\":\"1970\"}", "", "" },
        { "[]", "", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        issues_init(&issues, arena);
        const struct node *root;
        assert_int_equal(json_parse(arena, str_z(cases[i].in), &issues, &root), 0);
        struct resource_facts facts;
        assert_int_equal(resource_facts_read(arena, root, &facts), 0);
        assert_str(facts.period.start, cases[i].start);
        assert_str(facts.period.end, cases[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_observation),
        cmocka_unit_test(test_periods),
    };
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
