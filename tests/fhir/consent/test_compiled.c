#include "fhir/consent/compiled.h"

#include "crypto/digest.h"
#include "fhir/consent/purpose.h"
#include "tests/check.h"

#include <errno.h>

#define DAY INT64_C(86400000)

static const char permit_treat[] =
    "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"purposes\":[\"TREAT\"]}}";
static const char permit_org[] = "{\"base\":\"silent\",\"rules\":[{\"actors\":[\"org\"],"
                                 "\"effect\":\"permit\"}],\"schema\":1}";
static const char deny_all[] = "{\"base\":\"deny\",\"schema\":1}";
static const char deny_conditions[] =
    "{\"base\":\"silent\",\"rules\":[{\"classes\":[\"Condition\"],\"effect\":\"deny\"}],"
    "\"schema\":1}";

/* Counts what is in use, and fails from the @fail_at-th allocation on. */
struct heap {
    size_t bytes;
    size_t calls;
    size_t fail_at;
};

static void *heap_memory(void *owner, void *old, size_t old_size, size_t size)
{
    struct heap *heap = owner;
    if (size == 0) {
        heap->bytes -= old_size;
        free(old);
        return NULL;
    }
    if (heap->fail_at && ++heap->calls >= heap->fail_at) {
        return NULL;
    }
    void *at = realloc(old, size);
    assert_non_null(at);
    heap->bytes += size - old_size;
    return at;
}

static void fill(uint8_t *out, size_t n, unsigned number)
{
    char text[32];
    uint8_t digest[DIGEST_SIZE];
    (void)snprintf(text, sizeof(text), "%zu:%u", n, number);
    digest_sha256(str_z(text), digest);
    memcpy(out, digest, n);
}

/* Consent @number of patient @patient: safe, opened, always valid. */
static struct consent_entry entry_of(unsigned number, unsigned patient, const char *policy)
{
    struct consent_entry entry = { .version = 2, .opened = true };
    fill(entry.id, sizeof(entry.id), number);
    fill(entry.patient, sizeof(entry.patient), patient);
    fill(entry.commitment, sizeof(entry.commitment), number + 1000000);
    digest_sha256(str_z(policy), entry.policy_hash);
    entry.chain = (struct consent_chain_state){
        .state = CONSENT_CHAIN_SAFE, .version = 2, .valid_until = CONSENT_DAY_OPEN, .block = 77
    };
    memcpy(entry.chain.commitment, entry.commitment, CONSENT_HASH_SIZE);
    return entry;
}

static void put(struct consent_index *index, const struct consent_entry *entry,
                const char *policy)
{
    assert_int_equal(consent_index_put(index, entry, str_z(policy)), 0);
}

/* Decide on an Observation of @patient for treatment on day 100. */
static struct consent_evidence decide(const struct consent_index *index, unsigned patient)
{
    static const struct consent_facts facts = { .type = { "Observation", 11 },
                                                .labelled = true };
    static const struct str org[] = { { "org", 3 } };
    struct consent_request request = { .actors = org,
                                       .n_actors = 1,
                                       .purposes = purpose_bit(STR("TREAT")),
                                       .action = ACTION_ACCESS,
                                       .now = 100 * DAY + 5 };
    uint8_t number[CONSENT_PATIENT_SIZE];
    struct consent_evidence evidence;
    fill(number, sizeof(number), patient);
    consent_decide(index, number, &request, &facts, &evidence);
    return evidence;
}

static struct consent_index *fresh(struct heap *heap)
{
    *heap = (struct heap){ 0 };
    struct consent_index *index = consent_index_new(heap_memory, heap);
    assert_non_null(index);
    return index;
}

static void done(struct consent_index *index, const struct heap *heap)
{
    assert_int_equal(consent_index_size(index).bytes, heap->bytes);
    consent_index_free(index);
    assert_int_equal(heap->bytes, 0);
}

static void test_evidence_of_a_permit(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry entry = entry_of(1, 1, permit_treat);
    (void)state;

    put(index, &entry, permit_treat);
    struct consent_evidence got = decide(index, 1);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_PERMIT);
    assert_int_equal(got.considered, 1);
    assert_true(got.has_consent && got.safe);
    assert_int_equal(got.version, 2);
    assert_int_equal(got.block, 77);
    assert_memory_equal(got.id, entry.id, sizeof(got.id));
    assert_memory_equal(got.commitment, entry.commitment, sizeof(got.commitment));
    assert_memory_equal(got.policy_hash, entry.policy_hash, sizeof(got.policy_hash));

    got = decide(index, 2);
    assert_int_equal(got.verdict.decision, CONSENT_DENY);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_NO_CONSENT);
    assert_false(got.has_consent);
    done(index, &heap);
}

