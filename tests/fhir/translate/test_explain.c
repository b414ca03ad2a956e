/* Which row made which element, and what became nothing, part by part. */
#include "tests/fhir/translate/small_map.h"

#include <errno.h>

static const char ROWS[] = "segment PID Patient\n" /* line 1 */
                           "    PID-2 -> code : string\n"
                           "    PID-4 -> code : string\n" /* loses to line 2 */
                           "    PID-5 -> doctor : XCN\n"
                           "    PID-7 each -> more[].text : string\n"
                           "    \"x\" -> kind : string\n"
                           "    format \"{PID-2} {PID-4}\" -> both : string\n";

static int translate_explained(struct translated *t)
{
    static const char message[] =
        "MSH|^~\\&|A|B|||2026||ADT^A01|7|P|2.5\rPID||a|7|b|1^Who^Doc||x~y\r";
    const char *const layers[] = { ROWS };
    const struct rules *rules = compile(t, layers, 1);
    const struct translate_site site = { .rules = rules, .explain = true };
    struct v2_message m;
    if (!rules) {
        return -ENOMEM;
    }
    int r = v2_parse(t->arena, str_z(message), &t->issues, &m);
    return r ? r : translate_to_fhir(t->arena, &m, &site, &t->result, &t->issues);
}

static void test_rows(void **state)
{
    static const char *const wants[] = {
        "identifier[0].value|PID[1]-3[1].1|base.map:19|base.map:18",
        "code|PID[1]-2[1]|x.map:2|",
        "doctor.identifier[0].value|PID[1]-5[1].1|base.map:23|x.map:4",
        "more[0].text|PID[1]-7[1]|x.map:5|",
        "more[1].text|PID[1]-7[2]|x.map:5|",
        "kind||x.map:6|",
        "both||x.map:7|",
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    assert_int_equal(translate_explained(&t), 0);
    const struct translate_origin *o = t.result.origins;
    for (size_t i = 0; i < ARRAY_LEN(wants); i++, o = o->next) {
        char line[200];
        assert_non_null(o);
        (void)snprintf(line, sizeof(line), "%.*s|%.*s|%.*s|%.*s", (int)o->path.n, o->path.p,
                       (int)o->from.n, o->from.n ? o->from.p : "", (int)o->row.n, o->row.p,
                       (int)o->by.n, o->by.n ? o->by.p : "");
        assert_string_equal(line, wants[i]);
    }
    assert_null(o);
}

static void test_parts(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct translated t = { .arena = arena };
    assert_int_equal(translate_explained(&t), 0);
    assert_str(t.issues.first->place, "PID[1]-5[1].3");
    assert_int_equal(t.result.unread, 2); /* that, and MSH */
}

static void test_memory(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    int r = -1;
    for (size_t limit = 40000; r != 0; limit += 500) {
        struct translated t = { .arena = arena };
        arena_reset(arena);
        arena_limit(arena, limit);
        r = translate_explained(&t);
        assert_true(r == 0 || r == -ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests_name("fhir/translate/explain", tests, NULL, NULL);
}
