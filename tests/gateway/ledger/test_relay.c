/* What is planned is sent, mined, final; what the chain loses is sent again. */
#include "tests/gateway/ledger/ledger_test.h"

#include "gateway/store/sendings.h"

static void plan(enum store_relay_kind kind, uint8_t id, uint16_t version, struct str call)
{
    struct store_end end = { 0 };
    struct store_relay relay = {
        .sending = { .chain = CHAIN }, .version = version, .kind = kind, .call = call
    };
    memset(relay.consent, id, sizeof(relay.consent));
    assert_int_equal(store_ended(store_relay_plan(chain.db, &relay, store_on_end, &end), &end),
                     0);
}

/* "state reason" of the row of that consent and kind. */
static const char *row(uint8_t id, enum store_relay_kind kind)
{
    static char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT state || ' ' || reason FROM relay WHERE consent = "
                   "decode(repeat('%02x', 32), 'hex') AND kind = %d",
                   id, (int)kind);
    return sql;
}

static const char *consent(uint8_t id)
{
    static char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT version || ' ' || revoked || ' ' || safe FROM consent_chain WHERE "
                   "consent = decode(repeat('%02x', 32), 'hex')",
                   id);
    return sql;
}

static void test_a_grant_goes_all_the_way(void **state)
{
    (void)state;
    chain.ledger_config.anchoring = NULL;
    start_ledger();
    plan(STORE_RELAY_GRANT, 0x41, 1, grant_call(0x41, 1));
    until(row(0x41, STORE_RELAY_GRANT), "2 ");
    mine(1);
    until(row(0x41, STORE_RELAY_GRANT), "3 ");
    mine(1);
    until(row(0x41, STORE_RELAY_GRANT), "4 ");
    mine(1);
    until(row(0x41, STORE_RELAY_GRANT), "5 ");
    until(consent(0x41), "1 false true");
}

/* The key is with a signer elsewhere: the chain's own node, which has those of its accounts. */
static void test_a_signer_elsewhere_signs(void **state)
{
    static char address[SECP_ADDRESS_TEXT + 1];
    (void)state;
    stop_ledger();
    secp_address_text(chain.address[1], address);
    const struct config_account elsewhere = { .signer = chain.url, .address = address };
    const struct config_account *here = chain.ledger_config.relayer;
    chain.ledger_config.relayer = &elsewhere;
    start_ledger();
    plan(STORE_RELAY_GRANT, 0x51, 1, grant_call(0x51, 1));
    until(row(0x51, STORE_RELAY_GRANT), "2 ");
    mine(3);
    until(row(0x51, STORE_RELAY_GRANT), "5 ");
    stop_ledger();

    /* It has no key of that account: nothing is sent, and nothing lost. */
    const struct config_account stranger = { .signer = chain.url,
                                             .address =
                                                 "0x00000000000000000000000000000000000000aa" };
    chain.ledger_config.relayer = &stranger;
    start_ledger();
    plan(STORE_RELAY_REVOKE, 0x51, 1, revoke_call(0x51, 1));
    run(500);
    assert_string_equal(store_sql(row(0x51, STORE_RELAY_REVOKE)), "0 ");
    stop_ledger();
    chain.ledger_config.relayer = here;
    start_ledger();
    until(row(0x51, STORE_RELAY_REVOKE), "2 ");
    mine(3);
    until(row(0x51, STORE_RELAY_REVOKE), "5 ");
}

static void test_they_go_one_after_the_other(void **state)
{
    (void)state;
    plan(STORE_RELAY_GRANT, 0x42, 1, grant_call(0x42, 1));
    plan(STORE_RELAY_GRANT, 0x43, 1, grant_call(0x43, 1));
    until(row(0x42, STORE_RELAY_GRANT), "2 ");
    run(300);
    assert_string_equal(store_sql(row(0x43, STORE_RELAY_GRANT)), "0 ");
    mine(1);
    until(row(0x43, STORE_RELAY_GRANT), "2 ");
    mine(1);
    until(row(0x43, STORE_RELAY_GRANT), "3 ");
}

