/* Tiles: names, contents, appending in pieces, proofs read from them. */
#include "anchor/tiles.h"
#include "tests/check.h"

#include <errno.h>

enum {
    LEAVES = 70000, /* the example of the specification */
    STORE_MAX = 1024,
};

/* A store that keeps each tile under its name's parts, and never lets a full one change. */
static struct {
    struct tile_id id;
    struct merkle_hash hash[TILE_WIDTH];
} store[STORE_MAX];
static size_t stored;
static int failure;

static int store_write(void *owner, const struct tile_id *id, const struct merkle_hash *hashes)
{
    (void)owner;
    if (failure) {
        return failure;
    }
    for (size_t i = 0; i < stored; i++) {
        if (store[i].id.level == id->level && store[i].id.index == id->index) {
            assert_true(store[i].id.width < id->width);
            assert_memory_equal(store[i].hash, hashes, store[i].id.width * sizeof(*hashes));
            store[i].id = *id;
            memcpy(store[i].hash, hashes, id->width * sizeof(*hashes));
            return 0;
        }
    }
    assert_true(stored < STORE_MAX);
    store[stored].id = *id;
    memcpy(store[stored].hash, hashes, id->width * sizeof(*hashes));
    stored++;
    return 0;
}

/* A wider tile serves for a narrower one. */
static int store_read(void *owner, const struct tile_id *id, struct merkle_hash *out)
{
    (void)owner;
    for (size_t i = 0; i < stored; i++) {
        if (store[i].id.level == id->level && store[i].id.index == id->index &&
            store[i].id.width >= id->width) {
            memcpy(out, store[i].hash, id->width * sizeof(*out));
            return 0;
        }
    }
    return -ENOENT;
}

static struct merkle_hash leaf_of(uint64_t i)
{
    struct merkle_hash hash;
    merkle_leaf(str_of(&i, sizeof(i)), &hash);
    return hash;
}

static void test_paths(void **state)
{
    static const struct {
        struct tile_id id;
        const char *want;
    } cases[] = {
        { { 0, 0, 256 }, "tile/0/000" },
        { { 0, 999, 256 }, "tile/0/999" },
        { { 0, 1000, 256 }, "tile/0/x001/000" },
        { { 1, 1234067, 256 }, "tile/1/x001/x234/067" },
        { { 0, 1234067, 8 }, "tile/0/x001/x234/067.p/8" },
        { { 7, 273, 112 }, "tile/7/273.p/112" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[TILE_PATH_MAX];
        struct buf b = buf_fixed(text, sizeof(text));
        struct tile_id got;
        tile_path_put(&cases[i].id, &b);
        assert_str(buf_str(&b), cases[i].want);
        assert_int_equal(tile_path_read(buf_str(&b), &got), 0);
        assert_int_equal(got.level, cases[i].id.level);
        assert_int_equal(got.index, cases[i].id.index);
        assert_int_equal(got.width, cases[i].id.width);
    }
}

static void test_bad_paths(void **state)
{
    static const char *const cases[] = {
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/8/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "tile/0/x001.p/000",
        "tile/0/-01",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tile_id got;
        assert_int_equal(tile_path_read(str_z(cases[i]), &got), -EINVAL);
    }
}

/* 273 full and one of 112; one full and one of 17; one of 1. */
static void test_widths_of_the_example(void **state)
{
    (void)state;
    assert_int_equal(tile_width(0, 272, LEAVES), 256);
    assert_int_equal(tile_width(0, 273, LEAVES), 112);
    assert_int_equal(tile_width(0, 274, LEAVES), 0);
    assert_int_equal(tile_width(1, 0, LEAVES), 256);
    assert_int_equal(tile_width(1, 1, LEAVES), 17);
    assert_int_equal(tile_width(2, 0, LEAVES), 1);
    assert_int_equal(tile_width(3, 0, LEAVES), 0);
    assert_int_equal(tile_width(0, 0, 256), 256);
    assert_int_equal(tile_width(1, 0, 256), 1);
}

/* Append in uneven pieces, load the edge again each time, compare roots and read proofs. */
static void test_append_and_prove(void **state)
{
    (void)state;
    static struct tile_edge edge;
    static struct merkle_hash batch[1000];
    struct merkle_frontier plain = { 0 };
    stored = 0;
    size_t step = 1;
    while (plain.size < LEAVES) {
        struct merkle_hash want;
        struct merkle_hash got;
        size_t n = step < LEAVES - plain.size ? step : LEAVES - plain.size;
        assert_int_equal(tile_edge_load(&edge, plain.size, store_read, NULL), 0);
        for (size_t i = 0; i < n; i++) {
            batch[i] = leaf_of(plain.size);
            merkle_append(&plain, &batch[i]);
        }
        assert_int_equal(tile_append(&edge, batch, n, store_write, NULL), 0);
        merkle_root(&plain, &want);
        merkle_root(&edge.frontier, &got);
        assert_true(merkle_same(&got, &want));
        step = step * 5 % 997 + 1;
    }
    assert_int_equal(stored, 274 + 2 + 1);

    static struct tile_reader reader;
    tile_reader_init(&reader, LEAVES, store_read, NULL);
    struct merkle_reader nodes = tile_nodes(&reader);
    struct merkle_head head = { .size = LEAVES };
    struct merkle_proof proof;
    merkle_root(&plain, &head.root);
    for (uint64_t i = 0; i < LEAVES; i += 641) {
        struct merkle_hash leaf = leaf_of(i);
        struct merkle_head old = { .size = i + 1 };
        assert_int_equal(merkle_prove_inclusion(&nodes, i, LEAVES, &proof), 0);
        assert_true(merkle_check_inclusion(&leaf, i, &head, &proof));
        assert_int_equal(merkle_root_at(&nodes, i + 1, &old.root), 0);
        assert_int_equal(merkle_prove_consistency(&nodes, i + 1, LEAVES, &proof), 0);
        assert_true(merkle_check_consistency(&old, &head, &proof));
    }
}

static void test_failures_are_passed_on(void **state)
{
    (void)state;
    static struct tile_edge edge;
    static struct tile_reader reader;
    struct merkle_hash leaf = leaf_of(1);
    struct merkle_proof proof;
    stored = 0;
    failure = -EIO;
    assert_int_equal(tile_edge_load(&edge, 0, store_read, NULL), 0);
    assert_int_equal(tile_append(&edge, &leaf, 1, store_write, NULL), -EIO);
    failure = 0;
    assert_int_equal(tile_edge_load(&edge, 3, store_read, NULL), -ENOENT);
    tile_reader_init(&reader, 300, store_read, NULL);
    struct merkle_reader nodes = tile_nodes(&reader);
    assert_int_equal(merkle_prove_inclusion(&nodes, 5, 300, &proof), -ENOENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_bad_paths),
        cmocka_unit_test(test_widths_of_the_example),
        cmocka_unit_test(test_append_and_prove),
        cmocka_unit_test(test_failures_are_passed_on),
    };
    return cmocka_run_group_tests_name("anchor/tiles", tests, NULL, NULL);
}
