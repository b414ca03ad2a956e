/*
 * A worker's life.
 *
 *   connecting --database--> unlocking --tenant's key--> loading --consents--> taking traffic
 *       ^---------- retry ---------+                                               |SIGTERM
 *                                                       ended <--no exchange-- draining
 *
 * It listens from the moment it can decide, never before.
 */
#include "gateway/worker.h"

#include "gateway/admin.h"
#include "gateway/consents.h"
#include "gateway/delivery.h"
#include "gateway/did_hosts.h"
#include "gateway/directory.h"
#include "gateway/exchange.h"
#include "gateway/heap.h"
#include "gateway/id.h"
#include "gateway/identity/identity.h"
#include "gateway/ledger/rpc.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"
#include "gateway/newcomers.h"
#include "gateway/notices.h"
#include "gateway/number_cache.h"
#include "gateway/payloads.h"
#include "gateway/store/batch.h"
#include "gateway/store/db.h"
#include "gateway/vault.h"
#include "gateway/way_in.h"
#include "gateway/way_out.h"

#include "crypto/base/hex.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    URL_MAX = 4096,
    RETRY_MS = 250,
    DRAIN_LOOK_MS = 20,
    WORKER_PRIORITIES = 3, /* of events; the middle one is the usual */
};

/* What only this file needs besides the worker. */
struct life {
    struct worker worker;
    struct event *term;  /* owned */
    struct event *retry; /* owned; also looks whether draining is over */
    struct op *op;
    bool unlocked;
};

static void again(struct life *life, int ms)
{
    (void)timer_once(life->retry, ms);
}

static void open_ways_in(struct worker *worker)
{
    for (size_t i = 0; i < worker->child->socket_count; i++) {
        const struct child_socket *socket = &worker->child->sockets[i];
        if (!socket->listener) {
            continue;
        }
        for (size_t k = 0; k < worker->config->listeners.n; k++) {
            const struct config_listener *config = config_listener(worker->config, k);
            if (strcmp(config->place.name, socket->listener) == 0 &&
                way_in_open(worker, config, socket->fd,
                            &worker->ways_in[worker->way_in_count]) == 0) {
                worker->way_in_count++;
            }
        }
    }
}

static void on_loaded(void *arg)
{
    struct life *life = arg;
    struct worker *worker = &life->worker;
    if (worker->draining) {
        return;
    }
    open_ways_in(worker);
    delivery_start(worker->delivery);
    notices_start(worker->notices);
    directory_start(worker->directory);
    child_ready(worker->child);
    log_line(LOG_INFO, "taking traffic", LOG_I("listeners", worker->way_in_count));
}

static void on_unlocked(void *arg, int r)
{
    struct life *life = arg;
    life->op = NULL;
    if (r == -EBADMSG) {
        log_text(LOG_ERROR, "the root key does not open this database's keys");
        exit(EX_CONFIG);
    }
    if (r < 0) {
        again(life, RETRY_MS);
        return;
    }
    if (identity_unlock(life->worker.identity) < 0) {
        exit(EX_OSERR);
    }
    life->unlocked = true;
    consents_start(life->worker.consents, on_loaded, life);
}

/* Drained when nothing is under way and every listener has let go. */
static bool drained(const struct worker *worker)
{
    for (size_t i = 0; i < worker->way_in_count; i++) {
        if (!worker->ways_in[i].drained) {
            return false;
        }
    }
    return exchange_count() == 0 && delivery_idle(worker->delivery);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct life *life = arg;
    if (life->worker.draining) {
        if (drained(&life->worker)) {
            (void)event_base_loopbreak(life->worker.loop);
            return;
        }
        again(life, DRAIN_LOOK_MS);
        return;
    }
    if (!life->unlocked && !life->op) {
        life->op = vault_start(life->worker.vault, life->worker.db, on_unlocked, life);
        if (!life->op) {
            again(life, RETRY_MS);
        }
    }
}

/*
 * The supervisor keeps them open for a successor. If it was killed, a connection that the
 * kernel still brings here would wait for nobody until we end.
 */
static void close_sockets(const struct worker *worker)
{
    for (size_t i = 0; i < worker->child->socket_count; i++) {
        if (worker->child->sockets[i].listener) {
            (void)close(worker->child->sockets[i].fd);
        }
    }
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct life *life = arg;
    if (life->worker.draining) {
        return;
    }
    life->worker.draining = true;
    metrics_set(METRIC_READY, 0);
    for (size_t i = 0; i < life->worker.way_in_count; i++) {
        way_in_drain(&life->worker.ways_in[i]);
    }
    close_sockets(&life->worker);
    delivery_drain(life->worker.delivery);
    again(life, 1);
}

static void on_database(void *arg, bool up)
{
    (void)arg;
    metrics_set(METRIC_DATABASE_UP, up);
    if (!up) {
        log_text(LOG_WARN, "database connection lost");
    }
}

