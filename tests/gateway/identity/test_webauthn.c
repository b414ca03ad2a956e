/* Passkeys: the vectors of the specification, keys made here, and each way to be somebody else.
 */
#include "gateway/identity/webauthn.h"

#include "crypto/secret.h"
#include "tests/crypto/issuer.h"
#include "tests/fhir/with_arena.h"

#define ORIGIN "https://example.org"
#define CHALLENGE "ABCD" /* of these characters, in base64url: */
#define CHALLENGE_TEXT "QUJDRA"

/* W3C Web Authentication Level 3, 16.1: ES256 with no attestation. The user isn't verified. */
#define SPEC_CREATE                                                                            \
    "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d5074" \
    "34557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f7269" \
    "67696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c" \
    "73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e64" \
    "65642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c20737563" \
    "6820617320746869733a20426b5165446a646354427258426941774a544c453551227d"
#define SPEC_RP "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5"
#define SPEC_ID "f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"
#define SPEC_X "afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61"
#define SPEC_Y "930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220"
#define SPEC_NONE "a363666d74646e6f6e656761747453746d74a0686175746844617461"
#define SPEC_KEY "a5010203262001215820" SPEC_X "225820" SPEC_Y
#define SPEC_DATA(flags)                                                                       \
    SPEC_RP flags "00000000"                                                                   \
                  "8446ccb9ab1db374750b2367ff6f3a1f0020" SPEC_ID SPEC_KEY
#define SPEC_ATTESTATION(flags) SPEC_NONE "58a4" SPEC_DATA(flags)
#define SPEC_GET                                                                               \
    "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158" \
    "756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e" \
    "223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d"
#define SPEC_R "f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd38"
#define SPEC_S "8480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87"

enum {
    BYTES_MAX = 2048,
    UP = 0x01,
    UV = 0x04,
    BE = 0x08,
    BS = 0x10,
    AT = 0x40,
    ED = 0x80,
};

static const char *origins[] = { "https://portal.example", ORIGIN };
static const struct config_strings all_origins = { origins, ARRAY_LEN(origins) };
static const struct webauthn_site site = { STR_INIT("example.org"), &all_origins };

static struct str unhex(const char *hex)
{
    uint8_t *bytes = arena_alloc(arena, strlen(hex) / 2 + 1);
    assert_non_null(bytes);
    return str_of(bytes, check_unhex(hex, bytes));
}

/* What is made of @client and @attestation, in hexadecimal digits. */
static int create(struct str client, const char *attestation, struct did_key *key)
{
    struct webauthn_made made;
    int r = webauthn_register(arena, client, unhex(attestation), &site, &made);
    if (r == 0) {
        assert_hex(made.id.p, made.id.n, SPEC_ID);
        *key = made.key;
    }
    return r;
}

static void test_the_vectors_of_the_specification(void **state)
{
    (void)state;
    struct did_key key;
    struct webauthn_seen seen;
    struct webauthn_made made;
    assert_int_equal(create(unhex(SPEC_CREATE), SPEC_ATTESTATION("59"), &key), WEBAUTHN_E_USER);
    assert_int_equal(webauthn_register(arena, unhex(SPEC_CREATE), unhex(SPEC_ATTESTATION("5d")),
                                       &site, &made),
                     0);
    key = made.key;
    assert_hex(made.seen.nonce.p, made.seen.nonce.n,
               "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130");
    assert_int_equal(made.seen.counter, 0);
    assert_int_equal(key.kind, DID_KEY_P256);
    assert_hex(key.bytes, 33, "02" SPEC_X);

    struct webauthn_assertion got = {
        .client = unhex(SPEC_GET),
        .authenticator = unhex(SPEC_RP "1900000000"),
        .signature = unhex("3046022100" SPEC_R "022100" SPEC_S),
    };
    assert_int_equal(webauthn_assert(arena, &got, &site, &key, &seen), WEBAUTHN_E_USER);

    /* What it signed is what is put together here. */
    struct buf text = arena_buf(arena, BYTES_MAX);
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(got.client, hash);
    buf_str_put(&text, got.authenticator);
    buf_put(&text, hash, sizeof(hash));
    assert_int_equal(did_key_verify(&key, buf_str(&text), unhex(SPEC_R SPEC_S)), 0);
}

