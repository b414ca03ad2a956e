/* Fees, nonces, forks: the arithmetic without a chain. */
#include "gateway/ledger/anchoring.h"
#include "gateway/ledger/follower.h"
#include "gateway/ledger/wallet.h"
#include "tests/check.h"

#include <errno.h>

#define GWEI WALLET_GWEI

static void test_fees(void **state)
{
    static const struct wallet_caps caps = { .tip_least = GWEI,
                                             .tip = 10 * GWEI,
                                             .max_fee = 100 * GWEI };
    static const struct {
        uint64_t base, median, tip, max_fee;
    } cases[] = {
        { 0, 0, GWEI, GWEI },
        { 10 * GWEI, 2 * GWEI, 2 * GWEI, 22 * GWEI },
        { 10 * GWEI, 50 * GWEI, 10 * GWEI, 30 * GWEI },
        { 80 * GWEI, GWEI, GWEI, 100 * GWEI },
        { UINT64_MAX, UINT64_MAX, 10 * GWEI, 100 * GWEI },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wallet_fees got = wallet_fees_of(cases[i].base, cases[i].median, &caps);
        assert_int_equal(got.tip, cases[i].tip);
        assert_int_equal(got.max_fee, cases[i].max_fee);
    }
}

static void test_a_bump_raises_both_by_15_percent(void **state)
{
    static const struct wallet_caps caps = { .tip = 1000, .max_fee = 10000 };
    static const struct {
        struct wallet_fees old, fresh, want;
        int r;
    } cases[] = {
        { { 100, 200 }, { 1, 1 }, { 115, 230 }, 0 },
        { { 100, 200 }, { 500, 900 }, { 500, 900 }, 0 },
        { { 101, 201 }, { 0, 0 }, { 117, 232 }, 0 }, /* rounded up */
        { { 0, 0 }, { 0, 0 }, { 1, 1 }, 0 },
        { { 1, 1 }, { 0, 0 }, { 2, 2 }, 0 },
        { { 900, 2000 }, { 0, 0 }, { 0, 0 }, -ERANGE },
        { { 100, 9000 }, { 0, 0 }, { 0, 0 }, -ERANGE },
        { { UINT64_MAX, UINT64_MAX }, { 0, 0 }, { 0, 0 }, -ERANGE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wallet_fees got = { 0 };
        assert_int_equal(wallet_fees_bump(&cases[i].old, &cases[i].fresh, &caps, &got),
                         cases[i].r);
        assert_int_equal(got.tip, cases[i].want.tip);
        assert_int_equal(got.max_fee, cases[i].want.max_fee);
        if (cases[i].r == 0) {
            assert_true(got.tip * 100 >= cases[i].old.tip * 115);
            assert_true(got.max_fee * 100 >= cases[i].old.max_fee * 115);
        }
    }
}

static void test_what_is_too_dear(void **state)
{
    static const struct wallet_caps caps = { .gwei_each = 1000000 }; /* a thousandth ether */
    (void)state;
    struct wallet_fees fees = { 0, GWEI };
    assert_false(wallet_too_dear(1000000, &fees, &caps));
    assert_true(wallet_too_dear(1000001, &fees, &caps));
    fees.max_fee = 0;
    assert_false(wallet_too_dear(UINT64_MAX, &fees, &caps));
}

static void test_nonces(void **state)
{
    (void)state;
    assert_int_equal(wallet_nonce_judge(5, 5), WALLET_NONCE_OURS);
    assert_int_equal(wallet_nonce_judge(5, 6), WALLET_NONCE_AHEAD);
    assert_int_equal(wallet_nonce_judge(5, 4), WALLET_NONCE_GAP);
}

static void test_one_holder(void **state)
{
    struct wallet wallet = { .unknown = 1 };
    int a = 0;
    int b = 0;
    (void)state;
    assert_false(wallet_take(&wallet, &a)); /* somebody hasn't looked yet */
    wallet.unknown = 0;
    assert_true(wallet_take(&wallet, &a));
    assert_true(wallet_take(&wallet, &a));
    assert_false(wallet_take(&wallet, &b));
    wallet_give(&wallet, &b);
    assert_false(wallet_take(&wallet, &b));
    wallet_give(&wallet, &a);
    assert_true(wallet_take(&wallet, &b));
    wallet_give(&wallet, &b);
    wallet.stopped = true;
    assert_false(wallet_take(&wallet, &a));
}

static void test_keystore_files(void **state)
{
#define FILE_(version, cipher, kdf, params)                                                    \
    "{\"version\":" version ",\"crypto\":{\"cipher\":\"" cipher                                \
    "\",\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\","  \
    "\"cipherparams\":{\"iv\":\"83dbcc02d8ccb40e466191a123791e0e\"},\"kdf\":\"" kdf            \
    "\",\"kdfparams\":{" params ",\"salt\":"                                                   \
    "\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"},"                   \
    "\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"}}"
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { FILE_("3", "aes-128-ctr", "scrypt", "\"dklen\":32,\"n\":262144,\"p\":8,\"r\":1"), 0 },
        { FILE_("3", "aes-128-ctr", "pbkdf2",
                "\"dklen\":32,\"c\":262144,\"prf\":\"hmac-sha256\""),
          0 },
        { FILE_("1", "aes-128-ctr", "scrypt", "\"dklen\":32,\"n\":262144,\"p\":8,\"r\":1"), 1 },
        { FILE_("3", "aes-128-cbc", "scrypt", "\"dklen\":32,\"n\":262144,\"p\":8,\"r\":1"), 1 },
        { FILE_("3", "aes-128-ctr", "argon2", "\"dklen\":32,\"n\":262144,\"p\":8,\"r\":1"), 1 },
        { FILE_("3", "aes-128-ctr", "scrypt", "\"dklen\":64,\"n\":262144,\"p\":8,\"r\":1"), 1 },
        { FILE_("3", "aes-128-ctr", "scrypt", "\"dklen\":32,\"n\":-1,\"p\":8,\"r\":1"), 1 },
        { "{}", 1 },
        { "", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(4096);
        struct keystore store;
        assert_int_equal(wallet_keystore_read(arena, str_z(cases[i].text), &store),
                         cases[i].want);
        arena_free(arena);
    }
}

