/* What rows of each kind do, by small maps of their own. */
#include "tests/fhir/translate/small_map.h"

/* Whether condition @test holds in PID of the message. */
static void test_conditions(void **state)
{
    static const struct {
        const char *test;
        bool holds;
    } cases[] = {
        /* PID|1|a^b|7~8~9|x&y|"" |5|A^Text|10.50|||||-3 */
        { "PID-2", true },
        { "no PID-2", false },
        { "PID-5", false },
        { "no PID-5", true },
        { "PID-2.2", true },
        { "PID-2 = a", true },
        { "PID-2 = b c", false },
        { "PID-2 != b c", true },
        { "PID-9 = a", false },
        { "PID-9 != a", true },
        { "PID-7 = A B", true }, /* a code may have its text with it */
        { "PID-7 ~ A", true },
        { "PID-8 longer 4", true },
        { "PID-8 longer 5", false },
        { "PID-8 number", true },
        { "PID-2 number", false },
        /* and, or, not, parentheses */
        { "PID-2 and PID-3", true },
        { "PID-2 and PID-9", false },
        { "PID-9 or PID-3", true },
        { "PID-9 or PID-9", false },
        { "PID-2 or PID-9 and PID-9", true },
        { "(PID-2 or PID-9) and PID-9", false },
        { "not PID-9", true },
        { "not (PID-2 and PID-9)", true },
        { "not not PID-2", true },
        { "not PID-2 or PID-3", true },
        { "(PID-9 or (not PID-9 and (PID-2 = a))) and PID-8", true },
        { "PID-2 = \"and\" or PID-2 = \"a\"", true },
        /* other fields and numbers */
        { "PID-2.1 same PID-10.1", true },
        { "PID-2 same PID-10", true },
        { "PID-2 same PID-3", false },
        { "PID-2 same PID-9", false },
        { "PID-9 same PID-11", false },
        { "PID-8 > 10", true },
        { "PID-8 >= 10.5", true },
        { "PID-8 < 10.50", false },
        { "PID-8 <= 010.500", true },
        { "PID-8 < 9", false },
        { "PID-12 < 0", true },
        { "PID-12 < -2.9", true },
        { "PID-12 > -3.1", true },
        { "PID-12 < PID-8", true },
        { "PID-2 < 5", false },
        { "PID-2 >= 5", false },
        { "PID-8 > PID-9", false },
        /* repetitions */
        { "count PID-3 = 3", true },
        { "count PID-3 > 2", true },
        { "count PID-3 > 3", false },
        { "count PID-2 <= 1", true },
        { "count PID-9 = 0", true },
        { "PID-3[2] = 8", true },
        { "PID-3[4]", false },
        /* tables, segments, events, wishes of the caller */
        { "PID-7 in T", true },
        { "PID-2 in T", false },
        { "EVN", true },
        { "PD1", false },
        { "no PD1", true },
        { "ZZZ or no ZZZ", true },
        { "event A01", true },
        { "event A02 A03", false },
        { "option Extra", true },
        { "option Other", false },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        char rows[400];
        arena_reset(arena);
        (void)snprintf(rows, sizeof(rows),
                       "segment PID Patient\n    PID-1 if %s -> holds : string\n"
                       "table T\n    A -> a\n    * -> b\n",
                       cases[i].test);
        assert_int_equal(
            translate(&t, rows, MSH "EVN|A01\rPID|1|a^b|7~8~9|x&y||5|A^Text|10.50||a^c||-3\r"),
            0);
        bool got = has(&t, "holds");
        if (got != cases[i].holds) {
            fail_msg("%s: %s", cases[i].test, got ? "holds" : "doesn't hold");
        }
    }
}

