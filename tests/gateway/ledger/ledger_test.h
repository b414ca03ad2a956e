/* What tests of the ledger share: a chain, contracts on it, a migrated database, a leader. */
#pragma once

#include "anchor/eth_call.h"
#include "crypto/digest.h"
#include "gateway/config/config.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/deploy.h"
#include "gateway/ledger/ledger.h"
#include "gateway/ledger/rpc.h"
#include "gateway/ledger/wallet.h"
#include "gateway/store/chain.h"
#include "tests/gateway/store/store_test.h"

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#define CHAIN 31337
#define ORIGIN "example.org/test"

enum {
    WAIT_MS = 20000,
    TEXT_MAX = 4096,
};

/* Accounts of the phrase "test test … junk". */
static const char *const secrets[] = {
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
};

static struct {
    struct rpc *rpc; /* of the test itself */
    struct db *db;
    char dir[64];
    struct config_account accounts[ARRAY_LEN(secrets)];
    uint8_t address[ARRAY_LEN(secrets)][20];
    struct deploy_result at;
    struct config config;
    struct config_ledger ledger_config;
    struct config_log log_config;
    const char *url;
    char registry[SECP_ADDRESS_TEXT + 1];
    char anchor[SECP_ADDRESS_TEXT + 1];
    uint64_t fence;
    struct ledger *ledger;
    struct db *ledger_db;
} chain;

struct eth_end {
    bool done;
    enum rpc_error error;
    char text[TEXT_MAX];
};

static inline void eth_on_end(void *owner, const struct rpc_answer *answer)
{
    struct eth_end *end = owner;
    end->done = true;
    end->error = answer->error;
    if (node_is(answer->result, NODE_STRING)) {
        (void)snprintf(end->text, sizeof(end->text), "%.*s", (int)answer->result->text.n,
                       answer->result->text.p);
    }
}

/* Ask the chain; the answer if it is a string. */
PRINTF_LIKE(2, 3)
static inline const char *eth(const char *method, const char *format, ...)
{
    static struct eth_end end;
    static char params[3 * TEXT_MAX];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(params, sizeof(params), format, list);
    va_end(list);
    memset(&end, 0, sizeof(end));
    struct rpc_ask ask = { method, str_z(params), RPC_ANY };
    assert_non_null(rpc_call(chain.rpc, &ask, eth_on_end, &end));
    assert_true(store_wait_for(&end.done, WAIT_MS));
    if (end.error != RPC_OK) {
        print_error("%s%s: %s\n", method, params, rpc_error_text(end.error));
        fail();
    }
    return end.text;
}

static inline void mine(unsigned n)
{
    (void)eth("anvil_mine", "[\"0x%x\"]", n);
}

static inline uint64_t height(void)
{
    return strtoull(eth("eth_blockNumber", "[]"), NULL, 16);
}

static inline struct secp_signer signer_of(const char *hex)
{
    uint8_t secret[SECRET_SIZE];
    struct secp_signer signer;
    assert_int_equal(check_unhex(hex, secret), SECRET_SIZE);
    assert_int_equal(secp_signer_init(&signer, secret, secret), 0);
    return signer;
}

static inline const char *hex_of(const void *p, size_t n)
{
    static char text[4][2 * ETH_CALL_MAX + 1];
    static size_t turn;
    char *out = text[turn++ % 4];
    struct buf b = buf_fixed(out, sizeof(text[0]) - 1);
    buf_hex(&b, p, n);
    assert_false(buf_failed(&b));
    out[b.n] = '\0';
    return out;
}

