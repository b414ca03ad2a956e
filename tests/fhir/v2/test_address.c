#include "tests/check.h"

#include "fhir/v2/address.h"

static const char text[] = "MSH|^~\\&|LAB^1.2&x\r"
                           "PID|1||7^^^LAB&1.2.3&ISO~8^^^GEN|\"\"|Doe^\"\"^\r"
                           "OBX|1|NM|a\rOBX|2|ST|b\r";

static void test_get(void **state)
{
    static const struct {
        const char *address;
        enum v2_presence presence;
        const char *want;
    } cases[] = {
        { "PID-3", V2_PRESENT, "7^^^LAB&1.2.3&ISO" },
        { "PID-3.1", V2_PRESENT, "7" },
        { "PID-3[2].1", V2_PRESENT, "8" },
        { "PID-3[2].4", V2_PRESENT, "GEN" },
        { "PID-3[3].1", V2_ABSENT, "" },
        { "PID-3.4.2", V2_PRESENT, "1.2.3" },
        { "PID-3[2].4.2", V2_ABSENT, "" },
        { "PID-3[2].4.1", V2_PRESENT, "GEN" },
        { "PID-2", V2_EMPTY, "" },
        { "PID-4", V2_DELETE, "" },
        { "PID-5.2", V2_DELETE, "" },
        { "PID-5.3", V2_EMPTY, "" },
        { "PID-5.4", V2_ABSENT, "" },
        { "PID-6", V2_ABSENT, "" },
        { "OBX-3", V2_PRESENT, "a" },
        { "OBX[2]-3", V2_PRESENT, "b" },
        { "OBX[3]-3", V2_ABSENT, "" },
        { "ZZZ-1", V2_ABSENT, "" },
        { "MSH-1", V2_PRESENT, "|" },
        { "MSH-2", V2_PRESENT, "^~\\&" },
        { "MSH-3.2.2", V2_PRESENT, "x" },
    };
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
    struct issues issues;
    issues_init(&issues, arena);
    struct v2_message m;
    assert_int_equal(v2_parse(arena, STR(text), &issues, &m), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got;
        assert_int_equal(v2_get_z(&m, cases[i].address, &got), cases[i].presence);
        assert_str(got, cases[i].want);
    }
}

static void test_text_form_comes_back(void **state)
{
    static const char *const cases[] = { "PID-3", "PID-3.1", "PID-3[2].4.2", "OBX[13]-5[4]" };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_address at;
        char space[64];
        struct buf out = buf_fixed(space, sizeof(space));
        assert_int_equal(v2_address_parse(str_z(cases[i]), &at), 0);
        v2_address_write(&out, &at);
        assert_str(buf_str(&out), cases[i]);
    }
}

static void test_wrong_text_refused(void **state)
{
    static const char *const cases[] = {
        "",        "PID",         "PID-",  "PID-0",  "PID-3.",   "PID-3[",    "PID-3[]",
        "PID-3[2", "PID-3.1.1.1", "PID.3", "PID-3x", "PID[0]-3", "PID-999999"
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_address at;
        assert_int_equal(v2_address_parse(str_z(cases[i]), &at), V2_ADDRESS_E_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_text_form_comes_back),
        cmocka_unit_test(test_wrong_text_refused),
    };
    return cmocka_run_group_tests_name("fhir/v2/address", tests, NULL, NULL);
}
