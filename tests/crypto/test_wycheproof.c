/*
 * Vectors of C2SP Wycheproof against what crypto/ makes of the libraries below it.
 *
 * JSON is read with fhir/: tests may look up where the code may not.
 */
#include "tests/check.h"

#include "crypto/base/base64.h"
#include "crypto/base/hex.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/secp.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "fhir/format/json.h"

#include <sodium.h>

enum {
    BYTES_MAX = 64 << 10,
};

struct bytes {
    uint8_t p[BYTES_MAX];
    struct str all;
};

static struct str unhex(const struct node *object, const char *name, struct bytes *out)
{
    struct str text = node_text(object, name);
    assert_true(text.n / 2 <= BYTES_MAX);
    assert_int_equal(hex_decode(text, out->p, text.n / 2), 0);
    out->all = str_of(out->p, text.n / 2);
    return out->all;
}

/* Whether @test is as its vector says: true if we accept it. */
typedef bool (*accepts_fn)(const struct node *group, const struct node *test);

/* Run each test of @name; "acceptable" ones may go either way. */
static void run(const char *name, accepts_fn accepts)
{
    char path[512];
    char file[256];
    (void)snprintf(file, sizeof(file), "attack/wycheproof/testvectors_v1/%s_test.json", name);
    check_data(file, path, sizeof(path));
    size_t n = 0;
    char *text = check_read(path, &n);
    if (!text) {
        print_message("skipped: no reference data, wanted %s\n", file);
        skip();
    }
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    assert_int_equal(json_parse(arena, str_of(text, n), &issues, &root), 0);

    int count = 0;
    int wrong = 0;
    const struct node *group = node_first(node_get(root, "testGroups"));
    for (; group; group = group->next) {
        const struct node *test = node_first(node_get(group, "tests"));
        for (; test; test = test->next, count++) {
            struct str want = node_text(test, "result");
            bool got = accepts(group, test);
            if (!str_eq(want, STR("acceptable")) && got != str_eq(want, STR("valid"))) {
                struct str comment = node_text(test, "comment");
                print_error("%s %.*s: %.*s is %s\n", name, (int)node_get(test, "tcId")->text.n,
                            node_get(test, "tcId")->text.p, (int)comment.n, comment.p,
                            got ? "accepted" : "refused");
                wrong++;
            }
        }
    }
    print_message("%s: %d vectors\n", name, count);
    assert_true(count > 50);
    assert_int_equal(wrong, 0);
    free(text);
}

static bool ed25519_accepts(const struct node *group, const struct node *test)
{
    static struct bytes key;
    static struct bytes message;
    static struct bytes signature;
    assert_int_equal(unhex(node_get(group, "publicKey"), "pk", &key).n, SIGN_PUBLIC_SIZE);
    return sign_verify(key.p, unhex(test, "msg", &message), unhex(test, "sig", &signature)) ==
           0;
}

static bool hmac_accepts(const struct node *group, const struct node *test)
{
    static struct bytes key;
    static struct bytes message;
    static struct bytes tag;
    int64_t bits = 0;
    assert_true(node_integer(node_get(group, "tagSize"), &bits));
    (void)unhex(test, "tag", &tag);
    uint8_t out[DIGEST_SIZE];
    digest_hmac_sha256(unhex(test, "key", &key), unhex(test, "msg", &message), out);
    return tag.all.n == (size_t)bits / 8 && secret_equal(out, tag.p, tag.all.n);
}

/* The primitive below seal.h, which itself is checked by a known answer. */
static bool xchacha_accepts(const struct node *group, const struct node *test)
{
    static struct bytes key;
    static struct bytes nonce;
    static struct bytes aad;
    static struct bytes tag;
    static struct bytes text;
    static uint8_t out[BYTES_MAX];
    (void)group;
    if (unhex(test, "iv", &nonce).n != crypto_aead_xchacha20poly1305_ietf_NPUBBYTES) {
        return false;
    }
    (void)unhex(test, "key", &key);
    (void)unhex(test, "aad", &aad);
    (void)unhex(test, "tag", &tag);
    (void)unhex(test, "ct", &text);
    memcpy(text.p + text.all.n, tag.p, tag.all.n);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, text.p,
                                                      text.all.n + tag.all.n, aad.p, aad.all.n,
                                                      nonce.p, key.p) == 0;
}

/* Point @hex of a group without JWK as the text of its coordinates. */
static struct jws_jwk jwk_of_point(const struct node *group)
{
    static struct bytes point;
    static char text[2][128];
    (void)unhex(node_get(group, "publicKey"), "uncompressed", &point);
    size_t size = point.all.n / 2;
    struct str coordinates[2];
    for (size_t i = 0; i < 2; i++) {
        struct buf b = buf_fixed(text[i], sizeof(text[i]));
        base64_put(&b, BASE64_URL, point.p + 1 + i * size, size);
        coordinates[i] = buf_str(&b);
    }
    return (struct jws_jwk){ .kty = STR("EC"),
                             .crv = size == 32 ? STR("P-256") : STR("P-384"),
                             .x = coordinates[0],
                             .y = coordinates[1] };
}

