/*
 * Commitments: what a record says without saying it.
 *
 * commitment = SHA-256(domain ‖ salt ‖ value). The salt is 32 random bytes of its own for each
 * commitment, kept in the opening; without it not even a guess of the value can be tried. The
 * domain ends in a zero byte, so that no domain begins another.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    COMMITMENT_SALT_SIZE = 32,
};

/* What is committed to, in the order of the members' names. */
enum commitment_kind {
    COMMITMENT_ACTOR,    /* who: canonical JSON as text */
    COMMITMENT_AUDIT,    /* SHA-256 of the AuditEvent's bytes */
    COMMITMENT_DECISION, /* what the decision went by: canonical JSON as text */
    COMMITMENT_PAYLOAD,  /* SHA-256 of the bytes shown or carried */
    COMMITMENT_REQUEST,  /* what was asked for: text */
    COMMITMENT_SUBJECT,  /* patient number: 32 lower-case hexadecimal digits */
    COMMITMENT_COUNT,
};

/* Name of @kind as member of a record and of an opening: "actor", … */
const char *commitment_name(enum commitment_kind kind);

/* Kind of that name; COMMITMENT_COUNT if there is none. */
enum commitment_kind commitment_kind(struct str name);

/* Is the value of @kind a digest (32 bytes), not text? */
bool commitment_of_digest(enum commitment_kind kind);

void commitment_make(enum commitment_kind kind, const uint8_t salt[COMMITMENT_SALT_SIZE],
                     struct str value, uint8_t out[DIGEST_SIZE]);
