/*
 * What a token says about who asks and why.
 *
 * Claims about organisation, role and purpose come in three shapes: HL7's extension
 * "hl7-b2b", IHE's "ihe_iua", and flat members. All of them are read; where two name an
 * organisation, they must agree.
 *
 * Spec: RFC 7519 section 4, RFC 9068; HL7 UDAP Security IG section 5.2; IHE ITI IUA 3.71
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"
#include "fhir/model/node.h"

#include <stdint.h>

enum {
    CLAIMS_CODES_MAX = 16, /* roles, or purposes, of one token */
};

enum {
    CLAIMS_E_TYPE = 1, /* one is missing, of the wrong type, too many, or contradicts another */
};

/* A coded claim: "SYSTEM|CODE", "SYSTEM#CODE", { system, code }, or a code alone. */
struct claims_code {
    struct str system; /* empty if none was named */
    struct str code;
};

/* @text: one of the three textual forms; borrowed */
struct claims_code claims_code(struct str text);

struct claims_codes {
    struct claims_code items[CLAIMS_CODES_MAX];
    size_t count;
};

/* What a valid token says. Spans are empty where the claim is absent. */
struct claims {
    struct str issuer;       /* iss */
    struct str subject;      /* sub */
    struct str audience;     /* the one of aud that is ours */
    struct str id;           /* jti */
    struct str client;       /* client_id, else azp */
    struct str scope;        /* names with spaces between: gateway/identity/scope.h */
    struct str fhir_user;    /* fhirUser, a reference */
    struct str patient;      /* patient, the launch context's id */
    struct str organization; /* an identifier; the issuer's where the token names none */
    struct str person;       /* subject_id or subject_name: who, in words */
    struct claims_codes roles;
    struct claims_codes purposes;
    int64_t expires_ms;
    int64_t not_before_ms; /* nbf, 0 if absent */
    int64_t issued_ms;     /* iat, same */
    int64_t logged_in_ms;  /* auth_time: when the user proved who he is; same */
};

/**
 * claims_read() - read the payload of a token
 * @payload: its JSON object
 * @out:     spans borrow from @payload; issuer, subject and expiry are there; audience isn't
 *           set, for it depends on who reads: claims_audience()
 *
 * Return: 0 or CLAIMS_E_TYPE; @out is set only on 0.
 */
MUST_USE int claims_read(const struct node *payload, struct claims *out);

/* The member of aud, a string or several, that is exactly @ours; empty if none is. */
struct str claims_audience(const struct node *payload, struct str ours);

/* Copy @from with all it refers to into @arena. Return: 0 or -ENOMEM. */
MUST_USE int claims_copy(struct arena *arena, const struct claims *from, struct claims *out);
