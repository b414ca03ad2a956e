/* Resources to messages by the shipped maps: receivers, what gives no message, events. */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/translate/to_v2.h"
#include "tests/fhir/translate/resources.h"
#include "tests/shipped.h"

#include <errno.h>

static struct arena *rules_arena;
static const struct rules *shipped;

static int setup(void **state)
{
    (void)state;
    rules_arena = arena_new(1 << 20);
    shipped = shipped_rules(rules_arena);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(rules_arena);
    return 0;
}

static int by_shipped(struct arena *arena, const struct translate_receiver *like,
                      const char *json, struct translate_message *out, struct issues *issues)
{
    const struct node *root;
    struct translate_receiver to = *like;
    issues_init(issues, arena);
    to.rules = shipped;
    to.control = STR("7");
    to.recorded = STR("2026-01-02T03:04:05Z");
    to.delims = to.delims.field ? to.delims : V2_DELIMS_USUAL;
    assert_int_equal(json_parse(arena, str_z(json), issues, &root), 0);
    return translate_to_v2(arena, root, &to, out, issues);
}

#define REPORT(results)                                                                        \
    ENTRY("r",                                                                                 \
          "\"resourceType\":\"DiagnosticReport\",\"status\":\"final\",\"code\":{\"text\":"     \
          "\"Panel\"},\"subject\":{\"reference\":\"urn:uuid:p\"},\"result\":[" results "]")
#define GLUCOSE(members)                                                                       \
    ENTRY("urn:uuid:o", "\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{"     \
                        "\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"2345-7\"}]}," \
                        "\"subject\":{\"reference\":\"urn:uuid:p\"}" members)

/* Versions, delimiters, character sets: as the receiver wants them. */
static void test_receivers(void **state)
{
    static const char json[] =
        BUNDLE(JO "," REPORT("{\"reference\":\"urn:uuid:o\"}") "," GLUCOSE(
            ",\"valueCodeableConcept\":{\"text\":\"gr\xc3\xbcn|\"}"));
    static const struct {
        struct translate_receiver to;
        const char *wants[3];
    } cases[] = {
        { { .version = V2_2_5_1 },
          { "|20260102030405+0000||ORU^R01^ORU_R01|7|P|2.5.1\r", "PID|1||7^^^&urn:lab&URI",
            "OBX|1|CWE|2345-7^^LN||^gr\xc3\xbcn\\F\\||||||F\r" } },
        { { .version = V2_2_3 }, { "||ORU^R01|7|P|2.3\r", "OBX|1|CE|2345-7^^LN||^gr" } },
        { { .version = V2_2_3, .beyond = true }, { "||ORU^R01^ORU_R01|7|P|2.3\r" } },
        { { .version = V2_2_5_1, .delims = { '#', '*', '!', '%', '@', 0 } },
          { "MSH#*!%@#", "PID#1##7***@urn:lab@URI", "OBX#1#CWE#2345-7**LN##*gr\xc3\xbcn|#" } },
        { { .version = V2_2_5_1, .charset = STR_INIT("8859/1") },
          { "||||||8859/1\r", "^gr\xfcn\\F\\|" } },
        { { .version = V2_2_5_1, .charset = STR_INIT("ASCII") }, { "^gr?n\\F\\|" } },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct issues issues;
        struct translate_message message;
        arena_reset(arena);
        assert_int_equal(by_shipped(arena, &cases[i].to, json, &message, &issues), 0);
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            struct str text = arena_str(arena, message.text);
            if (!strstr(text.p, cases[i].wants[w])) {
                fail_msg("case %zu: no '%s' in '%s'", i, cases[i].wants[w], text.p);
            }
        }
    }
}

