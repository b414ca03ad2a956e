/*
 * What nodes answer, read into fixed structs. Nodes are not trusted: whatever isn't exactly
 * what was asked for is -EBADMSG.
 *
 * Spec: Ethereum JSON-RPC; quantities without leading zeros are not insisted on
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "fhir/model/node.h"
#include "gateway/store/chain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ANSWERS_EVENTS_MAX = STORE_CHAIN_EVENTS_MAX,

    ANSWERS_E_TOO_MANY = 1, /* more events than there is room for: ask for fewer blocks */
};

/* 0x and 1 to 16 digits. */
MUST_USE int answers_quantity(const struct node *node, uint64_t *out);

/* 0x and exactly @n bytes. */
MUST_USE int answers_fixed(const struct node *node, uint8_t *out, size_t n);

/* 0x and any number of bytes, appended to @out. */
MUST_USE int answers_data(const struct node *node, struct buf *out);

/* Of eth_getBlockBy…: number, hash, parent, time. */
MUST_USE int answers_block(const struct node *node, struct store_block *out);

/* RLP of that block's header, whose keccak256 was compared with the block's hash. */
MUST_USE int answers_header(const struct node *node, struct buf *out);

struct answers_receipt {
    bool success;
    uint64_t number;
    uint64_t index; /* in the block */
    uint8_t block[32];
    uint8_t tx[32];
    uint8_t contract[20]; /* created; zeros: none */
};

MUST_USE int answers_receipt(const struct node *node, struct answers_receipt *out);

/* The receipt as the receipts trie holds it. */
MUST_USE int answers_receipt_put(const struct node *node, struct buf *out);

/* Which logs were asked for. */
struct answers_range {
    uint8_t registry[20];
    uint64_t from;
    uint64_t to;
};

/**
 * answers_events() - events of ConsentRegistry, of eth_getLogs
 * @range: what was asked for; anything else in the answer is an error
 * @out:   room for @max
 *
 * Events that aren't about consents (roles, pausing) are left out.
 * Return: 0, ANSWERS_E_TOO_MANY, -EBADMSG
 */
MUST_USE int answers_events(const struct node *node, const struct answers_range *range,
                            struct store_event *out, size_t max, size_t *count);

/* Of eth_feeHistory: base fee of the next block, median of the blocks' rewards, in wei. */
MUST_USE int answers_fees(const struct node *node, uint64_t *base, uint64_t *tip);
