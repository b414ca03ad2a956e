/*
 * Ethereum's keystore on libsodium's scrypt and OpenSSL's PBKDF2 and AES. (OpenSSL's scrypt
 * refuses n = 262144 with r = 1, which the definition's own test vector has.)
 *
 * The password yields 32 bytes: the first 16 are the AES key, the last 16 go into the check,
 * Keccak-256 of them and the ciphertext. The check comes before anything is decrypted.
 */
#include "crypto/keystore.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>

enum {
    HALF = 16,
    SCRYPT_BLOCK = 128,        /* memory is this many bytes × n × r */
    SCRYPT_SIDE_MAX = 8 << 20, /* p × r such blocks at the side */
};

static bool scrypt_bounded(const struct keystore *store)
{
    bool power = store->n > 1 && (store->n & (store->n - 1)) == 0;
    return power && store->r > 0 && store->p > 0 && store->p <= KEYSTORE_P_MAX &&
           store->r <= SCRYPT_SIDE_MAX / SCRYPT_BLOCK / store->p &&
           store->n <= KEYSTORE_MEMORY_MAX / SCRYPT_BLOCK / store->r;
}

static int derive(const struct keystore *store, struct str password, uint8_t out[SECRET_SIZE])
{
    if (store->salt_n > KEYSTORE_SALT_MAX) {
        return KEYSTORE_E_COST;
    }
    const char *text = password.n ? password.p : "";
    int ok = 0;
    switch (store->kdf) {
    case KEYSTORE_SCRYPT:
        if (!scrypt_bounded(store)) {
            return KEYSTORE_E_COST;
        }
        ok = crypto_pwhash_scryptsalsa208sha256_ll(
                 (const uint8_t *)text, password.n, store->salt, store->salt_n, store->n,
                 (uint32_t)store->r, (uint32_t)store->p, out, SECRET_SIZE) == 0;
        break;
    case KEYSTORE_PBKDF2:
        if (store->c == 0 || store->c > KEYSTORE_ROUNDS_MAX || password.n > INT32_MAX) {
            return KEYSTORE_E_COST;
        }
        ok = PKCS5_PBKDF2_HMAC(text, (int)password.n, store->salt, (int)store->salt_n,
                               (int)store->c, EVP_sha256(), SECRET_SIZE, out);
        break;
    }
    ERR_clear_error();
    return ok == 1 ? 0 : -ENOMEM;
}

/* AES-128-CTR: the same call encrypts and decrypts. */
static int cipher(const uint8_t key[HALF], const uint8_t iv[KEYSTORE_IV_SIZE],
                  const uint8_t in[SECRET_SIZE], uint8_t out[SECRET_SIZE])
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok = ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_128_ctr(), key, iv, NULL) == 1 &&
              EVP_EncryptUpdate(ctx, out, &n, in, SECRET_SIZE) == 1 && n == SECRET_SIZE;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : -ENOMEM;
}

static void check(const uint8_t derived[SECRET_SIZE], const uint8_t ciphertext[SECRET_SIZE],
                  uint8_t mac[DIGEST_SIZE])
{
    const struct str parts[] = { str_of(derived + HALF, HALF),
                                 str_of(ciphertext, SECRET_SIZE) };
    digest_keccak256_parts(parts, ARRAY_LEN(parts), mac);
}

int keystore_open(const struct keystore *store, struct str password,
                  uint8_t secret[SECRET_SIZE])
{
    uint8_t derived[SECRET_SIZE];
    int r = derive(store, password, derived);
    if (r) {
        return r;
    }
    uint8_t mac[DIGEST_SIZE];
    check(derived, store->ciphertext, mac);
    r = secret_equal(mac, store->mac, sizeof(mac))
            ? cipher(derived, store->iv, store->ciphertext, secret)
            : KEYSTORE_E_PASSWORD;
    secret_wipe(derived, sizeof(derived));
    return r;
}

int keystore_close(struct keystore *store, struct str password,
                   const uint8_t secret[SECRET_SIZE])
{
    uint8_t derived[SECRET_SIZE];
    int r = derive(store, password, derived);
    if (r) {
        return r;
    }
    r = cipher(derived, store->iv, secret, store->ciphertext);
    if (r == 0) {
        check(derived, store->ciphertext, store->mac);
    }
    secret_wipe(derived, sizeof(derived));
    return r;
}
