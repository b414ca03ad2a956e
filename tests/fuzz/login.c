/*
 * What patients send to log in. The first byte says what the rest is:
 * 0 a message of EIP-4361, 1 a DID, 2 an enrolment code, 3 a whole proof, 4 CBOR, 5 what an
 * authenticator says of a key that it made, 6 what it says when it signs, 7 a document of
 * did:web.
 */
#include "tests/fuzz/fuzz.h"

#include "crypto/cbor.h"
#include "gateway/identity/did.h"
#include "gateway/identity/did_web.h"
#include "gateway/identity/enrol_code.h"
#include "gateway/identity/login_proof.h"
#include "gateway/identity/siwe.h"
#include "gateway/identity/webauthn.h"

#include <stdlib.h>

static void fuzz_message(struct str text)
{
    struct siwe message;
    uint8_t digest[DIGEST_SIZE];
    if (siwe_parse(text, &message) != 0) {
        return;
    }
    siwe_digest(text, digest);
    if (message.domain.n == 0 || message.uri.n == 0 || message.nonce.n < SIWE_NONCE_MIN ||
        memchr(message.domain.p, '\n', message.domain.n)) {
        abort();
    }
}

static void fuzz_did(struct str text)
{
    struct did_key key;
    uint8_t signature[64] = { 1 };
    if (did_key_parse(text, &key) == 0 &&
        did_key_verify(&key, STR("text"), str_of(signature, sizeof(signature))) == 0) {
        abort();
    }
}

/* Where a did:web leads, and what a document says. */
static void fuzz_document(struct str text)
{
    struct did_web_place place;
    struct did_web_keys keys;
    struct arena *arena = arena_new(4096);
    if (arena && did_web_place(arena, text, &place) == 0 &&
        (place.host.n == 0 || place.target.p[0] != '/' ||
         memmem(place.target.p, place.target.n, "/../", 4))) {
        abort();
    }
    if (arena && did_web_read(arena, text, STR("did:web:a"), &keys) == 0 &&
        keys.count > DID_WEB_KEYS_MAX) {
        abort();
    }
    arena_free(arena);
}

static void fuzz_code(struct str text)
{
    char code[ENROL_CODE_SIZE];
    if (enrol_code_read(text, code) == 0 && text.n < sizeof(code)) {
        abort();
    }
}

static void fuzz_proof(struct str text)
{
    static const char *origins[] = { "https://portal.example" };
    static const struct config_strings list = { origins, 1 };
    const struct login_site site = { STR("https://gw.example/fhir"), &list, 1,
                                     STR("portal.example"), true };
    struct login_proof proof;
    struct arena *arena = arena_new(4096);
    if (arena && login_proof_check(arena, text, &site, 1795766162000, &proof) == 0 &&
        proof.subject.n == 0) {
        abort();
    }
    arena_free(arena);
}

/* A value that was skipped begins as one of its kind does, and is read again. */
static void fuzz_cbor(struct str bytes)
{
    struct cbor c = cbor(bytes);
    cbor_skip(&c);
    if (c.failed) {
        return;
    }
    struct cbor again = cbor(str_slice(bytes, 0, bytes.n - c.rest.n));
    cbor_skip(&again);
    if (!cbor_ended(&again)) {
        abort();
    }
}

static const char *passkey_origins[] = { "https://example.org" };
static const struct config_strings passkey_list = { passkey_origins, 1 };
static const struct webauthn_site passkey_site = { STR_INIT("example.org"), &passkey_list };

static void fuzz_attestation(struct str bytes)
{
    const struct str client = STR("{\"type\":\"webauthn.create\",\"challenge\":\"QUJDRA\","
                                  "\"origin\":\"https://example.org\"}");
    struct webauthn_made made;
    struct arena *arena = arena_new(4096);
    if (arena && webauthn_register(arena, client, bytes, &passkey_site, &made) == 0 &&
        (made.id.n == 0 || made.id.n > WEBAUTHN_ID_MAX || made.id.p < bytes.p ||
         made.id.p + made.id.n > bytes.p + bytes.n)) {
        abort();
    }
    arena_free(arena);
}

/* The first half signs, so to say, the second. */
static void fuzz_assertion(struct str bytes)
{
    const struct webauthn_assertion made = {
        .client = STR("{\"type\":\"webauthn.get\",\"challenge\":\"QUJDRA\","
                      "\"origin\":\"https://example.org\"}"),
        .authenticator = str_slice(bytes, bytes.n / 2, bytes.n),
        .signature = str_slice(bytes, 0, bytes.n / 2),
    };
    struct webauthn_seen seen;
    struct did_key key;
    struct arena *arena = arena_new(4096);
    if (arena &&
        did_key_parse(STR("did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"), &key) ==
            0 &&
        webauthn_assert(arena, &made, &passkey_site, &key, &seen) == 0) {
        abort();
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str text = str_of(data + 1, size - 1);
    switch (data[0] & 7) {
    case 0: fuzz_message(text); break;
    case 1: fuzz_did(text); break;
    case 2: fuzz_code(text); break;
    case 3: fuzz_proof(text); break;
    case 4: fuzz_cbor(text); break;
    case 5: fuzz_attestation(text); break;
    case 6: fuzz_assertion(text); break;
    default: fuzz_document(text);
    }
    return 0;
}