/* The keystore file of account @i, at the lowest cost there is. */
static inline void write_account(size_t i)
{
    struct keystore store = { .kdf = KEYSTORE_PBKDF2, .c = 1, .salt_n = 16 };
    uint8_t secret[SECRET_SIZE];
    char path[128];
    (void)check_unhex(secrets[i], secret);
    assert_int_equal(keystore_close(&store, STR("secret"), secret), 0);
    (void)snprintf(path, sizeof(path), "%s/account%zu", chain.dir, i);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(
        file,
        "{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\",\"ciphertext\":\"%s\","
        "\"cipherparams\":{\"iv\":\"%s\"},\"kdf\":\"pbkdf2\",\"kdfparams\":{"
        "\"c\":1,\"dklen\":32,\"prf\":\"hmac-sha256\",\"salt\":\"%s\"},\"mac\":\"%s\"}}",
        hex_of(store.ciphertext, 32), hex_of(store.iv, 16), hex_of(store.salt, 16),
        hex_of(store.mac, 32));
    (void)fclose(file);
    chain.accounts[i].keystore = strdup(path);
    (void)snprintf(path, sizeof(path), "%s/password", chain.dir);
    chain.accounts[i].password = strdup(path);
    struct secp_signer signer = signer_of(secrets[i]);
    memcpy(chain.address[i], signer.address, 20);
    secp_signer_deinit(&signer);
}

static inline void set_config(void)
{
    secp_address_text(chain.at.registry, chain.registry);
    secp_address_text(chain.at.anchor, chain.anchor);
    chain.url = getenv("ETH_URL");
    chain.ledger_config = (struct config_ledger){
        .endpoints = { &chain.url, 1 },
        .chain_id = CHAIN,
        .consent = chain.registry,
        .anchor = chain.anchor,
        .deployed_block = (int64_t)chain.at.block,
        .max_staleness = 10000,
        .poll = 50,
        .anchor_every = 1000,
        .anchor_leaves = 1000,
        .relayer = &chain.accounts[1],
        .anchoring = &chain.accounts[2],
    };
    chain.log_config.origin = ORIGIN;
    chain.config.ledger = &chain.ledger_config;
    chain.config.log = &chain.log_config;
}

/* Account 0 deploys, 1 relays, 2 anchors, 3 is a patient's controller. */
static inline int chain_setup(void **state)
{
    if (!getenv("PGURL") || !getenv("ETH_URL")) {
        print_message("needs tests/with_postgres and tests/with_anvil\n");
        return -1;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (secret_start() < 0 || store_group_setup(state) < 0) {
        return -1;
    }
    const char *urls[] = { getenv("ETH_URL") };
    struct rpc_config rpc = { .base = base, .urls = urls, .count = 1, .chain = CHAIN };
    chain.rpc = rpc_new(&rpc);
    chain.db = store_connect();
    (void)snprintf(chain.dir, sizeof(chain.dir), "/tmp/chartseal-ledger.XXXXXX");
    assert_non_null(mkdtemp(chain.dir));
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/password", chain.dir);
    FILE *file = fopen(path, "w");
    (void)fputs("secret\n", file);
    (void)fclose(file);
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        write_account(i);
    }
    char why[DEPLOY_WHY_MAX];
    struct deploy deploy = {
        .endpoint = urls[0],
        .account = &chain.accounts[0],
        .relayer = chain.address[1],
        .operator_ = chain.address[2],
        .origin = ORIGIN,
        .chain = CHAIN,
    };
    if (deploy_run(&deploy, &chain.at, why) < 0) {
        print_error("deploy: %s\n", why);
        return -1;
    }
    set_config();
    chain.fence = store_lead(chain.db);
    (void)eth("evm_setAutomine", "[false]");
    return 0;
}

static inline void stop_ledger(void)
{
    if (chain.ledger) {
        ledger_rest(chain.ledger);
        db_free(chain.ledger_db);
        ledger_free(chain.ledger);
        chain.ledger = NULL;
    }
}

/* As a process that starts anew. */
static inline void start_ledger(void)
{
    stop_ledger();
    chain.ledger_db = store_connect();
    chain.ledger = ledger_new(base, &chain.config, chain.ledger_db);
    assert_non_null(chain.ledger);
    ledger_lead(chain.ledger, chain.fence);
}

