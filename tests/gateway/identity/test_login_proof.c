/* Proofs of a login: for this site, this chain, this time, by this key, or none. */
#include "gateway/identity/login_proof.h"

#include "crypto/base/base64.h"
#include "crypto/secp.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "fhir/format/json_write.h"
#include "gateway/identity/siwe.h"
#include "tests/check.h"
#include "tests/fhir/with_arena.h"

#define BASE "https://gw.example/fhir"
#define DID "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp" /* seed of zeros */
#define ADDRESS "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"           /* key 1 */

enum {
    BODY_MAX = 16 << 10,
};

static const char *origins[] = { "https://portal.example", "http://localhost:8080" };
static const struct config_strings all_origins = { origins, ARRAY_LEN(origins) };
static const struct login_site site = { .base = STR_INIT(BASE),
                                        .origins = &all_origins,
                                        .chain = 31337 };
static const int64_t now = INT64_C(1795766162000); /* 2026-11-27T07:56:02Z */

static int check(struct str body, struct login_proof *out)
{
    return login_proof_check(arena, body, &site, now, out);
}

/* --- did:key ------------------------------------------------------------------------------ */

/* What @did sends that signed the lines @text. */
static struct str did_body(const char *did, const char *text, const char *nonce)
{
    struct sign_key key;
    const uint8_t seed[SECRET_SIZE] = { 0 };
    uint8_t signature[SIGN_SIZE];
    struct buf body = arena_buf(arena, BODY_MAX);
    sign_key_from_seed(&key, seed);
    sign_make(&key, str_z(text), signature);
    buf_fmt(&body, "{\"did\":\"%s\",\"nonce\":\"%s\",\"code\":\"C\",\"signature\":\"", did,
            nonce);
    base64_put(&body, BASE64_URL, signature, sizeof(signature));
    buf_z(&body, "\"}");
    assert_false(buf_failed(&body));
    return buf_str(&body);
}

static void test_a_did_signs_site_itself_and_challenge(void **state)
{
    static const struct {
        const char *did, *text, *nonce;
        int want;
    } cases[] = {
        { DID, "chartseal login 1\n" BASE "\n" DID "\nabc", "abc", 0 },
        { DID, "chartseal login 1\n" BASE "\n" DID "\nabc\n", "abc", LOGIN_E_SIGNATURE },
        { DID, "chartseal login 2\n" BASE "\n" DID "\nabc", "abc", LOGIN_E_SIGNATURE },
        { DID, "chartseal login 1\nhttps://evil.example\n" DID "\nabc", "abc",
          LOGIN_E_SIGNATURE },
        { DID, "chartseal login 1\n" BASE "\n" DID "\nabd", "abc", LOGIN_E_SIGNATURE },
        { DID, "chartseal login 1\n" BASE "\ndid:key:zX\nabc", "abc", LOGIN_E_SIGNATURE },
        { DID, "abc", "abc", LOGIN_E_SIGNATURE },
        { "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH",
          "chartseal login 1\n" BASE
          "\ndid:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH\nabc",
          "abc", LOGIN_E_SIGNATURE },
        { "did:web:example.com/a", "chartseal login 1\n" BASE "\ndid:web:example.com/a\nabc",
          "abc", LOGIN_E_DID },
        { "did:ion:abc", "chartseal login 1\n" BASE "\ndid:ion:abc\nabc", "abc", LOGIN_E_DID },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login_proof proof = { .nonce = STR("untouched") };
        struct str body = did_body(cases[i].did, cases[i].text, cases[i].nonce);
        assert_int_equal(check(body, &proof), cases[i].want);
        assert_str(proof.nonce, cases[i].want ? "untouched" : "abc");
        if (cases[i].want == 0) {
            assert_str(proof.subject, DID);
            assert_str(proof.code, "C");
        }
    }
}

#define WEB "did:web:id.example:anna"

/* What it signed counts only with a document that has its key. */
static void test_a_did_web_asks_for_its_document(void **state)
{
    static const struct {
        const char *document;
        int want;
    } cases[] = {
        { "{\"id\":\"" WEB "\",\"authentication\":[{\"id\":\"#1\",\"publicKeyMultibase\":"
          "\"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp\"}]}",
          0 },
        { "{\"id\":\"" WEB "\",\"authentication\":[{\"id\":\"#1\",\"publicKeyMultibase\":"
          "\"z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH\"}]}",
          LOGIN_E_SIGNATURE },
        { "{\"id\":\"" WEB "\"}", LOGIN_E_SIGNATURE },
        { "{\"id\":\"" WEB "2\"}", LOGIN_E_DID },
        { "", LOGIN_E_DID },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login_proof proof;
        struct str body = did_body(WEB, "chartseal login 1\n" BASE "\n" WEB "\nabc", "abc");
        assert_int_equal(check(body, &proof), 0);
        assert_true(proof.asks_document);
        assert_str(proof.place.host, "id.example");
        assert_int_equal(login_proof_with_document(arena, str_z(cases[i].document), &proof),
                         cases[i].want);
    }
}