/* What gives no message, and why. */
static void test_no_message(void **state)
{
    static const char withheld[] = BUNDLE(JO "," REPORT("{\"reference\":\"urn:uuid:o\"}"));
    static const char masked[] =
        BUNDLE(JO "," REPORT("{\"reference\":\"urn:uuid:o\"}") "," GLUCOSE(
            ",\"dataAbsentReason\":{\"coding\":[{\"code\":\"masked\"}]}"));
    static const char empty[] =
        BUNDLE(JO "," REPORT("{\"reference\":\"urn:uuid:o\"}") "," GLUCOSE(""));
    static const char nobody[] = BUNDLE(GLUCOSE(",\"valueInteger\":5"));
    static const struct {
        const char *event;
        const char *json;
        int want;
        const char *place;
    } cases[] = {
        { "ORU^R01", withheld, TO_V2_E_NOTHING, NULL },
        { "ORU^R01", masked, TO_V2_E_NOTHING, NULL },
        { "ORU^R01", nobody, TO_V2_E_MISSING, "Bundle.entry" },
        { "ADT^A01", nobody, TO_V2_E_MISSING, "Bundle.entry" },
        { "ADT^A40", withheld, TO_V2_E_NOTHING, NULL },
        { "XXX^Y01", withheld, TO_V2_E_TYPE, NULL },
        { "", BUNDLE(""), TO_V2_E_TYPE, NULL },
    };
    struct issues issues;
    struct translate_message message;
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct translate_receiver to = { .event = str_z(cases[i].event),
                                               .version = V2_2_5_1 };
        arena_reset(arena);
        assert_int_equal(by_shipped(arena, &to, cases[i].json, &message, &issues),
                         cases[i].want);
        if (cases[i].place) {
            assert_str(issues.first->place, cases[i].place);
        }
    }
    /* and never an OBX without anything */
    const struct translate_receiver to = { .version = V2_2_5_1 };
    if (by_shipped(arena, &to, empty, &message, &issues) == 0) {
        struct str text = arena_str(arena, message.text);
        assert_null(strstr(text.p, "OBX"));
    }
}

/* What maps choose where nobody says which message. */
static void test_events_are_chosen(void **state)
{
#define VISIT(members)                                                                         \
    ENTRY("e", "\"resourceType\":\"Encounter\",\"status\":\"in-progress\",\"subject\":{"       \
               "\"reference\":\"urn:uuid:p\"}" members)
    static const struct {
        const char *json;
        const char *event;
    } cases[] = {
        { BUNDLE(JO "," REPORT("{\"reference\":\"urn:uuid:o\"}") "," GLUCOSE(
              ",\"valueInteger\":5")),
          "R01" },
        { BUNDLE(JO "," VISIT("")), "A01" },
        { BUNDLE(JO "," VISIT(",\"period\":{\"end\":\"2026\"}")), "A03" },
        { BUNDLE(JO), "A08" },
        { PATIENT("\"id\":\"7\",\"birthDate\":\"2000\""), "A08" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct translate_receiver to = { .version = V2_2_5_1 };
        struct issues issues;
        struct translate_message message;
        arena_reset(arena);
        assert_int_equal(by_shipped(arena, &to, cases[i].json, &message, &issues), 0);
        assert_str(message.event, cases[i].event);
    }
}

/* Whatever memory there is, the answer is a message or that there is none. */
static void test_memory_runs_out(void **state)
{
    static const char json[] = BUNDLE(JO "," REPORT(
        "{\"reference\":\"urn:uuid:o\"}") "," GLUCOSE(",\"valueString\":\"a\\nb\""));
    const struct translate_receiver to = { .version = V2_2_5_1 };
    bool done = false;
    (void)state;

    for (size_t limit = 4096; !done; limit += 512) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 12);
        struct issues issues;
        const struct node *root;
        struct translate_message message;
        struct translate_receiver there = to;
        issues_init(&issues, arena);
        there.rules = shipped;
        there.delims = V2_DELIMS_USUAL;
        assert_int_equal(json_parse(arena, STR(json), &issues, &root), 0);
        arena_limit(arena, arena_used(arena) + limit);
        int r = translate_to_v2(arena, root, &there, &message, &issues);
        assert_true(r == 0 || r == -ENOMEM);
        done = r == 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receivers),
        cmocka_unit_test(test_no_message),
        cmocka_unit_test(test_events_are_chosen),
        cmocka_unit_test(test_memory_runs_out),
    };
    return cmocka_run_group_tests_name("fhir/translate/to_v2", tests, setup, teardown);
}
