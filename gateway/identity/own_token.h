/*
 * The gateway's own tokens: what a patient gets who has logged in.
 *
 * JWTs signed with Ed25519, for the listener that issued them and nobody else, short-lived; the
 * session they name (jti) is looked for at each use, so they end when it does.
 *
 * Spec: RFC 7519, RFC 8037, RFC 9068; SMART App Launch 2.2 for the scopes
 */
#pragma once

#include "crypto/base/buf.h"
#include "crypto/sign.h"
#include "gateway/identity/jwks.h"

/* What a patient may: read and search what is about him or her, file and answer for consents.
 */
#define OWN_TOKEN_SCOPE "patient/*.rs patient/Consent.cu"

/* The purpose of a patient's requests, a code of v3 PurposeOfUse. */
#define OWN_TOKEN_PURPOSE "PATRQT"

/* @base: of the listener: issuer and audience. Times in ms since 1970 */
struct own_token {
    struct str base;
    struct str subject; /* a DID */
    uint8_t session[16];
    int64_t issued;
    int64_t expires;
};

/* Append the token, signed. */
void own_token_put(struct buf *out, const struct own_token *token, const struct sign_key *key);

/* The set of keys that verifies them. Return: 0, or as jwks_parse() */
MUST_USE int own_token_keys(const struct sign_key *key, struct jwks **out);
