/*
 * The connection's life. What was sent on it is in gateway/store/db_queue.c.
 *
 *   WAITING --timer--> CONNECTING --ready--> SETTING --answered--> UP
 *      ^                   |                    |                   |
 *      +------ lost -------+--------------------+-------------------+
 *
 * That it ends is handled from the event loop (kick), never inside a caller's call.
 */
#include "gateway/store/db.h"

#include "gateway/clock.h"
#include "gateway/log.h"
#include "gateway/net/timer.h"
#include "gateway/store/db_connect.h"
#include "gateway/store/db_queue.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LISTENS_MAX = 4,
    TIMEOUT_MS = 10000,
    CONNECT_MS = 5000,
    RETRY_FIRST_MS = 20,
    RETRY_MAX_MS = 1000,
    TICK_MS = 1000,
    LATE_MS = 5000, /* beyond statement_timeout: the server or the way to it hangs */
};

enum state {
    STATE_WAITING,
    STATE_CONNECTING,
    STATE_SETTING,
    STATE_UP,
};

struct db {
    struct event_base *base;
    struct db_target target;
    db_state_fn on_state;
    void *arg;
    int timeout_ms;
    PGconn *conn;
    enum state state;
    bool broken; /* to be dropped from the event loop */
    int retry_ms;
    int64_t since; /* when connecting began */
    struct event *readable;
    struct event *writable;
    struct event *timer;
    struct event *kick;
    struct db_queue queue;
    struct {
        const char *channel;
        db_notify_fn fn;
        void *arg;
    } listens[LISTENS_MAX];
    size_t listen_count;
};

static const struct db_statement setup = {
    "setup",
    "SELECT set_config('statement_timeout', $1::text, false),"
    "       set_config('lock_timeout', $1::text, false),"
    "       set_config('idle_in_transaction_session_timeout', '10s', false),"
    "       set_config('timezone', 'UTC', false), set_config('jit', 'off', false),"
    /* Nothing is acknowledged that a crash could take back. */
    "       set_config('synchronous_commit',"
    "                  CASE current_setting('synchronous_commit')"
    "                  WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)",
};

static void after(struct event *event, int ms)
{
    (void)timer_once(event, ms);
}

static void breaks(struct db *db)
{
    db->broken = true;
    event_active(db->kick, EV_TIMEOUT, 0);
}

/* Send on what libpq has kept, and look whether the queue still trusts it. */
static void flush(struct db *db)
{
    int r = PQflush(db->conn);
    if (r < 0 || db->queue.in_doubt) {
        breaks(db);
    } else if (r > 0) {
        (void)event_add(db->writable, NULL);
    }
}

struct op *db_transaction(struct db *db, const struct db_step *steps, size_t n, db_done_fn done,
                          void *arg)
{
    assert(n > 0 && n <= DB_STEPS_MAX);
    if (!db_up(db)) {
        return NULL;
    }
    struct op *op = db_queue_send(&db->queue, steps, n, done, arg);
    flush(db);
    return op;
}

struct op *db_query(struct db *db, const struct db_statement *statement,
                    const struct db_params *params, db_done_fn done, void *arg)
{
    struct db_step step = { .statement = statement, .params = params };
    return db_transaction(db, &step, 1, done, arg);
}

/* Coming up and going down. */

static void hang_up(struct db *db)
{
    event_del(db->readable);
    event_del(db->writable);
    event_free(db->readable);
    event_free(db->writable);
    db->readable = db->writable = NULL;
}

static void lost(struct db *db)
{
    bool was_up = db->state == STATE_UP;
    if (db->state != STATE_WAITING && db->state != STATE_CONNECTING) {
        log_line(LOG_WARN, "database connection lost", LOG_Z("connection", db->target.name));
    }
    db->broken = false;
    db->state = STATE_WAITING;
    if (db->readable) {
        hang_up(db);
    }
    PQfinish(db->conn);
    db->conn = NULL;
    db_queue_lost(&db->queue);
    if (was_up && db->on_state) {
        db->on_state(db->arg, false);
    }
    after(db->timer, db->retry_ms);
    db->retry_ms = db->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : db->retry_ms * 2;
}

static void on_setup(void *arg, int r, const struct db_rows *rows)
{
    struct db *db = arg;
    (void)rows;
    if (r < 0) {
        if (db->conn) {
            breaks(db);
        }
        return;
    }
    db->state = STATE_UP;
    db->retry_ms = RETRY_FIRST_MS;
    log_line(LOG_INFO, "database connected", LOG_Z("connection", db->target.name));
    if (db->on_state) {
        db->on_state(db->arg, true);
    }
    for (size_t i = 0; i < db->listen_count; i++) {
        db->listens[i].fn(db->listens[i].arg);
    }
}

/* Listening begins before the setup is answered: what changed before is found by looking. */
static void set_up(struct db *db)
{
    db->state = STATE_SETTING;
    char timeout[16];
    (void)snprintf(timeout, sizeof(timeout), "%d", db->timeout_ms);
    struct db_params params = { 0 };
    db_put_bytes(&params, str_z(timeout));
    struct db_step step = { .statement = &setup, .params = &params };
    bool sent = PQsetnonblocking(db->conn, 1) == 0 && PQenterPipelineMode(db->conn);
    db_queue_connect(&db->queue, db->conn);
    for (size_t i = 0; sent && i < db->listen_count; i++) {
        sent = db_queue_listen(&db->queue, db->listens[i].channel) == 0;
    }
    if (!sent || !db_queue_send(&db->queue, &step, 1, on_setup, db)) {
        breaks(db);
        return;
    }
    flush(db);
}

