/* did:key: the vectors of its specification, and signatures that are nearly right. */
#include "tests/check.h"

#include "gateway/identity/did.h"

#include "crypto/base/base58.h"
#include "tests/crypto/issuer.h"

#include <errno.h>

#define ED25519 "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
#define SECP "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"
#define P256 "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"

enum {
    RS = 64,
};

static struct did_key parsed(const char *did)
{
    struct did_key key;
    assert_int_equal(did_key_parse(str_z(did), &key), 0);
    return key;
}

static void test_keys_of_the_specification(void **state)
{
    (void)state;
    struct did_key key = parsed(ED25519);
    assert_int_equal(key.kind, DID_KEY_ED25519);
    assert_hex(key.bytes, 32,
               "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29");

    key = parsed(P256);
    assert_int_equal(key.kind, DID_KEY_P256);
    uint8_t x[40];
    size_t n = 0;
    assert_int_equal(base64_decode(BASE64_URL,
                                   STR("fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI"), x,
                                   sizeof(x), &n),
                     0);
    assert_memory_equal(key.bytes + 1, x, 32);

    uint8_t secret[SECRET_SIZE];
    const uint8_t blind[SECRET_SIZE] = { 1 };
    struct secp_signer signer;
    (void)check_unhex("9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c",
                      secret);
    assert_int_equal(secp_signer_init(&signer, secret, blind), 0);
    key = parsed(SECP);
    assert_int_equal(key.kind, DID_KEY_SECP256K1);
    assert_memory_equal(key.bytes, signer.public_key, SECP_PUBLIC_SIZE);
    secp_signer_deinit(&signer);
}

/* Written again, each is the same text. */
static void test_a_key_is_written_as_it_was_read(void **state)
{
    static const char *const dids[] = { ED25519, SECP, P256 };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dids); i++) {
        char text[DID_TEXT_MAX];
        char memory[64];
        struct buf out = buf_fixed(text, sizeof(text));
        struct buf bytes = buf_fixed(memory, sizeof(memory));
        struct did_key key = parsed(dids[i]);
        struct did_key again;
        did_key_put(&out, &key);
        assert_str(buf_str(&out), dids[i]);
        did_key_bytes(&bytes, &key);
        assert_int_equal(did_key_read(buf_str(&bytes), &again), 0);
        assert_memory_equal(&again, &key, sizeof(key));
    }
}

static void test_what_is_no_key(void **state)
{
    static const struct {
        const char *did;
        int want;
    } cases[] = {
        { "", DID_E_FORM },
        { "did:key:", DID_E_FORM },
        { "did:key:z", DID_E_FORM },
        { "did:web:example.com", DID_E_FORM },
        { "DID:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", DID_E_FORM },
        { "did:key:6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", DID_E_FORM },
        { ED25519 "#z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", DID_E_FORM },
        { ED25519 "?x", DID_E_FORM },
        { ED25519 " ", DID_E_FORM },
        { "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooW0", DID_E_FORM },
        { "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", DID_E_KIND }, /* X25519 */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct did_key key;
        assert_int_equal(did_key_parse(str_z(cases[i].did), &key), cases[i].want);
    }
}

/* "did:key:z" and @bytes in base58. */
static struct str did_of(const uint8_t *bytes, size_t n, char out[DID_TEXT_MAX])
{
    struct buf b = buf_fixed(out, DID_TEXT_MAX);
    buf_z(&b, "did:key:z");
    base58_put(&b, bytes, n);
    assert_false(buf_failed(&b));
    return buf_str(&b);
}

/* Keys of the wrong length, and bytes that are no point, by kind. */
static void test_what_is_no_point(void **state)
{
    (void)state;
    static const char *const prefixes[] = { "ed01", "8024", "e701" };
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        for (size_t n = 0; n < 36; n++) {
            uint8_t bytes[2 + 36] = { 0 };
            char text[DID_TEXT_MAX];
            struct did_key key;
            (void)check_unhex(prefixes[i], bytes);
            memset(bytes + 2, 0xff, n); /* x above the field's order */
            size_t right = i == 0 ? 32 : 33;
            int want = n > 34 ? DID_E_KIND : n != right || i == 2 ? DID_E_KEY : 0;
            assert_int_equal(did_key_parse(did_of(bytes, 2 + n, text), &key), want);
            if (want == 0) {
                uint8_t signature[RS] = { 1 };
                assert_int_equal(
                    did_key_verify(&key, STR("text"), str_of(signature, sizeof(signature))),
                    -EBADMSG);
            }
        }
    }
}

