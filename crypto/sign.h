/* Ed25519 signatures. Spec: RFC 8032 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/secret.h"

#include <stdint.h>

enum {
    SIGN_PUBLIC_SIZE = 32,
    SIGN_SIZE = 64,
};

/* A signing key: wipe it after use. */
struct sign_key {
    uint8_t secret[SECRET_SIZE + SIGN_PUBLIC_SIZE]; /* seed, public key */
};

/* The key of 32 random bytes @seed. */
void sign_key_from_seed(struct sign_key *key, const uint8_t seed[SECRET_SIZE]);

/* Public part of @key. */
void sign_public(const struct sign_key *key, uint8_t out[SIGN_PUBLIC_SIZE]);

/* Sign @message; the same message gives the same signature. */
void sign_make(const struct sign_key *key, struct str message, uint8_t out[SIGN_SIZE]);

/* Return: 0, or -EBADMSG: not signed by @public_key, or key or signature of a weak form. */
MUST_USE int sign_verify(const uint8_t public_key[SIGN_PUBLIC_SIZE], struct str message,
                         struct str signature);
