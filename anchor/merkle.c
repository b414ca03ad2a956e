/*
 * The Merkle tree of RFC 6962.
 *
 * Any range of leaves that a proof names is a row of perfect subtrees, largest first; its root
 * folds them from the right. That one function makes all proofs. Checking follows the
 * algorithms of RFC 9162, which walk the bits of index and size.
 */
#include "anchor/merkle.h"

#include <assert.h>
#include <errno.h>

void merkle_leaf(struct str data, struct merkle_hash *out)
{
    const struct str parts[] = { STR("\0"), data };
    digest_sha256_parts(parts, ARRAY_LEN(parts), out->b);
}

void merkle_node(const struct merkle_hash *left, const struct merkle_hash *right,
                 struct merkle_hash *out)
{
    uint8_t bytes[1 + 2 * MERKLE_HASH_SIZE] = { 1 };
    memcpy(&bytes[1], left->b, MERKLE_HASH_SIZE);
    memcpy(&bytes[1 + MERKLE_HASH_SIZE], right->b, MERKLE_HASH_SIZE);
    digest_sha256(str_of(bytes, sizeof(bytes)), out->b);
}

void merkle_empty(struct merkle_hash *out)
{
    digest_sha256((struct str){ 0 }, out->b);
}

void merkle_append(struct merkle_frontier *frontier, const struct merkle_hash *leaf)
{
    assert(frontier->size >> MERKLE_LEVELS == 0);
    struct merkle_hash hash = *leaf;
    unsigned level = 0;
    for (; frontier->size >> level & 1; level++) {
        merkle_node(&frontier->node[level], &hash, &hash);
    }
    frontier->node[level] = hash;
    frontier->size++;
}

void merkle_root(const struct merkle_frontier *frontier, struct merkle_hash *out)
{
    if (frontier->size == 0) {
        merkle_empty(out);
        return;
    }
    unsigned level = (unsigned)__builtin_ctzll(frontier->size);
    struct merkle_hash root = frontier->node[level];
    for (level++; level < MERKLE_LEVELS; level++) {
        if (frontier->size >> level & 1) {
            merkle_node(&frontier->node[level], &root, &root);
        }
    }
    *out = root;
}

/* Level of the largest perfect subtree that begins at @begin and ends at or before @end. */
static unsigned largest(uint64_t begin, uint64_t end)
{
    unsigned fits = 63 - (unsigned)__builtin_clzll(end - begin);
    unsigned aligned = begin ? (unsigned)__builtin_ctzll(begin) : 63;
    return fits < aligned ? fits : aligned;
}

/* Root of the leaves [begin, end), as the RFC's MTH(D[begin:end]). */
static int range_root(const struct merkle_reader *reader, uint64_t begin, uint64_t end,
                      struct merkle_hash *out)
{
    struct merkle_hash row[MERKLE_LEVELS + 1];
    size_t count = 0;
    assert(begin < end);
    while (begin < end) {
        unsigned level = largest(begin, end);
        int r = reader->fetch(reader->owner, level, begin >> level, &row[count++]);
        if (r < 0) {
            return r;
        }
        begin += (uint64_t)1 << level;
    }
    for (; count > 1; count--) {
        merkle_node(&row[count - 2], &row[count - 1], &row[count - 2]);
    }
    *out = row[0];
    return 0;
}

int merkle_root_at(const struct merkle_reader *reader, uint64_t size, struct merkle_hash *out)
{
    if (size == 0) {
        merkle_empty(out);
        return 0;
    }
    return range_root(reader, 0, size, out);
}

/* Largest power of two below @n, which is at least 2. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* Siblings were collected from the root down; proofs go up. */
static void reverse(struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        struct merkle_hash hash = proof->hash[i];
        proof->hash[i] = proof->hash[proof->count - 1 - i];
        proof->hash[proof->count - 1 - i] = hash;
    }
}

