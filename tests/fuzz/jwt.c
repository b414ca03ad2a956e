/*
 * Bearer tokens and key sets. The first byte says what the rest is:
 * 0 a token, 1 the JSON of claims, 2 a key set, 3 scopes.
 */
#include "tests/fuzz/fuzz.h"

#include "fhir/format/json.h"
#include "gateway/identity/scope.h"
#include "gateway/identity/token.h"

#include <stdlib.h>

/* The public keys of RFC 7515 A.3 and RFC 8037 A.4. */
static const char document[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
                               "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                               "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
                               "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

static void fuzz_token(struct arena *arena, struct str text)
{
    static struct jwks *keys;
    if (!keys && jwks_parse(str_z(document), &keys) != 0) {
        abort();
    }
    const struct token_issuer issuer = { .issuer = STR("joe"),
                                         .audience = STR("us"),
                                         .keys = keys };
    const struct token_rules rules = { .issuers = &issuer, .count = 1 };
    struct claims claims;
    if (token_check(arena, &rules, text, 1300819379000, &claims) == 0) {
        abort(); /* the one valid signature known is of a token for nobody */
    }
}

static void fuzz_claims(struct arena *arena, struct str text)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    struct claims claims;
    if (json_parse(arena, text, &issues, &root) == 0 && claims_read(root, &claims) == 0) {
        claims.audience = claims_audience(root, STR("us"));
        if (claims_copy(arena, &claims, &claims) < 0) {
            return;
        }
        (void)scope_contexts(claims.scope, STR("Patient"), SCOPE_READ);
    }
}

static void fuzz_keys(struct str text)
{
    struct jwks *set = NULL;
    if (jwks_parse(text, &set) == 0) {
        (void)jwks_next(set, STR("a"), JWS_ES256, NULL);
        jwks_free(set);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = size ? arena_new(4096) : NULL;
    if (!arena) {
        return 0;
    }
    struct str text = str_of(data + 1, size - 1);
    switch (data[0] & 3) {
    case 0: fuzz_token(arena, text); break;
    case 1: fuzz_claims(arena, text); break;
    case 2: fuzz_keys(text); break;
    default: (void)scope_contexts(text, STR("Observation"), SCOPE_READ | SCOPE_SEARCH);
    }
    arena_free(arena);
    return 0;
}
