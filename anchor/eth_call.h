/*
 * Calls to ConsentRegistry and AuditAnchor, what they answer, what they emit.
 *
 * A call appends the data of a transaction or eth_call to a buf. The interfaces stand in
 * anchor/contracts/I*.sol.
 */
#pragma once

#include "anchor/eip712.h"
#include "anchor/eth_receipt.h"
#include "anchor/merkle.h"
#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/secp.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ETH_CONSENT_SIGNATURE_SIZE = 66, /* kind 0, r, s, 27 or 28 */
    ETH_CALL_MAX = 8192,             /* bytes of a call; longer ones are refused */
};

/* A controller's signature as ConsentRegistry takes it. */
void eth_consent_signature(const struct secp_signature *signature,
                           uint8_t out[ETH_CONSENT_SIGNATURE_SIZE]);

void eth_call_grant(const struct consent_grant *grant, struct str signature, struct buf *b);
void eth_call_grant_batch(const struct consent_grant *grants, const struct str *signatures,
                          size_t count, struct buf *b);
void eth_call_revoke(const struct consent_revoke *revoke, struct str signature, struct buf *b);
void eth_call_revoke_by_attestor(const struct consent_revoke *revoke, struct buf *b);
void eth_call_rotate(const struct consent_rotate *rotate, struct str signature, struct buf *b);

/* statusOf(): the state of a consent. Times in seconds. @version 0: never granted. */
struct eth_consent {
    uint8_t controller[20];
    uint8_t commitment[32];
    uint64_t valid_from;
    uint64_t valid_until;
    uint16_t version;
    bool revoked;
};

void eth_call_status(const uint8_t consent[32], struct buf *b);
MUST_USE int eth_status_read(struct str answer, struct eth_consent *out);

/* The same out of the contract's two storage words. */
void eth_consent_from_slots(const uint8_t slot0[32], const uint8_t slot1[32],
                            struct eth_consent *out);

enum eth_consent_kind {
    ETH_CONSENT_GRANTED, /* all of @state */
    ETH_CONSENT_REVOKED, /* version, @attestor */
    ETH_CONSENT_ROTATED, /* version, controller */
};

struct eth_consent_event {
    enum eth_consent_kind kind;
    uint8_t id[32];
    struct eth_consent state; /* only what @kind says */
    bool attestor;            /* revoked by the attestor, not by the controller */
};

/* Read an event of ConsentRegistry. Return: 0, -ENOENT if it is another, -EINVAL */
MUST_USE int eth_consent_event_read(const struct eth_log *log, struct eth_consent_event *out);

/* grantRole() of either contract. */
void eth_call_grant_role(const uint8_t role[32], const uint8_t account[20], struct buf *b);

/* AuditAnchor. @strict: take heads with a proof only. */
void eth_call_register(struct str origin, const uint8_t log_operator[20], bool strict,
                       struct buf *b);

/* anchorConsistent(): @proof from the head on chain to @head; empty if that has no leaves. */
void eth_call_anchor(const uint8_t log_id[32], const struct merkle_head *head,
                     const uint8_t note_hash[32], const struct merkle_proof *proof,
                     struct buf *b);

/* head(): where the chain sees a log. @mode: bit 0 registered, 1 strict, 2 frozen. */
struct eth_head {
    struct merkle_head head;
    uint64_t seq;
    uint64_t time; /* seconds since 1970 */
    uint8_t mode;
};

void eth_call_head(const uint8_t log_id[32], struct buf *b);
MUST_USE int eth_head_read(struct str answer, struct eth_head *out);
