/*
 * A record with its opening: committed to, sealed under one key, and written once the batch
 * has given it its number.
 */
#pragma once

#include "anchor/opening.h"
#include "anchor/record.h"
#include "crypto/base/attr.h"
#include "crypto/seal.h"
#include "fhir/base/arena.h"
#include "gateway/store/audit.h"
#include "gateway/store/batch.h"
#include "gateway/vault.h"

/*
 * Begin with zeros and fill in @record, but for its commitments.
 *
 * @key:    the opening is sealed under it; borrowed
 * @sealed: the opening; empty before sealed_record_close()
 * @text:   the record's bytes, made when its number is known
 */
struct sealed_record {
    struct record record;
    struct opening opening;
    const struct vault_key *key;
    uint8_t nonce[SEAL_NONCE_SIZE];
    struct str sealed;
    char text[RECORD_SIZE_MAX];
    char hex[33]; /* patient number as committed to */
};

/* Commit to @value, which stays the caller's until the opening is sealed; nothing if empty. */
void sealed_record_commit(struct sealed_record *it, enum commitment_kind kind,
                          struct str value);

/* Commit to the patient whom it is about. */
void sealed_record_subject(struct sealed_record *it, const uint8_t patient[16]);

/* Seal the opening under ->key. Return: 0 or -ENOMEM */
MUST_USE int sealed_record_close(struct sealed_record *it, const struct vault *vault,
                                 struct arena *arena);

/**
 * sealed_record_open() - a stored opening as text
 * @sealed: its row; ->key is in memory
 * @out:    in @arena
 *
 * Return: 0; -ENOKEY: the key was destroyed, or isn't in memory; -EBADMSG; -ENOMEM
 */
MUST_USE int sealed_record_open(struct vault *vault, struct arena *arena,
                                const struct store_sealed *sealed, struct str *out);

/* The row of the opening. */
void sealed_record_opening(const struct sealed_record *it, struct batch_opening *out);

/* The row of the record, at its place; batch_fill_fn tells more. */
MUST_USE int sealed_record_fill(struct sealed_record *it, const struct batch_place *place,
                                struct batch_record *out);
