/*
 * Checking proofs of Merkle-Patricia tries.
 *
 * The walk goes from reference to reference: 32 bytes are a node's Keccak-256, and that node
 * must be the next in the proof; fewer are the node itself. It ends at the key's value or where
 * the trie parts from the key, which proves absence.
 */
#include "anchor/trie.h"

#include "anchor/rlp.h"
#include "anchor/trie_node.h"
#include "crypto/digest.h"

#include <errno.h>

/* Root of the trie that holds nothing: keccak256(rlp("")). */
static const uint8_t empty_root[32] = {
    0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
    0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
    0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
};

/* @at: nibbles of the key that lie behind; @used: nodes of the proof that do */
struct walk {
    struct str key;
    size_t at;
    const struct str *nodes;
    size_t count;
    size_t used;
};

static unsigned nibble(struct str key, size_t at)
{
    unsigned char byte = (unsigned char)key.p[at / 2];
    return at % 2 ? byte & 15U : byte >> 4U;
}

/* Items of a node: 17 of a branch, 2 of an extension or leaf. */
struct node {
    struct rlp items[TRIE_BRANCH_ITEMS];
    size_t count;
};

static int read_node(struct str body, struct node *node)
{
    node->count = 0;
    while (body.n) {
        if (node->count == TRIE_BRANCH_ITEMS ||
            rlp_next(&body, &node->items[node->count++]) < 0) {
            return -EINVAL;
        }
    }
    return node->count == 2 || node->count == TRIE_BRANCH_ITEMS ? 0 : -EINVAL;
}

/* The body of the node that @reference stands for. */
static int follow(struct walk *walk, const struct rlp *reference, struct str *body)
{
    if (reference->list) {
        if (reference->whole.n >= DIGEST_SIZE) {
            return -EINVAL; /* so large a node is referred to by its hash */
        }
        *body = reference->body;
        return 0;
    }
    if (reference->body.n == 0) {
        return TRIE_E_ABSENT;
    }
    if (reference->body.n != DIGEST_SIZE || walk->used == walk->count) {
        return -EINVAL;
    }
    uint8_t hash[DIGEST_SIZE];
    struct str node = walk->nodes[walk->used++];
    digest_keccak256(node, hash);
    if (memcmp(hash, reference->body.p, DIGEST_SIZE) != 0) {
        return -EINVAL;
    }
    return rlp_only_list(node, body);
}

/* Compare the packed @path with the key from where the walk is; go on behind it if equal. */
static int match(struct walk *walk, struct str path, bool *leaf)
{
    if (path.n == 0) {
        return -EINVAL;
    }
    unsigned flags = (unsigned char)path.p[0] >> 4;
    bool odd = flags & TRIE_ODD;
    if (flags > (TRIE_ODD | TRIE_LEAF) || (!odd && (path.p[0] & 15))) {
        return -EINVAL;
    }
    size_t n = 2 * path.n - (odd ? 1 : 2);
    size_t skip = odd ? 1 : 2;
    *leaf = flags & TRIE_LEAF;
    if (n > 2 * walk->key.n - walk->at) {
        return TRIE_E_ABSENT;
    }
    for (size_t i = 0; i < n; i++) {
        if (nibble(path, skip + i) != nibble(walk->key, walk->at + i)) {
            return TRIE_E_ABSENT;
        }
    }
    walk->at += n;
    if (*leaf && walk->at != 2 * walk->key.n) {
        return TRIE_E_ABSENT;
    }
    return 0;
}

/* One step down: set @value if it ends here, else @next. */
static int step(struct walk *walk, struct str body, struct rlp *next, struct str *value)
{
    struct node node;
    if (read_node(body, &node) < 0) {
        return -EINVAL;
    }
    const struct rlp *last = &node.items[node.count - 1];
    bool ends = walk->at == 2 * walk->key.n;
    if (node.count == TRIE_BRANCH_ITEMS) {
        if (!ends) {
            *next = node.items[nibble(walk->key, walk->at++)];
            return 0;
        }
        *value = last->body;
        return last->list ? -EINVAL : last->body.n == 0 ? TRIE_E_ABSENT : 0;
    }
    bool leaf = false;
    int r = node.items[0].list ? -EINVAL : match(walk, node.items[0].body, &leaf);
    if (r == 0 && leaf) {
        *value = last->body;
        return last->list || last->body.n == 0 ? -EINVAL : 0;
    }
    *next = *last;
    return r;
}

int trie_check(const uint8_t root[32], struct str key, const struct str *nodes, size_t count,
               struct str *out)
{
    if (key.n == 0 || key.n > TRIE_KEY_MAX || count > TRIE_NODES_MAX) {
        return -EINVAL;
    }
    if (memcmp(root, empty_root, sizeof(empty_root)) == 0) {
        return count == 0 ? TRIE_E_ABSENT : -EINVAL;
    }
    struct walk walk = { .key = key, .nodes = nodes, .count = count };
    struct rlp next = { .body = str_of(root, 32) };
    struct str value = { 0 };
    int r = 0;
    while (r == 0 && !value.n) {
        struct str body;
        r = follow(&walk, &next, &body);
        if (r == 0) {
            r = step(&walk, body, &next, &value);
        }
    }
    if (r >= 0 && walk.used != walk.count) {
        return -EINVAL;
    }
    if (r == 0) {
        *out = value;
    }
    return r;
}

int trie_check_account(const uint8_t root[32], const uint8_t address[20],
                       const struct str *nodes, size_t count, struct eth_account *out)
{
    uint8_t key[DIGEST_SIZE];
    struct str value;
    struct str rest;
    struct str balance;
    struct eth_account account;
    digest_keccak256(str_of(address, 20), key);
    int r = trie_check(root, str_of(key, sizeof(key)), nodes, count, &value);
    if (r) {
        return r;
    }
    if (rlp_only_list(value, &rest) < 0 || rlp_u64(&rest, &account.nonce) < 0 ||
        rlp_string(&rest, &balance) < 0 || rlp_fixed(&rest, account.storage_root, 32) < 0 ||
        rlp_fixed(&rest, account.code_hash, 32) < 0 || rest.n) {
        return -EINVAL;
    }
    *out = account;
    return 0;
}

int trie_check_slot(const uint8_t root[32], const uint8_t slot[32], const struct str *nodes,
                    size_t count, uint8_t out[32])
{
    uint8_t key[DIGEST_SIZE];
    struct str value;
    struct str word;
    digest_keccak256(str_of(slot, 32), key);
    int r = trie_check(root, str_of(key, sizeof(key)), nodes, count, &value);
    if (r == TRIE_E_ABSENT) {
        memset(out, 0, 32);
        return 0;
    }
    if (r < 0 || rlp_string(&value, &word) < 0 || value.n || word.n > 32 ||
        (word.n && word.p[0] == 0)) {
        return -EINVAL;
    }
    memset(out, 0, 32 - word.n);
    memcpy(out + 32 - word.n, word.p, word.n);
    return 0;
}

void trie_mapping_slot(const uint8_t key[32], uint64_t at, uint64_t plus, uint8_t out[32])
{
    char text[64];
    struct buf b = buf_fixed(text, sizeof(text));
    static const uint8_t zeros[24];
    buf_put(&b, key, 32);
    buf_put(&b, zeros, sizeof(zeros));
    buf_be64(&b, at);
    digest_keccak256(buf_str(&b), out);
    for (size_t i = 32; i > 0 && plus; i--) { /* addition with carry */
        plus += out[i - 1];
        out[i - 1] = (uint8_t)plus;
        plus >>= 8;
    }
}
