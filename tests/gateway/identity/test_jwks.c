#include "tests/check.h"

#include "gateway/identity/jwks.h"
#include "tests/crypto/issuer.h"

#include <errno.h>

#define P256                                                                                   \
    "\"kty\":\"EC\",\"crv\":\"P-256\","                                                        \
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                                   \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define ED25519                                                                                \
    "\"kty\":\"OKP\",\"crv\":\"Ed25519\","                                                     \
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static struct jwks *set_of(const char *text)
{
    struct jwks *set = NULL;
    assert_int_equal(jwks_parse(str_z(text), &set), 0);
    return set;
}

static void test_usable_keys_are_found(void **state)
{
    (void)state;
    struct jwks *set = set_of("{\"keys\":["
                              "{" P256 ",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"ES256\"},"
                              "{" ED25519 ",\"kid\":\"b\",\"key_ops\":[\"verify\"]},"
                              "{" P256 "}],\"more\":1}");
    assert_int_equal(jwks_count(set), 3);
    assert_int_equal(jwks_skipped(set), 0);

    const struct jwks_key *key = jwks_next(set, STR("a"), JWS_ES256, NULL);
    assert_non_null(key);
    assert_str(key->kid, "a");
    assert_null(jwks_next(set, STR("a"), JWS_ES256, key));
    assert_null(jwks_next(set, STR("a"), JWS_EDDSA, NULL));
    assert_null(jwks_next(set, STR("c"), JWS_ES256, NULL));
    assert_non_null(jwks_next(set, STR("b"), JWS_EDDSA, NULL));

    /* A token without kid: each that can do the algorithm. */
    struct str none = { 0 };
    key = jwks_next(set, none, JWS_ES256, NULL);
    assert_str(key->kid, "a");
    key = jwks_next(set, none, JWS_ES256, key);
    assert_int_equal(key->kid.n, 0);
    assert_null(jwks_next(set, none, JWS_ES256, key));
    assert_null(jwks_next(set, none, JWS_REFUSED, NULL));
    assert_null(jwks_next(NULL, none, JWS_ES256, NULL));
    jwks_free(set);
    jwks_free(NULL);
}

static void test_unsuited_keys_are_skipped(void **state)
{
    static const char *const cases[] = {
        "{" P256 ",\"use\":\"enc\"}",
        "{" P256 ",\"use\":1}",
        "{" P256 ",\"key_ops\":[\"encrypt\"]}",
        "{" P256 ",\"key_ops\":[]}",
        "{" P256 ",\"key_ops\":\"verify\"}",
        "{" P256 ",\"alg\":\"RS256\"}",
        "{" P256 ",\"alg\":\"HS256\"}",
        "{" P256 ",\"alg\":\"ES384\"}",
        "{" P256 ",\"alg\":null}",
        "{" P256 ",\"d\":\"AQAB\"}", /* its private part */
        "{" P256 ",\"kid\":1}",
        "{" P256 ",\"kid\":\"\"}",
        "{\"kty\":\"oct\",\"k\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}",
        "{\"kty\":[\"EC\"]}",
        "{}",
        "[]",
        "null",
        "\"EC\"",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1024];
        (void)snprintf(text, sizeof(text), "{\"keys\":[%s,{" ED25519 "}]}", cases[i]);
        struct jwks *set = set_of(text);
        assert_int_equal(jwks_skipped(set), 1);
        assert_int_equal(jwks_count(set), 1);
        jwks_free(set);
    }
}

static void test_documents_that_are_none(void **state)
{
    static const char *const cases[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[]",
        "{\"keys\":[],\"keys\":[]}",
        "{" P256 "}",
        "<html>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jwks *set = NULL;
        assert_int_equal(jwks_parse(str_z(cases[i]), &set), JWKS_E_FORM);
        assert_null(set);
    }
}

static void test_limits(void **state)
{
    (void)state;
    static char text[JWKS_TEXT_MAX + 1];
    memset(text, ' ', sizeof(text));
    struct jwks *set = NULL;
    assert_int_equal(jwks_parse(str_of(text, sizeof(text)), &set), JWKS_E_FORM);

    struct buf b = buf_fixed(text, sizeof(text));
    buf_z(&b, "{\"keys\":[");
    for (int i = 0; i < JWKS_KEYS_MAX + 3; i++) {
        buf_fmt(&b, "%s{" ED25519 ",\"kid\":\"%d\"}", i ? "," : "", i);
    }
    buf_fmt(&b, ",{" ED25519 ",\"kid\":\"%0*d\"}]}", JWKS_KID_MAX + 1, 0);
    assert_false(buf_failed(&b));
    assert_int_equal(jwks_parse(buf_str(&b), &set), 0);
    assert_int_equal(jwks_count(set), JWKS_KEYS_MAX);
    assert_int_equal(jwks_skipped(set), 4);
    jwks_free(set);
}

static void test_a_key_of_each_kind(void **state)
{
    (void)state;
    for (int alg = JWS_REFUSED + 1; alg < JWS_ALG_COUNT; alg++) {
        struct issuer issuer = issuer_new((enum jws_alg)alg);
        char text[4096];
        struct buf b = buf_fixed(text, sizeof(text));
        buf_z(&b, "{\"keys\":[");
        issuer_jwk_json(&issuer, "k", &b);
        buf_z(&b, "]}");
        struct jwks *set = NULL;
        assert_int_equal(jwks_parse(buf_str(&b), &set), 0);
        assert_non_null(jwks_next(set, STR("k"), (enum jws_alg)alg, NULL));
        jwks_free(set);
        issuer_free(&issuer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usable_keys_are_found),
        cmocka_unit_test(test_unsuited_keys_are_skipped),
        cmocka_unit_test(test_documents_that_are_none),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_key_of_each_kind),
    };
    return cmocka_run_group_tests_name("gateway/identity/jwks", tests, NULL, NULL);
}
