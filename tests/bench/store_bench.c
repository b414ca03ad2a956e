/*
 * What PostgreSQL takes: a bare libpq writer (yardstick Y3) and our batches, same bytes.
 *
 *   tests/with_postgres build/tests/bench/store_bench MODE [SECONDS] [CLIENTS] [RATE] [TENANT]
 *
 * An exchange is a record of 1,000 bytes, a payload of 2,100, an opening of 400 and an outbox
 * row; a client writes one, waits until it is durable, writes the next.
 *
 *   bare, batch                  exchanges, by bare libpq and by a batch
 *   bare-records, records        records and openings alone; by a batch each is made as an
 *                                exchange makes it: opening sealed, record hashed
 *
 * With RATE, so many are due each second at even intervals, and latency counts from then; only
 * for batches. TENANT: of the database ("bench"). Prints one line of JSON.
 */
#include "anchor/merkle.h"
#include "crypto/seal.h"
#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/random.h"
#include "gateway/store/batch.h"
#include "gateway/store/migrate.h"

#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 4096,
    LATENCIES_MAX = 1 << 22,
    RECORD = 1000,
    PAYLOAD = 2100,
    OPENING = 400,
};

static struct event_base *base;
static const char *url;
static int clients;
static int64_t stop_at;
static char filler[4096];
static uint32_t *latencies;
static size_t latency_count;

static void new_id(uint8_t out[16])
{
    static uint64_t count;
    int64_t now = clock_utc_ms();
    count++;
    memset(out, 0, 16);
    for (int i = 0; i < 6; i++) {
        out[i] = (uint8_t)((uint64_t)now >> (40 - 8 * i));
    }
    memcpy(out + 8, &count, sizeof(count));
    out[6] = 0x70;
}

static void took(int64_t since_us)
{
    if (latency_count < LATENCIES_MAX) {
        latencies[latency_count++] = (uint32_t)(clock_mono_us() - since_us);
    }
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, int64_t us, int rows_each)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    int64_t cpu = (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * INT64_C(1000000) +
                  use.ru_utime.tv_usec + use.ru_stime.tv_usec;
    size_t n = latency_count;
    qsort(latencies, n, sizeof(*latencies), by_value);
    double seconds = (double)us / 1e6;
    printf(
        "{\"bench\":\"store-%s\",\"clients\":%d,\"exchanges_per_s\":%.0f,\"rows_per_s\":%.0f,"
        "\"p50_us\":%u,\"p99_us\":%u,\"cpu_us_per_exchange\":%.1f}\n",
        name, clients, (double)n / seconds, (double)n * rows_each / seconds,
        n ? latencies[n / 2] : 0, n ? latencies[n * 99 / 100] : 0,
        n ? (double)cpu / (double)n : 0);
}

/* The bare writer: one connection for each client, one transaction for each exchange. */

struct writer {
    PGconn *conn;
    struct event *event;
    int64_t began;
};

static const char *const bare_sql[] = {
    "INSERT INTO record (id, exchange, instance, seq, log, time, leaf, bytes)"
    " VALUES ($1::uuid, $1::uuid, $1::uuid, 1, 0, now(), sha256(''), $2::bytea)",
    "INSERT INTO payload (id, exchange, kind, key, nonce, ciphertext)"
    " VALUES ($1::uuid, $1::uuid, 1, $1::uuid, '', $2::bytea)",
    "INSERT INTO opening (record, key, nonce, ciphertext)"
    " VALUES ($1::uuid, $1::uuid, '', $2::bytea)",
    "INSERT INTO outbox (shard, destination, patient, exchange, payload, route, state, blocks,"
    " created, next_at) VALUES (length($2::bytea) % 256, 'ward', $1::uuid, $1::uuid, $1::uuid,"
    " 'route', 0, true, now(), now())",
};
static const int bare_bytes[] = { RECORD, PAYLOAD, OPENING + SEAL_TAG_SIZE, 5 };

/* Which of them: all, or record and opening. */
static const int bare_all[] = { 0, 1, 2, 3, -1 };
static const int bare_records[] = { 0, 2, -1 };
static const int *bare_which = bare_all;

static void write_one(struct writer *w)
{
    static const int binary[] = { 1, 1 };
    uint8_t id[16];
    new_id(id);
    w->began = clock_mono_us();
    for (const int *i = bare_which; *i >= 0; i++) {
        const char *values[] = { (const char *)id, filler };
        const int lengths[] = { 16, bare_bytes[*i] };
        char name[8];
        (void)snprintf(name, sizeof(name), "b%d", *i);
        if (!PQsendQueryPrepared(w->conn, name, 2, values, lengths, binary, 1)) {
            exit(1);
        }
    }
    if (!PQpipelineSync(w->conn)) {
        exit(1);
    }
}

