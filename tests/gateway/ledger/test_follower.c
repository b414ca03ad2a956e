/* The follower on a real chain: grants become safe, revocations act, reorganisations undo. */
#include "tests/gateway/ledger/ledger_test.h"

#define STATE(id)                                                                              \
    "SELECT coalesce((SELECT version || ' ' || revoked || ' ' || safe FROM consent_chain"      \
    " WHERE consent = decode(repeat('" id "', 32), 'hex')), 'none')"
#define NEXT(id)                                                                               \
    "SELECT coalesce(next_version, 0) FROM consent_chain WHERE consent = decode(repeat('" id   \
    "', 32), 'hex')"

static void test_a_grant_counts_once_safe(void **state)
{
    (void)state;
    chain.ledger_config.relayer = NULL; /* it only follows */
    chain.ledger_config.anchoring = NULL;
    start_ledger();
    send_as(1, grant_call(0x11, 1));
    mine(1);
    until(STATE("11"), "1 false false");
    run(300);
    assert_string_equal(store_sql(STATE("11")), "1 false false");
    mine(2);
    until(STATE("11"), "1 false true");
}

static void test_a_revocation_acts_at_once(void **state)
{
    (void)state;
    send_as(2, revoke_call(0x11, 1));
    mine(1);
    until(STATE("11"), "1 true true");
}

static void test_a_reorganisation_takes_a_grant(void **state)
{
    (void)state;
    send_as(1, grant_call(0x22, 1));
    mine(2);
    until(STATE("22"), "1 false true");
    (void)eth("anvil_reorg", "[3, []]");
    until(STATE("22"), "none");
}

static void test_a_revocation_stays(void **state)
{
    (void)state;
    send_as(1, grant_call(0x33, 1));
    mine(3);
    until(STATE("33"), "1 false true");
    send_as(2, revoke_call(0x33, 1));
    mine(1);
    until(STATE("33"), "1 true true");
    (void)eth("anvil_reorg", "[1, []]");
    mine(1);
    run(500);
    assert_string_equal(store_sql(STATE("33")), "1 true true");
}

static void test_a_new_version_waits_beside_the_one_in_force(void **state)
{
    (void)state;
    send_as(1, grant_call(0x44, 1));
    mine(3);
    until(STATE("44"), "1 false true");
    send_as(1, grant_call(0x44, 2));
    mine(1);
    until(NEXT("44"), "2");
    assert_string_equal(store_sql(STATE("44")), "1 false true");
    mine(2);
    until(STATE("44"), "2 false true");
    assert_string_equal(store_sql(NEXT("44")), "0");
}

static void test_a_silent_chain_ages(void **state)
{
    (void)state;
    mine(1);
    until_followed();
    ledger_rest(chain.ledger);
    char before[4096];
    (void)snprintf(before, sizeof(before), "%s", store_sql("SELECT agreed FROM chain_cursor"));
    run(300);
    assert_string_equal(store_sql("SELECT agreed FROM chain_cursor"), before);
    ledger_lead(chain.ledger, chain.fence);
    store_until(strcmp(store_sql("SELECT agreed FROM chain_cursor"), before) != 0);
}

/* All over again from the deployed block, in one range, ends where following did. */
static void test_reading_from_the_beginning(void **state)
{
    (void)state;
    mine(100);
    char want[4096];
    const char *all = "SELECT string_agg(consent::text || version || revoked, ',' ORDER BY "
                      "consent) FROM consent_chain";
    (void)snprintf(want, sizeof(want), "%s", store_sql(all));
    ledger_rest(chain.ledger);
    (void)store_sql("DELETE FROM chain_event WHERE NOT removed");
    (void)store_sql("DELETE FROM chain_block");
    (void)store_sql("DELETE FROM chain_cursor");
    (void)store_sql("DELETE FROM consent_chain");
    ledger_lead(chain.ledger, chain.fence);
    until(all, want);
}

static void test_a_fenced_follower_stops(void **state)
{
    (void)state;
    (void)store_sql("UPDATE notary_epoch SET value = value + 1");
    run(300);
    char before[4096];
    (void)snprintf(before, sizeof(before), "%s", store_sql("SELECT agreed FROM chain_cursor"));
    run(300);
    assert_string_equal(store_sql("SELECT agreed FROM chain_cursor"), before);
    chain.fence++;
    ledger_lead(chain.ledger, chain.fence);
    store_until(strcmp(store_sql("SELECT agreed FROM chain_cursor"), before) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_grant_counts_once_safe),
        cmocka_unit_test(test_a_revocation_acts_at_once),
        cmocka_unit_test(test_a_reorganisation_takes_a_grant),
        cmocka_unit_test(test_a_revocation_stays),
        cmocka_unit_test(test_a_new_version_waits_beside_the_one_in_force),
        cmocka_unit_test(test_a_silent_chain_ages),
        cmocka_unit_test(test_reading_from_the_beginning),
        cmocka_unit_test(test_a_fenced_follower_stops),
    };
    return cmocka_run_group_tests(tests, chain_setup, chain_teardown);
}
