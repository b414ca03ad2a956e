/*
 * Merkle-Patricia tries: check a proof, and make one for the receipts of a block.
 *
 * A proof is the nodes from the root down, each referred to by the one before it; nodes that
 * stand inside others are not listed. Every node listed must be used.
 *
 * Spec: Ethereum yellow paper, appendix D; EIP-1186
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    TRIE_NODES_MAX = 65, /* of a proof: one for each nibble of a hashed key, and the root */
    TRIE_KEY_MAX = 32,   /* bytes */

    TRIE_E_ABSENT = 1, /* the proof shows that the key has no value */
};

/**
 * trie_check() - which value does the trie with this root hold for a key?
 * @nodes: RLP of the nodes, root first
 * @out:   the value, borrowed from @nodes
 *
 * Return: 0, TRIE_E_ABSENT, -EINVAL if the nodes prove nothing
 */
MUST_USE int trie_check(const uint8_t root[32], struct str key, const struct str *nodes,
                        size_t count, struct str *out);

/* Where account state and contract storage stand: keccak256 of address or slot. */
struct eth_account {
    uint64_t nonce;
    uint8_t storage_root[32];
    uint8_t code_hash[32];
};

/* The account of @address in the state @root. Returns as trie_check(). */
MUST_USE int trie_check_account(const uint8_t root[32], const uint8_t address[20],
                                const struct str *nodes, size_t count, struct eth_account *out);

/* The word in @slot of a storage @root; zeros if the proof shows there is none. 0 or -EINVAL */
MUST_USE int trie_check_slot(const uint8_t root[32], const uint8_t slot[32],
                             const struct str *nodes, size_t count, uint8_t out[32]);

/* Slot of mapping(bytes32 => …)[@key] where the mapping itself stands in slot @at; @plus: the
 * n-th word of the value. */
void trie_mapping_slot(const uint8_t key[32], uint64_t at, uint64_t plus, uint8_t out[32]);

/* @nodes: in the memory given to trie_prove(). */
struct trie_proof {
    uint8_t root[32];
    size_t count;
    struct str nodes[TRIE_NODES_MAX];
};

/* The key of item @index: RLP of the number. Returns its length. */
size_t trie_index_key(uint64_t index, uint8_t out[9]);

/**
 * trie_prove() - trie over numbered values (receipts, transactions), proof for one of them
 * @values: of items 0 to @count - 1, none empty; borrowed
 * @target: item to prove
 * @memory: fixed memory for the nodes of the proof: the value and 4 KB are enough
 *
 * Return: 0, -EINVAL if @target is out of range, -ENOMEM
 */
MUST_USE int trie_prove(const struct str *values, size_t count, size_t target,
                        struct buf *memory, struct trie_proof *out);
