#include "tests/fhir/consent/index.h"

static void test_evidence_of_a_permit(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry entry = entry_of(1, 1, PERMIT_TREAT);
    (void)state;

    put(index, &entry, PERMIT_TREAT);
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
    { CONSENT_CHAIN_SAFE, 2, false, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_PERMIT,
      CONSENT_BASIS_PERMIT },
    { CONSENT_CHAIN_GRANTED, 2, false, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE },
    { CONSENT_CHAIN_ABSENT, 0, false, false, 0, 0, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE },
    { CONSENT_CHAIN_SAFE, 1, false, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE }, /* the grant of this version is still to come */
    { CONSENT_CHAIN_SAFE, 3, false, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_MISMATCH },
    { CONSENT_CHAIN_SAFE, 2, true, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_MISMATCH },
    { CONSENT_CHAIN_SAFE, 2, false, true, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_MISMATCH },
    { CONSENT_CHAIN_REVOKED, 2, false, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_REVOKED },
    { CONSENT_CHAIN_REVOKED, 2, true, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_REVOKED }, /* the event has no commitment */
    { CONSENT_CHAIN_REVOKED, 1, false, false, 0, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_NOT_SAFE }, /* an old revocation, granted anew */
    { CONSENT_CHAIN_SAFE, 2, false, false, 101, CONSENT_DAY_OPEN, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_NOT_YET },
    { CONSENT_CHAIN_SAFE, 2, false, false, 100, 101, PERMIT_TREAT, CONSENT_PERMIT,
      CONSENT_BASIS_PERMIT },
    { CONSENT_CHAIN_SAFE, 2, false, false, 0, 100, PERMIT_TREAT, CONSENT_DENY,
      CONSENT_BASIS_EXPIRED },
    /* a deny is in force from first sight */
    { CONSENT_CHAIN_ABSENT, 0, false, false, 0, 0, DENY_ALL, CONSENT_DENY, CONSENT_BASIS_DENY },
    { CONSENT_CHAIN_GRANTED, 2, false, false, 0, CONSENT_DAY_OPEN, DENY_ALL, CONSENT_DENY,
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
    struct consent_entry broken = entry_of(1, 1, PERMIT_TREAT);
    (void)state;

    broken.opened = false;
    put(index, &broken, ""); /* nobody knows what it said */
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_DENY);

    broken.opened = true;
    put(index, &broken, PERMIT_TREAT);
    assert_int_equal(decide(index, 1).verdict.decision, CONSENT_PERMIT);
    done(index, &heap);
}

static void test_several_consents_deny_overrides(void **state)
{
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry permit = entry_of(1, 1, PERMIT_TREAT);
    struct consent_entry deny = entry_of(2, 1, DENY_ALL);
    struct consent_entry narrow = entry_of(3, 1, DENY_CONDITIONS);
    struct consent_entry org = entry_of(4, 1, PERMIT_ORG);
    (void)state;

    put(index, &permit, PERMIT_TREAT);
    put(index, &org, PERMIT_ORG);
    put(index, &narrow, DENY_CONDITIONS);
    struct consent_evidence got = decide(index, 1);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    assert_int_equal(got.considered, 3);

    put(index, &deny, DENY_ALL);
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
    struct consent_entry before = entry_of(1, 1, PERMIT_TREAT);
    struct consent_entry wider = entry_of(1, 1, PERMIT_ORG);
    struct consent_entry narrower = entry_of(1, 1, DENY_ALL);
    (void)state;
    wider.version = wider.chain.version = 3;
    wider.chain.state = CONSENT_CHAIN_GRANTED;
    narrower.version = narrower.chain.version = 3;
    narrower.chain.state = CONSENT_CHAIN_GRANTED;

    put(index, &before, PERMIT_TREAT);
    put(index, &wider, PERMIT_ORG);
    struct consent_evidence got = decide(index, 1);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    assert_int_equal(got.version, 2); /* by the version that is safe */
    assert_int_equal(got.considered, 2);

    put(index, &narrower, DENY_ALL); /* the same version again: in its place */
    assert_int_equal(consent_index_size(index).consents, 2);
    got = decide(index, 1);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_DENY);
    assert_int_equal(got.version, 3);

    before.version = before.chain.version = 4; /* a third, then all of them go at once */
    put(index, &before, PERMIT_TREAT);
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
    struct consent_entry permit = entry_of(1, 1, PERMIT_TREAT);
    struct consent_entry narrow = entry_of(3, 1, DENY_CONDITIONS);
    struct consent_request request = { .purposes = purpose_bit(STR("TREAT")),
                                       .action = ACTION_ACCESS };
    struct consent_evidence got;
    (void)state;

    put(index, &permit, PERMIT_TREAT);
    consent_decide(index, permit.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    put(index, &narrow, DENY_CONDITIONS);
    consent_decide(index, permit.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.decision, CONSENT_NEEDS_FACTS);
    request.purposes = purpose_bit(STR("HMARKT"));
    consent_decide(index, permit.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.decision, CONSENT_DENY);
    done(index, &heap);
}

