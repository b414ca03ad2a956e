#include "fhir/v2/validate.h"

#include "tests/fhir/with_arena.h"

/* The issues of "MSH" and @body in @version, "severity place: text; ". */
static struct str issues_of(const char *version, const char *body)
{
    struct buf text = arena_buf(arena, 4096);
    struct buf out = arena_buf(arena, 65536);
    struct issues issues;
    struct v2_message message;
    struct v2_structure structure;
    const char *structure_name = strcmp(version, "2.3.1") < 0 ? "" : "^ADT_A01";
    buf_fmt(&text, "MSH|^~\\&|||||20260102||ADT^A01%s|1|P|%s\r%s", structure_name, version,
            body);
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena, buf_str(&text), &issues, &message), 0);
    v2_structure_of(&message, &issues, &structure);
    v2_validate(&message, structure.version, &issues);
    for (const struct issue *i = issues.first; i; i = i->next) {
        buf_fmt(&out, "%c %.*s: %.*s; ", issue_severity_name(i->severity)[0], (int)i->place.n,
                i->place.p, (int)i->text.n, i->text.p);
    }
    return buf_str(&out);
}

static void test_issues_by_place(void **state)
{
    static const struct {
        const char *version, *body, *want;
    } cases[] = {
        { "2.5", "PID|||7^^^LAB^MR||Doe^Jo||19800102|F\r", "" },
        { "2.5", "PID|||||Doe\r", "e PID-3: Patient Identifier List is required; " },
        { "2.5", "PID|||7||\"\"\r", "" }, /* a delete is a value */
        { "2.5", "PID|||^^^LAB||Doe\r", "w PID-3.1: CX requires it; " },
        { "2.5", "PID|||7||Doe|||F~M\r", "e PID-8: 2 repetitions; 1 allowed; " },
        { "2.5", "PID|||7~8||Doe|||F\r", "" },
        { "2.5", "PID|||7||Doe|||Q\r", "i PID-8: not in table 1, Administrative Sex; " },
        { "2.5", "PID|||7||Doe||1980-01-02\r", "e PID-7.1: not a point in time (DTM); " },
        { "2.3", "PID|||7||Doe||1980-01-02\r", "e PID-7.1: not a point in time (DTM); " },
        { "2.6", "PID|||7||Doe||19800230\r", "e PID-7: not a point in time (DTM); " },
        { "2.5", "PID|one||7||Doe\r", "e PID-1: not a whole number (SI); " },
        { "2.5", "PID|||7~8^^^^MR^^2026x||Doe\r", "e PID-3[2].7: not a date (DT); " },
        { "2.5", "PID|||7^^^^^^^^^^x||Doe\r", "w PID-3.11: CX has 10 components in 2.5; " },
        { "2.5", "PID|||7^^^A&B&ISO&x||Doe\r", "w PID-3.4.4: HD has 3 components in 2.5; " },
        { "2.5", "MSA|AA|1|||||x\r", "w MSA-7: MSA has 6 fields in 2.5; " },
        { "2.5", "OBX|1|NM|a||1.5||||||F\rOBX|2|NM|a||x||||||F\r",
          "e OBX[2]-5: not a number (NM); " },
        { "2.5", "OBX|1|NM|a||x||||||F\r", "e OBX-5: not a number (NM); " },
        { "2.5", "OBX|1|NM|a||-1.50||||||F\r", "" },
        { "2.5", "OBX|1|TM|a||25||||||F\r", "e OBX-5: not a time of day (TM); " },
        { "2.5", "OBX|1|ST|a||x||||||F\r", "" },
        { "2.5", "OBX|1|XYZ|a||x||||||F\r",
          "i OBX-2: longer than 2 characters; "
          "i OBX-2: not in table 125, Value type; " },
        { "2.5", "OBX|1|CE|^a||x^^^^^^y||||||F\r", "w OBX-5.7: CE has 6 components in 2.5; " },
        { "2.7", "PID||1|7^^^^MR||Doe\r", "i PID-2: withdrawn in 2.7; " },
        { "2.1", "PID|||1||Doe|1234567890123456789012345678901\r",
          "i PID-6: longer than 30 characters; " },
        { "2.1", "PID|||1||Doe|1234567890\\T\\1234567890123456789\r", "" }, /* 30 as meant */
        { "2.1", "PID|||1||Doe|ÄÖÜäöüß89012345678901234567890\r", "" },
        { "2.5", "ZPI|x|y\rXYZ|x\r", "" }, /* nothing is known of them */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_str(issues_of(cases[i].version, cases[i].body), cases[i].want);
    }
}

static void test_no_content_is_told(void **state)
{
    (void)state;
    struct str told =
        issues_of("2.5", "PID|GEHEIM|GEHEIM|^^^^GEHEIM||GEHEIM||GEHEIM|GEHEIM|GEHEIM^GEHEIM\r");
    assert_true(told.n > 0);
    assert_null(memmem(told.p, told.n, "GEHEIM", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_issues_by_place),
        cmocka_unit_test(test_no_content_is_told),
    };
    return cmocka_run_group_tests_name("fhir/v2/validate", tests, open_arena, close_arena);
}