static const struct {
    enum consent_chain chain;
    uint16_t version;
    bool other_commitment, closed;
    uint32_t from, until;
    const char *policy;
    enum consent_decision want;
    enum consent_basis basis;
} standings[] = {
    { CONSENT_CHAIN_SAFE, 2, false, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_PERMIT,
      CONSENT_BASIS_PERMIT },
    { CONSENT_CHAIN_GRANTED, 2, false, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE },
    { CONSENT_CHAIN_ABSENT, 0, false, false, 0, 0, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE },
    { CONSENT_CHAIN_SAFE, 1, false, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE }, /* the grant of this version is still to come */
    { CONSENT_CHAIN_SAFE, 3, false, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_MISMATCH },
    { CONSENT_CHAIN_SAFE, 2, true, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_MISMATCH },
    { CONSENT_CHAIN_SAFE, 2, false, true, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_MISMATCH },
    { CONSENT_CHAIN_REVOKED, 2, false, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_REVOKED },
    { CONSENT_CHAIN_REVOKED, 2, true, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_REVOKED }, /* the event has no commitment */
    { CONSENT_CHAIN_REVOKED, 1, false, false, 0, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE }, /* an old revocation, granted anew */
    { CONSENT_CHAIN_SAFE, 2, false, false, 101, CONSENT_DAY_OPEN, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_NOT_YET },
    { CONSENT_CHAIN_SAFE, 2, false, false, 100, 101, permit_treat, CONSENT_PERMIT,
      CONSENT_BASIS_PERMIT },
    { CONSENT_CHAIN_SAFE, 2, false, false, 0, 100, permit_treat, CONSENT_DENY,
      CONSENT_BASIS_EXPIRED },
    /* a deny is in force from first sight */
    { CONSENT_CHAIN_ABSENT, 0, false, false, 0, 0, deny_all, CONSENT_DENY, CONSENT_BASIS_DENY },
    { CONSENT_CHAIN_GRANTED, 2, false, false, 0, CONSENT_DAY_OPEN, deny_all, CONSENT_DENY,
      CONSENT_BASIS_DENY },
};

static void test_chain_and_database_must_agree(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(standings); i++) {
        struct heap heap;
        struct consent_index *index = fresh(&heap);
        struct consent_entry entry = entry_of(1, 1, standings[i].policy);
        entry.opened = !standings[i].closed;
        struct consent_chain_state chain = { .state = standings[i].chain,
                                             .version = standings[i].version,
                                             .valid_from = standings[i].from,
                                             .valid_until = standings[i].until };
        memcpy(chain.commitment, entry.commitment, sizeof(chain.commitment));
        chain.commitment[5] ^= standings[i].other_commitment;
        put(index, &entry, standings[i].policy);
        entry.chain = chain;
        put(index, &entry, ""); /* in place of the one before */
        struct consent_evidence got = decide(index, 1);
        if (got.verdict.decision != standings[i].want ||
            got.verdict.basis != standings[i].basis) {
            print_error("case %zu: %s\n", i, consent_basis_name(got.verdict.basis));
            fail();
        }
        assert_true(got.has_consent);
        done(index, &heap);
    }
}

static void test_one_that_does_not_open_denies_without_its_text(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry broken = entry_of(1, 1, permit_treat);
    (void)state;

    broken.opened = false;
    put(index, &broken, ""); /* nobody knows what it said */
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_DENY);

    broken.opened = true;
    put(index, &broken, permit_treat);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    done(index, &heap);
}

static void test_several_consents_deny_overrides(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry permit = entry_of(1, 1, permit_treat);
    struct consent_entry deny = entry_of(2, 1, deny_all);
    struct consent_entry narrow = entry_of(3, 1, deny_conditions);
    struct consent_entry org = entry_of(4, 1, permit_org);
    (void)state;

    put(index, &permit, permit_treat);
    put(index, &org, permit_org);
    put(index, &narrow, deny_conditions);
    struct consent_evidence got = decide(index, 1);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    assert_int_equal(got.considered, 3);

    put(index, &deny, deny_all);
    got = decide(index, 1);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_DENY);
    assert_memory_equal(got.id, deny.id, sizeof(got.id));

    deny.chain.state = CONSENT_CHAIN_REVOKED;
    put(index, &deny, "");
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);

    consent_index_remove(index, permit.id);
    consent_index_remove(index, org.id);
    got = decide(index, 1);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_REVOKED); /* the most telling */
    done(index, &heap);
}

static void test_a_version_in_flight_denies_while_the_one_before_permits(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry before = entry_of(1, 1, permit_treat);
    struct consent_entry wider = entry_of(1, 1, permit_org);
    struct consent_entry narrower = entry_of(1, 1, deny_all);
    (void)state;
    wider.version = wider.chain.version = 3;
    wider.chain.state = CONSENT_CHAIN_GRANTED;
    narrower.version = narrower.chain.version = 3;
    narrower.chain.state = CONSENT_CHAIN_GRANTED;

    put(index, &before, permit_treat);
    put(index, &wider, permit_org);
    struct consent_evidence got = decide(index, 1);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    assert_int_equal(got.version, 2); /* by the version that is safe */
    assert_int_equal(got.considered, 2);

    put(index, &narrower, deny_all); /* the same version again: in its place */
    assert_int_equal(consent_index_size(index).consents, 2);
    got = decide(index, 1);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_DENY);
    assert_int_equal(got.version, 3);

    before.version = before.chain.version = 4; /* a third, then all of them go at once */
    put(index, &before, permit_treat);
    assert_int_equal(consent_index_size(index).consents, 3);
    consent_index_remove(index, before.id);
    assert_int_equal(consent_index_size(index).consents, 0);
    assert_int_equal(decide(index, 1).verdict.basis, CONSENT_BASIS_NO_CONSENT);
    done(index, &heap);
}

