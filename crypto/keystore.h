/*
 * The core of Ethereum's keystore files, version 3: a secp256k1 key under a password.
 *
 * Reading and writing the JSON is the caller's matter. Cipher aes-128-ctr, digest of the
 * check Keccak-256, derived key of 32 bytes; files with anything else are refused there.
 *
 * Spec: Web3 Secret Storage Definition, version 3
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

#include <stdint.h>

enum {
    KEYSTORE_IV_SIZE = 16,
    KEYSTORE_SALT_MAX = 64,
    KEYSTORE_MEMORY_MAX = 512 << 20, /* bytes that scrypt may take */
    KEYSTORE_P_MAX = 16,             /* scrypt's p */
    KEYSTORE_ROUNDS_MAX = 10000000,  /* PBKDF2's c */
};

enum {
    KEYSTORE_E_PASSWORD = 1, /* wrong password, or a damaged file: not to be told apart */
    KEYSTORE_E_COST = 2,     /* parameters out of bounds */
};

enum keystore_kdf {
    KEYSTORE_SCRYPT,
    KEYSTORE_PBKDF2, /* with HMAC-SHA-256 */
};

struct keystore {
    enum keystore_kdf kdf;
    uint64_t n, r, p; /* of scrypt */
    uint64_t c;       /* of PBKDF2 */
    uint8_t salt[KEYSTORE_SALT_MAX];
    size_t salt_n;
    uint8_t iv[KEYSTORE_IV_SIZE];
    uint8_t ciphertext[SECRET_SIZE];
    uint8_t mac[DIGEST_SIZE];
};

/**
 * keystore_open() - the key inside
 * @store:    the file's content
 * @password: as typed, without line end
 * @secret:   the key; wiped by the caller
 *
 * Takes up to seconds and 128 × n × r bytes: at start, never in a request.
 *
 * Return: 0, KEYSTORE_E_PASSWORD, KEYSTORE_E_COST or -ENOMEM; @secret is set only on 0.
 */
MUST_USE int keystore_open(const struct keystore *store, struct str password,
                           uint8_t secret[SECRET_SIZE]);

/* Fill ciphertext and mac of @store, whose other members are set. Errors as above. */
MUST_USE int keystore_close(struct keystore *store, struct str password,
                            const uint8_t secret[SECRET_SIZE]);
