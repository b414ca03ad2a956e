#include "tests/check.h"

#include "fhir/translate/map.h"

static const char GOOD[] = "table CodingSystems\n"
                           "    LN -> http://loinc.org\n"
                           "resource Patient trusted\n"
                           "datatype CX\n"
                           "    .1 -> value : string\n"
                           "segment PID Patient\n"
                           "    PID-3 each -> identifier[] : CX\n"
                           "structure s\n"
                           "    message: MSH\n"
                           "        patient: PID => Patient\n"
                           "            key PID-3\n"
                           "message ADT^A01 s\n";

/* Compile GOOD with @more after it. */
static int compile(struct arena *arena, const char *more, struct issues *issues)
{
    struct buf text = arena_buf(arena, MAP_FILE_MAX);
    const struct rules *rules;
    buf_z(&text, more);
    const struct map_file files[] = { { "good.map", str_z(GOOD), 0 },
                                      { "x.map", buf_str(&text), 0 } };
    issues_init(issues, arena);
    return map_compile(arena, files, ARRAY_LEN(files), issues, &rules);
}

/* Each mistake is told with its line, all of them in the order of the lines. */
static void test_mistakes(void **state)
{
    static const struct {
        const char *text;
        const char *wants[4]; /* place and sentence, or their beginnings */
    } cases[] = {
        { "nonsense\n", { "x.map:1: unknown section 'nonsense'" } },
        { "    PID-3 -> x : string\n", { "x.map:1: a row outside of any section" } },
        { "message ADT^A04 s\n    PID-3 -> x : string\n",
          { "x.map:2: a message has no rows" } },
        { "datatype X\n    .1 value : string\n", { "x.map:2: a row wants '->' or '~>'" } },
        { "datatype X\n    .1 -> value : nothing\n", { "x.map:2: unknown type 'nothing'" } },
        { "datatype X\n    .1 -> value : code Nothing\n",
          { "x.map:2: unknown table 'Nothing'" } },
        { "datatype X\n    .1.2.3 -> value : string\n", { "x.map:2: '.1.2.3' goes too deep" } },
        { "datatype X\n    PID-900 -> value : string\n",
          { "x.map:2: 'PID-900' is no address: no such field" } },
        { "datatype X\n    .1 -> 1value : string\n", { "x.map:2: '1value' is no path" } },
        { "datatype X\n    .1 -> a..b : string\n", { "x.map:2: 'a..b' is no path" } },
        { "datatype X\n    .1 -> a] : string\n", { "x.map:2: 'a]' is no path" } },
        { "datatype X\n    .1 -> a[PID-3] : string\n", { "x.map:2: 'a[PID-3]' is no path" } },
        { "datatype X\n    .1 -> a[*] : string\n", { "x.map:2: 'a[*]' is no path" } },
        { "datatype X\n    .1 -> a[PID-3].b[PID-2].c : string\n",
          { "x.map:2: 'a[PID-3].b[PID-2].c' is no path" } },
        { "datatype X\n    .1 -> a[.1].b : string\n", { "x.map:2: 'a[.1].b' is no path" } },
        { "structure t\n    a: PID\n        key PID-3!=\n",
          { "x.map:3: a key wants fields of segments" } },
        { "datatype X\n    .1 -> a[once].b : string\n", { "x.map:2: 'a[once].b' is no path" } },
        { "datatype X\n    .1 plus -> a : dateTime\n",
          { "x.map:2: plus wants: AMOUNT [UNIT]" } },
        { "datatype X\n    .1 plus .2 .3 .4 -> a : dateTime\n",
          { "x.map:2: plus wants: AMOUNT [UNIT]" } },
        { "datatype X\n    .1 plus x -> a : dateTime\n", { "x.map:2: 'x' is no address" } },
        { "datatype X\n    .1 plus .2 -> a : string\n",
          { "x.map:2: 'plus' wants a dateTime or an instant" } },
        { "datatype X\n    .1 -> a : dateTime T\ntable T\n    A -> 1\n",
          { "x.map:2: this type takes no table, or none that is given" } },
        { "datatype X\n    .1 if .2 is big -> value : string\n",
          { "x.map:2: '.2 …' is no condition" } },
        { "datatype X\n    .1 if (.2 and .3 -> value : string\n",
          { "x.map:2: a parenthesis isn't closed" } },
        { "datatype X\n    .1 if .2 and -> value : string\n",
          { "x.map:2: an empty condition" } },
        { "datatype X\n    .1 -> value : Group(CX)\n",
          { "x.map:2: unknown resource 'Group'" } },
        { "datatype X\n    .1 -> value : Patient(XX)\n", { "x.map:2: unknown datatype 'XX'" } },
        { "datatype X\n    Patient -> value : reference\n",
          { "x.map:2: other resources are in reach only in a resource section" } },
        { "datatype X\n    }\n", { "x.map:2: '}' without '{'" } },
        { "datatype X\n    .1 -> y {\n", { "x.map:2: '{' without '}'" } },
        { "datatype X\n    \"a -> y : string\n", { "x.map:2: a quote isn't closed" } },
        { "datatype X\n    \"\xff\" -> y : string\n", { "x.map:2: not UTF-8" } },
        { "datatype X\n    \"\x01\" -> y : string\n", { "x.map:2: a control character" } },
        { "datatype X\n    .1 -> a : X\n", { "x.map:1: it holds itself" } },
        { "datatype string\n    .1 -> a : code\n", { "x.map:1: string is a type already" } },
        { "datatype X\n    include X\n", { "x.map:1: it holds itself" } },
        { "datatype X\n    include string\n", { "x.map:2: unknown type 'string'" } },
        { "datatype X\n    include\n", { "x.map:2: include wants the name of a datatype" } },
        { "datatype X\n    .1 if .2 same -> value : string\n",
          { "x.map:2: '.2 …' is no condition" } },
        { "datatype X\n    .1 if .2 same x -> value : string\n",
          { "x.map:2: 'x' is no address" } },
        { "segment PID Patient\n    withdraw PID-3 -> x : string\n",
          { "x.map:2: withdraw wants a row of its own with a list" } },
        { "resource Account other\n", { "x.map:1: resource wants" } },
        { "datatype CX\n", { "x.map:1: there is a datatype CX already" } },
        { "segment OBX Observation\n    OBX-3 -> code.text : string\n",
          { "x.map:1: no group has a 'Observation'" } },
        { "table T\n    A -> a\n    A -> b\n", { "x.map:3: code A twice" } },
        { "table T\n    A\n", { "x.map:2: a code wants" } },
        { "table T\n    A -> a b\n", { "x.map:2: b is no system" } },
        { "message ADT^A02 other\n", { "x.map:1: unknown structure 'other'" } },
        { "sender A B\n", { "x.map:1: sender wants: [FACILITY]" } },
        { "sender A\n    assigner X urn:x\n", { "x.map:2: a sender wants: zone ZONE" } },
        { "sender A\n    assigner X -> a\n    assigner X -> b\n",
          { "x.map:3: assigner X twice" } },
        { "ignore .1\n", { "x.map:1: ignore wants fields of segments" } },
        { "structure t\n    MSH => Patient\n",
          { "x.map:1: a structure has one outermost group", "x.map:2: a group wants" } },
        { "structure t\n    a: PID => Nobody\n", { "x.map:2: unknown resource 'Nobody'" } },
        { "structure t\n    a: PID\n    b: PID\nmessage ADT^A04 t\n",
          { "x.map:4: a message's structure has one outermost group" } },
        { "structure t\n    a: (PID PD1\n", { "x.map:2: a parenthesis without its partner" } },
        { "structure t\n    a: PID PD1)\n", { "x.map:2: a parenthesis without its partner" } },
        { "structure t\n    a: (PID (PD1) NTE)\n",
          { "x.map:2: a parenthesis without its partner" } },
        { "structure t\n    a: PID\n        include none\n",
          { "x.map:3: include wants the name of a structure that stands before this one" } },
        { "structure t\n    a: PID\n        include t\n",
          { "x.map:3: include wants the name of a structure that stands before this one" } },
        { "resource Other event\n    Nobody* of Patient -> x[] : reference\n"
          "    Patient* of Nobody -> x[] : reference\n",
          { "x.map:2: unknown resource 'Nobody'", "x.map:3: unknown resource 'Nobody'" } },
        { "resource Other event\n    ^Patient of Patient -> x[] : reference\n",
          { "x.map:2: '^Patient …' is no source" } },
        { "datatype X\n    .1 -> a : contained string\n",
          { "x.map:2: only a resource can be contained or linked" } },
        { "datatype X\n    .1 -> a : reference\n",
          { "x.map:2: a reference or link wants a resource on the left" } },
        { "datatype X\n    $it -> a : string\n", { "x.map:2: another resource can only be" } },
        { "datatype X\n    .1 -> a : dateTime T\ntable T\n    A -> a\n",
          { "x.map:2: this type takes no table" } },
        { "datatype X\n    .1 if count .2 > 1 -> a : string\n",
          { "x.map:2: 'count …' is no condition" } },
        { "datatype X\n    .1 if .2 in T -> a : string\n", { "x.map:2: unknown table 'T'" } },
        { "datatype X\n    PID-3[0] -> a : string\n", { "x.map:2: 'PID-3[0]' is no address" } },
        { "datatype X\n    .1 -> Nobody {\n    }\n", { "x.map:2: unknown resource 'Nobody'" } },
        { "resource A1 is event\n", { "x.map:1: resource wants" } },
        /* all of them, and what only names tell is in its place */
        { "datatype X\n    .1 -> value : nothing\n    .1 -> 1 : string\n    .2 ->\n"
          "nonsense\n    .1 -> left alone\n",
          { "x.map:2: unknown type", "x.map:3: '1' is no path", "x.map:4: a row wants a target",
            "x.map:5: unknown section" } },
        /* what stands in a block below a wrong row is read all the same */
        { "datatype X\n    .1 -> 1 {\n        .1 -> value : nothing\n    }\n",
          { "x.map:2: '1' is no path", "x.map:3: unknown type" } },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct issues issues;
        arena_reset(arena);
        assert_int_equal(compile(arena, cases[i].text, &issues), MAP_E_WRONG);
        const struct issue *issue = issues.first;
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            char got[500] = "";
            if (issue) {
                (void)snprintf(got, sizeof(got), "%.*s: %.*s", (int)issue->place.n,
                               issue->place.p, (int)issue->text.n, issue->text.p);
                issue = issue->next;
            }
            if (strncmp(got, cases[i].wants[w], strlen(cases[i].wants[w])) != 0) {
                fail_msg("%s: got '%s', want '%s'", cases[i].text, got, cases[i].wants[w]);
            }
        }
        if (issue) {
            fail_msg("%s: one too many: %.*s", cases[i].text, (int)issue->text.n,
                     issue->text.p);
        }
    }
}

