/*
 * Digests: SHA-256, Keccak-256 as Ethereum uses it, HMAC-SHA-256.
 *
 * Nothing here allocates or fails. A struct digest may live on the stack, be copied in the
 * middle of its input (both go on), and be used again after digest_end().
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <nettle/sha2.h>
#include <stdint.h>

enum {
    DIGEST_SIZE = 32,
};

struct digest {
    struct sha256_ctx state;
};

/* SHA-256 of @in. Spec: FIPS 180-4 */
void digest_sha256(struct str in, uint8_t out[DIGEST_SIZE]);

/* SHA-256 of @count spans, one after the other. */
void digest_sha256_parts(const struct str *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* SHA-256 piece by piece: start once, put, end. digest_end() starts anew. */
void digest_start(struct digest *digest);
void digest_put(struct digest *digest, struct str in);
void digest_end(struct digest *digest, uint8_t out[DIGEST_SIZE]);

/* Keccak-256 with the padding of the original submission (0x01), not of FIPS 202. */
void digest_keccak256(struct str in, uint8_t out[DIGEST_SIZE]);
void digest_keccak256_parts(const struct str *parts, size_t count, uint8_t out[DIGEST_SIZE]);

/* HMAC-SHA-256 of @in under @key. Spec: RFC 2104 */
void digest_hmac_sha256(struct str key, struct str in, uint8_t out[DIGEST_SIZE]);

/* The same over @count spans, one after the other. */
void digest_hmac_sha256_parts(struct str key, const struct str *parts, size_t count,
                              uint8_t out[DIGEST_SIZE]);
