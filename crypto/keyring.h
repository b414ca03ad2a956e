/*
 * Keys that come from keys.
 *
 *   root ──derive WRAP──► wraps the tenant's key and every patient's key
 *   tenant's key ──derive──► identifiers, control ids, paging tokens, …
 *
 * The root key is outside the database and may be rotated: then every wrap is made anew.
 * What must stay the same through a rotation, such as the keyed hashes that find a patient,
 * is derived from the tenant's key, which is random, made once and wrapped like a patient's.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"
#include "crypto/seal.h"
#include "crypto/secret.h"

#include <stdint.h>

enum {
    KEYRING_ROOT_ID_SIZE = 8,
    KEYRING_WRAPPED_SIZE = SEAL_NONCE_SIZE + SECRET_SIZE + SEAL_TAG_SIZE,
};

enum {
    KEYRING_E_FORM = 1, /* neither 64 hexadecimal digits nor base64 of 32 bytes */
    KEYRING_E_WEAK = 2, /* a placeholder: repeated, counted up, or typed text */
};

/* What a derived key is for. The numbers are part of the derivation: never change one. */
enum keyring_use {
    KEYRING_WRAP = 1,        /* of the root: wraps other keys */
    KEYRING_SEAL = 2,        /* of the tenant's key: seals what is about nobody */
    KEYRING_IDENTIFIERS = 3, /* finds a patient by (system, value) */
    KEYRING_CONTROL_IDS = 4, /* finds a v2 message by sender and MSH-10 */
    KEYRING_PAGING = 5,      /* paging tokens */
    KEYRING_RECIPIENTS = 6,  /* numbers recipients in access rows */
    KEYRING_TOKENS = 7,      /* access tokens that the gateway issues */
    KEYRING_LOG = 8,         /* keyed hashes in log lines */
    KEYRING_CONSENTS = 9,    /* consent ids, controller accounts, salts */
    KEYRING_LOGIN = 10,      /* finds what patients log in with; marks challenges */
};

/* Whose key is wrapped; all of it is authenticated. */
struct keyring_owner {
    struct str tenant;             /* at most SEAL_TENANT_MAX bytes */
    uint8_t patient[SEAL_ID_SIZE]; /* all 0: the tenant's own key */
    uint8_t key_id[SEAL_ID_SIZE];
};

/**
 * keyring_root_parse() - read a root key
 * @text: content of a file or output of a command; one line end may follow
 * @root: the key
 *
 * Return: 0, KEYRING_E_FORM or KEYRING_E_WEAK; @root is wiped unless 0.
 */
MUST_USE int keyring_root_parse(struct str text, uint8_t root[SECRET_SIZE]);

/* A short name of a root key, safe to show, stored beside each wrap. */
void keyring_root_id(const uint8_t root[SECRET_SIZE], uint8_t id[KEYRING_ROOT_ID_SIZE]);

/* The key for @use of @tenant under @parent. */
void keyring_derive(const uint8_t parent[SECRET_SIZE], enum keyring_use use, struct str tenant,
                    uint8_t out[SECRET_SIZE]);

/* Wrap @key under the root's KEYRING_WRAP key; @nonce is random; @out: nonce and all. */
void keyring_wrap(const uint8_t wrap_key[SECRET_SIZE], const struct keyring_owner *owner,
                  const uint8_t nonce[SEAL_NONCE_SIZE], const uint8_t key[SECRET_SIZE],
                  uint8_t out[KEYRING_WRAPPED_SIZE]);

/* Return: 0, or -EBADMSG if @wrapped isn't what keyring_wrap() made for this owner. */
MUST_USE int keyring_unwrap(const uint8_t wrap_key[SECRET_SIZE],
                            const struct keyring_owner *owner, struct str wrapped,
                            uint8_t key[SECRET_SIZE]);

/**
 * keyring_lookup() - keyed hash under which something is found again
 * @key:    a derived key
 * @domain: what kind of value, and what it is relative to, e.g. an identifier's system
 * @value:  the value
 * @out:    the hash; who lacks the key can neither check nor enumerate values
 */
void keyring_lookup(const uint8_t key[SECRET_SIZE], struct str domain, struct str value,
                    uint8_t out[DIGEST_SIZE]);