/* Rows of which each runs the next twice would run for ever. */
static void test_cost(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct buf text = arena_buf(arena, 1 << 16);
    buf_z(&text, "datatype D0\n    .1 -> a : string\n");
    for (int i = 1; i < 20; i++) {
        buf_fmt(&text, "datatype D%d\n    @ -> a : D%d\n    @ -> b : D%d\n", i, i - 1, i - 1);
    }
    struct str all = arena_str(arena, buf_str(&text));
    struct issues issues;
    assert_int_equal(compile(arena, all.p, &issues), MAP_E_WRONG);
    assert_str(issues.first->text, "it would run too many rows");
}

/* Structures of which each includes the one before twice would never end. */
static void test_groups(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct buf text = arena_buf(arena, 1 << 16);
    buf_z(&text, "structure s0\n    a: PID\n");
    for (int i = 1; i < 20; i++) {
        buf_fmt(&text, "structure s%d\n    a: PID\n        include s%d\n        include s%d\n",
                i, i - 1, i - 1);
    }
    struct str all = arena_str(arena, buf_str(&text));
    struct issues issues;
    assert_int_equal(compile(arena, all.p, &issues), MAP_E_WRONG);
    assert_str(issues.first->text, "too many groups");
}

static void test_limits(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct issues issues;
    char *line = arena_alloc(arena, MAP_LINE_MAX + 2);
    memset(line, 'x', MAP_LINE_MAX + 1);
    line[0] = '#';
    line[MAP_LINE_MAX + 1] = '\0';
    assert_int_equal(compile(arena, line, &issues), MAP_E_WRONG);
    assert_str(issues.first->text, "the line is too long");
    line[MAP_LINE_MAX] = '\0';
    assert_int_equal(compile(arena, line, &issues), 0);

    struct map_file file = { "x.map", { line, MAP_FILE_MAX + 1 }, 0 };
    const struct rules *rules;
    assert_int_equal(map_compile(arena, &file, 1, &issues, &rules), MAP_E_WRONG);
}