static void test_attestations_that_are_none(void **state)
{
    static const struct {
        const char *hex;
        int want;
    } cases[] = {
        { SPEC_ATTESTATION("5d"), 0 },
        { SPEC_ATTESTATION("45"), 0 },
        { SPEC_ATTESTATION("5c"), WEBAUTHN_E_USER },
        { SPEC_ATTESTATION("59"), WEBAUTHN_E_USER },
        { SPEC_ATTESTATION("1d"), WEBAUTHN_E_FORM }, /* no key is said to follow */
        { SPEC_ATTESTATION("55"), WEBAUTHN_E_FORM }, /* backed up, which it may not be */
        { SPEC_ATTESTATION("dd"), WEBAUTHN_E_FORM }, /* extensions, and there are none */
        { SPEC_ATTESTATION("5d") "00", WEBAUTHN_E_FORM },
        { SPEC_NONE "58a5" SPEC_DATA("5d") "00", WEBAUTHN_E_FORM },
        { SPEC_NONE "58a5" SPEC_DATA("dd") "a0", 0 },
        { SPEC_NONE "58a8" SPEC_DATA("dd") "a1636162", WEBAUTHN_E_FORM }, /* cut */
        { SPEC_NONE "58aa" SPEC_DATA("dd") "a163616263f5", 0 },
        { SPEC_NONE "58ab" SPEC_DATA("dd") "a163616263f500", WEBAUTHN_E_FORM },
        { SPEC_NONE "58a5" SPEC_DATA("dd") "80", WEBAUTHN_E_FORM }, /* no map */
        { "a363666d74667061636b65646761747453746d74a068617574684461746158a4" SPEC_DATA("5d"),
          WEBAUTHN_E_FORM }, /* "packed" */
        { "a363666d74646e6f6e656761747453746d74a1616101686175746844617461"
          "58a4" SPEC_DATA("5d"),
          WEBAUTHN_E_FORM },
        { "a2" SPEC_DATA("5d"), WEBAUTHN_E_FORM },
        { "", WEBAUTHN_E_FORM },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct did_key key;
        int r = create(unhex(SPEC_CREATE), cases[i].hex, &key);
        if (r != cases[i].want) {
            print_error("case %zu: %d\n", i, r);
            fail();
        }
    }
}

/* Of every length, that which is cut is refused, whatever it says inside. */
static void test_cut_attestations(void **state)
{
    (void)state;
    struct str whole = unhex(SPEC_ATTESTATION("5d"));
    struct str data = unhex(SPEC_DATA("5d"));
    struct webauthn_made made;
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *copy = malloc(n ? n : 1); /* so that a byte too many is seen */
        memcpy(copy, whole.p, n);
        assert_int_equal(
            webauthn_register(arena, unhex(SPEC_CREATE), str_of(copy, n), &site, &made),
            WEBAUTHN_E_FORM);
        free(copy);
    }
    for (size_t n = 0; n < data.n; n++) {
        struct buf text = arena_buf(arena, BYTES_MAX);
        struct str none = unhex(SPEC_NONE);
        buf_str_put(&text, none);
        buf_c(&text, 0x59);
        buf_be16(&text, (uint16_t)n);
        if (n < 256) { /* the shortest form */
            text.n = none.n;
            buf_c(&text, n < 24 ? (char)(0x40 + n) : 0x58);
            buf_put(&text, &(uint8_t){ (uint8_t)n }, n < 24 ? 0 : 1);
        }
        buf_put(&text, data.p, n);
        assert_int_not_equal(
            webauthn_register(arena, unhex(SPEC_CREATE), buf_str(&text), &site, &made), 0);
    }
}

static void test_keys_that_are_not_used(void **state)
{
    static const char *const cases[] = {
        "a5010203262001215820" SPEC_Y "225820" SPEC_X, /* no point */
        "a5010203272001215820" SPEC_X "225820" SPEC_Y, /* another algorithm */
        "a5010203262002215820" SPEC_X "225820" SPEC_Y, /* another curve */
        "a4010203262001215820" SPEC_X "225820" SPEC_Y, /* a member more than said */
        "a5030201262001215820" SPEC_X "225820" SPEC_Y, /* in another order */
        "a5010203262001225820" SPEC_Y "215820" SPEC_X, /* the same */
        "a501020326200121581f" SPEC_X "225820" SPEC_Y, /* too short */
        "a401010327200621581f" SPEC_X,                 /* the same */
        "a4010103262006215820" SPEC_X,                 /* not EdDSA */
        "a4010103272004215820" SPEC_X,                 /* X25519 */
        "a401030339010020430100012143010001",          /* RSA */
        "a0",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf data = arena_buf(arena, BYTES_MAX);
        struct buf text = arena_buf(arena, BYTES_MAX);
        struct webauthn_made made;
        buf_str_put(&data, unhex(SPEC_RP "4500000000"
                                         "8446ccb9ab1db374750b2367ff6f3a1f0020" SPEC_ID));
        buf_str_put(&data, unhex(cases[i]));
        buf_str_put(&text, unhex(SPEC_NONE));
        buf_c(&text, 0x58);
        buf_c(&text, (char)data.n);
        buf_str_put(&text, buf_str(&data));
        int r = webauthn_register(arena, unhex(SPEC_CREATE), buf_str(&text), &site, &made);
        if (r != WEBAUTHN_E_KEY) {
            print_error("%s: %d\n", cases[i], r);
            fail();
        }
    }
}

