/* What the parts of the follower share; see follower.c for who calls whom. */
#pragma once

#include "gateway/ledger/answers.h"
#include "gateway/ledger/follower.h"
#include "gateway/ledger/quorum.h"
#include "gateway/log.h"
#include "gateway/store/chain.h"

#include <event2/event.h>

enum {
    FOLLOWER_FEW = 32,       /* a gap of so many blocks is read header by header */
    FOLLOWER_KEPT_PAGE = 64, /* kept blocks looked at in one go */
    FOLLOWER_PARAMS_ROOM = 1024,
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
    uint64_t range;      /* blocks to try at once */
    uint64_t range_most; /* more were too many */
    struct answers_range asked;
    struct store_event *events; /* owned */
    size_t event_count;
    struct store_block *blocks; /* owned; of this step, ascending */
    size_t block_count;
    size_t block_room;
    uint64_t want; /* number of the header being read */
    size_t next_event;

    struct store_block kept[FOLLOWER_KEPT_PAGE];
    int kept_count;
    int kept_at;

    const char *trouble; /* said last in the log */
    int64_t said;
};

static inline uint64_t follower_least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* This look led nowhere; @why: static. Another follows. */
void follower_give_up(struct follower *f, enum log_level level, const char *why);

/* A write failed with @r. */
void follower_not_stored(struct follower *f, int r);

/* Ask for a block by @tag, or by @number if that is NULL. */
void follower_ask_block(struct follower *f, const char *tag, uint64_t number, quorum_fn done);

/* The block that an answer holds; or the look is given up. */
MUST_USE bool follower_got_block(struct follower *f, const struct quorum_answer *answer,
                                 struct store_block *out);

/* Look at the chain now. */
void follower_look(struct follower *f);

/* The blocks f->from to f->to, whose last is f->head: read their events, then store. */
void follower_ask_events(struct follower *f);

/* Keep what this step has read. */
void follower_store(struct follower *f);

/* Go back to the highest kept block of at most @below that the chain still has. */
void follower_find_fork(struct follower *f, uint64_t below);
