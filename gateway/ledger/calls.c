/* ABI encodings of the calls; signatures of the functions as in the contracts' ABI. */
#include "gateway/ledger/calls.h"

#include "anchor/abi.h"

#include <string.h>

enum {
    V_BASE = 27, /* what Ethereum adds to the number of the point */
};

void calls_signature(const struct secp_signature *signature, uint8_t out[CALLS_SIGNATURE_SIZE])
{
    out[0] = 0;
    memcpy(out + 1, signature->r, sizeof(signature->r));
    memcpy(out + 33, signature->s, sizeof(signature->s));
    out[65] = (uint8_t)(V_BASE + signature->v);
}

void calls_grant(struct buf *b, const struct consent_grant *grant, struct str sig)
{
    size_t start =
        abi_call(b, "grant((bytes32,bytes32,address,uint16,uint40,uint40,uint40),bytes)");
    abi_put(b, grant->id, sizeof(grant->id));
    abi_put(b, grant->commitment, sizeof(grant->commitment));
    abi_put(b, grant->controller, sizeof(grant->controller));
    abi_put_u64(b, grant->version);
    abi_put_u64(b, grant->valid_from);
    abi_put_u64(b, grant->valid_until);
    abi_put_u64(b, grant->deadline);
    size_t slot = abi_slot(b);
    abi_point(b, start, slot);
    abi_put_bytes(b, sig);
}

void calls_revoke(struct buf *b, const struct consent_revoke *revoke, struct str sig)
{
    size_t start = abi_call(b, "revoke(bytes32,uint16,bytes)");
    abi_put(b, revoke->id, sizeof(revoke->id));
    abi_put_u64(b, revoke->version);
    size_t slot = abi_slot(b);
    abi_point(b, start, slot);
    abi_put_bytes(b, sig);
}

void calls_rotate(struct buf *b, const struct consent_rotate *rotate, struct str sig)
{
    size_t start = abi_call(b, "rotateController(bytes32,uint16,address,uint40,bytes)");
    abi_put(b, rotate->id, sizeof(rotate->id));
    abi_put_u64(b, rotate->version);
    abi_put(b, rotate->to, sizeof(rotate->to));
    abi_put_u64(b, rotate->deadline);
    size_t slot = abi_slot(b);
    abi_point(b, start, slot);
    abi_put_bytes(b, sig);
}

void calls_attest(struct buf *b, const struct consent_revoke *revoke)
{
    (void)abi_call(b, "revokeByAttestor(bytes32,uint16)");
    abi_put(b, revoke->id, sizeof(revoke->id));
    abi_put_u64(b, revoke->version);
}

void calls_anchor(struct buf *b, const struct calls_head *head,
                  const struct merkle_proof *proof)
{
    size_t start = abi_call(b, "anchorConsistent(bytes32,uint64,bytes32,bytes32,bytes32[])");
    abi_put(b, head->log_id, sizeof(head->log_id));
    abi_put_u64(b, head->size);
    abi_put(b, head->root, sizeof(head->root));
    abi_put(b, head->note_hash, sizeof(head->note_hash));
    size_t slot = abi_slot(b);
    abi_point(b, start, slot);
    abi_put_words(b, proof->hash, proof->count);
}

void calls_head(struct buf *b, const uint8_t log_id[32])
{
    (void)abi_call(b, "head(bytes32)");
    abi_put(b, log_id, ABI_WORD);
}

void calls_register(struct buf *b, struct str origin, const uint8_t operator_[20])
{
    size_t start = abi_call(b, "register(string,address,bool)");
    size_t slot = abi_slot(b);
    abi_put(b, operator_, ABI_ADDRESS_SIZE);
    abi_put_u64(b, 1); /* strict */
    abi_point(b, start, slot);
    abi_put_bytes(b, origin);
}

void calls_grant_role(struct buf *b, const uint8_t role[32], const uint8_t account[20])
{
    (void)abi_call(b, "grantRole(bytes32,address)");
    abi_put(b, role, ABI_WORD);
    abi_put(b, account, ABI_ADDRESS_SIZE);
}
