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
 * theirs in between. In the last FEW blocks every header is read and its parent compared; over
 * larger gaps only the headers of blocks with events are.
 *
 * While older blocks are still being read the time of agreement stays where it was: a view that
 * lacks the newest revocations isn't fresh.
 */
#include "gateway/ledger/follower.h"

#include "anchor/contracts/contracts_generated.h"
#include "gateway/clock.h"
#include "gateway/heap.h"
#include "gateway/ledger/answers.h"
#include "gateway/ledger/quorum.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/net/timer.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

enum {
    FEW = 32,          /* a gap of so many blocks is read header by header */
    RANGE_MOST = 2000, /* blocks of one eth_getLogs */
    KEPT_PAGE = 64,    /* kept blocks looked at in one go */
    PARAMS_ROOM = 1024,
    SAID_AGAIN_MS = 30000,
};

struct follower {
    struct follower_config config;
    struct follower_calls calls;
    void *owner;
    struct event *timer; /* owned */
    struct op *op;
    uint64_t fence; /* 0: at rest */

    bool loaded; /* the cursor below is what the database has */
    bool have;   /* something has been applied */
    struct store_cursor cursor;

    struct follower_view view;
    struct store_block head; /* at view.latest, or where this step ends */
    uint64_t from;
    uint64_t to;
    uint64_t range; /* blocks to try at once */
    struct answers_range asked;
    struct store_event *events; /* owned */
    size_t event_count;
    struct store_block *blocks; /* owned; of this step, ascending */
    size_t block_count;
    size_t block_room;
    uint64_t want; /* number of the header being read */
    size_t next_event;

    struct store_block kept[KEPT_PAGE];
    int kept_count;
    int kept_at;

    const char *trouble; /* said last in the log */
    int64_t said;
};

static void look(struct follower *f);
static void find_fork(struct follower *f, uint64_t below);
static void read_next_block(struct follower *f);

