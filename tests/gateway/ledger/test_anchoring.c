/* Heads of the log reach the contract, are followed to the end, proven, and never forked. */
#include "tests/gateway/ledger/ledger_test.h"

#include "anchor/eth_header.h"
#include "anchor/eth_receipt.h"
#include "anchor/tiles.h"
#include "gateway/ledger/anchor_proof.h"

enum {
    TILES_MAX = 64,
};

static struct {
    struct tile_edge edge;
    struct merkle_head head;
    uint8_t instance[16];
    struct store_tile tiles[TILES_MAX];
    struct merkle_hash hashes[TILES_MAX][TILE_WIDTH];
    size_t count;
} tree;

static int keep_tile(void *owner, const struct tile_id *id, const struct merkle_hash *hashes)
{
    (void)owner;
    assert_true(tree.count < TILES_MAX);
    memcpy(tree.hashes[tree.count], hashes, id->width * sizeof(*hashes));
    tree.tiles[tree.count] = (struct store_tile){ .level = (int16_t)id->level,
                                                  .index = id->index,
                                                  .hashes = tree.hashes[tree.count],
                                                  .width = id->width };
    tree.count++;
    return 0;
}

/* @n more leaves, and a checkpoint of them. */
static void grow(unsigned n)
{
    struct store_end end = { 0 };
    char note[64];
    if (tree.head.size == 0) {
        store_id(tree.instance);
        merkle_empty(&tree.head.root);
    }
    struct store_run run = { .first_seq = tree.head.size + 1, .count = n };
    memcpy(run.instance, tree.instance, 16);
    struct store_append append = {
        .fence = chain.fence, .from = tree.head, .runs = &run, .run_count = 1
    };
    tree.count = 0;
    static struct merkle_hash leaves[512];
    assert_true(n <= ARRAY_LEN(leaves));
    for (uint64_t i = 0; i < n; i++) {
        uint64_t number = tree.head.size + i;
        merkle_leaf(str_of(&number, sizeof(number)), &leaves[i]);
    }
    assert_int_equal(tile_append(&tree.edge, leaves, n, keep_tile, NULL), 0);
    tree.head.size += n;
    merkle_root(&tree.edge.frontier, &tree.head.root);
    append.to = tree.head;
    append.tiles = tree.tiles;
    append.tile_count = tree.count;
    assert_int_equal(
        store_ended(store_log_append(chain.ledger_db, &append, store_on_end, &end), &end), 0);
    (void)snprintf(note, sizeof(note), "note of %u", (unsigned)tree.head.size);
    struct store_checkpoint checkpoint = { tree.head, str_z(note), store_now_ms() };
    end = (struct store_end){ 0 };
    assert_int_equal(store_ended(store_checkpoint_put(chain.ledger_db, chain.fence, 0,
                                                      &checkpoint, store_on_end, &end),
                                 &end),
                     0);
    ledger_new_checkpoint(chain.ledger);
}

static const char *state_of(unsigned size)
{
    static char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT string_agg(state::text, ' ' ORDER BY id) FROM anchor "
                   "WHERE size = %u",
                   size);
    return sql;
}

/* Does the stored proof show the event of this size? */
static void check_proof(unsigned size)
{
    static uint8_t bytes[ANCHOR_PROOF_MAX];
    char sql[256];
    struct anchor_proof proof;
    struct eth_header header;
    struct eth_receipt receipt;
    struct eth_anchored event;
    struct str value;
    uint8_t key[9];
    uint8_t log_id[32];
    (void)snprintf(
        sql, sizeof(sql),
        "SELECT encode(proof, 'hex') FROM anchor WHERE size = %u AND state IN (4, 5)", size);
    size_t n = check_unhex(store_sql(sql), bytes);
    assert_int_equal(anchor_proof_read(str_of(bytes, n), &proof), 0);
    assert_int_equal(eth_header_read(proof.header, &header), 0);
    size_t key_n = trie_index_key(proof.index, key);
    assert_int_equal(
        trie_check(header.receipts_root, str_of(key, key_n), proof.nodes, proof.count, &value),
        0);
    assert_int_equal(eth_receipt_read(value, &receipt), 0);
    digest_keccak256(STR(ORIGIN), log_id);
    assert_int_equal(eth_receipt_anchored(&receipt, chain.at.anchor, log_id, &event), 0);
    assert_int_equal(event.size, size);
}

