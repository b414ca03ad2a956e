/* Rows of the way back: what they do, what is wrong with them, how a site changes them. */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/translate/map.h"
#include "fhir/translate/to_v2.h"
#include "tests/fhir/translate/resources.h"

/* --- a small map ------------------------------------------------------------------------- */

static const char BASE[] = "table CodingSystems\n"
                           "    LN -> http://loinc.org\n"
                           "    LOINC -> http://loinc.org\n"
                           "table Sex\n"
                           "    F -> female\n"
                           "    f -> female\n"
                           "    M -> male\n"
                           "    D <- other\n"
                           "    O -> other\n"
                           "    U <- *\n"
                           "table Flag urn:new from urn:old\n"
                           "    A -> a\n"
                           "    B -> b\n"
                           "resource Patient trusted\n"
                           "structure s\n"
                           "    message: MSH PID => Patient\n"
                           "message ADT^A01 s\n"
                           "structure b from Bundle\n"
                           "    message: MSH <= Bundle\n"
                           "        patient: PID NTE* <= Patient required\n"
                           "            visit: PV1 <= Encounter with subject\n"
                           "                also Location in location.location\n"
                           "message ADT^A01 from b if Patient\n"
                           "segment MSH from Bundle\n"
                           "    MSH-9.1 <- $type : string\n"
                           "    MSH-9.2 <- $event : string\n"
                           "segment NTE from Patient.note[]\n"
                           "    NTE-1 <- $number : string\n"
                           "    NTE-3 lines <- text : string\n"
                           "segment PV1 from Encounter\n"
                           "    PV1-1 <- $number : string\n"
                           "    PV1-3 <- Location.name : string\n"
                           "    PV1-7 each <- participant[].individual : Person\n"
                           "datatype Person from Practitioner\n"
                           "    .1 <- identifier.value : string\n"
                           "    .2 <- name.family : string\n"
                           "    .2 if no name <- display : string\n"
                           "datatype Name from HumanName\n"
                           "    .1.1 <- family : string\n"
                           "    .2 <- given[1] : string\n"
                           "    .3 words <- given[2+] : string\n"
                           "datatype Number from Identifier\n"
                           "    require value\n"
                           "    .1 <- value : string\n"
                           "    .4 <- system : assigner\n"
                           "datatype Code from CodeableConcept\n"
                           "    @ <- coding[!$given][1] : Coded\n"
                           "    .4+ <- coding[!$given][2] : Coded\n"
                           "    .1 if unset @ <- coding[$given] : coding given\n"
                           "datatype Coded from Coding\n"
                           "    .1 <- code : string\n"
                           "    .3 <- system : codesystem given\n"
                           "segment PID from Patient\n";

static const struct v2_assigner known[] = { { { "LAB", 3 }, { "urn:lab", 7 } } };

/* The message that @json becomes by BASE and @rows, from its second segment on. */
static struct str by_rows(struct arena *arena, const char *rows, const char *json)
{
    struct buf text = arena_buf(arena, 1 << 16);
    struct issues issues;
    const struct rules *rules;
    const struct node *root;
    struct translate_message message;
    issues_init(&issues, arena);
    buf_z(&text, BASE);
    buf_z(&text, rows);
    const struct map_file file = { .name = "x.map", .text = buf_str(&text) };
    int r = map_compile(arena, &file, 1, &issues, &rules);
    for (const struct issue *i = issues.first; i; i = i->next) {
        print_error("%.*s: %.*s\n", (int)i->place.n, i->place.p, (int)i->text.n, i->text.p);
    }
    assert_int_equal(r, 0);
    assert_int_equal(json_parse(arena, str_z(json), &issues, &root), 0);
    const struct translate_receiver to = { .rules = rules,
                                           .version = V2_2_5_1,
                                           .delims = V2_DELIMS_USUAL,
                                           .control = STR("7"),
                                           .assigners = { known, ARRAY_LEN(known) } };
    assert_int_equal(translate_to_v2(arena, root, &to, &message, &issues), 0);
    struct str rest = message.text;
    (void)str_cut(&rest, '\r');
    return rest;
}

#define ORIGINAL(text)                                                                         \
    "{\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/originalText\","       \
    "\"valueString\":\"" text "\"}]}"

