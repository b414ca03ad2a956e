/*
 * Sealing on libsodium's XChaCha20-Poly1305 and keyed BLAKE2b.
 *
 * Associated data, all integers big-endian:
 *
 *     label "chartseal seal 1", tenant's length (2), tenant, patient (16),
 *     kind (4), version (4), key id (16)
 *
 * Only the tenant varies in length and that is written before it, so no two different
 * descriptions give the same bytes. The payload's id isn't there: it is in the subkey.
 */
#include "crypto/seal.h"

#include "crypto/base/buf.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

static const char label[16] = "chartseal seal 1";
static const uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] = "chartseal subkey";

static_assert(SECRET_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
static_assert(SEAL_NONCE_SIZE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce size");
static_assert(SEAL_TAG_SIZE == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag size");
static_assert(SEAL_ID_SIZE == crypto_generichash_blake2b_SALTBYTES, "the id is the salt");

size_t seal_aad(const struct seal_about *about, uint8_t out[SEAL_AAD_MAX])
{
    assert(about->tenant.n <= SEAL_TENANT_MAX);

    struct buf b = buf_fixed(out, SEAL_AAD_MAX);
    buf_put(&b, label, sizeof(label));
    buf_be16(&b, (uint16_t)about->tenant.n);
    buf_str_put(&b, about->tenant);
    buf_put(&b, about->patient, SEAL_ID_SIZE);
    buf_be32(&b, (uint32_t)about->kind);
    buf_be32(&b, about->version);
    buf_put(&b, about->key_id, SEAL_ID_SIZE);
    assert(!buf_failed(&b));
    return b.n;
}

/* As libsodium's crypto_kdf, with the whole 16-byte id where that takes a number. */
static void subkey(const uint8_t key[SECRET_SIZE], const uint8_t id[SEAL_ID_SIZE],
                   uint8_t out[SECRET_SIZE])
{
    int r = crypto_generichash_blake2b_salt_personal(out, SECRET_SIZE, NULL, 0, key,
                                                     SECRET_SIZE, id, personal);
    assert(r == 0);
    (void)r;
}

void seal_close(const uint8_t key[SECRET_SIZE], const struct seal_about *about,
                const uint8_t nonce[SEAL_NONCE_SIZE], struct str plain, uint8_t *out)
{
    uint8_t aad[SEAL_AAD_MAX];
    size_t aad_n = seal_aad(about, aad);
    uint8_t own[SECRET_SIZE];
    subkey(key, about->id, own);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, (const unsigned char *)plain.p,
                                                     plain.n, aad, aad_n, NULL, nonce, own);
    secret_wipe(own, sizeof(own));
}

int seal_open(const uint8_t key[SECRET_SIZE], const struct seal_about *about,
              const uint8_t nonce[SEAL_NONCE_SIZE], struct str sealed, uint8_t *out)
{
    if (sealed.n < SEAL_TAG_SIZE) {
        return -EBADMSG;
    }
    uint8_t aad[SEAL_AAD_MAX];
    size_t aad_n = seal_aad(about, aad);
    uint8_t own[SECRET_SIZE];
    subkey(key, about->id, own);
    int r = crypto_aead_xchacha20poly1305_ietf_decrypt(
        out, NULL, NULL, (const unsigned char *)sealed.p, sealed.n, aad, aad_n, nonce, own);
    secret_wipe(own, sizeof(own));
    if (r != 0) {
        secret_wipe(out, sealed.n - SEAL_TAG_SIZE);
        return -EBADMSG;
    }
    return 0;
}
