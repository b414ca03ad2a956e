/* Files of later layers change what earlier ones say. */
#include "tests/fhir/translate/small_map.h"

static const char SHIPPED[] = "table T\n"
                              "    A -> one\n"
                              "    B -> two\n"
                              "segment PID Patient\n"
                              "    PID-8 -> gender : string\n"
                              "    if PID-2 {\n"
                              "        PID-8 if PID-9 -> gender : string\n"
                              "        PID-4 -> code : string T\n"
                              "    }\n"
                              "    PID-5 -> name : XCN\n"
                              "segment OBX Living\n"
                              "    OBX-3 -> code.text : string\n";

#define PID "PID||x|7|A|1^Who||||M\r"

static void test_changes(void **state)
{
    static const struct {
        const char *site;
        const char *message;
        const char *wants[3]; /* "!" before what must not be there */
    } cases[] = {
        { "", MSH PID, { "\"code\":\"one\"", "\"name\":{" } },
        /* rows of the site come first, and so win */
        { "segment PID Patient\n    PID-2 -> code : string\n", MSH PID, { "\"code\":\"x\"" } },
        { "datatype XCN\n    .2 -> text : string\n    .1 -> other : string\n",
          MSH PID,
          { "{\"text\":\"Who\",\"other\":\"1\",\"identifier\":[{\"value\":\"1\"}]}" } },
        /* a row in the place of another, wherever that stands */
        { "segment PID Patient\n    replace PID-4 -> code : string\n",
          MSH PID,
          { "\"code\":\"A\"" } },
        { "segment PID Patient\n    replace PID-4 -> code {\n        @ -> v : string\n    }\n",
          MSH PID,
          { "\"code\":{\"v\":\"A\"}" } },
        { "segment PID Patient\n    remove PID-4 -> code\n", MSH PID, { "!\"code\"" } },
        { "datatype XCN\n    remove .1 -> identifier[].value\n    .3 -> x : string\n",
          MSH PID,
          { "!\"Who\"", "!\"identifier\":[{\"value\":\"1\"}]}" } },
        /* sections as a whole */
        { "replace datatype XCN\n    .2 -> only : string\n",
          MSH PID,
          { "\"name\":{\"only\":\"Who\"}" } },
        { "replace segment PID Patient\n    PID-2 -> only : string\n",
          MSH PID,
          { "\"only\":\"x\"", "!\"code\"", "!\"name\"" } },
        { "remove segment OBX Living\n", MSH PID "OBX|||C\r", { "!Observation" } },
        /* tables: codes replaced, added, taken away; others; systems */
        { "table T\n    A -> uno\n", MSH PID, { "\"code\":\"uno\"" } },
        { "table T\n    remove A\n    * -> rest\n", MSH PID, { "\"code\":\"rest\"" } },
        { "replace table T\n    C -> three\n", MSH PID, { "!\"code\"" } },
        { "table T urn:new\nsegment PID Patient\n    PID-4 -> c : coding T\n",
          MSH PID,
          { "\"c\":{\"system\":\"urn:new\",\"code\":\"one\"}" } },
        /* resources: more rows, another kind */
        { "resource Patient\n    \"x\" -> last : string\n", MSH PID, { "\"last\":\"x\"" } },
        { "replace resource Doctor is Person event\nsegment PID Patient\n"
          "    PID-2 -> d : Doctor {\n        @ -> name : string\n    }\n",
          MSH PID,
          { "\"resourceType\":\"Person\"" } },
        /* structures: segments beside those that are there, groups below, keys */
        { "structure s\n    message:\n        patient: PID ZP1*\n"
          "segment ZP1 Patient\n    ZP1-1 -> z : string\n",
          MSH PID "ZP1|a\rPD1|b\r",
          { "\"z\":\"a\"" } },
        { "structure s\n    message:\n        patient: => Note\n            lab: ZL2 => "
          "Device\n"
          "                key with above ZL2-1\n"
          "segment ZL2 Device\n    ZL2-1 -> z : string\nsegment PID Note\n    PID-2 -> n : "
          "string\n",
          MSH PID "ZL2|a\rZL2|b\r",
          { "\"z\":\"a\"", "\"z\":\"b\"", "\"n\":\"x\"" } },
        { "structure copy\n    message: MSH EVN\n        include s\nreplace message ADT^A01 "
          "copy\n"
          "structure s\n    message:\n        patient: PID ZP1*\n"
          "segment ZP1 Patient\n    ZP1-1 -> z : string\n",
          MSH PID "ZP1|a\r",
          { "\"value\":\"7\"", "!\"z\":\"a\"" } },
        { "replace structure s\n    message: MSH => Note\nreplace message ADT^A01 s\n"
          "segment MSH Note\n    MSH-3 -> t : string\n"
          "remove segment PID Patient\nremove segment OBX Living\n",
          MSH PID,
          { "\"t\":\"A\"", "!Patient" } },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        const char *const layers[] = { SHIPPED, cases[i].site };
        arena_reset(arena);
        assert_int_equal(translate_by(&t, layers, 2, cases[i].message), 0);
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            const char *want = cases[i].wants[w];
            bool absent = want[0] == '!';
            if (has(&t, want + absent) == absent) {
                fail_msg("%s\n%.*s\nwant %s", cases[i].site, (int)t.result.bundle.n,
                         t.result.bundle.p, want);
            }
        }
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *site;
        const char *want;
    } cases[] = {
        { "segment PID Patient\n    replace PID-9 -> gender : string\n",
          "x.map:2: no row with this source and path to replace" },
        { "segment PID Patient\n    remove PID-8 -> sex\n",
          "x.map:2: no row with this source and path to remove" },
        { "segment PID Patient\n    remove PID-8 -> gender : string\n",
          "x.map:2: remove wants: SOURCE -> PATH" },
        { "segment PID Patient\n    if PID-2 {\n        remove PID-8 -> gender\n    }\n",
          "x.map:3: 'remove' stands directly below the section's first line" },
        { "segment PID Patient\n    PID-2 -> mine : string\n    remove PID-2 -> mine\n",
          "x.map:3: no row with this source and path to remove" },
        { "replace datatype None\n", "x.map:1: there is no None that could be changed" },
        { "remove datatype XCN\n", "x.map:1: datatype wants one new name" },
        { "replace segment ZZZ Patient\n",
          "x.map:1: there is no ZZZ Patient that could be changed" },
        { "table T\n    remove C\n", "x.map:2: no code C to remove" },
        { "table T\n    A -> 1\n    A -> 2\n", "x.map:3: code A twice" },
        { "resource Patient identity\n",
          "x.map:1: there is a resource Patient already: more rows for it, or replace it" },
        { "remove resource Patient\n", "x.map:1: a resource can't be removed" },
        { "replace structure none\n", "x.map:1: no structure none to replace" },
        { "message ADT^A01 s\n", "x.map:1: there is a message ADT^A01 already" },
        { "remove message ADT^A99\n", "x.map:1: there is no ADT^A99 that could be changed" },
        { "datatype New\ndatatype New\n", "x.map:2: there is a datatype New already" },
        { "replace\n", "x.map:1: unknown section 'replace'" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        const char *const layers[] = { SHIPPED, cases[i].site };
        char got[400] = "";
        arena_reset(arena);
        assert_null(compile(&t, layers, 2));
        const struct issue *issue = t.issues.first;
        (void)snprintf(got, sizeof(got), "%.*s: %.*s", (int)issue->place.n, issue->place.p,
                       (int)issue->text.n, issue->text.p);
        assert_string_equal(got, cases[i].want);
    }
}

