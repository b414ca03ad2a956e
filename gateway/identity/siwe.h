/*
 * Sign-In with Ethereum: the message that a wallet shows and signs.
 *
 * Read by its grammar to the letter, so that what the wallet showed and what is checked here
 * are the same.
 *
 * Spec: EIP-4361 version 1, EIP-191 version 0x45 (personal_sign), RFC 3986, RFC 3339
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/secp.h"

#include <stdint.h>

enum {
    SIWE_TEXT_MAX = 8 << 10, /* bytes of a message */
    SIWE_NONCE_MIN = 8,
};

enum {
    SIWE_E_FORM = 1, /* not such a message, or too long */
};

/* Spans borrow from the message and are empty where a field is absent. Times in ms since 1970;
 * @expires and @not_before: 0 where absent. */
struct siwe {
    struct str scheme;
    struct str domain;
    uint8_t address[SECP_ADDRESS_SIZE];
    struct str statement;
    struct str uri;
    uint64_t chain;
    struct str nonce;
    int64_t issued;
    int64_t expires;
    int64_t not_before;
    struct str request_id;
    struct str resources; /* lines of "- " and a URI */
};

/**
 * siwe_parse() - read a message
 * @text: all of it
 * @out:  its fields
 *
 * Return: 0 or SIWE_E_FORM; @out is set only on 0.
 */
MUST_USE int siwe_parse(struct str text, struct siwe *out);

/* What personal_sign signs of @text. Spec: EIP-191 */
void siwe_digest(struct str text, uint8_t out[DIGEST_SIZE]);
