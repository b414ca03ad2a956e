/* Ethereum's encodings against values of tests/vectors/anchor, made with ethers on a chain. */
#include "anchor/abi.h"
#include "anchor/eip712.h"
#include "anchor/eth_call.h"
#include "anchor/eth_header.h"
#include "anchor/eth_receipt.h"
#include "anchor/eth_tx.h"
#include "anchor/rlp.h"
#include "anchor/trie.h"
#include "tests/check.h"

#include <errno.h>

static char *values;

static int setup(void **state)
{
    char path[512];
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/anchor/values.txt", getenv("CHARTSEAL_VECTORS"));
    values = check_read(path, NULL);
    return values ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(values);
    return 0;
}

/* Hexadecimal digits of value @name. */
static struct str value(const char *name)
{
    for (struct str rest = str_z(values); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (str_eq(str_cut(&line, ' '), str_z(name))) {
            return line;
        }
    }
    fail_msg("no value %s", name);
    return (struct str){ 0 };
}

static void assert_value(const void *got, size_t n, const char *name)
{
    char want[8192];
    struct str digits = value(name);
    assert_true(digits.n < sizeof(want));
    memcpy(want, digits.p, digits.n);
    want[digits.n] = '\0';
    assert_hex(got, n, want);
}

static void fill(uint8_t *out, size_t n, int byte)
{
    memset(out, byte, n);
}

static void test_transaction(void **state)
{
    (void)state;
    uint8_t data[70];
    uint8_t secret[32];
    uint8_t digest[32];
    char text[1024];
    struct secp_signer signer;
    struct secp_signature signature;
    struct eth_tx tx = {
        .chain = 31337,
        .nonce = 7,
        .tip = 1500000000,
        .max_fee = 30000000000,
        .gas = 90000,
        .data = str_of(data, sizeof(data)),
    };
    fill(data, sizeof(data), 0xab);
    fill(tx.to, sizeof(tx.to), 0x22);
    fill(secret, sizeof(secret), 0x11);
    struct buf b = buf_fixed(text, sizeof(text));
    assert_int_equal(eth_tx_digest(&tx, &b, digest), 0);
    assert_int_equal(b.n, 0);
    assert_value(digest, sizeof(digest), "tx_digest");
    assert_int_equal(secp_signer_init(&signer, secret, secret), 0);
    assert_value(signer.address, sizeof(signer.address), "tx_from");
    secp_sign(&signer, digest, &signature);
    eth_tx_put(&tx, &signature, &b);
    assert_value(b.p, b.n, "tx_signed");
    uint8_t address[20];
    eth_create_address(signer.address, 300, address);
    assert_value(address, sizeof(address), "create_address");
    secp_signer_deinit(&signer);
    struct buf small = buf_fixed(text, 60);
    assert_int_equal(eth_tx_digest(&tx, &small, digest), -ENOMEM);
}

static void test_typed_data(void **state)
{
    (void)state;
    struct eip712_domain domain = { .chain = 31337 };
    struct consent_grant grant = {
        .version = 3,
        .valid_from = 1767225600,
        .valid_until = 1767225600 + 365 * 86400,
        .deadline = 1767225600 + 3600,
    };
    struct consent_revoke revoke = { .version = 3 };
    struct consent_rotate rotate = { .version = 4, .deadline = 1767225600 + 3600 };
    struct consent_opening opening = { .schema = 1 };
    uint8_t digest[32];
    fill(domain.contract, 20, 0x33);
    fill(grant.id, 32, 0x44);
    fill(revoke.id, 32, 0x44);
    fill(rotate.id, 32, 0x44);
    fill(grant.commitment, 32, 0x55);
    fill(grant.controller, 20, 0x66);
    fill(rotate.to, 20, 0x77);
    fill(opening.salt, 32, 1);
    fill(opening.policy, 32, 2);
    fill(opening.statement, 32, 3);
    eip712_separator(&domain, digest);
    assert_value(digest, 32, "eip712_separator");
    eip712_grant(&domain, &grant, digest);
    assert_value(digest, 32, "eip712_grant");
    eip712_revoke(&domain, &revoke, digest);
    assert_value(digest, 32, "eip712_revoke");
    eip712_rotate(&domain, &rotate, digest);
    assert_value(digest, 32, "eip712_rotate");
    consent_commitment(&opening, digest);
    assert_value(digest, 32, "consent_commitment");
}

