/* What a signer elsewhere gives must be what it was asked for. */
#include "gateway/ledger/remote_signer.h"
#include "tests/check.h"

#include <errno.h>

enum {
    ROOM = 1024,
};

static struct secp_signer signer;
static struct eth_tx tx = {
    .chain = 31337,
    .nonce = 7,
    .tip = 2,
    .max_fee = 1000,
    .gas = 50000,
    .value = 0,
    .to = { 1, 2, 3 },
    .data = STR_INIT("call"),
};

static int setup(void **state)
{
    uint8_t secret[SECRET_SIZE] = { 9 };
    (void)state;
    return secp_signer_init(&signer, secret, secret);
}

static int teardown(void **state)
{
    (void)state;
    secp_signer_deinit(&signer);
    return 0;
}

/* @what signed by the account. */
static struct str signed_as(const struct eth_tx *what, struct secp_signature *signature,
                            char room[ROOM])
{
    uint8_t digest[DIGEST_SIZE];
    char text[ROOM];
    struct buf scratch = buf_fixed(text, sizeof(text));
    struct buf raw = buf_fixed(room, ROOM);
    assert_int_equal(eth_tx_digest(what, &scratch, digest), 0);
    secp_sign(&signer, digest, signature);
    eth_tx_put(what, signature, &raw);
    assert_false(buf_failed(&raw));
    return buf_str(&raw);
}

static int check(struct str raw)
{
    return remote_signer_check(&tx, signer.address, raw);
}

static void test_what_was_asked_for_is_taken(void **state)
{
    char room[ROOM];
    struct secp_signature signature;
    (void)state;
    assert_int_equal(check(signed_as(&tx, &signature, room)), 0);
}

static void test_another_transaction_is_refused(void **state)
{
    struct eth_tx others[8];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        others[i] = tx;
    }
    others[0].chain++;
    others[1].nonce++;
    others[2].tip++;
    others[3].max_fee--;
    others[4].gas++;
    others[5].value = 1;
    others[6].to[0] ^= 1;
    others[7].data = STR("cal1");
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char room[ROOM];
        struct secp_signature signature;
        assert_int_equal(check(signed_as(&others[i], &signature, room)), -EBADMSG);
    }
}

static void test_another_account_is_refused(void **state)
{
    char room[ROOM];
    struct secp_signature signature;
    uint8_t address[20];
    (void)state;
    struct str raw = signed_as(&tx, &signature, room);
    memcpy(address, signer.address, sizeof(address));
    address[19] ^= 1;
    assert_int_equal(remote_signer_check(&tx, address, raw), -EBADMSG);
}

static void test_every_byte_counts_and_none_is_missing_or_left(void **state)
{
    char room[ROOM];
    struct secp_signature signature;
    (void)state;
    struct str raw = signed_as(&tx, &signature, room);
    for (size_t n = 0; n < raw.n; n++) {
        assert_int_equal(check(str_of(room, n)), -EBADMSG);
        room[n] = (char)(room[n] ^ 1);
        assert_int_equal(check(raw), -EBADMSG);
        room[n] = (char)(room[n] ^ 1);
    }
    room[raw.n] = 0;
    assert_int_equal(check(str_of(room, raw.n + 1)), -EBADMSG);
    assert_int_equal(check(raw), 0);
}

/* The same signature with n - s and the other v: nodes refuse it, so we do. */
static void test_high_s_is_refused(void **state)
{
    static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
                                       0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
                                       0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
    char room[ROOM];
    struct secp_signature signature;
    (void)state;
    (void)signed_as(&tx, &signature, room);
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int byte = order[i] - signature.s[i] - borrow;
        borrow = byte < 0;
        signature.s[i] = (uint8_t)(byte + (borrow ? 256 : 0));
    }
    signature.v ^= 1;
    struct buf raw = buf_fixed(room, sizeof(room));
    eth_tx_put(&tx, &signature, &raw);
    assert_int_equal(check(buf_str(&raw)), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_asked_for_is_taken),
        cmocka_unit_test(test_another_transaction_is_refused),
        cmocka_unit_test(test_another_account_is_refused),
        cmocka_unit_test(test_every_byte_counts_and_none_is_missing_or_left),
        cmocka_unit_test(test_high_s_is_refused),
    };
    return cmocka_run_group_tests_name("remote_signer", tests, setup, teardown);
}
