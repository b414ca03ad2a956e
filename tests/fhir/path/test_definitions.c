/*
 * R4's own expressions: all invariants and search parameters compile, and the official examples
 * hold what their types demand.
 */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/path/path.h"

#include <dirent.h>
#include <zlib.h>

enum {
    PATH_SIZE = 1024,
    NAME_SIZE = 256,
    FILE_MAX = 40 << 20,
};

static const struct path_env env = { .now = INT64_C(1795342830400) };

static const struct node *parse(struct arena *arena, struct str text)
{
    struct issues issues;
    const struct node *root;
    issues_init(&issues, arena);
    assert_int_equal(json_parse(arena, text, &issues, &root), 0);
    return root;
}

static const struct node *read_definitions(struct arena *arena, const char *name)
{
    char path[PATH_SIZE];
    char file[NAME_SIZE];
    (void)snprintf(file, sizeof(file), "fhir_r4/definitions/%s.json.gz", name);
    check_data(file, path, sizeof(path));
    gzFile gz = gzopen(path, "rb");
    assert_non_null(gz);
    char *text = arena_alloc(arena, FILE_MAX);
    int n = gzread(gz, text, FILE_MAX);
    (void)gzclose(gz);
    assert_true(n > 0 && n < FILE_MAX);
    return parse(arena, str_of(text, (size_t)n));
}

static int compile(struct arena *arena, struct str text, struct issues *issues,
                   const struct path **out)
{
    const struct path_source source = { .text = text,
                                        .schema = &schema_r4,
                                        .flags = PATH_AS_FILTERS };
    issues_init(issues, arena);
    return path_compile(arena, &source, issues, out);
}

static struct path_list evaluate(struct arena *arena, const char *text, const struct node *root)
{
    struct issues issues;
    struct path_list list;
    const struct path *path;
    struct path_machine *m = path_machine_new(arena, &env);
    struct path_value input = path_element(&schema_r4, root, NULL);
    assert_int_equal(compile(arena, str_z(text), &issues, &path), 0);
    assert_int_equal(path_run(m, path, &input, &issues, &list), 0);
    return list;
}

/* All texts that @where finds in a file of definitions compile; how many. */
static size_t compile_all(const char *file, const char *where)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct path_list list = evaluate(arena, where, read_definitions(arena, file));
    for (size_t i = 0; i < list.n; i++) {
        struct issues issues;
        const struct path *path;
        struct str text = list.items[i].element.node->text;
        if (compile(arena, text, &issues, &path)) {
            fail_msg("%.*s\n%.*s: %.*s", (int)text.n, text.p, (int)issues.first->place.n,
                     issues.first->place.p, (int)issues.first->text.n, issues.first->text.p);
        }
    }
    return list.n;
}

static void test_invariants_compile(void **state)
{
    static const char *const files[] = { "profiles-resources", "profiles-types",
                                         "profiles-others", "extension-definitions" };
    size_t n = 0;
    (void)state;
    check_data_needed("fhir_r4/definitions");
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        n += compile_all(files[i], "entry.resource.ofType(StructureDefinition)"
                                   ".snapshot.element.constraint.expression.distinct()");
    }
    assert_true(n > 250);
}

static void test_search_parameters_compile(void **state)
{
    (void)state;
    check_data_needed("fhir_r4/definitions");
    size_t n = compile_all("search-parameters", "entry.resource.expression");
    assert_true(n > 1300);
}

/* --- examples ----------------------------------------------------------------------------- */

/* Constraints of the type itself, of each resource. */
struct rules {
    struct path_list definitions;
    struct arena *arena;
    size_t checked;
    size_t broken;
};

static void check_rule(struct rules *rules, const struct node *rule, const struct node *root,
                       const char *name)
{
    struct issues issues;
    struct path_list list;
    const struct path *path;
    struct path_value input = path_element(&schema_r4, root, NULL);
    struct path_machine *m = path_machine_new(rules->arena, &env);
    struct str text = node_text(rule, "expression");
    if (!text.n || str_eq(node_text(rule, "severity"), STR("warning"))) {
        return;
    }
    rules->checked++;
    assert_int_equal(compile(rules->arena, text, &issues, &path), 0);
    int r = path_run(m, path, &input, &issues, &list);
    if (r || !path_holds(&list)) {
        struct str key = node_text(rule, "key");
        print_message("%s: %.*s: %.*s%.*s\n", name, (int)key.n, key.p, (int)text.n, text.p,
                      r ? (int)issues.first->text.n : 0, r ? issues.first->text.p : "");
        rules->broken++;
    }
}

static const struct node *root_element(const struct rules *rules, struct str type)
{
    for (size_t i = 0; i < rules->definitions.n; i++) {
        const struct node *definition = rules->definitions.items[i].element.node;
        if (str_eq(node_text(definition, "name"), type)) {
            return node_first(node_get(node_get(definition, "snapshot"), "element"));
        }
    }
    return NULL;
}

static void check_example(struct rules *rules, const char *folder, const char *name)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    size_t n;
    char *text = check_read(path, &n);
    assert_non_null(text);
    const struct node *root = parse(rules->arena, str_of(text, n));
    const struct node *element = root_element(rules, node_text(root, "resourceType"));
    assert_non_null(element);
    const struct node *rule = node_first(node_get(element, "constraint"));
    for (; rule; rule = rule->next) {
        check_rule(rules, rule, root, name);
    }
    free(text);
}

static void test_examples_hold(void **state)
{
    char folder[PATH_SIZE / 2];
    (void)state;
    check_data("fhir_r4/xml_json_pairs", folder, sizeof(folder));
    CLEANUP(arena_freep) struct arena *definitions = arena_new(1 << 20);
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct rules rules = { .arena = arena };
    rules.definitions = evaluate(definitions, "entry.resource.ofType(StructureDefinition)",
                                 read_definitions(definitions, "profiles-resources"));
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t examples = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (str_ends(str_z(e->d_name), STR(".json"))) {
            check_example(&rules, folder, e->d_name);
            examples++;
            arena_reset(arena);
        }
    }
    (void)closedir(dir);
    print_message("%zu examples, %zu rules checked, %zu broken\n", examples, rules.checked,
                  rules.broken);
    assert_true(examples > 100 && rules.checked > 500);
    assert_int_equal(rules.broken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariants_compile),
        cmocka_unit_test(test_search_parameters_compile),
        cmocka_unit_test(test_examples_hold),
    };
    return cmocka_run_group_tests_name("fhir/path/definitions", tests, NULL, NULL);
}
