#include "tests/check.h"

#include "fhir/v2/patient_ids.h"

static const struct v2_assigner known[] = {
    { { "LAB", 3 }, { "urn:oid:1.2.3.4", 15 } },
    { { "1.9", 3 }, { "urn:oid:1.9", 11 } },
};
static const struct v2_assigners assigners = { known, ARRAY_LEN(known) };

/* Patients as text: "0:system|value,… " with '>' and the survivor's number if merged. */
static void describe(const struct v2_patients *patients, struct buf *out)
{
    for (size_t i = 0; i < patients->count; i++) {
        const struct v2_patient *p = &patients->list[i];
        buf_c(out, i ? ' ' : '[');
        for (size_t j = 0; j < p->count; j++) {
            buf_z(out, j ? "," : "");
            buf_str_put(out, p->ids[j].system);
            buf_c(out, '|');
            buf_str_put(out, p->ids[j].value);
        }
        for (size_t j = 0; j < p->unusable; j++) {
            buf_c(out, '?');
        }
        if (p->survivor != V2_PATIENT_NOT_MERGED) {
            buf_fmt(out, ">%d", p->survivor);
        }
    }
    buf_c(out, ']');
}

static void test_patients(void **state)
{
    static const struct {
        const char *rest, *want;
        size_t issues;
    } cases[] = {
        { "PID|1||7^^^LAB^MR", "[urn:oid:1.2.3.4|7]", 0 },
        { "PID|1||7^^^LAB~7^^^LAB~8^^^X&1.9&ISO", "[urn:oid:1.2.3.4|7,urn:oid:1.9|8]", 0 },
        { "PID|1||7^^^GEN", "[?]", 1 },          /* the namespace alone proves nothing */
        { "PID|1||7^^^&1.2.3.4&ISO", "[?]", 1 }, /* nor does an OID nobody wrote down */
        { "PID|1||7", "[?]", 1 },
        { "PID|1||\"\"^^^LAB", "[", 0 },
        { "PID|1|5^^^LAB|", "[urn:oid:1.2.3.4|5]", 0 },
        { "PID|1|5^^^LAB|7^^^LAB", "[urn:oid:1.2.3.4|7]", 0 },
        { "PID|1||7\\T\\8^^^LAB", "[urn:oid:1.2.3.4|7&8]", 0 },
        { "EVN|A40\rPID|1||7^^^LAB\rMRG|9^^^LAB", "[urn:oid:1.2.3.4|7 urn:oid:1.2.3.4|9>0]",
          0 },
        { "EVN|A34\rPID|1||1^^^LAB\rPID|2||2^^^LAB\rMRG|9^^^LAB",
          "[urn:oid:1.2.3.4|1 urn:oid:1.2.3.4|2 urn:oid:1.2.3.4|9>1]", 0 },
        { "EVN|A40\rMRG|9^^^LAB", "]", 0 }, /* merged into nobody */
        /* a visit, an account or an identifier moves: two patients stay two */
        { "EVN|A45\rPID|1||7^^^LAB\rMRG|9^^^LAB||||V1", "[urn:oid:1.2.3.4|7 urn:oid:1.2.3.4|9]",
          0 },
        { "EVN|A44\rPID|1||7^^^LAB\rMRG|9^^^LAB||A1", "[urn:oid:1.2.3.4|7 urn:oid:1.2.3.4|9]",
          0 },
        { "EVN|A43\rPID|1||7^^^LAB\rMRG|9^^^LAB", "[urn:oid:1.2.3.4|7 urn:oid:1.2.3.4|9]", 0 },
        { "EVN|A45\rPID|1||7^^^LAB\rMRG|||||V1", "[urn:oid:1.2.3.4|7]", 0 },
        { "EVN|A40\rPID|1||7^^^LAB\rMRG|||||V1", "[urn:oid:1.2.3.4|7 >0]", 0 },
        { "PID|1||7^^^LAB\rMRG|9^^^LAB", "[urn:oid:1.2.3.4|7 urn:oid:1.2.3.4|9]", 0 },
        { "EVN|A01", "]", 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct issues issues;
        issues_init(&issues, arena);
        char text[300];
        (void)snprintf(text, sizeof(text), "MSH|^~\\&|\r%s\r", cases[i].rest);
        struct v2_message m;
        assert_int_equal(v2_parse(arena, str_z(text), &issues, &m), 0);
        struct v2_patients patients;
        assert_int_equal(v2_patients(arena, &m, &assigners, &issues, &patients), 0);
        struct buf got = arena_buf(arena, 1000);
        describe(&patients, &got);
        if (strlen(cases[i].want) == 1 && cases[i].want[0] == '[') {
            assert_int_equal(patients.list[0].count, 0);
        } else {
            assert_str(buf_str(&got), cases[i].want);
        }
        assert_int_equal(issues.count, cases[i].issues);
    }
}

static void test_default_assigner(void **state)
{
    (void)state;
    static const struct v2_assigner list[] = { { { "", 0 }, { "urn:x", 5 } } };
    const struct v2_assigners own = { list, 1 };
    assert_str(v2_assigner_system(&own, &V2_DELIMS_USUAL, (struct str){ 0 }), "urn:x");
    assert_str(v2_assigner_system(&own, &V2_DELIMS_USUAL, STR("&&")), "urn:x");
    assert_str(v2_assigner_system(&own, &V2_DELIMS_USUAL, STR("LAB")), "");
    assert_str(v2_assigner_system(&assigners, &V2_DELIMS_USUAL, STR("LAB&5&ISO")),
               "urn:oid:1.2.3.4");
    assert_str(v2_assigner_system(&assigners, &V2_DELIMS_USUAL, STR("x^1.9^ISO")),
               "urn:oid:1.9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patients),
        cmocka_unit_test(test_default_assigner),
    };
    return cmocka_run_group_tests_name("fhir/v2/patient_ids", tests, NULL, NULL);
}
