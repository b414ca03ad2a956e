/* Ed25519 on libsodium, which refuses keys of small order and malleable signatures. */
#include "crypto/sign.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

static_assert(sizeof(struct sign_key) == crypto_sign_ed25519_SECRETKEYBYTES, "secret key");
static_assert(SIGN_PUBLIC_SIZE == crypto_sign_ed25519_PUBLICKEYBYTES, "public key");
static_assert(SIGN_SIZE == crypto_sign_ed25519_BYTES, "signature");

void sign_key_from_seed(struct sign_key *key, const uint8_t seed[SECRET_SIZE])
{
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    (void)crypto_sign_ed25519_seed_keypair(public_key, key->secret, seed);
}

void sign_public(const struct sign_key *key, uint8_t out[SIGN_PUBLIC_SIZE])
{
    memcpy(out, key->secret + SECRET_SIZE, SIGN_PUBLIC_SIZE);
}

void sign_make(const struct sign_key *key, struct str message, uint8_t out[SIGN_SIZE])
{
    (void)crypto_sign_ed25519_detached(out, NULL, (const unsigned char *)message.p, message.n,
                                       key->secret);
}

int sign_verify(const uint8_t public_key[SIGN_PUBLIC_SIZE], struct str message,
                struct str signature)
{
    if (signature.n != SIGN_SIZE) {
        return -EBADMSG;
    }
    int r = crypto_sign_ed25519_verify_detached((const unsigned char *)signature.p,
                                                (const unsigned char *)message.p, message.n,
                                                public_key);
    return r == 0 ? 0 : -EBADMSG;
}
