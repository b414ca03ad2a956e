/*
 * One look at the chain, every ledger.poll:
 *
 *   cursor -> heights -> head --same block as ours---------------------------> store
 *   (once)                |--further on--> events -> blocks -> head again --> store -> again,
 *                         |                             |                     if more is left
 *                         +--behind or not ours---------+--don't fit--+
 *                                                                     v
 *                                 rollback <--found-- fork: kept blocks, highest first
 *
 * Events are asked for by number, between two looks at the same head, and each must name the
 * block that the chain has at its height: so they belong to one chain even if the nodes change
 * theirs in between. In a gap of FOLLOWER_FEW blocks every header is read and its parent
 * compared; over larger gaps only the headers of blocks with events that aren't final are.
 *
 * While older blocks are still being read the time of agreement stays where it was: a view that
 * lacks the newest revocations isn't fresh.
 */
#include "gateway/ledger/follower_impl.h"

#include "gateway/clock.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    RANGE_MOST = 2000, /* blocks of one eth_getLogs */
    SAID_AGAIN_MS = 30000,
};

uint64_t follower_confirmed(uint64_t latest, uint64_t n)
{
    return latest > n ? latest - n : 0;
}

/* Look again after @ms. */
static void rest(struct follower *f, int64_t ms)
{
    (void)timer_once(f->timer, ms);
}

/* This look led nowhere. */
void follower_give_up(struct follower *f, enum log_level level, const char *why)
{
    int64_t now = clock_mono_ms();
    if (why != f->trouble || now - f->said > SAID_AGAIN_MS) {
        f->trouble = why;
        f->said = now;
        log_line(level, "chain not followed", LOG_Z("why", why), LOG_I("at", f->cursor.number),
                 LOG_I("head", f->view.latest));
    }
    rest(f, f->config.poll_ms);
}

/* A write failed. */
void follower_not_stored(struct follower *f, int r)
{
    f->loaded = false; /* what happened isn't known: read it again */
    if (r == -EPERM) {
        follower_stop(f);
        f->calls.on_fenced(f->owner);
        return;
    }
    follower_give_up(f, LOG_WARN, "database");
}

static int read_block(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    struct store_block block;
    memset(&block, 0, sizeof(block)); /* padding is compared too */
    int r = answers_block(result, &block);
    if (r == 0) {
        buf_put(out, &block, sizeof(block));
    }
    return r;
}

static int read_height(const void *arg, const struct node *result, struct buf *out)
{
    (void)arg;
    struct store_block block;
    int r = answers_block(result, &block);
    if (r == 0) {
        buf_be64(out, block.number);
    }
    return r;
}

/* Ask for a block by @tag, or by @number if that is NULL. */
void follower_ask_block(struct follower *f, const char *tag, uint64_t number, quorum_fn done)
{
    char room[FOLLOWER_PARAMS_ROOM];
    struct buf params = buf_fixed(room, sizeof(room));
    rpc_put_block(&params, tag, number);
    struct quorum_ask ask = {
        .method = "eth_getBlockByNumber",
        .params = buf_str(&params),
        .read = tag ? read_height : read_block,
        .height = tag != NULL,
    };
    f->op = quorum_call(f->config.rpc, &ask, done, f);
    if (!f->op) {
        follower_give_up(f, LOG_WARN, "memory");
    }
}

/* The block that an answer holds. */
bool follower_got_block(struct follower *f, const struct quorum_answer *answer,
                        struct store_block *out)
{
    f->op = NULL;
    if (answer->r < 0 || answer->bytes.n != sizeof(*out)) {
        follower_give_up(f, LOG_WARN,
                         answer->error == RPC_OK ? "disagree" : rpc_error_text(answer->error));
        return false;
    }
    memcpy(out, answer->bytes.p, sizeof(*out));
    return true;
}

static void on_stored(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct follower *f = arg;
    f->op = NULL;
    if (r < 0) {
        follower_not_stored(f, r);
        return;
    }
    if (!f->have) {
        log_line(LOG_INFO, "chain followed", LOG_I("from", f->from));
    } else if (f->trouble) {
        log_line(LOG_INFO, "chain followed again", LOG_I("at", f->to));
    }
    f->have = true;
    f->trouble = NULL;
    f->cursor.number = f->to;
    memcpy(f->cursor.hash, f->head.hash, sizeof(f->cursor.hash));
    f->range = follower_least(f->range * 2, f->range_most);
    if (f->to < f->view.latest) {
        follower_look(f);
        return;
    }
    metrics_set(METRIC_LEDGER_SEEN_MS, f->cursor.agreed);
    rest(f, f->config.poll_ms);
    f->calls.on_step(f->owner, &f->view);
}

