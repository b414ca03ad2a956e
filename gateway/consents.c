/*
 * Following the epoch.
 *
 *   loading --all chunks--> idle --wake or tick--> asking --same epoch--> idle
 *                            ^                       |--ahead--> changes --> loading what
 * changed
 *                            +-----------------------+               |
 *                            +---------------------------------------+
 *
 * One cycle at a time. The lease counts from the moment a cycle's question was sent, so an
 * answer that dawdled confirms no more than what was true when it was asked. Whoever needs the
 * epoch confirmed waits for a cycle that began after it asked.
 */
#include "gateway/consents.h"

#include "gateway/clock.h"
#include "gateway/config/config.h"
#include "gateway/consents_load.h"
#include "gateway/heap.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"
#include "gateway/store/consents.h"
#include "gateway/vault.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

enum {
    TICK_LEAST_MS = 20,
    LEASE_USUAL_MS = 1000,
    CHANGES_MAX = 1000, /* more at once: load everything anew */
};

struct waiter {
    struct op op;
    struct consents *consents;
    uint64_t cycle; /* satisfied by this one or later */
    consents_done_fn done;
    void *arg;
    struct waiter *next;
};

struct consents {
    struct event_base *loop;
    const struct config *config;
    struct db *db;
    struct vault *vault;
    const struct consent_tenant *tenant; /* borrowed; may be NULL */
    struct consent_index *index;         /* owned */
    struct consents_load *load;          /* owned; NULL: none under way */
    struct event *tick;                  /* owned */
    struct op *op;
    bool loaded;
    bool wake_again;       /* a wake came in the middle of a cycle */
    uint64_t epoch;        /* what the index is at */
    uint64_t people;       /* last one that bore on who is who */
    uint64_t target;       /* where the cycle under way leads */
    uint64_t cycles;       /* begun */
    int64_t asked;         /* when the cycle under way asked; clock_mono_ms() */
    int64_t confirmed;     /* when the last good one asked */
    int64_t ledger_agreed; /* on the same clock; 0: never */
    int64_t
        revoked[CHANGES_MAX]; /* on the same clock: when those of this cycle were accepted */
    size_t revoked_count;
    struct waiter *waiters;
    consents_loaded_fn loaded_fn;
    void *loaded_arg;
};

static void ask(struct consents *consents);

static int64_t lease(const struct consents *consents)
{
    return consents->config->consent ? consents->config->consent->lease : LEASE_USUAL_MS;
}

/* When nothing is released any more: a tenth before the lease ends, so that what was released
 * last is out by then. */
static int64_t closes(const struct consents *consents)
{
    return consents->confirmed + lease(consents) * 9 / 10;
}

/* Ask again well within the lease, even if no wake comes. */
static void set_tick(struct consents *consents)
{
    int64_t ms = lease(consents) / 3;
    ms = ms < TICK_LEAST_MS ? TICK_LEAST_MS : ms;
    (void)timer_once(consents->tick, ms);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct consents *consents = arg;
    set_tick(consents);
    ask(consents);
}

static void on_wake(void *arg)
{
    ask(arg);
}

static void tell_waiters(struct consents *consents, int r)
{
    struct waiter **at = &consents->waiters;
    while (*at) {
        struct waiter *waiter = *at;
        if (r == 0 && waiter->cycle > consents->cycles) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        consents_done_fn done = waiter->done;
        void *arg = waiter->arg;
        free(waiter);
        done(arg, r);
        at = &consents->waiters; /* the list may have changed */
    }
}

/*
 * Revocations of the cycle that ends well act from now on; or they did before, since nothing is
 * released once the lease has run out.
 */
static void tell_revoked(struct consents *consents)
{
    int64_t now = clock_mono_ms();
    int64_t closed = closes(consents);
    for (size_t i = 0; i < consents->revoked_count; i++) {
        int64_t at = consents->revoked[i];
        int64_t acts = closed < now ? closed : now;
        metrics_revocation(acts > at ? acts - at : 0);
    }
}

