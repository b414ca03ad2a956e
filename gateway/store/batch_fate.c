/*
 * What becomes of the members of a transaction.
 *
 * One that fails for one of its rows is split: each half becomes a lot of its own, tried before
 * what waits, until a lot is one member, which then fails. So a bad row costs its neighbours a
 * few more trips and nothing else.
 */
#include "gateway/store/batch_impl.h"

#include "gateway/clock.h"

#include <errno.h>

enum {
    TRIES_MAX = 5,        /* of a transaction that meets a lock or a full server */
    GATHER_PART = 4,      /* wait for this part of a transaction's time … */
    GATHER_US_MAX = 5000, /* … and at most so long */
};

void batch_drop(struct batch_member *m)
{
    struct batch *batch = m->batch;
    batch->bytes -= m->bytes;
    batch_list_drop(m);
}

void batch_finish(struct batch_member *m, int r)
{
    batch_done_fn done = m->done;
    void *arg = m->arg;
    struct batch_result result = m->result;
    batch_drop(m);
    if (done) {
        done(arg, r, &result);
    }
}

void batch_return_from(struct batch *batch, struct batch_member *first)
{
    struct batch_member *m = batch->flying.last;
    struct batch_member *stop = first ? first->previous : NULL;
    while (m != stop) {
        struct batch_member *previous = m->previous;
        if (m->done) {
            batch_list_remove(m);
            batch_list_prepend(&batch->waiting, m);
        } else {
            batch_drop(m);
        }
        m = previous;
    }
}

void batch_landed(struct batch *batch, const struct db_rows *keys)
{
    int64_t now = clock_mono_us();
    int64_t wait = (now - batch->departed) / GATHER_PART;
    batch->gather = now + (wait < GATHER_US_MAX ? wait : GATHER_US_MAX);
    batch->expected = batch->flying.urgent + batch->waiting.urgent;
    batch->seq += batch->flying_records;
    for (struct batch_member *m = batch->flying.first; m; m = m->next) {
        if (m->entry && m->entry->control) {
            m->result.control = BATCH_CONTROL_NEW;
        }
        for (int i = 0; keys && i < db_count(keys); i++) {
            if (batch_entry_takes(m->entry, db_bytes(keys, i, 0), (struct str){ 0 })) {
                m->result.control = BATCH_CONTROL_REUSED;
            }
        }
    }
    while (batch->flying.first) {
        batch_finish(batch->flying.first, 0);
    }
}

void batch_split(struct batch *batch, int r)
{
    size_t n = batch->flying.count;
    if (n == 1) {
        batch_finish(batch->flying.first, r);
        return;
    }
    size_t i = 0;
    batch->lots += 2;
    for (struct batch_member *m = batch->flying.first; m; m = m->next) {
        m->lot = i++ < n / 2 ? batch->lots - 1 : batch->lots;
    }
    batch_return_from(batch, batch->flying.first);
}

void batch_outdated(struct batch *batch)
{
    struct batch_member *m = batch->flying.first;
    while (m) {
        struct batch_member *next = m->next;
        if (m->entry && m->entry->epoch == batch->flying_epoch) {
            batch_finish(m, -ESTALE);
        }
        m = next;
    }
    batch_return_from(batch, batch->flying.first);
}

void batch_hold(struct batch *batch, int r)
{
    struct batch_member *m = batch->flying.first;
    while (m) {
        struct batch_member *next = m->next;
        if (++m->tries >= TRIES_MAX) {
            batch_finish(m, r);
        }
        m = next;
    }
    batch_return_from(batch, batch->flying.first);
}

void batch_sort_out(struct batch *batch, const struct db_rows *rows)
{
    struct batch_member *m = batch->flying.first;
    while (m) {
        struct batch_member *next = m->next;
        for (int i = 0; i < db_count(rows); i++) {
            if (batch_entry_takes(m->entry, db_bytes(rows, i, 0), db_bytes(rows, i, 1))) {
                m->result = (struct batch_result){
                    .control = BATCH_CONTROL_REPEATED,
                    .ack = db_bytes(rows, i, 2),
                    .ack_time = db_time(rows, i, 3),
                };
                batch_finish(m, 0);
                break;
            }
        }
        m = next;
    }
    batch_return_from(batch, batch->flying.first);
}
