/* Receipts of transactions, and AuditAnchor's event in them. Spec: EIP-658, EIP-2718 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ETH_TOPICS_MAX = 4,
    ETH_BLOOM_SIZE = 256,
};

/* @data: borrowed */
struct eth_log {
    uint8_t address[20];
    size_t topic_count;
    uint8_t topics[ETH_TOPICS_MAX][32];
    struct str data;
};

/* @type: 0 is the untyped form. @bloom: ETH_BLOOM_SIZE bytes. @logs: RLP items. Borrowed. */
struct eth_receipt {
    uint8_t type;
    bool success;
    uint64_t gas; /* cumulative */
    struct str bloom;
    struct str logs;
};

/* Decode a receipt as the receipts trie holds it. Return: 0 or -EINVAL */
MUST_USE int eth_receipt_read(struct str bytes, struct eth_receipt *out);

/* Take the next log off @rest, which begins as receipt.logs. Return: 0 or -EINVAL */
MUST_USE int eth_log_next(struct str *rest, struct eth_log *out);

/* The other way: a log is appended to a buf that becomes receipt.logs. */
void eth_log_put(const struct eth_log *log, struct buf *b);
void eth_receipt_put(const struct eth_receipt *receipt, struct buf *b);

/* Event Anchored(logId, seq, treeSize, root, noteHash) of AuditAnchor. */
struct eth_anchored {
    uint8_t log_id[32];
    uint64_t seq;
    uint64_t size;
    uint8_t root[32];
    uint8_t note_hash[32];
};

#define ETH_ANCHORED_SIGNATURE "Anchored(bytes32,uint64,uint64,bytes32,bytes32)"

/* Is @log this event? Return: 0 or -EINVAL */
MUST_USE int eth_anchored_read(const struct eth_log *log, struct eth_anchored *out);

/**
 * eth_receipt_anchored() - the Anchored event of a log in a receipt
 * @contract: where AuditAnchor stands
 * @log_id:   keccak256 of the log's origin
 *
 * A transaction that failed has none. If there are several, the last.
 * Return: 0, -ENOENT, -EINVAL if the receipt can't be read
 */
MUST_USE int eth_receipt_anchored(const struct eth_receipt *receipt, const uint8_t contract[20],
                                  const uint8_t log_id[32], struct eth_anchored *out);
