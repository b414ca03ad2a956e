/*
 * Derivation by keyed BLAKE2b, wrapping by XChaCha20-Poly1305.
 *
 * A derived key is BLAKE2b-256 under its parent of
 *
 *     label "chartseal derive", use (4), tenant's length (2), tenant
 *
 * and a wrap is authenticated with
 *
 *     label "chartseal wrap 1", tenant's length (2), tenant, patient (16), key id (16)
 *
 * The labels keep this, seal.c's data and each other apart. Integers are big-endian.
 */
#include "crypto/keyring.h"

#include "crypto/base/base64.h"
#include "crypto/base/buf.h"
#include "crypto/base/hex.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>

enum {
    LABEL_SIZE = 16,
    WRAP_AAD_MAX = LABEL_SIZE + 2 + SEAL_TENANT_MAX + SEAL_ID_SIZE + SEAL_ID_SIZE,
    /* 32 random bytes have at least this many different values, but once in 2^60. */
    DIFFERENT_MIN = 16,
};

static const char derive_label[LABEL_SIZE] = "chartseal derive";
static const char wrap_label[LABEL_SIZE] = "chartseal wrap 1";
static const char root_label[LABEL_SIZE] = "chartseal rootid";

/* Typed text, as in a base64 of "change me …": every byte printable. */
static bool is_text(const uint8_t *key)
{
    size_t printable = 0;
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        printable += key[i] >= 0x20 && key[i] < 0x7f;
    }
    return printable == SECRET_SIZE;
}

/* Bytes that go up or down evenly, as 000102…. */
static bool is_counted(const uint8_t *key)
{
    uint8_t step = (uint8_t)(key[1] - key[0]);
    for (size_t i = 2; i < SECRET_SIZE; i++) {
        if ((uint8_t)(key[i] - key[i - 1]) != step) {
            return false;
        }
    }
    return true;
}

/* Too few different bytes, as in 00…, deadbeef…, 0123456789abcdef…. */
static bool is_repeated(const uint8_t *key)
{
    bool seen[256] = { false };
    size_t different = 0;
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        different += !seen[key[i]];
        seen[key[i]] = true;
    }
    return different < DIFFERENT_MIN;
}

int keyring_root_parse(struct str text, uint8_t root[SECRET_SIZE])
{
    if (str_ends(text, STR("\n"))) {
        text.n--;
    }
    if (str_ends(text, STR("\r"))) {
        text.n--;
    }
    size_t n = 0;
    if (hex_decode(text, root, SECRET_SIZE) == 0) {
        n = SECRET_SIZE;
    } else if (base64_decode(BASE64_USUAL, text, root, SECRET_SIZE, &n) < 0) {
        n = 0;
    }
    int r = 0;
    if (n != SECRET_SIZE) {
        r = KEYRING_E_FORM;
    } else if (is_text(root) || is_counted(root) || is_repeated(root)) {
        r = KEYRING_E_WEAK;
    }
    if (r) {
        secret_wipe(root, SECRET_SIZE);
    }
    return r;
}

/* BLAKE2b under @key; the parameters are right by construction. */
static void keyed_hash(const uint8_t key[SECRET_SIZE], struct str in, uint8_t *out, size_t n)
{
    int r =
        crypto_generichash_blake2b(out, n, (const unsigned char *)in.p, in.n, key, SECRET_SIZE);
    assert(r == 0);
    (void)r;
}

void keyring_root_id(const uint8_t root[SECRET_SIZE], uint8_t id[KEYRING_ROOT_ID_SIZE])
{
    uint8_t hash[SECRET_SIZE];
    keyed_hash(root, str_of(root_label, LABEL_SIZE), hash, sizeof(hash));
    memcpy(id, hash, KEYRING_ROOT_ID_SIZE);
    secret_wipe(hash, sizeof(hash));
}

void keyring_derive(const uint8_t parent[SECRET_SIZE], enum keyring_use use, struct str tenant,
                    uint8_t out[SECRET_SIZE])
{
    assert(tenant.n <= SEAL_TENANT_MAX);

    char memory[LABEL_SIZE + 4 + 2 + SEAL_TENANT_MAX];
    struct buf b = buf_fixed(memory, sizeof(memory));
    buf_put(&b, derive_label, LABEL_SIZE);
    buf_be32(&b, (uint32_t)use);
    buf_be16(&b, (uint16_t)tenant.n);
    buf_str_put(&b, tenant);
    keyed_hash(parent, buf_str(&b), out, SECRET_SIZE);
}

static size_t wrap_aad(const struct keyring_owner *owner, uint8_t out[WRAP_AAD_MAX])
{
    assert(owner->tenant.n <= SEAL_TENANT_MAX);

    struct buf b = buf_fixed(out, WRAP_AAD_MAX);
    buf_put(&b, wrap_label, LABEL_SIZE);
    buf_be16(&b, (uint16_t)owner->tenant.n);
    buf_str_put(&b, owner->tenant);
    buf_put(&b, owner->patient, SEAL_ID_SIZE);
    buf_put(&b, owner->key_id, SEAL_ID_SIZE);
    return b.n;
}

void keyring_wrap(const uint8_t wrap_key[SECRET_SIZE], const struct keyring_owner *owner,
                  const uint8_t nonce[SEAL_NONCE_SIZE], const uint8_t key[SECRET_SIZE],
                  uint8_t out[KEYRING_WRAPPED_SIZE])
{
    uint8_t aad[WRAP_AAD_MAX];
    size_t aad_n = wrap_aad(owner, aad);
    memcpy(out, nonce, SEAL_NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + SEAL_NONCE_SIZE, NULL, key, SECRET_SIZE, aad, aad_n, NULL, nonce, wrap_key);
}

int keyring_unwrap(const uint8_t wrap_key[SECRET_SIZE], const struct keyring_owner *owner,
                   struct str wrapped, uint8_t key[SECRET_SIZE])
{
    if (wrapped.n != KEYRING_WRAPPED_SIZE) {
        return -EBADMSG;
    }
    uint8_t aad[WRAP_AAD_MAX];
    size_t aad_n = wrap_aad(owner, aad);
    const unsigned char *nonce = (const unsigned char *)wrapped.p;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(key, NULL, NULL, nonce + SEAL_NONCE_SIZE,
                                                   wrapped.n - SEAL_NONCE_SIZE, aad, aad_n,
                                                   nonce, wrap_key) != 0) {
        secret_wipe(key, SECRET_SIZE);
        return -EBADMSG;
    }
    return 0;
}

void keyring_lookup(const uint8_t key[SECRET_SIZE], struct str domain, struct str value,
                    uint8_t out[DIGEST_SIZE])
{
    uint8_t length[8];
    struct buf b = buf_fixed(length, sizeof(length));
    buf_be64(&b, domain.n);
    const struct str parts[] = { buf_str(&b), domain, value };
    digest_hmac_sha256_parts(str_of(key, SECRET_SIZE), parts, ARRAY_LEN(parts), out);
}
