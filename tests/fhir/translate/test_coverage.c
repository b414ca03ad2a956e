/* What is told of fields that became nothing. */
#include "tests/fhir/translate/small_map.h"

static const char ROWS[] = "segment PID Patient\n"
                           "    PID-2 -> name : string\n"
                           "    PID-4 if PID-2 = a -> late : string\n"
                           "    PID-5 -> doctor : XCN\n"
                           "    PID-6 -> flag : boolean\n"
                           "    PID-7 -> name : string\n"
                           "    PID-9 each -> more[] : string\n"
                           "    PID-10 if PID-11 = x y -> test : string\n"
                           "    format \"{PID-12.1} {PID-13}\" -> text : string\n"
                           "    PID-14 -> clinic : Doctor(Named)\n"
                           "    ignore PID-1\n"
                           "datatype Named\n"
                           "    .2 -> $display : string\n"
                           "    .1 -> identifier[].value : string\n"
                           "    .3 -> other : string\n"
                           "    PID-15 -> phone : string\n"
                           "segment NTE Living\n"
                           "    NTE-3 lines -> note : string\n"
                           "segment OBX Living\n"
                           "    OBX-3 -> code : string\n";

#define PID "PID|1|a|7"

static void test_what_is_told(void **state)
{
    static const struct {
        const char *message;
        size_t unread;
        const char *places; /* of what was told, in order */
    } cases[] = {
        { MSH PID "\r", 1, "MSH " },
        { MSH PID "|b\r", 1, "MSH " },
        { MSH "PID|1|c|7|b\r", 2, "MSH PID[1]-4 " },
        { MSH PID "||1^Who^Doc\r", 2, "message MSH " },   /* a component */
        { MSH PID "||1^Who^~2^X\r", 2, "MSH PID[1]-5 " }, /* a second repetition */
        { MSH PID "|||Q\r", 1, "PID[1]-6[1] MSH " },      /* a warning tells it already */
        { MSH PID "||||b\r", 2, "MSH PID[1]-7 " },        /* something stands there already */
        { MSH "PID|1||7||||b\r", 1, "MSH " },
        { MSH PID "||||||c~d\r", 1, "MSH " },
        { MSH PID "|||||||b|x\r", 1, "MSH " }, /* what decided is used too */
        { MSH PID "|||||||b|z\r", 3, "MSH PID[1]-10 PID[1]-11 " },
        { MSH PID "|||||||||a^b|c\r", 1, "MSH " },
        { MSH PID "|||||\"\"\r", 2, "MSH PID[1]-8 " },
        { MSH PID "|||||||||||1^Who^x|p\r", 1, "MSH " },
        /* only a name: what else the resource would have been made of is gone */
        { MSH PID "|||||||||||^Who^x|p\r", 3, "message MSH PID[1]-15 " },
        { MSH PID "\rZZ9|a\r", 2, "MSH ZZ9 " },
        { MSH PID "\rOBX|||C\rNTE|||a~b\r", 1, "MSH " },
        { MSH PID "\rOBX|1|||x\r", 2, "MSH OBX " }, /* nothing of the segment */
        { MSH PID "\rOBX|1||C|x\r", 3, "MSH OBX[1]-1 OBX[1]-4 " },
    };
    (void)state;

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct translated t = { .arena = arena };
        char places[200];
        arena_reset(arena);
        assert_int_equal(translate(&t, ROWS, cases[i].message), 0);
        struct buf b = buf_fixed(places, sizeof(places) - 1);
        for (const struct issue *issue = t.issues.first; issue; issue = issue->next) {
            buf_str_put(&b, issue->place);
            buf_c(&b, ' ');
        }
        places[b.n] = '\0';
        assert_string_equal(places, cases[i].places);
        assert_int_equal(t.result.unread, cases[i].unread);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),
    };
    return cmocka_run_group_tests_name("fhir/translate/coverage", tests, NULL, NULL);
}
