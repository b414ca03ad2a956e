#include "fhir/consent/actor.h"

#include "fhir/format/json.h"
#include "tests/check.h"

static const struct str bases[] = { { "https://a.example", 17 }, { "https://b.example", 17 } };
static const struct consent_context plain = { .bases = bases, .n_bases = 2 };

static struct reference reference(struct arena *arena, const char *text)
{
    const struct node *node = NULL;
    struct issues issues;
    issues_init(&issues, arena);
    assert_int_equal(json_parse(arena, str_z(text), &issues, &node), 0);
    return reference_read(node);
}

/* @name: NULL if it names nobody */
static const struct {
    const char *reference, *name;
} actors[] = {
    { "{\"reference\":\"Practitioner/1\"}", "Practitioner/1" },
    { "{\"reference\":\"Practitioner/1/_history/2\"}", "Practitioner/1" },
    { "{\"reference\":\"https://a.example/Organization/o\"}", "Organization/o" },
    { "{\"reference\":\"https://b.example/Organization/o\"}", "Organization/o" },
    { "{\"reference\":\"https://c.example/Organization/o\"}",
      "https://c.example/Organization/o" },
    { "{\"reference\":\"urn:oid:1.2.3\"}", "urn:oid:1.2.3" },
    { "{\"reference\":\"Observation/1\"}", NULL },
    { "{\"reference\":\"https://a.example/Location/1\"}", NULL },
    { "{\"reference\":\"#me\"}", NULL },
    { "{\"reference\":\"somebody\"}", NULL },
    { "{\"display\":\"Dr X\"}", NULL },
    /* an identifier goes first: it is the same at every server */
    { "{\"identifier\":{\"system\":\"urn:s\",\"value\":\"7\"}}", "urn:s|7" },
    { "{\"identifier\":{\"system\":\"urn:ietf:rfc:3986\",\"value\":\"urn:oid:1.2\"}}",
      "urn:oid:1.2" },
    { "{\"identifier\":{\"value\":\"urn:oid:1.2\"}}", "urn:oid:1.2" },
    { "{\"reference\":\"Practitioner/"
      "1\",\"identifier\":{\"system\":\"urn:s\",\"value\":\"7\"}}",
      "urn:s|7" },
};

static void test_one_name_for_each_actor(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(actors); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct reference actor = reference(arena, actors[i].reference);
        struct str name = { 0 };
        bool known = consent_actor_uri(&plain, arena, &actor, &name);
        if (known != (actors[i].name != NULL)) {
            print_error("%s\n", actors[i].reference);
        }
        assert_int_equal(known, actors[i].name != NULL);
        assert_str(name, known ? actors[i].name : "");
    }
}

/* A directory that knows one, and another without telling a name. */
static bool directory(void *owner, struct arena *arena, const struct reference *actor,
                      struct str *uri)
{
    (void)owner;
    (void)arena;
    *uri = str_eq(actor->id, STR("one")) ? STR("urn:oid:1") : STR("");
    return !str_eq(actor->id, STR("other"));
}

static void test_a_directory_goes_before(void **state)
{
    static const struct consent_context context = { .actor = directory };
    static const struct {
        const char *reference;
        bool known;
    } cases[] = {
        { "{\"reference\":\"Practitioner/one\"}", true },
        { "{\"reference\":\"Practitioner/nameless\"}", false },
        { "{\"reference\":\"Practitioner/other\"}", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct reference actor = reference(arena, cases[i].reference);
        struct str name;
        assert_int_equal(consent_actor_uri(&context, arena, &actor, &name), cases[i].known);
    }
}

static void test_one_text_for_each_resource(void **state)
{
    static const struct {
        const char *reference, *text;
    } cases[] = {
        { "{\"reference\":\"Observation/1\"}", "Observation/1" },
        { "{\"reference\":\"Observation/1/_history/3\"}", "Observation/1/_history/3" },
        { "{\"reference\":\"https://b.example/Observation/1\"}", "Observation/1" },
        { "{\"reference\":\"https://c.example/Observation/1\"}", NULL },
        { "{\"reference\":\"urn:uuid:0\"}", NULL },
        { "{\"identifier\":{\"value\":\"1\"}}", NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct reference data = reference(arena, cases[i].reference);
        struct str text = { 0 };
        bool known = consent_data_text(&plain, arena, &data, &text);
        assert_int_equal(known, cases[i].text != NULL);
        assert_str(text, known ? cases[i].text : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_name_for_each_actor),
        cmocka_unit_test(test_a_directory_goes_before),
        cmocka_unit_test(test_one_text_for_each_resource),
    };
    return cmocka_run_group_tests_name("fhir/consent/actor", tests, NULL, NULL);
}