/* --- Sign-In with Ethereum ---------------------------------------------------------------- */

struct message {
    const char *first, *address, *uri, *chain, *times;
};

static const struct message usual = {
    .first = "portal.example",
    .address = ADDRESS,
    .uri = "https://portal.example/login",
    .chain = "31337",
    .times = "2026-11-27T07:55:00Z",
};

static struct str siwe_text(const struct message *m)
{
    struct buf text = arena_buf(arena, BODY_MAX);
    buf_fmt(&text,
            "%s wants you to sign in with your Ethereum account:\n%s\n\n\nURI: %s\n"
            "Version: 1\nChain ID: %s\nNonce: abcdefgh\nIssued At: %s",
            m->first, m->address, m->uri, m->chain, m->times);
    return buf_str(&text);
}

/* What key 1 sends that signed @m; @mode 1: with high s, 2: with another v, 3: cut. */
static struct str siwe_body(const struct message *m, int mode)
{
    static const uint8_t one[SECRET_SIZE] = { [31] = 1 };
    static const char *const order =
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    struct secp_signer signer;
    struct secp_signature signature;
    uint8_t digest[DIGEST_SIZE];
    uint8_t n[32];
    struct str text = siwe_text(m);
    struct buf body = arena_buf(arena, BODY_MAX);
    siwe_digest(text, digest);
    assert_int_equal(secp_signer_init(&signer, one, digest), 0);
    secp_sign(&signer, digest, &signature);
    secp_signer_deinit(&signer);
    if (mode == 1) {
        int borrow = 0;
        (void)check_unhex(order, n);
        for (int i = 31; i >= 0; i--) {
            int value = n[i] - signature.s[i] - borrow;
            borrow = value < 0;
            signature.s[i] = (uint8_t)value;
        }
    }
    signature.v ^= mode == 1 || mode == 2;
    buf_z(&body, "{\"message\":");
    json_quote(&body, text);
    buf_z(&body, ",\"signature\":\"0x");
    buf_hex(&body, signature.r, 32);
    buf_hex(&body, signature.s, 32);
    buf_fmt(&body, "%s\"}", mode == 3 ? "" : signature.v ? "1c" : "1b");
    assert_false(buf_failed(&body));
    return buf_str(&body);
}

