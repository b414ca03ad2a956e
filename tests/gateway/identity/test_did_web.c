/* did:web: where a document is, and which of its keys log in. */
#include "gateway/identity/did_web.h"

#include "crypto/secret.h"
#include "tests/check.h"
#include "tests/fhir/with_arena.h"

#define DID "did:web:id.example:anna"
#define KEY "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp" /* seed of zeros */
#define HEX "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29"
#define JWK                                                                                    \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"                                              \
    "\"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik\"}"
#define METHOD(id)                                                                             \
    "{\"id\":\"" id "\",\"type\":\"Multikey\",\"publicKeyMultibase\":\"" KEY "\"}"
#define DOCUMENT(methods, authentication)                                                      \
    "{\"id\":\"" DID "\",\"verificationMethod\":[" methods "],\"authentication\":"             \
    "[" authentication "]}"

static void test_where_documents_are(void **state)
{
    static const struct {
        const char *did, *host, *target; /* NULL: refused */
    } cases[] = {
        { "did:web:w3c-ccg.github.io", "w3c-ccg.github.io", "/.well-known/did.json" },
        { "did:web:w3c-ccg.github.io:user:alice", "w3c-ccg.github.io", "/user/alice/did.json" },
        { "did:web:example.com%3A3000:user:alice", "example.com:3000", "/user/alice/did.json" },
        { "did:web:example.com%3A3000", "example.com:3000", "/.well-known/did.json" },
        { "did:web:", NULL, NULL },
        { "did:web:example.com:", NULL, NULL },
        { "did:web::alice", NULL, NULL },
        { "did:web:example.com::alice", NULL, NULL },
        { "did:web:example.com:..:alice", NULL, NULL },
        { "did:web:example.com:.", NULL, NULL },
        { "did:web:example.com:a%2Fb", NULL, NULL },
        { "did:web:example.com/a", NULL, NULL },
        { "did:web:example.com:a?b", NULL, NULL },
        { "did:web:example.com:a#b", NULL, NULL },
        { "did:web:user@example.com", NULL, NULL },
        { "did:web:example.com%3a3000", NULL, NULL },
        { "did:web:example.com%3A", NULL, NULL },
        { "did:web:example.com%3A123456", NULL, NULL },
        { "did:web:example.com%3A80%3A80", NULL, NULL },
        { "did:web:.example.com", NULL, NULL },
        { "did:web:[::1]", NULL, NULL },
        { "did:key:" KEY, NULL, NULL },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct did_web_place place;
        int r = did_web_place(arena, str_z(cases[i].did), &place);
        if (r != (cases[i].host ? 0 : DID_WEB_E_FORM)) {
            print_error("%s: %d\n", cases[i].did, r);
            fail();
        }
        if (cases[i].host) {
            assert_str(place.host, cases[i].host);
            assert_str(place.target, cases[i].target);
        }
    }
}

static void test_keys_for_authentication(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        { DOCUMENT(METHOD(DID "#1"), "\"" DID "#1\""), 1 },
        { DOCUMENT(METHOD(DID "#1"), "\"#1\""), 1 },
        { DOCUMENT(METHOD("#1"), "\"" DID "#1\""), 1 },
        { DOCUMENT(METHOD("#1"), "\"#1\""), 1 },
        { DOCUMENT("", METHOD("#1")), 1 },
        { DOCUMENT("{\"id\":\"#1\",\"publicKeyJwk\":" JWK "}", "\"#1\""), 1 },
        { DOCUMENT(METHOD("#1") "," METHOD("#2"), "\"#2\",\"#1\""), 2 },
        { DOCUMENT(METHOD("#1"), ""), 0 },       /* not for that */
        { DOCUMENT(METHOD("#1"), "\"#2\""), 0 }, /* not there */
        { DOCUMENT(METHOD("#1"), "\"1\",\"\",1"), 0 },
        { DOCUMENT(METHOD("did:web:evil.example#1"), "\"did:web:evil.example#1\""), 0 },
        { DOCUMENT(METHOD(DID ":more#1"), "\"" DID ":more#1\""), 0 },
        { DOCUMENT("{\"id\":\"#1\",\"publicKeyJwk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
                   "\"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik\"}}",
                   "\"#1\""),
          0 },
        { DOCUMENT("{\"id\":\"#1\",\"publicKeyJwk\":{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":"
                   "\"AA\",\"x\":\"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik\"}}",
                   "\"#1\""),
          0 }, /* its private part is there */
        { DOCUMENT("{\"id\":\"#1\",\"publicKeyMultibase\":\"u7QEA\"}", "\"#1\""), 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct did_web_keys keys;
        assert_int_equal(did_web_read(arena, str_z(cases[i].text), STR(DID), &keys), 0);
        if (keys.count != cases[i].count) {
            print_error("%s: %zu\n", cases[i].text, keys.count);
            fail();
        }
        if (keys.count) {
            assert_hex(keys.keys[0].bytes, 32, HEX);
        }
    }
}

/* The points of RFC 7515 A.3, and twice the generator of secp256k1. */
static void test_jwks_on_curves(void **state)
{
#define EC(crv, x, y)                                                                          \
    DOCUMENT("{\"id\":\"#1\",\"publicKeyJwk\":{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x  \
             "\",\"y\":\"" y "\"}}",                                                           \
             "\"#1\"")
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        { EC("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
             "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
          1 },
        { EC("P-256", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
             "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
          0 },
        { EC("secp256k1", "xgR_lEHtfW0wRUBulcB82FwnjnuM7zynq5EJueVc7uU",
             "GuFo_qY9wzmjxYQZRm6u63-mMmUyZtAj8SNqlQz_5So"),
          0 }, /* another y */
        { EC("P-384", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
             "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
          0 },
        { EC("P-256", "AA", "AA"), 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct did_web_keys keys;
        assert_int_equal(did_web_read(arena, str_z(cases[i].text), STR(DID), &keys), 0);
        assert_int_equal(keys.count, cases[i].count);
    }
}

static void test_what_is_no_document_of_it(void **state)
{
    static const char *const cases[] = {
        "", "{", "[]", "{}", "{\"id\":\"did:web:id.example\"}", "{\"id\":\"" DID ":x\"}",
    };
    (void)state;
    struct did_web_keys keys;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(did_web_read(arena, str_z(cases[i]), STR(DID), &keys), DID_WEB_E_FORM);
    }
}

static void test_a_document_may_have_many_keys(void **state)
{
    (void)state;
    for (size_t n = DID_WEB_KEYS_MAX; n <= DID_WEB_KEYS_MAX + 1; n++) {
        struct buf text = arena_buf(arena, 8 << 10);
        struct did_web_keys keys;
        buf_z(&text, "{\"id\":\"" DID "\",\"authentication\":[");
        for (size_t i = 0; i < n; i++) {
            buf_z(&text, i ? "," METHOD("#1") : METHOD("#1"));
        }
        buf_z(&text, "]}");
        assert_int_equal(did_web_read(arena, buf_str(&text), STR(DID), &keys), 0);
        assert_int_equal(keys.count, DID_WEB_KEYS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_documents_are),
        cmocka_unit_test(test_keys_for_authentication),
        cmocka_unit_test(test_jwks_on_curves),
        cmocka_unit_test(test_what_is_no_document_of_it),
        cmocka_unit_test(test_a_document_may_have_many_keys),
    };
    return secret_start() < 0 ? 1
                              : cmocka_run_group_tests_name("gateway/identity/did_web", tests,
                                                            open_arena, close_arena);
}
