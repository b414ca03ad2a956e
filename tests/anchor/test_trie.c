/* Tries of receipts as a chain has them, and the event in a receipt. */
#include "anchor/abi.h"
#include "anchor/eth_receipt.h"
#include "anchor/trie.h"
#include "tests/anchor/values.h"
#include "tests/check.h"

#include <errno.h>

enum {
    TRANSFERS_MAX = 300,
    RECEIPT_SIZE = 300,
};

static char receipt_memory[TRANSFERS_MAX][RECEIPT_SIZE];
static struct str receipts[TRANSFERS_MAX];

/* Receipts of a block of plain transfers. */
static void make_transfers(void)
{
    static const char bloom[ETH_BLOOM_SIZE];
    for (size_t i = 0; i < TRANSFERS_MAX; i++) {
        struct eth_receipt receipt = {
            .type = 2,
            .success = true,
            .gas = 21000 * (i + 1),
            .bloom = str_of(bloom, sizeof(bloom)),
        };
        struct buf b = buf_fixed(receipt_memory[i], RECEIPT_SIZE);
        eth_receipt_put(&receipt, &b);
        assert_false(buf_failed(&b));
        receipts[i] = buf_str(&b);
    }
}

static void test_receipt_tries(void **state)
{
    static const size_t counts[] = { 1, 2, 16, 17, 127, 128, 129, 200, 300 };
    static char text[8192];
    (void)state;
    make_transfers();
    for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "transfers_%zu", counts[k]);
        for (size_t i = 0; i < counts[k]; i++) {
            struct trie_proof proof;
            struct str got;
            uint8_t key[9];
            struct buf memory = buf_fixed(text, sizeof(text));
            assert_int_equal(trie_prove(receipts, counts[k], i, &memory, &proof), 0);
            assert_value(proof.root, 32, name);
            struct str path = str_of(key, trie_index_key(i, key));
            assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count, &got), 0);
            assert_true(str_eq(got, receipts[i]));
            assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count - 1, &got),
                             -EINVAL);
            path = str_of(key, trie_index_key(counts[k] + 7, key));
            assert_int_not_equal(trie_check(proof.root, path, proof.nodes, proof.count, &got),
                                 0);
        }
    }
    struct trie_proof proof;
    struct buf small = buf_fixed(text, 100);
    assert_int_equal(trie_prove(receipts, 3, 3, &small, &proof), -EINVAL);
    assert_int_equal(trie_prove(receipts, 3, 1, &small, &proof), -ENOMEM);
}

static void test_every_flipped_bit_of_a_trie_proof_refused(void **state)
{
    static char text[8192];
    struct trie_proof proof;
    struct str got;
    uint8_t key[9];
    (void)state;
    make_transfers();
    struct buf memory = buf_fixed(text, sizeof(text));
    assert_int_equal(trie_prove(receipts, 129, 128, &memory, &proof), 0);
    struct str path = str_of(key, trie_index_key(128, key));
    for (size_t bit = 0; bit < memory.n * 8; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count, &got), -EINVAL);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    /* a node too many, and two in the wrong order */
    proof.nodes[proof.count] = proof.nodes[0];
    assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count + 1, &got), -EINVAL);
    struct str first = proof.nodes[0];
    proof.nodes[0] = proof.nodes[1];
    proof.nodes[1] = first;
    assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count, &got), -EINVAL);
}

/* Values so small that nodes stand inside others. */
static void test_embedded_nodes(void **state)
{
    static const struct str small[] = { { "a", 1 }, { "b", 1 }, { "c", 1 }, { "\x81", 1 } };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(small); i++) {
        struct trie_proof proof;
        struct str got;
        uint8_t key[9];
        struct buf memory = buf_fixed(text, sizeof(text));
        assert_int_equal(trie_prove(small, ARRAY_LEN(small), i, &memory, &proof), 0);
        struct str path = str_of(key, trie_index_key(i, key));
        assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count, &got), 0);
        assert_true(str_eq(got, small[i]));
        path = str_of(key, trie_index_key(9, key));
        assert_int_equal(trie_check(proof.root, path, proof.nodes, proof.count, &got),
                         TRIE_E_ABSENT);
    }
}

static void test_anchored_event(void **state)
{
    (void)state;
    char text[2048];
    static const char bloom[ETH_BLOOM_SIZE];
    struct eth_log log = { .topic_count = 3 };
    struct eth_receipt receipt = { .type = 2,
                                   .success = true,
                                   .bloom = { bloom, sizeof(bloom) } };
    char data[96] = { 0 };
    uint8_t contract[20] = { 5 };
    uint8_t log_id[32] = { 6 };
    struct eth_anchored event;
    abi_topic(ETH_ANCHORED_SIGNATURE, log.topics[0]);
    memcpy(log.topics[1], log_id, 32);
    log.topics[2][31] = 3;
    data[31] = 9;
    log.data = str_of(data, sizeof(data));
    memcpy(log.address, contract, 20);
    struct buf logs = buf_fixed(text, sizeof(text));
    eth_log_put(&log, &logs);
    receipt.logs = buf_str(&logs);
    assert_int_equal(eth_receipt_anchored(&receipt, contract, log_id, &event), 0);
    assert_int_equal(event.size, 9);
    assert_int_equal(event.seq, 3);
    contract[0] = 4;
    assert_int_equal(eth_receipt_anchored(&receipt, contract, log_id, &event), -ENOENT);
    contract[0] = 5;
    log_id[0] = 7;
    assert_int_equal(eth_receipt_anchored(&receipt, contract, log_id, &event), -ENOENT);
    log_id[0] = 6;
    receipt.success = false;
    assert_int_equal(eth_receipt_anchored(&receipt, contract, log_id, &event), -ENOENT);
}

static void test_mapping_slots(void **state)
{
    (void)state;
    uint8_t key[32] = { 0 };
    uint8_t slot[32];
    uint8_t next[32];
    trie_mapping_slot(key, 0, 0, slot); /* keccak256 of 64 zeros */
    assert_hex(slot, 32, "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5");
    trie_mapping_slot(key, 0, 0x4b, next);
    assert_hex(next, 32, "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba6000");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receipt_tries),
        cmocka_unit_test(test_every_flipped_bit_of_a_trie_proof_refused),
        cmocka_unit_test(test_embedded_nodes),
        cmocka_unit_test(test_anchored_event),
        cmocka_unit_test(test_mapping_slots),
    };
    return cmocka_run_group_tests_name("anchor/trie", tests, values_setup, values_teardown);
}
