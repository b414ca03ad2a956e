/*
 * An issuer of tokens for tests: makes keys, tells their public part as a JWK, signs.
 *
 * Keys are made by OpenSSL, not taken from files: no private key lies in the repository.
 */
#pragma once

#include "tests/check.h"

#include "crypto/base/base64.h"
#include "crypto/jws.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum {
    ISSUER_TEXT_MAX = 2048,
};

struct issuer {
    EVP_PKEY *pkey;
    enum jws_alg alg;
    char x[ISSUER_TEXT_MAX]; /* also n of RSA */
    char y[ISSUER_TEXT_MAX]; /* also e of RSA */
};

static inline void issuer_text(const void *p, size_t n, char out[ISSUER_TEXT_MAX])
{
    struct buf b = buf_fixed(out, ISSUER_TEXT_MAX - 1);
    base64_put(&b, BASE64_URL, p, n);
    assert_false(buf_failed(&b));
    out[b.n] = '\0';
}

/* Number @name of the key as text, @size bytes long or, if 0, as long as it is. */
static inline void issuer_number(const struct issuer *issuer, const char *name, int size,
                                 char out[ISSUER_TEXT_MAX])
{
    BIGNUM *value = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(issuer->pkey, name, &value), 1);
    uint8_t bytes[1024];
    size = size ? size : BN_num_bytes(value);
    assert_int_equal(BN_bn2binpad(value, bytes, size), size);
    issuer_text(bytes, (size_t)size, out);
    BN_free(value);
}

static inline bool issuer_is_rsa(const struct issuer *issuer)
{
    return issuer->alg >= JWS_RS256 && issuer->alg <= JWS_PS384;
}

static inline struct issuer issuer_new(enum jws_alg alg)
{
    struct issuer issuer = { .alg = alg };
    if (alg == JWS_EDDSA) {
        uint8_t bytes[32];
        size_t n = sizeof(bytes);
        issuer.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        assert_non_null(issuer.pkey);
        assert_int_equal(EVP_PKEY_get_raw_public_key(issuer.pkey, bytes, &n), 1);
        issuer_text(bytes, n, issuer.x);
    } else if (issuer_is_rsa(&issuer)) {
        issuer.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        assert_non_null(issuer.pkey);
        issuer_number(&issuer, OSSL_PKEY_PARAM_RSA_N, 0, issuer.x);
        issuer_number(&issuer, OSSL_PKEY_PARAM_RSA_E, 0, issuer.y);
    } else {
        bool p256 = alg == JWS_ES256;
        issuer.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", p256 ? "P-256" : "P-384");
        assert_non_null(issuer.pkey);
        issuer_number(&issuer, OSSL_PKEY_PARAM_EC_PUB_X, p256 ? 32 : 48, issuer.x);
        issuer_number(&issuer, OSSL_PKEY_PARAM_EC_PUB_Y, p256 ? 32 : 48, issuer.y);
    }
    return issuer;
}

static inline void issuer_free(struct issuer *issuer)
{
    EVP_PKEY_free(issuer->pkey);
}

static inline struct jws_jwk issuer_jwk(const struct issuer *issuer)
{
    struct str x = str_z(issuer->x);
    struct str y = str_z(issuer->y);
    if (issuer->alg == JWS_EDDSA) {
        return (struct jws_jwk){ .kty = STR("OKP"), .crv = STR("Ed25519"), .x = x };
    }
    if (issuer_is_rsa(issuer)) {
        return (struct jws_jwk){ .kty = STR("RSA"), .n = x, .e = y };
    }
    struct str crv = issuer->alg == JWS_ES256 ? STR("P-256") : STR("P-384");
    return (struct jws_jwk){ .kty = STR("EC"), .crv = crv, .x = x, .y = y };
}

/* The same as a JSON object with @kid. */
static inline void issuer_jwk_json(const struct issuer *issuer, const char *kid, struct buf *b)
{
    struct jws_jwk jwk = issuer_jwk(issuer);
    const struct {
        const char *name;
        struct str value;
    } members[] = { { "crv", jwk.crv }, { "x", jwk.x }, { "y", jwk.y },
                    { "n", jwk.n },     { "e", jwk.e }, { "kid", str_z(kid) } };
    buf_fmt(b, "{\"kty\":\"%.*s\"", (int)jwk.kty.n, jwk.kty.p);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (members[i].value.n) {
            buf_fmt(b, ",\"%s\":\"%.*s\"", members[i].name, (int)members[i].value.n,
                    members[i].value.p);
        }
    }
    buf_z(b, "}");
}

/* DER to r and s of @size bytes each. */
static inline size_t issuer_raw(uint8_t *signature, size_t n, int size)
{
    const uint8_t *at = signature;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
    assert_non_null(sig);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), signature, size), size);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), signature + size, size), size);
    ECDSA_SIG_free(sig);
    return 2 * (size_t)size;
}

/* Signature of @input with any algorithm @alg that the key can do; returns its length. */
static inline size_t issuer_sign(const struct issuer *issuer, enum jws_alg alg,
                                 struct str input, uint8_t out[1024])
{
    bool sha384 = alg == JWS_ES384 || alg == JWS_RS384 || alg == JWS_PS384;
    const char *digest = alg == JWS_EDDSA ? NULL : sha384 ? "SHA384" : "SHA256";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, issuer->pkey, NULL),
                     1);
    if (alg == JWS_PS256 || alg == JWS_PS384) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    size_t n = 1024;
    assert_int_equal(EVP_DigestSign(ctx, out, &n, (const unsigned char *)input.p, input.n), 1);
    EVP_MD_CTX_free(ctx);
    if (alg == JWS_ES256 || alg == JWS_ES384) {
        n = issuer_raw(out, n, alg == JWS_ES256 ? 32 : 48);
    }
    return n;
}

/* A whole token of these two JSON texts into @b. */
static inline void issuer_token(const struct issuer *issuer, const char *header,
                                const char *payload, struct buf *b)
{
    size_t start = b->n;
    base64_put(b, BASE64_URL, header, strlen(header));
    buf_c(b, '.');
    base64_put(b, BASE64_URL, payload, strlen(payload));
    uint8_t signature[1024];
    size_t n = issuer_sign(issuer, issuer->alg, str_of(b->p + start, b->n - start), signature);
    buf_c(b, '.');
    base64_put(b, BASE64_URL, signature, n);
    assert_false(buf_failed(b));
}
