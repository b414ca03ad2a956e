/*
 * One query at a time.
 *
 *   waiting --those there at the end of the loop's turn--> asked --rows--> ready --> ended
 *      ^                                                     |               ^
 *      +------------- too large for many at once ------------+   in memory --+
 */
#include "gateway/payloads.h"

#include "gateway/net/timer.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/*
 * @op:    first, so that an op is its wish
 * @list:  the one it is in
 * @done:  NULL: cancelled while it is asked for
 * @large: it is asked for alone
 * @r, @row, @bytes: what is handed out; the spans of @row are in @bytes, owned
 */
struct wish {
    struct op op;
    struct wish *next;
    struct payloads *in;
    struct wishes *list;
    payloads_done_fn done;
    void *arg;
    uint8_t id[16];
    bool large;
    int r;
    struct store_sealed row;
    char *bytes;
};

struct wishes {
    struct wish *first;
    struct wish **last;
};

struct payloads {
    struct db *db; /* borrowed */
    struct payload_cache *cache;
    struct event *ask;     /* owned; after this turn of the loop */
    struct event *quiet;   /* owned; in a turn with nothing else to do */
    struct event *overdue; /* owned; or then */
    struct wishes waiting;
    struct wishes asked;
    struct wishes ready;
    struct op *query;
};

/* --- lists --------------------------------------------------------------------------------
 */

static void clear(struct wishes *list)
{
    *list = (struct wishes){ .last = &list->first };
}

static void append(struct wishes *list, struct wish *wish)
{
    wish->next = NULL;
    wish->list = list;
    *list->last = wish;
    list->last = &wish->next;
}

static void take_out(struct wish *wish)
{
    struct wishes *list = wish->list;
    struct wish **link = &list->first;
    while (*link != wish) {
        link = &(*link)->next;
    }
    *link = wish->next;
    list->last = wish->next ? list->last : link;
}

static void wish_free(struct wish *wish)
{
    free(wish->bytes);
    free(wish);
}

static void drop_all(struct wishes *list)
{
    struct wish *wish = list->first;
    clear(list);
    while (wish) {
        struct wish *next = wish->next;
        wish_free(wish);
        wish = next;
    }
}

/* --- handing out ----------------------------------------------------------------------------
 */

/* A time-out of 0 comes after the events of the sockets have been looked at. */
static void hand_out_soon(struct payloads *all)
{
    (void)timer_once(all->quiet, 0);
    (void)timer_once(all->overdue, PAYLOADS_PAUSE_MS);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct payloads *all = arg;
    struct wish *wish = all->ready.first;
    (void)event_del(all->quiet);
    (void)event_del(all->overdue);
    if (!wish) {
        return;
    }
    take_out(wish);
    if (all->ready.first) {
        hand_out_soon(all);
    }
    wish->done(wish->arg, wish->r, wish->r == 0 ? &wish->row : NULL);
    wish_free(wish);
}

static void make_ready(struct payloads *all, struct wish *wish, int r)
{
    wish->r = r;
    append(&all->ready, wish);
    hand_out_soon(all);
}

/* A copy of what @span names, at @to; returns where it ends. */
static char *copy(char *to, struct str *span)
{
    if (span->p && span->n) {
        memcpy(to, span->p, span->n);
    }
    span->p = to;
    return to + span->n;
}

/* Ready with @row, which lives as long as the caller. */
static void fulfil(struct payloads *all, struct wish *wish, const struct store_sealed *row)
{
    wish->row = *row;
    wish->bytes = malloc(row->nonce.n + row->outer.n + row->ciphertext.n + 1);
    if (wish->bytes) {
        char *end = copy(wish->bytes, &wish->row.nonce);
        end = copy(end, &wish->row.outer);
        (void)copy(end, &wish->row.ciphertext);
    }
    make_ready(all, wish, wish->bytes ? 0 : -ENOMEM);
}

/* --- asking ---------------------------------------------------------------------------------
 */

static void ask_soon(struct payloads *all)
{
    event_active(all->ask, EV_TIMEOUT, 0);
}

static struct wish *asked_for(const struct payloads *all, const uint8_t id[16])
{
    struct wish *wish = all->asked.first;
    while (wish && memcmp(wish->id, id, sizeof(wish->id)) != 0) {
        wish = wish->next;
    }
    return wish;
}