static void test_abi(void **state)
{
    (void)state;
    char text[1024];
    uint8_t id[32];
    uint8_t words[64];
    uint8_t signature[66];
    struct buf b = buf_fixed(text, sizeof(text));
    fill(id, 32, 0x44);
    fill(signature, sizeof(signature), 0x88);
    size_t start = abi_call(&b, "revoke(bytes32,uint16,bytes)");
    abi_put(&b, id, 32);
    abi_put_u64(&b, 3);
    size_t slot = abi_slot(&b);
    abi_point(&b, start, slot);
    abi_put_bytes(&b, str_of(signature, sizeof(signature)));
    assert_value(b.p, b.n, "abi_revoke");

    struct str data = str_of(b.p + start, b.n - start);
    struct str got;
    uint64_t number;
    uint8_t address[20];
    assert_int_equal(abi_bytes(data, 2, &got), 0);
    assert_int_equal(got.n, sizeof(signature));
    assert_int_equal(abi_u64(data, 1, &number), 0);
    assert_int_equal(number, 3);
    assert_int_equal(abi_u64(data, 0, &number), -EINVAL);
    assert_int_equal(abi_address(data, 0, address), -EINVAL);
    assert_int_equal(abi_bytes(data, 1, &got), -EINVAL);
    assert_int_equal(abi_bytes(str_slice(data, 0, data.n - 30), 2, &got), 0);
    assert_int_equal(abi_bytes(str_slice(data, 0, data.n - 32), 2, &got), -EINVAL);
    assert_int_equal(abi_u64(data, 99, &number), -EINVAL);

    b = buf_fixed(text, sizeof(text));
    start = abi_call(&b, "anchorConsistent(bytes32,uint64,bytes32,bytes32,bytes32[])");
    abi_put(&b, id, 32);
    abi_put_u64(&b, 9);
    fill(words, 32, 0x55);
    abi_put(&b, words, 32);
    fill(words, 32, 0x99);
    abi_put(&b, words, 32);
    slot = abi_slot(&b);
    abi_point(&b, start, slot);
    fill(words, 32, 0xaa);
    fill(words + 32, 32, 0xbb);
    abi_put_words(&b, words, 2);
    assert_value(b.p, b.n, "abi_anchor");
}

static void test_header(void **state)
{
    (void)state;
    char hex[ETH_HEADER_FIELDS_KNOWN][600];
    struct str fields[ETH_HEADER_FIELDS_KNOWN];
    char text[2048];
    struct buf b = buf_fixed(text, sizeof(text));
    for (size_t i = 0; i < ETH_HEADER_FIELDS_KNOWN; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "header_%zu", i);
        struct str digits = value(name);
        (void)snprintf(hex[i], sizeof(hex[i]), "0x%.*s", (int)digits.n, digits.p);
        fields[i] = str_z(hex[i]);
    }
    assert_int_equal(eth_header_put(fields, ETH_HEADER_FIELDS_KNOWN, &b), 0);
    assert_value(b.p, b.n, "header_rlp");
    struct eth_header header;
    assert_int_equal(eth_header_read(buf_str(&b), &header), 0);
    assert_value(header.hash, 32, "header_hash");
    assert_value(header.parent, 32, "header_0");
    assert_value(header.state_root, 32, "header_3");
    assert_value(header.receipts_root, 32, "header_5");
    assert_int_equal(header.number, strtoull(hex[8], NULL, 16));
    assert_int_equal(header.timestamp, 1767225600 + 7200);
    for (size_t n = 0; n < b.n; n++) {
        assert_int_equal(eth_header_read(str_of(text, n), &header), -EINVAL);
    }
    b.n = 0; /* as before London; and with too few */
    assert_int_equal(eth_header_put(fields, ETH_HEADER_FIELDS_MIN, &b), 0);
    assert_int_equal(eth_header_read(buf_str(&b), &header), 0);
    assert_int_equal(eth_header_put(fields, ETH_HEADER_FIELDS_MIN - 1, &b), -EINVAL);
    fields[0] = STR("0xabc");
    assert_int_equal(eth_header_put(fields, ETH_HEADER_FIELDS_KNOWN, &b), -EINVAL);
}