static inline int chain_teardown(void **state)
{
    char path[160];
    stop_ledger();
    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        (void)unlink(chain.accounts[i].keystore);
    }
    (void)snprintf(path, sizeof(path), "%s/password", chain.dir);
    (void)unlink(path);
    (void)rmdir(chain.dir);
    db_free(chain.db);
    rpc_free(chain.rpc);
    return store_group_teardown(state);
}

/* Let the loop run until the database says @want, or the time is over. */
static inline void until(const char *sql, const char *want)
{
    int64_t end = store_now_ms() + WAIT_MS;
    const char *got = store_sql(sql);
    while (strcmp(got, want) != 0 && store_now_ms() < end) {
        bool never = false;
        (void)store_wait_for(&never, 50);
        got = store_sql(sql);
    }
    if (strcmp(got, want) != 0) {
        print_error("%s: got \"%s\", want \"%s\"\n", sql, got, want);
        fail();
    }
}

/* Let the loop run until the follower has the chain's head. */
static inline void until_followed(void)
{
    char want[32];
    (void)snprintf(want, sizeof(want), "%" PRIu64, height());
    until("SELECT number FROM chain_cursor", want);
}

/* Let the loop run for @ms. */
static inline void run(int ms)
{
    bool never = false;
    (void)store_wait_for(&never, ms);
}

/* A grant signed by account 3, as call data. */
static inline struct str grant_call(uint8_t id, uint16_t version)
{
    static char room[ETH_CALL_MAX];
    struct buf data = buf_fixed(room, sizeof(room));
    struct eip712_domain domain = { .chain = CHAIN };
    memcpy(domain.contract, chain.at.registry, 20);
    struct consent_grant grant = {
        .version = version,
        .valid_from = 0,
        .valid_until = UINT64_C(4102444800),
        .deadline = UINT64_C(4102444800),
    };
    memset(grant.id, id, sizeof(grant.id));
    memset(grant.commitment, id + version, sizeof(grant.commitment));
    memcpy(grant.controller, chain.address[3], 20);
    uint8_t digest[DIGEST_SIZE];
    uint8_t sig[ETH_CONSENT_SIGNATURE_SIZE];
    struct secp_signature signature;
    struct secp_signer signer = signer_of(secrets[3]);
    eip712_grant(&domain, &grant, digest);
    secp_sign(&signer, digest, &signature);
    secp_signer_deinit(&signer);
    eth_consent_signature(&signature, sig);
    eth_call_grant(&grant, str_of(sig, sizeof(sig)), &data);
    return buf_str(&data);
}

static inline struct str revoke_call(uint8_t id, uint16_t version)
{
    static char room[ETH_CALL_MAX];
    struct buf data = buf_fixed(room, sizeof(room));
    struct eip712_domain domain = { .chain = CHAIN };
    memcpy(domain.contract, chain.at.registry, 20);
    struct consent_revoke revoke = { .version = version };
    memset(revoke.id, id, sizeof(revoke.id));
    uint8_t digest[DIGEST_SIZE];
    uint8_t sig[ETH_CONSENT_SIGNATURE_SIZE];
    struct secp_signature signature;
    struct secp_signer signer = signer_of(secrets[3]);
    eip712_revoke(&domain, &revoke, digest);
    secp_sign(&signer, digest, &signature);
    secp_signer_deinit(&signer);
    eth_consent_signature(&signature, sig);
    eth_call_revoke(&revoke, str_of(sig, sizeof(sig)), &data);
    return buf_str(&data);
}

/* Send a call to the registry from account @from, which anvil signs for; not mined yet. */
static inline void send_as(size_t from, struct str data)
{
    (void)eth("eth_sendTransaction",
              "[{\"from\":\"0x%s\",\"to\":\"0x%s\",\"data\":\"0x%s\",\"gas\":\"0x80000\"}]",
              hex_of(chain.address[from], 20), hex_of(chain.at.registry, 20),
              hex_of(data.p, data.n));
}
