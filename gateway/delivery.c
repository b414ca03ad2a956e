/*
 * Leases, looks and running deliveries.
 *
 *   idle --lease--> holding --look--> rows --> runs (at most DELIVERY_RUNS_MAX)
 *    ^                 |                         |
 *    |                 +----- a run ended: look again at once
 *    +--drained: shards given back
 */
#include "gateway/delivery.h"

#include "gateway/consents.h"
#include "gateway/net/timer.h"
#include "gateway/pipeline/deliver.h"
#include "gateway/store/db.h"

#include <stdlib.h>

struct client {
    struct mllp_client *mllp; /* owned */
    const struct way_out *out;
    bool busy;
};

struct delivery {
    struct worker *worker;
    struct event *lease_timer; /* owned */
    struct event *look_timer;  /* owned */
    struct op *lease_op;
    struct op *look_op;
    struct op *release_op;
    int64_t epochs[STORE_SHARDS]; /* lease epoch of each shard; -1: not held */
    int64_t busy[DELIVERY_RUNS_MAX];
    size_t running;
    bool started;
    bool draining;
    bool released;
    bool look_again;
    struct client clients[DELIVERY_CLIENTS_MAX * 4];
    size_t client_count;
};

static void look(struct delivery *delivery);

static size_t held_shards(const struct delivery *delivery, int16_t out[STORE_SHARDS])
{
    size_t n = 0;
    for (int i = 0; i < STORE_SHARDS; i++) {
        if (delivery->epochs[i] >= 0) {
            out[n++] = (int16_t)i;
        }
    }
    return n;
}

static void set_timer(struct event *timer, int ms)
{
    (void)timer_once(timer, ms);
}

static void on_leases(void *arg, int r, const struct db_rows *rows)
{
    struct delivery *delivery = arg;
    delivery->lease_op = NULL;
    if (r < 0) {
        return; /* the leases run out by themselves, and each write checks them */
    }
    for (size_t i = 0; i < STORE_SHARDS; i++) {
        delivery->epochs[i] = -1;
    }
    for (int i = 0; i < db_count(rows); i++) {
        struct store_lease lease;
        store_lease_row(rows, i, &lease);
        if (i < lease.share) {
            delivery->epochs[lease.shard] = lease.epoch;
        }
    }
}

/* What is above an even share goes back: store_outbox_lease() takes it for who has less. */
static void on_surplus(void *arg, int r, const struct db_rows *rows)
{
    (void)r;
    (void)rows;
    ((struct delivery *)arg)->release_op = NULL;
}

static void give_back_surplus(struct delivery *delivery, const struct db_rows *rows)
{
    int16_t surplus[STORE_SHARDS];
    size_t n = 0;
    for (int i = 0; i < db_count(rows); i++) {
        struct store_lease lease;
        store_lease_row(rows, i, &lease);
        if (i >= lease.share) {
            surplus[n++] = lease.shard;
        }
    }
    if (n && delivery->running == 0 && !delivery->release_op) {
        delivery->release_op = store_outbox_release(
            delivery->worker->db, delivery->worker->instance, surplus, n, on_surplus, delivery);
    }
}

static void on_leased(void *arg, int r, const struct db_rows *rows)
{
    on_leases(arg, r, rows);
    if (r == 0) {
        give_back_surplus(arg, rows);
    }
}

static void on_lease_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct delivery *delivery = arg;
    set_timer(delivery->lease_timer, DELIVERY_LEASE_MS / 3);
    if (!delivery->lease_op && !delivery->draining) {
        delivery->lease_op =
            store_outbox_lease(delivery->worker->db, delivery->worker->instance,
                               DELIVERY_LEASE_MS, on_leased, delivery);
    }
}

/* A connection to @out that nobody uses; NULL: all are in use, or no memory. */
static struct mllp_client *free_client(struct delivery *delivery, const struct way_out *out)
{
    size_t mine = 0;
    for (size_t i = 0; i < delivery->client_count; i++) {
        struct client *client = &delivery->clients[i];
        if (client->out == out && !client->busy) {
            client->busy = true;
            return client->mllp;
        }
        mine += client->out == out;
    }
    if (mine >= (size_t)out->config->connections || mine >= DELIVERY_CLIENTS_MAX ||
        delivery->client_count == ARRAY_LEN(delivery->clients)) {
        return NULL;
    }
    struct mllp_client_config config = {
        .base = delivery->worker->loop,
        .to = out->to,
        .tls = out->tls,
        .tls_host = out->tls ? out->host.p : NULL,
        .answer_ms = (int)out->config->timeout,
    };
    struct mllp_client *mllp = mllp_client_new(&config);
    if (mllp) {
        delivery->clients[delivery->client_count++] =
            (struct client){ .mllp = mllp, .out = out, .busy = true };
    }
    return mllp;
}