/* What the rows make of the message: pieces of the Bundle. */
static void test_makes(void **state)
{
    static const struct {
        const char *rows;
        const char *message;
        const char *wants[4]; /* "!" before what must not be there */
    } cases[] = {
        /* a repetition by its number, and the number of the one at hand */
        { "segment PID Patient\n    PID-3[2].1 -> second : string\n",
          "PID|||7~8^x~9\r",
          { "\"second\":\"8\"" } },
        { "segment PID Patient\n    PID-3 each -> n[] {\n        .1 -> v : string\n"
          "        $number -> at : positive\n    }\n",
          "PID|||7~8\r",
          { "{\"v\":\"7\",\"at\":1},{\"v\":\"8\",\"at\":2}" } },
        { "segment PID Patient\n    $event -> event : string\n",
          "PID|||7\r",
          { "\"event\":\"A01\"" } },
        /* a table before a primitive */
        { "segment PID Patient\n    PID-2 -> flag : boolean T\n    PID-4 -> word : string T\n"
          "table T\n    A -> Y\n    B -> N\n",
          "PID||A|7|B\r",
          { "\"flag\":true,\"word\":\"N\"" } },
        /* the number at the end, if there is one */
        { "segment PID Patient\n    PID-2 -> n : digits\n    PID-4 -> none : digits\n",
          "PID||D04|7|D\r",
          { "\"n\":4", "!none" } },
        /* resources of their own: by name, referred to or not, one for each repetition */
        { "segment PID Patient\n    PID-13 each -> Device {\n        .1 -> name : string\n"
          "        $segment -> place : string\n    }\n",
          "PID|||7||||||||||a~b\r",
          { "\"resourceType\":\"Device\"", "\"name\":\"a\",\"place\":\"PID[1]\"",
            "\"name\":\"b\"" } },
        { "segment PID Patient\n    PID-13 each -> device[] : Device {\n"
          "        .1 -> name : string\n    }\n",
          "PID|||7||||||||||a~b\r",
          { "\"device\":[{\"reference\":\"urn:uuid:", "\"},{\"reference\":\"urn:uuid:" } },
        { "segment PID Patient\n    PID-13 -> url : link Device {\n        .1 -> n : string\n"
          "    }\n",
          "PID|||7||||||||||a\r",
          { "\"url\":\"urn:uuid:" } },
        { "segment PID Patient\n    PID-13 each -> doctor[] : contained Doctor(XCN)\n",
          "PID|||7||||||||||1^Who~2^Doc\r",
          { "\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"1\",\"identifier\":"
            "[{\"value\":\"1\"}]},{\"resourceType\":\"Practitioner\",\"id\":\"2\"",
            "\"doctor\":[{\"reference\":\"#1\",\"display\":\"Who\"},{\"reference\":\"#2\"" } },
        { "segment PID Patient\n    PID-13 -> doctor : contained Doctor {\n"
          "        \"x\" -> only : string\n    }\n",
          "PID|||7||||||||||1\r",
          { "\"Patient\",\"id\"", "!contained" } },
        /* a resource by another name than its type's, finished with its group's */
        { "segment OBX Living\n    OBX-3 -> code.text : string\n",
          "PID|||7\rOBX|||C\r",
          { "\"resourceType\":\"Observation\"" } },
        { "segment EVN Note\n    EVN-1 -> text : string\n"
          "    EVN-2 each -> Note {\n        @ -> text : string\n    }\n",
          "EVN|A|b~c\rPID|||7\r",
          { "\"text\":\"A\"", "\"text\":\"b\"", "\"text\":\"c\"" } },
        /* lines of all such segments of the group, once, and as base64 */
        { "segment OBX Living\n    OBX-3 -> code.text : string\n    NTE-3 all -> text : "
          "string\n",
          "PID|||7\rOBX|||C\rNTE|||a~b\rNTE|||c\rOBX|||D\rNTE|||d\r",
          { "\"text\":\"a\\nb\\nc\"", "\"text\":\"d\"", "!\"text\":\"c\"" } },
        { "segment NTE Living\n    NTE-3 all -> data[] : encoded\n",
          "PID|||7\rOBX|||C\rNTE|||a\rNTE|||b\r",
          { "\"data\":[\"YQpi\"]" } },
        /* the condition is about each of them, those in groups below too */
        { "segment EVN Note\n    EVN-1 -> title : string\n"
          "    NTE-3 all if NTE-2 = x and OBX-3 != SKIP -> text : string\n"
          "segment OBX Living\n    OBX-3 -> code.text : string\n",
          "EVN|A\rPID|||7\rOBX|||C\rNTE||x|a\rNTE||y|b\rOBX|||SKIP\rNTE||x|c\r"
          "OBX|||D\rNTE||x|d\r",
          { "\"text\":\"a\\nd\"" } },
        /* bytes: control characters stay, digits are read, padding comes */
        { "segment PID Patient\n    PID-2 -> a : encoded\n    PID-4 -> b : hex\n"
          "    PID-5 -> c : base64\n",
          "PID||a\x01\\X0A\\|7|4a 4B|QQ\r",
          { "\"a\":\"YQEK\"", "\"b\":\"Sks=\"", "\"c\":\"QQ==\"" } },
        { "segment PID Patient\n    PID-4 -> b : hex\n    PID-5 -> c : base64\n",
          "PID|||7|4a4|Q\r",
          { "!\"b\"", "!\"c\"" } },
        { "segment PID Patient\n    PID-4 -> b : hex\n    PID-5 -> c : base64\n",
          "PID|||7|4g|QQ=\r",
          { "!\"b\"", "!\"c\"" } },
        /* a list that has the same already */
        { "segment PID Patient\n    PID-13 each -> a[once] : string\n"
          "    PID-14 each -> b[once] {\n        .1 -> x : string\n        .2 -> y : string\n"
          "    }\n",
          "PID|||7||||||||||p~q~p|r^s~r~r^s\r",
          { "\"a\":[\"p\",\"q\"]", "\"b\":[{\"x\":\"r\",\"y\":\"s\"},{\"x\":\"r\"}]" } },
        /* what stands there already, with which value */
        { "segment PID Patient\n    PID-2 -> a : string\n"
          "    \"yes\" if set a = x y -> b : string\n"
          "    \"no\" if unset a = x y -> c : string\n",
          "PID||y|7\r",
          { "\"b\":\"yes\"", "!\"c\"" } },
        { "segment PID Patient\n    PID-2 -> a : string\n"
          "    \"yes\" if set a = x y -> b : string\n"
          "    \"no\" if unset a = x y -> c : string\n",
          "PID||z|7\r",
          { "!\"b\"", "\"c\":\"no\"" } },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        char message[400];
        arena_reset(arena);
        (void)snprintf(message, sizeof(message), "%s%s", MSH, cases[i].message);
        assert_int_equal(translate(&t, cases[i].rows, message), 0);
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            const char *want = cases[i].wants[w];
            bool absent = want[0] == '!';
            const char *text = want + absent;
            bool got = has(&t, text);
            if (got == absent) {
                fail_msg("%s\n%.*s\nwant %s", cases[i].rows, (int)t.result.bundle.n,
                         t.result.bundle.p, want);
            }
        }
    }
}

