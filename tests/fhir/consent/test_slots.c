#include "tests/fhir/consent/index.h"

#include <errno.h>

/* Many additions and removals against a plain array. */
static void test_many_come_and_go(void **state)
{
    enum { CONSENTS = 3000, PATIENTS = 700, STEPS = 20000 };
    static const char *const policies[] = { PERMIT_TREAT, PERMIT_ORG, DENY_CONDITIONS };
    static bool held[CONSENTS];
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    uint32_t dice = 12345;
    size_t count = 0;
    (void)state;

    for (int i = 0; i < STEPS; i++) {
        dice = dice * 1664525 + 1013904223;
        unsigned number = (dice >> 8) % CONSENTS;
        struct consent_entry entry = entry_of(number, number % PATIENTS, policies[number % 3]);
        if (dice >> 31) {
            put(index, &entry, policies[number % 3]);
            count += !held[number];
            held[number] = true;
        } else {
            consent_index_remove(index, entry.id);
            count -= held[number];
            held[number] = false;
        }
        assert_int_equal(consent_index_size(index).consents, count);
    }
    for (unsigned patient = 0; patient < PATIENTS; patient++) {
        unsigned want = 0;
        for (unsigned n = patient; n < CONSENTS; n += PATIENTS) {
            want += held[n];
        }
        assert_int_equal(decide(index, patient).considered, want);
    }
    done(index, &heap);
}

/* More than fits into what tables have at first: entries, chunks, policies, merged numbers. */
static void test_tables_grow(void **state)
{
    enum { CONSENTS = 17 * 1024, POLICIES = 40 };
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    char policies[POLICIES][128];
    (void)state;
    for (unsigned i = 0; i < POLICIES; i++) {
        (void)snprintf(policies[i], sizeof(policies[i]),
                       "{\"base\":\"permit\",\"schema\":1,\"uris\":[\"urn:%u\"]}", i);
    }
    for (unsigned i = 0; i < CONSENTS; i++) {
        struct consent_entry entry = entry_of(i, i, policies[i % POLICIES]);
        put(index, &entry, policies[i % POLICIES]);
    }
    assert_int_equal(consent_index_size(index).consents, CONSENTS);
    assert_int_equal(consent_index_size(index).policies, POLICIES);
    for (unsigned i = 1; i < 100; i++) {
        struct consent_entry one = entry_of(0, 0, DENY_ALL);
        struct consent_entry more = entry_of(i, i, DENY_ALL);
        assert_int_equal(consent_index_merge(index, one.patient, more.patient), 0);
    }
    assert_int_equal(decide(index, 5).considered, 100);
    assert_int_equal(decide(index, CONSENTS - 1).considered, 1);
    done(index, &heap);
}

static void test_a_version_goes_from_between_others(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    (void)state;
    for (uint16_t version = 1; version <= 3; version++) {
        struct consent_entry entry = entry_of(1, 1, PERMIT_TREAT);
        entry.version = entry.chain.version = version;
        put(index, &entry, PERMIT_TREAT);
    }
    struct consent_entry middle = entry_of(1, 1, DENY_ALL);
    middle.version = middle.chain.version = 2;
    put(index, &middle, DENY_ALL);
    assert_int_equal(consent_index_size(index).consents, 3);
    assert_int_equal(decide(index, 1).version, 2);
    consent_index_remove(index, middle.id);
    assert_int_equal(consent_index_size(index).consents, 0);
    done(index, &heap);
}

static void test_no_memory_for_an_index(void **state)
{
    struct heap heap = { .fail_at = 1 };
    (void)state;
    assert_null(consent_index_new(heap_memory, &heap));
    assert_int_equal(heap.bytes, 0);
}

/* A chunk that is full, and no memory for the next, or for more places of chunks. */
static void test_no_memory_to_grow_changes_nothing(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at <= 2; fail_at++) {
        struct heap heap;
        struct consent_index *index = fresh(&heap);
        unsigned i = 0;
        for (; i < 16 * 1024; i++) {
            struct consent_entry entry = entry_of(i, i, PERMIT_TREAT);
            put(index, &entry, PERMIT_TREAT);
        }
        struct consent_entry entry = entry_of(i, i, PERMIT_TREAT);
        heap.calls = 0;
        heap.fail_at = fail_at;
        assert_int_equal(consent_index_put(index, &entry, STR("")), -ENOMEM);
        assert_int_equal(consent_index_size(index).consents, i);
        heap.fail_at = 0;
        put(index, &entry, "");
        assert_int_equal(consent_index_size(index).consents, i + 1);
        done(index, &heap);
    }
}

static void test_no_memory_changes_nothing(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        struct heap heap;
        struct consent_index *index = fresh(&heap);
        struct consent_entry one = entry_of(1, 1, PERMIT_TREAT);
        struct consent_entry two = entry_of(2, 2, DENY_ALL);
        heap.fail_at = fail_at;
        int r = consent_index_put(index, &one, str_z(PERMIT_TREAT));
        assert_int_equal(consent_index_size(index).consents, r == 0);
        r = consent_index_put(index, &two, str_z(DENY_ALL));
        assert_true(r == 0 || r == -ENOMEM);
        r = consent_index_merge(index, one.patient, two.patient);
        assert_true(r == 0 || r == -ENOMEM);
        heap.fail_at = 0;
        put(index, &one, PERMIT_TREAT);
        assert_int_equal(consent_index_merge(index, one.patient, one.patient), 0);
        done(index, &heap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_come_and_go),
        cmocka_unit_test(test_tables_grow),
        cmocka_unit_test(test_a_version_goes_from_between_others),
        cmocka_unit_test(test_no_memory_for_an_index),
        cmocka_unit_test(test_no_memory_to_grow_changes_nothing),
        cmocka_unit_test(test_no_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("fhir/consent/slots", tests, NULL, NULL);
}
