/*
 * Taking tokens apart and verifying their signatures, through OpenSSL's EVP; Ed25519 through
 * sign.h, whose library refuses weak keys.
 *
 * An ECDSA signature of a token is r and s, each of the curve's length. OpenSSL reads DER
 * only, so it is converted here; a DER signature, one too short or too long never gets there.
 */
#include "crypto/jws.h"

#include "crypto/base/base64.h"

#include <assert.h>
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

enum {
    P256_SIZE = 32, /* bytes of a coordinate */
    P384_SIZE = 48,
    EC_DER_MAX = 2 * (P384_SIZE + 3) + 3, /* two integers of 49 bytes at most, in a sequence */
};

/* @key: what verifies it; @digest: NULL where the algorithm has its own */
static const struct {
    const char *name;
    const char *digest;
    enum jws_key_kind key;
    bool pss;
} algs[JWS_ALG_COUNT] = {
    [JWS_REFUSED] = { "refused", NULL, JWS_KEY_ED25519, false },
    [JWS_ES256] = { "ES256", "SHA256", JWS_KEY_P256, false },
    [JWS_ES384] = { "ES384", "SHA384", JWS_KEY_P384, false },
    [JWS_RS256] = { "RS256", "SHA256", JWS_KEY_RSA, false },
    [JWS_RS384] = { "RS384", "SHA384", JWS_KEY_RSA, false },
    [JWS_PS256] = { "PS256", "SHA256", JWS_KEY_RSA, true },
    [JWS_PS384] = { "PS384", "SHA384", JWS_KEY_RSA, true },
    [JWS_EDDSA] = { "EdDSA", NULL, JWS_KEY_ED25519, false },
};

/* Decode one part into @memory, which moves on; the part may not be empty unless @empty. */
static int decode_part(struct str text, bool empty, uint8_t **memory, struct str *out)
{
    size_t n = 0;
    if ((text.n == 0 && !empty) || base64_decode(BASE64_URL, text, *memory, text.n, &n) < 0) {
        return JWS_E_FORM;
    }
    *out = str_of(*memory, n);
    *memory += n;
    return 0;
}

int jws_split(struct str token, uint8_t *memory, struct jws *out)
{
    if (token.n == 0 || token.n > JWS_MAX) {
        return JWS_E_FORM;
    }
    struct str rest = token;
    struct str header = str_cut(&rest, '.');
    struct str payload = str_cut(&rest, '.');

    /* A further dot is no character of base64url, so the signature's part refuses it. */
    struct jws jws = { .input = str_slice(token, 0, header.n + 1 + payload.n) };
    if (decode_part(header, false, &memory, &jws.header) ||
        decode_part(payload, true, &memory, &jws.payload) ||
        decode_part(rest, false, &memory, &jws.signature)) {
        return JWS_E_FORM;
    }
    *out = jws;
    return 0;
}

enum jws_alg jws_alg(struct str name)
{
    for (int alg = JWS_REFUSED + 1; alg < JWS_ALG_COUNT; alg++) {
        if (str_eq(name, str_z(algs[alg].name))) {
            return (enum jws_alg)alg;
        }
    }
    return JWS_REFUSED;
}

const char *jws_alg_name(enum jws_alg alg)
{
    return algs[alg].name;
}

/* A public key of @type from @params; NULL if OpenSSL refuses it or has no memory. */
static EVP_PKEY *import(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/*
 * Is the point on its curve and not infinity? RSA keys are checked before they get here:
 * OpenSSL would look for primality too, 70 ms a key, and a worker reads a set between requests.
 */
static bool is_sound(EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        return true;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool sound = ctx && EVP_PKEY_public_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return sound;
}

static int adopt(struct jws_key *key, enum jws_key_kind kind, EVP_PKEY *pkey)
{
    if (!pkey || !is_sound(pkey)) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return JWS_E_KEY;
    }
    *key = (struct jws_key){ .kind = kind, .pkey = pkey };
    return 0;
}

