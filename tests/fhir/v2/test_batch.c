#include "fhir/v2/batch.h"

#include "tests/fhir/with_arena.h"

static struct issues issues;

/* "FHS{MSH|a;PID|}" …: each part in turn, kinds by their first letters, CR as ';', LF as ','.
 */
static struct str parts(struct str text)
{
    static const char *const kinds[] = { "M", "FHS", "BHS", "BTS", "FTS" };
    struct buf out = arena_buf(arena, 65536);
    issues_init(&issues, arena);
    struct v2_batch batch = v2_batch(text, &issues);
    struct v2_batch_part part;
    while (v2_batch_next(&batch, &part)) {
        buf_fmt(&out, "%s(", kinds[part.kind]);
        for (size_t i = 0; i < part.text.n; i++) {
            char c = part.text.p[i];
            buf_c(&out, c == '\r' ? ';' : c == '\n' ? ',' : c);
        }
        buf_c(&out, ')');
    }
    return buf_str(&out);
}

static void test_files(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "" },
        { "MSH|1\rPID|1", "M(MSH|1;PID|1)" },
        { "MSH|1\rPID|1\rMSH|2\rPID|2\r", "M(MSH|1;PID|1;)M(MSH|2;PID|2;)" },
        { "MSH|1\r\nPID|1\r\n\r\nMSH|2\r\n\r\n", "M(MSH|1;,PID|1;,)M(MSH|2;,)" },
        { "MSH|1\nPID|1\n\n\nMSH|2\n", "M(MSH|1,PID|1,)M(MSH|2,)" },
        { "\xef\xbb\xbfMSH|1\r", "M(MSH|1;)" },
        { "\x0bMSH|1\r\x1c\r\x0bMSH|2\r\x1c\r", "M(MSH|1;)M(MSH|2;)" },
        { "\x0bMSH|1\rPID|1\x1c\r\nMSH#2", "M(MSH|1;PID|1)M(MSH#2)" },
        { "MSH|1\rOBX|a\nMSHx\nMSH \rMSH\r", "M(MSH|1;OBX|a,MSHx,MSH ;MSH;)" },
        { "FHS|^~\\&\rBHS|^~\\&\rMSH|1\rMSH|2\rBTS|2\rFTS|1\r",
          "FHS(FHS|^~\\&)BHS(BHS|^~\\&)M(MSH|1;)M(MSH|2;)BTS(BTS|2)FTS(FTS|1)" },
        { "BHS|^~\\&\rMSH|1\rBTS\r", "BHS(BHS|^~\\&)M(MSH|1;)BTS(BTS)" },
        { "FHS|^~\\&\rMSH|1\rFTS|\r", "FHS(FHS|^~\\&)M(MSH|1;)FTS(FTS|)" },
        { "BHS*^~\\&\rMSH|1\rBTS*1*x\r", "BHS(BHS*^~\\&)M(MSH|1;)BTS(BTS*1*x)" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_str(parts(str_z(cases[i].text)), cases[i].want);
        assert_int_equal(issues.count, 0);
    }
}

static void test_what_is_wrong_with_them(void **state)
{
    static const struct {
        const char *text, *place, *say;
    } cases[] = {
        { "BHS|^~\\&\rMSH|1\rBTS|2\r", "BTS-1", "says 2, but there were 1 messages" },
        { "FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|2\r", "FTS-1", "says 2, but there were 1 batches" },
        { "BHS|^~\\&\rMSH|1\r", "BTS", "the batch has no trailer" },
        { "BHS|^~\\&\rMSH|1\rBHS|^~\\&\rBTS|0\r", "BTS", "the batch has no trailer" },
        { "FHS|^~\\&\rMSH|1\r", "FTS", "the file has no trailer" },
        { "MSH|1\rBTS|1\r", "BHS", "the batch has no header" },
        { "MSH|1\rFTS|0\r", "FHS", "the file has no header" },
        { "hello\r\nPID|1\rMSH|1\r", "MSH", "2 lines belong to no message" },
        { "hello", "MSH", "1 lines belong to no message" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)parts(str_z(cases[i].text));
        assert_int_equal(issues.count, 1);
        assert_str(issues.first->place, cases[i].place);
        assert_str(issues.first->text, cases[i].say);
    }
}

static void test_what_begins_a_batch(void **state)
{
    (void)state;
    assert_true(v2_batch_begins(STR("FHS|^~\\&")));
    assert_true(v2_batch_begins(STR("\r\n BHS|^~\\&")));
    assert_false(v2_batch_begins(STR("MSH|^~\\&")));
    assert_false(v2_batch_begins(STR("BHS")));
    assert_false(v2_batch_begins(STR("BTS|1")));
    assert_false(v2_batch_begins(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_what_is_wrong_with_them),
        cmocka_unit_test(test_what_begins_a_batch),
    };
    return cmocka_run_group_tests_name("fhir/v2/batch", tests, open_arena, close_arena);
}
