/*
 * A stored payload, opened: its seals from the outside in, each with the key of one patient.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/seal.h"
#include "fhir/base/arena.h"
#include "gateway/store/audit.h"
#include "gateway/vault.h"

enum {
    SEALED_PAYLOAD_LAYERS_MAX = 256,
};

/* @keys: ids, of the innermost first; @layers of them, one for each patient */
struct sealed_payload {
    uint8_t id[16];
    struct str text;
    uint8_t keys[SEALED_PAYLOAD_LAYERS_MAX][16];
    uint8_t nonces[SEALED_PAYLOAD_LAYERS_MAX][SEAL_NONCE_SIZE];
    size_t layers;
};

/* Copy @row into @arena. Return: 0, -EBADMSG or -ENOMEM; @out is set only on 0. */
MUST_USE int sealed_payload_copy(struct arena *arena, const struct store_sealed *row,
                                 struct sealed_payload **out);

/**
 * sealed_payload_open() - what is in it
 * @vault: has the keys, after vault_fetch_ids() of ->keys
 * @out:   in @arena
 *
 * Return: 0; -ENOKEY: a key was destroyed; -EBADMSG: damaged; -ENOMEM
 */
MUST_USE int sealed_payload_open(struct vault *vault, struct arena *arena,
                                 const struct sealed_payload *sealed, struct str *out);