/* --- signatures --------------------------------------------------------------------------- */

static const char *const secp_n =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
static const char *const p256_n =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

/* out = a - b, 32 bytes, big-endian. */
static void subtract(const uint8_t a[32], const uint8_t b[32], uint8_t out[32])
{
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int value = a[i] - b[i] - borrow;
        borrow = value < 0;
        out[i] = (uint8_t)value;
    }
}

/* r and s at the edges: each of them 0, the order, above it; too short and too long. */
static void refuse_edges(const struct did_key *key, const uint8_t good[RS], const char *order)
{
    uint8_t n[32];
    (void)check_unhex(order, n);
    for (size_t half = 0; half < 2; half++) {
        uint8_t bytes[RS];
        for (int what = 0; what < 4; what++) {
            memcpy(bytes, good, sizeof(bytes));
            memset(bytes + 32 * half, what == 3 ? 0xff : 0, 32);
            if (what == 1 || what == 2) {
                memcpy(bytes + 32 * half, n, 32);
                bytes[32 * half + 31] = (uint8_t)(n[31] + what - 1);
            }
            assert_int_equal(did_key_verify(key, STR("text"), str_of(bytes, RS)), -EBADMSG);
        }
    }
    uint8_t longer[RS + 1] = { 0 };
    memcpy(longer, good, RS);
    assert_int_equal(did_key_verify(key, STR("text"), str_of(longer, RS)), 0);
    assert_int_equal(did_key_verify(key, STR("text"), str_of(longer, RS + 1)), -EBADMSG);
    assert_int_equal(did_key_verify(key, STR("text"), str_of(longer, RS - 1)), -EBADMSG);
    assert_int_equal(did_key_verify(key, STR("text"), STR("")), -EBADMSG);
    assert_int_equal(did_key_verify(key, STR("texts"), str_of(longer, RS)), -EBADMSG);
}

static void test_signatures_on_secp256k1(void **state)
{
    (void)state;
    uint8_t secret[SECRET_SIZE];
    const uint8_t blind[SECRET_SIZE] = { 1 };
    uint8_t digest[DIGEST_SIZE];
    uint8_t n[32];
    uint8_t bytes[RS];
    struct secp_signer signer;
    struct secp_signature signature;
    (void)check_unhex("9085d2bef69286a6cbb51623c8fa258629945cd55ca705cc4e66700396894e0c",
                      secret);
    assert_int_equal(secp_signer_init(&signer, secret, blind), 0);
    digest_sha256(STR("text"), digest);
    secp_sign(&signer, digest, &signature);
    secp_signer_deinit(&signer);
    memcpy(bytes, signature.r, 32);
    memcpy(bytes + 32, signature.s, 32);
    struct did_key key = parsed(SECP);
    refuse_edges(&key, bytes, secp_n);
    (void)check_unhex(secp_n, n);
    subtract(n, signature.s, bytes + 32); /* high s: as true, and refused */
    assert_int_equal(did_key_verify(&key, STR("text"), str_of(bytes, RS)), -EBADMSG);
}

