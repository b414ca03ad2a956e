/*
 * A trie over numbered values, and the proof for one of them.
 *
 * Keys are RLP of the numbers. In the order of those keys the numbers run 1 … 127, 0, 128 …, so
 * nothing has to be sorted and no node is kept: each subtree is a row of neighbours, built from
 * below, of which its parent needs the reference alone. Nodes on the way to the target are
 * copied out as they are made, so the proof comes from the leaf up and is turned in the end.
 */
#include "anchor/rlp.h"
#include "anchor/trie.h"
#include "anchor/trie_node.h"
#include "crypto/digest.h"

#include <assert.h>
#include <errno.h>

enum {
    KEY_SIZE_MAX = 9,
    NODE_SIZE_MAX = 560, /* a branch: sixteen references of 33 bytes, and its header */
    SMALL_MAX = 127,     /* largest number that is its own key */
};

/* What a parent writes for a node: its hash as RLP, or the node itself if that is shorter. */
struct reference {
    uint8_t bytes[DIGEST_SIZE + 1];
    size_t n;
};

/* Neighbours: items @from to @to - 1 in the order of keys, equal in their first @depth nibbles.
 */
struct row {
    size_t from;
    size_t to;
    size_t depth;
};

struct build {
    const struct str *values;
    size_t count;
    size_t target; /* in the order of keys */
    struct buf *memory;
    struct trie_proof *out;
};

size_t trie_index_key(uint64_t index, uint8_t out[9])
{
    struct buf b = buf_fixed(out, KEY_SIZE_MAX);
    rlp_put_u64(&b, index);
    return b.n;
}

/* Number of the item at @place in the order of keys; and the other way round. */
static size_t number_at(const struct build *build, size_t place)
{
    size_t small = build->count - 1 < SMALL_MAX ? build->count - 1 : SMALL_MAX;
    return place < small ? place + 1 : place == small ? 0 : place;
}

static size_t place_of(const struct build *build, size_t number)
{
    size_t small = build->count - 1 < SMALL_MAX ? build->count - 1 : SMALL_MAX;
    return number == 0 ? small : number <= small ? number - 1 : number;
}

struct key {
    uint8_t bytes[KEY_SIZE_MAX];
    size_t nibbles;
};

static struct key key_at(const struct build *build, size_t place)
{
    struct key key;
    key.nibbles = 2 * trie_index_key(number_at(build, place), key.bytes);
    return key;
}

static unsigned nibble(const struct key *key, size_t at)
{
    return at % 2 ? key->bytes[at / 2] & 15U : key->bytes[at / 2] >> 4U;
}

/* RLP of the packed path: nibbles @from to @to - 1 of @key. */
static void put_path(struct buf *b, const struct key *key, size_t from, size_t to,
                     unsigned flags)
{
    uint8_t packed[KEY_SIZE_MAX + 1] = { 0 };
    size_t n = to - from;
    size_t skip = n % 2 ? 1 : 2;
    packed[0] = (uint8_t)((flags | (n % 2 ? TRIE_ODD : 0U)) << 4);
    for (size_t i = 0; i < n; i++) {
        size_t at = skip + i;
        packed[at / 2] |= (uint8_t)(nibble(key, from + i) << (at % 2 ? 0 : 4));
    }
    rlp_put(b, packed, (n + skip) / 2);
}

/*
 * A node made of two parts is done: refer to it, and keep it if it is on the way. Only a node
 * that is referred to by its hash is listed in a proof; the root always is.
 */
static void finish(struct build *build, const struct row *row, const struct str parts[2],
                   struct reference *out)
{
    size_t n = parts[0].n + parts[1].n;
    bool root = row->from == 0 && row->to == build->count && row->depth == 0;
    struct buf b = buf_fixed(out->bytes, sizeof(out->bytes));
    if (n < DIGEST_SIZE && !root) {
        buf_str_put(&b, parts[0]);
        buf_str_put(&b, parts[1]);
        out->n = b.n;
        return;
    }
    uint8_t hash[DIGEST_SIZE];
    digest_keccak256_parts(parts, 2, hash);
    rlp_put(&b, hash, sizeof(hash));
    out->n = b.n;
    if (build->target >= row->from && build->target < row->to) {
        assert(build->out->count < TRIE_NODES_MAX);
        struct buf *memory = build->memory;
        size_t start = memory->n;
        buf_str_put(memory, parts[0]);
        buf_str_put(memory, parts[1]);
        build->out->nodes[build->out->count++] = str_of(memory->p + start, n);
    }
}

