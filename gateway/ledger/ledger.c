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
#include "gateway/ledger/follower.h"
#include "gateway/ledger/rpc.h"
#include "gateway/log.h"

#include <stdlib.h>

struct ledger {
    const struct config_ledger *config;
    struct db *db;
    struct rpc *rpc;           /* owned */
    struct follower *follower; /* owned */
    uint64_t fence;            /* 0: at rest */
};

static void on_step(void *owner, const struct follower_view *view)
{
    (void)owner;
    (void)view;
}

static void on_reorg(void *owner)
{
    (void)owner;
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
    if (!ledger->rpc || make_follower(ledger, base) < 0) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

void ledger_lead(struct ledger *ledger, uint64_t fence)
{
    ledger_rest(ledger);
    ledger->fence = fence;
    follower_start(ledger->follower, fence);
}

void ledger_rest(struct ledger *ledger)
{
    ledger->fence = 0;
    follower_stop(ledger->follower);
}

void ledger_new_checkpoint(struct ledger *ledger)
{
    (void)ledger;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger) {
        return;
    }
    follower_free(ledger->follower);
    rpc_free(ledger->rpc);
    free(ledger);
}
