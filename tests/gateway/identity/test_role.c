#include "tests/check.h"

#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"

static const char *nurse[] = { "urn:roles|nurse" };
static const char *doctors[] = { "urn:roles|doctor", "doctor" };
static const struct config_roles asked = {
    .read = { nurse, 1 },
    .write = { doctors, 2 },
};

static struct claims_codes borne_of(const char *const texts[2])
{
    struct claims_codes borne = { 0 };
    for (size_t i = 0; i < 2 && texts[i]; i++) {
        borne.items[borne.count++] = claims_code(str_z(texts[i]));
    }
    return borne;
}

static void test_one_of_the_roles_in_each_class(void **state)
{
    static const struct {
        const char *borne[2];
        unsigned classes;
        bool want;
    } cases[] = {
        { { "urn:roles|nurse" }, ROLE_READ, true },
        { { "urn:roles#nurse" }, ROLE_READ, true }, /* the same, written as IHE does */
        { { "other", "urn:roles|nurse" }, ROLE_READ, true },
        { { NULL }, ROLE_READ, false },
        { { "nurse" }, ROLE_READ, false }, /* of no system */
        { { "urn:others|nurse" }, ROLE_READ, false },
        { { "urn:roles|Nurse" }, ROLE_READ, false },
        { { "urn:roles|nurse2" }, ROLE_READ, false },
        { { "doctor" }, ROLE_WRITE, true },
        { { "urn:roles|doctor" }, ROLE_WRITE, true },
        { { "urn:others|doctor" }, ROLE_WRITE, false }, /* "doctor" is of no system */
        { { "doctor" }, ROLE_READ, false },
        { { "doctor" }, ROLE_READ | ROLE_WRITE, false }, /* each class asks */
        { { "doctor", "urn:roles|nurse" }, ROLE_READ | ROLE_WRITE, true },
        { { "doctor" }, ROLE_SEARCH | ROLE_WRITE, true }, /* searching asks for none */
        { { NULL }, ROLE_SEARCH | ROLE_CONSENT, true },
        { { "doctor" }, ROLE_BREAK_GLASS, false }, /* no role named for it: nobody */
        { { "doctor" }, ROLE_EXPLAIN, false },
        { { "doctor" }, ROLE_CONSENT | ROLE_ATTEST, false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct claims_codes borne = borne_of(cases[i].borne);
        if (role_allows(&asked, &borne, cases[i].classes) != cases[i].want) {
            print_error("case %zu\n", i);
            fail();
        }
        bool named_only = cases[i].classes & (ROLE_BREAK_GLASS | ROLE_EXPLAIN | ROLE_ATTEST);
        assert_int_equal(role_allows(NULL, &borne, cases[i].classes), !named_only);
    }
}

static void test_rights_name_their_classes(void **state)
{
    (void)state;
    assert_int_equal(role_classes(SCOPE_READ), ROLE_READ);
    assert_int_equal(role_classes(SCOPE_SEARCH), ROLE_SEARCH);
    assert_int_equal(role_classes(SCOPE_CREATE), ROLE_WRITE);
    assert_int_equal(role_classes(SCOPE_DELETE), ROLE_WRITE);
    assert_int_equal(role_classes(SCOPE_UPDATE | SCOPE_SEARCH), ROLE_WRITE | ROLE_SEARCH);
    assert_int_equal(role_classes(0), 0);
}

static void test_what_is_a_role(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        { "doctor", true },      { "urn:roles|doctor", true }, { "", false },
        { "urn:roles|", false }, { "|doctor", false },         { "a role", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(role_known_form(cases[i].text), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_the_roles_in_each_class),
        cmocka_unit_test(test_rights_name_their_classes),
        cmocka_unit_test(test_what_is_a_role),
    };
    return cmocka_run_group_tests_name("gateway/identity/role", tests, NULL, NULL);
}
