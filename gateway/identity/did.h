/*
 * Decentralized identifiers that are their own key: did:key, and the names of accounts.
 *
 * Spec: W3C DID 1.0; did:key 0.9 (multibase base58-btc, multicodec); did:pkh with CAIP-10
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "crypto/secp.h"

#include <stdint.h>

enum {
    DID_TEXT_MAX = 256,
};

enum {
    DID_E_FORM = 1, /* no did:key, or one with path, query or fragment */
    DID_E_KIND = 2, /* of a kind of key that isn't used here */
    DID_E_KEY = 3,  /* of the wrong length, or no point of its curve */
};

enum did_key_kind {
    DID_KEY_ED25519,
    DID_KEY_P256,
    DID_KEY_SECP256K1,
};

/* @bytes: Ed25519: 32; P-256: 33, compressed; secp256k1: SECP_PUBLIC_SIZE */
struct did_key {
    enum did_key_kind kind;
    uint8_t bytes[SECP_PUBLIC_SIZE];
};

/**
 * did_key_parse() - the public key of a did:key
 * @did: all of its text
 * @out: the key
 *
 * Return: 0 or DID_E_…; @out is set only on 0. A P-256 key that is no point is found out by
 * did_key_verify(), as is an Ed25519 key of small order: they verify nothing.
 */
MUST_USE int did_key_parse(struct str did, struct did_key *out);

/* The key of P-256 whose point has these coordinates, 32 bytes each. 0 or -EINVAL: none has */
MUST_USE int did_key_of_p256(struct str x, struct str y, struct did_key *out);

/* Append its did:key. */
void did_key_put(struct buf *out, const struct did_key *key);

/* Append the bytes that a did:key is the text of; and read them. Return: as did_key_parse() */
void did_key_bytes(struct buf *out, const struct did_key *key);
MUST_USE int did_key_read(struct str bytes, struct did_key *out);

/**
 * did_key_verify() - did this key sign @message?
 * @signature: 64 bytes: Ed25519's, or r and s over SHA-256; s is low on secp256k1
 *
 * Return: 0, -EBADMSG, or -ENOMEM
 */
MUST_USE int did_key_verify(const struct did_key *key, struct str message,
                            struct str signature);

/* Append the did:pkh of account @address on EVM chain @chain. */
void did_pkh_put(struct buf *out, uint64_t chain, const uint8_t address[SECP_ADDRESS_SIZE]);