static void test_rows(void **state)
{
    static const struct {
        const char *rows;
        const char *json;
        const char *want;
    } cases[] = {
        /* components, repetitions, all that is left */
        { "    PID-5 each <- name[] : Name\n",
          PATIENT("\"name\":[{\"family\":\"Doe\",\"given\":[\"A\",\"B\",\"C\"]},{\"given\":["
                  "\"D\"]}]"),
          "PID|||||Doe^A^B C~^D\r" },
        { "    PID-5 <- name[] : Name\n",
          PATIENT("\"name\":[{\"text\":\"x\"},{\"family\":\"Doe\"},{\"family\":\"Roe\"}]"),
          "PID|||||Doe\r" },
        /* the first row that fits wins; filters; what must be there */
        { "    PID-3 <- identifier[use=old] : Number\n    PID-3 <- identifier[] : Number\n",
          PATIENT("\"identifier\":[{\"value\":\"1\"},{\"use\":\"old\",\"value\":\"2\"}]"),
          "PID|||2\r" },
        { "    PID-3 each <- identifier[use!=old|temp,system] : Number\n",
          PATIENT("\"identifier\":[{\"system\":\"urn:lab\",\"value\":\"1\"},{\"value\":\"2\"},"
                  "{\"use\":\"old\",\"system\":\"urn:lab\",\"value\":\"3\"},"
                  "{\"system\":\"urn:oid:1.2\",\"value\":\"4\"},{\"system\":\"urn:lab\"}]"),
          "PID|||1^^^LAB~4^^^&1.2&ISO\r" },
        { "    PID-2 <- identifier[!system][2] : Number\n",
          PATIENT("\"identifier\":[{\"value\":\"1\"},{\"value\":\"2\"}]"), "PID||2\r" },
        /* conditions look at the resource and at what is written */
        { "    PID-8 if birthDate <- gender : code Sex\n    PID-1 if unset PID-8 <- id : "
          "string\n",
          PATIENT("\"id\":\"p\",\"gender\":\"male\""), "PID|p\r" },
        { "    PID-1 if since 2.5 and not since 2.6 <- id : string\n", PATIENT("\"id\":\"p\""),
          "PID|p\r" },
        { "    PID-1 if named Person.link or not named Patient.link <- id : string\n",
          PATIENT("\"id\":\"p\""), "PID|p\r" },
        { "    PID-1 if count name > 1 or active = true <- id : string\n",
          PATIENT("\"id\":\"p\",\"active\":true"), "PID|p\r" },
        /* tables read backwards: the first code, or the one that is for the way back */
        { "    PID-8 <- gender : code Sex\n", PATIENT("\"gender\":\"female\""),
          "PID||||||||F\r" },
        { "    PID-8 <- gender : code Sex\n",
          PATIENT("\"gender\":\"female\",\"_gender\":" ORIGINAL("f")), "PID||||||||f\r" },
        { "    PID-8 <- gender : code Sex\n",
          PATIENT("\"gender\":\"male\",\"_gender\":" ORIGINAL("f")), "PID||||||||M\r" },
        { "    PID-8 <- gender : code Sex\n", PATIENT("\"gender\":\"other\""),
          "PID||||||||D\r" },
        { "    PID-8 <- gender : code Sex\n", PATIENT("\"gender\":\"unknown\""),
          "PID||||||||U\r" },
        { "    PID-16 <- x : Code Flag\n",
          PATIENT("\"x\":{\"coding\":[{\"system\":\"urn:new\",\"code\":\"a\"},"
                  "{\"system\":\"urn:old\",\"code\":\"A\"},"
                  "{\"system\":\"http://loinc.org\",\"code\":\"1\"}]}"),
          "PID||||||||||||||||A^^^1^^LN\r" },
        { "    PID-16 <- x : Code Flag\n",
          PATIENT("\"x\":{\"coding\":[{\"system\":\"urn:new\",\"code\":\"b\"}]}"),
          "PID||||||||||||||||B\r" },
        { "    PID-16 <- x : Code\n",
          PATIENT("\"x\":{\"coding\":[{\"code\":\"1\",\"_system\":" ORIGINAL("L") "}]}"),
          "PID||||||||||||||||1^^L\r" },
        /* times keep precision and offset, numbers their text */
        { "    PID-7 <- a : dateTime\n    PID-29 <- b : dateTime\n    PID-33 <- c : instant\n",
          PATIENT("\"a\":\"2026-01\",\"b\":\"2026-01-02T03:04:05.1234567+05:30\","
                  "\"c\":\"2026-01-02T03:04:05Z\""),
          "PID|||||||202601||||||||||||||||||||||20260102030405.1234+0530||||"
          "20260102030405+0000\r" },
        { "    PID-29 <- a : dateTime\n",
          PATIENT("\"a\":\"2026-01-02\",\"_a\":" ORIGINAL("202601020304")),
          "PID|||||||||||||||||||||||||||||202601020304\r" },
        { "    PID-29 <- a : dateTime\n",
          PATIENT("\"a\":\"2026-01-02\",\"_a\":" ORIGINAL("in winter")),
          "PID|||||||||||||||||||||||||||||20260102\r" },
        { "    PID-25 <- a : decimal\n    PID-30 <- b : boolean\n",
          PATIENT("\"a\":1.50,\"b\":false"), "PID|||||||||||||||||||||||||1.50|||||N\r" },
        /* texts: formats, cut ones, lines, escapes, two double quotes that are none */
        { "    PID-1 <- format \"{a}-{b}!\" : string\n", PATIENT("\"a\":\"1\",\"b\":\"2\""),
          "PID|1-2!\r" },
        { "    format \"{PID-1}-{PID-2}!\" <- x[] : string\n",
          PATIENT("\"x\":[\"no\",\"1-2!\"]"), "PID|1|2\r" },
        { "    PID-1 <- a : string\n", PATIENT("\"a\":\"x|y^z\\r\\n\\u000b\""),
          "PID|x\\F\\y\\S\\z\\X0D\\\\X0A\\\\X0B\\\r" },
        { "    PID-1 <- a : string\n", PATIENT("\"a\":\"\\\"\\\"\""), "PID|\\X22\\\"\r" },
        { "    PID-1 <- id : string\n    format \"n: {PID-2}\" <- note[].text : string\n",
          PATIENT("\"id\":\"p\",\"note\":[{\"text\":\"a\\nb\"},{\"text\":\"n: "
                  "5\"},{\"text\":\"c\"}]"),
          "PID|p|5\rNTE|1||a~b\rNTE|2||c\r" },
        /* constants alone are nothing */
        { "    PID-1 <- \"x\" : string\n    PID-5 <- name {\n        .7 <- \"L\" : string\n"
          "        .1 <- family : string\n    }\n    PID-8 <- gender : string\n",
          PATIENT("\"name\":[{}],\"gender\":\"g\""), "PID|x|||||||g\r" },
        { "    PID-5.1 <- { \n        .2 <- id : string\n    }\n", PATIENT("\"id\":\"p\""),
          "PID|||||&p\r" },
        { "    include All\ndatatype All from Patient\n    PID-1 <- id : string\n",
          PATIENT("\"id\":\"p\""), "PID|p\r" },
        { "    if active = true {\n        PID-1 <- id : string\n    }\n",
          PATIENT("\"id\":\"p\",\"active\":true"), "PID|p\r" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        arena_reset(arena);
        assert_str(by_rows(arena, cases[i].rows, cases[i].json), cases[i].want);
    }
}

/* What belongs together: by references, contained ones and those that lead nowhere included. */
static void test_groups(void **state)
{
    static const struct {
        const char *json;
        const char *want;
    } cases[] = {
        { BUNDLE(JO "," ENTRY(
              "e",
              "\"resourceType\":\"Encounter\",\"subject\":{\"reference\":"
              "\"Patient/1\"},\"contained\":[{\"resourceType\":\"Location\","
              "\"id\":\"l\",\"name\":\"Ward\"}],\"location\":[{\"location\":"
              "{\"reference\":\"#l\"}}],\"participant\":[{\"individual\":"
              "{\"reference\":\"urn:uuid:d\"}},{\"individual\":{\"display\":"
              "\"Dr X\"}},{\"individual\":{\"reference\":\"Device/1\"}}]") "," ENTRY("urn:uuid:"
                                                                                     "d",
                                                                                     "\"resourc"
                                                                                     "eType\":"
                                                                                     "\"Practit"
                                                                                     "ioner\","
                                                                                     "\"identif"
                                                                                     "ier\":"
                                                                                     "[{"
                                                                                     "\"value\""
                                                                                     ":\"9\"}],"
                                                                                     "\"name\":"
                                                                                     "[{"
                                                                                     "\"family"
                                                                                     "\":"
                                                                                     "\"Who\"}"
                                                                                     "]")),
          "PID|1\rPV1|1||Ward||||9^Who~^Dr X\r" },
        { BUNDLE(JO "," ENTRY("e", "\"resourceType\":\"Encounter\",\"subject\":{\"reference\":"
                                   "\"Patient/2\"},\"location\":[{\"location\":{\"display\":"
                                   "\"W\"}}]")),
          "PID|1\r" },
        { BUNDLE(JO "," ENTRY("urn:uuid:q", "\"resourceType\":\"Patient\",\"id\":\"2\"")),
          "PID|1\rPID|2\r" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        arena_reset(arena);
        assert_str(by_rows(arena, "    PID-1 <- id : string\n", cases[i].json), cases[i].want);
    }
}

/* --- mistakes in maps ----------------------------------------------------------------------
 */

static void test_mistakes(void **state)
{
    static const struct {
        const char *rows;
        const char *want;
    } cases[] = {
        { "    PID-1 -> id : string\n", "a row of the way back wants '<-'" },
        { "    PID-1 <- 1x : string\n", "'1x' is no path" },
        { "    PID-1 <- a[b : string\n", "'a[b' is no path" },
        { "    PID-1 <- a[=] : string\n", "'' is no path" },
        { "    PID-1 <- a. : string\n", "'a.' is no path" },
        { "    PID-1 <- a\n", "what is read wants" },
        { "    PID-1 <- a : nothing\n", "unknown type 'nothing'" },
        { "    PID-1 <- a : Number Sex X\n", "what is read wants" },
        { "    PID-1 <- a : dateTime Sex\n", "this type takes no table" },
        { "    PID-1 rest <- a : string\n", "a row of the way back begins with" },
        { "    PID-1 if PID-2 <- a : string\n", "'PID-2' is no path" },
        { "    PID-1 if named subscriber <- a : string\n", "'named …' is no condition" },
        { "    PID-1 if since 9 <- a : string\n", "'since …' is no condition" },
        { "    PID-1 <- a : reference\n", "not on the way back" },
        { "    remove PID-1 <- a\n", "no row with this source and path" },
        { "datatype L from X\n    @ <- a : L\n", "it holds itself" },
        { "message ADT^A02 from nowhere\n", "unknown structure 'nowhere'" },
        { "structure c from Bundle\n    a: PID <= Patient near x\n",
          "what a group is for wants" },
        { "structure c from Bundle\n    a: PID\n        also Patient\n",
          "'also' stands below" },
        { "segment PID from patient\n", "'patient' is no resource" },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text = arena_buf(arena, 1 << 16);
        struct issues issues;
        const struct rules *rules;
        issues_init(&issues, arena);
        buf_z(&text, BASE);
        buf_z(&text, cases[i].rows);
        const struct map_file file = { .name = "x.map", .text = buf_str(&text) };
        assert_int_equal(map_compile(arena, &file, 1, &issues, &rules), MAP_E_WRONG);
        if (!str_starts(issues.first->text, str_z(cases[i].want))) {
            fail_msg("%s: got '%.*s'", cases[i].rows, (int)issues.first->text.n,
                     issues.first->text.p);
        }
    }
}

/* A later file changes what is there, by the same words as elsewhere. */
static void test_a_site_changes_rows(void **state)
{
    static const char site[] = "segment PID from Patient\n"
                               "    replace PID-1 <- id : code Sex\n"
                               "    remove PID-2 <- id\n"
                               "    PID-3 <- \"site\" : string\n"
                               "table Sex\n"
                               "    X <- p\n";
    static const char base[] = "    PID-1 <- id : string\n    PID-2 <- id : string\n"
                               "    PID-3 <- id : string\n    PID-4 <- id : string\n";
    struct issues issues;
    const struct rules *rules;
    const struct node *root;
    struct translate_message message;
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct buf text = arena_buf(arena, 1 << 16);
    issues_init(&issues, arena);
    buf_z(&text, BASE);
    buf_z(&text, base);
    const struct map_file files[] = { { "base.map", buf_str(&text), 0 },
                                      { "site.map", str_z(site), 1 } };
    assert_int_equal(map_compile(arena, files, 2, &issues, &rules), 0);
    assert_int_equal(json_parse(arena, STR(PATIENT("\"id\":\"p\"")), &issues, &root), 0);
    const struct translate_receiver to = { .rules = rules,
                                           .version = V2_2_5_1,
                                           .delims = V2_DELIMS_USUAL };
    assert_int_equal(translate_to_v2(arena, root, &to, &message, &issues), 0);
    assert_str(message.text, "MSH|^~\\&|||||||ADT^A01\rPID|X||site|p\r");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_a_site_changes_rows),
    };
    return cmocka_run_group_tests_name("fhir/translate/back", tests, NULL, NULL);
}
