#include "tests/check.h"

#include "crypto/jws.h"
#include "tests/crypto/issuer.h"

#include <errno.h>

/* RFC 7515 A.2 and A.3, RFC 8037 A.4. */
static const struct {
    enum jws_alg alg;
    const char *token;
    struct jws_jwk jwk;
} published[] = {
    { JWS_RS256,
      "eyJhbGciOiJSUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ."
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
      "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
      "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
      "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
      { .kty = { "RSA", 3 },
        .n = { "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-"
               "4qPCJrcS2mJ"
               "PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_"
               "7OMg0"
               "LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
               "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD"
               "Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"
               "h9iaGNj8q2ethFkMLs91kzk2"
               "PAcDTW9gb54h4FRWyuXpoQ",
               342 },
        .e = { "AQAB", 4 } } },
    { JWS_ES256,
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
      "cnVlfQ."
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
      { .kty = { "EC", 2 },
        .crv = { "P-256", 5 },
        .x = { "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", 43 },
        .y = { "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", 43 } } },
    { JWS_EDDSA,
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
      { .kty = { "OKP", 3 },
        .crv = { "Ed25519", 7 },
        .x = { "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", 43 } } },
};

static int verify_token(const struct jws_key *key, enum jws_alg alg, struct str token)
{
    uint8_t memory[JWS_MAX];
    struct jws jws;
    int r = jws_split(token, memory, &jws);
    return r ? r : jws_verify(key, alg, jws.input, jws.signature);
}

static void test_published_tokens_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(published); i++) {
        struct jws_key key;
        assert_int_equal(jws_key_init(&key, &published[i].jwk), 0);
        struct str token = str_z(published[i].token);
        for (int alg = 0; alg < JWS_ALG_COUNT; alg++) {
            int want = alg == (int)published[i].alg ? 0 : -EBADMSG;
            assert_int_equal(verify_token(&key, (enum jws_alg)alg, token), want);
        }
        jws_key_deinit(&key);
        jws_key_deinit(&key);
    }
}

