#include "tests/fhir/consent/index.h"

#include <errno.h>

static void test_merged_numbers_share_consents(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry permit = entry_of(1, 1, PERMIT_TREAT);
    struct consent_entry deny = entry_of(2, 3, DENY_ALL);
    struct consent_entry nobody = entry_of(9, 2, DENY_ALL);
    (void)state;

    put(index, &permit, PERMIT_TREAT);
    put(index, &deny, DENY_ALL);
    assert_int_equal(decide(index, 2).verdict.basis, CONSENT_BASIS_NO_CONSENT);
    assert_int_equal(consent_index_merge(index, permit.patient, nobody.patient), 0);
    assert_int_equal(consent_index_merge(index, nobody.patient, permit.patient), 0);
    assert_int_equal(consent_index_merge(index, permit.patient, permit.patient), 0);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    assert_int_equal(decide(index, 2).verdict.decision, CONSENT_PERMIT);
    assert_int_equal(consent_index_merge(index, deny.patient, nobody.patient), 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(decide(index, i).verdict.basis, CONSENT_BASIS_DENY);
        assert_int_equal(decide(index, i).considered, 2);
    }
    consent_index_unmerge(index, nobody.patient);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    assert_int_equal(decide(index, 2).verdict.basis, CONSENT_BASIS_NO_CONSENT);
    done(index, &heap);
}

static void test_numbers_never_merged_stay_alone(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry one = entry_of(1, 1, PERMIT_TREAT);
    (void)state;
    put(index, &one, PERMIT_TREAT);
    consent_index_unmerge(index, one.patient);
    assert_int_equal(consent_index_merge(index, one.patient, one.patient), 0);
    consent_index_unmerge(index, one.patient);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    done(index, &heap);
    consent_index_free(NULL);
}

static void test_no_memory_to_merge_changes_nothing(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at <= 4; fail_at++) {
        struct heap heap;
        struct consent_index *index = fresh(&heap);
        struct consent_entry one = entry_of(1, 1, PERMIT_TREAT);
        struct consent_entry two = entry_of(2, 2, PERMIT_TREAT);
        put(index, &one, PERMIT_TREAT);
        for (unsigned i = 100; i < 115; i++) { /* all but one of the first places */
            struct consent_entry other = entry_of(i, i, PERMIT_TREAT);
            assert_int_equal(consent_index_merge(index, other.patient, other.patient), 0);
        }
        heap.calls = 0;
        heap.fail_at = fail_at;
        int r = consent_index_merge(index, one.patient, two.patient);
        assert_true(r == 0 || r == -ENOMEM);
        assert_int_equal(decide(index, 2).considered, r == 0);
        done(index, &heap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merged_numbers_share_consents),
        cmocka_unit_test(test_numbers_never_merged_stay_alone),
        cmocka_unit_test(test_no_memory_to_merge_changes_nothing),
    };
    return cmocka_run_group_tests_name("fhir/consent/merged", tests, NULL, NULL);
}