static void test_what_the_contract_refuses_fails(void **state)
{
    (void)state;
    plan(STORE_RELAY_GRANT, 0x41, 7, grant_call(0x41, 7));
    until("SELECT state FROM relay WHERE version = 7", "8");
    assert_string_not_equal(store_sql("SELECT reason FROM relay WHERE version = 7"), "");
}

static void test_bytes_of_a_crash_go_again(void **state)
{
    (void)state;
    plan(STORE_RELAY_REVOKE, 0x41, 1, revoke_call(0x41, 1));
    until(row(0x41, STORE_RELAY_REVOKE), "2 ");
    char hash[4096];
    (void)snprintf(hash, sizeof(hash), "%s",
                   store_sql("SELECT encode(hash, 'hex') FROM relay WHERE kind = 2"));
    ledger_rest(chain.ledger);
    /* As if it had died between storing and sending. */
    (void)eth("anvil_dropTransaction", "[\"0x%s\"]", hash);
    (void)store_sql("UPDATE relay SET state = 1 WHERE kind = 2");
    start_ledger();
    until(row(0x41, STORE_RELAY_REVOKE), "2 ");
    mine(1);
    until(row(0x41, STORE_RELAY_REVOKE), "3 ");
    assert_string_equal(store_sql("SELECT encode(hash, 'hex') FROM relay WHERE kind = 2"),
                        hash);
    until(consent(0x41), "1 true true");
}

static void test_what_a_reorganisation_took_goes_again(void **state)
{
    (void)state;
    mine(3);
    plan(STORE_RELAY_GRANT, 0x44, 1, grant_call(0x44, 1));
    until(row(0x44, STORE_RELAY_GRANT), "2 ");
    mine(1);
    until(row(0x44, STORE_RELAY_GRANT), "3 ");
    until_followed();
    (void)eth("anvil_reorg", "[1, []]");
    until(row(0x44, STORE_RELAY_GRANT), "2 ");
    mine(1);
    until(row(0x44, STORE_RELAY_GRANT), "3 ");
    mine(3);
    until(row(0x44, STORE_RELAY_GRANT), "5 ");
}

static void test_a_strangers_revocation_is_brought_back(void **state)
{
    (void)state;
    send_as(2, revoke_call(0x44, 1));
    mine(1);
    until(consent(0x44), "1 true true");
    (void)eth("anvil_reorg", "[1, []]");
    until(row(0x44, STORE_RELAY_ATTEST), "2 ");
    mine(1);
    until(row(0x44, STORE_RELAY_ATTEST), "3 ");
    assert_string_equal(store_sql(consent(0x44)), "1 true true");
}

static void test_a_stuck_one_pays_more(void **state)
{
    (void)state;
    mine(3);
    plan(STORE_RELAY_GRANT, 0x45, 1, grant_call(0x45, 1));
    until(row(0x45, STORE_RELAY_GRANT), "2 ");
    char fee[4096];
    const char *sql =
        "SELECT max_fee FROM relay WHERE consent = decode(repeat('45', 32), 'hex')";
    (void)snprintf(fee, sizeof(fee), "%s", store_sql(sql));
    ledger_rest(chain.ledger);
    (void)store_sql("UPDATE relay SET changed = changed - interval '1 hour' WHERE state = 2");
    start_ledger();
    until(
        "SELECT count(*) FROM relay WHERE state = 2 AND changed > now() - interval '1 minute'",
        "1");
    long long before = atoll(fee);
    long long after = atoll(store_sql(sql));
    assert_true(after * 100 >= before * 115);
    mine(1);
    until(row(0x45, STORE_RELAY_GRANT), "3 ");
}

