/*
 * Leases, looks and running deliveries.
 *
 *   idle --lease--> holding --look--> rows --> runs (at most DELIVERY_RUNS_MAX)
 *    ^                 |                         |
 *    |                 +----- a run ended: the patient's next row
 *    +--drained: shards given back
 *
 * A look at all shards costs an index look-up for each patient with a waiting row, due or not:
 * much while a destination is away. So what this worker knows of, rows it has committed and
 * those that follow a delivered one, it looks for by patient, and those that its neighbours
 * tell it of; all shards are looked at for what comes due and what others have left, the less
 * often the longer it takes. One look at a time: a row that a run has just ended can't come
 * back from an older one.
 */
#include "gateway/delivery.h"

#include "gateway/clock.h"
#include "gateway/consents.h"
#include "gateway/delivery_clients.h"
#include "gateway/neighbours.h"
#include "gateway/net/timer.h"
#include "gateway/pipeline/deliver.h"
#include "gateway/store/db.h"

#include <stdlib.h>

struct delivery {
    struct worker *worker;
    struct event *lease_timer; /* owned */
    struct event *look_timer;  /* owned */
    struct event *soon;        /* owned; a look after this turn of the loop */
    struct event *told;        /* owned; by other workers */
    struct op *lease_op;
    struct op *look_op;
    struct op *release_op;
    int64_t epochs[STORE_SHARDS]; /* lease epoch of each shard; -1: not held */
    int64_t busy[DELIVERY_RUNS_MAX];
    size_t running;
    bool started;
    bool draining;
    bool released;
    bool look_at_all;
    bool more;      /* the last look at all left rows out */
    bool crowded;   /* rows wait for others to end */
    int64_t looked; /* when it began, clock_mono_ms() */
    size_t asked;   /* and for how many rows */
    struct store_outbox_line lines[DELIVERY_LINES_MAX];
    size_t line_count;
    struct delivery_clients clients;
};

static void set_timer(struct event *timer, int ms)
{
    (void)timer_once(timer, ms);
}

static void look(struct delivery *delivery);

/* A look after this turn of the loop; while others run, what else comes is waited for. */
static void look_soon(struct delivery *delivery)
{
    if (delivery->running == 0 || delivery->crowded) {
        event_active(delivery->soon, EV_TIMEOUT, 0);
    } else if (!event_pending(delivery->soon, EV_TIMEOUT, NULL)) {
        set_timer(delivery->soon, DELIVERY_GATHER_MS);
    }
}

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

/* --- rows -----------------------------------------------------------------------------------
 */

/* Look for the next row of a patient at a destination, when there is room for it. */
static void add_line(struct delivery *delivery, struct str destination,
                     const uint8_t patient[16])
{
    struct store_outbox_line *lines = delivery->lines;
    for (size_t i = 0; i < delivery->line_count; i++) {
        if (memcmp(lines[i].patient, patient, sizeof(lines[i].patient)) == 0 &&
            str_eq(lines[i].destination, destination)) {
            return;
        }
    }
    if (delivery->line_count == DELIVERY_LINES_MAX) {
        delivery->more = true;
        return;
    }
    struct store_outbox_line *line = &lines[delivery->line_count++];
    line->destination = destination;
    memcpy(line->patient, patient, sizeof(line->patient));
}

static bool is_busy(const struct delivery *delivery, int64_t number)
{
    for (size_t i = 0; i < delivery->running; i++) {
        if (delivery->busy[i] == number) {
            return true;
        }
    }
    return false;
}

/* Begin a run for @row; it comes up again if there is no room or connection for it. */
static void start_run(struct delivery *delivery, const struct store_outbox *row)
{
    int64_t lease = delivery->epochs[row->shard];
    if (lease < 0 || delivery->draining || is_busy(delivery, row->number)) {
        return;
    }
    const struct way_out *out = delivery_receiver(delivery->worker, row->destination);
    bool room = delivery->running < DELIVERY_RUNS_MAX;
    struct mllp_client *client =
        room && out ? delivery_client(&delivery->clients, delivery->worker->loop, out) : NULL;
    if (!room || (out && !client)) {
        delivery->crowded = true;
        if (out) {
            add_line(delivery, str_z(out->config->place.name), row->patient);
        } else {
            delivery->more = true;
        }
        return;
    }
    delivery->busy[delivery->running++] = row->number;
    if (deliver_start(delivery, delivery->worker, row, lease, client) < 0) {
        delivery->running--;
        delivery_client_done(delivery, client);
    }
}

static void start_runs(struct delivery *delivery, int r, const struct db_rows *rows)
{
    int n = r == 0 ? db_count(rows) : 0;
    for (int i = 0; i < n; i++) {
        struct store_outbox row;
        store_outbox_row(rows, i, &row);
        start_run(delivery, &row);
    }
}

/* --- looks ----------------------------------------------------------------------------------
 */

static void on_all(void *arg, int r, const struct db_rows *rows)
{
    struct delivery *delivery = arg;
    int64_t pause = 20 * (clock_mono_ms() - delivery->looked);
    pause = pause < DELIVERY_LOOK_MAX ? pause : DELIVERY_LOOK_MAX;
    set_timer(delivery->look_timer, pause > DELIVERY_LOOK_MS ? (int)pause : DELIVERY_LOOK_MS);
    delivery->look_op = NULL;
    delivery->more |= r == 0 && (size_t)db_count(rows) == delivery->asked;
    start_runs(delivery, r, rows);
    look_soon(delivery);
}

