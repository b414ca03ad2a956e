/* The tree against a naive one written straight from RFC 6962. */
#include "anchor/merkle.h"
#include "anchor/tiles.h"
#include "tests/check.h"

#include <errno.h>

enum {
    LEAVES = 1024,
    ALL_PAIRS = 130,  /* every pair up to this size, */
    SAMPLE_STEP = 97, /* then some */
};

static struct merkle_hash leaves[LEAVES];
static struct merkle_hash roots[LEAVES + 1];

/* MTH(D[begin:end]) of RFC 6962 section 2.1. */
static void naive_root(size_t begin, size_t end, struct merkle_hash *out)
{
    if (end - begin == 0) {
        merkle_empty(out);
        return;
    }
    if (end - begin == 1) {
        *out = leaves[begin];
        return;
    }
    size_t k = 1;
    while (k * 2 < end - begin) {
        k *= 2;
    }
    struct merkle_hash left;
    struct merkle_hash right;
    naive_root(begin, begin + k, &left);
    naive_root(begin + k, end, &right);
    merkle_node(&left, &right, out);
}

static int read_naive(void *owner, unsigned level, uint64_t index, struct merkle_hash *out)
{
    (void)owner;
    size_t begin = index << level;
    assert_true(begin + ((size_t)1 << level) <= LEAVES);
    naive_root(begin, begin + ((size_t)1 << level), out);
    return 0;
}

static const struct merkle_reader naive = { .fetch = read_naive };

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LEAVES; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "leaf %u", i);
        merkle_leaf(str_z(text), &leaves[i]);
    }
    for (size_t n = 0; n <= LEAVES; n++) {
        naive_root(0, n, &roots[n]);
    }
    return 0;
}

/* Roots of the inputs that Certificate Transparency's own tests use. */
static void test_known_roots(void **state)
{
    static const char *const inputs[] = {
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    };
    static const char *const wants[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    (void)state;
    struct merkle_frontier frontier = { 0 };
    struct merkle_hash root;
    for (size_t i = 0; i <= ARRAY_LEN(inputs); i++) {
        merkle_root(&frontier, &root);
        assert_hex(root.b, sizeof(root.b), wants[i]);
        if (i < ARRAY_LEN(inputs)) {
            unsigned char data[32];
            size_t n = check_unhex(inputs[i], data);
            struct merkle_hash leaf;
            merkle_leaf(str_of(data, n), &leaf);
            merkle_append(&frontier, &leaf);
        }
    }
}

static void test_incremental_equals_naive(void **state)
{
    (void)state;
    struct merkle_frontier frontier = { 0 };
    struct merkle_hash root;
    for (size_t n = 0; n <= LEAVES; n++) {
        merkle_root(&frontier, &root);
        assert_true(merkle_same(&root, &roots[n]));
        assert_int_equal(merkle_root_at(&naive, n, &root), 0);
        assert_true(merkle_same(&root, &roots[n]));
        if (n < LEAVES) {
            merkle_append(&frontier, &leaves[n]);
        }
    }
}

static void check_inclusion(size_t index, size_t size)
{
    struct merkle_proof proof;
    struct merkle_head head = { .size = size, .root = roots[size] };
    assert_int_equal(merkle_prove_inclusion(&naive, index, size, &proof), 0);
    assert_true(merkle_check_inclusion(&leaves[index], index, &head, &proof));
    assert_false(merkle_check_inclusion(&leaves[index ^ 1], index, &head, &proof));
    if (index + 1 < size) {
        assert_false(merkle_check_inclusion(&leaves[index], index + 1, &head, &proof));
    }
    proof.count++;
    assert_false(merkle_check_inclusion(&leaves[index], index, &head, &proof));
}

static void check_consistency(size_t from, size_t to)
{
    struct merkle_proof proof;
    struct merkle_head old = { .size = from, .root = roots[from] };
    struct merkle_head new = { .size = to, .root = roots[to] };
    assert_int_equal(merkle_prove_consistency(&naive, from, to, &proof), 0);
    assert_true(merkle_check_consistency(&old, &new, &proof));
    old.root = roots[from - 1];
    assert_false(merkle_check_consistency(&old, &new, &proof));
    old.root = roots[from];
    new.root = roots[to - 1];
    assert_false(merkle_check_consistency(&old, &new, &proof));
    new.root = roots[to];
    proof.hash[proof.count++] = roots[1];
    assert_false(merkle_check_consistency(&old, &new, &proof));
}

static void test_all_pairs(void **state)
{
    (void)state;
    for (size_t size = 1; size <= ALL_PAIRS; size++) {
        for (size_t i = 0; i < size; i++) {
            check_inclusion(i, size);
            check_consistency(i + 1, size);
        }
    }
    for (size_t size = ALL_PAIRS; size <= LEAVES; size += SAMPLE_STEP) {
        for (size_t i = size % 7; i < size; i += SAMPLE_STEP) {
            check_inclusion(i, size);
            check_consistency(i + 1, size);
        }
    }
}

static void test_out_of_range(void **state)
{
    (void)state;
    struct merkle_proof proof;
    assert_int_equal(merkle_prove_inclusion(&naive, 5, 5, &proof), -ERANGE);
    assert_int_equal(merkle_prove_consistency(&naive, 0, 5, &proof), -ERANGE);
    assert_int_equal(merkle_prove_consistency(&naive, 6, 5, &proof), -ERANGE);
    struct merkle_head none = { 0 };
    struct merkle_head one = { .size = 1, .root = roots[1] };
    proof.count = 0;
    assert_false(merkle_check_inclusion(&leaves[0], 0, &none, &proof));
    assert_false(merkle_check_consistency(&none, &one, &proof));
    assert_false(merkle_check_consistency(&one, &none, &proof));
}

/* Flip each bit of hash, root and proof in turn; nothing passes. */
static void test_every_flipped_bit_refused(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 17; size++) {
        for (size_t i = 0; i < size; i++) {
            struct {
                struct merkle_hash leaf;
                struct merkle_hash root;
                struct merkle_hash old;
            } in = { leaves[i], roots[size], roots[i + 1] };
            struct merkle_proof path;
            struct merkle_proof grown;
            assert_int_equal(merkle_prove_inclusion(&naive, i, size, &path), 0);
            assert_int_equal(merkle_prove_consistency(&naive, i + 1, size, &grown), 0);
            for (size_t bit = 0; bit < path.count * 256; bit++) {
                struct merkle_head head = { size, in.root };
                path.hash[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
                assert_false(merkle_check_inclusion(&in.leaf, i, &head, &path));
                path.hash[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
            }
            for (size_t bit = 0; bit < grown.count * 256; bit++) {
                struct merkle_head old = { i + 1, in.old };
                struct merkle_head new = { size, in.root };
                grown.hash[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
                assert_false(merkle_check_consistency(&old, &new, &grown));
                grown.hash[bit / 256].b[bit / 8 % 32] ^= (uint8_t)(1 << bit % 8);
            }
            for (size_t bit = 0; bit < 256; bit++) {
                struct merkle_head head = { size, in.root };
                head.root.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_false(merkle_check_inclusion(&in.leaf, i, &head, &path));
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_roots),
        cmocka_unit_test(test_incremental_equals_naive),
        cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_every_flipped_bit_refused),
    };
    return cmocka_run_group_tests_name("anchor/merkle", tests, setup, NULL);
}
