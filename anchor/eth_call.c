/* Calls, answers and events of our contracts, word by word. */
#include "anchor/eth_call.h"

#include "anchor/abi.h"

#include <errno.h>

#define GRANT_TUPLE "(bytes32,bytes32,address,uint16,uint40,uint40,uint40)"

enum {
    META_REVOKED = 0x8000, /* of Record.meta; the rest is the version */
    META_MAX = 0xffff,
    SOURCE_ATTESTOR = 1,
};

void eth_consent_signature(const struct secp_signature *signature,
                           uint8_t out[ETH_CONSENT_SIGNATURE_SIZE])
{
    out[0] = 0; /* by the controller itself */
    memcpy(&out[1], signature->r, 32);
    memcpy(&out[33], signature->s, 32);
    out[65] = (uint8_t)(27 + signature->v);
}

static void put_grant(const struct consent_grant *grant, struct buf *b)
{
    abi_put(b, grant->id, sizeof(grant->id));
    abi_put(b, grant->commitment, sizeof(grant->commitment));
    abi_put(b, grant->controller, sizeof(grant->controller));
    abi_put_u64(b, grant->version);
    abi_put_u64(b, grant->valid_from);
    abi_put_u64(b, grant->valid_until);
    abi_put_u64(b, grant->deadline);
}

/* The last argument, a signature, is the only dynamic one. */
static void put_signature(struct buf *b, size_t start, struct str signature)
{
    size_t slot = abi_slot(b);
    abi_point(b, start, slot);
    abi_put_bytes(b, signature);
}

void eth_call_grant(const struct consent_grant *grant, struct str signature, struct buf *b)
{
    size_t start = abi_call(b, "grant(" GRANT_TUPLE ",bytes)");
    put_grant(grant, b);
    put_signature(b, start, signature);
}

void eth_call_grant_batch(const struct consent_grant *grants, const struct str *signatures,
                          size_t count, struct buf *b)
{
    size_t start = abi_call(b, "grantBatch(" GRANT_TUPLE "[],bytes[])");
    size_t grants_slot = abi_slot(b);
    size_t signatures_slot = abi_slot(b);
    abi_point(b, start, grants_slot);
    abi_put_u64(b, count);
    for (size_t i = 0; i < count; i++) {
        put_grant(&grants[i], b);
    }
    abi_point(b, start, signatures_slot);
    abi_put_u64(b, count);
    size_t items = b->n; /* offsets of an array's items count from behind its length */
    for (size_t i = 0; i < count; i++) {
        (void)!abi_slot(b);
    }
    for (size_t i = 0; i < count; i++) {
        abi_point(b, items, items + i * ABI_WORD);
        abi_put_bytes(b, signatures[i]);
    }
}

void eth_call_revoke(const struct consent_revoke *revoke, struct str signature, struct buf *b)
{
    size_t start = abi_call(b, "revoke(bytes32,uint16,bytes)");
    abi_put(b, revoke->id, sizeof(revoke->id));
    abi_put_u64(b, revoke->version);
    put_signature(b, start, signature);
}

void eth_call_revoke_by_attestor(const struct consent_revoke *revoke, struct buf *b)
{
    (void)abi_call(b, "revokeByAttestor(bytes32,uint16)");
    abi_put(b, revoke->id, sizeof(revoke->id));
    abi_put_u64(b, revoke->version);
}

void eth_call_rotate(const struct consent_rotate *rotate, struct str signature, struct buf *b)
{
    size_t start = abi_call(b, "rotateController(bytes32,uint16,address,uint40,bytes)");
    abi_put(b, rotate->id, sizeof(rotate->id));
    abi_put_u64(b, rotate->version);
    abi_put(b, rotate->to, sizeof(rotate->to));
    abi_put_u64(b, rotate->deadline);
    put_signature(b, start, signature);
}

void eth_call_status(const uint8_t consent[32], struct buf *b)
{
    (void)abi_call(b, "statusOf(bytes32)");
    abi_put(b, consent, 32);
}

static void set_meta(uint64_t meta, struct eth_consent *out)
{
    out->revoked = meta & META_REVOKED;
    out->version = (uint16_t)(meta & (META_REVOKED - 1));
}

int eth_status_read(struct str answer, struct eth_consent *out)
{
    struct eth_consent consent = { 0 };
    uint64_t meta;
    if (abi_address(answer, 0, consent.controller) < 0 ||
        abi_u64(answer, 1, &consent.valid_from) < 0 ||
        abi_u64(answer, 2, &consent.valid_until) < 0 || abi_u64(answer, 3, &meta) < 0 ||
        meta > META_MAX || abi_word(answer, 4, consent.commitment) < 0) {
        return -EINVAL;
    }
    set_meta(meta, &consent);
    *out = consent;
    return 0;
}

