/*
 * What a patient sends to log in: an identifier, and the proof that it is his or hers.
 *
 *   { "did": "did:key:…", "nonce": "…", "signature": "…" }   signature: base64url
 *   { "message": "…", "signature": "0x…" }                   Sign-In with Ethereum
 *
 * Both may have "code", an enrolment code. A did:key signs four lines, without an end to the
 * last: "chartseal login 1", the listener's base, the DID, the nonce.
 */
#pragma once

#include "fhir/base/arena.h"
#include "gateway/config/config.h"

enum {
    LOGIN_BODY_MAX = 16 << 10,
    LOGIN_LEEWAY_MS = 30000, /* for clocks that differ */
};

/* Why a proof is refused. */
enum login_error {
    LOGIN_E_FORM = 1,  /* not one of the objects above */
    LOGIN_E_DID,       /* no did:key, or of a kind of key that isn't used */
    LOGIN_E_MESSAGE,   /* not a message of EIP-4361 */
    LOGIN_E_ORIGIN,    /* signed for another site */
    LOGIN_E_CHAIN,     /* signed for another chain */
    LOGIN_E_EXPIRED,   /* its time has passed */
    LOGIN_E_EARLY,     /* its time hasn't come, or it was issued in the future */
    LOGIN_E_SIGNATURE, /* not signed by the key it names */
};

/* As a text for error_description, a literal. */
const char *login_reason(enum login_error error);

/* Of the listener where it is used. @base: without '/' at its end */
struct login_site {
    struct str base;
    const struct config_strings *origins;
    uint64_t chain;
};

/* @code: empty if none was sent. Spans are in the arena or borrow from the body. */
struct login_proof {
    struct str subject; /* a DID */
    struct str nonce;   /* the challenge, not checked yet */
    struct str code;
};

/**
 * login_proof_check() - read a proof and verify all of it but the challenge
 * @body: JSON
 * @now:  ms since 1970
 *
 * Return: 0, an enum login_error, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int login_proof_check(struct arena *arena, struct str body,
                               const struct login_site *site, int64_t now,
                               struct login_proof *out);
