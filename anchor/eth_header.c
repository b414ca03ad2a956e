/* Block headers: a list of strings, of which few matter here and all are hashed. */
#include "anchor/eth_header.h"

#include "anchor/rlp.h"
#include "crypto/base/hex.h"

#include <errno.h>

/* Places in the list. */
enum {
    PARENT = 0,
    STATE_ROOT = 3,
    RECEIPTS_ROOT = 5,
    NUMBER = 8,
    TIMESTAMP = 11,
};

const struct eth_header_field eth_header_fields[ETH_HEADER_FIELDS_KNOWN] = {
    { "parentHash", false },
    { "sha3Uncles", false },
    { "miner", false },
    { "stateRoot", false },
    { "transactionsRoot", false },
    { "receiptsRoot", false },
    { "logsBloom", false },
    { "difficulty", true },
    { "number", true },
    { "gasLimit", true },
    { "gasUsed", true },
    { "timestamp", true },
    { "extraData", false },
    { "mixHash", false },
    { "nonce", false },
    { "baseFeePerGas", true },
    { "withdrawalsRoot", false },
    { "blobGasUsed", true },
    { "excessBlobGas", true },
    { "parentBeaconBlockRoot", false },
    { "requestsHash", false },
};

/* Take field @at off @rest. */
static int read_field(struct str *rest, size_t at, struct eth_header *header)
{
    struct str ignored;
    switch (at) {
    case PARENT: return rlp_fixed(rest, header->parent, sizeof(header->parent));
    case STATE_ROOT: return rlp_fixed(rest, header->state_root, sizeof(header->state_root));
    case RECEIPTS_ROOT:
        return rlp_fixed(rest, header->receipts_root, sizeof(header->receipts_root));
    case NUMBER: return rlp_u64(rest, &header->number);
    case TIMESTAMP: return rlp_u64(rest, &header->timestamp);
    default: return rlp_string(rest, &ignored);
    }
}

int eth_header_read(struct str rlp, struct eth_header *out)
{
    struct eth_header header;
    struct str rest;
    if (rlp.n > ETH_HEADER_SIZE_MAX || rlp_only_list(rlp, &rest) < 0) {
        return -EINVAL;
    }
    size_t count = 0;
    for (; rest.n; count++) {
        if (count == ETH_HEADER_FIELDS_MAX || read_field(&rest, count, &header) < 0) {
            return -EINVAL;
        }
    }
    if (count < ETH_HEADER_FIELDS_MIN) {
        return -EINVAL;
    }
    digest_keccak256(rlp, header.hash);
    *out = header;
    return 0;
}

/* @hex: 0x and digits; a quantity may have an odd number of them. */
static int put_field(struct str hex, bool quantity, struct buf *b)
{
    uint8_t bytes[1024];
    char padded[2 * sizeof(bytes)];
    if (!str_starts(hex, STR("0x"))) {
        return -EINVAL;
    }
    hex = str_slice(hex, 2, hex.n);
    size_t odd = hex.n % 2;
    if (hex.n + odd > sizeof(padded) || (odd && !quantity)) {
        return -EINVAL;
    }
    padded[0] = '0';
    memcpy(padded + odd, hex.p, hex.n);
    size_t n = (hex.n + odd) / 2;
    if (hex_decode(str_of(padded, 2 * n), bytes, n) < 0) {
        return -EINVAL;
    }
    if (quantity) {
        rlp_put_number(b, bytes, n);
    } else {
        rlp_put(b, bytes, n);
    }
    return 0;
}

int eth_header_put(const struct str *fields, size_t count, struct buf *b)
{
    if (count < ETH_HEADER_FIELDS_MIN || count > ETH_HEADER_FIELDS_KNOWN) {
        return -EINVAL;
    }
    size_t list = rlp_open(b);
    for (size_t i = 0; i < count; i++) {
        if (put_field(fields[i], eth_header_fields[i].quantity, b) < 0) {
            return -EINVAL;
        }
    }
    rlp_close(b, list);
    return 0;
}
