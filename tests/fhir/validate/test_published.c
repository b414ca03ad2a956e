/*
 * What HL7 publishes: examples that are valid, and resources that the reference validator has
 * judged.
 *
 * The examples are known to be valid but for @empty, whose narratives hold nothing.
 */
#include "tests/fhir/validate/validating.h"

#include "fhir/format/xml.h"

#include <dirent.h>

enum {
    FEWEST_EXAMPLES = 190,
    FEWEST_JUDGED = 25,
    AGREEMENT = 95, /* percent, at least */
};

static const char *const empty[] = {
    "ActivityDefinition-blood-tubes-supply.json",
    "Questionnaire-zika-virus-exposure-assessment.json",
};

/* Whether the resource in a file is valid; what is wrong with it is in @issues. */
static bool is_valid(struct arena *arena, const char *path,
                     const struct validate_options *options, struct issues *issues)
{
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    struct str kept = arena_str(arena, str_of(text, n));
    free(text);
    const struct node *root = NULL;
    issues_init(issues, arena);
    int r = str_ends(str_z(path), STR(".xml"))
                ? xml_parse(arena, &schema_r4, kept, issues, &root)
                : json_parse(arena, kept, issues, &root);
    if (r == 0) {
        r = validate_resource(validating(), arena, root, options, issues);
    }
    assert_true(r >= 0);
    return r == 0 && !issues_bad(issues);
}

static bool is_empty(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        if (strcmp(name, empty[i]) == 0) {
            return true;
        }
    }
    return false;
}

static size_t check_folder(const char *folder)
{
    char path[4096];
    check_data(folder, path, sizeof(path));
    DIR *dir = opendir(path);
    assert_non_null(dir);
    size_t count = 0;
    size_t wrong = 0;
    for (struct dirent *file = readdir(dir); file; file = readdir(dir)) {
        if (!str_ends(str_z(file->d_name), STR(".json"))) {
            continue;
        }
        char name[8192];
        (void)snprintf(name, sizeof(name), "%s/%s", path, file->d_name);
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
        struct issues issues;
        if (is_valid(arena, name, &(struct validate_options){ 0 }, &issues) ==
            is_empty(file->d_name)) {
            struct str said = validating_said(arena, &issues, ISSUE_ERROR);
            print_error("%s\n%.*s\n", file->d_name, (int)said.n, said.p);
            wrong++;
        }
        count++;
    }
    (void)closedir(dir);
    assert_int_equal(wrong, 0);
    return count;
}

static void test_examples_are_valid(void **state)
{
    (void)state;
    size_t count = check_folder("fhir_r4/xml_json_pairs");
    count += check_folder("fhir_r4/original_xml_expected_json");
    assert_true(count >= FEWEST_EXAMPLES);
}

/* The next field of a line of CSV. */
static struct str csv_field(struct str *rest)
{
    if (!str_starts(*rest, STR("\""))) {
        return str_cut(rest, ',');
    }
    size_t i = 1;
    while (i < rest->n && (rest->p[i] != '"' || (i + 1 < rest->n && rest->p[i + 1] == '"'))) {
        i += rest->p[i] == '"' ? 2 : 1;
    }
    struct str field = str_slice(*rest, 1, i);
    *rest = str_slice(*rest, i + 1, rest->n);
    (void)str_cut(rest, ',');
    return field;
}

static void test_the_reference_validator_agrees(void **state)
{
    (void)state;
    char path[4096];
    check_data("fhir_r4/validation/index.csv", path, sizeof(path));
    char *text = check_read(path, NULL);
    assert_non_null(text);
    struct str rest = str_z(text);
    (void)str_cut(&rest, '\n');
    size_t count = 0;
    size_t agreed = 0;
    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        struct str name = csv_field(&line);
        struct str file = csv_field(&line);
        (void)csv_field(&line);
        bool valid = str_eq(csv_field(&line), STR("0"));
        char where[8192];
        check_data("fhir_r4/validation", path, sizeof(path));
        (void)snprintf(where, sizeof(where), "%s/%.*s", path, (int)file.n, file.p);
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
        struct issues issues;
        const struct validate_options options = { .strict_extensions = true };
        bool ours = is_valid(arena, where, &options, &issues);
        agreed += ours == valid;
        count++;
        if (ours != valid) {
            struct str said = validating_said(arena, &issues, ISSUE_ERROR);
            print_message("%.*s is %s to the reference validator\n%.*s\n", (int)name.n, name.p,
                          valid ? "valid" : "not valid", (int)said.n, said.p);
        }
    }
    free(text);
    print_message("%zu of %zu judged alike\n", agreed, count);
    assert_true(count >= FEWEST_JUDGED && agreed * 100 >= count * AGREEMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_are_valid),
        cmocka_unit_test(test_the_reference_validator_agrees),
    };
    return cmocka_run_group_tests_name("fhir/validate/published", tests, NULL, validating_end);
}