static void test_signatures_on_p256(void **state)
{
    (void)state;
    struct issuer issuer = issuer_new(JWS_ES256);
    uint8_t signature[1024];
    uint8_t der[1024];
    uint8_t bytes[2 + SECP_COMPRESSED_SIZE] = { 0x80, 0x24 };
    uint8_t y[40];
    uint8_t n[32];
    size_t size = 0;
    char text[DID_TEXT_MAX];
    struct did_key key;
    assert_int_equal(base64_decode(BASE64_URL, str_z(issuer.y), y, sizeof(y), &size), 0);
    bytes[2] = (uint8_t)(2 + (y[31] & 1));
    assert_int_equal(base64_decode(BASE64_URL, str_z(issuer.x), bytes + 3, 32, &size), 0);
    assert_int_equal(did_key_parse(did_of(bytes, sizeof(bytes), text), &key), 0);
    assert_int_equal(issuer_sign(&issuer, JWS_ES256, STR("text"), signature), RS);
    refuse_edges(&key, signature, p256_n);

    (void)check_unhex(p256_n, n);
    subtract(n, signature + 32, signature + 32); /* both are taken, as of tokens */
    assert_int_equal(did_key_verify(&key, STR("text"), str_of(signature, RS)), 0);
    bytes[2] ^= 1; /* the other point of that x */
    assert_int_equal(did_key_parse(did_of(bytes, sizeof(bytes), text), &key), 0);
    assert_int_equal(did_key_verify(&key, STR("text"), str_of(signature, RS)), -EBADMSG);

    size_t der_size = sizeof(der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, issuer.pkey, NULL),
                     1);
    assert_int_equal(EVP_DigestSign(ctx, der, &der_size, (const uint8_t *)"text", 4), 1);
    EVP_MD_CTX_free(ctx);
    bytes[2] ^= 1;
    assert_int_equal(did_key_parse(did_of(bytes, sizeof(bytes), text), &key), 0);
    assert_int_equal(did_key_verify(&key, STR("text"), str_of(der, der_size)), -EBADMSG);
    issuer_free(&issuer);
}

static void test_signatures_of_ed25519(void **state)
{
    (void)state;
    uint8_t seed[SECRET_SIZE] = { 0 };
    uint8_t signature[SIGN_SIZE];
    uint8_t other[SIGN_SIZE];
    struct sign_key made;
    struct did_key key = parsed(ED25519); /* of the seed of zeros */
    sign_key_from_seed(&made, seed);
    sign_make(&made, STR("text"), signature);
    struct str whole = str_of(signature, sizeof(signature));
    assert_int_equal(did_key_verify(&key, STR("text"), whole), 0);
    assert_int_equal(did_key_verify(&key, STR("texts"), whole), -EBADMSG);
    assert_int_equal(did_key_verify(&key, STR("text"), str_slice(whole, 0, 63)), -EBADMSG);

    /* s plus the order is as true to mathematics. */
    static const char *const order =
        "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    uint8_t l[32];
    int carry = 0;
    (void)check_unhex(order, l);
    memcpy(other, signature, sizeof(other));
    for (size_t i = 0; i < 32; i++) {
        carry += other[32 + i] + l[i];
        other[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_int_equal(did_key_verify(&key, STR("text"), str_of(other, RS)), -EBADMSG);

    /* Keys of small order, under which one signature fits any text. */
    static const char *const weak[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    };
    for (size_t i = 0; i < ARRAY_LEN(weak); i++) {
        struct did_key small = { .kind = DID_KEY_ED25519 };
        uint8_t any[SIGN_SIZE] = { 1 };
        (void)check_unhex(weak[i], small.bytes);
        assert_int_equal(did_key_verify(&small, STR("text"), str_of(any, RS)), -EBADMSG);
    }
}

static void test_accounts_are_named_with_their_check(void **state)
{
    (void)state;
    char memory[DID_TEXT_MAX];
    uint8_t address[SECP_ADDRESS_SIZE];
    struct buf out = buf_fixed(memory, sizeof(memory));
    assert_int_equal(
        secp_address_parse(STR("0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb"), address), 0);
    did_pkh_put(&out, 1, address); /* the example of the method's specification */
    assert_str(buf_str(&out), "did:pkh:eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_of_the_specification),
        cmocka_unit_test(test_a_key_is_written_as_it_was_read),
        cmocka_unit_test(test_what_is_no_key),
        cmocka_unit_test(test_what_is_no_point),
        cmocka_unit_test(test_signatures_on_secp256k1),
        cmocka_unit_test(test_signatures_on_p256),
        cmocka_unit_test(test_signatures_of_ed25519),
        cmocka_unit_test(test_accounts_are_named_with_their_check),
    };
    return secret_start() < 0
               ? 1
               : cmocka_run_group_tests_name("gateway/identity/did", tests, NULL, NULL);
}
