/* Which definitions are in force on a route, and what is said about wrong ones. */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "gateway/heap.h"
#include "gateway/validation.h"

#include <errno.h>
#include <unistd.h>

#define BORN "http://lab.example/StructureDefinition/born"

static char good[] = "/tmp/chartseal-package-XXXXXX";
static char bad[] = "/tmp/chartseal-package-XXXXXX";

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(good));
    assert_non_null(mkdtemp(bad));
    write_file(good, "born.json",
               "{\"resourceType\":\"StructureDefinition\",\"url\":\"" BORN "\",\"type\":"
               "\"Patient\",\"snapshot\":{\"element\":[{\"path\":\"Patient\"},{\"path\":"
               "\"Patient.birthDate\",\"min\":1,\"max\":\"1\"}]}}");
    write_file(bad, "bad.json", "{");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/born.json", good);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/bad.json", bad);
    (void)unlink(path);
    return rmdir(good) | rmdir(bad);
}

/* A FHIR listener with one route. */
struct site {
    struct config config;
    struct config_listener listener;
    struct config_route route;
    const char *packages[1];
    const char *profiles[1];
};

static int load(struct site *site, struct buf *report, struct validation **out)
{
    *report = heap_buf(1 << 16);
    site->listener.protocol = PROTOCOL_FHIR;
    site->route.place.line = 7;
    site->route.profiles = (struct config_strings){ site->profiles, site->profiles[0] != NULL };
    site->config = (struct config){
        .file = "site.yaml",
        .listeners = { &site->listener, 1 },
        .routes = { &site->route, 1 },
        .packages = { site->packages, site->packages[0] != NULL },
    };
    return validation_load(&site->config, report, out);
}

static void test_a_resource_is_looked_at_by_what_the_route_wants(void **state)
{
    static const struct {
        const char *text, *route, *asked, *want;
    } cases[] = {
        { "Patient", NULL, "", "" },
        { "Patient", BORN, "", "Patient.birthDate: " },
        { "Basic", BORN, "", "Basic.code: " }, /* of R4 alone: the profile is of another type */
        { "Patient", NULL, BORN, "Patient.birthDate: " },
        { "Basic", NULL, BORN, "Basic: isn't of the type that the profile is about" },
        { "Patient", NULL, "urn:x", "Patient: can't be compared with a profile that isn't" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct site site = { .packages = { good }, .profiles = { cases[i].route } };
        struct buf report;
        struct validation *validation = NULL;
        assert_int_equal(load(&site, &report, &validation), 0);
        assert_int_equal(report.n, 0);
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct issues issues;
        const struct node *node = NULL;
        issues_init(&issues, arena);
        struct buf text = arena_buf(arena, 256);
        buf_fmt(&text, "{\"resourceType\":\"%s\",\"language\":\"en\"}", cases[i].text);
        assert_int_equal(json_parse(arena, buf_str(&text), &issues, &node), 0);
        const struct validation_ask ask = { &site.route, str_z(cases[i].asked), 0 };
        assert_int_equal(validation_look(validation, arena, node, &ask, &issues), 0);
        assert_int_equal(issues_bad(&issues), *cases[i].want != '\0');
        const struct issue *first = issues.first;
        while (first && first->severity < ISSUE_ERROR) {
            first = first->next;
        }
        if (first) {
            text.n = 0;
            buf_str_put(&text, first->place);
            buf_z(&text, ": ");
            buf_str_put(&text, first->text);
            assert_true(str_starts(buf_str(&text), str_z(cases[i].want)));
        }
        validation_free(validation);
        heap_buf_free(&report);
    }
}

static void test_mistakes_are_told(void **state)
{
    const struct {
        const char *package, *profile, *want;
    } cases[] = {
        { "/nonexistent", NULL, "/nonexistent: can't be read: No such file or directory\n" },
        { bad, NULL, "/bad.json: " },
        { good, "urn:x", "site.yaml:7: routes: no package has the profile \"urn:x\"\n" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct site site = { .packages = { cases[i].package },
                             .profiles = { cases[i].profile } };
        struct buf report;
        struct validation *validation = NULL;
        assert_int_equal(load(&site, &report, &validation), -EINVAL);
        assert_null(validation);
        buf_c(&report, '\0');
        if (!strstr(report.p, cases[i].want)) {
            fail_msg("case %zu: got %s want %s", i, report.p, cases[i].want);
        }
        heap_buf_free(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_resource_is_looked_at_by_what_the_route_wants),
        cmocka_unit_test(test_mistakes_are_told),
    };
    return cmocka_run_group_tests_name("validation", tests, setup, teardown);
}
