/*
 * The notary: orders and signs what was recorded, follows the chain, sends what is to be sent.
 *
 *   waiting --lock free--> leading --connection lost, lock lost--> waiting
 *
 * There is one candidate in each gateway and one leader among them, by an advisory lock on
 * the session; a leader's writes are fenced by an epoch that each new leader raises, so one
 * that was paused and wakes up can do no harm.
 */
#include "gateway/store/notary.h"
#include "gateway/child.h"
#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/ledger/ledger.h"
#include "gateway/log.h"
#include "gateway/log_writer.h"
#include "gateway/net/timer.h"
#include "gateway/store/db.h"
#include "gateway/store/upkeep.h"

#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>

enum {
    URL_MAX = 4096,
    ASK_MS = 500,
    UPKEEP_MS = 3600 * 1000,
};

struct notary {
    const struct child *child;
    struct event_base *loop;
    struct db *db;
    struct log_writer *writer;
    struct ledger *ledger;
    struct event *timer;
    struct event *term;
    struct op *op;
    uint64_t epoch; /* 0: not leading */
    uint8_t holder[ID_SIZE];
    int64_t upkeep_at;
    bool told_ready;
    bool alarmed; /* the chain's head isn't ours; until this process leads anew */
    bool stopping;
};

static void again(struct notary *notary, int ms)
{
    (void)timer_once(notary->timer, ms);
}

static void rest(struct notary *notary)
{
    if (notary->epoch) {
        log_text(LOG_WARN, "leading no more");
        notary->epoch = 0;
        log_writer_rest(notary->writer);
        ledger_rest(notary->ledger);
    }
}

static void on_state(void *arg, bool up)
{
    struct notary *notary = arg;
    if (!up) {
        op_cancel(notary->op);
        notary->op = NULL;
        rest(notary); /* the lock went with the session */
    }
}

static void on_lead(void *arg, int r, const struct db_rows *rows)
{
    struct notary *notary = arg;
    notary->op = NULL;
    if (!notary->told_ready && r == 0) {
        notary->told_ready = true;
        child_ready(notary->child); /* leading or waiting: both are as it should be */
    }
    uint64_t epoch = r == 0 ? store_notary_epoch(rows) : 0;
    if (epoch) {
        notary->epoch = epoch;
        notary->alarmed = false;
        log_line(LOG_INFO, "leading", LOG_I("epoch", epoch));
        log_writer_lead(notary->writer, epoch);
        ledger_lead(notary->ledger, epoch);
    }
}

static void on_upkeep(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct notary *notary = arg;
    notary->op = NULL;
    if (r < 0) {
        log_line(LOG_WARN, "upkeep failed", LOG_ERRNO(r));
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct notary *notary = arg;
    again(notary, ASK_MS);
    if (notary->op || !db_up(notary->db)) {
        return;
    }
    if (notary->epoch && !notary->alarmed && ledger_forked(notary->ledger)) {
        /* An old backup was restored, or somebody else signs: never two trees of one size. */
        log_text(LOG_ERROR, "the anchored head is not ours: nothing is signed");
        notary->alarmed = true;
        log_writer_rest(notary->writer);
    }
    if (!notary->epoch) {
        notary->op = store_notary_lead(notary->db, notary->holder, on_lead, notary);
    } else if (clock_mono_ms() >= notary->upkeep_at) {
        notary->upkeep_at = clock_mono_ms() + UPKEEP_MS;
        notary->op = store_upkeep(notary->db, clock_utc_ms(), on_upkeep, notary);
    }
}

static void on_signed(void *arg)
{
    ledger_new_checkpoint(((struct notary *)arg)->ledger);
}

/* The session's end frees the lock, so a successor leads at once. */
static void on_term(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct notary *notary = arg;
    rest(notary);
    (void)event_base_loopbreak(notary->loop);
}

static int open_all(struct notary *notary)
{
    char url[URL_MAX];
    id_random(notary->holder);
    notary->loop = event_base_new();
    if (!notary->loop || config_database_url(notary->child->config, url, sizeof(url)) < 0) {
        return EX_CONFIG;
    }
    struct db_options options = {
        .url = url, .name = "chartseal notary", .state = on_state, .arg = notary
    };
    notary->db = db_new(notary->loop, &options);
    explicit_bzero(url, sizeof(url));
    if (!notary->db) {
        return EX_CONFIG;
    }
    const struct config *config = notary->child->config;
    notary->ledger = ledger_new(notary->loop, config, notary->db);
    notary->writer = log_writer_new(notary->loop, config, notary->db, on_signed, notary);
    if (!notary->ledger || !notary->writer) {
        return EX_CONFIG;
    }
    notary->timer = event_new(notary->loop, -1, 0, on_timer, notary);
    notary->term = evsignal_new(notary->loop, SIGTERM, on_term, notary);
    return notary->timer && notary->term && event_add(notary->term, NULL) == 0 ? EX_OK
                                                                               : EX_OSERR;
}

int notary_run(const struct child *child)
{
    struct notary notary = { .child = child };
    int code = open_all(&notary);
    if (code == EX_OK) {
        again(&notary, 1);
        (void)event_base_dispatch(notary.loop);
    }
    op_cancel(notary.op);
    log_writer_free(notary.writer);
    if (notary.db) {
        db_free(notary.db); /* before the ledger, which it wakes */
    }
    ledger_free(notary.ledger);
    return code;
}
