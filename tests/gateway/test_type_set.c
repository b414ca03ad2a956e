#include "tests/check.h"

#include "gateway/type_set.h"

static void test_types_are_numbers_in_order_each_once(void **state)
{
    (void)state;
    struct type_set set = { 0 };
    uint8_t bytes[2 * SUBJECT_TYPES_MAX];
    assert_int_equal(type_set_bytes(&set, bytes), 0);
    type_set_add(&set, STR("Patient"));
    type_set_add(&set, STR("Observation"));
    type_set_add(&set, STR("Patient"));
    type_set_add(&set, STR("Unheard"));
    type_set_add(&set, STR(""));
    size_t n = type_set_bytes(&set, bytes);
    assert_hex(bytes, n, "00600067");
}

static void test_what_is_left_of_a_set(void **state)
{
    (void)state;
    struct type_set recorded = { 0 };
    struct type_set seen = { 0 };
    uint8_t bytes[2 * SUBJECT_TYPES_MAX];
    type_set_add(&recorded, STR("Patient"));
    type_set_add(&seen, STR("Patient"));
    type_set_add(&seen, STR("VisionPrescription"));
    struct type_set later = seen;
    assert_true(type_set_without(&later, &recorded));
    assert_hex(bytes, type_set_bytes(&later, bytes), "0093");
    type_set_join(&recorded, &later);
    assert_false(type_set_without(&seen, &recorded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_are_numbers_in_order_each_once),
        cmocka_unit_test(test_what_is_left_of_a_set),
    };
    return cmocka_run_group_tests_name("gateway/type_set", tests, NULL, NULL);
}