static void on_bare(evutil_socket_t fd, short what, void *arg)
{
    struct writer *w = arg;
    (void)fd;
    (void)what;
    if (!PQconsumeInput(w->conn)) {
        exit(1);
    }
    for (int nulls = 0; nulls < 2 && !PQisBusy(w->conn);) {
        PGresult *result = PQgetResult(w->conn);
        nulls = result ? 0 : nulls + 1;
        if (result && PQresultStatus(result) == PGRES_FATAL_ERROR) {
            (void)fprintf(stderr, "%s", PQresultErrorMessage(result));
            exit(1);
        }
        if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            took(w->began);
            if (clock_mono_us() < stop_at) {
                write_one(w);
            } else {
                event_del(w->event);
            }
        }
        PQclear(result);
    }
}

static void bare(int seconds, bool whole)
{
    bare_which = whole ? bare_all : bare_records;
    struct writer *writers = calloc((size_t)clients, sizeof(*writers));
    for (int i = 0; i < clients; i++) {
        PGconn *conn = PQconnectdb(url);
        for (int k = 0; k < 4; k++) {
            char name[8];
            (void)snprintf(name, sizeof(name), "b%d", k);
            PQclear(PQprepare(conn, name, bare_sql[k], 0, NULL));
        }
        (void)PQsetnonblocking(conn, 1);
        (void)PQenterPipelineMode(conn);
        writers[i].conn = conn;
        writers[i].event =
            event_new(base, PQsocket(conn), EV_READ | EV_PERSIST, on_bare, &writers[i]);
        (void)event_add(writers[i].event, NULL);
    }
    int64_t start = clock_mono_us();
    stop_at = start + seconds * INT64_C(1000000);
    for (int i = 0; i < clients; i++) {
        write_one(&writers[i]);
    }
    event_base_dispatch(base);
    report(whole ? "bare" : "bare-records", clock_mono_us() - start, whole ? 4 : 2);
}

/* The batch: the same clients, one connection. */

struct client {
    struct client *next; /* idle ones, with a rate */
    struct batch_entry entry;
    struct batch_payload payload;
    struct batch_opening opening;
    struct batch_outbox outbox;
    uint8_t id[16];
    int64_t began;
    char record[RECORD];
    uint8_t sealed[OPENING + SEAL_TAG_SIZE];
};

static struct batch *batch;
static int running;
static bool seals;
static double rate;
static uint64_t submitted;
static int64_t started;
static struct client *idle;

static int fill(void *owner, size_t index, const struct batch_place *place,
                struct batch_record *out)
{
    struct client *c = owner;
    struct merkle_hash leaf = { { 1 } };
    (void)index;
    memcpy(out->id, c->id, 16);
    memcpy(out->exchange, c->id, 16);
    out->log = 0;
    out->time = clock_utc_ms();
    out->bytes = str_of(c->record, RECORD);
    if (seals) {
        memcpy(c->record, c->id, 16);
        memcpy(c->record + 16, &place->seq, sizeof(place->seq));
        merkle_leaf(out->bytes, &leaf);
    }
    memcpy(out->leaf, leaf.b, sizeof(out->leaf));
    return 0;
}

static void submit(struct client *c, int64_t due);

static void on_done(void *arg, int r, const struct batch_result *result)
{
    struct client *c = arg;
    (void)result;
    if (r < 0) {
        (void)fprintf(stderr, "batch: %s\n", strerror(-r));
        exit(1);
    }
    took(c->began);
    running--;
    if (rate > 0) {
        c->next = idle;
        idle = c;
    } else if (clock_mono_us() < stop_at) {
        submit(c, clock_mono_us());
    }
    if (running == 0 && clock_mono_us() >= stop_at) {
        event_base_loopbreak(base);
    }
}

static void seal(struct client *c)
{
    static const uint8_t key[SECRET_SIZE] = { 7 };
    struct seal_about about = { .tenant = STR("bench"), .kind = SEAL_OPENING, .version = 1 };
    memcpy(about.id, c->id, 16);
    random_bytes(c->opening.nonce, sizeof(c->opening.nonce));
    seal_close(key, &about, c->opening.nonce, str_of(filler, OPENING), c->sealed);
}