/* The process dies between a bump and its being mined, and the one before is mined. */
static void test_an_older_one_is_known_after_a_restart(void **state)
{
    static const char hash[] = "SELECT encode(hash, 'hex') FROM relay WHERE state = 2";
    static char older[TEXT_MAX];
    static char raw[TEXT_MAX];
    (void)state;
    mine(3);
    plan(STORE_RELAY_GRANT, 0x48, 1, grant_call(0x48, 1));
    until(row(0x48, STORE_RELAY_GRANT), "2 ");
    for (int bumps = 0; bumps < 2; bumps++) {
        (void)snprintf(older, sizeof(older), "%s", store_sql(hash));
        if (bumps == 0) {
            (void)snprintf(raw, sizeof(raw), "%s",
                           store_sql("SELECT encode(raw, 'hex') FROM relay WHERE state = 2"));
        }
        ledger_rest(chain.ledger);
        (void)store_sql(
            "UPDATE relay SET changed = changed - interval '1 hour' WHERE state = 2");
        start_ledger();
        until("SELECT count(*) FROM relay WHERE state = 2 AND "
              "changed > now() - interval '1 minute'",
              "1");
        assert_string_not_equal(store_sql(hash), older);
    }
    stop_ledger();
    (void)eth("anvil_dropTransaction", "[\"0x%s\"]", store_sql(hash));
    const char *first = eth("eth_sendRawTransaction", "[\"0x%s\"]", raw);
    (void)snprintf(older, sizeof(older), "%s", first + 2);
    mine(1);
    start_ledger();
    until(row(0x48, STORE_RELAY_GRANT), "3 ");
    assert_string_equal(store_sql("SELECT encode(hash, 'hex') FROM relay WHERE state = 3"),
                        older);
    plan(STORE_RELAY_GRANT, 0x49, 1, grant_call(0x49, 1));
    until(row(0x49, STORE_RELAY_GRANT), "2 "); /* the wallet goes on */
    mine(1);
    until(row(0x49, STORE_RELAY_GRANT), "3 ");
}

/* Another program sends with our key: the nonce is gone and no receipt is ours. */
static void test_a_stolen_nonce_stops_everything(void **state)
{
    (void)state;
    mine(3);
    until(row(0x49, STORE_RELAY_GRANT), "5 ");
    plan(STORE_RELAY_GRANT, 0x46, 1, grant_call(0x46, 1));
    until(row(0x46, STORE_RELAY_GRANT), "2 ");
    ledger_rest(chain.ledger);
    (void)eth("anvil_dropTransaction", "[\"0x%s\"]",
              store_sql("SELECT encode(hash, 'hex') FROM relay WHERE state = 2"));
    (void)eth("eth_sendTransaction", "[{\"from\":\"0x%s\",\"to\":\"0x%s\",\"value\":\"0x1\"}]",
              hex_of(chain.address[1], 20), hex_of(chain.address[0], 20));
    mine(1);
    start_ledger();
    until(row(0x46, STORE_RELAY_GRANT), "8 nonce-taken");
    plan(STORE_RELAY_GRANT, 0x47, 1, grant_call(0x47, 1));
    run(500);
    assert_string_equal(store_sql(row(0x47, STORE_RELAY_GRANT)), "0 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_grant_goes_all_the_way),
        cmocka_unit_test(test_a_signer_elsewhere_signs),
        cmocka_unit_test(test_they_go_one_after_the_other),
        cmocka_unit_test(test_what_the_contract_refuses_fails),
        cmocka_unit_test(test_bytes_of_a_crash_go_again),
        cmocka_unit_test(test_what_a_reorganisation_took_goes_again),
        cmocka_unit_test(test_a_strangers_revocation_is_brought_back),
        cmocka_unit_test(test_a_stuck_one_pays_more),
        cmocka_unit_test(test_an_older_one_is_known_after_a_restart),
        cmocka_unit_test(test_a_stolen_nonce_stops_everything),
    };
    return cmocka_run_group_tests(tests, chain_setup, chain_teardown);
}