static void test_rlp_vectors(void **state)
{
    static const struct {
        const char *bytes, *want;
    } strings[] = {
        { "", "80" },     { "00", "00" },           { "7f", "7f" },
        { "80", "8180" }, { "646f67", "83646f67" }, { "0400", "820400" },
    };
    static const struct {
        uint64_t number;
        const char *want;
    } numbers[] = {
        { 0, "80" },
        { 1, "01" },
        { 16, "10" },
        { 127, "7f" },
        { 128, "8180" },
        { 1000, "8203e8" },
        { 100000, "830186a0" },
        { UINT64_MAX, "88ffffffffffffffff" },
    };
    (void)state;
    char text[128];
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        unsigned char bytes[64];
        struct buf b = buf_fixed(text, sizeof(text));
        size_t n = check_unhex(strings[i].bytes, bytes);
        rlp_put(&b, bytes, n);
        assert_hex(b.p, b.n, strings[i].want);
        struct str rest = buf_str(&b);
        struct str got;
        assert_int_equal(rlp_string(&rest, &got), 0);
        assert_true(str_eq(got, str_of(bytes, n)) && rest.n == 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct buf b = buf_fixed(text, sizeof(text));
        rlp_put_u64(&b, numbers[i].number);
        assert_hex(b.p, b.n, numbers[i].want);
        struct str rest = buf_str(&b);
        uint64_t got;
        assert_int_equal(rlp_u64(&rest, &got), 0);
        assert_true(got == numbers[i].number);
    }
    struct buf b = buf_fixed(text, sizeof(text)); /* [[], [[]], [[], [[]]]] */
    size_t a = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    size_t c = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    rlp_close(&b, c);
    size_t d = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    size_t e = rlp_open(&b);
    rlp_close(&b, rlp_open(&b));
    rlp_close(&b, e);
    rlp_close(&b, d);
    rlp_close(&b, a);
    assert_hex(b.p, b.n, "c7c0c1c0c3c0c1c0");
}

static void test_long_rlp(void **state)
{
    static const char lorem[] = "Lorem ipsum dolor sit amet, consectetur adipisicing elit";
    static char text[70000];
    static char long_text[66000];
    (void)state;
    struct buf b = buf_fixed(text, sizeof(text));
    rlp_put(&b, lorem, sizeof(lorem) - 1);
    assert_hex(b.p, 3, "b8384c");
    b.n = 0;
    size_t list = rlp_open(&b);
    rlp_put(&b, long_text, sizeof(long_text));
    rlp_close(&b, list);
    assert_hex(b.p, 8, "fa0101d4ba0101d0");
    struct str rest;
    struct str got;
    assert_int_equal(rlp_only_list(buf_str(&b), &rest), 0);
    assert_int_equal(rlp_string(&rest, &got), 0);
    assert_int_equal(got.n, sizeof(long_text));
}