static void test_client_data(void **state)
{
    static const struct {
        const char *client;
        int want;
    } cases[] = {
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN "\"}",
          0 },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN
          "\",\"crossOrigin\":false}",
          0 },
        { "{\"type\":\"webauthn.get\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN "\"}",
          WEBAUTHN_E_TYPE },
        { "{\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN "\"}", WEBAUTHN_E_TYPE },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\"}", WEBAUTHN_E_ORIGIN },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":"
          "\"https://example.org.evil.example\"}",
          WEBAUTHN_E_ORIGIN },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":"
          "\"http://example.org\"}",
          WEBAUTHN_E_ORIGIN },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":"
          "\"https://example.org/\"}",
          WEBAUTHN_E_ORIGIN },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN
          "\",\"crossOrigin\":true}",
          WEBAUTHN_E_ORIGIN },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN
          "\",\"topOrigin\":\"https://evil.example\"}",
          WEBAUTHN_E_ORIGIN },
        { "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA==\",\"origin\":\"" ORIGIN "\"}",
          WEBAUTHN_E_FORM },
        { "{\"type\":\"webauthn.create\",\"type\":\"webauthn.create\",\"challenge\":"
          "\"QUJDRA\",\"origin\":\"" ORIGIN "\"}",
          WEBAUTHN_E_FORM },
        { "[]", WEBAUTHN_E_FORM },
        { "", WEBAUTHN_E_FORM },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct did_key key;
        int r = create(str_z(cases[i].client), SPEC_ATTESTATION("45"), &key);
        if (r != cases[i].want) {
            print_error("%s: %d\n", cases[i].client, r);
            fail();
        }
    }
}

/* --- assertions --------------------------------------------------------------------------- */

#define GET "{\"type\":\"webauthn.get\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN "\"}"

static struct issuer issuers[2];

/* Authenticator data for @rp. */
static struct str data_of(const char *rp, uint8_t flags, uint32_t counter, const char *more)
{
    struct buf data = arena_buf(arena, BYTES_MAX);
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(str_z(rp), hash);
    buf_put(&data, hash, sizeof(hash));
    buf_c(&data, (char)flags);
    buf_be32(&data, counter);
    buf_str_put(&data, unhex(more));
    return buf_str(&data);
}

/* The signature of @issuer, as authenticators write it: DER on P-256. */
static struct str signed_by(const struct issuer *issuer, struct str data, const char *client)
{
    struct buf text = arena_buf(arena, BYTES_MAX);
    uint8_t *out = arena_alloc(arena, BYTES_MAX);
    uint8_t hash[DIGEST_SIZE];
    size_t n = BYTES_MAX;
    digest_sha256(str_z(client), hash);
    buf_str_put(&text, data);
    buf_put(&text, hash, sizeof(hash));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const char *digest = issuer->alg == JWS_EDDSA ? NULL : "SHA256";
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, issuer->pkey, NULL),
                     1);
    assert_int_equal(EVP_DigestSign(ctx, out, &n, (uint8_t *)text.p, text.n), 1);
    EVP_MD_CTX_free(ctx);
    return str_of(out, n);
}

static struct did_key key_of(const struct issuer *issuer)
{
    uint8_t x[40];
    uint8_t y[40];
    size_t n = 0;
    struct did_key key = { .kind = DID_KEY_ED25519 };
    assert_int_equal(base64_decode(BASE64_URL, str_z(issuer->x), x, sizeof(x), &n), 0);
    if (issuer->alg == JWS_EDDSA) {
        memcpy(key.bytes, x, 32);
        return key;
    }
    assert_int_equal(base64_decode(BASE64_URL, str_z(issuer->y), y, sizeof(y), &n), 0);
    assert_int_equal(did_key_of_p256(str_of(x, 32), str_of(y, 32), &key), 0);
    return key;
}

