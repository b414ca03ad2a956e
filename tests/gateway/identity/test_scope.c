#include "tests/check.h"

#include "fhir/rest/interaction.h"
#include "gateway/identity/scope.h"

static unsigned all(struct str scopes, const char *type, unsigned rights)
{
    return scope_contexts(scopes, str_z(type), rights);
}

static void test_what_is_granted(void **state)
{
    static const struct {
        const char *scopes, *type;
        unsigned rights, want;
    } cases[] = {
        { "patient/Observation.read", "Observation", SCOPE_READ, SCOPE_PATIENT },
        { "patient/Observation.read", "Observation", SCOPE_SEARCH, SCOPE_PATIENT },
        { "patient/Observation.read", "Observation", SCOPE_CREATE, 0 },
        { "patient/Observation.read", "Patient", SCOPE_READ, 0 },
        { "user/*.write", "Patient", SCOPE_UPDATE | SCOPE_CREATE, SCOPE_USER },
        { "user/*.write", "Patient", SCOPE_READ, 0 },
        { "system/*.*", "Encounter", SCOPE_DELETE | SCOPE_SEARCH, SCOPE_SYSTEM },
        { "user/*.rs", "Observation", SCOPE_READ | SCOPE_SEARCH, SCOPE_USER },
        { "user/*.r", "Observation", SCOPE_SEARCH, 0 },
        { "user/*.s", "Observation", SCOPE_READ, 0 },
        { "user/*.cruds", "Observation", SCOPE_CREATE | SCOPE_DELETE, SCOPE_USER },
        { "user/*.rs", "", SCOPE_SEARCH, SCOPE_USER },
        { "user/Observation.rs", "", SCOPE_SEARCH, 0 },
        { "openid fhirUser user/*.r user/Observation.s", "Observation",
          SCOPE_READ | SCOPE_SEARCH, SCOPE_USER },
        { "openid fhirUser user/*.r user/Observation.s", "Patient", SCOPE_READ | SCOPE_SEARCH,
          0 },
        { "user/*.r patient/*.s", "Patient", SCOPE_READ | SCOPE_SEARCH, 0 },
        { "user/*.rs patient/*.rs", "Patient", SCOPE_READ, SCOPE_USER | SCOPE_PATIENT },
        { "user/*.rs", "Patient", 0, 0 }, /* nothing is no right */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(all(str_z(cases[i].scopes), cases[i].type, cases[i].rights),
                         cases[i].want);
    }
}

static void test_what_grants_nothing(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "user",
        "user/",
        "user/*",
        "user/*.",
        "user/.rs",
        "/*.rs",
        "*/*.rs",
        "User/*.rs",
        "user/observation.rs",
        "user/*.RS",
        "user/*.sr",  /* letters out of order */
        "user/*.rrs", /* twice */
        "user/*.rsx", /* foreign */
        "user/*.reads",
        "user/*.rs?",
        "user/Observation.rs?category=laboratory",
        "user/Observation?category=laboratory.rs",
        "user/*.r\ts",
        "user//Observation.rs",
        "user/Observation/1.rs",
        "user/*.rs.rs",
        "launch/patient offline_access",
        "users/*.rs",
        "user/**.rs",
        "https://example.org/user/*.rs",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(all(str_z(cases[i]), "Observation", SCOPE_READ), 0);
        assert_int_equal(all(str_z(cases[i]), "Observation", SCOPE_SEARCH), 0);
    }
}

static void test_a_context_is_asked_for(void **state)
{
    (void)state;
    struct str scopes = STR("patient/*.rs system/Patient.r");
    assert_true(scope_allows(scopes, SCOPE_PATIENT, STR("Patient"), SCOPE_READ));
    assert_true(scope_allows(scopes, SCOPE_SYSTEM, STR("Patient"), SCOPE_READ));
    assert_false(scope_allows(scopes, SCOPE_SYSTEM, STR("Patient"), SCOPE_SEARCH));
    assert_false(scope_allows(scopes, SCOPE_USER, STR("Patient"), SCOPE_READ));
}

static void test_rights_of_interactions(void **state)
{
    static const struct {
        enum interaction_kind kind;
        bool conditional;
        unsigned want;
    } cases[] = {
        { INTERACTION_REFUSED, false, 0 },
        { INTERACTION_CAPABILITIES, false, 0 },
        { INTERACTION_READ, false, SCOPE_READ },
        { INTERACTION_VREAD, false, SCOPE_READ },
        { INTERACTION_HISTORY_INSTANCE, false, SCOPE_READ },
        { INTERACTION_SEARCH, false, SCOPE_SEARCH },
        { INTERACTION_CREATE, false, SCOPE_CREATE },
        { INTERACTION_CREATE, true, SCOPE_CREATE | SCOPE_SEARCH },
        { INTERACTION_UPDATE, true, SCOPE_UPDATE | SCOPE_SEARCH },
        { INTERACTION_PATCH, false, SCOPE_UPDATE },
        { INTERACTION_DELETE, true, SCOPE_DELETE | SCOPE_SEARCH },
        { INTERACTION_BATCH, false, 0 },
        { INTERACTION_OPERATION, false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct interaction interaction = { .kind = cases[i].kind,
                                           .conditional = cases[i].conditional };
        assert_int_equal(scope_rights(&interaction), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_granted),
        cmocka_unit_test(test_what_grants_nothing),
        cmocka_unit_test(test_a_context_is_asked_for),
        cmocka_unit_test(test_rights_of_interactions),
    };
    return cmocka_run_group_tests_name("gateway/identity/scope", tests, NULL, NULL);
}
