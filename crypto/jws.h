/*
 * Signed tokens in compact form, and the public keys that verify them.
 *
 * The key says which algorithms are possible; the token's header must agree. What the header
 * and the payload hold is JSON and read elsewhere (gateway/identity).
 *
 * Spec: RFC 7515, RFC 7518, RFC 8037
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/sign.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JWS_MAX = 16 << 10, /* bytes of a token */
    JWS_RSA_MIN = 2048, /* bits of a modulus */
    JWS_RSA_MAX = 8192, /* a longer one costs its verifier too much */
    JWS_RSA_E_MAX = 8,  /* bytes of a public exponent, same reason */
};

enum {
    JWS_E_FORM = 1, /* no compact token, or too long */
    JWS_E_KEY = 2,  /* a key that is broken, weak or of a kind we don't use */
};

enum jws_alg {
    JWS_REFUSED, /* every name not below: none, HS256, ES256K, … */
    JWS_ES256,
    JWS_ES384,
    JWS_RS256,
    JWS_RS384,
    JWS_PS256,
    JWS_PS384,
    JWS_EDDSA, /* Ed25519 only */
    JWS_ALG_COUNT,
};

/* The parts of a token. Spans borrow from the token and from the memory given. */
struct jws {
    struct str input;     /* what is signed: the first two parts as they came */
    struct str header;    /* decoded: JSON, not yet read */
    struct str payload;   /* decoded */
    struct str signature; /* decoded */
};

/**
 * jws_split() - take a compact token apart
 * @token:  the token
 * @memory: room for token.n bytes, at most JWS_MAX
 * @out:    its parts
 *
 * Return: 0 or JWS_E_FORM: not three parts of strict base64url, an empty header or signature,
 * or longer than JWS_MAX. @out is set only on 0.
 */
MUST_USE int jws_split(struct str token, uint8_t *memory, struct jws *out);

/* The algorithm of exactly this name, JWS_REFUSED for every other. */
enum jws_alg jws_alg(struct str name);

/* Its name, a literal. */
const char *jws_alg_name(enum jws_alg alg);

/* Members of a JWK, as text; those that are absent are empty. */
struct jws_jwk {
    struct str kty, crv, x, y, n, e;
};

enum jws_key_kind {
    JWS_KEY_RSA,
    JWS_KEY_P256,
    JWS_KEY_P384,
    JWS_KEY_ED25519,
};

struct evp_pkey_st;

/* A public key. */
struct jws_key {
    enum jws_key_kind kind;
    struct evp_pkey_st *pkey;          /* owned; NULL for Ed25519 */
    uint8_t ed25519[SIGN_PUBLIC_SIZE]; /* only for Ed25519 */
};

/**
 * jws_key_init() - import a public key
 * @key: the key
 * @jwk: its members
 *
 * Return: 0, JWS_E_KEY (a point off its curve, a modulus out of bounds or known to be
 * factorable, numbers not of their exact length, an unknown kind). @key is set, and needs
 * jws_key_deinit(), only on 0.
 */
MUST_USE int jws_key_init(struct jws_key *key, const struct jws_jwk *jwk);

/* The same for a point of P-256: 0x04, x, y, or 0x02 or 0x03, x. */
MUST_USE int jws_key_init_p256(struct jws_key *key, struct str point);
void jws_key_deinit(struct jws_key *key);

/* May a token verified by @key name @alg? */
bool jws_key_allows(const struct jws_key *key, enum jws_alg alg);

/* Return: 0, or -EBADMSG: not signed by @key with @alg, whatever the reason; -ENOMEM. */
MUST_USE int jws_verify(const struct jws_key *key, enum jws_alg alg, struct str input,
                        struct str signature);
