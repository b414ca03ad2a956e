/* Ethereum transactions of type 2. Spec: EIP-1559, EIP-2718 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/digest.h"
#include "crypto/secp.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ETH_ADDRESS_SIZE = 20,
    ETH_TX_ROOM = 256, /* bytes that a transaction takes beyond its data */
};

/* Fees in wei per gas. @create: no @to, @data is what creates the contract. @data borrowed. */
struct eth_tx {
    uint64_t chain;
    uint64_t nonce;
    uint64_t tip;
    uint64_t max_fee;
    uint64_t gas;
    uint64_t value; /* wei */
    bool create;
    uint8_t to[ETH_ADDRESS_SIZE];
    struct str data;
};

/**
 * eth_tx_digest() - what the sender signs
 * @scratch: room for @tx->data and ETH_TX_ROOM bytes, used and given back
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int eth_tx_digest(const struct eth_tx *tx, struct buf *scratch,
                           uint8_t out[DIGEST_SIZE]);

/* Append the signed transaction as eth_sendRawTransaction takes it; its hash is keccak256. */
void eth_tx_put(const struct eth_tx *tx, const struct secp_signature *signature, struct buf *b);

/* Address of the contract that @from creates with @nonce. */
void eth_create_address(const uint8_t from[ETH_ADDRESS_SIZE], uint64_t nonce,
                        uint8_t out[ETH_ADDRESS_SIZE]);
