/*
 * Bearer tokens: is it signed by an issuer we trust, for us, now, and what does it say?
 *
 * Pure: keys and time are passed in. A token is refused unless everything about it is
 * understood and right.
 *
 * Spec: RFC 7519, RFC 8725, RFC 9068; HL7 UDAP Security IG (hl7-b2b), IHE IUA (ihe_iua)
 */
#pragma once

#include "crypto/jws.h"
#include "fhir/base/arena.h"
#include "gateway/identity/claims.h"
#include "gateway/identity/jwks.h"

#include <stdint.h>

enum {
    TOKEN_TRIES_MAX = 4, /* keys tried for a token that doesn't name one */
    TOKEN_LEEWAY_MAX_MS = 5 * 60 * 1000,
};

/* Why a token is refused. */
enum token_error {
    TOKEN_E_FORM = 1,  /* no compact token, or its parts are no JSON objects */
    TOKEN_E_HEADER,    /* crit, b64, or a type that is no access token's */
    TOKEN_E_ALGORITHM, /* none, HS256, and all else that isn't on the list */
    TOKEN_E_ISSUER,    /* not one of ours */
    TOKEN_E_KEYS,      /* the issuer's key set couldn't be read yet: nobody can tell */
    TOKEN_E_KEY,       /* the issuer has no such key; its set may have changed since */
    TOKEN_E_SIGNATURE,
    TOKEN_E_CLAIMS,   /* one is missing, of the wrong type, or contradicts another */
    TOKEN_E_AUDIENCE, /* meant for somebody else */
    TOKEN_E_EXPIRED,
    TOKEN_E_EARLY, /* not valid yet, or issued in the future */
    TOKEN_E_BOUND, /* bound to a key (cnf) whose possession isn't proved here */
};

/*
 * @keys:         replaced when the issuer's document is read again; NULL: none yet
 * @organization: of the issuer's users where the token names none; may be empty
 */
struct token_issuer {
    struct str issuer;
    struct str audience;
    struct str organization;
    const struct jwks *keys; /* borrowed; NULL: not read yet */
};

struct token_rules {
    const struct token_issuer *issuers; /* borrowed */
    size_t count;
    int64_t leeway_ms; /* for clocks that differ; at most TOKEN_LEEWAY_MAX_MS */
};

/**
 * token_check() - validate a bearer token
 * @arena:  memory for the claims
 * @rules:  whom we trust
 * @token:  the token
 * @now_ms: the time, UTC
 * @out:    what it says; spans borrow from @arena and from @rules
 *
 * Return: 0, an enum token_error, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int token_check(struct arena *arena, const struct token_rules *rules, struct str token,
                         int64_t now_ms, struct claims *out);

/*
 * The reason as a short text, a literal without quotes or content of the token, fit for
 * error_description in WWW-Authenticate and for log lines.
 */
const char *token_reason(enum token_error error);
