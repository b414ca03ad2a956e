/*
 * The bases of refusals, as records have them, and what kind of ground each is.
 *
 * Whoever refuses data has to be able to say on what ground (45 CFR part 171 names the
 * exceptions under which that isn't information blocking). Which exception is claimed in the
 * end is for people to say: what is told here is the one that such a basis speaks for.
 */
#pragma once

#include "crypto/base/str.h"

enum basis_ground {
    BASIS_OTHER,       /* of no kind below: nothing that a record should have */
    BASIS_CONSENT,     /* what the patient said, or didn't */
    BASIS_LEGAL,       /* a rule of law that goes before it */
    BASIS_AUTHORITY,   /* who asked may not, or hasn't shown that he may */
    BASIS_PATIENT,     /* it can't be told whose data it is, or it isn't there */
    BASIS_LEDGER,      /* what the chain holds isn't known, or not what is filed */
    BASIS_UNAVAILABLE, /* something needed is down, or didn't answer in time */
    BASIS_REQUEST,     /* what was asked can't be understood, or isn't offered */
};

enum basis_ground basis_ground(struct str basis);

/* "consent", "authority", …: for people. */
const char *basis_ground_name(enum basis_ground ground);

/* "171.202 privacy", …; empty: none, as nothing was withheld that could have been given. */
const char *basis_ground_exception(enum basis_ground ground);