static void submit(struct client *c, int64_t due)
{
    new_id(c->id);
    memcpy(c->payload.id, c->id, 16);
    memcpy(c->payload.exchange, c->id, 16);
    memcpy(c->opening.record, c->id, 16);
    memcpy(c->outbox.patient, c->id, 16);
    memcpy(c->outbox.exchange, c->id, 16);
    c->outbox.created = c->outbox.next_at = clock_utc_ms();
    c->began = due;
    if (seals) {
        seal(c);
    }
    if (!batch_submit(batch, &c->entry, on_done, c)) {
        perror("batch_submit");
        exit(1);
    }
    running++;
    submitted++;
}

/* Submit what has become due; who finds no idle client is late. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    uint64_t ticks;
    (void)what;
    (void)arg;
    (void)!read(fd, &ticks, sizeof(ticks));
    int64_t now = clock_mono_us();
    int64_t until = now < stop_at ? now : stop_at;
    while (idle && (double)submitted < rate * (double)(until - started) / 1e6) {
        struct client *c = idle;
        idle = c->next;
        submit(c, started + (int64_t)((double)submitted * 1e6 / rate));
    }
}

/* A descriptor, because time-outs of the loop are no finer than a millisecond. */
static struct event *start_ticks(void)
{
    static const struct itimerspec tick = { { 0, 200000 }, { 0, 200000 } };
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct event *event = event_new(base, fd, EV_READ | EV_PERSIST, on_tick, NULL);
    if (fd < 0 || timerfd_settime(fd, 0, &tick, NULL) < 0 || event_add(event, NULL) < 0) {
        perror("timerfd");
        exit(1);
    }
    return event;
}

static void client_init(struct client *c, bool whole)
{
    memset(c->record, 'x', sizeof(c->record));
    memset(c->sealed, 'x', sizeof(c->sealed));
    c->payload.ciphertext = str_of(filler, PAYLOAD);
    c->opening.ciphertext = str_of(c->sealed, sizeof(c->sealed));
    c->outbox.destination = STR("ward");
    c->outbox.route = STR("route");
    c->outbox.blocks = true;
    c->entry = (struct batch_entry){
        .epoch = BATCH_EPOCH_ANY,
        .owner = c,
        .fill = fill,
        .records = 1,
        .payloads = &c->payload,
        .payload_count = whole,
        .openings = &c->opening,
        .opening_count = 1,
        .outboxes = &c->outbox,
        .outbox_count = whole,
    };
}

static void batches(int seconds, bool whole)
{
    uint8_t instance[16];
    random_bytes(instance, sizeof(instance));
    seals = !whole;
    batch = batch_new(base, url, "bench", instance);
    while (batch && !batch_up(batch)) {
        event_base_loop(base, EVLOOP_ONCE);
    }
    struct client *all = calloc((size_t)clients, sizeof(*all));
    started = clock_mono_us();
    stop_at = started + seconds * INT64_C(1000000);
    for (int i = 0; i < clients; i++) {
        client_init(&all[i], whole);
        if (rate > 0) {
            all[i].next = idle;
            idle = &all[i];
        } else {
            submit(&all[i], started);
        }
    }
    struct event *ticks = rate > 0 ? start_ticks() : NULL;
    event_base_dispatch(base);
    report(whole ? "batch" : "records", clock_mono_us() - started, whole ? 4 : 2);
    if (ticks) {
        event_free(ticks);
    }
    batch_free(batch);
    free(all);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "batch";
    int seconds = argc > 2 ? atoi(argv[2]) : 5;
    clients = argc > 3 ? atoi(argv[3]) : 64;
    rate = argc > 4 ? atof(argv[4]) : 0;
    url = getenv("PGURL");
    struct migrate_result result;
    if (!url || clients < 1 || clients > CLIENTS_MAX ||
        migrate_apply(url, argc > 5 ? argv[5] : "bench", &result) != 0) {
        (void)fprintf(stderr, "usage: tests/with_postgres store_bench"
                              " [bare|batch|bare-records|records] [SECONDS] [CLIENTS] [RATE]"
                              " [TENANT]\n");
        return 64;
    }
    log_set_level(LOG_WARN);
    memset(filler, 'x', sizeof(filler));
    latencies = malloc(LATENCIES_MAX * sizeof(*latencies));
    base = event_base_new();
    bool records = strstr(mode, "records") != NULL;
    if (strncmp(mode, "bare", 4) == 0) {
        bare(seconds, !records);
    } else {
        batches(seconds, !records);
    }
    free(latencies);
    event_base_free(base);
    return 0;
}
