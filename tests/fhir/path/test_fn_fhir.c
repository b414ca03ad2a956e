/* What FHIR adds: extensions, references, terminology, profiles, narratives. */
#include "tests/fhir/path/expect.h"

static const char bundle[] =
    "{\"resourceType\":\"Bundle\",\"entry\":["
    "{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\","
    "\"extension\":[{\"url\":\"a\",\"valueCode\":\"x\"},{\"url\":\"b\"}],"
    "\"modifierExtension\":[{\"url\":\"m\"}]}},"
    "{\"fullUrl\":\"http://x/Observation/o\",\"resource\":{\"resourceType\":\"Observation\","
    "\"id\":\"o\",\"subject\":{\"reference\":\"urn:uuid:1\"},"
    "\"performer\":[{\"reference\":\"#c\"},{\"reference\":\"Patient/p\"},"
    "{\"reference\":\"Patient/elsewhere\"},{\"display\":\"none\"}],"
    "\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"c\",\"communication\":"
    "[{\"text\":\"t\"}],\"qualification\":[{\"issuer\":{\"reference\":\"#\"}}]}]}}]}";

static void test_references(void **state)
{
    static const struct expect cases[] = {
        { "entry[1].resource.subject.resolve().id", "p" },
        { "entry[1].resource.performer.resolve().id", "c | p" },
        { "entry[1].resource.performer.where(resolve() is Practitioner).reference", "#c" },
        { "entry[1].resource.contained.qualification.issuer.resolve().id", "o" },
        { "'Patient/p'.resolve()", "" }, /* no place to look from */
    };
    (void)state;
    EXPECT_ALL(cases, bundle);
}

static void test_extensions(void **state)
{
    static const struct expect cases[] = {
        { "entry[0].resource.extension('a').value", "x" },
        { "entry.resource.extension('b').count()", "1" },
        { "entry.resource.extension({})", "" },
        { "entry[0].resource.checkModifiers('m').id", "p" },
        { "entry[0].resource.checkModifiers('n', 'o')", "!19" },
    };
    (void)state;
    EXPECT_ALL(cases, bundle);
}

/* --- the surroundings --------------------------------------------------------------------- */

struct seen {
    char traced[256];
    struct arena *arena;
};

static const struct node *resolve(void *owner, struct str reference)
{
    struct seen *seen = owner;
    bool known = str_eq(reference, STR("Patient/elsewhere"));
    return known ? expect_parse(seen->arena, "{\"resourceType\":\"Patient\",\"id\":\"e\"}")
                 : NULL;
}

static int member_of(void *owner, const struct path_value *code, struct str value_set,
                     bool *out)
{
    (void)owner;
    if (!str_eq(value_set, STR("vs"))) {
        return PATH_ENV_E_UNKNOWN;
    }
    *out = code->kind == PATH_ELEMENT && str_eq(code->element.node->text, STR("x"));
    return 0;
}

static int conforms(void *owner, const struct path_value *element, struct str profile,
                    bool *out)
{
    (void)owner;
    (void)element;
    *out = str_eq(profile, STR("mine"));
    return *out ? 0 : PATH_ENV_E_UNKNOWN;
}

static void trace(void *owner, struct str name, struct path_list value)
{
    struct seen *seen = owner;
    (void)snprintf(seen->traced, sizeof(seen->traced), "%.*s %zu", (int)name.n, name.p,
                   value.n);
}

static void test_surroundings(void **state)
{
    static const struct expect cases[] = {
        { "entry[1].resource.performer.resolve().id", "c | p | e" },
        { "entry[0].resource.extension.value.memberOf('vs')", "true" },
        { "entry[0].resource.id.memberOf('vs')", "false" },
        { "entry[0].resource.id.memberOf('other')", "!22" },
        { "{}.memberOf('vs')", "" },
        { "entry.resource.memberOf('vs')", "!16" },
        { "conformsTo('mine')", "true" },
        { "conformsTo('other')", "!1" },
        { "%x + %y.first()", "3" },
        { "%nothing", "!1" },
        { "entry.trace('seen', resource.id).count()", "2" },
    };
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 12);
    struct seen seen = { .arena = arena };
    const struct path_value one = path_integer(1);
    const struct path_value more[] = { path_integer(2), path_integer(3) };
    const struct path_variable variables[] = { { STR_INIT("x"), { &one, 1 } },
                                               { STR_INIT("y"), { more, 2 } } };
    const struct path_env env = { .variables = variables,
                                  .variables_n = ARRAY_LEN(variables),
                                  .resolve = resolve,
                                  .member_of = member_of,
                                  .conforms = conforms,
                                  .trace = trace,
                                  .owner = &seen };
    (void)state;
    expect_all(cases, ARRAY_LEN(cases), bundle, &env, 0);
    assert_string_equal(seen.traced, "seen 2");
}