/* A cycle has ended. */
static void settle(struct consents *consents, int r)
{
    if (r == 0) {
        tell_revoked(consents);
        consents->epoch = consents->target;
        consents->confirmed = consents->asked;
        metrics_set(METRIC_CONSENT_EPOCH, (int64_t)consents->epoch);
        metrics_set(METRIC_CONSENTS_LOADED,
                    (int64_t)consent_index_size(consents->index).consents);
        if (!consents->loaded) {
            consents->loaded = true;
            consents->loaded_fn(consents->loaded_arg);
        }
    }
    tell_waiters(consents, r);
    if (consents->wake_again) {
        consents->wake_again = false;
        ask(consents);
    }
}

static void on_loaded(void *arg, int r, struct consent_index *index)
{
    struct consents *consents = arg;
    consents->load = NULL;
    if (r < 0) {
        log_line(LOG_WARN, "consents not loaded", LOG_ERRNO(r));
        if (index != consents->index) {
            consent_index_free(index);
        }
        settle(consents, r);
        return;
    }
    if (index != consents->index) {
        consent_index_free(consents->index);
        consents->index = index;
    }
    settle(consents, 0);
}

static struct consent_index *empty_index(const struct consents *consents)
{
    struct consent_index *index = consent_index_new(heap_resize, NULL);
    if (index) {
        consent_index_govern(index, consents->tenant);
    }
    return index;
}

static void load_all(struct consents *consents)
{
    consents->people = consents->target;
    struct consent_index *fresh = empty_index(consents);
    consents->load =
        fresh ? consents_load_all(consents->db, consents->vault, fresh, on_loaded, consents)
              : NULL;
    if (!consents->load) {
        consent_index_free(fresh);
        settle(consents, -ENOTCONN);
    }
}

/* When the revocations among @rows, which came just now, were accepted. */
static void keep_revoked(struct consents *consents, const struct db_rows *rows)
{
    int64_t now = clock_mono_ms();
    for (int i = 0; i < db_count(rows); i++) {
        struct store_change change;
        store_change_row(rows, i, &change);
        if (change.revoked) {
            consents->revoked[consents->revoked_count++] = now - change.age;
        }
    }
}

/* Caches of who is who must begin anew after a merge or a destruction. */
static bool bears_on_people(const struct db_rows *rows)
{
    for (int i = 0; i < db_count(rows); i++) {
        struct store_change change;
        store_change_row(rows, i, &change);
        if (change.kind == STORE_CHANGE_LINK || change.kind == STORE_CHANGE_KEY) {
            return true;
        }
    }
    return false;
}

static void on_changes(void *arg, int r, const struct db_rows *rows)
{
    struct consents *consents = arg;
    consents->op = NULL;
    if (r < 0) {
        settle(consents, r);
        return;
    }
    if (db_count(rows) >= CHANGES_MAX) {
        load_all(consents);
        return;
    }
    keep_revoked(consents, rows);
    if (bears_on_people(rows)) {
        consents->people = consents->target;
    }
    consents->load = consents_load_changes(consents->db, consents->vault, consents->index, rows,
                                           on_loaded, consents);
    if (!consents->load) {
        settle(consents, -ENOTCONN);
    }
}

static void on_epoch(void *arg, int r, const struct db_rows *rows)
{
    struct consents *consents = arg;
    consents->op = NULL;
    if (r < 0) {
        settle(consents, r);
        return;
    }
    struct store_epoch now;
    store_epoch_row(rows, &now);
    consents->target = now.epoch;
    if (now.agreed) {
        consents->ledger_agreed = consents->asked - (now.now - now.agreed);
        metrics_set(METRIC_LEDGER_SEEN_MS, now.agreed);
    }
    if (!consents->loaded || consents->epoch < now.oldest) {
        load_all(consents);
    } else if (now.epoch > consents->epoch) {
        consents->op =
            store_changes(consents->db, consents->epoch, CHANGES_MAX, on_changes, consents);
        if (!consents->op) {
            settle(consents, -ENOTCONN);
        }
    } else {
        settle(consents, 0);
    }
}

static void ask(struct consents *consents)
{
    if (!consents->loaded_fn) {
        return; /* woken by the first connection, before consents_start() */
    }
    if (consents->op || consents->load) {
        consents->wake_again = true;
        return;
    }
    consents->asked = clock_mono_ms();
    consents->revoked_count = 0;
    consents->op = store_epoch(consents->db, (uint64_t)consents->config->ledger->chain_id,
                               on_epoch, consents);
    if (consents->op) {
        consents->cycles++;
    }
}

