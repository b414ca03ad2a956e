/*
 * The runner.
 *
 *   open --STEP_NEXT--> next stage … --no stage left--> ended
 *     |--STEP_WAIT--> waiting --completion--> open
 *     |                  |--time-out, abort--> stopped
 *     +--STEP_STOP--> stopped: only stages marked ALWAYS --> ended
 *
 * An exchange waits for one operation at a time, bounded by its stage's time. When that passes,
 * the operation is cancelled, so its completion can't come later.
 */
#include "gateway/exchange.h"

#include "gateway/clock.h"
#include "gateway/id.h"
#include "gateway/log.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ARENA_FIRST = 8 << 10,
};

static size_t running;

size_t exchange_count(void)
{
    return running;
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {
        [OUTCOME_OPEN] = "open",
        [OUTCOME_PERMIT] = "permit",
        [OUTCOME_DENY] = "deny",
        [OUTCOME_WITHHELD] = "withheld",
        [OUTCOME_HELD] = "held",
        [OUTCOME_DONE] = "done",
        [OUTCOME_DELIVERED] = "delivered",
        [OUTCOME_RETRY] = "retry",
        [OUTCOME_PARKED] = "parked",
        [OUTCOME_BAD_REQUEST] = "bad-request",
        [OUTCOME_UNAUTHENTICATED] = "unauthenticated",
        [OUTCOME_FORBIDDEN] = "forbidden",
        [OUTCOME_UNSUPPORTED] = "unsupported",
        [OUTCOME_UNAVAILABLE] = "unavailable",
        [OUTCOME_UPSTREAM] = "upstream",
        [OUTCOME_TIMEOUT] = "timeout",
        [OUTCOME_UNKNOWN] = "unknown",
        [OUTCOME_FAILED] = "failed",
    };
    return names[outcome];
}

static bool stopped(const struct exchange *ex)
{
    return ex->outcome != OUTCOME_OPEN && ex->outcome != OUTCOME_PERMIT;
}

static void end(struct exchange *ex)
{
    event_free(ex->timer);
    running--;
    ex->ended(ex);
    arena_free(ex->arena);
    free(ex);
}

enum step exchange_again(struct exchange *ex, const char *name)
{
    const struct stage *stage = ex->pipeline;
    while (strcmp(stage->name, name) != 0) {
        stage++;
        assert(stage->name);
    }
    ex->stage = stage;
    ex->outcome = OUTCOME_OPEN;
    ex->basis = NULL;
    return STEP_AGAIN;
}

/* Run stages until one waits or none is left. */
static void run(struct exchange *ex, enum step step)
{
    ex->moving = true;
    while (step != STEP_WAIT) {
        if (step == STEP_AGAIN) {
            step = ex->stage->enter(ex);
            continue;
        }
        if (step == STEP_NEXT || ex->stage->runs == ALWAYS) {
            ex->stage++;
        }
        while (ex->stage->name && stopped(ex) && ex->stage->runs == WHILE_OPEN) {
            ex->stage++;
        }
        if (!ex->stage->name) {
            end(ex);
            return;
        }
        step = ex->stage->enter(ex);
    }
    ex->moving = false;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct exchange *ex = arg;
    log_line(LOG_WARN, "stage timed out", LOG_Z("stage", ex->stage->name));
    op_cancel(ex->op);
    ex->op = NULL;
    run(ex, exchange_stop(ex, OUTCOME_TIMEOUT, ex->stage->name));
}

struct exchange *exchange_new(struct event_base *loop, const struct stage *pipeline,
                              size_t size, void (*ended)(struct exchange *ex))
{
    struct exchange *ex = calloc(1, sizeof(*ex));
    struct arena *arena = arena_new(ARENA_FIRST);
    void *data = arena ? arena_calloc(arena, 1, size) : NULL;
    struct event *timer = ex ? event_new(loop, -1, 0, on_timeout, ex) : NULL;
    if (!data || !timer) {
        if (timer) {
            event_free(timer);
        }
        arena_free(arena);
        free(ex);
        return NULL;
    }
    *ex = (struct exchange){
        .loop = loop,
        .arena = arena,
        .pipeline = pipeline,
        .stage = pipeline,
        .timer = timer,
        .started = clock_mono_us(),
        .time = clock_utc_ms(),
        .data = data,
        .ended = ended,
    };
    id_new(ex->time, ex->id);
    running++;
    return ex;
}

void exchange_start(struct exchange *ex)
{
    ex->moving = true;
    run(ex, ex->stage->enter(ex));
}

enum step exchange_wait(struct exchange *ex, struct op *op)
{
    assert(!ex->op);
    if (!op) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, ex->stage->name);
    }
    assert(ex->stage->wait > 0);
    struct timeval most = { .tv_sec = ex->stage->wait };
    (void)event_add(ex->timer, &most);
    ex->op = op;
    return STEP_WAIT;
}

enum step exchange_stop(struct exchange *ex, enum outcome outcome, const char *basis)
{
    /* A permit that can't be carried out is none; any other outcome is the first cause. */
    if (!stopped(ex)) {
        ex->outcome = outcome;
        ex->basis = basis;
    }
    return STEP_STOP;
}

struct exchange *exchange_woken(void *arg)
{
    struct exchange *ex = arg;
    assert(ex->op && !ex->moving);
    ex->op = NULL;
    (void)event_del(ex->timer);
    return ex;
}

void exchange_move(struct exchange *ex, enum step step)
{
    assert(!ex->moving);
    if (step != STEP_WAIT) {
        run(ex, step);
    }
}

void exchange_abort(struct exchange *ex, enum outcome outcome, const char *basis)
{
    assert(!ex->moving);
    if (ex->stage->runs == ALWAYS) {
        return; /* the books are being closed already; that isn't cut short */
    }
    op_cancel(ex->op);
    ex->op = NULL;
    (void)event_del(ex->timer);
    run(ex, exchange_stop(ex, outcome, basis));
}