static void test_pre_decision_holds_back(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry permit = entry_of(1, 1, permit_treat);
    struct consent_entry narrow = entry_of(3, 1, deny_conditions);
    struct consent_request request = { .purposes = purpose_bit(STR("TREAT")),
                                       .action = ACTION_ACCESS };
    struct consent_evidence got;
    (void)state;

    put(index, &permit, permit_treat);
    consent_decide(index, permit.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    put(index, &narrow, deny_conditions);
    consent_decide(index, permit.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.decision, CONSENT_NEEDS_FACTS);
    request.purposes = purpose_bit(STR("HMARKT"));
    consent_decide(index, permit.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.decision, CONSENT_DENY);
    done(index, &heap);
}

static void test_equal_policies_are_held_once(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry entry = entry_of(1, 1, permit_treat);
    (void)state;

    assert_int_equal(consent_index_put(index, &entry, STR("")), CONSENT_E_POLICY);
    assert_int_equal(consent_index_size(index).consents, 0);
    put(index, &entry, permit_treat);
    assert_true(consent_index_holds(index, entry.policy_hash));
    for (unsigned i = 2; i < 50; i++) {
        struct consent_entry more = entry_of(i, i, permit_treat);
        put(index, &more, "");
    }
    assert_int_equal(consent_index_size(index).consents, 49);
    assert_int_equal(consent_index_size(index).policies, 1);
    assert_int_equal(decide(index, 30).verdict.decision, CONSENT_PERMIT);

    put(index, &entry, ""); /* replaced by itself, the only text being the one held */
    for (unsigned i = 1; i < 50; i++) {
        struct consent_entry gone = entry_of(i, i, permit_treat);
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
    struct consent_entry other = entry_of(2, 2, permit_org);
    struct consent_entry good = entry_of(3, 1, permit_treat);
    (void)state;

    put(index, &good, permit_treat);
    put(index, &unread, broken);
    assert_int_equal(decide(index, 1).verdict.basis, CONSENT_BASIS_UNPROCESSABLE);
    put(index, &other, deny_conditions); /* not the text of that digest */
    assert_int_equal(decide(index, 2).verdict.basis, CONSENT_BASIS_UNPROCESSABLE);
    consent_index_remove(index, unread.id);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    done(index, &heap);
}

static void test_merged_numbers_share_consents(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry permit = entry_of(1, 1, permit_treat);
    struct consent_entry deny = entry_of(2, 3, deny_all);
    struct consent_entry nobody = entry_of(9, 2, deny_all);
    (void)state;

    put(index, &permit, permit_treat);
    put(index, &deny, deny_all);
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

/* Many additions and removals against a plain array. */
static void test_many_come_and_go(void **state)
{
    enum { CONSENTS = 3000, PATIENTS = 700, STEPS = 20000 };
    static const char *const policies[] = { permit_treat, permit_org, deny_conditions };
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

static void test_no_memory_changes_nothing(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at < 12; fail_at++) {
        struct heap heap;
        struct consent_index *index = fresh(&heap);
        struct consent_entry one = entry_of(1, 1, permit_treat);
        struct consent_entry two = entry_of(2, 2, deny_all);
        heap.fail_at = fail_at;
        int r = consent_index_put(index, &one, str_z(permit_treat));
        assert_int_equal(consent_index_size(index).consents, r == 0);
        r = consent_index_put(index, &two, str_z(deny_all));
        assert_true(r == 0 || r == -ENOMEM);
        r = consent_index_merge(index, one.patient, two.patient);
        assert_true(r == 0 || r == -ENOMEM);
        heap.fail_at = 0;
        put(index, &one, permit_treat);
        assert_int_equal(consent_index_merge(index, one.patient, one.patient), 0);
        done(index, &heap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evidence_of_a_permit),
        cmocka_unit_test(test_chain_and_database_must_agree),
        cmocka_unit_test(test_one_that_does_not_open_denies_without_its_text),
        cmocka_unit_test(test_several_consents_deny_overrides),
        cmocka_unit_test(test_a_version_in_flight_denies_while_the_one_before_permits),
        cmocka_unit_test(test_pre_decision_holds_back),
        cmocka_unit_test(test_equal_policies_are_held_once),
        cmocka_unit_test(test_what_cannot_be_processed_denies),
        cmocka_unit_test(test_merged_numbers_share_consents),
        cmocka_unit_test(test_many_come_and_go),
        cmocka_unit_test(test_no_memory_changes_nothing),
    };
    return cmocka_run_group_tests_name("fhir/consent/compiled", tests, NULL, NULL);
}
