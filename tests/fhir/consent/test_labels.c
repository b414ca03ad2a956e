#include "fhir/consent/labels.h"

#include "fhir/consent/action.h"
#include "tests/check.h"

static void test_order_of_confidentiality(void **state)
{
    static const char order[] = "ULMNRV";
    (void)state;

    for (size_t i = 0; i < strlen(order); i++) {
        enum confidentiality level = labels_confidentiality(str_of(&order[i], 1));
        assert_int_equal(level, CONFIDENTIALITY_U + (int)i);
        assert_int_equal(labels_confidentiality_name(level)[0], order[i]);
    }
    assert_int_equal(labels_confidentiality(STR("")), CONFIDENTIALITY_NONE);
    assert_int_equal(labels_confidentiality(STR("B")), CONFIDENTIALITY_NONE);
}

static void test_sensitivity_covers_what_is_below(void **state)
{
    static const struct {
        const char *listed, *label;
        bool covers;
    } cases[] = {
        { "SPI", "ETHUD", true },    { "SUD", "OPIOIDUD", true }, { "BH", "COGN", true },
        { "SPI", "COGN", true },     { "PSY", "PSYTHPN", false }, { "OPIOIDUD", "SUD", false },
        { "ETH", "OPIOIDUD", true }, /* ETH is taken for SUD, which has it below */
        { "ETH", "SUD", true },      { "SUD", "ETH", true },      { "SPI", "ETH", true },
        { "ETHUD", "ETH", false },   { "HIV", "STD", false },     { "SEX", "SDV", false },
        { "SDV", "SDV", true },      { "PSY", "SPI", false },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t listed = labels_bit(str_z(cases[i].listed));
        uint64_t label = labels_bit(str_z(cases[i].label));
        assert_true(listed != 0 && label != 0);
        if (((labels_covered_by(listed) & label) != 0) != cases[i].covers) {
            print_error("%s and %s\n", cases[i].listed, cases[i].label);
            fail();
        }
    }
    assert_true(labels_covered_by(0) == 0);
}

static void test_names_are_sorted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LABELS_COUNT; i++) {
        assert_true(labels_bit(str_z(labels_name(i))) == UINT64_C(1) << i);
        assert_true(i == 0 || strcmp(labels_name(i - 1), labels_name(i)) < 0);
    }
    for (unsigned i = 0; i < ACTION_COUNT; i++) {
        assert_int_equal(action_of(str_z(action_name(i))), 1 << i);
        assert_true(i == 0 || strcmp(action_name(i - 1), action_name(i)) < 0);
    }
}

static void test_interactions_amount_to_actions(void **state)
{
    (void)state;
    assert_int_equal(action_of_interaction(STR("search-type")), ACTION_ACCESS);
    assert_int_equal(action_of_interaction(STR("create")), ACTION_COLLECT);
    assert_int_equal(action_of_interaction(STR("patch")), ACTION_CORRECT);
    assert_int_equal(action_of_interaction(STR("operation")), ACTION_DISCLOSE);
    assert_int_equal(action_of_interaction(STR("graphql")), ACTION_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_confidentiality),
        cmocka_unit_test(test_sensitivity_covers_what_is_below),
        cmocka_unit_test(test_names_are_sorted),
        cmocka_unit_test(test_interactions_amount_to_actions),
    };
    return cmocka_run_group_tests_name("fhir/consent/labels", tests, NULL, NULL);
}
