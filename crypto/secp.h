/*
 * secp256k1 as Ethereum uses it: recoverable signatures over digests, addresses.
 *
 * Signatures are deterministic (RFC 6979) and have the low s that EIP-2 demands; others are
 * refused.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

#include <stdint.h>

enum {
    SECP_ADDRESS_SIZE = 20,
    SECP_ADDRESS_TEXT = 42,    /* characters, 0x and all */
    SECP_PUBLIC_SIZE = 65,     /* 0x04, x, y */
    SECP_COMPRESSED_SIZE = 33, /* 0x02 or 0x03, x */
    SECP_SIGNATURE_SIZE = 65,  /* r, s, v */
};

struct secp256k1_context_struct;

/* A key ready to sign with. */
struct secp_signer {
    struct secp256k1_context_struct *context; /* owned */
    uint8_t secret[SECRET_SIZE];
    uint8_t public_key[SECP_PUBLIC_SIZE];
    uint8_t address[SECP_ADDRESS_SIZE];
};

/* @v: which of the points with that r; 0 or 1 (2 and 3 exist, once in 2^127) */
struct secp_signature {
    uint8_t r[32];
    uint8_t s[32];
    uint8_t v;
};

/**
 * secp_signer_init() - make ready to sign
 * @signer: the result
 * @secret: the key
 * @blind:  random bytes that hide the key from who measures time
 *
 * Return: 0, -EINVAL if @secret is 0 or not below the group's order, -ENOMEM.
 */
MUST_USE int secp_signer_init(struct secp_signer *signer, const uint8_t secret[SECRET_SIZE],
                              const uint8_t blind[SECRET_SIZE]);
void secp_signer_deinit(struct secp_signer *signer);

void secp_sign(const struct secp_signer *signer, const uint8_t digest[DIGEST_SIZE],
               struct secp_signature *out);

/* A signature as wallets write it: 0x and the digits of r, s and v, which is 0, 1, 27 or 28.
 * Return: 0 or -EINVAL */
MUST_USE int secp_signature_parse(struct str text, struct secp_signature *out);

/* Who signed @digest? Return: 0, or -EBADMSG: nobody did, or s is high; @address set on 0. */
MUST_USE int secp_recover(const uint8_t digest[DIGEST_SIZE],
                          const struct secp_signature *signature,
                          uint8_t address[SECP_ADDRESS_SIZE]);

/* Return: 0, or -EBADMSG: not signed by @public_key, no point at all, or s is high. */
MUST_USE int secp_verify(const uint8_t public_key[SECP_PUBLIC_SIZE],
                         const uint8_t digest[DIGEST_SIZE],
                         const struct secp_signature *signature);

/* The whole of a point that @compressed names. Return: 0 or -EINVAL: there is none */
MUST_USE int secp_public_parse(const uint8_t compressed[SECP_COMPRESSED_SIZE],
                               uint8_t public_key[SECP_PUBLIC_SIZE]);

/* Ethereum address of a public key: the end of its Keccak-256. */
void secp_address(const uint8_t public_key[SECP_PUBLIC_SIZE],
                  uint8_t address[SECP_ADDRESS_SIZE]);

/* @address as text with the check in its capitals, not terminated. Spec: EIP-55 */
void secp_address_text(const uint8_t address[SECP_ADDRESS_SIZE], char out[SECP_ADDRESS_TEXT]);

/* Read an address; letters all of one case, or a check that holds. Return: 0 or -EINVAL. */
MUST_USE int secp_address_parse(struct str text, uint8_t address[SECP_ADDRESS_SIZE]);
