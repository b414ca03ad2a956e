/*
 * Whoever gets what is recorded has a number in access rows, so that they can be searched by it
 * without saying who that is; what the number means is kept sealed under the tenant's key.
 *
 * A recipient is a text, canonical JSON: the organisation, user and client of a token, or
 * a destination. Equal texts have one number. Numbers are store_recipient()'s.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/seal.h"
#include "fhir/base/arena.h"
#include "gateway/store/audit.h"
#include "gateway/vault.h"

enum {
    RECIPIENT_NOBODY = 0, /* what came was only kept */
};

/* @sealed: borrows from the other members and from an arena */
struct recipient {
    uint8_t hash[32];
    uint8_t nonce[SEAL_NONCE_SIZE];
    struct store_sealed sealed;
};

/* Seal @text for store_recipient(). Return: 0 or -ENOMEM */
MUST_USE int recipient_seal(struct vault *vault, struct arena *arena, struct str text,
                            struct recipient *out);

/* Open a row of store_recipients(). Return: 0, -ENOMEM, -EBADMSG, -ENOKEY */
MUST_USE int recipient_open(struct vault *vault, struct arena *arena,
                            const struct store_sealed *sealed, struct str *out);