/* A leaf holds the value as a string; it may be long, so it isn't copied. */
static void leaf(struct build *build, const struct row *row, struct reference *out)
{
    uint8_t head[32];
    uint8_t text[64];
    struct buf b = buf_fixed(text, sizeof(text));
    struct key key = key_at(build, row->from);
    struct str value = build->values[number_at(build, row->from)];
    put_path(&b, &key, row->depth, key.nibbles, TRIE_LEAF);
    if (value.n > 1 || (unsigned char)value.p[0] >= 0x80) {
        buf_put(&b, head, rlp_header(false, value.n, head));
    }
    uint8_t front[sizeof(head) + sizeof(text)];
    struct buf f = buf_fixed(front, sizeof(front));
    buf_put(&f, head, rlp_header(true, b.n + value.n, head));
    buf_str_put(&f, buf_str(&b));
    const struct str parts[2] = { buf_str(&f), value };
    finish(build, row, parts, out);
}

static void subtree(struct build *build, const struct row *row, struct reference *out);

/* No key begins another, so a branch itself never holds a value. */
static void branch(struct build *build, const struct row *row, struct reference *out)
{
    char text[NODE_SIZE_MAX];
    struct buf b = buf_fixed(text, sizeof(text));
    size_t list = rlp_open(&b);
    size_t place = row->from;
    for (unsigned n = 0; n < TRIE_BRANCH_ITEMS - 1; n++) {
        struct row part = { .from = place, .depth = row->depth + 1 };
        for (; place < row->to; place++) {
            struct key key = key_at(build, place);
            if (nibble(&key, row->depth) != n) {
                break;
            }
        }
        part.to = place;
        struct reference child = { .bytes = { 0x80 }, .n = 1 };
        if (part.to > part.from) {
            subtree(build, &part, &child);
        }
        buf_put(&b, child.bytes, child.n);
    }
    rlp_put(&b, "", 0);
    rlp_close(&b, list);
    assert(!buf_failed(&b));
    const struct str parts[2] = { buf_str(&b), STR("") };
    finish(build, row, parts, out);
}

/* Depth up to which all keys of @row are equal: the first and the last tell, as they ascend. */
static size_t common(const struct build *build, const struct row *row)
{
    struct key first = key_at(build, row->from);
    struct key last = key_at(build, row->to - 1);
    size_t depth = row->depth;
    while (nibble(&first, depth) == nibble(&last, depth)) {
        depth++;
    }
    return depth;
}

static void subtree(struct build *build, const struct row *row, struct reference *out)
{
    if (row->to - row->from == 1) {
        leaf(build, row, out);
        return;
    }
    size_t depth = common(build, row);
    if (depth == row->depth) {
        branch(build, row, out);
        return;
    }
    struct row below = { .from = row->from, .to = row->to, .depth = depth };
    struct reference child;
    char text[64];
    struct buf b = buf_fixed(text, sizeof(text));
    struct key key = key_at(build, row->from);
    branch(build, &below, &child);
    size_t list = rlp_open(&b);
    put_path(&b, &key, row->depth, depth, 0);
    buf_put(&b, child.bytes, child.n);
    rlp_close(&b, list);
    const struct str parts[2] = { buf_str(&b), STR("") };
    finish(build, row, parts, out);
}

int trie_prove(const struct str *values, size_t count, size_t target, struct buf *memory,
               struct trie_proof *out)
{
    if (target >= count) {
        return -EINVAL;
    }
    assert(!memory->grow);
    struct build build = { .values = values, .count = count, .memory = memory, .out = out };
    struct row all = { .from = 0, .to = count };
    struct reference root;
    out->count = 0;
    build.target = place_of(&build, target);
    subtree(&build, &all, &root);
    if (buf_failed(memory)) {
        return -ENOMEM;
    }
    memcpy(out->root, &root.bytes[1], sizeof(out->root));
    for (size_t i = 0; i < out->count / 2; i++) {
        struct str node = out->nodes[i];
        out->nodes[i] = out->nodes[out->count - 1 - i];
        out->nodes[out->count - 1 - i] = node;
    }
    return 0;
}
