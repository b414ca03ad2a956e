/*
 * Who does what when: the follower looks at the chain, and after each look that ended well the
 * relayer and the anchoring take theirs.
 *
 *   at rest --ledger_lead--> leading --ledger_rest, or a write that was fenced off--> at rest
 */
#include "gateway/ledger/ledger.h"

#include "anchor/eth_tx.h"
#include "crypto/secp.h"
#include "gateway/config/config.h"
#include "gateway/ledger/anchoring.h"
#include "gateway/ledger/follower.h"
#include "gateway/ledger/relay.h"
#include "gateway/ledger/rpc.h"
#include "gateway/ledger/wallet.h"
#include "gateway/log.h"
#include "gateway/store/sendings.h"

#include <stdlib.h>
#include <string.h>

enum {
    RELAYER,
    ANCHORING,
    WALLETS,
};

struct ledger {
    const struct config_ledger *config;
    struct db *db;
    struct rpc *rpc;                /* owned */
    struct follower *follower;      /* owned */
    struct anchoring *anchoring;    /* owned; NULL: no account to anchor with */
    struct relay *relay;            /* owned; NULL: no account to relay with */
    struct wallet wallets[WALLETS]; /* owned; the first is the relayer's */
    struct wallet *anchor_wallet;   /* one of these */
    uint64_t fence;                 /* 0: at rest */
};

static void on_step(void *owner, const struct follower_view *view)
{
    struct ledger *ledger = owner;
    if (ledger->relay) {
        relay_look(ledger->relay, view);
    }
    if (ledger->anchoring) {
        anchoring_look(ledger->anchoring, view);
    }
}

static void on_reorg(void *owner)
{
    struct ledger *ledger = owner;
    if (ledger->relay) {
        relay_reorg(ledger->relay);
    }
    if (ledger->anchoring) {
        anchoring_reorg(ledger->anchoring);
    }
}

/* Something was planned. */
static void on_wake(void *owner)
{
    struct ledger *ledger = owner;
    if (ledger->fence && ledger->relay) {
        relay_look(ledger->relay, NULL);
    }
}

static void on_fenced(void *owner)
{
    log_text(LOG_WARN, "another notary leads: ledger at rest");
    ledger_rest(owner);
}

static int make_follower(struct ledger *ledger, struct event_base *base)
{
    static const struct follower_calls calls = { on_step, on_reorg, on_fenced };
    const struct config_ledger *c = ledger->config;
    struct follower_config config = {
        .base = base,
        .rpc = ledger->rpc,
        .db = ledger->db,
        .chain = (uint64_t)c->chain_id,
        .deployed = (uint64_t)c->deployed_block,
        .confirmations = (uint64_t)c->confirmations,
        .poll_ms = c->poll,
    };
    if (secp_address_parse(str_z(c->consent), config.registry) < 0) {
        log_text(LOG_ERROR, "ledger.consent is no address");
        return -1;
    }
    ledger->follower = follower_new(&config, &calls, ledger);
    return ledger->follower ? 0 : -1;
}

static int open_wallet(struct ledger *ledger, struct wallet *wallet,
                       const struct config_account *account, const char *name)
{
    int r = wallet_open(wallet, account, rpc_base(ledger->rpc));
    if (r == 0) {
        return 0;
    }
    log_line(LOG_ERROR, "account can't be used", LOG_Z("account", name),
             LOG_Z("why", r == WALLET_E_PASSWORD   ? "password"
                          : r == WALLET_E_KEYSTORE ? "keystore"
                                                   : strerrorname_np(-r)));
    return -1;
}

static struct rounds_config rounds_of(struct ledger *ledger, struct event_base *base,
                                      struct wallet *wallet)
{
    return (struct rounds_config){
        .base = base,
        .rpc = ledger->rpc,
        .db = ledger->db,
        .wallet = wallet,
        .chain = (uint64_t)ledger->config->chain_id,
        .on_fenced = on_fenced,
        .owner = ledger,
    };
}

