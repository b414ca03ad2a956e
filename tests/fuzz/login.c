/*
 * What patients send to log in. The first byte says what the rest is:
 * 0 a message of EIP-4361, 1 a DID, 2 an enrolment code, 3 a whole proof.
 */
#include "tests/fuzz/fuzz.h"

#include "gateway/identity/did.h"
#include "gateway/identity/enrol_code.h"
#include "gateway/identity/login_proof.h"
#include "gateway/identity/siwe.h"

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
    const struct login_site site = { STR("https://gw.example/fhir"), &list, 1 };
    struct login_proof proof;
    struct arena *arena = arena_new(4096);
    if (arena && login_proof_check(arena, text, &site, 1795766162000, &proof) == 0 &&
        proof.subject.n == 0) {
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
    switch (data[0] & 3) {
    case 0: fuzz_message(text); break;
    case 1: fuzz_did(text); break;
    case 2: fuzz_code(text); break;
    default: fuzz_proof(text);
    }
    return 0;
}