void follower_store(struct follower *f)
{
    bool all = f->to == f->view.latest;
    struct store_cursor cursor = {
        .chain = f->config.chain,
        .number = f->to,
        .time = f->head.time,
        .safe = follower_least(f->view.safe, f->to),
        .finalized = follower_least(f->view.finalized, f->to),
        .agreed = all ? clock_utc_ms() : f->cursor.agreed,
    };
    memcpy(cursor.hash, f->head.hash, sizeof(cursor.hash));
    f->cursor.agreed = cursor.agreed;
    f->cursor.safe = cursor.safe;
    f->cursor.finalized = cursor.finalized;
    struct store_advance advance = {
        .fence = f->fence,
        .cursor = &cursor,
        .blocks = f->blocks,
        .block_count = f->block_count,
        .events = f->events,
        .event_count = f->event_count,
    };
    f->op = store_chain_advance(f->config.db, &advance, on_stored, f);
    if (!f->op) {
        follower_not_stored(f, -ENOTCONN);
    }
}

static void on_head(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    if (!follower_got_block(f, answer, &f->head)) {
        return;
    }
    if (f->head.number != f->to) {
        follower_give_up(f, LOG_WARN, "wrong block");
        return;
    }
    if (f->have && f->to == f->cursor.number &&
        memcmp(f->head.hash, f->cursor.hash, sizeof(f->head.hash)) == 0) {
        f->event_count = 0;
        f->block_count = 0;
        follower_store(f);
    } else if (f->have && f->to <= f->cursor.number) {
        follower_find_fork(f, f->to);
    } else {
        follower_ask_events(f);
    }
}

/* Heights are known: how far to go in this step. */
static void step(struct follower *f)
{
    uint64_t last = f->view.latest;
    f->from = f->have ? f->cursor.number + 1 : f->config.deployed;
    if (!f->have && f->from > last) {
        follower_give_up(f, LOG_WARN, "nothing deployed yet");
        return;
    }
    f->to = last;
    if (f->to >= f->from && f->to - f->from >= f->range) {
        f->to = f->from + f->range - 1;
    }
    follower_ask_block(f, NULL, f->to, on_head);
}

static uint64_t height_of(const struct quorum_answer *answer)
{
    uint64_t value = 0;
    for (size_t i = 0; i < answer->bytes.n; i++) {
        value = value << 8 | (uint8_t)answer->bytes.p[i];
    }
    return value;
}

static void on_finalized(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    /* A chain without such a tag is final where it is safe. */
    uint64_t finalized = answer->r == 0 ? height_of(answer) : 0;
    bool none = answer->r == -EREMOTEIO && f->config.confirmations;
    f->view.finalized = follower_least(none ? f->view.safe : finalized, f->view.safe);
    step(f);
}

static void on_safe(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    if (answer->r < 0) {
        follower_give_up(f, LOG_WARN, "no safe block");
        return;
    }
    f->view.safe = follower_least(height_of(answer), f->view.latest);
    follower_ask_block(f, "finalized", 0, on_finalized);
}

static void on_latest(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    if (answer->r < 0) {
        follower_give_up(f, LOG_WARN,
                         answer->error == RPC_OK ? "disagree" : rpc_error_text(answer->error));
        return;
    }
    f->view.latest = height_of(answer);
    if (f->config.confirmations == 0) {
        follower_ask_block(f, "safe", 0, on_safe);
        return;
    }
    f->view.safe = follower_confirmed(f->view.latest, f->config.confirmations);
    follower_ask_block(f, "finalized", 0, on_finalized);
}

static void on_cursor(void *arg, int r, const struct db_rows *rows)
{
    struct follower *f = arg;
    f->op = NULL;
    f->have = r == 0 && db_count(rows) > 0;
    memset(&f->cursor, 0, sizeof(f->cursor));
    if (f->have) {
        r = store_cursor_row(rows, 0, &f->cursor);
    }
    if (r < 0) {
        follower_not_stored(f, r);
        return;
    }
    f->loaded = true;
    follower_look(f);
}

void follower_look(struct follower *f)
{
    if (f->loaded) {
        follower_ask_block(f, "latest", 0, on_latest);
        return;
    }
    f->op = store_cursor(f->config.db, f->config.chain, on_cursor, f);
    if (!f->op) {
        follower_not_stored(f, -ENOTCONN);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    follower_look(arg);
}

struct follower *follower_new(const struct follower_config *config,
                              const struct follower_calls *calls, void *owner)
{
    struct follower *f = calloc(1, sizeof(*f));
    if (!f) {
        return NULL;
    }
    f->config = *config;
    f->calls = *calls;
    f->owner = owner;
    f->range = RANGE_MOST;
    f->range_most = RANGE_MOST;
    f->timer = event_new(config->base, -1, 0, on_timer, f);
    if (!f->timer) {
        free(f);
        return NULL;
    }
    return f;
}

void follower_start(struct follower *f, uint64_t fence)
{
    follower_stop(f);
    f->fence = fence;
    f->loaded = false;
    f->range_most = RANGE_MOST;
    rest(f, 0);
}

void follower_stop(struct follower *f)
{
    (void)event_del(f->timer);
    op_cancel(f->op);
    f->op = NULL;
    f->fence = 0;
}

void follower_free(struct follower *f)
{
    if (!f) {
        return;
    }
    follower_stop(f);
    event_free(f->timer);
    free(f->events);
    free(f->blocks);
    free(f);
}