static int make_relay(struct ledger *ledger, struct event_base *base)
{
    const struct config_ledger *c = ledger->config;
    if (!c->relayer) {
        return 0;
    }
    struct wallet *wallet = &ledger->wallets[RELAYER];
    struct relay_config config = { .rounds = rounds_of(ledger, base, wallet) };
    if (open_wallet(ledger, wallet, c->relayer, "relayer") < 0 ||
        secp_address_parse(str_z(c->consent), config.registry) < 0) {
        return -1;
    }
    ledger->relay = relay_new(&config);
    return ledger->relay ? db_listen(ledger->db, STORE_RELAY_CHANNEL, on_wake, ledger) : -1;
}

/* The wallet to anchor with: the relayer's, if both are one account. */
static struct wallet *anchoring_wallet(struct ledger *ledger)
{
    struct wallet *own = &ledger->wallets[ANCHORING];
    struct wallet *other = &ledger->wallets[RELAYER];
    if (open_wallet(ledger, own, ledger->config->anchoring, "anchoring") < 0) {
        return NULL;
    }
    bool same =
        ledger->relay && memcmp(own->address, other->address, sizeof(own->address)) == 0;
    return same ? other : own;
}

static int make_anchoring(struct ledger *ledger, struct event_base *base,
                          const struct config_log *log)
{
    const struct config_ledger *c = ledger->config;
    if (!c->anchoring || !log || !log->origin) {
        return 0;
    }
    struct wallet *wallet = anchoring_wallet(ledger);
    struct anchoring_config config = {
        .rounds = rounds_of(ledger, base, wallet),
        .origin = log->origin,
        .every_ms = c->anchor_every,
        .leaves = (uint64_t)c->anchor_leaves,
    };
    if (!wallet || secp_address_parse(str_z(c->anchor), config.contract) < 0) {
        return -1;
    }
    ledger->anchor_wallet = wallet;
    ledger->anchoring = anchoring_new(&config);
    return ledger->anchoring ? 0 : -1;
}

struct ledger *ledger_new(struct event_base *base, const struct config *config, struct db *db)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    if (!ledger) {
        return NULL;
    }
    ledger->config = config->ledger;
    ledger->db = db;
    struct rpc_config rpc = {
        .base = base,
        .urls = ledger->config->endpoints.items,
        .count = ledger->config->endpoints.n,
        .chain = (uint64_t)ledger->config->chain_id,
    };
    ledger->rpc = rpc_new(&rpc);
    if (!ledger->rpc || make_follower(ledger, base) < 0 || make_relay(ledger, base) < 0 ||
        make_anchoring(ledger, base, config->log) < 0) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

void ledger_lead(struct ledger *ledger, uint64_t fence)
{
    ledger_rest(ledger);
    ledger->fence = fence;
    for (size_t i = 0; i < WALLETS; i++) {
        ledger->wallets[i].unknown = 0;
        ledger->wallets[i].stopped = false;
    }
    if (ledger->relay) {
        ledger->wallets[RELAYER].unknown++;
        relay_lead(ledger->relay, fence);
    }
    if (ledger->anchoring) {
        ledger->anchor_wallet->unknown++;
        anchoring_lead(ledger->anchoring, fence);
    }
    follower_start(ledger->follower, fence);
}

void ledger_rest(struct ledger *ledger)
{
    ledger->fence = 0;
    follower_stop(ledger->follower);
    if (ledger->relay) {
        relay_lead(ledger->relay, 0);
    }
    if (ledger->anchoring) {
        anchoring_lead(ledger->anchoring, 0);
    }
}

void ledger_new_checkpoint(struct ledger *ledger)
{
    if (ledger->fence && ledger->anchoring) {
        anchoring_look(ledger->anchoring, NULL);
    }
}

bool ledger_forked(const struct ledger *ledger)
{
    return ledger->anchoring && anchoring_forked(ledger->anchoring);
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger) {
        return;
    }
    anchoring_free(ledger->anchoring);
    relay_free(ledger->relay);
    follower_free(ledger->follower);
    for (size_t i = 0; i < WALLETS; i++) {
        wallet_close(&ledger->wallets[i]);
    }
    rpc_free(ledger->rpc);
    free(ledger);
}
