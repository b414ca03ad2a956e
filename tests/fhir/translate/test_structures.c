/* Which segments belong together, and what a resource refers to there, by small maps of their
 * own. */
#include "tests/fhir/translate/small_map.h"

/* Which segments belong together: what stands in which resource. */
static void test_structures(void **state)
{
    static const struct {
        const char *structure;
        const char *message;
        const char *wants[4];
    } cases[] = {
        /* in any order; the second of one that may not repeat begins another group */
        { "all: MSH\n        one: (OBX NTE* ZL1) => Living\n",
          "NTE|||a\rOBX|||A\rNTE|||b\rZL1|x\rOBX|||B\rNTE|||c\r",
          { "[\"a\",\"A\",\"b\",\"x\"]", "[\"B\",\"c\"]" } },
        { "all: MSH\n        one: OBX (NTE* ZL1) => Living\n",
          "NTE|||a\rOBX|||A\rZL1|x\rNTE|||b\r",
          { "[\"a\"]", "[\"A\",\"x\",\"b\"]" } },
        { "all: MSH\n        one: OBX NTE* ZL1 => Living\n",
          "OBX|||A\rZL1|x\rNTE|||a\r",
          { "[\"A\",\"x\"]", "[\"a\"]" } },
        /* groups of another structure */
        { "all: MSH\n        include part\n", "ZL1|x\rZL1|y\r", { "[\"x\"]", "[\"y\"]" } },
        /* a group that a segment begins comes before one that only has it */
        { "all: MSH\n        one: OBX ZL1 => Living\n        two: ZL1 => Living\n",
          "ZL1|x\rOBX|||A\r",
          { "[\"x\"]", "[\"A\"]" } },
        /* what could only stand below a group that isn't there goes to one that is */
        { "all: MSH\n        one: OBX => Living\n            key OBX-3\n"
          "            below: PD1\n                deep: ZL1 => Living\n"
          "        two: ZL1 => Living\n",
          "OBX|||A\rZL1|x\rPD1|1\rZL1|y\r",
          { "[\"A\"]", "[\"x\"]", "[\"y\"]" } },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        char rows[1000];
        char message[400];
        arena_reset(arena);
        (void)snprintf(rows, sizeof(rows),
                       "structure part\n    part: ZL1 => Living\n    other: PD1\n"
                       "structure t\n    %smessage ADT^A04 t\n"
                       "segment OBX Living\n    OBX-3 -> l[] : string\n"
                       "segment NTE Living\n    NTE-3 -> l[] : string\n"
                       "segment ZL1 Living\n    ZL1-1 -> l[] : string\n",
                       cases[i].structure);
        (void)snprintf(message, sizeof(message), "MSH|^~\\&|A|B|||2026||ADT^A04|7|P|2.5\r%s",
                       cases[i].message);
        assert_int_equal(translate(&t, rows, message), 0);
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            if (!has(&t, cases[i].wants[w])) {
                fail_msg("%s\n%.*s\nwant %s", cases[i].structure, (int)t.result.bundle.n,
                         t.result.bundle.p, cases[i].wants[w]);
            }
        }
    }
}

/* Resources below another's group, from wherever that one is above. */
static void test_of_another(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    static const char rows[] = "resource Part is Basic event\n"
                               "    Device* of Whole if PD1-1 = A -> of[] : reference\n"
                               "    Device* of Doctor -> none[] : reference\n"
                               "resource Whole is Composition event\n"
                               "structure t\n"
                               "    all: MSH => Whole\n"
                               "        one: OBX => Part\n"
                               "            key OBX-3\n"
                               "        two: PD1 => Device\n"
                               "            key PD1-1\n"
                               "message ADT^A04 t\n"
                               "segment MSH Whole\n    MSH-10 -> title : string\n"
                               "segment OBX Part\n    OBX-3 -> code.text : string\n"
                               "segment PD1 Device\n    PD1-1 -> name : string\n";
    assert_int_equal(translate(&t, rows,
                               "MSH|^~\\&|A|B|||2026||ADT^A04|7|P|2.5\rOBX|||C\r"
                               "PD1|A\rPD1|B\r"),
                     0);
    char want[200];
    (void)snprintf(want, sizeof(want), "\"of\":[{\"reference\":\"%.*s\"}]",
                   (int)t.result.entries[2].full_url.n, t.result.entries[2].full_url.p);
    assert_true(has(&t, want));
    assert_false(has(&t, "none"));
}

/* A group inside one of its own name is about something else of that kind. */
static void test_groups_in_their_like(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    static const char rows[] = "resource Part is Basic event\n"
                               "    Device* -> near[] : reference\n"
                               "    Device** -> all[] : reference\n"
                               "    Note -> up : reference\n"
                               "    Note of Part -> own : reference\n"
                               "structure t\n"
                               "    all: MSH\n"
                               "        one: OBX => Part Note\n"
                               "            key OBX-3\n"
                               "            two: PD1 => Device\n"
                               "                key PD1-1\n"
                               "            one: OBX => Part\n"
                               "                key OBX-3\n"
                               "                two: PD1 => Device\n"
                               "                    key PD1-1\n"
                               "message ADT^A04 t\n"
                               "segment OBX Part\n    OBX-3 -> code.text : string\n"
                               "segment OBX Note\n    OBX-4 -> text : string\n"
                               "segment PD1 Device\n    PD1-1 -> name : string\n";
    assert_int_equal(translate(&t, rows,
                               "MSH|^~\\&|A|B|||2026||ADT^A04|7|P|2.5\rOBX|||A|n\r"
                               "PD1|1\rOBX|||B\rPD1|2\r"),
                     0);
    assert_int_equal(t.result.count, 5);
    const struct translate_entry *e = t.result.entries; /* Part, Note, Device, Part, Device */
    struct buf want = arena_buf(arena, 1000);
    buf_fmt(&want,
            "\"near\":[{\"reference\":\"%.*s\"}],\"all\":[{\"reference\":\"%.*s\"},{"
            "\"reference\":\"%.*s\"}],\"up\":{\"reference\":\"%.*s\"},\"own\":",
            (int)e[2].full_url.n, e[2].full_url.p, (int)e[2].full_url.n, e[2].full_url.p,
            (int)e[4].full_url.n, e[4].full_url.p, (int)e[1].full_url.n, e[1].full_url.p);
    assert_true(memmem(e[0].resource.p, e[0].resource.n, want.p, want.n));
    want.n = 0;
    buf_fmt(&want,
            "\"near\":[{\"reference\":\"%.*s\"}],\"all\":[{\"reference\":\"%.*s\"}],\"up\":"
            "{\"reference\":\"%.*s\"}}",
            (int)e[4].full_url.n, e[4].full_url.p, (int)e[4].full_url.n, e[4].full_url.p,
            (int)e[1].full_url.n, e[1].full_url.p);
    assert_true(memmem(e[3].resource.p, e[3].resource.n, want.p, want.n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_structures),
        cmocka_unit_test(test_of_another),
        cmocka_unit_test(test_groups_in_their_like),
    };
    return cmocka_run_group_tests_name("fhir/translate/structures", tests, NULL, NULL);
}
