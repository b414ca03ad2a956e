/*
 * One exchange on its way through a table of stages.
 *
 * An exchange is one FHIR request, one HL7 v2 message received, or one delivery from the
 * outbox. Its pipeline is a table; the runner in exchange.c is the only place that moves it on.
 *
 * A stage's enter function starts its work and says how that went: STEP_NEXT when done,
 * exchange_wait() when an operation is under way, exchange_stop() when the exchange is refused.
 * A completion begins with exchange_woken() and ends with exchange_move(). Stages marked
 * ALWAYS run for stopped exchanges too: what was refused is sealed, recorded and answered
 * like anything else.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/base/arena.h"
#include "gateway/op.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum step {
    STEP_NEXT,
    STEP_WAIT,
    STEP_STOP,  /* on to the closing stages */
    STEP_AGAIN, /* from exchange_again() only */
};

/* How an exchange ended; the names are those of the record. */
enum outcome {
    OUTCOME_OPEN, /* not decided yet; never recorded */
    OUTCOME_PERMIT,
    OUTCOME_DENY,
    OUTCOME_WITHHELD, /* v2: stored, not delivered, for lack of a permit */
    OUTCOME_HELD,     /* v2: stored, to be decided later */
    OUTCOME_DONE,     /* an event that decides nothing */
    OUTCOME_DELIVERED,
    OUTCOME_RETRY,       /* delivery: tried, will be tried again */
    OUTCOME_PARKED,      /* delivery: for a person to see */
    OUTCOME_BAD_REQUEST, /* cannot be understood */
    OUTCOME_UNAUTHENTICATED,
    OUTCOME_FORBIDDEN, /* by role or scope */
    OUTCOME_UNSUPPORTED,
    OUTCOME_UNAVAILABLE, /* something needed is down */
    OUTCOME_UPSTREAM,    /* the destination failed or answered nonsense */
    OUTCOME_TIMEOUT,
    OUTCOME_UNKNOWN, /* a change was sent, its answer is not known */
    OUTCOME_FAILED,  /* a defect of ours */
};

struct exchange;

enum runs {
    WHILE_OPEN,
    ALWAYS,
};

/* @wait: seconds an operation of the stage may take; 0: it may not wait */
struct stage {
    const char *name;
    enum step (*enter)(struct exchange *ex);
    int wait;
    enum runs runs;
};

/*
 * @data:  what the kind of exchange adds; in the arena
 * @basis: why it ended so, a static word such as "no-consent" or "ledger-stale"
 * @ended: called last, when no stage is left; frees whatever the arena doesn't hold
 */
struct exchange {
    struct event_base *loop; /* borrowed */
    struct arena *arena;     /* owned */
    const struct stage *pipeline;
    const struct stage *stage; /* where it is */
    struct op *op;             /* the operation under way; at most one */
    struct event *timer;       /* owned; bounds the stage's wait */
    enum outcome outcome;
    const char *basis;
    bool moving;     /* the runner is on the stack */
    uint8_t id[16];  /* UUIDv7 */
    int64_t started; /* clock_mono_us() */
    int64_t time;    /* clock_utc_ms() */
    void *data;
    void (*ended)(struct exchange *ex);
};

/**
 * exchange_new() - begin an exchange
 * @loop:     event loop of this worker
 * @pipeline: its stages, ended by one without name
 * @size:     bytes of ->data, cleared
 * @ended:    see struct exchange
 *
 * Return: the exchange, to be started with exchange_start(); NULL if there is no memory
 */
MUST_USE struct exchange *exchange_new(struct event_base *loop, const struct stage *pipeline,
                                       size_t size, void (*ended)(struct exchange *ex));

/* Enter the first stage. The exchange may have ended when this returns. */
void exchange_start(struct exchange *ex);

/* In a stage: wait for @op; without one, stop as unavailable. */
enum step exchange_wait(struct exchange *ex, struct op *op);

/* In a stage: end the exchange so. The first outcome stands, but for closing failures. */
enum step exchange_stop(struct exchange *ex, enum outcome outcome, const char *basis);

/* In a completion: go back to the stage called @name and run from there again. */
enum step exchange_again(struct exchange *ex, const char *name);

/* First line of every completion: the operation is over. */
struct exchange *exchange_woken(void *arg);

/* Last line of every completion: go on from the stage that waited. */
void exchange_move(struct exchange *ex, enum step step);

/* The other side is gone: cancel what is under way, close the books, answer nobody. */
void exchange_abort(struct exchange *ex, enum outcome outcome, const char *basis);

/* The outcome's word in records, metrics and logs. */
const char *outcome_name(enum outcome outcome);

/* How many exchanges are running; a draining worker waits for zero. */
size_t exchange_count(void);