enum follower_fork follower_judge(const struct store_block *kept, const struct store_block *now,
                                  uint64_t at, uint64_t head)
{
    if (memcmp(kept->hash, now->hash, sizeof(kept->hash)) != 0) {
        return FOLLOWER_FORK_LOWER;
    }
    /* Nothing that we have above it was contradicted: the nodes haven't come there yet. */
    bool nothing_above = kept->number == at || kept->number >= head;
    return nothing_above ? FOLLOWER_FORK_NONE : FOLLOWER_FORK_HERE;
}

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
static void give_up(struct follower *f, enum log_level level, const char *why)
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
static void not_stored(struct follower *f, int r)
{
    f->loaded = false; /* what happened isn't known: read it again */
    if (r == -EPERM) {
        follower_stop(f);
        f->calls.on_fenced(f->owner);
        return;
    }
    give_up(f, LOG_WARN, "database");
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

static int read_events(const void *arg, const struct node *result, struct buf *out)
{
    size_t count;
    struct store_event *events = calloc(ANSWERS_EVENTS_MAX, sizeof(*events));
    if (!events) {
        return -ENOMEM;
    }
    int r = answers_events(result, arg, events, ANSWERS_EVENTS_MAX, &count);
    if (r == 0) {
        buf_put(out, events, count * sizeof(*events));
    }
    free(events);
    return r;
}

/* Ask for a block by @tag, or by @number if that is NULL. */
static void ask_block(struct follower *f, const char *tag, uint64_t number, quorum_fn done)
{
    char room[PARAMS_ROOM];
    struct buf params = buf_fixed(room, sizeof(room));
    struct json_writer w = json_writer(&params);
    json_array(&w, NULL);
    if (tag) {
        json_z(&w, NULL, tag);
    } else {
        rpc_put_quantity(&w, NULL, number);
    }
    json_bool(&w, NULL, false);
    json_end(&w);
    struct quorum_ask ask = {
        .method = "eth_getBlockByNumber",
        .params = buf_str(&params),
        .read = tag ? read_height : read_block,
        .height = tag != NULL,
    };
    f->op = quorum_call(f->config.rpc, &ask, done, f);
    if (!f->op) {
        give_up(f, LOG_WARN, "memory");
    }
}

/* The block that an answer holds. */
static bool got_block(struct follower *f, const struct quorum_answer *answer,
                      struct store_block *out)
{
    f->op = NULL;
    if (answer->r < 0 || answer->bytes.n != sizeof(*out)) {
        give_up(f, LOG_WARN,
                answer->error == RPC_OK ? "disagree" : rpc_error_text(answer->error));
        return false;
    }
    memcpy(out, answer->bytes.p, sizeof(*out));
    return true;
}

/* ---- storing ---- */

static void on_stored(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct follower *f = arg;
    f->op = NULL;
    if (r < 0) {
        not_stored(f, r);
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
    f->range = f->range * 2 < RANGE_MOST ? f->range * 2 : RANGE_MOST;
    if (f->to < f->view.latest) {
        look(f);
        return;
    }
    metrics_set(METRIC_LEDGER_SEEN_MS, f->cursor.agreed);
    rest(f, f->config.poll_ms);
    f->calls.on_step(f->owner, &f->view);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void store(struct follower *f)
{
    bool all = f->to == f->view.latest;
    struct store_cursor cursor = {
        .chain = f->config.chain,
        .number = f->to,
        .time = f->head.time,
        .safe = least(f->view.safe, f->to),
        .finalized = least(f->view.finalized, f->to),
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
        not_stored(f, -ENOTCONN);
    }
}

/* ---- a step forward ---- */

static void on_head_again(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    struct store_block now;
    if (!got_block(f, answer, &now)) {
        return;
    }
    if (memcmp(now.hash, f->head.hash, sizeof(now.hash)) != 0) {
        give_up(f, LOG_INFO, "moved");
        return;
    }
    store(f);
}

/* The kept part of a header is enough; they come in ascending order. */
static bool keep(struct follower *f, const struct store_block *block)
{
    if (f->block_count == f->block_room) {
        size_t room = f->block_room ? f->block_room * 2 : 2 * (size_t)FEW;
        struct store_block *more = realloc(f->blocks, room * sizeof(*more));
        if (!more) {
            return false;
        }
        f->blocks = more;
        f->block_room = room;
    }
    f->blocks[f->block_count++] = *block;
    return true;
}

/* Does @block stand on what is before it, here or in the database? */
static bool fits(const struct follower *f, const struct store_block *block)
{
    if (f->have && block->number == f->cursor.number) {
        return memcmp(block->hash, f->cursor.hash, sizeof(block->hash)) == 0;
    }
    if (f->have && block->number == f->cursor.number + 1) {
        return memcmp(block->parent, f->cursor.hash, sizeof(block->parent)) == 0;
    }
    const struct store_block *last = f->block_count ? &f->blocks[f->block_count - 1] : NULL;
    return !last || last->number + 1 != block->number ||
           memcmp(block->parent, last->hash, sizeof(block->parent)) == 0;
}

/* Do the events of @block say that they are in it? */
static bool holds_events(struct follower *f, const struct store_block *block)
{
    while (f->next_event < f->event_count &&
           f->events[f->next_event].block_number == block->number) {
        if (memcmp(f->events[f->next_event].block_hash, block->hash, 32) != 0) {
            return false;
        }
        f->next_event++;
    }
    return true;
}

/* Take in the header of f->want. */
static void take(struct follower *f, const struct store_block *block)
{
    bool own = f->have && block->number == f->cursor.number;
    if (!fits(f, block)) {
        find_fork(f, f->cursor.number);
        return;
    }
    if (!own && (!holds_events(f, block) || !keep(f, block))) {
        give_up(f, LOG_WARN, "events of another block");
        return;
    }
    if (block->number == f->to && f->next_event != f->event_count) {
        give_up(f, LOG_WARN, "events of another block");
        return;
    }
    if (block->number == f->to) {
        ask_block(f, NULL, f->to, on_head_again);
        return;
    }
    f->want = block->number + 1;
    read_next_block(f);
}

static void on_block(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    struct store_block block;
    if (!got_block(f, answer, &block)) {
        return;
    }
    if (block.number != f->want) {
        give_up(f, LOG_WARN, "wrong block");
        return;
    }
    take(f, &block);
}

/* The next header that is needed, from f->want on. */
static void read_next_block(struct follower *f)
{
    bool each = f->to - f->from < FEW;
    bool own = f->have && f->want == f->cursor.number;
    if (!each && !own) {
        bool more = f->next_event < f->event_count;
        f->want = more ? f->events[f->next_event].block_number : f->to;
    }
    if (f->want >= f->to) {
        f->want = f->to;
        take(f, &f->head);
        return;
    }
    ask_block(f, NULL, f->want, on_block);
}

static void on_events(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    if (answer->r < 0) {
        f->range = f->range > 1 ? f->range / 2 : 1;
        give_up(f, LOG_WARN,
                answer->error == RPC_OK ? "disagree" : rpc_error_text(answer->error));
        return;
    }
    free(f->events);
    f->events = malloc(answer->bytes.n + 1);
    if (!f->events) {
        give_up(f, LOG_WARN, "memory");
        return;
    }
    if (answer->bytes.n) {
        memcpy(f->events, answer->bytes.p, answer->bytes.n);
    }
    f->event_count = answer->bytes.n / sizeof(f->events[0]);
    f->next_event = 0;
    f->block_count = 0;
    /* Over a gap, our own last block is looked at first. */
    f->want = f->have && f->to - f->from >= FEW ? f->cursor.number : f->from;
    read_next_block(f);
}

static void put_topics(struct json_writer *w)
{
    json_array(w, "topics");
    json_array(w, NULL);
    rpc_put_data(w, NULL, str_of(contracts_registry_topic_consent_granted, 32));
    rpc_put_data(w, NULL, str_of(contracts_registry_topic_consent_revoked, 32));
    rpc_put_data(w, NULL, str_of(contracts_registry_topic_controller_rotated, 32));
    json_end(w);
    json_end(w);
}

static void ask_events(struct follower *f)
{
    char room[PARAMS_ROOM];
    struct buf params = buf_fixed(room, sizeof(room));
    struct json_writer w = json_writer(&params);
    memcpy(f->asked.registry, f->config.registry, sizeof(f->asked.registry));
    f->asked.from = f->from;
    f->asked.to = f->to;
    json_array(&w, NULL);
    json_object(&w, NULL);
    rpc_put_data(&w, "address", str_of(f->config.registry, sizeof(f->config.registry)));
    rpc_put_quantity(&w, "fromBlock", f->from);
    rpc_put_quantity(&w, "toBlock", f->to);
    put_topics(&w);
    json_end(&w);
    json_end(&w);
    struct quorum_ask ask = {
        .method = "eth_getLogs",
        .params = buf_str(&params),
        .read = read_events,
        .arg = &f->asked,
    };
    f->op = quorum_call(f->config.rpc, &ask, on_events, f);
    if (!f->op) {
        give_up(f, LOG_WARN, "memory");
    }
}

/* ---- what the nodes say of the head ---- */

static void on_head(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    if (!got_block(f, answer, &f->head)) {
        return;
    }
    if (f->head.number != f->to) {
        give_up(f, LOG_WARN, "wrong block");
        return;
    }
    if (f->have && f->to == f->cursor.number &&
        memcmp(f->head.hash, f->cursor.hash, sizeof(f->head.hash)) == 0) {
        f->event_count = 0;
        f->block_count = 0;
        store(f);
    } else if (f->have && f->to <= f->cursor.number) {
        find_fork(f, f->to);
    } else {
        ask_events(f);
    }
}

/* Heights are known: how far to go in this step. */
static void step(struct follower *f)
{
    uint64_t last = f->view.latest;
    f->from = f->have ? f->cursor.number + 1 : f->config.deployed;
    if (!f->have && f->from > last) {
        give_up(f, LOG_WARN, "nothing deployed yet");
        return;
    }
    f->to = last;
    if (f->to >= f->from && f->to - f->from >= f->range) {
        f->to = f->from + f->range - 1;
    }
    ask_block(f, NULL, f->to, on_head);
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
    f->view.finalized = least(none ? f->view.safe : finalized, f->view.safe);
    step(f);
}

static void on_safe(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    if (answer->r < 0) {
        give_up(f, LOG_WARN, "no safe block");
        return;
    }
    f->view.safe = least(height_of(answer), f->view.latest);
    ask_block(f, "finalized", 0, on_finalized);
}

static void on_latest(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    f->op = NULL;
    if (answer->r < 0) {
        give_up(f, LOG_WARN,
                answer->error == RPC_OK ? "disagree" : rpc_error_text(answer->error));
        return;
    }
    f->view.latest = height_of(answer);
    if (f->config.confirmations == 0) {
        ask_block(f, "safe", 0, on_safe);
        return;
    }
    f->view.safe = follower_confirmed(f->view.latest, f->config.confirmations);
    ask_block(f, "finalized", 0, on_finalized);
}

/* ---- blocks that are gone ---- */

static void on_rolled_back(void *arg, int r, const struct db_rows *rows)
{
    (void)rows;
    struct follower *f = arg;
    f->op = NULL;
    if (r < 0) {
        not_stored(f, r);
        return;
    }
    const struct store_block *to = &f->kept[f->kept_at];
    log_line(to->number < f->cursor.finalized ? LOG_ERROR : LOG_WARN, "chain reorganised",
             LOG_I("from", f->cursor.number), LOG_I("to", to->number),
             LOG_I("finalized", f->cursor.finalized));
    metrics_add(METRIC_LEDGER_REORGS, 1);
    f->cursor.number = to->number;
    memcpy(f->cursor.hash, to->hash, sizeof(f->cursor.hash));
    f->calls.on_reorg(f->owner);
    look(f);
}

static void compare_kept(struct follower *f);

static void on_kept_now(void *owner, const struct quorum_answer *answer)
{
    struct follower *f = owner;
    struct store_block now;
    if (!got_block(f, answer, &now)) {
        return;
    }
    const struct store_block *kept = &f->kept[f->kept_at];
    if (now.number != kept->number) {
        give_up(f, LOG_WARN, "wrong block");
        return;
    }
    switch (follower_judge(kept, &now, f->cursor.number, f->view.latest)) {
    case FOLLOWER_FORK_NONE: give_up(f, LOG_INFO, "nodes are behind"); return;
    case FOLLOWER_FORK_LOWER:
        f->kept_at++;
        compare_kept(f);
        return;
    case FOLLOWER_FORK_HERE: break;
    }
    f->op = store_chain_rollback(f->config.db, f->fence, f->config.chain, kept->number,
                                 on_rolled_back, f);
    if (!f->op) {
        not_stored(f, -ENOTCONN);
    }
}

static void compare_kept(struct follower *f)
{
    if (f->kept_at < f->kept_count) {
        ask_block(f, NULL, f->kept[f->kept_at].number, on_kept_now);
    } else if (f->kept_count && f->kept[f->kept_count - 1].number > 0) {
        find_fork(f, f->kept[f->kept_count - 1].number - 1);
    } else {
        give_up(f, LOG_ERROR, "no kept block is on this chain");
    }
}

static void on_kept(void *arg, int r, const struct db_rows *rows)
{
    struct follower *f = arg;
    f->op = NULL;
    f->kept_count = 0;
    f->kept_at = 0;
    for (int i = 0; r == 0 && i < db_count(rows) && i < KEPT_PAGE; i++) {
        r = store_block_row(rows, i, &f->kept[f->kept_count++]);
    }
    if (r < 0) {
        not_stored(f, r);
        return;
    }
    compare_kept(f);
}

/* The highest kept block of at most @below that the chain still has. */
static void find_fork(struct follower *f, uint64_t below)
{
    f->op = store_blocks(f->config.db, f->config.chain, least(below, f->view.latest), KEPT_PAGE,
                         on_kept, f);
    if (!f->op) {
        not_stored(f, -ENOTCONN);
    }
}

/* ---- beginning ---- */

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
        not_stored(f, r);
        return;
    }
    f->loaded = true;
    look(f);
}

static void look(struct follower *f)
{
    if (f->loaded) {
        ask_block(f, "latest", 0, on_latest);
        return;
    }
    f->op = store_cursor(f->config.db, f->config.chain, on_cursor, f);
    if (!f->op) {
        not_stored(f, -ENOTCONN);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    look(arg);
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