static uint64_t number(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

/* Slot 0 from its high end: meta 2 bytes, validUntil 5, validFrom 5, controller 20. */
void eth_consent_from_slots(const uint8_t slot0[32], const uint8_t slot1[32],
                            struct eth_consent *out)
{
    set_meta(number(slot0, 2), out);
    out->valid_until = number(&slot0[2], 5);
    out->valid_from = number(&slot0[7], 5);
    memcpy(out->controller, &slot0[12], sizeof(out->controller));
    memcpy(out->commitment, slot1, sizeof(out->commitment));
}

/* Words of an event's data, indexed arguments apart. */
static const size_t event_words[] = {
    [ETH_CONSENT_GRANTED] = 5,
    [ETH_CONSENT_REVOKED] = 2,
    [ETH_CONSENT_ROTATED] = 2,
};

static int read_granted(struct str data, struct eth_consent *state)
{
    return abi_word(data, 1, state->commitment) < 0 ||
                   abi_address(data, 2, state->controller) < 0 ||
                   abi_u64(data, 3, &state->valid_from) < 0 ||
                   abi_u64(data, 4, &state->valid_until) < 0
               ? -EINVAL
               : 0;
}

static int read_revoked(struct str data, bool *attestor)
{
    uint64_t source;
    if (abi_u64(data, 1, &source) < 0 || source > SOURCE_ATTESTOR) {
        return -EINVAL;
    }
    *attestor = source == SOURCE_ATTESTOR;
    return 0;
}

/* Which of our events @topic names; -ENOENT if none. */
static int kind_of(const uint8_t topic[32], enum eth_consent_kind *out)
{
    static const char *const signatures[] = {
        [ETH_CONSENT_GRANTED] = "ConsentGranted(bytes32,uint16,bytes32,address,uint40,uint40)",
        [ETH_CONSENT_REVOKED] = "ConsentRevoked(bytes32,uint16,uint8)",
        [ETH_CONSENT_ROTATED] = "ControllerRotated(bytes32,uint16,address)",
    };
    for (enum eth_consent_kind kind = 0; kind < ARRAY_LEN(signatures); kind++) {
        uint8_t digest[DIGEST_SIZE];
        abi_topic(signatures[kind], digest);
        if (memcmp(topic, digest, sizeof(digest)) == 0) {
            *out = kind;
            return 0;
        }
    }
    return -ENOENT;
}

int eth_consent_event_read(const struct eth_log *log, struct eth_consent_event *out)
{
    struct eth_consent_event event = { 0 };
    uint64_t version;
    if (log->topic_count == 0 || kind_of(log->topics[0], &event.kind) < 0) {
        return -ENOENT;
    }
    if (log->topic_count != 2 || log->data.n != event_words[event.kind] * ABI_WORD ||
        abi_u64(log->data, 0, &version) < 0 || version == 0 || version >= META_REVOKED) {
        return -EINVAL;
    }
    memcpy(event.id, log->topics[1], sizeof(event.id));
    event.state.version = (uint16_t)version;
    event.state.revoked = event.kind == ETH_CONSENT_REVOKED;
    int r = 0;
    switch (event.kind) {
    case ETH_CONSENT_GRANTED: r = read_granted(log->data, &event.state); break;
    case ETH_CONSENT_REVOKED: r = read_revoked(log->data, &event.attestor); break;
    case ETH_CONSENT_ROTATED: r = abi_address(log->data, 1, event.state.controller); break;
    }
    if (r == 0) {
        *out = event;
    }
    return r;
}

void eth_call_grant_role(const uint8_t role[32], const uint8_t account[20], struct buf *b)
{
    (void)abi_call(b, "grantRole(bytes32,address)");
    abi_put(b, role, 32);
    abi_put(b, account, ABI_ADDRESS_SIZE);
}

void eth_call_register(struct str origin, const uint8_t log_operator[20], bool strict,
                       struct buf *b)
{
    size_t start = abi_call(b, "register(string,address,bool)");
    size_t slot = abi_slot(b);
    abi_put(b, log_operator, 20);
    abi_put_u64(b, strict);
    abi_point(b, start, slot);
    abi_put_bytes(b, origin);
}

void eth_call_anchor(const uint8_t log_id[32], const struct merkle_head *head,
                     const uint8_t note_hash[32], const struct merkle_proof *proof,
                     struct buf *b)
{
    size_t start = abi_call(b, "anchorConsistent(bytes32,uint64,bytes32,bytes32,bytes32[])");
    abi_put(b, log_id, 32);
    abi_put_u64(b, head->size);
    abi_put(b, head->root.b, MERKLE_HASH_SIZE);
    abi_put(b, note_hash, 32);
    size_t slot = abi_slot(b);
    abi_point(b, start, slot);
    abi_put_words(b, proof->hash, proof->count);
}

void eth_call_head(const uint8_t log_id[32], struct buf *b)
{
    (void)abi_call(b, "head(bytes32)");
    abi_put(b, log_id, 32);
}

int eth_head_read(struct str answer, struct eth_head *out)
{
    struct eth_head head = { 0 };
    uint64_t mode;
    if (abi_word(answer, 0, head.head.root.b) < 0 || abi_u64(answer, 1, &head.head.size) < 0 ||
        abi_u64(answer, 2, &head.seq) < 0 || abi_u64(answer, 3, &head.time) < 0 ||
        abi_u64(answer, 4, &mode) < 0 || mode > UINT8_MAX) {
        return -EINVAL;
    }
    head.mode = (uint8_t)mode;
    *out = head;
    return 0;
}