static void on_lines(void *arg, int r, const struct db_rows *rows)
{
    struct delivery *delivery = arg;
    delivery->look_op = NULL;
    delivery->look_at_all |= r < 0; /* whose they were is forgotten */
    start_runs(delivery, r, rows);
    look_soon(delivery);
}

static void look_at_all(struct delivery *delivery, size_t room)
{
    int16_t shards[STORE_SHARDS];
    struct store_outbox_fetch what = {
        .shards = shards,
        .shard_count = held_shards(delivery, shards),
        .busy = { delivery->busy, delivery->running },
        .limit = (int)room,
    };
    if (what.shard_count == 0) {
        return;
    }
    delivery->look_at_all = false;
    delivery->more = false;
    delivery->asked = room;
    delivery->looked = clock_mono_ms();
    delivery->look_op = store_outbox_fetch(delivery->worker->db, &what, on_all, delivery);
}

/* Take lines off the list for which there is room; the others stay. */
static size_t take_lines(struct delivery *delivery, size_t room, struct store_outbox_line *out)
{
    size_t n = 0;
    size_t left = 0;
    for (size_t i = 0; i < delivery->line_count; i++) {
        const struct store_outbox_line *line = &delivery->lines[i];
        const struct way_out *to = delivery_receiver(delivery->worker, line->destination);
        size_t taken = 0;
        for (size_t k = 0; to && k < n; k++) {
            taken += str_eq(out[k].destination, line->destination);
        }
        if (n < room && (!to || taken < delivery_room(&delivery->clients, to))) {
            out[n++] = *line;
        } else {
            delivery->crowded = true;
            delivery->lines[left++] = *line;
        }
    }
    delivery->line_count = left;
    return n;
}

static void look_at_lines(struct delivery *delivery, size_t room)
{
    struct store_outbox_line lines[DELIVERY_RUNS_MAX];
    size_t n = take_lines(delivery, room, lines);
    struct store_outbox_busy busy = { delivery->busy, delivery->running };
    if (n) {
        delivery->look_op =
            store_outbox_next(delivery->worker->db, lines, n, &busy, on_lines, delivery);
        delivery->look_at_all |= !delivery->look_op;
    }
}

static void look(struct delivery *delivery)
{
    size_t room = DELIVERY_RUNS_MAX - delivery->running;
    /* While nothing can be decided, nothing can be delivered. */
    bool ready = consents_state(delivery->worker->consents) == CONSENTS_READY;
    if (delivery->look_op || room == 0 || delivery->draining || !ready) {
        return;
    }
    delivery->crowded = false;
    if (delivery->look_at_all) {
        look_at_all(delivery, room);
    } else {
        look_at_lines(delivery, room);
    }
}

static void on_look_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct delivery *delivery = arg;
    set_timer(delivery->look_timer, DELIVERY_LOOK_MS);
    delivery->look_at_all = true;
    look(delivery);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    look(arg);
}

/* Whether the row is ours. Not at once: whoever wakes us has an answer to give first, and
 * others may follow. */
static bool wake(struct delivery *delivery, struct str destination, const uint8_t patient[16])
{
    if (delivery->epochs[store_outbox_shard(destination, patient)] < 0) {
        return false;
    }
    add_line(delivery, destination, patient);
    look_soon(delivery);
    return true;
}

void delivery_wake(struct delivery *delivery, struct str destination, const uint8_t patient[16])
{
    const struct child *child = delivery->worker->child;
    if (!wake(delivery, destination, patient)) {
        neighbours_tell(child->neighbours, (size_t)child->index, destination, patient);
    }
}

static void on_told(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct delivery *delivery = arg;
    const struct child *child = delivery->worker->child;
    struct neighbours_word word;
    while (neighbours_hear(child->neighbours, (size_t)child->index, &word)) {
        const struct way_out *out = worker_way_out(delivery->worker, word.name);
        if (out) {
            (void)wake(delivery, str_z(out->config->place.name), word.patient);
        }
    }
}

/* --- life -----------------------------------------------------------------------------------
 */

struct delivery *delivery_new(struct worker *worker)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));
    if (!delivery) {
        return NULL;
    }
    delivery->worker = worker;
    delivery->lease_timer = event_new(worker->loop, -1, 0, on_lease_timer, delivery);
    delivery->look_timer = event_new(worker->loop, -1, 0, on_look_timer, delivery);
    delivery->soon = event_new(worker->loop, -1, 0, on_soon, delivery);
    int inbox = neighbours_inbox(worker->child->neighbours, (size_t)worker->child->index);
    delivery->told = event_new(worker->loop, inbox, EV_READ | EV_PERSIST, on_told, delivery);
    for (size_t i = 0; i < STORE_SHARDS; i++) {
        delivery->epochs[i] = -1;
    }
    if (!delivery->lease_timer || !delivery->look_timer || !delivery->soon || !delivery->told ||
        event_add(delivery->told, NULL) < 0) {
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
    delivery_clients_free(&delivery->clients);
    struct event *const events[] = { delivery->lease_timer, delivery->look_timer,
                                     delivery->soon, delivery->told };
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (events[i]) {
            event_free(events[i]);
        }
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
        return;
    }
    delivery->look_at_all |= delivery->more;
    look_soon(delivery);
}

void delivery_client_done(struct delivery *delivery, struct mllp_client *used)
{
    delivery_clients_done(&delivery->clients, used);
}
