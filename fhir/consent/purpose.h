/*
 * Purposes of use: the codes of v3 PurposeOfUse and what covers what.
 *
 * A set of purposes is a word with one bit for each code, so that matching is one AND. Codes of
 * other systems are kept as "system|code" and match only themselves.
 *
 * Release: v3-ActReason 2018-08-12 as in FHIR R4 4.0.1; 59 codes below PurposeOfUse.
 * Spec:    consent rules, section 5.3; the README of this folder says how the exception works
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define PURPOSE_SYSTEM "http://terminology.hl7.org/CodeSystem/v3-ActReason"

enum {
    PURPOSE_COUNT = 60, /* PurposeOfUse itself and the 59 below it */
};

/* Whether @system is that of the compiled codes, by URL or OID. */
bool purpose_known_system(struct str system);

/* The set of the one purpose @code; 0 if the table has none of that name. */
uint64_t purpose_bit(struct str code);

/* Name of code @index, terminated; @index is below PURPOSE_COUNT. */
const char *purpose_name(unsigned index);

/*
 * The requested purposes that satisfy a permit listing @listed: these and what descends from
 * them. BTG and ETREAT are reached only from a rule that lists one of them.
 */
uint64_t purpose_permitted_by(uint64_t listed);

/*
 * The requested purposes that a deny listing @listed stops: these, what descends from them and
 * what they descend from; again BTG and ETREAT only where listed.
 */
uint64_t purpose_denied_by(uint64_t listed);

/* What a permit without purposes covers: all but BTG and ETREAT. */
uint64_t purpose_permitted_unlisted(void);

/* BTG and ETREAT: whether one of them is in @set. */
bool purpose_breaks_glass(uint64_t set);
