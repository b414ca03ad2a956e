/*
 * Who asks and why, as consents know it: from the claims of a token, or from the text of them
 * that a record commits to.
 *
 * Names follow fhir/consent/actor.h: an identifier is "system|value", or the value alone if it
 * is a URI itself; a reference is "Type/id" below the base of the FHIR server.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/consent/belonging.h"
#include "fhir/consent/evaluate.h"
#include "gateway/identity/claims.h"

enum {
    ASKER_OWN = 4, /* organization, user, subject, client */
    ASKER_ACTORS_MAX = CLAIMS_CODES_MAX + ASKER_OWN + BELONGING_NAMES_MAX, /* roles */

    ASKER_E_FORM = 1, /* no text of an actor */
};

/* @purposes: of other systems than v3 PurposeOfUse. Both in an arena. */
struct asker {
    struct str actors[ASKER_ACTORS_MAX];
    struct str purposes[CLAIMS_CODES_MAX];
};

/**
 * asker_request() - the requester's part of a question to consents
 * @base: of the FHIR port; references below it are told without it
 * @out:  to which the request refers
 *
 * Return: 0 or -ENOMEM; of @request actors and purposes are set.
 */
MUST_USE int asker_request(struct arena *arena, const struct claims *claims, struct str base,
                           struct asker *out, struct consent_request *request);

/* The canonical name of the user whom @claims name; empty: none. */
struct str asker_user(const struct claims *claims, struct str base);

/* The requester is also whom the directory says: after asker_request(). */
void asker_belong(const struct belonging *belonging, struct asker *out,
                  struct consent_request *request);

/* A recorded text of who asked, back to claims, those that asker_request() goes by, and to what
 * the directory said. Return: 0, ASKER_E_FORM or -ENOMEM; @out and @belonging are set only on
 * 0, and borrow from @arena. */
MUST_USE int asker_read(struct arena *arena, struct str text, struct claims *out,
                        struct belonging *belonging);