/* PID-7, and PID-2 of unit PID-4 after it. */
static void test_later(void **state)
{
    static const struct {
        const char *time, *amount, *unit, *want; /* "" if nothing is computed */
    } cases[] = {
        { "202601022350+0100", "20", "min", "2026-01-03T00:10:00+01:00" },
        { "202601022350+0100", "20", "", "2026-01-03T00:10:00+01:00" },
        { "20260102235059.25-0330", "2", "h^hour", "2026-01-03T01:50:59.25-03:30" },
        { "202402282350+0000", "1", "d", "2024-02-29T23:50:00+00:00" },
        { "202601022350+0100", "020", "min", "2026-01-03T00:10:00+01:00" },
        { "999912312350+0000", "20", "min", "" }, /* no such year */
        { "202601022350+0100", "0", "min", "" },
        { "202601022350+0100", "-5", "min", "" },
        { "202601022350+0100", "1.5", "h", "" },
        { "202601022350+0100", "1234567890", "min", "" },
        { "202601022350+0100", "2", "moons", "" },
        { "202601022350+0100", "", "min", "" },
        { "202601022350+0100", "\"\"", "min", "" },
        { "202601022350", "20", "min", "" }, /* nobody knows the zone */
        { "20260102", "20", "min", "" },
        { "soon", "20", "min", "" },
        { "", "20", "min", "" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        char message[300];
        char want[100];
        arena_reset(arena);
        (void)snprintf(message, sizeof(message), MSH "PID||%s|7|%s|||%s\r", cases[i].amount,
                       cases[i].unit, cases[i].time);
        (void)snprintf(want, sizeof(want), "\"end\":\"%s\"", cases[i].want);
        assert_int_equal(translate(&t,
                                   "segment PID Patient\n"
                                   "    PID-7 plus PID-2 PID-4 -> end : dateTime Seconds\n"
                                   "table Seconds\n    min -> 60\n    h -> 3600\n"
                                   "    d -> 86400\n",
                                   message),
                         0);
        if (cases[i].want[0] ? !has(&t, want) : has(&t, "\"end\"")) {
            fail_msg("%s: %.*s", message, (int)t.result.bundle.n, t.result.bundle.p);
        }
    }
}

/*
 * What is about the message belongs to each, is made last, and speaks of each of the others
 * once, with the segments it was made from: the doctor is named three times.
 */
static void test_sources(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    static const char rows[] = "resource Trace is Provenance source\n"
                               "    every -> target[] {\n"
                               "        $it -> reference : link\n"
                               "        $segments -> display : string\n"
                               "    }\n"
                               "    MSH-4 -> who : Doctor(Named)\n"
                               "datatype Named\n    .1 -> identifier[].value : string\n"
                               "replace structure s\n"
                               "    message: MSH\n"
                               "        patient: PID PD1 => Patient\n"
                               "            key PID-3\n"
                               "            result: OBX NTE* => Living\n"
                               "                key with above OBX-3\n"
                               "segment PD1 Patient\n    PD1-1 -> more : string\n"
                               "    PD1-4 -> doctor : Doctor(Named)\n"
                               "segment OBX Living\n    OBX-3 -> code.text : string\n"
                               "    OBX-16 -> who : Doctor(XCN)\n"
                               "segment NTE Living\n    NTE-3 -> note : string\n";
    const char *layers[] = { "", rows };
    assert_int_equal(translate_by(&t, layers, 2,
                                  MSH "PID|||7\rPD1|x|||9\r"
                                      "OBX|||C|||||||||||||9\rNTE|||n\r"
                                      "OBX|||D|||||||||||||9\rNTE|1\r"),
                     0);
    static const char *const wants[] = { "\"display\":\"PID[1] PD1[1]\"",
                                         "\"display\":\"OBX[1] NTE[1]\"",
                                         "\"display\":\"OBX[2]\"",
                                         "\"display\":\"PD1[1] OBX[1] OBX[2]\"" };
    for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
        if (!has(&t, wants[i])) {
            fail_msg("want %s in %.*s", wants[i], (int)t.result.bundle.n, t.result.bundle.p);
        }
    }
    /* patient, doctor, two results, the sender, and what is about them */
    assert_int_equal(t.result.count, 6);
    struct str last = t.result.entries[4].resource;
    size_t targets = 0;
    for (const char *p = last.p;
         (p = memmem(p, (size_t)(last.p + last.n - p), "\"display\"", 9)); p++) {
        targets++;
    }
    assert_int_equal(targets, 4);
}