static void test_the_first_head(void **state)
{
    (void)state;
    chain.ledger_config.relayer = NULL;
    start_ledger();
    grow(5);
    until(state_of(5), "2");
    mine(1);
    until(state_of(5), "3");
    mine(1);
    until(state_of(5), "4");
    until("SELECT count(*) FROM anchor WHERE proof IS NOT NULL", "1");
    check_proof(5);
    mine(1);
    until(state_of(5), "5");
}

static void test_a_head_that_grows_out_of_it(void **state)
{
    (void)state;
    grow(300);
    until(state_of(305), "2");
    mine(1);
    until(state_of(305), "3");
    mine(3);
    until(state_of(305), "5");
    check_proof(305);
}

static void test_a_stuck_one_is_replaced_by_a_newer_head(void **state)
{
    (void)state;
    grow(10);
    until(state_of(315), "2");
    grow(10);
    (void)store_sql("UPDATE anchor SET changed = changed - interval '1 hour' WHERE state = 2");
    until(state_of(325), "2");
    assert_string_equal(store_sql(state_of(315)), "2");
    assert_string_equal(store_sql("SELECT count(DISTINCT nonce) FROM anchor WHERE state = 2"),
                        "1");
    mine(1);
    until(state_of(325), "3");
    until(state_of(315), "6");
    mine(3);
    until(state_of(325), "5");
    check_proof(325);
}

/* There is no newer head: the same one for more. */
static void test_a_stuck_one_pays_more(void **state)
{
    (void)state;
    char before[4096];
    grow(1);
    until(state_of(326), "2");
    (void)snprintf(before, sizeof(before), "%s",
                   store_sql("SELECT max_fee FROM anchor WHERE size = 326"));
    (void)store_sql("UPDATE anchor SET changed = changed - interval '1 hour' WHERE state = 2");
    until(
        "SELECT count(*) FROM anchor WHERE state = 2 AND changed > now() - interval '1 minute'",
        "1");
    long long after = atoll(store_sql("SELECT max_fee FROM anchor WHERE size = 326"));
    assert_true(after * 100 >= atoll(before) * 115);
    mine(4);
    until(state_of(326), "5");
    check_proof(326);
}

static void test_a_reorganisation_sends_it_again(void **state)
{
    (void)state;
    grow(9);
    until(state_of(335), "2");
    mine(2);
    until(state_of(335), "4");
    until("SELECT proof IS NOT NULL FROM anchor WHERE size = 335", "t");
    (void)eth("anvil_reorg", "[2, []]");
    until(state_of(335), "2");
    mine(1);
    until(state_of(335), "3");
    mine(3);
    until(state_of(335), "5");
    check_proof(335);
}

static void test_an_old_backup_is_refused(void **state)
{
    (void)state;
    assert_false(ledger_forked(chain.ledger));
    (void)store_sql("CREATE TABLE aside AS SELECT * FROM checkpoint WHERE size > 305");
    (void)store_sql("DELETE FROM checkpoint WHERE size > 305");
    start_ledger();
    store_until(ledger_forked(chain.ledger));
    (void)store_sql("INSERT INTO checkpoint SELECT * FROM aside");
    start_ledger();
    run(500);
    assert_false(ledger_forked(chain.ledger));
}

static void test_another_root_is_refused(void **state)
{
    (void)state;
    (void)store_sql("UPDATE checkpoint SET root = sha256('other') WHERE size = 335");
    start_ledger();
    store_until(ledger_forked(chain.ledger));
    assert_string_equal(store_sql("SELECT count(*) FROM anchor WHERE state < 5"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_head),
        cmocka_unit_test(test_a_head_that_grows_out_of_it),
        cmocka_unit_test(test_a_stuck_one_is_replaced_by_a_newer_head),
        cmocka_unit_test(test_a_stuck_one_pays_more),
        cmocka_unit_test(test_a_reorganisation_sends_it_again),
        cmocka_unit_test(test_an_old_backup_is_refused),
        cmocka_unit_test(test_another_root_is_refused),
    };
    return cmocka_run_group_tests(tests, chain_setup, chain_teardown);
}
