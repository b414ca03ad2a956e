/*
 * Passkeys: what an authenticator says when it makes a key, and when it is used.
 *
 * Registration asks for no attestation: which make an authenticator is doesn't matter here,
 * that it verified its user does. Pure: what was stored of a key is passed in.
 *
 * Spec: W3C Web Authentication Level 2, sections 6.1, 6.5.1, 7.1 and 7.2; RFC 9053
 */
#pragma once

#include "fhir/base/arena.h"
#include "gateway/config/config.h"
#include "gateway/identity/did.h"

#include <stdint.h>

enum {
    WEBAUTHN_ID_MAX = 1023, /* bytes of a credential's id */
};

/* Why it is refused. */
enum webauthn_error {
    WEBAUTHN_E_FORM = 1, /* client data, authenticator data or attestation can't be read */
    WEBAUTHN_E_TYPE,     /* made for the other ceremony */
    WEBAUTHN_E_ORIGIN,   /* of another page, or of ours inside another */
    WEBAUTHN_E_RP,       /* for another relying party */
    WEBAUTHN_E_USER,     /* the user wasn't there, or wasn't verified */
    WEBAUTHN_E_KEY,      /* a key of a kind that isn't used, or no key at all */
    WEBAUTHN_E_SIGNATURE,
};

/* @rp_id: a domain */
struct webauthn_site {
    struct str rp_id;
    const struct config_strings *origins;
};

/*
 * @nonce:   the challenge as it was given out, not checked yet; in the arena
 * @counter: signatures made so far, as the authenticator counts them; 0: it doesn't
 */
struct webauthn_seen {
    struct str nonce;
    uint32_t counter;
};

/* @id: of the credential; borrows from the attestation. @key: P-256 (ES256) or Ed25519 (EdDSA)
 */
struct webauthn_made {
    struct webauthn_seen seen;
    struct str id;
    struct did_key key;
};

/**
 * webauthn_register() - a key that was made
 * @client:      clientDataJSON
 * @attestation: attestationObject
 *
 * Return: 0, enum webauthn_error, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int webauthn_register(struct arena *arena, struct str client, struct str attestation,
                               const struct webauthn_site *site, struct webauthn_made *out);

/* What an authenticator signed with a key. */
struct webauthn_assertion {
    struct str client;        /* clientDataJSON */
    struct str authenticator; /* authenticatorData */
    struct str signature;
};

/**
 * webauthn_assert() - was it made with @key, for this site?
 *
 * Whether the counter went up is for who keeps it to say. Return: as webauthn_register()
 */
MUST_USE int webauthn_assert(struct arena *arena, const struct webauthn_assertion *made,
                             const struct webauthn_site *site, const struct did_key *key,
                             struct webauthn_seen *out);
