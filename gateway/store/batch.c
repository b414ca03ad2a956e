/*
 * One transaction at a time, and what becomes of its members.
 *
 *   AWAY --connected--> JOINING --instance is ours--> IDLE <--> COMMITTING --taken before--+
 *    ^                     |                            ^                                  |
 *    +------- lost --------+---- (from any) ----        +--------- LOOKING <---------------+
 *
 * Senders that wait for their answer come back shortly after a transaction has landed. Whoever
 * departs with the first of them makes the others wait for a whole transaction more, so that
 * each holds half of what it could. So after one has landed the next waits until about as many
 * are there as lately, but for no longer than a part of what the last one took. Entries that
 * can wait start none: a lone message finds no transaction under way but that of its like.
 *
 * Each transaction bumps its number in the instance's row, under the generation that joining
 * got. Joining again raises the generation, which waits for a transaction still under way and
 * makes one not yet begun fail. So what joining reads is the truth about the last commit.
 */
#include "gateway/store/batch_impl.h"

#include "gateway/clock.h"
#include "gateway/log.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRY_AGAIN_US = 50000,  /* after one that met a lock or a full server */
    GATHER_STEP_US = 1000, /* timers of the loop are no finer */
};

static const struct db_statement join = {
    "batch_join",
    "SELECT generation, batch, seq FROM instance_connect($1::uuid)",
};

static void on_cancel(struct op *op)
{
    struct batch_member *m = (struct batch_member *)op;
    if (m->list == &m->batch->flying) {
        m->done = NULL;
        m->entry = NULL;
    } else {
        batch_drop(m);
    }
}

/* Putting a transaction together. */

static void kick(struct batch *batch)
{
    event_active(batch->kick, EV_TIMEOUT, 0);
}

/* Take from those waiting what goes into one transaction. */
static void board(struct batch *batch)
{
    size_t n = 0;
    size_t bytes = 0;
    uint64_t lot = batch->waiting.first->lot;
    struct batch_member *m = batch->waiting.first;
    while (m && m->lot == lot && n < BATCH_MEMBERS_MAX &&
           (n == 0 || bytes + m->bytes <= BATCH_BYTES_MAX)) {
        struct batch_member *next = m->next;
        batch_list_remove(m);
        batch_list_append(&batch->flying, m);
        n++;
        bytes += m->bytes;
        m = next;
    }
    struct batch_member *again = batch_list_repeated(&batch->flying);
    if (again) {
        batch_return_from(batch, again);
    }
}

/* Make the rows; a member whose record can't be made ends here and uses no number. */
static void load(struct batch *batch)
{
    batch_rows_clear(batch->rows);
    batch->flying_records = 0;
    batch->flying_epoch = BATCH_EPOCH_ANY;
    struct batch_member *m = batch->flying.first;
    while (m) {
        struct batch_member *next = m->next;
        struct batch_place place = {
            .instance = batch->instance,
            .seq = (uint64_t)(batch->seq + batch->flying_records + 1),
        };
        int r = m->entry ? batch_rows_add(batch->rows, m->entry, &place) : -ECANCELED;
        if (r < 0) {
            batch_finish(m, r);
        } else {
            m->result = (struct batch_result){ .first_seq = place.seq };
            batch->flying_records += (int64_t)m->entry->records;
            batch->flying_epoch =
                m->entry->epoch < batch->flying_epoch ? m->entry->epoch : batch->flying_epoch;
        }
        m = next;
    }
}

static void on_committed(void *arg, int r, const struct db_rows *rows);

/* Whether to wait a little: for those whose answers have just left, or for one in a hurry. */
static bool gathers(struct batch *batch)
{
    const struct batch_list *waiting = &batch->waiting;
    const struct batch_member *first = waiting->first;
    int64_t now = clock_mono_us();
    int64_t until =
        waiting->urgent ? batch->gather : first->since + BATCH_WAIT_MS * INT64_C(1000);
    bool whole = waiting->urgent && waiting->urgent * 4 >= batch->expected * 3;
    if (whole || first->lot || now >= until) {
        return false;
    }
    int64_t us = waiting->urgent ? GATHER_STEP_US : until - now;
    struct timeval wait = { .tv_usec = us };
    (void)event_add(batch->kick, &wait);
    return true;
}

static void depart(struct batch *batch)
{
    while (batch->state == BATCH_IDLE && batch->waiting.first && !gathers(batch)) {
        board(batch);
        load(batch);
        if (!batch->flying.first) {
            continue; /* none of them could be made */
        }
        struct batch_head head = {
            .instance = batch->instance,
            .generation = batch->generation,
            .number = ++batch->number,
            .seq = batch->seq,
            .count = batch->flying_records,
            .epoch = (int64_t)batch->flying_epoch,
        };
        batch->state = BATCH_COMMITTING;
        batch->departed = clock_mono_us();
        batch->under_way = batch_rows_send(batch->rows, batch->db, &head, on_committed, batch);
        if (!batch->under_way) { /* in doubt: joining again tells */
            db_drop(batch->db);
        }
    }
}

/* What becomes of the members. */

static void idle(struct batch *batch)
{
    batch->state = BATCH_IDLE;
    kick(batch);
}

/* Somebody else's lock, or a full server: in a while, but not for ever. */
static void try_again(struct batch *batch, int r)
{
    batch_hold(batch, r);
    struct timeval wait = { .tv_usec = TRY_AGAIN_US };
    batch->state = BATCH_IDLE;
    (void)event_add(batch->kick, &wait);
}

static void on_looked_up(void *arg, int r, const struct db_rows *rows)
{
    struct batch *batch = arg;
    batch->under_way = NULL;
    if (r == -ECONNRESET) {
        return; /* joining again tells */
    }
    if (r < 0) {
        try_again(batch, r);
        return;
    }
    batch_sort_out(batch, rows);
    idle(batch);
}