/* In a block about another resource, addresses are those of that resource's group. */
static void test_about(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    static const char rows[] = "resource Whole is Composition event\n"
                               "    Living* -> part[] {\n"
                               "        require OBX-3 != SKIP\n"
                               "        $it     -> to : reference\n"
                               "        $segment -> place : string\n"
                               "        OBX-3   -> code : string\n"
                               "    }\n"
                               "structure t\n"
                               "    all: MSH => Whole\n"
                               "        one: OBX => Living\n"
                               "            key OBX-3\n"
                               "message ADT^A04 t\n"
                               "segment MSH Whole\n"
                               "    MSH-10 -> title : string\n"
                               "segment OBX Living\n"
                               "    OBX-3 -> code.text : string\n";
    assert_int_equal(translate(&t, rows,
                               "MSH|^~\\&|A|B|||2026||ADT^A04|7|P|2.5\rOBX|||C\r"
                               "OBX|||SKIP\rOBX|||D\r"),
                     0);
    static const char *const wants[] = { "\"place\":\"OBX[1]\",\"code\":\"C\"",
                                         "\"place\":\"OBX[3]\",\"code\":\"D\"" };
    for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
        assert_true(has(&t, wants[i]));
    }
    assert_false(has(&t, "OBX[2]"));
}

/* Elements of a list by a key, wherever the segments stand, and all that are there. */
static void test_elements_of_lists(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    static const char rows[] = "resource Whole is Composition event\n"
                               "    \"x\" -> part[*].a : string\n"
                               "    \"x\" -> none[*].a : string\n"
                               "structure t\n"
                               "    all: MSH OBX* => Whole\n"
                               "message ADT^A04 t\n"
                               "segment OBX Whole\n"
                               "    OBX-5 if OBX-3 = A -> part[OBX-4].a : string\n"
                               "    OBX-5 if OBX-3 = B -> part[OBX-4].b : string\n";
    assert_int_equal(translate(&t, rows,
                               "MSH|^~\\&|A|B|||2026||ADT^A04|7|P|2.5\rOBX|||A|1|p\r"
                               "OBX|||B|2|q\rOBX|||B|1|r\rOBX|||A|1|s\r"),
                     0);
    assert_true(has(&t, "\"part\":[{\"a\":\"p\",\"b\":\"r\"},{\"b\":\"q\",\"a\":\"x\"}]"));
    assert_false(has(&t, "none"));
}