/* Each row is for all who asked for it. */
static void take_row(struct payloads *all, const struct db_rows *rows, int i)
{
    struct store_sealed row;
    store_sealed_row(rows, i, &row);
    for (struct wish *wish; (wish = asked_for(all, row.id)) != NULL;) {
        take_out(wish);
        if (!wish->done) {
            wish_free(wish);
        } else if (!row.ciphertext.p && !wish->large) {
            wish->large = true;
            append(&all->waiting, wish);
        } else {
            fulfil(all, wish, &row);
        }
    }
}

/* Those still asked for have ended with @r. */
static void give_up(struct payloads *all, int r)
{
    struct wish *wish = all->asked.first;
    clear(&all->asked);
    while (wish) {
        struct wish *next = wish->next;
        if (wish->done) {
            make_ready(all, wish, r);
        } else {
            wish_free(wish);
        }
        wish = next;
    }
}

static void on_rows(void *arg, int r, const struct db_rows *rows)
{
    struct payloads *all = arg;
    all->query = NULL;
    for (int i = 0; r == 0 && i < db_count(rows); i++) {
        take_row(all, rows, i);
    }
    give_up(all, r < 0 ? r : -ENOENT);
    ask_soon(all);
}

/* Move those that go into one query; their ids. */
static size_t board(struct payloads *all, uint8_t ids[PAYLOADS_TOGETHER_MAX][16])
{
    size_t n = 0;
    struct wish *wish = all->waiting.first;
    bool alone = wish && wish->large;
    for (struct wish *next; wish && n < PAYLOADS_TOGETHER_MAX && (n == 0 || !alone);
         wish = next) {
        next = wish->next;
        if (wish->large == alone) {
            take_out(wish);
            append(&all->asked, wish);
            memcpy(ids[n++], wish->id, sizeof(wish->id));
        }
    }
    return n;
}

static void on_ask(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct payloads *all = arg;
    uint8_t ids[PAYLOADS_TOGETHER_MAX][16];
    size_t n = all->query ? 0 : board(all, ids);
    if (n == 0) {
        return;
    }
    all->query =
        all->asked.first->large
            ? store_payload(all->db, ids[0], on_rows, all)
            : store_payloads(all->db, ids[0], n, PAYLOADS_TOGETHER_BYTES, on_rows, all);
    if (!all->query) {
        give_up(all, -ENOTCONN);
        ask_soon(all);
    }
}

/* --- what is public -------------------------------------------------------------------------
 */

struct payloads *payloads_new(struct event_base *base, struct db *db)
{
    struct payloads *all = calloc(1, sizeof(*all));
    if (!all) {
        return NULL;
    }
    all->db = db;
    clear(&all->waiting);
    clear(&all->asked);
    clear(&all->ready);
    all->cache = payload_cache_new();
    all->ask = event_new(base, -1, 0, on_ask, all);
    all->quiet = event_new(base, -1, 0, on_turn, all);
    all->overdue = event_new(base, -1, 0, on_turn, all);
    int least = event_base_get_npriorities(base) - 1;
    if (!all->cache || !all->ask || !all->overdue || !all->quiet ||
        event_priority_set(all->quiet, least) < 0) {
        payloads_free(all);
        return NULL;
    }
    return all;
}

static void on_cancel(struct op *op)
{
    struct wish *wish = (struct wish *)(void *)op;
    if (wish->list == &wish->in->asked) {
        wish->done = NULL;
        return;
    }
    take_out(wish);
    wish_free(wish);
}

static void event_end(struct event *event)
{
    if (event) {
        event_free(event);
    }
}

void payloads_free(struct payloads *payloads)
{
    if (payloads) {
        op_cancel(payloads->query);
        drop_all(&payloads->asked);
        drop_all(&payloads->waiting);
        drop_all(&payloads->ready);
        event_end(payloads->ask);
        event_end(payloads->quiet);
        event_end(payloads->overdue);
        payload_cache_free(payloads->cache);
        free(payloads);
    }
}

void payloads_keep(struct payloads *payloads, const struct batch_payload *payload)
{
    payload_cache_keep(payloads->cache, payload);
}

struct op *payloads_fetch(struct payloads *payloads, const uint8_t id[16],
                          payloads_done_fn done, void *arg)
{
    struct wish *wish = calloc(1, sizeof(*wish));
    if (!wish) {
        return NULL;
    }
    wish->op.cancel = on_cancel;
    wish->in = payloads;
    wish->done = done;
    wish->arg = arg;
    memcpy(wish->id, id, sizeof(wish->id));
    struct store_sealed row;
    if (payload_cache_find(payloads->cache, id, &row)) {
        fulfil(payloads, wish, &row);
    } else {
        append(&payloads->waiting, wish);
        ask_soon(payloads);
    }
    return &wish->op;
}