static void test_a_message_is_for_this_site_chain_and_time(void **state)
{
    static const struct {
        const char *first, *uri, *chain, *times;
        int want;
    } cases[] = {
        { NULL, NULL, NULL, NULL, 0 },
        { "https://portal.example", NULL, NULL, NULL, 0 },
        { "localhost:8080", "http://localhost:8080/", NULL, NULL, 0 },
        { "http://portal.example", NULL, NULL, NULL, LOGIN_E_ORIGIN },
        { "portal.example:443", NULL, NULL, NULL, LOGIN_E_ORIGIN },
        { "portal.example.evil.example", NULL, NULL, NULL, LOGIN_E_ORIGIN },
        { "evil.example", NULL, NULL, NULL, LOGIN_E_ORIGIN },
        { "localhost:8080", NULL, NULL, NULL, LOGIN_E_ORIGIN },
        { NULL, "http://portal.example/login", NULL, NULL, LOGIN_E_ORIGIN },
        { NULL, "https://evil.example/login", NULL, NULL, LOGIN_E_ORIGIN },
        { NULL, "https://portal.example@evil.example/", NULL, NULL, LOGIN_E_ORIGIN },
        { NULL, "urn:portal.example", NULL, NULL, LOGIN_E_ORIGIN },
        { NULL, NULL, "1", NULL, LOGIN_E_CHAIN },
        { NULL, NULL, "31338", NULL, LOGIN_E_CHAIN },
        { NULL, NULL, NULL, "2026-11-27T07:56:32Z", 0 }, /* clocks differ */
        { NULL, NULL, NULL, "2026-11-27T07:56:33Z", LOGIN_E_EARLY },
        { NULL, NULL, NULL, "2026-11-27T07:55:00Z\nExpiration Time: 2026-11-27T07:56:02Z",
          LOGIN_E_EXPIRED },
        { NULL, NULL, NULL, "2026-11-27T07:55:00Z\nExpiration Time: 2026-11-27T07:56:02.001Z",
          0 },
        { NULL, NULL, NULL, "2026-11-27T07:55:00Z\nNot Before: 2026-11-27T07:56:02.001Z",
          LOGIN_E_EARLY },
        { NULL, NULL, NULL, "2026-11-27T07:55:00Z\nNot Before: 2026-11-27T07:56:02Z", 0 },
        { NULL, NULL, NULL, "yesterday", LOGIN_E_MESSAGE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct message m = usual;
        struct login_proof proof;
        m.first = cases[i].first ? cases[i].first : m.first;
        m.uri = cases[i].uri ? cases[i].uri : m.uri;
        m.chain = cases[i].chain ? cases[i].chain : m.chain;
        m.times = cases[i].times ? cases[i].times : m.times;
        assert_int_equal(check(siwe_body(&m, 0), &proof), cases[i].want);
        if (cases[i].want == 0) {
            assert_str(proof.subject, "did:pkh:eip155:31337:" ADDRESS);
            assert_str(proof.nonce, "abcdefgh");
            assert_int_equal(proof.code.n, 0);
        }
    }
}

static void test_a_message_is_signed_by_its_account(void **state)
{
    (void)state;
    struct login_proof proof;
    struct message other = usual;
    other.address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_int_equal(check(siwe_body(&usual, 0), &proof), 0);
    assert_int_equal(check(siwe_body(&usual, 1), &proof), LOGIN_E_SIGNATURE); /* high s */
    assert_int_equal(check(siwe_body(&usual, 2), &proof), LOGIN_E_SIGNATURE);
    assert_int_equal(check(siwe_body(&usual, 3), &proof), LOGIN_E_SIGNATURE);
    assert_int_equal(check(siwe_body(&other, 0), &proof), LOGIN_E_SIGNATURE);
}

/* Where accounts may be contracts, what isn't the key's own is put to the contract. */
static void test_contracts_are_asked(void **state)
{
    (void)state;
    struct login_site may = site;
    struct login_proof proof;
    struct message wrong = usual;
    uint8_t digest[DIGEST_SIZE];
    may.contracts = true;
    wrong.chain = "1";
    assert_int_equal(login_proof_check(arena, siwe_body(&usual, 0), &may, now, &proof), 0);
    assert_false(proof.asks_contract);
    assert_int_equal(login_proof_check(arena, siwe_body(&usual, 3), &may, now, &proof), 0);
    assert_true(proof.asks_contract);
    assert_int_equal(proof.account.signature.n, 64);
    assert_hex(proof.account.address, 20, "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
    siwe_digest(siwe_text(&usual), digest);
    assert_memory_equal(proof.account.digest, digest, sizeof(digest));
    assert_str(proof.subject, "did:pkh:eip155:31337:" ADDRESS);
    assert_int_equal(login_proof_check(arena, siwe_body(&wrong, 3), &may, now, &proof),
                     LOGIN_E_CHAIN);
}

static struct str signature_of(size_t n)
{
    struct buf body = arena_buf(arena, 4 * BODY_MAX);
    buf_z(&body, "{\"message\":");
    json_quote(&body, siwe_text(&usual));
    buf_z(&body, ",\"signature\":\"0x");
    for (size_t i = 0; i < n; i++) {
        buf_z(&body, "11");
    }
    buf_z(&body, "\"}");
    assert_false(buf_failed(&body));
    return buf_str(&body);
}

static void test_signatures_of_contracts_have_a_limit(void **state)
{
    static const struct {
        size_t n;
        int want;
    } cases[] = {
        { 0, LOGIN_E_SIGNATURE },
        { 1, 0 },
        { CONTRACT_SIGNATURE_MAX, 0 },
        { CONTRACT_SIGNATURE_MAX + 1, LOGIN_E_SIGNATURE },
    };
    (void)state;
    struct login_site may = site;
    may.contracts = true;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login_proof proof;
        assert_int_equal(login_proof_check(arena, signature_of(cases[i].n), &may, now, &proof),
                         cases[i].want);
    }
}

/* --- both --------------------------------------------------------------------------------- */

static void test_what_is_no_proof(void **state)
{
    static const char *const cases[] = {
        "",
        "{",
        "[]",
        "null",
        "\"did\"",
        "{}",
        "{\"code\":\"C\"}",
        "{\"did\":\"" DID "\",\"message\":\"m\"}",
        "{\"did\":\"" DID "\",\"did\":\"" DID "\"}",
    };
    (void)state;
    struct login_proof proof;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(check(str_z(cases[i]), &proof), LOGIN_E_FORM);
    }
    assert_int_equal(check(STR("{\"did\":1}"), &proof), LOGIN_E_DID);
    assert_int_equal(check(STR("{\"did\":\"" DID "\"}"), &proof), LOGIN_E_SIGNATURE);
    assert_int_equal(check(STR("{\"message\":1}"), &proof), LOGIN_E_MESSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_did_signs_site_itself_and_challenge),
        cmocka_unit_test(test_a_did_web_asks_for_its_document),
        cmocka_unit_test(test_a_message_is_for_this_site_chain_and_time),
        cmocka_unit_test(test_a_message_is_signed_by_its_account),
        cmocka_unit_test(test_contracts_are_asked),
        cmocka_unit_test(test_signatures_of_contracts_have_a_limit),
        cmocka_unit_test(test_what_is_no_proof),
    };
    return secret_start() < 0 ? 1
                              : cmocka_run_group_tests_name("gateway/identity/login_proof",
                                                            tests, open_arena, close_arena);
}
