/* Which part of the message an element of FHIR leads back to. */
#include "tests/check.h"

#include "fhir/translate/origin.h"

static void test_the_nearest_element_tells(void **state)
{
    static struct translate_origin origins[] = {
        { .entry = 0, .path = STR_INIT("id"), .from = STR_INIT("") },
        { .entry = 0,
          .path = STR_INIT("identifier[0].value"),
          .from = STR_INIT("PID[1]-3[1].1") },
        { .entry = 0, .path = STR_INIT("name[0].given[0]"), .from = STR_INIT("PID[1]-5[1].2") },
        { .entry = 0, .path = STR_INIT("name[1].family"), .from = STR_INIT("PID[1]-5[2].1") },
        { .entry = 0, .path = STR_INIT("gender"), .from = STR_INIT("PID[1]-8[1]") },
        { .entry = 1, .path = STR_INIT("status"), .from = STR_INIT("OBX[2]-11[1]") },
        { .entry = 1,
          .path = STR_INIT("valueQuantity.value"),
          .from = STR_INIT("OBX[2]-5[1]") },
        { .entry = 1,
          .path = STR_INIT("valueQuantity.unit"),
          .from = STR_INIT("OBX[2]-6[1].1") },
    };
    static const struct {
        size_t entry;
        const char *path;
        const char *want;
    } cases[] = {
        { 0, "gender", "PID[1]-8[1]" },
        { 0, "gender.extension[0]", "PID[1]-8[1]" }, /* below what was made */
        { 0, "name[1]", "PID[1]-5[2].1" },           /* above it */
        { 0, "name", "PID[1]-5[1].2" },              /* all of them: the first */
        { 0, "name[0].family", "PID[1]-5[1]" },      /* missing beside it: the field */
        { 0, "name[1].given[0]", "PID[1]-5[2]" },
        { 0, "birthDate", "PID[1]" }, /* nothing near: the segment */
        { 0, "", "PID[1]" },
        { 1, "value.value", "OBX[2]-5[1]" }, /* value[x] is called value */
        { 1, "value.unit", "OBX[2]-6[1].1" },
        { 1, "value", "OBX[2]-5[1]" },
        { 1, "valuation", "OBX[2]" },
        { 2, "status", "" },
    };
    (void)state;
    for (size_t i = 0; i + 1 < ARRAY_LEN(origins); i++) {
        origins[i].next = &origins[i + 1];
    }
    const struct translate_result result = { .origins = origins };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_str(translate_origin_of(&result, cases[i].entry, str_z(cases[i].path)),
                   cases[i].want);
    }
    const struct translate_result none = { .origins = NULL };
    assert_str(translate_origin_of(&none, 0, STR("gender")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_the_nearest_element_tells) };
    return cmocka_run_group_tests_name("fhir/translate/origin", tests, NULL, NULL);
}
