/* Which maps are in force for whom, and what is said about wrong ones. */
#include "tests/check.h"

#include "gateway/heap.h"
#include "gateway/maps.h"

#include <errno.h>
#include <unistd.h>

static char folder[] = "/tmp/chartseal-maps-XXXXXX";
static char paths[5][64];

static const char *const texts[] = {
    "sender LAB\n    zone Europe/Berlin\n    assigner A -> urn:a\n",
    "table AdministrativeGender\n    M -> unknown\n",
    "table AdministrativeGender\n    F -> unknown\n",
    "segment PID Patient\n    PID-8 -> gender : nothing\n    PID-900 -> x : string\n",
    "sender\n    zone Nowhere/Land\n",
};

enum {
    LAB,
    MEN,
    WOMEN,
    WRONG,
    NOWHERE,
};

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%zu.map", folder, i);
        FILE *file = fopen(paths[i], "w");
        assert_non_null(file);
        assert_true(fputs(texts[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        (void)unlink(paths[i]);
    }
    (void)rmdir(folder);
    return 0;
}

/* One listener with two senders, and two routes from it; maps of each as the caller says. */
struct site {
    struct config config;
    struct config_listener listener;
    struct config_sender senders[2];
    struct config_route routes[2];
    const char *files[4][2];
};

static struct config_strings list(const char **files)
{
    size_t n = files[0] ? files[1] ? 2 : 1 : 0;
    return (struct config_strings){ .items = files, .n = n };
}

static void build(struct site *site)
{
    site->listener.place.name = "lab";
    site->listener.senders = (struct config_list){ site->senders, 2 };
    site->listener.maps = list(site->files[0]);
    site->senders[1].maps = list(site->files[1]);
    site->routes[0].from = "lab";
    site->routes[1].from = "lab";
    site->routes[0].place.line = 7;
    site->routes[0].maps = list(site->files[2]);
    site->config = (struct config){ .file = "site.yaml",
                                    .listeners = { &site->listener, 1 },
                                    .routes = { site->routes, 2 } };
}

static int load(struct site *site, struct buf *report, struct maps **out)
{
    build(site);
    *report = heap_buf(1 << 16);
    return maps_load(&site->config, report, out);
}

/* Layers are the listener's, the sender's and the route's; the same files are compiled once. */
static void test_who_has_which(void **state)
{
    (void)state;
    struct site site = { .files = { { paths[LAB] }, { paths[MEN] }, { paths[WOMEN] } } };
    struct buf report;
    struct maps *maps = NULL;
    assert_int_equal(load(&site, &report, &maps), 0);
    assert_int_equal(report.n, 0);
    const struct rules *first = maps_of(maps, &site.senders[0], NULL);
    const struct rules *second = maps_of(maps, &site.senders[1], NULL);
    assert_int_equal(first->sender_count, 1);
    assert_string_not_equal(first->version, second->version);
    assert_ptr_equal(maps_of(maps, &site.senders[0], &site.routes[1]), first);
    assert_ptr_equal(maps_of(maps, &site.senders[1], &site.routes[1]), second);
    const struct rules *routed = maps_of(maps, &site.senders[1], &site.routes[0]);
    assert_string_not_equal(routed->version, second->version);
    assert_string_not_equal(maps_of(maps, &site.senders[0], &site.routes[0])->version,
                            routed->version);
    maps_free(maps);
    heap_buf_free(&report);
}

/* Options that senders and routes ask for, of which their maps know all. */
static void test_options(void **state)
{
    static const char *known[] = { "MessageHeader", "Binary" };
    static const char *unknown[] = { "Messageheader" };
    (void)state;
    for (int wrong = 0; wrong < 3; wrong++) {
        struct site site = { 0 };
        struct buf report;
        struct maps *maps = NULL;
        site.senders[0].place.line = 5;
        site.senders[0].options = (struct config_strings){ wrong == 1 ? unknown : known, 1 };
        site.routes[0].options =
            (struct config_strings){ wrong == 2 ? unknown : known, wrong == 2 ? 1 : 2 };
        assert_int_equal(load(&site, &report, &maps), wrong ? -EINVAL : 0);
        buf_c(&report, '\0');
        static const char *const said[] = {
            "", "site.yaml:5: no map knows the option Messageheader\n",
            "site.yaml:7: no map knows the option Messageheader\n"
        };
        assert_string_equal(report.p, said[wrong]);
        maps_free(maps);
        heap_buf_free(&report);
    }
}

/* What FHIR clients write has maps of its own route, which make the messages asked for. */
static void test_written(void **state)
{
    static const char *ward = "ward";
    static const char *const events[] = { NULL, "ADT^A08", "ADT^A99" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        struct config_receiver receiver = { .event = events[i], .place.line = 9 };
        struct config_destination to = { .place.name = "ward", .receiver = &receiver };
        struct config_listener from = { .place.name = "fhir", .protocol = PROTOCOL_FHIR };
        const char *files[] = { paths[MEN] };
        struct config_route route = { .from = "fhir",
                                      .to = { &ward, 1 },
                                      .maps = { files, 1 } };
        const struct config config = { .file = "site.yaml",
                                       .listeners = { &from, 1 },
                                       .destinations = { &to, 1 },
                                       .routes = { &route, 1 } };
        struct buf report = heap_buf(1 << 16);
        struct maps *maps = NULL;
        bool wrong = i == 2;
        assert_int_equal(maps_load(&config, &report, &maps), wrong ? -EINVAL : 0);
        buf_c(&report, '\0');
        assert_string_equal(report.p,
                            wrong ? "site.yaml:9: no map makes the message ADT^A99\n" : "");
        if (!wrong) {
            assert_non_null(maps_of(maps, NULL, &route));
        }
        maps_free(maps);
        heap_buf_free(&report);
    }
}

/* All mistakes of a file, each once although two senders have it. */
static void test_mistakes(void **state)
{
    static const struct {
        const char *files[4][2];
        const char *wants[3];
    } cases[] = {
        { { { paths[WRONG] } },
          { "3.map:2: unknown type 'nothing'\n",
            "3.map:3: 'PID-900' is no address: no such field\n" } },
        { { { 0 }, { 0 }, { paths[LAB] } },
          { "site.yaml:7: maps of a route can't speak of senders; name them at the "
            "sender\n" } },
        { { { paths[NOWHERE] } }, { "the time zone Nowhere/Land isn't known here\n" } },
        { { { "/nonexistent/x.map" } },
          { "/nonexistent/x.map: can't be read: No such file or directory\n" } },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct site site = { 0 };
        memcpy(site.files, cases[i].files, sizeof(site.files));
        struct buf report;
        struct maps *maps = NULL;
        assert_int_equal(load(&site, &report, &maps), -EINVAL);
        assert_null(maps);
        size_t lines = 0;
        for (size_t at = 0; at < report.n; at++) {
            lines += report.p[at] == '\n';
        }
        buf_c(&report, '\0');
        size_t wants = 0;
        for (; wants < ARRAY_LEN(cases[i].wants) && cases[i].wants[wants]; wants++) {
            if (!strstr(report.p, cases[i].wants[wants])) {
                fail_msg("case %zu: got %s want %s", i, report.p, cases[i].wants[wants]);
            }
        }
        assert_int_equal(lines, wants);
        heap_buf_free(&report);
    }
}

/* For the command line: files over the shipped maps, or none. */
static void test_files(void **state)
{
    (void)state;
    struct buf report = heap_buf(1 << 16);
    struct maps *none = NULL;
    struct maps *two = NULL;
    const char *files[] = { paths[LAB], paths[MEN] };
    assert_int_equal(maps_load_files(NULL, 0, &report, &none), 0);
    assert_int_equal(maps_load_files(files, 2, &report, &two), 0);
    assert_int_equal(maps_rules(none)->sender_count, 0);
    assert_int_equal(maps_rules(two)->sender_count, 1);
    maps_free(none);
    maps_free(two);
    heap_buf_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_which), cmocka_unit_test(test_options),
        cmocka_unit_test(test_written),       cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests_name("gateway/maps", tests, setup, teardown);
}