static void heard(struct db *db)
{
    for (PGnotify *notify = PQnotifies(db->conn); notify; notify = PQnotifies(db->conn)) {
        for (size_t i = 0; i < db->listen_count; i++) {
            if (db->state == STATE_UP && strcmp(notify->relname, db->listens[i].channel) == 0) {
                db->listens[i].fn(db->listens[i].arg);
            }
        }
        PQfreemem(notify);
    }
}

static void pump(struct db *db)
{
    db_queue_pump(&db->queue);
    heard(db);
    if (db->queue.in_doubt || PQstatus(db->conn) == CONNECTION_BAD) {
        breaks(db);
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg);

/* Wait for the socket of a connection under way; its descriptor may change between polls. */
static int watch(struct db *db, short what)
{
    if (db->readable) {
        hang_up(db);
    }
    int fd = PQsocket(db->conn);
    if (fd < 0) {
        return -ENOTCONN;
    }
    db->readable = event_new(db->base, fd, EV_READ | EV_PERSIST, on_socket, db);
    db->writable = event_new(db->base, fd, EV_WRITE, on_socket, db);
    if (!db->readable || !db->writable) {
        abort(); /* libevent's few bytes are not there: nothing will be */
    }
    return event_add(what == EV_WRITE ? db->writable : db->readable, NULL);
}

static void poll_connect(struct db *db)
{
    switch (PQconnectPoll(db->conn)) {
    case PGRES_POLLING_READING:
        if (watch(db, EV_READ) < 0) {
            breaks(db);
        }
        break;
    case PGRES_POLLING_WRITING:
        if (watch(db, EV_WRITE) < 0) {
            breaks(db);
        }
        break;
    case PGRES_POLLING_OK:
        if (watch(db, EV_READ) < 0) {
            breaks(db);
        } else {
            set_up(db);
        }
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
    default: breaks(db); break;
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct db *db = arg;
    (void)fd;
    if (db->state == STATE_CONNECTING) {
        poll_connect(db);
        return;
    }
    if (what & EV_READ && !PQconsumeInput(db->conn)) {
        pump(db); /* answers that came before the end count */
        breaks(db);
        return;
    }
    flush(db);
    pump(db);
}

static void connect_now(struct db *db)
{
    db->state = STATE_CONNECTING;
    db->since = clock_mono_ms();
    db->conn = db_target_connect(&db->target);
    after(db->timer, TICK_MS);
    if (!db->conn || PQstatus(db->conn) == CONNECTION_BAD || watch(db, EV_WRITE) < 0) {
        breaks(db);
    }
}

/* Has the server gone silent? */
static bool late(const struct db *db)
{
    int64_t now = clock_mono_ms();
    if (db->state != STATE_UP) {
        return now - db->since > CONNECT_MS;
    }
    int64_t oldest = db_queue_oldest(&db->queue);
    return oldest && now - oldest > db->timeout_ms + LATE_MS;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct db *db = arg;
    (void)fd;
    (void)what;
    if (db->state == STATE_WAITING) {
        connect_now(db);
        return;
    }
    after(db->timer, TICK_MS);
    if (late(db)) {
        breaks(db);
    }
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    struct db *db = arg;
    (void)fd;
    (void)what;
    if (db->broken) {
        lost(db);
    }
}

/* What is public. */

struct db *db_new(struct event_base *base, const struct db_options *options)
{
    struct db *db = calloc(1, sizeof(*db));
    if (!db) {
        return NULL;
    }
    int r = db_target_init(&db->target, options->url, options->name);
    if (r < 0) {
        free(db);
        errno = -r;
        return NULL;
    }
    db->base = base;
    db->on_state = options->state;
    db->arg = options->arg;
    db->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    db_queue_init(&db->queue);
    db->retry_ms = RETRY_FIRST_MS;
    db->timer = evtimer_new(base, on_timer, db);
    db->kick = evtimer_new(base, on_kick, db);
    if (!db->timer || !db->kick) {
        db_free(db);
        errno = ENOMEM;
        return NULL;
    }
    after(db->timer, 0);
    return db;
}

void db_free(struct db *db)
{
    if (!db) {
        return;
    }
    if (db->readable) {
        hang_up(db);
    }
    PQfinish(db->conn);
    db_queue_deinit(&db->queue);
    if (db->timer) {
        event_free(db->timer);
    }
    if (db->kick) {
        event_free(db->kick);
    }
    db_target_deinit(&db->target);
    free(db);
}

bool db_up(const struct db *db)
{
    return db->state == STATE_UP && !db->broken;
}

size_t db_pending(const struct db *db)
{
    return db->queue.pending;
}

int db_listen(struct db *db, const char *channel, db_notify_fn fn, void *arg)
{
    if (db->listen_count == LISTENS_MAX) {
        return -ENOSPC;
    }
    db->listens[db->listen_count].channel = channel;
    db->listens[db->listen_count].fn = fn;
    db->listens[db->listen_count].arg = arg;
    db->listen_count++;
    if (db_up(db)) {
        (void)db_queue_listen(&db->queue, channel); /* failing is for flush() to see */
        flush(db);
    }
    return 0;
}

void db_drop(struct db *db)
{
    if (db->state != STATE_WAITING) {
        breaks(db);
    }
}
