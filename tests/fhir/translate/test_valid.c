/*
 * Whatever becomes a Bundle is valid: of all published messages that are translated, each
 * Bundle passes validation, invariants included, with all that can be asked for and without.
 */
#include "tests/check.h"

#include "crypto/digest.h"
#include "fhir/format/json.h"
#include "fhir/translate/lack.h"
#include "fhir/translate/to_fhir.h"
#include "fhir/v2/charset.h"
#include "fhir/validate/validate.h"
#include "tests/fhir/translate/same_nodes.h"
#include "tests/shipped.h"

#include <dirent.h>

enum {
    FEWEST_TRANSLATED = 399,
};

static const struct str all_options[] = { STR_INIT("MessageHeader"), STR_INIT("Binary") };

/* @option_count: how many of them are asked for */
struct trying {
    size_t option_count;
    const struct rules *rules;
    const struct validator *validator;
    size_t translated;
    size_t wrong;
};

static int translate(struct trying *t, struct arena *arena, struct str text,
                     struct translate_result *result)
{
    struct issues issues;
    issues_init(&issues, arena);
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(text, digest);
    const struct translate_site site = { .rules = t->rules,
                                         .sender = STR("urn:oid:1.2.3|lab"),
                                         .gateway = STR("gateway"),
                                         .recorded = STR("2026-01-02T03:04:05Z"),
                                         .digest = digest,
                                         .options = all_options,
                                         .option_count = t->option_count,
                                         .tree = true };
    struct v2_message m;
    struct v2_message utf8;
    int r = v2_parse(arena, text, &issues, &m);
    r = r ? r : v2_message_utf8(arena, &m, V2_CHARSET_8859_1, &issues, &utf8);
    r = r ? r : translate_to_fhir(arena, &utf8, &site, result, &issues);
    assert_true(r || result->count || translate_suspect(t->rules, &utf8));
    return r;
}

static void try_file(struct trying *t, const char *path)
{
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct translate_result result;
    const struct node *root = NULL;
    struct issues issues;
    issues_init(&issues, arena);
    if (translate(t, arena, str_of(text, n), &result) == 0) {
        t->translated++;
        assert_int_equal(json_parse(arena, result.bundle, &issues, &root), 0);
        assert_true(same_nodes(root, result.tree));
        assert_int_equal(validate_resource(t->validator, arena, root,
                                           &(struct validate_options){ 0 }, &issues),
                         0);
        t->wrong += issues_bad(&issues);
        for (const struct issue *i = issues.first; i; i = i->next) {
            if (i->severity >= ISSUE_ERROR) {
                print_error("%s: %.*s %.*s\n", path, (int)i->place.n, i->place.p,
                            (int)i->text.n, i->text.p);
            }
        }
    }
    free(text);
}

/* All files in the folders of @folder. */
static void try_folders(struct trying *t, const char *folder)
{
    char path[4096];
    char inner[8192];
    char name[16384];
    check_data(folder, path, sizeof(path));
    DIR *outer = opendir(path);
    assert_non_null(outer);
    for (struct dirent *type = readdir(outer); type; type = readdir(outer)) {
        (void)snprintf(inner, sizeof(inner), "%s/%s", path, type->d_name);
        DIR *files = type->d_name[0] == '.' ? NULL : opendir(inner);
        for (struct dirent *f = files ? readdir(files) : NULL; f; f = readdir(files)) {
            if (str_ends(str_z(f->d_name), STR(".hl7"))) {
                (void)snprintf(name, sizeof(name), "%s/%s", inner, f->d_name);
                try_file(t, name);
            }
        }
        if (files) {
            (void)closedir(files);
        }
    }
    (void)closedir(outer);
}

static void test_every_bundle_is_valid(void **state)
{
    (void)state;
    check_data_needed("v2_messages");
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct validator *validator = NULL;
    assert_int_equal(validator_new(arena, &validator), 0);
    const struct rules *rules = shipped_rules(arena);
    for (size_t options = 0; options <= ARRAY_LEN(all_options); options += 2) {
        struct trying t = { .option_count = options, .rules = rules, .validator = validator };
        try_folders(&t, "v2_messages");
        try_folders(&t, "v2_quirky");
        print_message("%zu Bundles, %zu not valid\n", t.translated, t.wrong);
        assert_int_equal(t.wrong, 0);
        assert_true(t.translated >= FEWEST_TRANSLATED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bundle_is_valid),
    };
    return cmocka_run_group_tests_name("fhir/translate/valid", tests, NULL, NULL);
}
