/* What FHIR becomes for a v2 receiver: the same again, under an id that says so. */
#include "gateway/v2_made.h"

#include "fhir/format/json.h"
#include "gateway/heap.h"
#include "gateway/maps.h"
#include "tests/check.h"

static const uint8_t first[16] = { 1 };
static const uint8_t other[16] = { 2 };
static const struct config_route route;
static const char PATIENT[] = "{\"resourceType\":\"Patient\",\"identifier\":[{\"system\":\"urn:"
                              "lab\",\"value\":\"4711\"}],"
                              "\"name\":[{\"family\":\"M\xc3\xbcller\"}]}";

static struct maps *maps;

static int setup(void **state)
{
    (void)state;
    struct buf report = heap_buf(1 << 16);
    int r = maps_load_files(NULL, 0, &report, &maps);
    heap_buf_free(&report);
    return r;
}

static int teardown(void **state)
{
    (void)state;
    maps_free(maps);
    return 0;
}

static int make_of(struct arena *arena, const char *text, const struct config_destination *to,
                   const uint8_t *exchange, struct v2_made *out)
{
    struct issues issues;
    struct v2_written written = {
        .to = to,
        .route = &route,
        .rules = maps_rules(maps),
        .exchange = exchange,
        .accepted = 1772366400000,
    };
    issues_init(&issues, arena);
    assert_int_equal(json_parse(arena, str_z(text), &issues, &written.root), 0);
    return v2_made(arena, &written, out, &issues);
}

static bool holds(struct str text, const char *what)
{
    return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

static void test_written_as_the_receiver_wants(void **state)
{
    static struct config_pair pairs[] = { { "LAB", "urn:lab" } };
    static const struct config_receiver old = {
        .event = "ADT^A04", .version = V2_2_3, .charset = "8859/1", .assigners = { pairs, 1 }
    };
    static const struct {
        const struct config_receiver *receiver;
        const char *wants[4];
    } cases[] = {
        { NULL, { "|20260301120000+0000|", "|ADT^A08^ADT_A01|", "|P|2.5.1", "M\xc3\xbcller" } },
        { &old, { "|ADT^A04|", "|P|2.3|", "||4711^^^LAB|", "M\xfcller" } },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct config_destination to = { .place.name = "ward", .receiver = cases[i].receiver };
        struct v2_made made;
        assert_int_equal(make_of(arena, PATIENT, &to, first, &made), 0);
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants); w++) {
            if (!holds(made.text, cases[i].wants[w])) {
                fail_msg("no %s in %.*s", cases[i].wants[w], (int)made.text.n, made.text.p);
            }
        }
    }
}

/* MSH-10 is the same for the same bytes of an exchange to a destination, and for no others. */
static void test_control_id(void **state)
{
    static const struct config_receiver old = { .version = V2_2_3 };
    static const struct config_destination ward = { .place.name = "ward" };
    static const struct config_destination icu = { .place.name = "icu" };
    static const struct config_destination late = { .place.name = "ward", .receiver = &old };
    static const struct {
        const struct config_destination *to;
        const uint8_t *exchange;
        bool same;
    } cases[] = {
        { &ward, first, true },
        { &ward, other, false },
        { &icu, first, false },
        { &late, first, false },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct v2_made made;
    assert_int_equal(make_of(arena, PATIENT, &ward, first, &made), 0);
    assert_int_equal(made.control.n, 20);
    assert_true(made.control.p > made.text.p && made.control.p < made.text.p + made.text.n);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_made again;
        assert_int_equal(make_of(arena, PATIENT, cases[i].to, cases[i].exchange, &again), 0);
        assert_int_equal(str_eq(made.control, again.control), cases[i].same);
        assert_int_equal(str_eq(made.text, again.text), cases[i].same);
    }
}

static void test_no_message(void **state)
{
    static const struct config_receiver results = { .event = "ORU^R01", .version = V2_2_5_1 };
    static const struct config_destination ward = { .place.name = "ward" };
    static const struct config_destination lab = { .place.name = "lab", .receiver = &results };
    static const struct {
        const char *in;
        const struct config_destination *to;
        int want;
    } cases[] = {
        { "{\"resourceType\":\"Practitioner\"}", &ward, TO_V2_E_TYPE },
        { "{\"resourceType\":\"DiagnosticReport\"}", &ward, TO_V2_E_MISSING },
        { PATIENT, &lab, TO_V2_E_MISSING },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct v2_made made;
        assert_int_equal(make_of(arena, cases[i].in, cases[i].to, first, &made), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_as_the_receiver_wants),
        cmocka_unit_test(test_control_id),
        cmocka_unit_test(test_no_message),
    };
    return cmocka_run_group_tests_name("v2_made", tests, setup, teardown);
}