/* Resources that rows make have ids of their own: by field and order, the same every time. */
static void test_ids(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    static const char rows[] = "segment PID Patient\n"
                               "    PID-13 each -> Device {\n        .1 -> a : string\n    }\n"
                               "    PID-14 each -> Device {\n        .1 -> b : string\n    }\n";
    struct str first = { 0 };
    for (int turn = 0; turn < 2; turn++) {
        struct translated t = { .arena = arena };
        assert_int_equal(translate(&t, rows, MSH "PID|||7||||||||||x~x|x\r"), 0);
        assert_int_equal(t.result.count, 4);
        for (size_t i = 1; i < 4; i++) {
            assert_int_equal(t.result.entries[i].id.n, 36);
            assert_false(
                str_eq(t.result.entries[i].id, t.result.entries[i == 3 ? 1 : i + 1].id));
        }
        assert_true(turn == 0 || str_eq(first, t.result.bundle));
        first = t.result.bundle;
    }
}

/* A number that only says there is none doesn't make two of one group the same. */
static void test_codes_that_are_no_key(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    static const char rows[] = "resource Act is Procedure event\n"
                               "structure t\n"
                               "    all: MSH\n"
                               "        one: PR1 => Act\n"
                               "            key PR1-1!=9999 else PR1-2\n"
                               "message ADT^A04 t\n"
                               "segment PR1 Act\n"
                               "    PR1-2 -> code.text : string\n";
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        { "PR1|5|A\r", "PR1|5|B\r", true },
        { "PR1|9999^X|A\r", "PR1|9999^X|B\r", false },
        { "PR1|9999^X|A\r", "PR1||A\r", true },
        { "PR1|99999|A\r", "PR1|99999|B\r", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str ids[2];
        for (int turn = 0; turn < 2; turn++) {
            struct translated t = { .arena = arena };
            char message[200];
            (void)snprintf(message, sizeof(message),
                           "MSH|^~\\&|A|B|||2026||ADT^A04|7|P|2.5\r%s",
                           turn ? cases[i].b : cases[i].a);
            assert_int_equal(translate(&t, rows, message), 0);
            assert_int_equal(t.result.count, 1);
            ids[turn] = t.result.entries[0].id;
        }
        assert_int_equal(str_eq(ids[0], ids[1]), cases[i].same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions), cmocka_unit_test(test_makes),
        cmocka_unit_test(test_later),      cmocka_unit_test(test_sources),
        cmocka_unit_test(test_about),      cmocka_unit_test(test_elements_of_lists),
        cmocka_unit_test(test_ids),        cmocka_unit_test(test_codes_that_are_no_key),
    };
    return cmocka_run_group_tests_name("fhir/translate/rows", tests, NULL, NULL);
}