static void test_without_surroundings(void **state)
{
    static const struct expect cases[] = {
        { "entry[0].resource.id.memberOf('vs')", "!22" },
        { "conformsTo('http://hl7.org/fhir/StructureDefinition/Bundle')", "true" },
        { "conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "false" },
        { "conformsTo('http://hl7.org/fhir/StructureDefinition/Nothing')", "!1" },
        { "entry.trace('seen').count()", "2" },
    };
    (void)state;
    EXPECT_ALL(cases, bundle);
}

static void test_variables(void **state)
{
    static const struct expect cases[] = {
        { "%ucum", "http://unitsofmeasure.org" },
        { "%sct & %loinc", "http://snomed.info/scthttp://loinc.org" },
        { "%`vs-name`", "http://hl7.org/fhir/ValueSet/name" },
        { "%'ext-name'", "http://hl7.org/fhir/StructureDefinition/name" },
        { "entry[0].select(%context.type())", "FHIR.Bundle" },
        { "%resource.type() | %rootResource.type()", "FHIR.Bundle" },
        { "entry.select(defineVariable('e').resource.select(%e.fullUrl & ' ' & id))",
          "urn:uuid:1 p | http://x/Observation/o o" },
        { "defineVariable('a', 1).select(%a + 1)", "2" },
        { "(1 | 2).select(defineVariable('a').select(%a)) | %a", "!50" },
        { "defineVariable('a').defineVariable('a')", "!21" },
        { "defineVariable({})", "!1" },
    };
    (void)state;
    EXPECT_ALL(cases, bundle);
}

/* What an element is in depends on where the run begins. */
static void test_resource_of_an_element(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 14);
    static const struct {
        const char *expression, *want;
    } cases[] = {
        { "%resource.id", "c" },
        { "%rootResource.type().name", "Bundle" },
        { "%context.text", "t" },
    };
    const struct path_env env = { 0 };
    const struct node *root = expect_parse(arena, bundle);
    const struct node *entry = root->first->next->first->next;
    const struct node *contained = node_get(node_get(entry, "resource"), "contained")->first;
    struct path_value input =
        path_element(&schema_r4, node_get(contained, "communication")->first,
                     schema_type(&schema_r4, STR("CodeableConcept")));
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct issues issues;
        struct path_list list;
        const struct path *path;
        const struct path_source source = { .text = str_z(cases[i].expression),
                                            .schema = &schema_r4 };
        issues_init(&issues, arena);
        assert_int_equal(path_compile(arena, &source, &issues, &path), 0);
        struct path_machine *m = path_machine_new(arena, &env);
        assert_int_equal(path_run(m, path, &input, &issues, &list), 0);
        assert_str(expect_tell(arena, 0, &issues, &list), cases[i].want);
    }
}

static void test_narratives(void **state)
{
    static const struct expect cases[] = {
        { "'<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>'.htmlChecks()", "true" },
        { "'<div xmlns=\"http://www.w3.org/1999/xhtml\"><script/></div>'.htmlChecks()",
          "false" },
        { "{}.htmlChecks()", "" },
        { "1.htmlChecks()", "!3" },
    };
    (void)state;
    EXPECT_ALL(cases, bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_references),   cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_surroundings), cmocka_unit_test(test_without_surroundings),
        cmocka_unit_test(test_variables),    cmocka_unit_test(test_resource_of_an_element),
        cmocka_unit_test(test_narratives),
    };
    return cmocka_run_group_tests_name("fhir/path/fn_fhir", tests, NULL, NULL);
}