/* The last layer wins, and a message taken away may come back. */
static void test_layers(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    const char *const layers[] = {
        SHIPPED,
        "segment PID Patient\n    PID-2 -> code : string\ntable T\n    A -> 2\n    C -> c\n"
        "remove message ADT^A01\n",
        "segment PID Patient\n    PID-3 -> code : string\ntable T\n    A -> 3\n    remove C\n"
        "message ADT^A01 s\nsegment PID Patient\n    PID-4 -> t : string T\n",
    };
    assert_int_equal(translate_by(&t, layers, 3, MSH PID), 0);
    assert_true(has(&t, "\"code\":\"7\""));
    assert_true(has(&t, "\"t\":\"3\""));
    assert_int_equal(translate_by(&t, layers, 2, MSH PID), TRANSLATE_E_TYPE);
}

/* Fields that only removed rows read are unread. */
static void test_unread(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    const char *const layers[] = { SHIPPED, "segment PID Patient\n    remove PID-4 -> code\n",
                                   "segment PID Patient\n    ignore PID-4\n" };
    assert_int_equal(translate_by(&t, layers, 1, MSH PID), 0);
    size_t before = t.result.unread;
    assert_int_equal(translate_by(&t, layers, 2, MSH PID), 0);
    assert_int_equal(t.result.unread, before + 1);
    assert_int_equal(translate_by(&t, layers, 3, MSH PID), 0);
    assert_int_equal(t.result.unread, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_unread),
    };
    return cmocka_run_group_tests_name("fhir/translate/overlay", tests, NULL, NULL);
}
