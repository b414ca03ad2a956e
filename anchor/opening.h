/*
 * The opening: salts and values of a record's commitments.
 *
 * Canonical JSON: {"actor":{"salt":"hex","value":"text"},…}. The value of a digest kind is its
 * 64 hexadecimal digits; all others are text. Whoever holds it can show what the record means;
 * it is kept encrypted under the patient's key.
 */
#pragma once

#include "anchor/commitment.h"
#include "anchor/record.h"

enum {
    OPENING_E_DIFFERS = 1,  /* a value doesn't open its commitment */
    OPENING_E_UNBACKED = 2, /* the record has no such commitment */
};

/* @has: is there an opening of this kind? @value: the committed bytes, borrowed. */
struct opening {
    bool has[COMMITMENT_COUNT];
    uint8_t salt[COMMITMENT_COUNT][COMMITMENT_SALT_SIZE];
    struct str value[COMMITMENT_COUNT];
};

void opening_write(const struct opening *opening, struct buf *b);

/**
 * opening_read() - read an opening
 * @memory: fixed memory for values, as much as @text is always enough; @out borrows from it
 * @why:    a literal that says what is wrong, set on failure; may be NULL
 *
 * Return: 0, -EINVAL, -ENOMEM if @memory is too small
 */
MUST_USE int opening_read(struct str text, struct buf *memory, struct opening *out,
                          const char **why);

/**
 * opening_check() - does it open the commitments of @record?
 * @kind: the first that fails, set on failure; may be NULL
 *
 * An opening may hold fewer values than the record has commitments, never others.
 * Return: 0, OPENING_E_DIFFERS, OPENING_E_UNBACKED
 */
MUST_USE int opening_check(const struct opening *opening, const struct record *record,
                           enum commitment_kind *kind);
