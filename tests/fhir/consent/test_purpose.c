#include "fhir/consent/purpose.h"

#include "tests/check.h"

static uint64_t set_of(const char *names)
{
    struct str rest = str_z(names);
    uint64_t set = 0;
    while (rest.n) {
        uint64_t bit = purpose_bit(str_cut(&rest, ' '));
        assert_true(bit != 0);
        set |= bit;
    }
    return set;
}

static void test_every_code_has_its_own_bit(void **state)
{
    uint64_t all = 0;
    (void)state;

    for (unsigned i = 0; i < PURPOSE_COUNT; i++) {
        uint64_t bit = purpose_bit(str_z(purpose_name(i)));
        assert_true(bit == UINT64_C(1) << i);
        assert_true(i == 0 || strcmp(purpose_name(i - 1), purpose_name(i)) < 0);
        all |= bit;
    }
    assert_true(all == (UINT64_C(1) << PURPOSE_COUNT) - 1);
    assert_true(purpose_bit(STR("treat")) == 0);
    assert_true(purpose_bit(STR("")) == 0);
    assert_true(purpose_known_system(STR(PURPOSE_SYSTEM)));
    assert_true(purpose_known_system(STR("urn:oid:2.16.840.1.113883.5.8")));
    assert_false(purpose_known_system(STR("http://terminology.hl7.org/CodeSystem/v3-ActCode")));
}

static void test_what_a_listed_purpose_covers(void **state)
{
    static const struct {
        const char *listed, *requested;
        bool permitted, denied;
    } cases[] = {
        { "TREAT", "TREAT", true, true },
        { "TREAT", "COC", true, true },
        { "TREAT", "HPAYMT", false, false },
        { "TREAT", "PurposeOfUse", false, true }, /* a deny also stops what is broader */
        { "COC", "TREAT", false, true },
        { "HRESCH", "CLINTRCHNPC", true, true },
        { "HOPERAT", "HTEST", true, true },
        { "HPAYMT", "ELIGVER", true, true },
        { "PurposeOfUse", "PWATRNY", true, true },
        { "PurposeOfUse", "HMARKT", true, true },
        /* The trap: R4 has BTG below TREAT. */
        { "TREAT", "BTG", false, false },
        { "TREAT", "ETREAT", false, false },
        { "PurposeOfUse", "BTG", false, false },
        { "PurposeOfUse", "ETREAT", false, false },
        { "ETREAT", "BTG", true, true },
        { "ETREAT", "ETREAT", true, true },
        { "ETREAT", "TREAT", false, false },
        { "BTG", "BTG", true, true },
        { "BTG", "ETREAT", false, false },
        { "BTG", "TREAT", false, false },
        { "BTG TREAT", "BTG", true, true },
        /* The emergency department isn't break-glass, but below ETREAT. */
        { "ETREAT", "ERTREAT", true, true },
        { "TREAT", "ERTREAT", false, true },
        { "ERTREAT", "TREAT", false, true },
        { "ERTREAT", "ETREAT", false, false },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t listed = set_of(cases[i].listed);
        uint64_t requested = set_of(cases[i].requested);
        bool permitted = (purpose_permitted_by(listed) & requested) != 0;
        bool denied = (purpose_denied_by(listed) & requested) != 0;
        if (permitted != cases[i].permitted || denied != cases[i].denied) {
            print_error("%s for %s\n", cases[i].listed, cases[i].requested);
            fail();
        }
    }
}

static void test_no_listed_purpose_leaves_the_glass_whole(void **state)
{
    (void)state;
    uint64_t unlisted = purpose_permitted_unlisted();
    assert_true((unlisted & set_of("TREAT HMARKT PurposeOfUse ERTREAT")) ==
                set_of("TREAT HMARKT PurposeOfUse ERTREAT"));
    assert_true((unlisted & set_of("BTG ETREAT")) == 0);
    assert_true(purpose_breaks_glass(set_of("BTG")));
    assert_true(purpose_breaks_glass(set_of("TREAT ETREAT")));
    assert_false(purpose_breaks_glass(set_of("TREAT ERTREAT")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_its_own_bit),
        cmocka_unit_test(test_what_a_listed_purpose_covers),
        cmocka_unit_test(test_no_listed_purpose_leaves_the_glass_whole),
    };
    return cmocka_run_group_tests_name("fhir/consent/purpose", tests, NULL, NULL);
}