struct consents *consents_new(struct event_base *loop, const struct config *config,
                              struct db *db, struct vault *vault,
                              const struct consent_tenant *tenant)
{
    struct consents *consents = calloc(1, sizeof(*consents));
    if (!consents) {
        return NULL;
    }
    *consents = (struct consents){
        .loop = loop, .config = config, .db = db, .vault = vault, .tenant = tenant
    };
    consents->index = empty_index(consents);
    consents->tick = event_new(loop, -1, 0, on_tick, consents);
    if (!consents->index || !consents->tick ||
        db_listen(db, STORE_EPOCH_CHANNEL, on_wake, consents) < 0) {
        consents_free(consents);
        return NULL;
    }
    return consents;
}

void consents_free(struct consents *consents)
{
    if (!consents) {
        return;
    }
    op_cancel(consents->op);
    consents_load_cancel(consents->load);
    while (consents->waiters) {
        struct waiter *waiter = consents->waiters;
        consents->waiters = waiter->next;
        free(waiter);
    }
    if (consents->tick) {
        event_free(consents->tick);
    }
    consent_index_free(consents->index);
    free(consents);
}

void consents_start(struct consents *consents, consents_loaded_fn loaded, void *arg)
{
    consents->loaded_fn = loaded;
    consents->loaded_arg = arg;
    set_tick(consents);
    ask(consents);
}

int64_t consents_ledger_age(const struct consents *consents)
{
    return consents->ledger_agreed ? clock_mono_ms() - consents->ledger_agreed : INT64_MAX;
}

enum consents_state consents_state(const struct consents *consents)
{
    if (!consents->loaded) {
        return CONSENTS_LOADING;
    }
    if (clock_mono_ms() > closes(consents)) {
        return CONSENTS_LEASE;
    }
    if (consents_ledger_age(consents) > consents->config->ledger->max_staleness) {
        return CONSENTS_LEDGER;
    }
    return CONSENTS_READY;
}

const char *consents_state_name(enum consents_state state)
{
    switch (state) {
    case CONSENTS_READY: return "ready";
    case CONSENTS_LOADING: return "consent-loading";
    case CONSENTS_LEASE: return "consent-lease";
    case CONSENTS_LEDGER: return "ledger-stale";
    }
    return "consent-loading";
}

uint64_t consents_epoch(const struct consents *consents)
{
    return consents->epoch;
}

uint64_t consents_people_epoch(const struct consents *consents)
{
    return consents->people;
}

void consents_decide(const struct consents *consents, const uint8_t patient[16],
                     const struct consent_request *request, const struct consent_facts *facts,
                     struct consent_evidence *out)
{
    assert(consents_state(consents) == CONSENTS_READY ||
           consents_state(consents) == CONSENTS_LEDGER);
    consent_decide(consents->index, patient, request, facts, out);
    metrics_add(out->verdict.decision == CONSENT_PERMIT ? METRIC_DECISIONS_PERMIT
                                                        : METRIC_DECISIONS_DENY,
                1);
}

void consents_explain(const struct consents *consents, const uint8_t patient[16],
                      const struct consent_request *request, struct consent_evidence *out,
                      const struct consent_listener *listener)
{
    consent_explain(consents->index, patient, request, NULL, out, listener);
}

static void cancel_waiter(struct op *op)
{
    struct waiter *gone = (struct waiter *)(void *)op;
    struct waiter **at = &gone->consents->waiters;
    while (*at != gone) {
        at = &(*at)->next;
    }
    *at = gone->next;
    free(gone);
}

struct op *consents_catch_up(struct consents *consents, consents_done_fn done, void *arg)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter));
    if (!waiter) {
        return NULL;
    }
    *waiter = (struct waiter){
        .op.cancel = cancel_waiter,
        .consents = consents,
        .cycle = consents->cycles + 1,
        .done = done,
        .arg = arg,
        .next = consents->waiters,
    };
    consents->waiters = waiter;
    ask(consents);
    return &waiter->op;
}
