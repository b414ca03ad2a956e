/* What workers tell each other. */
#include "gateway/neighbours.h"

#include "tests/check.h"

enum {
    WORKERS = 3,
    MANY = 100000, /* more than any inbox holds */
};

static const uint8_t ann[16] = { 1 };
static const uint8_t ben[16] = { 2 };

static void assert_hears(const struct neighbours *all, size_t self, const char *name,
                         const uint8_t patient[16])
{
    struct neighbours_word word;
    assert_true(neighbours_hear(all, self, &word));
    assert_string_equal(word.name, name);
    assert_memory_equal(word.patient, patient, sizeof(word.patient));
}

static void test_all_others_hear_it_in_order(void **state)
{
    struct neighbours_word word;
    struct neighbours *all = neighbours_new(WORKERS);
    (void)state;
    assert_non_null(all);
    neighbours_tell(all, 1, STR("ehr"), ann);
    neighbours_tell(all, 1, STR("archive"), ben);
    for (size_t i = 0; i < WORKERS; i++) {
        if (i != 1) {
            assert_hears(all, i, "ehr", ann);
            assert_hears(all, i, "archive", ben);
        }
        assert_false(neighbours_hear(all, i, &word));
    }
    neighbours_free(all);
}

static void test_names_up_to_the_limit(void **state)
{
    char name[NEIGHBOURS_NAME_MAX + 2] = { 0 };
    struct neighbours_word word;
    struct neighbours *all = neighbours_new(2);
    (void)state;
    assert_non_null(all);
    memset(name, 'a', NEIGHBOURS_NAME_MAX + 1);
    neighbours_tell(all, 0, str_of(name, NEIGHBOURS_NAME_MAX + 1), ann);
    neighbours_tell(all, 0, STR(""), ann);
    assert_false(neighbours_hear(all, 1, &word));
    neighbours_tell(all, 0, str_of(name, NEIGHBOURS_NAME_MAX), ann);
    name[NEIGHBOURS_NAME_MAX] = '\0';
    assert_hears(all, 1, name, ann);
    neighbours_free(all);
}

static void test_nobody_waits_for_one_who_reads_nothing(void **state)
{
    struct neighbours *all = neighbours_new(2);
    (void)state;
    assert_non_null(all);
    for (size_t i = 0; i < MANY; i++) {
        neighbours_tell(all, 0, STR("ehr"), ann);
    }
    assert_hears(all, 1, "ehr", ann);
    neighbours_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_others_hear_it_in_order),
        cmocka_unit_test(test_names_up_to_the_limit),
        cmocka_unit_test(test_nobody_waits_for_one_who_reads_nothing),
    };
    return cmocka_run_group_tests_name("gateway/neighbours", tests, NULL, NULL);
}