static void test_every_algorithm_and_every_bit(void **state)
{
    (void)state;
    for (int alg = JWS_REFUSED + 1; alg < JWS_ALG_COUNT; alg++) {
        struct issuer issuer = issuer_new((enum jws_alg)alg);
        struct jws_jwk jwk = issuer_jwk(&issuer);
        struct jws_key key;
        assert_int_equal(jws_key_init(&key, &jwk), 0);

        struct str input = STR("e30.e30");
        uint8_t signature[1024 + 1];
        size_t n = issuer_sign(&issuer, (enum jws_alg)alg, input, signature);
        struct str whole = str_of(signature, n);
        assert_int_equal(jws_verify(&key, (enum jws_alg)alg, input, whole), 0);
        assert_int_equal(jws_verify(&key, (enum jws_alg)alg, STR("e30.e31"), whole), -EBADMSG);
        for (size_t bit = 0; bit < n * 8; bit += issuer_is_rsa(&issuer) ? 37 : 5) {
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(jws_verify(&key, (enum jws_alg)alg, input, whole), -EBADMSG);
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        signature[n] = 0;
        assert_int_equal(jws_verify(&key, (enum jws_alg)alg, input, str_of(signature, n + 1)),
                         -EBADMSG);
        assert_int_equal(jws_verify(&key, (enum jws_alg)alg, input, str_of(signature, n - 1)),
                         -EBADMSG);
        assert_int_equal(jws_verify(&key, (enum jws_alg)alg, input, STR("")), -EBADMSG);
        jws_key_deinit(&key);
        issuer_free(&issuer);
    }
}

/* r = s = 0 and r = s = n have opened other verifiers; DER isn't what a token holds. */
static void test_hollow_ecdsa_signatures(void **state)
{
    static const char *const cases[] = {
        "0000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000001"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "3006020101020101",
    };
    (void)state;
    struct jws_key key;
    assert_int_equal(jws_key_init(&key, &published[1].jwk), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t signature[64];
        size_t n = check_unhex(cases[i], signature);
        assert_int_equal(jws_verify(&key, JWS_ES256, STR("e30.e30"), str_of(signature, n)),
                         -EBADMSG);
    }
    jws_key_deinit(&key);
}

static void test_names_of_algorithms(void **state)
{
    static const char *const refused[] = { "",       "none",   "None",    "NONE",   "HS256",
                                           "HS384",  "HS512",  "ES256K",  "ES512",  "RS512",
                                           "PS512",  "es256",  "RS1",     "dir",    "Ed448",
                                           "ES256 ", " none",  "refused", "RSA1_5", "EdDS",
                                           "EdDSAA", "RS256\n" };
    (void)state;
    for (int alg = JWS_REFUSED + 1; alg < JWS_ALG_COUNT; alg++) {
        assert_int_equal(jws_alg(str_z(jws_alg_name((enum jws_alg)alg))), alg);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        assert_int_equal(jws_alg(str_z(refused[i])), JWS_REFUSED);
    }
    assert_int_equal(jws_alg(str_of("RS256\0", 6)), JWS_REFUSED);
}

static void test_the_parts_of_a_token(void **state)
{
    (void)state;
    uint8_t memory[64];
    struct jws jws;
    assert_int_equal(jws_split(STR("e30.Zm9v.AQAB"), memory, &jws), 0);
    assert_str(jws.input, "e30.Zm9v");
    assert_str(jws.header, "{}");
    assert_str(jws.payload, "foo");
    assert_hex(jws.signature.p, jws.signature.n, "010001");
    assert_int_equal(jws_split(STR("e30..AQAB"), memory, &jws), 0);
    assert_int_equal(jws.payload.n, 0);
}

static void test_what_is_no_token(void **state)
{
    static const char *const cases[] = {
        "",
        ".",
        "..",
        "e30",
        "e30.e30",
        "e30.e30.",
        ".e30.AA",
        "e30.e30.AA.",
        "e30.e30.AA.AA",
        "e30.e30.AA.AA.AA",
        "e30=.e30.AA",
        "e30.e30.AA==",
        "e30.e30.AA\n",
        " e30.e30.AA",
        "e30.e3 0.AA",
        "e3+.e30.AA",
        "e31.e30.AA",
        "e30.e30.AB",
        "{}.e30.AA",
        "e30.e30.A",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t memory[64];
        struct jws jws;
        assert_int_equal(jws_split(str_z(cases[i]), memory, &jws), JWS_E_FORM);
    }
    uint8_t memory[64];
    struct jws jws;
    assert_int_equal(jws_split(str_of("e30.e30.AA\0", 11), memory, &jws), JWS_E_FORM);
}

static void test_a_token_that_is_too_long(void **state)
{
    (void)state;
    static char text[JWS_MAX + 4];
    memset(text, 'A', sizeof(text));
    memcpy(text, "e30.", 4);
    static uint8_t memory[JWS_MAX];
    struct jws jws;
    text[JWS_MAX - 4] = '.';
    assert_int_equal(jws_split(str_of(text, JWS_MAX), memory, &jws), 0);
    assert_int_equal(jws_split(str_of(text, JWS_MAX + 1), memory, &jws), JWS_E_FORM);
}

#define P256_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define P256_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ZERO32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define ONES32 "__________________________________________8"

static void test_keys_that_are_refused(void **state)
{
    static const struct {
        const char *kty, *crv, *x, *y, *n, *e;
    } cases[] = {
        { "", "P-256", P256_X, P256_Y, "", "" },
        { "ec", "P-256", P256_X, P256_Y, "", "" },
        { "oct", "", "", "", "", "" },
        { "EC", "", P256_X, P256_Y, "", "" },
        { "EC", "P-384", P256_X, P256_Y, "", "" },
        { "EC", "P-521", P256_X, P256_Y, "", "" },
        { "EC", "secp256k1", P256_X, P256_Y, "", "" },
        { "EC", "P-256", P256_X, "", "", "" },
        { "EC", "P-256", P256_Y, P256_X, "", "" }, /* off the curve */
        { "EC", "P-256", ZERO32, ZERO32, "", "" }, /* same */
        { "EC", "P-256", ONES32, ONES32, "", "" }, /* beyond the field */
        { "EC", "P-256", "APN_zidw9sRdQYPL7m_bS3tYBzM1e-nvE7rPbjx70VRF", P256_Y, "", "" },
        { "EC", "P-256", P256_X "=", P256_Y, "", "" },
        { "OKP", "X25519", ZERO32, "", "", "" },
        { "OKP", "Ed448", ZERO32, "", "", "" },
        { "OKP", "Ed25519", "AQAB", "", "", "" },
        { "RSA", "", "", "", "AQAB", "AQAB" }, /* a modulus of 17 bits */
        { "RSA", "", "", "", "", "AQAB" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct jws_jwk jwk = { str_z(cases[i].kty), str_z(cases[i].crv), str_z(cases[i].x),
                               str_z(cases[i].y),   str_z(cases[i].n),   str_z(cases[i].e) };
        struct jws_key key;
        assert_int_equal(jws_key_init(&key, &jwk), JWS_E_KEY);
    }
}

static void test_rsa_keys_that_are_refused(void **state)
{
    static const struct {
        size_t bytes; /* of the modulus */
        uint8_t first, last;
        const char *e;
    } cases[] = {
        { 255, 0xff, 0x01, "AQAB" },         /* too short */
        { 256, 0x7f, 0x01, "AQAB" },         /* by one bit */
        { 1025, 0x01, 0x01, "AQAB" },        /* too long */
        { 257, 0x00, 0x01, "AQAB" },         /* a leading zero */
        { 256, 0x80, 0x00, "AQAB" },         /* even */
        { 256, 0x80, 0x01, "AQ" },           /* e = 1: the signature is the message */
        { 256, 0x80, 0x01, "AA" },           /* e = 0 */
        { 256, 0x80, 0x01, "AQAA" },         /* even */
        { 256, 0x80, 0x01, "AAEAAQ" },       /* a leading zero */
        { 256, 0x80, 0x01, "AQAAAAAAAAAB" }, /* 65 bits */
        { 256, 0x80, 0x01, "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[1025];
        memset(bytes, 0x5b, sizeof(bytes));
        bytes[0] = cases[i].first;
        bytes[cases[i].bytes - 1] = cases[i].last;
        char n[ISSUER_TEXT_MAX];
        issuer_text(bytes, cases[i].bytes, n);
        struct jws_jwk jwk = { .kty = STR("RSA"), .n = str_z(n), .e = str_z(cases[i].e) };
        struct jws_key key;
        assert_int_equal(jws_key_init(&key, &jwk), JWS_E_KEY);
    }
}

static int setup(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_tokens_verify),
        cmocka_unit_test(test_every_algorithm_and_every_bit),
        cmocka_unit_test(test_hollow_ecdsa_signatures),
        cmocka_unit_test(test_names_of_algorithms),
        cmocka_unit_test(test_the_parts_of_a_token),
        cmocka_unit_test(test_what_is_no_token),
        cmocka_unit_test(test_a_token_that_is_too_long),
        cmocka_unit_test(test_keys_that_are_refused),
        cmocka_unit_test(test_rsa_keys_that_are_refused),
    };
    return cmocka_run_group_tests_name("crypto/jws", tests, setup, NULL);
}
