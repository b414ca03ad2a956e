#include "tests/check.h"

#include "fhir/v2/ack.h"

#define TIME "20260102030405+0000"

static void test_written(void **state)
{
    static const struct {
        const char *about;
        enum v2_ack_mode mode;
        enum v2_ack_code code;
        const char *place, *want;
    } cases[] = {
        { "MSH|^~\\&|LAB^1|ST|EHR|GEN|2026||ORU^R01^ORU_R01|42|T|2.5.1\r", V2_ACK_ORIGINAL,
          V2_ACK_ACCEPT, "",
          "MSH|^~\\&|EHR|GEN|LAB^1|ST|" TIME "||ACK^R01^ACK|7|T|2.5.1\rMSA|AA|42\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.5.1\r", V2_ACK_ORIGINAL, V2_ACK_ERROR,
          "PID-3[2].4",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.5.1\rMSA|AE|42\r"
          "ERR||PID^1^3^2^4|101^Required field missing^HL70357|E||||not \\T\\ there\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.5.1\r", V2_ACK_ORIGINAL, V2_ACK_ERROR,
          "OBX[3]", /* a segment as a whole */
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.5.1\rMSA|AE|42\r"
          "ERR||OBX^3|101^Required field missing^HL70357|E||||not \\T\\ there\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.3\r", V2_ACK_ORIGINAL, V2_ACK_REJECT,
          "OBX[4]-5",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01|7|P|2.3\r"
          "MSA|AR|42|not \\T\\ there\r"
          "ERR|OBX^4^5^101&Required field missing&HL70357\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU|42|P|2.1\r", V2_ACK_ORIGINAL, V2_ACK_ERROR, "PID",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK|7|P|2.1\r"
          "MSA|AE|42|not \\T\\ there\r"
          "ERR|PID^1^^101&Required field missing&HL70357\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.5|||AL|AL\r", V2_ACK_COMMIT,
          V2_ACK_ACCEPT, "",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.5\rMSA|CA|42\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.5|||AL|AL\r", V2_ACK_APPLICATION,
          V2_ACK_ACCEPT, "",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.5|||NE|NE\rMSA|AA|42\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.4|||AL|AL\r", V2_ACK_COMMIT,
          V2_ACK_REJECT, "",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.4\r"
          "MSA|CR|42|not \\T\\ there\rERR|^^^101&Required field missing&HL70357\r" },
        { "MSH$%~!*$A$B$C$D$$$ADT%A01$9$P$2.6\r", V2_ACK_ORIGINAL, V2_ACK_ACCEPT, "",
          "MSH$%~!*$C$D$A$B$" TIME "$$ACK%A01%ACK$7$P$2.6\rMSA$AA$9\r" },
        { "MSH|^~\\&#|A|B|C|D|||ADT^A01|9|P|2.7||||||UNICODE UTF-8\r", V2_ACK_ORIGINAL,
          V2_ACK_ACCEPT, "",
          "MSH|^~\\&#|C|D|A|B|" TIME "||ACK^A01^ACK|7|P|2.7||||||UNICODE UTF-8\rMSA|AA|9\r" },
        { "MSH|^~\\&|A|B|C|D|||ADT^A01|9|P|2.7||||||UNICODE UTF-16\r", V2_ACK_ORIGINAL,
          V2_ACK_ACCEPT, "",
          "MSH|^~\\&|C|D|A|B|" TIME "||ACK^A01^ACK|7|P|2.7||||||UNICODE UTF-8\rMSA|AA|9\r" },
        { "FHS|^~\\&|A|B|C|D", V2_ACK_ORIGINAL, V2_ACK_ERROR, "",
          "MSH|^~\\&|C|D|A|B|" TIME "||ACK|7|P|2.5.1\rMSA|AE\r"
          "ERR|||101^Required field missing^HL70357|E||||not \\T\\ there\r" },
        { NULL, V2_ACK_ORIGINAL, V2_ACK_ERROR, "",
          "MSH|^~\\&|||||" TIME "||ACK|7|P|2.5.1\rMSA|AE\r"
          "ERR|||101^Required field missing^HL70357|E||||not \\T\\ there\r" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct v2_message m;
        if (cases[i].about) {
            assert_int_equal(v2_parse_header(arena, str_z(cases[i].about), &m), 0);
        }
        struct v2_ack ack = {
            .mode = cases[i].mode,
            .code = cases[i].code,
            .control_id = STR("7"),
            .time = STR(TIME),
            .condition = V2_ACK_REQUIRED,
            .place = str_z(cases[i].place),
            .text = cases[i].code == V2_ACK_ACCEPT ? STR("") : STR("not & there"),
        };
        struct buf out = arena_buf(arena, 10000);
        assert_int_equal(v2_ack_write(arena, cases[i].about ? &m : NULL, &ack, &out), 0);
        assert_str(buf_str(&out), cases[i].want);
    }
}

static void test_what_the_sender_wants(void **state)
{
    static const struct {
        const char *fields;
        bool enhanced;
        enum v2_ack_when commit, application;
    } cases[] = {
        { "", false, V2_ACK_NEVER, V2_ACK_NEVER },
        { "|||AL|NE", true, V2_ACK_ALWAYS, V2_ACK_NEVER },
        { "|||ER|SU", true, V2_ACK_ON_ERROR, V2_ACK_ON_SUCCESS },
        { "|||AL", true, V2_ACK_ALWAYS, V2_ACK_NEVER },
        { "||||AL", true, V2_ACK_NEVER, V2_ACK_ALWAYS },
        { "|||NE|NE", true, V2_ACK_NEVER, V2_ACK_NEVER },
        { "|||always", true, V2_ACK_ALWAYS, V2_ACK_NEVER },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        char text[100];
        struct v2_message m;
        struct v2_ack_wish wish;
        (void)snprintf(text, sizeof(text), "MSH|^~\\&||||||||||2.5%s", cases[i].fields);
        assert_int_equal(v2_parse_header(arena, str_z(text), &m), 0);
        v2_ack_wish(&m, &wish);
        assert_int_equal(wish.enhanced, cases[i].enhanced);
        assert_int_equal(wish.commit, cases[i].commit);
        assert_int_equal(wish.application, cases[i].application);
    }
    assert_true(v2_ack_wanted(V2_ACK_ALWAYS, V2_ACK_ACCEPT));
    assert_false(v2_ack_wanted(V2_ACK_NEVER, V2_ACK_ERROR));
    assert_true(v2_ack_wanted(V2_ACK_ON_ERROR, V2_ACK_REJECT));
    assert_false(v2_ack_wanted(V2_ACK_ON_ERROR, V2_ACK_ACCEPT));
    assert_true(v2_ack_wanted(V2_ACK_ON_SUCCESS, V2_ACK_ACCEPT));
    assert_false(v2_ack_wanted(V2_ACK_ON_SUCCESS, V2_ACK_ERROR));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_what_the_sender_wants),
    };
    return cmocka_run_group_tests_name("fhir/v2/ack", tests, NULL, NULL);
}