/* A connection for a row that goes to a v2 receiver; true without one for all others. */
static bool take_client(struct delivery *delivery, const struct store_outbox *row,
                        struct mllp_client **client)
{
    for (size_t i = 0; i < delivery->worker->way_out_count; i++) {
        const struct way_out *out = &delivery->worker->ways_out[i];
        if (str_eq(str_z(out->config->place.name), row->destination) &&
            out->config->protocol == PROTOCOL_MLLP) {
            *client = free_client(delivery, out);
            return *client != NULL;
        }
    }
    return true;
}

static void on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct delivery *delivery = arg;
    delivery->look_op = NULL;
    int n = r == 0 ? db_count(rows) : 0;
    for (int i = 0; i < n && delivery->running < DELIVERY_RUNS_MAX && !delivery->draining;
         i++) {
        struct store_outbox row;
        store_outbox_row(rows, i, &row);
        int64_t lease = delivery->epochs[row.shard];
        if (lease < 0) {
            continue;
        }
        struct mllp_client *client = NULL;
        if (!take_client(delivery, &row, &client)) {
            continue; /* all connections are in use: it comes up again */
        }
        delivery->busy[delivery->running++] = row.number;
        if (deliver_start(delivery, delivery->worker, &row, lease, client) < 0) {
            delivery->running--;
            delivery_client_done(delivery, client);
        }
    }
    if (delivery->look_again) {
        delivery->look_again = false;
        look(delivery);
    }
}

static void look(struct delivery *delivery)
{
    if (delivery->look_op) {
        delivery->look_again = true;
        return;
    }
    int16_t shards[STORE_SHARDS];
    size_t n = held_shards(delivery, shards);
    size_t room = DELIVERY_RUNS_MAX - delivery->running;
    /* While nothing can be decided, nothing can be delivered. */
    bool ready = consents_state(delivery->worker->consents) == CONSENTS_READY;
    if (n == 0 || room == 0 || delivery->draining || !ready) {
        return;
    }
    struct store_outbox_fetch what = {
        .shards = shards,
        .shard_count = n,
        .busy = delivery->busy,
        .busy_count = delivery->running,
        .limit = (int)room,
    };
    delivery->look_op = store_outbox_fetch(delivery->worker->db, &what, on_rows, delivery);
}

static void on_look_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct delivery *delivery = arg;
    set_timer(delivery->look_timer, DELIVERY_LOOK_MS);
    look(delivery);
}

struct delivery *delivery_new(struct worker *worker)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery) {
        return NULL;
    }
    delivery->worker = worker;
    delivery->lease_timer = event_new(worker->loop, -1, 0, on_lease_timer, delivery);
    delivery->look_timer = event_new(worker->loop, -1, 0, on_look_timer, delivery);
    for (size_t i = 0; i < STORE_SHARDS; i++) {
        delivery->epochs[i] = -1;
    }
    if (!delivery->lease_timer || !delivery->look_timer) {
        delivery_free(delivery);
        return NULL;
    }
    return delivery;
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery) {
        return;
    }
    op_cancel(delivery->lease_op);
    op_cancel(delivery->look_op);
    op_cancel(delivery->release_op);
    for (size_t i = 0; i < delivery->client_count; i++) {
        mllp_client_free(delivery->clients[i].mllp);
    }
    if (delivery->lease_timer) {
        event_free(delivery->lease_timer);
    }
    if (delivery->look_timer) {
        event_free(delivery->look_timer);
    }
    free(delivery);
}

void delivery_start(struct delivery *delivery)
{
    delivery->started = true;
    set_timer(delivery->lease_timer, 1);
    set_timer(delivery->look_timer, DELIVERY_LOOK_MS);
}

static void on_released(void *arg, int r, const struct db_rows *rows)
{
    (void)r;
    (void)rows;
    struct delivery *delivery = arg;
    delivery->release_op = NULL;
    delivery->released = true;
}

/* Nothing runs any more: others need not wait for the leases to run out. */
static void release_all(struct delivery *delivery)
{
    int16_t shards[STORE_SHARDS];
    size_t n = held_shards(delivery, shards);
    if (delivery->release_op) {
        return;
    }
    delivery->release_op =
        delivery->started && n
            ? store_outbox_release(delivery->worker->db, delivery->worker->instance, shards, n,
                                   on_released, delivery)
            : NULL;
    delivery->released = !delivery->release_op;
}

void delivery_drain(struct delivery *delivery)
{
    delivery->draining = true;
    if (delivery->running == 0) {
        release_all(delivery);
    }
}

bool delivery_idle(const struct delivery *delivery)
{
    return delivery->running == 0 && delivery->released;
}

void delivery_ended(struct delivery *delivery, int64_t number)
{
    for (size_t i = 0; i < delivery->running; i++) {
        if (delivery->busy[i] == number) {
            delivery->busy[i] = delivery->busy[--delivery->running];
            break;
        }
    }
    if (delivery->draining && delivery->running == 0) {
        release_all(delivery);
    } else {
        look(delivery);
    }
}

void delivery_client_done(struct delivery *delivery, struct mllp_client *used)
{
    for (size_t i = 0; i < delivery->client_count; i++) {
        if (delivery->clients[i].mllp == used) {
            delivery->clients[i].busy = false;
        }
    }
}