/* What a listener is told: how many, and of the last one whether its policy can be read. */
struct told {
    unsigned n;
    unsigned readable;
    enum consent_standing standing;
};

static void tell(void *arg, const struct consent_seen *seen)
{
    struct told *told = arg;
    told->n++;
    told->readable += seen->policy != NULL;
    told->standing = seen->standing;
}

static void test_each_consent_looked_at_is_told(void **state)
{
    static const char broken[] = "{}";
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry good = entry_of(1, 1, PERMIT_TREAT);
    struct consent_entry bad = entry_of(2, 1, broken);
    struct consent_request request = { .purposes = purpose_bit(STR("TREAT")),
                                       .action = ACTION_ACCESS,
                                       .now = -5 };
    struct consent_evidence got;
    struct told told = { 0 };
    const struct consent_listener listener = { tell, &told };
    (void)state;
    put(index, &bad, broken);
    put(index, &good, PERMIT_TREAT);
    consent_explain(index, good.patient, &request, NULL, &got, &listener);
    assert_int_equal(told.n, 2);
    assert_int_equal(told.readable, 1);
    assert_int_equal(told.standing, CONSENT_STANDS_SAFE);
    assert_string_equal(consent_standing_name(told.standing), "in force");
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_UNPROCESSABLE);

    consent_index_remove(index, bad.id); /* before 1970 nothing is valid yet */
    consent_decide(index, good.patient, &request, NULL, &got);
    assert_int_equal(got.verdict.basis, CONSENT_BASIS_NOT_YET);
    done(index, &heap);
}

static void test_evidence_tells_policy_engine_and_reading(void **state)
{
    static const char text[] = "{\"base\":\"permit\",\"reading\":\"r5\",\"schema\":1}";
    struct consent_tenant tenant = { .digest = { 1, 2, 3 } };
    struct heap heap;
    struct consent_index *index = fresh(&heap);
    struct consent_entry entry = entry_of(1, 1, text);
    (void)state;
    policy_finish(&tenant.legal);
    policy_finish(&tenant.part2);
    put(index, &entry, text);
    consent_index_govern(index, &tenant);
    struct consent_evidence got = decide(index, 1);
    assert_int_equal(got.verdict.decision, CONSENT_PERMIT);
    assert_int_equal(got.engine, CONSENT_ENGINE);
    assert_int_equal(got.reading, CONSENT_R5);
    assert_string_equal(consent_reading_name(got.reading), "r5");
    assert_memory_equal(got.tenant, tenant.digest, sizeof(got.tenant));
    done(index, &heap);
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
        cmocka_unit_test(test_each_consent_looked_at_is_told),
        cmocka_unit_test(test_evidence_tells_policy_engine_and_reading),
    };
    return cmocka_run_group_tests_name("fhir/consent/compiled", tests, NULL, NULL);
}
