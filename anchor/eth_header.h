/*
 * Block headers: 15 fields in the beginning, 21 since Prague, more later.
 *
 * The hash is keccak256 over all of them, so fields that we don't know do no harm.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ETH_HEADER_FIELDS_MIN = 15,
    ETH_HEADER_FIELDS_MAX = 32,   /* beyond this it's no header */
    ETH_HEADER_SIZE_MAX = 8192,   /* bytes */
    ETH_HEADER_FIELDS_KNOWN = 21, /* rows of eth_header_fields */
};

struct eth_header {
    uint8_t hash[32];
    uint8_t parent[32];
    uint8_t state_root[32];
    uint8_t receipts_root[32];
    uint64_t number;
    uint64_t timestamp; /* seconds since 1970 */
};

/* Decode the RLP of a header. Return: 0 or -EINVAL */
MUST_USE int eth_header_read(struct str rlp, struct eth_header *out);

/*
 * How JSON-RPC names the fields, in order: quantities lose leading zeros, data keeps its
 * length. A block has a field or it and all that follow are missing.
 */
struct eth_header_field {
    const char *name;
    bool quantity;
};
extern const struct eth_header_field eth_header_fields[ETH_HEADER_FIELDS_KNOWN];

/**
 * eth_header_put() - RLP of a header from what JSON-RPC gives
 * @fields: 0x and hexadecimal digits, in the order of eth_header_fields
 * @count:  how many, ETH_HEADER_FIELDS_MIN to ETH_HEADER_FIELDS_KNOWN
 *
 * Return: 0 or -EINVAL. The caller compares keccak256 of it with the block's hash.
 */
MUST_USE int eth_header_put(const struct str *fields, size_t count, struct buf *b);