int merkle_prove_inclusion(const struct merkle_reader *reader, uint64_t index, uint64_t size,
                           struct merkle_proof *out)
{
    if (index >= size || size >> MERKLE_LEVELS) {
        return -ERANGE;
    }
    out->count = 0;
    for (uint64_t begin = 0, end = size; end - begin > 1;) {
        uint64_t middle = begin + split(end - begin);
        bool left = index < middle;
        int r = range_root(reader, left ? middle : begin, left ? end : middle,
                           &out->hash[out->count++]);
        if (r < 0) {
            return r;
        }
        begin = left ? begin : middle;
        end = left ? middle : end;
    }
    reverse(out);
    return 0;
}

int merkle_prove_consistency(const struct merkle_reader *reader, uint64_t from, uint64_t to,
                             struct merkle_proof *out)
{
    if (from == 0 || from > to || to >> MERKLE_LEVELS) {
        return -ERANGE;
    }
    out->count = 0;
    uint64_t begin = 0;
    uint64_t end = to;
    while (end != from) { /* SUBPROOF of RFC 6962, unrolled */
        uint64_t middle = begin + split(end - begin);
        bool left = from <= middle;
        int r = range_root(reader, left ? middle : begin, left ? end : middle,
                           &out->hash[out->count++]);
        if (r < 0) {
            return r;
        }
        begin = left ? begin : middle;
        end = left ? middle : end;
    }
    if (begin > 0) { /* the old tree's own root is known to the verifier otherwise */
        int r = range_root(reader, begin, end, &out->hash[out->count++]);
        if (r < 0) {
            return r;
        }
    }
    reverse(out);
    return 0;
}

/* RFC 9162 section 2.1.3.2 */
bool merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
                            const struct merkle_head *head, const struct merkle_proof *proof)
{
    if (index >= head->size || proof->count > MERKLE_PROOF_MAX) {
        return false;
    }
    uint64_t fn = index;
    uint64_t sn = head->size - 1;
    struct merkle_hash hash = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) || fn == sn) {
            merkle_node(&proof->hash[i], &hash, &hash);
            unsigned zeros = (unsigned)__builtin_ctzll(fn); /* fn isn't 0, as sn isn't */
            fn >>= zeros;
            sn >>= zeros;
        } else {
            merkle_node(&hash, &proof->hash[i], &hash);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && merkle_same(&hash, &head->root);
}

/* RFC 9162 section 2.1.4.2, from step 4: @at is the first hash of the path not yet used. */
static bool check_path(const struct merkle_head *from, const struct merkle_head *to,
                       const struct merkle_proof *proof)
{
    bool whole = (from->size & (from->size - 1)) == 0; /* the old tree is a perfect one */
    size_t at = whole ? 0 : 1;
    struct merkle_hash fr = whole ? from->root : proof->hash[0];
    struct merkle_hash sr = fr;
    unsigned ones = (unsigned)__builtin_ctzll(from->size); /* trailing ones of size - 1 */
    uint64_t fn = (from->size - 1) >> ones;
    uint64_t sn = (to->size - 1) >> ones;
    for (; at < proof->count; at++) {
        const struct merkle_hash *hash = &proof->hash[at];
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) || fn == sn) {
            merkle_node(hash, &fr, &fr);
            merkle_node(hash, &sr, &sr);
            unsigned zeros = (unsigned)__builtin_ctzll(fn); /* fn isn't 0, as sn isn't */
            fn >>= zeros;
            sn >>= zeros;
        } else {
            merkle_node(&sr, hash, &sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && merkle_same(&fr, &from->root) && merkle_same(&sr, &to->root);
}

bool merkle_check_consistency(const struct merkle_head *from, const struct merkle_head *to,
                              const struct merkle_proof *proof)
{
    if (from->size == 0 || from->size > to->size || proof->count > MERKLE_PROOF_MAX) {
        return false;
    }
    if (from->size == to->size) {
        return proof->count == 0 && merkle_same(&from->root, &to->root);
    }
    return proof->count > 0 && check_path(from, to, proof);
}