static void test_bad_rlp(void **state)
{
    static const char *const cases[] = {
        "",
        "8100", /* a byte below 0x80 with a header */
        "817f",
        "b800", /* long form of a short length */
        "b83700",
        "b90040", /* length with a leading zero */
        "f800",
        "f90000",
        "83646f", /* too short */
        "c2",
        "bfffffffffffffffff", /* length beyond everything */
        "ffffffffffffffffff",
        "bf8000000000000000",
        "f8",
        "b9ff",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char bytes[64];
        struct str rest = str_of(bytes, check_unhex(cases[i], bytes));
        struct rlp item;
        if (rlp_next(&rest, &item) == 0) {
            fail_msg("accepted %s", cases[i]);
        }
    }
    uint64_t number;
    struct str rest = STR("\x82\x00\x01");
    assert_int_equal(rlp_u64(&rest, &number), -EINVAL);
    rest = STR("\x00");
    assert_int_equal(rlp_u64(&rest, &number), -EINVAL);
    rest = STR("\xc0");
    assert_int_equal(rlp_u64(&rest, &number), -EINVAL);
    assert_int_equal(rlp_only_list(STR("\xc0\xc0"), &rest), -EINVAL);
}

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

/* The arguments that make.mjs calls with. */
static void arguments(struct consent_grant *grant,
                      uint8_t signature[ETH_CONSENT_SIGNATURE_SIZE])
{
    struct eip712_domain domain = { .chain = 31337 };
    struct secp_signer signer;
    struct secp_signature made;
    uint8_t secret[32];
    uint8_t digest[32];
    *grant = (struct consent_grant){
        .version = 3,
        .valid_from = 1767225600,
        .valid_until = 1767225600 + 365 * 86400,
        .deadline = 1767225600 + 3600,
    };
    fill(secret, sizeof(secret), 0x11);
    fill(domain.contract, 20, 0x33);
    fill(grant->id, 32, 0x44);
    fill(grant->commitment, 32, 0x55);
    assert_int_equal(secp_signer_init(&signer, secret, secret), 0);
    memcpy(grant->controller, signer.address, 20);
    eip712_grant(&domain, grant, digest);
    secp_sign(&signer, digest, &made);
    eth_consent_signature(&made, signature);
    secp_signer_deinit(&signer);
}

static void test_calls_to_the_registry(void **state)
{
    (void)state;
    uint8_t bytes[ETH_CONSENT_SIGNATURE_SIZE];
    char text[2048];
    struct buf b = buf_fixed(text, sizeof(text));
    struct consent_grant grants[2];
    arguments(&grants[0], bytes);
    grants[1] = grants[0];
    struct str signatures[2] = { str_of(bytes, sizeof(bytes)), STR("\x01") };
    struct consent_revoke revoke = { .version = 3 };
    struct consent_rotate rotate = { .version = 4, .deadline = grants[0].deadline };
    memcpy(revoke.id, grants[0].id, 32);
    memcpy(rotate.id, grants[0].id, 32);
    fill(rotate.to, 20, 0x77);

    eth_call_grant(&grants[0], signatures[0], &b);
    assert_value(b.p, b.n, "call_grant");
    b.n = 0;
    eth_call_grant_batch(grants, signatures, 2, &b);
    assert_value(b.p, b.n, "call_grant_batch");
    b.n = 0;
    eth_call_revoke(&revoke, signatures[0], &b);
    assert_value(b.p, b.n, "call_revoke");
    b.n = 0;
    eth_call_revoke_by_attestor(&revoke, &b);
    assert_value(b.p, b.n, "call_revoke_by_attestor");
    b.n = 0;
    eth_call_rotate(&rotate, signatures[0], &b);
    assert_value(b.p, b.n, "call_rotate");
    b.n = 0;
    eth_call_status(revoke.id, &b);
    assert_value(b.p, b.n, "call_status");
}

static void test_calls_to_the_anchor(void **state)
{
    (void)state;
    uint8_t bytes[ETH_CONSENT_SIGNATURE_SIZE];
    uint8_t note_hash[32];
    char text[2048];
    struct buf b = buf_fixed(text, sizeof(text));
    struct consent_grant grant;
    struct merkle_head head = { .size = 9 };
    struct merkle_proof proof = { .count = 2 };
    arguments(&grant, bytes);
    fill(head.root.b, 32, 0x55);
    fill(note_hash, 32, 0x99);
    fill(proof.hash[0].b, 32, 0xaa);
    fill(proof.hash[1].b, 32, 0xbb);
    eth_call_register(STR("gw.example/st-elsewhere/access"), grant.controller, true, &b);
    assert_value(b.p, b.n, "call_register");
    b.n = 0;
    eth_call_anchor(grant.id, &head, note_hash, &proof, &b);
    assert_value(b.p, b.n, "call_anchor");
    b.n = 0;
    eth_call_head(grant.id, &b);
    assert_value(b.p, b.n, "call_head");
}