static int point_init(struct jws_key *key, enum jws_key_kind kind, uint8_t *point, size_t n)
{
    char group[] = "P-256";
    memcpy(group, kind == JWS_KEY_P256 ? "P-256" : "P-384", sizeof(group));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, n),
        OSSL_PARAM_construct_end(),
    };
    return adopt(key, kind, import("EC", params));
}

int jws_key_init_p256(struct jws_key *key, struct str point)
{
    uint8_t bytes[1 + 2 * P256_SIZE];
    bool whole = point.n == sizeof(bytes) && point.p[0] == 0x04;
    bool half = point.n == 1 + P256_SIZE && (point.p[0] == 0x02 || point.p[0] == 0x03);
    if (!whole && !half) {
        return JWS_E_KEY;
    }
    memcpy(bytes, point.p, point.n);
    return point_init(key, JWS_KEY_P256, bytes, point.n);
}

/* Coordinates have the curve's length exactly, leading zeros included (RFC 7518 6.2.1.2). */
static int ec_init(struct jws_key *key, const struct jws_jwk *jwk)
{
    bool p256 = str_eq(jwk->crv, STR("P-256"));
    if (!p256 && !str_eq(jwk->crv, STR("P-384"))) {
        return JWS_E_KEY;
    }
    size_t size = p256 ? P256_SIZE : P384_SIZE;
    uint8_t point[1 + 2 * P384_SIZE] = { 0x04 };
    size_t x = 0;
    size_t y = 0;
    if (base64_decode(BASE64_URL, jwk->x, point + 1, size, &x) < 0 || x != size ||
        base64_decode(BASE64_URL, jwk->y, point + 1 + size, size, &y) < 0 || y != size) {
        return JWS_E_KEY;
    }
    return point_init(key, p256 ? JWS_KEY_P256 : JWS_KEY_P384, point, 1 + 2 * size);
}

/* A positive odd number without leading zeros, from @min to @max bits. */
static BIGNUM *number(struct str text, int min, int max)
{
    uint8_t bytes[JWS_RSA_MAX / 8];
    size_t n = 0;
    if (base64_decode(BASE64_URL, text, bytes, sizeof(bytes), &n) < 0 || n == 0 ||
        bytes[0] == 0) {
        return NULL;
    }
    BIGNUM *value = BN_bin2bn(bytes, (int)n, NULL);
    if (value && (!BN_is_odd(value) || BN_num_bits(value) < min || BN_num_bits(value) > max)) {
        BN_free(value);
        return NULL;
    }
    return value;
}

