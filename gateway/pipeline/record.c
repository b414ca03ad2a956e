/*
 * Stage "record": commit everything about the exchange in one transaction, before anything of
 * it leaves.
 *
 *   record_enter --batch--> waiting --committed--> next
 *                              |--epoch is ahead--> catch up --> back to the consent stage
 *                              +--not written--> stop: unavailable
 */
#include "gateway/pipeline/dossier.h"

#include "gateway/clock.h"
#include "gateway/consents.h"
#include "gateway/delivery.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/payloads.h"
#include "gateway/worker.h"

#include <errno.h>

/* The record's number is known now: write its bytes. */
static int fill(void *owner, size_t index, const struct batch_place *place,
                struct batch_record *out)
{
    struct dossier *dossier = owner;
    return sealed_record_fill(&dossier->subjects[index]->sealed, place, out);
}

static enum step stop_unrecorded(struct exchange *ex)
{
    metrics_add(METRIC_EXCHANGES_FAILED, 1);
    return exchange_stop(ex, OUTCOME_UNAVAILABLE, "record");
}

static void on_caught_up(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    struct dossier *dossier = dossier_of(ex);
    if (r < 0) {
        exchange_move(ex, stop_unrecorded(ex));
        return;
    }
    dossier->subject_count = 0;
    dossier->outbox_count = 0;
    dossier->released = 0;
    dossier->withheld = 0;
    exchange_move(ex, exchange_again(ex, dossier->decide_again));
}

/* Consent changed between the decision and its record: what was decided doesn't count. */
static enum step decide_again(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    if (!dossier->decide_again || dossier->again++ == DOSSIER_AGAIN_MAX) {
        return stop_unrecorded(ex);
    }
    return exchange_wait(ex, consents_catch_up(dossier->worker->consents, on_caught_up, ex));
}

static void on_committed(void *arg, int r, const struct batch_result *result)
{
    struct exchange *ex = exchange_woken(arg);
    struct dossier *dossier = dossier_of(ex);
    if (r == -ESTALE) {
        exchange_move(ex, decide_again(ex));
        return;
    }
    if (r < 0) {
        log_line(LOG_WARN, "record refused", LOG_ERRNO(r));
        exchange_move(ex, stop_unrecorded(ex));
        return;
    }
    dossier->committed = true;
    dossier->result = *result;
    dossier->result.ack = arena_str(ex->arena, result->ack);
    metrics_add(METRIC_EXCHANGES_RECORDED, 1);
    if (dossier->has_stored && dossier->outbox_count &&
        result->control != BATCH_CONTROL_REPEATED) {
        payloads_keep(dossier->worker->payloads, &dossier->stored);
    }
    for (size_t i = 0; i < dossier->outbox_count; i++) {
        delivery_wake(dossier->worker->delivery, dossier->outboxes[i].destination,
                      dossier->outboxes[i].patient);
    }
    exchange_move(ex, STEP_NEXT);
}

static int gather_openings(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    struct batch_opening *openings =
        arena_calloc(ex->arena, dossier->subject_count, sizeof(*openings));
    if (!openings) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < dossier->subject_count; i++) {
        sealed_record_opening(&dossier->subjects[i]->sealed, &openings[i]);
    }
    dossier->openings = openings;
    return 0;
}

static int add_access(struct exchange *ex, const uint8_t patient[16],
                      const struct record *record, const struct type_set *types)
{
    struct dossier *dossier = dossier_of(ex);
    uint8_t *bytes = arena_alloc(ex->arena, 2 * (size_t)SUBJECT_TYPES_MAX);
    if (!bytes) {
        return -ENOMEM;
    }
    struct batch_access *access = &dossier->accesses[dossier->access_count++];
    *access = (struct batch_access){
        .time = clock_utc_ms(),
        .recipient = dossier->recipient_number,
        .types = str_of(bytes, type_set_bytes(types, bytes)),
        .released = record_released(record),
    };
    memcpy(access->record, record->id, sizeof(access->record));
    memcpy(access->exchange, ex->id, sizeof(access->exchange));
    memcpy(access->patient, patient, sizeof(access->patient));
    return 0;
}

/*
 * A row for each patient, by which their records are found; and one for each that was shown in
 * types besides those that its record knew of, with the record that ends the exchange.
 */
static int gather_accesses(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    size_t most = dossier->subject_count + dossier->later_count;
    int r = 0;
    dossier->accesses = arena_calloc(ex->arena, most, sizeof(*dossier->accesses));
    dossier->access_count = 0;
    if (!dossier->accesses) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < dossier->subject_count; i++) {
        const struct dossier_subject *subject = dossier->subjects[i];
        if (!subject->is_nobody) {
            r = add_access(ex, subject->patient, &subject->sealed.record, &subject->types);
        }
    }
    for (size_t i = 0; r == 0 && i < dossier->later_count; i++) {
        const struct dossier_later *later = &dossier->later[i];
        r = add_access(ex, later->patient, &dossier->subjects[0]->sealed.record, &later->types);
    }
    return r;
}

enum step record_enter(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    bool sealed = dossier->subject_count > 0;
    for (size_t i = 0; i < dossier->subject_count; i++) {
        sealed &= dossier->subjects[i]->sealed.sealed.n > 0;
    }
    if (!sealed || gather_openings(ex) < 0 || gather_accesses(ex) < 0) {
        return stop_unrecorded(ex);
    }
    for (size_t i = 0; i < dossier->outbox_count; i++) {
        memcpy(dossier->outboxes[i].payload, dossier->stored.id, SEAL_ID_SIZE);
    }
    dossier->entry = (struct batch_entry){
        .epoch = dossier->epoch,
        .can_wait = dossier->can_wait,
        .owner = dossier,
        .fill = fill,
        .records = dossier->subject_count,
        .payloads = &dossier->stored,
        .payload_count = dossier->has_stored,
        .openings = dossier->openings,
        .opening_count = dossier->subject_count,
        .accesses = dossier->accesses,
        .access_count = dossier->access_count,
        .outboxes = dossier->outboxes,
        .outbox_count = dossier->outbox_count,
        .marks = &dossier->mark,
        .mark_count = dossier->has_mark,
        .control = dossier->has_control ? &dossier->control : NULL,
    };
    return exchange_wait(
        ex, batch_submit(dossier->worker->batch, &dossier->entry, on_committed, ex));
}
