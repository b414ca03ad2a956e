/*
 * What a patient sends to log in: an identifier, and the proof that it is his or hers.
 *
 *   { "did": "did:key:…", "nonce": "…", "signature": "…" }   signature: base64url; or did:web
 *   { "message": "…", "signature": "0x…" }                   Sign-In with Ethereum
 *   { "clientDataJSON", "attestationObject" }                a new passkey; base64url, as all
 *   { "id", "clientDataJSON", "authenticatorData", "signature" }   a passkey that is known
 *
 * Each may have "code", an enrolment code. A passkey goes by the did:key of its public key; the
 * challenge that it signs is the nonce's text. A DID signs four lines, without an end to
 * the last: "chartseal login 1", the listener's base, the DID, the nonce.
 */
#pragma once

#include "fhir/base/arena.h"
#include "gateway/config/config.h"
#include "gateway/identity/did_web.h"
#include "gateway/identity/webauthn.h"
#include "gateway/ledger/contract_account.h"

enum {
    LOGIN_BODY_MAX = 16 << 10,
    LOGIN_LEEWAY_MS = 30000, /* for clocks that differ */
};

/* Why a proof is refused. */
enum login_error {
    LOGIN_E_FORM = 1,  /* not one of the objects above */
    LOGIN_E_DID,       /* none that is used here, or without a document */
    LOGIN_E_MESSAGE,   /* not a message of EIP-4361 */
    LOGIN_E_ORIGIN,    /* signed for another site */
    LOGIN_E_CHAIN,     /* signed for another chain */
    LOGIN_E_EXPIRED,   /* its time has passed */
    LOGIN_E_EARLY,     /* its time hasn't come, or it was issued in the future */
    LOGIN_E_SIGNATURE, /* not signed by the key it names */
    LOGIN_E_PASSKEY,   /* the authenticator's words can't be read, or are for something else */
    LOGIN_E_USER,      /* the authenticator didn't verify its user */
};

/* As a text for error_description, a literal. */
const char *login_reason(enum login_error error);

/* Of the listener where it is used. @base: without '/' at its end */
struct login_site {
    struct str base;
    const struct config_strings *origins;
    uint64_t chain;
    struct str rp_id; /* empty: no passkeys */
    bool contracts;   /* accounts may be contracts */
};

/* @code: empty if none was sent. Spans are in the arena or borrow from the body. */
struct login_proof {
    struct str subject; /* a DID */
    struct str nonce;   /* the challenge, not checked yet */
    struct str code;
    struct str passkey;             /* id of a passkey; empty: it is none */
    struct str key;                 /* of a passkey, as did_key_bytes() */
    uint32_t counter;               /* as its authenticator counts */
    bool asks_key;                  /* its key has to be found: login_proof_with_key() */
    struct webauthn_assertion made; /* of that */
    bool asks_document; /* the DID's document has to be fetched: login_proof_with_document() */
    struct did_web_place place; /* of that */
    struct str statement;       /* of that: what was signed, and its signature */
    struct str signature;
    bool asks_contract; /* the account may be a contract, which says whether it signed */
    struct contract_account account; /* of that */
};

/**
 * login_proof_check() - read a proof and verify all of it but the challenge, and what it asks
 * @body: JSON
 * @now:  ms since 1970
 *
 * Return: 0, an enum login_error, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int login_proof_check(struct arena *arena, struct str body,
                               const struct login_site *site, int64_t now,
                               struct login_proof *out);

/**
 * login_proof_with_key() - verify what was made with a known passkey
 * @proof: that asks for its key
 * @key:   what is kept of it, empty: nothing is; borrowed
 *
 * Return: as login_proof_check(); @proof is complete on 0.
 */
MUST_USE int login_proof_with_key(struct arena *arena, const struct login_site *site,
                                  struct str key, struct login_proof *proof);

/* The same for a did:web with the text of its document. */
MUST_USE int login_proof_with_document(struct arena *arena, struct str document,
                                       struct login_proof *proof);