static void test_where_a_fork_is(void **state)
{
    static const struct {
        uint64_t kept, at, head;
        bool same;
        enum follower_fork want;
    } cases[] = {
        { 10, 10, 12, true, FOLLOWER_FORK_NONE },   /* nothing wrong */
        { 10, 10, 12, false, FOLLOWER_FORK_LOWER }, /* our last one is gone */
        { 9, 10, 12, true, FOLLOWER_FORK_HERE },
        { 9, 10, 9, true, FOLLOWER_FORK_NONE }, /* the nodes are behind us */
        { 9, 10, 9, false, FOLLOWER_FORK_LOWER },
        { 8, 10, 9, true, FOLLOWER_FORK_HERE },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store_block kept = { .number = cases[i].kept };
        struct store_block now = { .number = cases[i].kept };
        now.hash[31] = !cases[i].same;
        assert_int_equal(follower_judge(&kept, &now, cases[i].at, cases[i].head),
                         cases[i].want);
    }
    assert_int_equal(follower_confirmed(100, 12), 88);
    assert_int_equal(follower_confirmed(5, 12), 0);
}

static void test_when_an_anchor_is_due(void **state)
{
    static const struct {
        struct anchoring_due due;
        bool want;
    } cases[] = {
        { { 0, 0, 0, 1000, 10, 10 }, false },     /* nothing to anchor */
        { { 0, 0, 1, 1000, 10000, 10 }, true },   /* the first */
        { { 5, 900, 5, 10000, 10, 1 }, false },   /* anchored already */
        { { 5, 900, 6, 1000, 1000, 10 }, false }, /* too early */
        { { 5, 900, 15, 1000, 1000, 10 }, true }, /* enough leaves */
        { { 5, 900, 6, 1900, 1000, 10 }, true },  /* enough time */
        { { 9, 0, 5, 99999, 10, 1 }, false },     /* never backwards */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(anchoring_is_due(&cases[i].due), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fees),
        cmocka_unit_test(test_a_bump_raises_both_by_15_percent),
        cmocka_unit_test(test_what_is_too_dear),
        cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_one_holder),
        cmocka_unit_test(test_keystore_files),
        cmocka_unit_test(test_where_a_fork_is),
        cmocka_unit_test(test_when_an_anchor_is_due),
    };
    return cmocka_run_group_tests_name("wallet", tests, NULL, NULL);
}
