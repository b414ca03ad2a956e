/* The gateway's own tokens are read by the rules of everybody's. */
#include "gateway/identity/own_token.h"

#include "crypto/secret.h"
#include "gateway/identity/scope.h"
#include "gateway/identity/token.h"
#include "tests/check.h"

#define BASE "https://gw.example/fhir"

static const int64_t now = INT64_C(1795766162000);

static struct sign_key key_of(uint8_t first)
{
    struct sign_key key;
    const uint8_t seed[SECRET_SIZE] = { first };
    sign_key_from_seed(&key, seed);
    return key;
}

/* How the token made by key @by is judged at @at by who knows key 1. */
static int check(struct arena *arena, uint8_t by, int64_t at, const char *audience,
                 struct claims *claims)
{
    struct own_token token = { .base = STR(BASE),
                               .subject = STR("did:key:zAnna"),
                               .session = { 0xab, 0xcd },
                               .issued = now,
                               .expires = now + 600000 };
    struct sign_key key = key_of(by);
    struct sign_key known = key_of(1);
    struct buf text = arena_buf(arena, JWS_MAX);
    struct jwks *keys = NULL;
    own_token_put(&text, &token, &key);
    assert_false(buf_failed(&text));
    assert_int_equal(own_token_keys(&known, &keys), 0);
    assert_int_equal(jwks_count(keys), 1);
    const struct token_issuer issuer = { .issuer = STR(BASE),
                                         .audience = str_z(audience),
                                         .keys = keys };
    const struct token_rules rules = { .issuers = &issuer, .count = 1 };
    int r = token_check(arena, &rules, buf_str(&text), at, claims);
    jwks_free(keys);
    return r;
}

static void test_what_it_says(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct claims claims;
    assert_int_equal(check(arena, 1, now, BASE, &claims), 0);
    assert_str(claims.issuer, BASE);
    assert_str(claims.subject, "did:key:zAnna");
    assert_str(claims.id, "abcd0000000000000000000000000000");
    assert_int_equal(claims.expires_ms, now + 600000);
    assert_int_equal(claims.purposes.count, 1);
    assert_str(claims.purposes.items[0].code, OWN_TOKEN_PURPOSE);
    assert_int_equal(claims.roles.count, 0);
    assert_int_equal(claims.patient.n, 0);
}

static void test_what_it_allows(void **state)
{
    static const struct {
        const char *type;
        unsigned rights, contexts;
    } cases[] = {
        { "Observation", SCOPE_READ | SCOPE_SEARCH, SCOPE_PATIENT },
        { "Consent", SCOPE_CREATE | SCOPE_UPDATE | SCOPE_READ, SCOPE_PATIENT },
        { "Observation", SCOPE_CREATE, 0 },
        { "Observation", SCOPE_UPDATE, 0 },
        { "Observation", SCOPE_DELETE, 0 },
        { "Consent", SCOPE_DELETE, 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            scope_contexts(STR(OWN_TOKEN_SCOPE), str_z(cases[i].type), cases[i].rights),
            cases[i].contexts);
    }
}

static void test_when_it_is_refused(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct claims claims;
    assert_int_equal(check(arena, 2, now, BASE, &claims), TOKEN_E_SIGNATURE);
    assert_int_equal(check(arena, 1, now + 599999, BASE, &claims), 0);
    assert_int_equal(check(arena, 1, now + 600000, BASE, &claims), TOKEN_E_EXPIRED);
    assert_int_equal(check(arena, 1, now - 1, BASE, &claims), TOKEN_E_EARLY);
    assert_int_equal(check(arena, 1, now, "https://other.example", &claims), TOKEN_E_AUDIENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_what_it_allows),
        cmocka_unit_test(test_when_it_is_refused),
    };
    return secret_start() < 0
               ? 1
               : cmocka_run_group_tests_name("gateway/identity/own_token", tests, NULL, NULL);
}