static void test_assertions(void **state)
{
    static const struct {
        const char *rp;
        uint8_t flags;
        const char *more, *client;
        int want;
    } cases[] = {
        { "example.org", UP | UV, "", GET, 0 },
        { "example.org", UP | UV | BE | BS, "", GET, 0 },
        { "example.org", UP | UV | ED, "a163616263f5", GET, 0 },
        { "example.com", UP | UV, "", GET, WEBAUTHN_E_RP },
        { "portal.example", UP | UV, "", GET, WEBAUTHN_E_RP },
        { "example.org", UV, "", GET, WEBAUTHN_E_USER },
        { "example.org", UP, "", GET, WEBAUTHN_E_USER },
        { "example.org", UP | UV | BS, "", GET, WEBAUTHN_E_FORM },
        { "example.org", UP | UV, "00", GET, WEBAUTHN_E_FORM },
        { "example.org", UP | UV | ED, "", GET, WEBAUTHN_E_FORM },
        { "example.org", UP | UV | AT, "", GET, WEBAUTHN_E_FORM },
        { "example.org", UP | UV, "",
          "{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\",\"origin\":\"" ORIGIN "\"}",
          WEBAUTHN_E_TYPE },
        { "example.org", UP | UV, "",
          "{\"type\":\"webauthn.get\",\"challenge\":\"QUJDRA\",\"origin\":"
          "\"https://evil.example\"}",
          WEBAUTHN_E_ORIGIN },
    };
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(issuers); k++) {
        struct did_key key = key_of(&issuers[k]);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            struct webauthn_seen seen;
            struct str data = data_of(cases[i].rp, cases[i].flags, 7, cases[i].more);
            struct webauthn_assertion made = {
                .client = str_z(cases[i].client),
                .authenticator = data,
                .signature = signed_by(&issuers[k], data, cases[i].client),
            };
            assert_int_equal(webauthn_assert(arena, &made, &site, &key, &seen), cases[i].want);
            if (cases[i].want == 0) {
                assert_str(seen.nonce, CHALLENGE);
                assert_int_equal(seen.counter, 7);
            }
        }
    }
}

static void test_signatures_of_something_else(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(issuers); k++) {
        struct did_key key = key_of(&issuers[k]);
        struct did_key other = key_of(&issuers[1 - k]);
        struct webauthn_seen seen;
        struct webauthn_assertion made = { .client = STR(GET),
                                           .authenticator =
                                               data_of("example.org", UP | UV, 7, "") };
        made.signature = signed_by(&issuers[k], made.authenticator, GET);
        assert_int_equal(webauthn_assert(arena, &made, &site, &key, &seen), 0);
        assert_int_equal(webauthn_assert(arena, &made, &site, &other, &seen),
                         WEBAUTHN_E_SIGNATURE);
        struct str good = made.signature;
        for (size_t n = 0; n < good.n; n++) {
            made.signature = str_slice(good, 0, n);
            assert_int_equal(webauthn_assert(arena, &made, &site, &key, &seen),
                             WEBAUTHN_E_SIGNATURE);
        }
        made.signature = good;
        made.authenticator = data_of("example.org", UP | UV, 8, "");
        assert_int_equal(webauthn_assert(arena, &made, &site, &key, &seen),
                         WEBAUTHN_E_SIGNATURE);
    }
}

/* r and s of the specification's vector, in DER that isn't the one form of it. */
static void test_signatures_have_one_form(void **state)
{
    static const char *const cases[] = {
        SPEC_R SPEC_S,                            /* no DER */
        "3046022100" SPEC_R "022100" SPEC_S "00", /* something behind it */
        "3047022100" SPEC_R "022100" SPEC_S,      /* a wrong length */
        "308146022100" SPEC_R "022100" SPEC_S,    /* a long one */
        "30440220" SPEC_R "0220" SPEC_S,          /* negative */
        "304702220000" SPEC_R "022100" SPEC_S,    /* a zero too many */
        "3146022100" SPEC_R "022100" SPEC_S,      /* a set */
        "3046032100" SPEC_R "022100" SPEC_S,      /* a bit string */
        "3027020002230000" SPEC_S "00",           /* an empty integer */
        "3006020100020100",                       /* zeros */
        "3023022100" SPEC_R,                      /* one of them */
        "30",
    };
    (void)state;
    struct did_key key = key_of(&issuers[0]);
    struct webauthn_seen seen;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct webauthn_assertion made = {
            .client = STR(GET),
            .authenticator = data_of("example.org", UP | UV, 7, ""),
            .signature = unhex(cases[i]),
        };
        assert_int_equal(webauthn_assert(arena, &made, &site, &key, &seen),
                         WEBAUTHN_E_SIGNATURE);
    }
}

static int setup(void **state)
{
    issuers[0] = issuer_new(JWS_ES256);
    issuers[1] = issuer_new(JWS_EDDSA);
    return secret_start() < 0 ? -1 : open_arena(state);
}

static int teardown(void **state)
{
    issuer_free(&issuers[0]);
    issuer_free(&issuers[1]);
    return close_arena(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors_of_the_specification),
        cmocka_unit_test(test_attestations_that_are_none),
        cmocka_unit_test(test_cut_attestations),
        cmocka_unit_test(test_keys_that_are_not_used),
        cmocka_unit_test(test_client_data),
        cmocka_unit_test(test_assertions),
        cmocka_unit_test(test_signatures_of_something_else),
        cmocka_unit_test(test_signatures_have_one_form),
    };
    return cmocka_run_group_tests_name("gateway/identity/webauthn", tests, setup, teardown);
}