static int open_database(struct worker *worker)
{
    char url[URL_MAX];
    char name[32];
    (void)snprintf(name, sizeof(name), "chartseal worker %d", worker->child->index);
    int r = config_database_url(worker->config, url, sizeof(url));
    if (r < 0) {
        return r;
    }
    struct db_options options = { .url = url, .name = name, .state = on_database };
    worker->db = db_new(worker->loop, &options);
    worker->batch = worker->db ? batch_new(worker->loop, url, name, worker->instance) : NULL;
    explicit_bzero(url, sizeof(url));
    return worker->batch ? 0 : -errno;
}

static int open_all(struct worker *worker)
{
    const struct config *config = worker->config;
    id_random(worker->instance);
    worker->arena = arena_new(16 << 10);
    worker->loop = event_base_new();
    if (!worker->arena || !worker->loop ||
        event_base_priority_init(worker->loop, WORKER_PRIORITIES) < 0) {
        return -ENOMEM;
    }
    if (hex_decode_0x(str_z(config->ledger->consent), worker->consent_contract,
                      sizeof(worker->consent_contract)) < 0) {
        log_text(LOG_ERROR, "ledger.consent is no address");
        return -EINVAL;
    }
    int r = vault_new(config->keys->root, config->tenant, &worker->vault);
    if (r != 0) {
        log_line(LOG_ERROR, "keys.root can't be used", LOG_I("code", r));
        return -EINVAL;
    }
    r = open_database(worker);
    if (r < 0) {
        log_text(LOG_ERROR, "database.url_file can't be used");
        return r;
    }
    r = way_out_open_all(worker);
    if (r < 0) {
        return r;
    }
    worker->ways_in =
        arena_calloc(worker->arena, config->listeners.n + 1, sizeof(struct way_in));
    worker->consents =
        consents_new(worker->loop, config, worker->db, worker->vault, worker->child->tenant);
    worker->patients = number_cache_new(NUMBER_CACHE_PATIENTS);
    worker->recipients = number_cache_new(NUMBER_CACHE_RECIPIENTS);
    worker->payloads = payloads_new(worker->loop, worker->db);
    worker->newcomers = newcomers_new(worker->loop, worker->db, worker->vault);
    worker->identity = identity_new(worker);
    worker->did_hosts = did_hosts_new(worker);
    worker->directory = directory_new(worker);
    worker->delivery = delivery_new(worker);
    worker->notices = notices_new(worker);
    bool made = worker->ways_in && worker->consents && worker->patients && worker->recipients &&
                worker->payloads && worker->newcomers && worker->identity &&
                worker->did_hosts && worker->directory && worker->delivery && worker->notices;
    return made ? 0 : -ENOMEM;
}

/* Only for logins: whatever a request needs of the chain is in PostgreSQL. */
static void open_rpc(struct worker *worker)
{
    const struct config_ledger *ledger = worker->config->ledger;
    const struct rpc_config config = {
        .base = worker->loop,
        .urls = ledger->endpoints.items,
        .count = ledger->endpoints.n,
        .chain = (uint64_t)ledger->chain_id,
    };
    bool wanted = false;
    for (size_t i = 0; i < worker->config->listeners.n; i++) {
        const struct config_login *login = config_listener(worker->config, i)->login;
        wanted |= login && login->contract_accounts;
    }
    worker->rpc = wanted ? rpc_new(&config) : NULL;
}

static void open_admin(struct worker *worker)
{
    for (size_t i = 0; i < worker->child->socket_count; i++) {
        if (!worker->child->sockets[i].listener) {
            worker->admin = admin_open(worker, worker->child->sockets[i].fd);
        }
    }
}

static void close_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->way_in_count; i++) {
        way_in_close(&worker->ways_in[i]);
    }
    if (worker->admin) {
        http_server_free(worker->admin);
    }
    notices_free(worker->notices);
    if (worker->rpc) {
        rpc_free(worker->rpc);
    }
    delivery_free(worker->delivery);
    identity_free(worker->identity);
    did_hosts_free(worker->did_hosts);
    directory_free(worker->directory);
    consents_free(worker->consents);
    newcomers_free(worker->newcomers);
    number_cache_free(worker->patients);
    number_cache_free(worker->recipients);
    payloads_free(worker->payloads);
    way_out_close_all(worker);
    if (worker->batch) {
        batch_free(worker->batch);
    }
    if (worker->db) {
        db_free(worker->db);
    }
    vault_free(worker->vault);
    arena_free(worker->arena);
}

int worker_run(const struct child *child)
{
    struct life life = { .worker = { .config = child->config, .child = child } };
    heap_keep_freed();
    int r = open_all(&life.worker);
    if (r < 0) {
        close_all(&life.worker);
        return r == -EINVAL ? EX_CONFIG : EX_OSERR;
    }
    life.term = evsignal_new(life.worker.loop, SIGTERM, on_term, &life);
    life.retry = event_new(life.worker.loop, -1, 0, on_retry, &life);
    if (!life.term || !life.retry || event_add(life.term, NULL) < 0) {
        return EX_OSERR;
    }
    open_admin(&life.worker);
    open_rpc(&life.worker);
    again(&life, 1);
    (void)event_base_dispatch(life.worker.loop);

    op_cancel(life.op);
    close_all(&life.worker);
    event_free(life.term);
    event_free(life.retry);
    event_base_free(life.worker.loop);
    return EX_OK;
}
