/*
 * Calls of our contracts, as data of a transaction. No I/O: workers plan with these what the
 * notary relays.
 *
 * Spec: spec/contracts.md 10.2, 10.4; anchor/contracts/README.md
 */
#pragma once

#include "anchor/eip712.h"
#include "anchor/merkle.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "crypto/secp.h"

#include <stdint.h>

enum {
    CALLS_SIGNATURE_SIZE = 66, /* kind 0, r, s, v */
    CALLS_DATA_MAX = 8192,     /* longer is refused */
};

/* A controller's signature as the registry takes it: 00 ‖ r ‖ s ‖ v (27 or 28). */
void calls_signature(const struct secp_signature *signature, uint8_t out[CALLS_SIGNATURE_SIZE]);

/* Of ConsentRegistry; @sig as calls_signature() writes it. */
void calls_grant(struct buf *b, const struct consent_grant *grant, struct str sig);
void calls_revoke(struct buf *b, const struct consent_revoke *revoke, struct str sig);
void calls_rotate(struct buf *b, const struct consent_rotate *rotate, struct str sig);
void calls_attest(struct buf *b, const struct consent_revoke *revoke);

/* A head of the log for AuditAnchor. */
struct calls_head {
    uint8_t log_id[32]; /* keccak256 of the origin */
    uint64_t size;
    uint8_t root[32];
    uint8_t note_hash[32]; /* SHA-256 of the signed note */
};

/* Of AuditAnchor. @proof: consistency with the last head; empty for the first. */
void calls_anchor(struct buf *b, const struct calls_head *head,
                  const struct merkle_proof *proof);
void calls_head(struct buf *b, const uint8_t log_id[32]);
void calls_register(struct buf *b, struct str origin, const uint8_t operator_[20]);

/* AccessControl of both. */
void calls_grant_role(struct buf *b, const uint8_t role[32], const uint8_t account[20]);
