/* Challenges: known again at any node, until their end, and no others. */
#include "gateway/identity/challenge.h"
#include "tests/gateway/vault_test.h"

static const int64_t now = INT64_C(1795766162483);

static struct vault *vault;

static struct str make(const char *base, int64_t expires, char text[CHALLENGE_TEXT])
{
    const uint8_t random[CHALLENGE_RANDOM_SIZE] = { 1, 2, 3 };
    challenge_make(vault, str_z(base), random, expires, text);
    return str_of(text, CHALLENGE_TEXT);
}

static void test_it_is_good_until_its_end(void **state)
{
    (void)state;
    char text[CHALLENGE_TEXT];
    int64_t expires = 0;
    struct str made = make("https://gw.example/fhir", now + 1000, text);
    const struct str base = STR("https://gw.example/fhir");
    assert_int_equal(challenge_check(vault, base, made, now, &expires), 0);
    assert_int_equal(expires, now + 1000);
    assert_int_equal(challenge_check(vault, base, made, now + 999, &expires), 0);
    assert_int_equal(challenge_check(vault, base, made, now + 1000, &expires),
                     CHALLENGE_E_EXPIRED);
}

static void test_every_character_counts(void **state)
{
    (void)state;
    char text[CHALLENGE_TEXT];
    int64_t expires = 77;
    const struct str base = STR("https://gw.example/fhir");
    for (size_t i = 0; i < CHALLENGE_TEXT; i++) {
        struct str made = make("https://gw.example/fhir", now + 1000, text);
        text[i] = text[i] == '0' ? '1' : '0';
        assert_int_equal(challenge_check(vault, base, made, now, &expires), CHALLENGE_E_FORM);
    }
    assert_int_equal(expires, 77);
}

static void test_what_is_none_of_ours(void **state)
{
    (void)state;
    char text[CHALLENGE_TEXT];
    int64_t expires;
    struct str made = make("https://gw.example/fhir", now + 1000, text);
    const struct str base = STR("https://gw.example/fhir");
    assert_int_equal(
        challenge_check(vault, STR("https://other.example/fhir"), made, now, &expires),
        CHALLENGE_E_FORM);
    for (size_t n = 0; n < CHALLENGE_TEXT; n++) {
        assert_int_equal(challenge_check(vault, base, str_slice(made, 0, n), now, &expires),
                         CHALLENGE_E_FORM);
    }
    text[0] = 'g';
    assert_int_equal(challenge_check(vault, base, made, now, &expires), CHALLENGE_E_FORM);
}

static int setup(void **state)
{
    (void)state;
    vault = vault_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vault_free(vault);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_good_until_its_end),
        cmocka_unit_test(test_every_character_counts),
        cmocka_unit_test(test_what_is_none_of_ours),
    };
    return cmocka_run_group_tests_name("gateway/identity/challenge", tests, setup, teardown);
}