static void look_up(struct batch *batch)
{
    batch->state = BATCH_LOOKING;
    batch->under_way = batch_rows_look_up(batch->rows, batch->db, on_looked_up, batch);
    if (!batch->under_way) {
        db_drop(batch->db);
    }
}

static void on_committed(void *arg, int r, const struct db_rows *rows)
{
    struct batch *batch = arg;
    batch->under_way = NULL;
    switch (r) {
    case 0: batch_landed(batch, batch_rows_controls(batch->rows) ? &rows[1] : NULL); break;
    case -ECONNRESET: return; /* in doubt: joining again tells */
    case -EALREADY: look_up(batch); return;
    case -EOWNERDEAD: db_drop(batch->db); return;
    case -ESTALE: batch_outdated(batch); break;
    case -EAGAIN:
    case -ETIMEDOUT: try_again(batch, r); return;
    default: batch_split(batch, r); break;
    }
    idle(batch);
}

/* The connection. */

static void on_joined(void *arg, int r, const struct db_rows *rows)
{
    struct batch *batch = arg;
    batch->under_way = NULL;
    if (r < 0) {
        if (r != -ECONNRESET) {
            db_drop(batch->db);
        }
        return;
    }
    batch->generation = db_i64(rows, 0, 0);
    int64_t number = db_i64(rows, 0, 1);
    int64_t seq = db_i64(rows, 0, 2);
    if (batch->flying.first && number == batch->number) {
        batch_landed(batch, NULL);
    } else {
        batch_return_from(batch, batch->flying.first);
    }
    if (seq != batch->seq) {
        /* Committed records are gone or were never ours: a database restored from the past. */
        log_line(LOG_ERROR, "records of this instance don't match the database",
                 LOG_I("expected", batch->seq), LOG_I("found", seq));
        abort();
    }
    (void)event_del(batch->timer);
    batch->refusing = false;
    idle(batch);
}

static void on_state(void *arg, bool up)
{
    struct batch *batch = arg;
    if (!up) {
        batch->state = BATCH_AWAY;
        batch->under_way = NULL;
        struct timeval wait = { .tv_sec = BATCH_DOWN_MAX_S };
        (void)event_add(batch->timer, &wait);
        return;
    }
    struct db_params params = { 0 };
    db_put_uuid(&params, batch->instance);
    batch->state = BATCH_JOINING;
    batch->under_way = db_query(batch->db, &join, &params, on_joined, batch);
    if (!batch->under_way) {
        db_drop(batch->db);
    }
}

static void on_kick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    depart(arg);
}

/* Away too long: refuse what waits, so that it is refused upstream. What is in doubt stays. */
static void on_away(evutil_socket_t fd, short what, void *arg)
{
    struct batch *batch = arg;
    (void)fd;
    (void)what;
    batch->refusing = true;
    for (size_t n = batch->waiting.count; n && batch->waiting.first; n--) {
        batch_finish(batch->waiting.first, -ECONNRESET);
    }
}

/* What is public. */

struct batch *batch_new(struct event_base *base, const char *url, const char *name,
                        const uint8_t instance[16])
{
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch) {
        return NULL;
    }
    batch->base = base;
    memcpy(batch->instance, instance, sizeof(batch->instance));
    batch->rows = batch_rows_new();
    batch->kick = evtimer_new(base, on_kick, batch);
    batch->timer = evtimer_new(base, on_away, batch);
    struct db_options options = { .url = url, .name = name, .state = on_state, .arg = batch };
    batch->db = batch->rows && batch->kick && batch->timer ? db_new(base, &options) : NULL;
    if (!batch->db) {
        int r = errno;
        batch_free(batch);
        errno = r;
        return NULL;
    }
    on_state(batch, false);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch) {
        return;
    }
    db_free(batch->db);
    while (batch->waiting.first) {
        batch_drop(batch->waiting.first);
    }
    while (batch->flying.first) {
        batch_drop(batch->flying.first);
    }
    if (batch->kick) {
        event_free(batch->kick);
    }
    if (batch->timer) {
        event_free(batch->timer);
    }
    batch_rows_free(batch->rows);
    free(batch);
}

bool batch_up(const struct batch *batch)
{
    return batch->state >= BATCH_IDLE;
}

size_t batch_entries(const struct batch *batch)
{
    return batch->waiting.count + batch->flying.count;
}

size_t batch_bytes(const struct batch *batch)
{
    return batch->bytes;
}

struct op *batch_submit(struct batch *batch, const struct batch_entry *entry,
                        batch_done_fn done, void *arg)
{
    assert(done);
    size_t bytes = batch_entry_bytes(entry);
    if (batch_entries(batch) >= BATCH_QUEUE_ENTRIES_MAX ||
        batch->bytes + bytes > BATCH_QUEUE_BYTES_MAX) {
        errno = EAGAIN;
        return NULL;
    }
    if (batch->refusing) {
        errno = ENOTCONN;
        return NULL;
    }
    struct batch_member *m = calloc(1, sizeof(*m));
    if (!m) {
        errno = ENOMEM;
        return NULL;
    }
    *m = (struct batch_member){
        .op = { .cancel = on_cancel },
        .batch = batch,
        .entry = entry,
        .done = done,
        .arg = arg,
        .bytes = bytes,
        .can_wait = entry->can_wait,
        .since = clock_mono_us(),
    };
    batch_list_append(&batch->waiting, m);
    batch->bytes += bytes;
    if (batch->state == BATCH_IDLE) {
        kick(batch);
    }
    return &m->op;
}