/* The same text, the same name; another text, another. */
static void test_version(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    issues_init(&issues, arena);
    const struct rules *rules[3] = { 0 };
    const struct map_file files[] = { { "a", str_z(GOOD), 0 },
                                      { "b", STR("# one\n"), 0 },
                                      { "c", STR("# two\n"), 0 } };
    assert_int_equal(map_compile(arena, files, 2, &issues, &rules[0]), 0);
    assert_int_equal(map_compile(arena, files, 2, &issues, &rules[1]), 0);
    assert_int_equal(map_compile(arena, files, 3, &issues, &rules[2]), 0);
    assert_int_equal(strlen(rules[0]->version), 16);
    assert_string_equal(rules[0]->version, rules[1]->version);
    assert_string_not_equal(rules[0]->version, rules[2]->version);
}

/* A failed allocation anywhere is -ENOMEM, never half a map. */
static void test_memory(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct issues issues;
    const struct rules *rules = NULL;
    int r = -1;
    for (size_t limit = 1000; r != 0; limit += limit / 16) {
        arena_reset(arena);
        arena_limit(arena, limit);
        issues_init(&issues, arena);
        r = map_compile(arena, map_shipped, map_shipped_count, &issues, &rules);
        assert_true(r == 0 || (r == -12 && !rules));
        assert_int_equal(issues.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_cost),
        cmocka_unit_test(test_groups),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_version),  cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("fhir/translate/map", tests, NULL, NULL);
}
