/* What tests of the store share: a migrated database, an event loop, waiting, looking in. */
#pragma once

#include "gateway/store/db.h"
#include "gateway/store/migrate.h"
#include "gateway/store/notary.h"
#include "tests/check.h"

#include <errno.h>
#include <event2/event.h>
#include <libpq-fe.h>
#include <time.h>

static struct event_base *base;

static inline const char *store_url(void)
{
    const char *url = getenv("PGURL");
    if (!url) {
        print_message("skipped: no PGURL; run by tests/with_postgres\n");
        skip();
    }
    return url;
}

/* One value by a connection of its own, as text; owned by the next call. */
static inline const char *store_sql(const char *sql)
{
    static char value[4096];
    PGconn *conn = PQconnectdb(store_url());
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        print_error("%s: %s", sql, PQerrorMessage(conn));
        fail();
    }
    (void)snprintf(value, sizeof(value), "%s",
                   PQntuples(result) && PQnfields(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(conn);
    return value;
}

static inline int store_group_setup(void **state)
{
    (void)state;
    base = event_base_new();
    if (getenv("PGURL")) {
        struct migrate_result result;
        if (migrate_apply(getenv("PGURL"), "tests", &result) != 0) {
            print_error("migrate: %s\n", result.why);
            return -1;
        }
    }
    return 0;
}

static inline int store_group_teardown(void **state)
{
    (void)state;
    event_base_free(base);
    return 0;
}

static inline int64_t store_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Run the loop until @*done or for @ms; returns whether it was. */
static inline bool store_wait_for(const bool *done, int ms)
{
    int64_t end = store_now_ms() + ms;
    while (!*done && store_now_ms() < end) {
        struct timeval step = { .tv_usec = 5000 };
        event_base_loopexit(base, &step);
        event_base_dispatch(base);
    }
    return *done;
}

/* Let the loop run until @condition holds; it must. */
#define store_until(condition)                                                                 \
    do {                                                                                       \
        bool never_ = false, came_ = (condition);                                              \
        for (int64_t end_ = store_now_ms() + 30000; !came_ && store_now_ms() < end_;) {        \
            (void)store_wait_for(&never_, 5);                                                  \
            came_ = (condition);                                                               \
        }                                                                                      \
        assert_true(came_);                                                                    \
    } while (0)

/* A version 7 UUID of now, different at each call. */
static inline void store_id(uint8_t out[16])
{
    static uint64_t count;
    uint64_t now = (uint64_t)store_now_ms();
    count++;
    for (int i = 0; i < 6; i++) {
        out[i] = (uint8_t)(now >> (40 - 8 * i));
    }
    for (int i = 6; i < 16; i++) {
        out[i] = (uint8_t)(count >> (8 * (15 - i) % 64));
    }
    out[6] = 0x70;
    out[7] = (uint8_t)rand();
    out[8] = 0x80;
}

/* A connection that is up. */
static inline struct db *store_connect(void)
{
    struct db_options options = { .url = store_url(), .name = "test" };
    struct db *db = db_new(base, &options);
    assert_non_null(db);
    store_until(db_up(db));
    return db;
}

/* How one op ended. */
struct store_end {
    bool done;
    int r;
    void (*look)(struct store_end *end, const struct db_rows *rows);
    int count;
    void *arg;
};

static inline void store_on_end(void *arg, int r, const struct db_rows *rows)
{
    struct store_end *end = arg;
    assert_false(end->done);
    end->done = true;
    end->r = r;
    if (r == 0) {
        end->count = db_count(rows);
        if (end->look) {
            end->look(end, rows);
        }
    }
}

/* Wait for an op that was started with store_on_end and @end; its result. */
static inline int store_ended(struct op *op, struct store_end *end)
{
    if (!op) {
        return -ENOTCONN;
    }
    assert_true(store_wait_for(&end->done, 20000));
    return end->r;
}

static inline void store_look_epoch(struct store_end *end, const struct db_rows *rows)
{
    *(uint64_t *)end->arg = store_notary_epoch(rows);
}

/* Lead as the notary; returns its epoch. */
static inline uint64_t store_lead(struct db *by)
{
    static const uint8_t holder[16] = { 9 };
    uint64_t got = 0;
    struct store_end end = { .look = store_look_epoch, .arg = &got };
    assert_int_equal(store_ended(store_notary_lead(by, holder, store_on_end, &end), &end), 0);
    return got;
}
