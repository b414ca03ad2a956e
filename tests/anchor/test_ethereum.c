/* Transactions, typed data, ABI and headers against values made with ethers on a chain. */
#include "anchor/abi.h"
#include "anchor/eip712.h"
#include "anchor/eth_header.h"
#include "anchor/eth_tx.h"
#include "tests/anchor/values.h"
#include "tests/check.h"

#include <errno.h>

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
    struct consent_statement statement = { .version = 3,
                                           .text = STR("Permitted: alles, größtenteils.\n") };
    struct consent_opening opening = { .schema = 1 };
    uint8_t digest[32];
    fill(domain.contract, 20, 0x33);
    fill(grant.id, 32, 0x44);
    fill(revoke.id, 32, 0x44);
    fill(rotate.id, 32, 0x44);
    fill(statement.id, 32, 0x44);
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
    eip712_statement(&domain, &statement, digest);
    assert_value(digest, 32, "eip712_statement");
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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transaction),
        cmocka_unit_test(test_typed_data),
        cmocka_unit_test(test_abi),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests_name("anchor/ethereum", tests, values_setup, values_teardown);
}