static struct jws_jwk jwk_of(const struct node *group)
{
    const struct node *node = node_get(group, "publicKeyJwk");
    node = node ? node : node_get(group, "keyJwk");
    if (!node) {
        return jwk_of_point(group);
    }
    return (struct jws_jwk){ node_text(node, "kty"), node_text(node, "crv"),
                             node_text(node, "x"),   node_text(node, "y"),
                             node_text(node, "n"),   node_text(node, "e") };
}

static bool jws_accepts(enum jws_alg alg, const struct node *group, const struct node *test)
{
    static struct bytes message;
    static struct bytes signature;
    static struct jws_key key; /* of the group: RSA keys take long to check */
    static const struct node *key_of;
    static int imported;
    if (key_of != group || test == node_first(node_get(group, "tests"))) {
        const struct jws_jwk jwk = jwk_of(group);
        jws_key_deinit(&key);
        imported = jws_key_init(&key, &jwk);
        key_of = group;
    }
    return imported == 0 && jws_verify(&key, alg, unhex(test, "msg", &message),
                                       unhex(test, "sig", &signature)) == 0;
}

#define JWS_ACCEPTS(alg)                                                                       \
    static bool accepts_##alg(const struct node *group, const struct node *test)               \
    {                                                                                          \
        return jws_accepts(alg, group, test);                                                  \
    }

JWS_ACCEPTS(JWS_ES256)
JWS_ACCEPTS(JWS_ES384)
JWS_ACCEPTS(JWS_RS256)
JWS_ACCEPTS(JWS_RS384)
JWS_ACCEPTS(JWS_PS256)
JWS_ACCEPTS(JWS_PS384)
JWS_ACCEPTS(JWS_EDDSA)

static void test_ed25519(void **state)
{
    (void)state;
    run("ed25519", ed25519_accepts);
    run("ed25519", accepts_JWS_EDDSA);
}

static void test_hmac_sha256(void **state)
{
    (void)state;
    run("hmac_sha256", hmac_accepts);
}

static void test_xchacha20_poly1305(void **state)
{
    (void)state;
    run("xchacha20_poly1305", xchacha_accepts);
}

static void test_ecdsa_of_tokens(void **state)
{
    (void)state;
    run("ecdsa_secp256r1_sha256_p1363", accepts_JWS_ES256);
    run("ecdsa_secp384r1_sha384_p1363", accepts_JWS_ES384);
}

/* Half of the order of secp256k1, above which s is high. */
static bool is_high(const uint8_t s[32])
{
    static const uint8_t half[32] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
                                      0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0 };
    return memcmp(s, half, sizeof(half)) > 0;
}

/* High s is valid to the vectors; that it is refused here is seen, and told as accepted. */
static bool secp_accepts(const struct node *group, const struct node *test)
{
    static struct bytes key;
    static struct bytes msg;
    static struct bytes sig;
    struct secp_signature signature = { .v = 0 };
    uint8_t digest[DIGEST_SIZE];
    struct str public_key = unhex(node_get(group, "publicKey"), "uncompressed", &key);
    struct str rs = unhex(test, "sig", &sig);
    assert_int_equal(public_key.n, SECP_PUBLIC_SIZE);
    if (rs.n != 64) {
        return false;
    }
    memcpy(signature.r, rs.p, 32);
    memcpy(signature.s, rs.p + 32, 32);
    digest_sha256(unhex(test, "msg", &msg), digest);
    bool good = secp_verify(key.p, digest, &signature) == 0;
    bool high = is_high(signature.s);
    assert_false(good && high);
    return good || (high && str_eq(node_text(test, "result"), STR("valid")));
}

static void test_ecdsa_of_ethereum(void **state)
{
    (void)state;
    run("ecdsa_secp256k1_sha256_p1363", secp_accepts);
}

static void test_rsa_pkcs1_of_tokens(void **state)
{
    (void)state;
    run("rsa_signature_2048_sha256", accepts_JWS_RS256);
    run("rsa_signature_3072_sha256", accepts_JWS_RS256);
    run("rsa_signature_2048_sha384", accepts_JWS_RS384);
}

static void test_rsa_pss_of_tokens(void **state)
{
    (void)state;
    run("rsa_pss_2048_sha256_mgf1_32", accepts_JWS_PS256);
    run("rsa_pss_3072_sha256_mgf1_32", accepts_JWS_PS256);
    run("rsa_pss_4096_sha256_mgf1_32", accepts_JWS_PS256);
    run("rsa_pss_4096_sha384_mgf1_48", accepts_JWS_PS384);
}

static int setup(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_hmac_sha256),
        cmocka_unit_test(test_xchacha20_poly1305),
        cmocka_unit_test(test_ecdsa_of_tokens),
        cmocka_unit_test(test_ecdsa_of_ethereum),
        cmocka_unit_test(test_rsa_pkcs1_of_tokens),
        cmocka_unit_test(test_rsa_pss_of_tokens),
    };
    return cmocka_run_group_tests_name("crypto/wycheproof", tests, setup, NULL);
}
