/* Each basis is of a ground, and what no record should have is told apart. */
#include "tests/check.h"

#include "fhir/consent/evaluate.h"
#include "gateway/basis.h"

static void test_grounds(void **state)
{
    static const struct {
        const char *basis;
        enum basis_ground want;
        const char *name;
        const char *exception;
    } cases[] = {
        { "consent-deny", BASIS_CONSENT, "consent", "171.202 privacy" },
        { "break-glass-closed", BASIS_CONSENT, "consent", "171.202 privacy" },
        { "part2", BASIS_LEGAL, "legal", "171.202 privacy" },
        { "minimum-necessary", BASIS_LEGAL, "legal", "171.202 privacy" },
        { "role", BASIS_AUTHORITY, "authority", "171.203 security" },
        { "subject-unknown", BASIS_PATIENT, "patient", "171.204 infeasibility" },
        { "ledger-stale", BASIS_LEDGER, "ledger", "171.202 privacy" },
        { "database", BASIS_UNAVAILABLE, "unavailable", "171.204 infeasibility" },
        { "operation", BASIS_REQUEST, "request", "" },
        { "none", BASIS_OTHER, "other", "" },
        { "", BASIS_OTHER, "other", "" },
        { "permit", BASIS_OTHER, "other", "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum basis_ground got = basis_ground(str_z(cases[i].basis));
        assert_int_equal(got, cases[i].want);
        assert_string_equal(basis_ground_name(got), cases[i].name);
        assert_string_equal(basis_ground_exception(got), cases[i].exception);
    }
}

static void test_whatever_consents_deny_by_has_a_ground(void **state)
{
    (void)state;
    for (int i = 0; i <= CONSENT_BASIS_IMPLICIT; i++) {
        bool permits = i == CONSENT_BASIS_PERMIT || i == CONSENT_BASIS_LEGAL_PERMIT ||
                       i == CONSENT_BASIS_IMPLICIT;
        struct str word = str_z(consent_basis_name((enum consent_basis)i));
        assert_int_equal(basis_ground(word) == BASIS_OTHER, permits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grounds),
        cmocka_unit_test(test_whatever_consents_deny_by_has_a_ground),
    };
    return cmocka_run_group_tests_name("gateway/basis", tests, NULL, NULL);
}
