/*
 *   look --> rows --> each mined one --> each other one, in order --> removed? --> at rest
 *                                          +--in flight: the rest waits--+
 *
 * "removed" asks for revocations whose block went, after the start and after a reorganisation,
 * until there are none.
 */
#include "gateway/ledger/relay.h"

#include "gateway/heap.h"
#include "gateway/ledger/calls.h"
#include "gateway/ledger/sender.h"
#include "gateway/log.h"
#include "gateway/store/chain.h"

#include <errno.h>
#include <stdlib.h>

enum {
    ROWS_MAX = 1024,
    REMOVED_MAX = 256,
    RECENT_MAX = 8, /* rows of one consent that are looked through */
};

struct removed {
    uint8_t consent[32];
    uint16_t version;
};

struct relay {
    struct relay_config config;
    struct sender *sender; /* owned */
    struct op *op;
    uint64_t fence;
    struct follower_view view;
    bool seen; /* a view of the chain */
    bool busy;
    bool again; /* news came in the middle */
    bool reorg; /* look for revocations that went, and at all that was mined */
    bool surveyed;
    struct sender_row *rows; /* owned */
    size_t count;
    size_t at;
    bool flying; /* the second pass: those not mined */
    struct removed removed[REMOVED_MAX];
    size_t removed_count;
    size_t removed_at;
};

static void step(struct relay *relay);
static void look(struct relay *relay);
static void bring_back(struct relay *relay);

static void drop_rows(struct relay *relay)
{
    for (size_t i = 0; i < relay->count; i++) {
        sender_row_deinit(&relay->rows[i]);
    }
    free(relay->rows);
    relay->rows = NULL;
    relay->count = 0;
}

/* This look is over. */
static void settle(struct relay *relay, int r)
{
    drop_rows(relay);
    relay->busy = false;
    if (r == -EPERM) {
        relay->config.on_fenced(relay->config.owner);
        return;
    }
    if (r < 0 && r != -EAGAIN) {
        log_line(LOG_WARN, "relaying interrupted", LOG_ERRNO(r));
    }
    if (relay->again) {
        look(relay);
    }
}

static bool mined(const struct sender_row *row)
{
    return row->s.state == STORE_MINED || row->s.state == STORE_SAFE;
}

/* ---- revocations that went ---- */

static void on_planned(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct relay *relay = arg;
    relay->op = NULL;
    if (r < 0) {
        settle(relay, r);
        return;
    }
    relay->again = true;
    relay->removed_at++;
    bring_back(relay);
}

/* It wasn't ours: revoke as attestor. */
static void attest(struct relay *relay, const struct removed *it)
{
    char room[CALLS_DATA_MAX];
    struct buf data = buf_fixed(room, sizeof(room));
    struct consent_revoke revoke = { .version = it->version };
    memcpy(revoke.id, it->consent, sizeof(revoke.id));
    calls_attest(&data, &revoke);
    struct store_relay plan = {
        .sending = { .chain = relay->config.chain },
        .version = it->version,
        .kind = STORE_RELAY_ATTEST,
        .call = buf_str(&data),
    };
    memcpy(plan.consent, it->consent, sizeof(plan.consent));
    log_text(LOG_WARN, "revocation went with its block: revoked again by attestation");
    relay->op = store_relay_plan(relay->config.db, &plan, on_planned, relay);
    if (!relay->op) {
        settle(relay, -EAGAIN);
    }
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
    relay->op = NULL;
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
        settle(relay, r);
        return;
    }
    attest(relay, it);
}

static void bring_back(struct relay *relay)
{
    if (relay->removed_at == relay->removed_count) {
        settle(relay, 0);
        return;
    }
    relay->op = store_relay_of(relay->config.db, relay->removed[relay->removed_at].consent,
                               on_own, relay);
    if (!relay->op) {
        settle(relay, -EAGAIN);
    }
}

