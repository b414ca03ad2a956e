/*
 * The Merkle tree of RFC 6962: append, root, proofs.
 *
 * A node (level, index) is the root of the perfect subtree over the leaves
 * [index × 2^level, (index + 1) × 2^level). Proofs are made from such nodes, which a reader
 * gives: from tiles (anchor/tiles.h) or from anywhere.
 *
 * Spec: RFC 6962 section 2.1, RFC 9162 section 2.1
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MERKLE_HASH_SIZE = DIGEST_SIZE,
    MERKLE_LEVELS = 63,     /* a tree has less than 2^63 leaves */
    MERKLE_PROOF_MAX = 128, /* hashes in a proof */
};

struct merkle_hash {
    uint8_t b[MERKLE_HASH_SIZE];
};

/* @node[l] is the root of the perfect subtree of 2^l leaves if bit l of @size is set. */
struct merkle_frontier {
    uint64_t size;
    struct merkle_hash node[MERKLE_LEVELS];
};

/* In the order of the RFC: for inclusion from the leaf's sibling up. */
struct merkle_proof {
    size_t count;
    struct merkle_hash hash[MERKLE_PROOF_MAX];
};

/* Give node (@level, @index) in @out; return 0 or -errno, which is passed on. */
typedef int (*merkle_read_fn)(void *owner, unsigned level, uint64_t index,
                              struct merkle_hash *out);

struct merkle_reader {
    merkle_read_fn fetch;
    void *owner; /* borrowed */
};

static inline bool merkle_same(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->b, b->b, MERKLE_HASH_SIZE) == 0;
}

/* SHA-256(0x00 ‖ data), SHA-256(0x01 ‖ left ‖ right), the root of no leaves. */
void merkle_leaf(struct str data, struct merkle_hash *out);
void merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
                 struct merkle_hash *out);
void merkle_empty(struct merkle_hash *out);

/* Append a leaf hash to @frontier, which begins as { 0 }. */
void merkle_append(struct merkle_frontier *frontier, const struct merkle_hash *leaf);
void merkle_root(const struct merkle_frontier *frontier, struct merkle_hash *out);

/* Root of the first @size leaves, read through @reader. Return: 0 or -errno of the reader */
MUST_USE int merkle_root_at(const struct merkle_reader *reader, uint64_t size,
                            struct merkle_hash *out);

/**
 * merkle_prove_inclusion() - proof that leaf @index is in the tree of @size leaves
 * merkle_prove_consistency() - proof that the tree of @from leaves begins that of @to
 *
 * Return: 0, -ERANGE if @index >= @size or @from > @to or @from is 0, -errno of the reader
 */
MUST_USE int merkle_prove_inclusion(const struct merkle_reader *reader, uint64_t index,
                                    uint64_t size, struct merkle_proof *out);
MUST_USE int merkle_prove_consistency(const struct merkle_reader *reader, uint64_t from,
                                      uint64_t to, struct merkle_proof *out);

/* A tree: how many leaves, and its root. */
struct merkle_head {
    uint64_t size;
    struct merkle_hash root;
};

/* Does @proof show that @leaf stands at @index in @head? */
MUST_USE bool merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
                                     const struct merkle_head *head,
                                     const struct merkle_proof *proof);

/* Does @proof show that @from begins @to? Equal sizes need an empty proof and equal roots. */
MUST_USE bool merkle_check_consistency(const struct merkle_head *from,
                                       const struct merkle_head *to,
                                       const struct merkle_proof *proof);
