/*
 * Rounds as in rounds.h; calls go in order, so what follows one in flight waits.
 *
 *   after the rows --> removed? --> for each: sent by us? --no--> planned as attestation
 *
 * "removed" asks for revocations whose block went, after the start and after a reorganisation,
 * until there are none.
 */
#include "gateway/ledger/relay.h"

#include "anchor/eth_call.h"
#include "gateway/log.h"
#include "gateway/store/chain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX = 1024,
    REMOVED_MAX = 256,
};

struct removed {
    uint8_t consent[32];
    uint16_t version;
};

struct relay {
    struct rounds rounds;
    uint8_t registry[20];
    bool reorg; /* look for revocations that went, and at all that was mined */
    struct removed removed[REMOVED_MAX];
    size_t removed_count;
    size_t removed_at;
};

static void bring_back(struct relay *relay);

/* ---- revocations that went ---- */

static void on_planned(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct relay *relay = arg;
    relay->rounds.op = NULL;
    if (r < 0) {
        rounds_settle(&relay->rounds, r);
        return;
    }
    relay->rounds.again = true;
    relay->removed_at++;
    bring_back(relay);
}

/* It wasn't ours: revoke as attestor. */
static void attest(struct relay *relay, const struct removed *it)
{
    char room[ETH_CALL_MAX];
    struct buf data = buf_fixed(room, sizeof(room));
    struct consent_revoke revoke = { .version = it->version };
    memcpy(revoke.id, it->consent, sizeof(revoke.id));
    eth_call_revoke_by_attestor(&revoke, &data);
    struct store_relay plan = {
        .sending = { .chain = relay->rounds.config.chain },
        .version = it->version,
        .kind = STORE_RELAY_ATTEST,
        .call = buf_str(&data),
    };
    memcpy(plan.consent, it->consent, sizeof(plan.consent));
    log_text(LOG_WARN, "revocation went with its block: revoked again by attestation");
    rounds_went(&relay->rounds,
                store_relay_plan(relay->rounds.config.db, &plan, on_planned, relay));
}

static bool revokes(const struct store_relay *row, uint16_t version)
{
    return row->version == version &&
           (row->kind == STORE_RELAY_REVOKE || row->kind == STORE_RELAY_ATTEST);
}

/* What we have sent ourselves is on its way already, unless it was taken for final. */
static void on_own(void *arg, int r, const struct db_rows *rows)
{
    struct relay *relay = arg;
    const struct removed *it = &relay->removed[relay->removed_at];
    bool spent = false;
    relay->rounds.op = NULL;
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        struct store_relay row;
        r = store_relay_row(rows, i, &row);
        if (r < 0 || !revokes(&row, it->version) || row.sending.state == STORE_FAILED) {
            continue;
        }
        if (row.sending.state != STORE_FINALIZED) {
            relay->removed_at++;
            bring_back(relay);
            return;
        }
        spent = spent || row.kind == STORE_RELAY_ATTEST;
    }
    if (r == 0 && spent) {
        log_text(LOG_ERROR, "a final revocation went with its block, twice");
        relay->removed_at++;
        bring_back(relay);
        return;
    }
    if (r < 0) {
        rounds_settle(&relay->rounds, r);
        return;
    }
    attest(relay, it);
}

static void bring_back(struct relay *relay)
{
    if (relay->removed_at == relay->removed_count) {
        rounds_settle(&relay->rounds, 0);
        return;
    }
    rounds_went(&relay->rounds,
                store_relay_of(relay->rounds.config.db,
                               relay->removed[relay->removed_at].consent, on_own, relay));
}

static void on_removed(void *arg, int r, const struct db_rows *rows)
{
    struct relay *relay = arg;
    relay->rounds.op = NULL;
    relay->removed_count = 0;
    relay->removed_at = 0;
    for (int i = 0; r == 0 && i < db_count(rows) && i < REMOVED_MAX; i++) {
        struct removed *it = &relay->removed[relay->removed_count++];
        r = store_removed_row(rows, i, it->consent, &it->version);
    }
    if (r < 0) {
        rounds_settle(&relay->rounds, r);
        return;
    }
    relay->reorg = relay->removed_count > 0;
    bring_back(relay);
}

/* ---- rows ---- */

static struct op *open_rows(struct rounds *rounds, db_done_fn done, void *arg)
{
    return store_relay_open(rounds->config.db, rounds->config.chain, ROWS_MAX, done, arg);
}

static int take(struct rounds *rounds, const struct db_rows *rows, int i, void *row)
{
    const struct relay *relay = (const struct relay *)rounds;
    struct store_relay from;
    int r = store_relay_row(rows, i, &from);
    return r ? r : sender_row_init(row, &from.sending, relay->registry, from.call);
}

static void bring(struct rounds *rounds, struct sender_row *row)
{
    (void)row;
    rounds_send(rounds, &rounds->view);
}

/* They go in order: nothing is sent before the one in flight is mined. */
static bool stepped(struct rounds *rounds, struct sender_row *row, int r)
{
    (void)row;
    return r == SENDER_WAIT && rounds->flying;
}

static void after(struct rounds *rounds)
{
    struct relay *relay = (struct relay *)rounds;
    if (!relay->reorg) {
        rounds_settle(rounds, 0);
        return;
    }
    rounds_went(rounds, store_chain_removed(rounds->config.db, rounds->config.chain, on_removed,
                                            relay));
}

static const struct rounds_kind kind = {
    .name = "relay",
    .update = store_relay_update,
    .row_size = sizeof(struct sender_row),
    .open = open_rows,
    .take = take,
    .bring = bring,
    .stepped = stepped,
    .after = after,
};

struct relay *relay_new(const struct relay_config *config)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay) {
        return NULL;
    }
    memcpy(relay->registry, config->registry, sizeof(relay->registry));
    if (rounds_init(&relay->rounds, &kind, &config->rounds) < 0) {
        free(relay);
        return NULL;
    }
    return relay;
}

void relay_free(struct relay *relay)
{
    if (relay) {
        rounds_deinit(&relay->rounds);
        free(relay);
    }
}

void relay_lead(struct relay *relay, uint64_t fence)
{
    rounds_lead(&relay->rounds, fence);
    relay->reorg = true;
}

void relay_look(struct relay *relay, const struct follower_view *view)
{
    rounds_look(&relay->rounds, view);
}

void relay_reorg(struct relay *relay)
{
    relay->reorg = true;
    sender_recheck(relay->rounds.sender, true);
}
