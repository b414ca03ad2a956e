/* What the parts of the batch share; see batch.c for its states. */
#pragma once

#include "gateway/store/batch.h"
#include "gateway/store/batch_member.h"
#include "gateway/store/batch_rows.h"

#include <event2/event.h>

enum batch_state {
    BATCH_AWAY,
    BATCH_JOINING,
    BATCH_IDLE,
    BATCH_COMMITTING,
    BATCH_LOOKING,
};

struct batch {
    struct event_base *base;
    struct db *db;
    struct event *kick;
    struct event *timer; /* while away: until what waits is refused */
    enum batch_state state;
    bool refusing; /* away for too long */
    uint8_t instance[16];
    int64_t generation;
    int64_t number; /* of the last transaction sent */
    int64_t seq;    /* records committed */
    int64_t flying_records;
    uint64_t flying_epoch;
    uint64_t lots;
    struct batch_rows *rows;
    struct batch_list waiting;
    struct batch_list flying;
    size_t bytes;
    struct op *under_way;
    int64_t departed; /* the last transaction; clock_mono_us() */
    int64_t gather;   /* until then wait for more */
    size_t expected;  /* so many urgent ones make a good lot */
};

void batch_drop(struct batch_member *m);
void batch_finish(struct batch_member *m, int r);

/* Back to the front of those waiting, in order, from @first on. Cancelled ones end here. */
void batch_return_from(struct batch *batch, struct batch_member *first);

/* Written. @keys: those used before for other messages; NULL if nobody can say any more. */
void batch_landed(struct batch *batch, const struct db_rows *keys);

/* A row was refused: whose? Halve until it is clear. */
void batch_split(struct batch *batch, int r);

/* The epoch is ahead of those decided under the oldest; the others may be fine. */
void batch_outdated(struct batch *batch);

/* Tried in vain, for nobody's fault: those tried too often end with @r. */
void batch_hold(struct batch *batch, int r);

/* Of those taken before (@rows), tell the ACK; the others depart again without them. */
void batch_sort_out(struct batch *batch, const struct db_rows *rows);
