/*
 * Sealing of what is kept: XChaCha20-Poly1305 under a key of its own for each payload.
 *
 * The patient's key is never used itself: the payload's id yields a subkey, so that no two
 * payloads share a key stream even if a nonce came twice. What the payload is and whose is
 * authenticated with it; a row moved to another patient, kind or version doesn't open.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/secret.h"

#include <stdint.h>

enum {
    SEAL_ID_SIZE = 16, /* patient number, key id, payload id */
    SEAL_NONCE_SIZE = 24,
    SEAL_TAG_SIZE = 16,
    SEAL_TENANT_MAX = 255, /* bytes of a tenant's name */
    SEAL_AAD_MAX = 16 + 2 + SEAL_TENANT_MAX + SEAL_ID_SIZE + 4 + 4 + SEAL_ID_SIZE,
};

/* What is sealed. The numbers are stored: never change or reuse one. */
enum seal_kind {
    SEAL_PAYLOAD = 1,
    SEAL_OPENING = 2,
    SEAL_ACCESS = 3,
    SEAL_CONSENT = 4,
    SEAL_OUTBOX = 5,
    SEAL_IDENTIFIER = 6,
    SEAL_STATEMENT = 7,
};

/* What identifies one sealed payload; all of it is authenticated. */
struct seal_about {
    struct str tenant;             /* at most SEAL_TENANT_MAX bytes */
    uint8_t patient[SEAL_ID_SIZE]; /* all 0: about nobody, under the tenant's key */
    uint8_t key_id[SEAL_ID_SIZE];
    uint8_t id[SEAL_ID_SIZE]; /* of the payload; selects the subkey */
    enum seal_kind kind;
    uint32_t version; /* of the format of what is sealed */
};

/* The associated data of @about into @out; returns its length. */
size_t seal_aad(const struct seal_about *about, uint8_t out[SEAL_AAD_MAX]);

/**
 * seal_close() - encrypt
 * @key:   the key that about->key_id names
 * @about: what this is
 * @nonce: random, new for each call
 * @plain: the bytes
 * @out:   plain.n + SEAL_TAG_SIZE bytes: ciphertext, tag; may be the memory of @plain
 */
void seal_close(const uint8_t key[SECRET_SIZE], const struct seal_about *about,
                const uint8_t nonce[SEAL_NONCE_SIZE], struct str plain, uint8_t *out);

/**
 * seal_open() - decrypt what seal_close() made
 * @key, @about, @nonce: as they were then
 * @sealed: ciphertext and tag
 * @out:    sealed.n - SEAL_TAG_SIZE bytes; may be the memory of @sealed
 *
 * Return: 0, or -EBADMSG if anything differs; @out is then all 0.
 */
MUST_USE int seal_open(const uint8_t key[SECRET_SIZE], const struct seal_about *about,
                       const uint8_t nonce[SEAL_NONCE_SIZE], struct str sealed, uint8_t *out);
