#include "tests/check.h"

#include "fhir/v2/ack.h"

#define TIME "20260102030405+0000"

static void test_written(void **state)
{
    static const struct {
        const char *about;
        enum v2_ack_code code;
        const char *place, *want;
    } cases[] = {
        { "MSH|^~\\&|LAB^1|ST|EHR|GEN|2026||ORU^R01^ORU_R01|42|T|2.5.1\r", V2_ACK_ACCEPT, "",
          "MSH|^~\\&|EHR|GEN|LAB^1|ST|" TIME "||ACK^R01^ACK|7|T|2.5.1\rMSA|AA|42\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.5.1\r", V2_ACK_ERROR, "PID-3[2].4",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.5.1\rMSA|AE|42\r"
          "ERR||PID^1^3^2^4^|101^Required field missing^HL70357|E||||not \\T\\ there\r" },
        { "MSH|^~\\&|LAB|ST|EHR|GEN|2026||ORU^R01|42|P|2.3\r", V2_ACK_REJECT, "OBX[4]-5",
          "MSH|^~\\&|EHR|GEN|LAB|ST|" TIME "||ACK^R01^ACK|7|P|2.3\r"
          "MSA|AR|42|not \\T\\ there\r"
          "ERR|OBX^4^5^101&Required field missing&HL70357\r" },
        { "MSH$%~!*$A$B$C$D$$$ADT%A01$9$P$2.6\r", V2_ACK_ACCEPT, "",
          "MSH$%~!*$C$D$A$B$" TIME "$$ACK%A01%ACK$7$P$2.6\rMSA$AA$9\r" },
        { "MSH|^~\\&#|A|B|C|D|||ADT^A01|9|P|2.7||||||UNICODE UTF-8\r", V2_ACK_ACCEPT, "",
          "MSH|^~\\&#|C|D|A|B|" TIME "||ACK^A01^ACK|7|P|2.7||||||UNICODE UTF-8\rMSA|AA|9\r" },
        { "FHS|^~\\&|A|B|C|D", V2_ACK_ERROR, "",
          "MSH|^~\\&|C|D|A|B|" TIME "||ACK|7|P|2.5.1\rMSA|AE|\r"
          "ERR|||101^Required field missing^HL70357|E||||not \\T\\ there\r" },
        { NULL, V2_ACK_ERROR, "",
          "MSH|^~\\&|||||" TIME "||ACK|7|P|2.5.1\rMSA|AE|\r"
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
            .code = cases[i].code,
            .control_id = STR("7"),
            .time = STR(TIME),
            .condition = V2_ACK_REQUIRED,
            .place = str_z(cases[i].place),
            .text = cases[i].code == V2_ACK_ACCEPT ? STR("") : STR("not & there"),
        };
        struct buf out = arena_buf(arena, 10000);
        v2_ack_write(&out, cases[i].about ? &m : NULL, &ack);
        assert_str(buf_str(&out), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests_name("fhir/v2/ack", tests, NULL, NULL);
}