/* Bytes of value @name in @out. */
static struct str bytes_of(const char *name, unsigned char *out)
{
    char digits[4096];
    struct str text = value(name);
    assert_true(text.n < sizeof(digits));
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    return str_of(out, check_unhex(digits, out));
}

static void test_answers(void **state)
{
    (void)state;
    unsigned char bytes[2048];
    struct eth_consent consent;
    struct eth_head head;
    struct str answer = bytes_of("answer_status", bytes);
    assert_int_equal(eth_status_read(answer, &consent), 0);
    assert_int_equal(consent.version, 3);
    assert_true(consent.revoked);
    assert_int_equal(consent.valid_until, 1767225600 + 365 * 86400);
    assert_int_equal(consent.commitment[31], 0x55);
    assert_int_equal(eth_status_read(str_slice(answer, 0, answer.n - 1), &consent), -EINVAL);
    answer = bytes_of("answer_head", bytes);
    assert_int_equal(eth_head_read(answer, &head), 0);
    assert_int_equal(head.head.size, 9);
    assert_int_equal(head.seq, 2);
    assert_int_equal(head.mode, 3);
    assert_int_equal(eth_head_read(str_slice(answer, 0, answer.n - 1), &head), -EINVAL);
}

static int read_event(const char *name, struct eth_consent_event *out)
{
    unsigned char bytes[2048];
    struct str all = bytes_of(name, bytes);
    struct eth_log log = { .topic_count = 2, .data = str_slice(all, 64, all.n) };
    memcpy(log.topics, all.p, 64);
    int r = eth_consent_event_read(&log, out);
    log.data.n--;
    struct eth_consent_event other;
    assert_int_equal(eth_consent_event_read(&log, &other), -EINVAL);
    log.topics[0][0] ^= 1;
    assert_int_equal(eth_consent_event_read(&log, &other), -ENOENT);
    return r;
}

static void test_events_of_the_registry(void **state)
{
    (void)state;
    struct eth_consent_event event;
    assert_int_equal(read_event("event_ConsentGranted", &event), 0);
    assert_int_equal(event.kind, ETH_CONSENT_GRANTED);
    assert_int_equal(event.state.version, 3);
    assert_int_equal(event.state.valid_from, 1767225600);
    assert_false(event.state.revoked);
    assert_int_equal(event.id[0], 0x44);
    assert_int_equal(read_event("event_ConsentRevoked", &event), 0);
    assert_true(event.attestor);
    assert_true(event.state.revoked);
    assert_int_equal(read_event("event_ControllerRotated", &event), 0);
    assert_int_equal(event.state.version, 4);
    assert_int_equal(event.state.controller[0], 0x77);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transaction),
        cmocka_unit_test(test_typed_data),
        cmocka_unit_test(test_abi),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_rlp_vectors),
        cmocka_unit_test(test_long_rlp),
        cmocka_unit_test(test_bad_rlp),
        cmocka_unit_test(test_receipt_tries),
        cmocka_unit_test(test_every_flipped_bit_of_a_trie_proof_refused),
        cmocka_unit_test(test_embedded_nodes),
        cmocka_unit_test(test_anchored_event),
        cmocka_unit_test(test_mapping_slots),
        cmocka_unit_test(test_calls_to_the_registry),
        cmocka_unit_test(test_calls_to_the_anchor),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_events_of_the_registry),
    };
    return cmocka_run_group_tests_name("anchor/ethereum", tests, setup, teardown);
}