static EVP_PKEY *rsa_import(const BIGNUM *n, const BIGNUM *e)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)) {
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        pkey = params ? import("RSA", params) : NULL;
        OSSL_PARAM_free(params);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

/*
 * Does the modulus bear the mark of the keys that can be factored (ROCA, CVE-2017-15361)?
 * Those are powers of 65537 modulo each of these primes; others once in 2^27.
 */
static bool is_roca(const BIGNUM *n)
{
    static const unsigned primes[] = { 11, 13, 17,  19,  37,  53,  61,  71, 73,
                                       79, 97, 103, 107, 109, 127, 151, 157 };
    for (size_t i = 0; i < ARRAY_LEN(primes); i++) {
        BN_ULONG rest = BN_mod_word(n, primes[i]);
        BN_ULONG power = 1;
        unsigned steps = 0;
        while (power != rest && steps < primes[i]) {
            power = power * 65537 % primes[i];
            steps++;
        }
        if (steps == primes[i]) {
            return false;
        }
    }
    return true;
}

static int rsa_init(struct jws_key *key, const struct jws_jwk *jwk)
{
    BIGNUM *n = number(jwk->n, JWS_RSA_MIN, JWS_RSA_MAX);
    BIGNUM *e = number(jwk->e, 2, JWS_RSA_E_MAX * 8); /* odd and two bits: 3 or more */
    int r = JWS_E_KEY;
    if (n && e && !is_roca(n)) {
        r = adopt(key, JWS_KEY_RSA, rsa_import(n, e));
    }
    BN_free(n);
    BN_free(e);
    return r;
}

static int ed25519_init(struct jws_key *key, const struct jws_jwk *jwk)
{
    struct jws_key made = { .kind = JWS_KEY_ED25519 };
    size_t n = 0;
    if (!str_eq(jwk->crv, STR("Ed25519")) ||
        base64_decode(BASE64_URL, jwk->x, made.ed25519, SIGN_PUBLIC_SIZE, &n) < 0 ||
        n != SIGN_PUBLIC_SIZE) {
        return JWS_E_KEY;
    }
    *key = made;
    return 0;
}

int jws_key_init(struct jws_key *key, const struct jws_jwk *jwk)
{
    if (str_eq(jwk->kty, STR("EC"))) {
        return ec_init(key, jwk);
    }
    if (str_eq(jwk->kty, STR("RSA"))) {
        return rsa_init(key, jwk);
    }
    return str_eq(jwk->kty, STR("OKP")) ? ed25519_init(key, jwk) : JWS_E_KEY;
}

void jws_key_deinit(struct jws_key *key)
{
    EVP_PKEY_free(key->pkey);
    *key = (struct jws_key){ 0 };
}

bool jws_key_allows(const struct jws_key *key, enum jws_alg alg)
{
    return alg != JWS_REFUSED && algs[alg].key == key->kind;
}

/* r and s of @size bytes each as DER into @der; its length, or 0. */
static size_t ec_der(struct str signature, size_t size, uint8_t der[EC_DER_MAX])
{
    const uint8_t *rs = (const uint8_t *)signature.p;
    size_t n = 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(rs, (int)size, NULL);
    BIGNUM *s = BN_bin2bn(rs + size, (int)size, NULL);
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s)) {
        uint8_t *at = der;
        int written = i2d_ECDSA_SIG(sig, &at);
        n = written > 0 ? (size_t)written : 0;
        assert(n <= EC_DER_MAX);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(sig);
    return n;
}

/* Verify through EVP; @signature as OpenSSL wants it. */
static int evp_verify(const struct jws_key *key, enum jws_alg alg, struct str input,
                      struct str signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx) {
        return -ENOMEM;
    }
    EVP_PKEY_CTX *pctx = NULL; /* owned by ctx */
    int ok = EVP_DigestVerifyInit_ex(ctx, &pctx, algs[alg].digest, NULL, NULL, key->pkey, NULL);
    if (ok == 1 && algs[alg].pss) {
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    }
    if (ok == 1) {
        ok = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                              (const unsigned char *)input.p, input.n);
    }
    EVP_MD_CTX_free(ctx);
    ERR_clear_error(); /* what a stranger sent leaves no trace in the queue TLS reads */
    return ok == 1 ? 0 : -EBADMSG;
}

int jws_verify(const struct jws_key *key, enum jws_alg alg, struct str input,
               struct str signature)
{
    if (!jws_key_allows(key, alg)) {
        return -EBADMSG;
    }
    switch (key->kind) {
    case JWS_KEY_ED25519: return sign_verify(key->ed25519, input, signature);
    case JWS_KEY_RSA:
        if (signature.n != (size_t)EVP_PKEY_get_size(key->pkey)) {
            return -EBADMSG;
        }
        return evp_verify(key, alg, input, signature);
    case JWS_KEY_P256:
    case JWS_KEY_P384: break;
    }

    size_t size = key->kind == JWS_KEY_P256 ? P256_SIZE : P384_SIZE;
    uint8_t der[EC_DER_MAX];
    size_t n = signature.n == 2 * size ? ec_der(signature, size, der) : 0;
    return n ? evp_verify(key, alg, input, str_of(der, n)) : -EBADMSG;
}
