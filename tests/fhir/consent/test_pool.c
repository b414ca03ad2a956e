#include "tests/fhir/consent/index.h"

static void test_equal_policies_are_held_once(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry entry = entry_of(1, 1, PERMIT_TREAT);
    (void)state;

    assert_int_equal(consent_index_put(index, &entry, STR("")), CONSENT_E_POLICY);
    assert_int_equal(consent_index_size(index).consents, 0);
    put(index, &entry, PERMIT_TREAT);
    assert_true(consent_index_holds(index, entry.policy_hash));
    for (unsigned i = 2; i < 50; i++) {
        struct consent_entry more = entry_of(i, i, PERMIT_TREAT);
        put(index, &more, "");
    }
    assert_int_equal(consent_index_size(index).consents, 49);
    assert_int_equal(consent_index_size(index).policies, 1);
    assert_int_equal(decide(index, 30).verdict.decision, CONSENT_PERMIT);

    put(index, &entry, ""); /* replaced by itself, the only text being the one held */
    for (unsigned i = 1; i < 50; i++) {
        struct consent_entry gone = entry_of(i, i, PERMIT_TREAT);
        consent_index_remove(index, gone.id);
        consent_index_remove(index, gone.id);
    }
    assert_int_equal(consent_index_size(index).consents, 0);
    assert_int_equal(consent_index_size(index).policies, 0);
    assert_false(consent_index_holds(index, entry.policy_hash));
    done(index, &heap);
}

static void test_what_cannot_be_processed_denies(void **state)
{
    static const char broken[] = "{\"base\":\"permit\"}";
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry unread = entry_of(1, 1, broken);
    struct consent_entry other = entry_of(2, 2, PERMIT_ORG);
    struct consent_entry good = entry_of(3, 1, PERMIT_TREAT);
    (void)state;

    put(index, &good, PERMIT_TREAT);
    put(index, &unread, broken);
    assert_int_equal(decide(index, 1).verdict.basis, CONSENT_BASIS_UNPROCESSABLE);
    put(index, &other, DENY_CONDITIONS); /* not the text of that digest */
    assert_int_equal(decide(index, 2).verdict.basis, CONSENT_BASIS_UNPROCESSABLE);
    consent_index_remove(index, unread.id);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    done(index, &heap);
}

/* The place of a policy that is gone is used again. */
static void test_policies_come_and_go(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry first = entry_of(1, 1, PERMIT_TREAT);
    struct consent_entry second = entry_of(2, 2, DENY_ALL);
    (void)state;
    put(index, &first, PERMIT_TREAT);
    size_t before = consent_index_size(index).bytes;
    consent_index_remove(index, first.id);
    put(index, &second, DENY_ALL);
    put(index, &first, PERMIT_TREAT);
    consent_index_remove(index, second.id);
    assert_int_equal(consent_index_size(index).policies, 1);
    assert_int_equal(consent_index_size(index).bytes, before);
    done(index, &heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_policies_are_held_once),
        cmocka_unit_test(test_what_cannot_be_processed_denies),
        cmocka_unit_test(test_policies_come_and_go),
    };
    return cmocka_run_group_tests_name("fhir/consent/pool", tests, NULL, NULL);
}
