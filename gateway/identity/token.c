/*
 * Validation of bearer tokens.
 *
 *   split -> header -> payload's JSON -> issuer -> key -> signature -> claims -> times
 *
 * Up to the signature everything comes from a stranger, so nothing is done with it but
 * choosing among our own issuers and keys. Members of the header that offer a key (jwk, jku,
 * x5u, x5c) are never looked at.
 */
#include "gateway/identity/token.h"

#include "fhir/format/json.h"

#include <assert.h>
#include <errno.h>
#include <strings.h>

/* One validation: what is known so far. */
struct check {
    struct arena *arena;
    struct jws jws;
    const struct node *header;
    const struct node *payload;
    enum jws_alg alg;
    struct str kid; /* p NULL: none */
    const struct token_issuer *issuer;
};

/* A part of the token as a JSON object. */
static int read_object(struct arena *arena, struct str text, const struct node **out)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root = NULL;
    int r = json_parse(arena, text, &issues, &root);
    if (r < 0) {
        return r;
    }
    if (r || !node_is(root, NODE_OBJECT)) {
        return TOKEN_E_FORM;
    }
    *out = root;
    return 0;
}

static int take_apart(struct check *check, struct str token)
{
    if (token.n > JWS_MAX) {
        return TOKEN_E_FORM;
    }
    uint8_t *memory = arena_alloc(check->arena, token.n);
    if (!memory) {
        return -ENOMEM;
    }
    if (jws_split(token, memory, &check->jws)) {
        return TOKEN_E_FORM;
    }
    int r = read_object(check->arena, check->jws.header, &check->header);
    return r ? r : read_object(check->arena, check->jws.payload, &check->payload);
}

/* Types of token that are for access, in any case; a token without type passes. */
static bool is_access_type(const struct node *header)
{
    static const char *const types[] = { "JWT", "at+jwt", "application/jwt",
                                         "application/at+jwt" };
    if (!node_get(header, "typ")) {
        return true;
    }
    struct str typ = node_text(header, "typ");
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (typ.n == strlen(types[i]) && strncasecmp(typ.p, types[i], typ.n) == 0) {
            return true;
        }
    }
    return false;
}

static int read_header(struct check *check)
{
    const struct node *kid = node_get(check->header, "kid");
    if (node_get(check->header, "crit") || node_get(check->header, "b64") ||
        !is_access_type(check->header)) {
        return TOKEN_E_HEADER;
    }
    if (kid && (!node_is(kid, NODE_STRING) || kid->text.n == 0)) {
        return TOKEN_E_HEADER;
    }
    check->kid = kid ? kid->text : (struct str){ 0 };
    check->alg = jws_alg(node_text(check->header, "alg"));
    return check->alg == JWS_REFUSED ? TOKEN_E_ALGORITHM : 0;
}

static int find_issuer(struct check *check, const struct token_rules *rules)
{
    struct str issuer = node_text(check->payload, "iss");
    for (size_t i = 0; issuer.n && i < rules->count; i++) {
        if (str_eq(rules->issuers[i].issuer, issuer)) {
            check->issuer = &rules->issuers[i];
            return 0;
        }
    }
    return TOKEN_E_ISSUER;
}

static int verify(const struct check *check)
{
    int tries = 0;
    const struct jwks_key *key = NULL;
    if (!check->issuer->keys) {
        return TOKEN_E_KEYS;
    }
    while (tries < TOKEN_TRIES_MAX &&
           (key = jwks_next(check->issuer->keys, check->kid, check->alg, key))) {
        int r = jws_verify(&key->key, check->alg, check->jws.input, check->jws.signature);
        if (r != -EBADMSG) {
            return r;
        }
        tries++;
    }
    return tries ? TOKEN_E_SIGNATURE : TOKEN_E_KEY;
}

static int check_times(const struct claims *claims, int64_t now_ms, int64_t leeway_ms)
{
    if (now_ms >= claims->expires_ms + leeway_ms) {
        return TOKEN_E_EXPIRED;
    }
    if (now_ms + leeway_ms < claims->not_before_ms || now_ms + leeway_ms < claims->issued_ms) {
        return TOKEN_E_EARLY;
    }
    return 0;
}

/* The claims of a token whose signature is right. */
static int read_claims(const struct check *check, const struct token_rules *rules,
                       int64_t now_ms, struct claims *out)
{
    struct claims claims;
    if (claims_read(check->payload, &claims)) {
        return TOKEN_E_CLAIMS;
    }
    if (node_get(check->payload, "cnf")) {
        return TOKEN_E_BOUND;
    }
    claims.audience = claims_audience(check->payload, check->issuer->audience);
    if (!claims.audience.n) {
        return TOKEN_E_AUDIENCE;
    }
    int r = check_times(&claims, now_ms, rules->leeway_ms);
    if (r) {
        return r;
    }
    if (!claims.organization.n) {
        claims.organization = check->issuer->organization;
    }
    *out = claims;
    return 0;
}

int token_check(struct arena *arena, const struct token_rules *rules, struct str token,
                int64_t now_ms, struct claims *out)
{
    assert(rules->leeway_ms >= 0 && rules->leeway_ms <= TOKEN_LEEWAY_MAX_MS);

    struct check check = { .arena = arena };
    int r = take_apart(&check, token);
    r = r ? r : read_header(&check);
    r = r ? r : find_issuer(&check, rules);
    r = r ? r : verify(&check);
    return r ? r : read_claims(&check, rules, now_ms, out);
}

const char *token_reason(enum token_error error)
{
    switch (error) {
    case TOKEN_E_FORM: return "malformed token";
    case TOKEN_E_HEADER: return "unsupported token header";
    case TOKEN_E_ALGORITHM: return "signature algorithm not accepted";
    case TOKEN_E_ISSUER: return "issuer not trusted";
    case TOKEN_E_KEYS: return "the issuer's keys can't be read at the moment";
    case TOKEN_E_KEY: return "signing key unknown";
    case TOKEN_E_SIGNATURE: return "signature invalid";
    case TOKEN_E_CLAIMS: return "claims missing or malformed";
    case TOKEN_E_AUDIENCE: return "token is for another audience";
    case TOKEN_E_EXPIRED: return "token expired";
    case TOKEN_E_EARLY: return "token not valid yet";
    case TOKEN_E_BOUND: return "proof of possession not supported";
    }
    return "token refused";
}
