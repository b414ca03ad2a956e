/*
 * The public keys of an issuer, from its JWKS document.
 *
 * A set is made once from a document and then only read. Keys that can't be used here are
 * skipped and counted; the others serve.
 *
 * Spec: RFC 7517
 */
#pragma once

#include "crypto/jws.h"

#include <stddef.h>

enum {
    JWKS_TEXT_MAX = 256 << 10, /* bytes of a document */
    JWKS_KEYS_MAX = 64,        /* usable keys; further ones are skipped */
    JWKS_KID_MAX = 256,        /* bytes of a key's name */
};

enum {
    JWKS_E_FORM = 1, /* not JSON, no "keys", or too long */
};

/*
 * @kid: in the set's memory; empty if the document names none
 * @alg: the only one that the document allows; JWS_REFUSED: any that the key can do
 */
struct jwks_key {
    struct jws_key key;
    struct str kid;
    enum jws_alg alg;
};

struct jwks;

/**
 * jwks_parse() - read a JWKS document
 * @text: the document
 * @out:  the set, owned by the caller; it may be empty
 *
 * Skipped: keys of unknown kind, weak or broken ones, symmetric ones, those for encryption,
 * and those that give away their private part: everybody could sign with them.
 *
 * Return: 0, JWKS_E_FORM or -ENOMEM; @out is set only on 0.
 */
MUST_USE int jwks_parse(struct str text, struct jwks **out);
void jwks_free(struct jwks *set);

size_t jwks_count(const struct jwks *set);

/* Keys of the document that aren't in the set. */
size_t jwks_skipped(const struct jwks *set);

/**
 * jwks_next() - keys that may have signed a token
 * @set:      the set; NULL is an empty one
 * @kid:      key name in the token's header; p NULL: it has none, so every key may
 * @alg:      algorithm in the token's header
 * @previous: the key this returned last; NULL at the beginning
 *
 * Return: the next key with that name that allows that algorithm, or NULL
 */
const struct jwks_key *jwks_next(const struct jwks *set, struct str kid, enum jws_alg alg,
                                 const struct jwks_key *previous);