static void on_removed(void *arg, int r, const struct db_rows *rows)
{
    struct relay *relay = arg;
    relay->op = NULL;
    relay->removed_count = 0;
    relay->removed_at = 0;
    for (int i = 0; r == 0 && i < db_count(rows) && i < REMOVED_MAX; i++) {
        struct removed *it = &relay->removed[relay->removed_count++];
        r = store_removed_row(rows, i, it->consent, &it->version);
    }
    if (r < 0) {
        settle(relay, r);
        return;
    }
    relay->reorg = relay->removed_count > 0;
    bring_back(relay);
}

/* All rows had their turn. */
static void after_rows(struct relay *relay)
{
    if (!relay->surveyed) {
        relay->surveyed = true;
        relay->config.wallet->unknown--;
        relay->again = relay->count > 0;
    }
    if (!relay->reorg) {
        settle(relay, 0);
        return;
    }
    relay->op = store_chain_removed(relay->config.db, relay->config.chain, on_removed, relay);
    if (!relay->op) {
        settle(relay, -EAGAIN);
    }
}

/* ---- rows ---- */

static void on_step(void *owner, int r)
{
    struct relay *relay = owner;
    if (r < 0) {
        settle(relay, r);
        return;
    }
    if (r == SENDER_WAIT && relay->flying) {
        after_rows(relay);
        return;
    }
    relay->at++;
    step(relay);
}

static void step(struct relay *relay)
{
    while (relay->at < relay->count && mined(&relay->rows[relay->at]) == relay->flying) {
        relay->at++;
    }
    if (relay->at < relay->count) {
        sender_step(relay->sender, &relay->rows[relay->at], &relay->view, on_step, relay);
    } else if (!relay->flying) {
        sender_recheck(relay->sender, false);
        relay->flying = true;
        relay->at = 0;
        step(relay);
    } else {
        after_rows(relay);
    }
}

static void on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct relay *relay = arg;
    relay->op = NULL;
    drop_rows(relay);
    if (r == 0) {
        relay->rows = calloc((size_t)db_count(rows) + 1, sizeof(*relay->rows));
        r = relay->rows ? 0 : -ENOMEM;
    }
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        struct store_relay row;
        r = store_relay_row(rows, i, &row);
        r = r ? r
              : sender_row_init(&relay->rows[relay->count], &row.sending,
                                relay->config.registry, row.call);
        relay->count += r == 0;
    }
    if (r < 0) {
        settle(relay, r);
        return;
    }
    relay->at = 0;
    relay->flying = false;
    step(relay);
}

static void look(struct relay *relay)
{
    relay->again = false;
    relay->busy = true;
    relay->op =
        store_relay_open(relay->config.db, relay->config.chain, ROWS_MAX, on_rows, relay);
    if (!relay->op) {
        relay->busy = false; /* the next look at the chain brings us back */
    }
}

struct relay *relay_new(const struct relay_config *config)
{
    struct relay *relay = calloc(1, sizeof(*relay));
    if (!relay) {
        return NULL;
    }
    relay->config = *config;
    struct sender_config sender = {
        .base = config->base,
        .rpc = config->rpc,
        .db = config->db,
        .wallet = config->wallet,
        .chain = config->chain,
        .update = store_relay_update,
        .name = "relay",
    };
    relay->sender = sender_new(&sender);
    if (!relay->sender) {
        free(relay);
        return NULL;
    }
    return relay;
}

void relay_free(struct relay *relay)
{
    if (relay) {
        relay_lead(relay, 0);
        sender_free(relay->sender);
        free(relay);
    }
}

void relay_lead(struct relay *relay, uint64_t fence)
{
    op_cancel(relay->op);
    relay->op = NULL;
    sender_lead(relay->sender, fence);
    drop_rows(relay);
    relay->fence = fence;
    relay->busy = false;
    relay->again = false;
    relay->seen = false;
    relay->reorg = true;
    relay->surveyed = false;
}

void relay_look(struct relay *relay, const struct follower_view *view)
{
    if (view) {
        relay->view = *view;
        relay->seen = true;
    }
    if (!relay->fence || !relay->seen) {
        return;
    }
    if (relay->busy) {
        relay->again = relay->again || !view; /* the chain is looked at again soon anyway */
        return;
    }
    look(relay);
}

void relay_reorg(struct relay *relay)
{
    relay->reorg = true;
    sender_recheck(relay->sender, true);
}
