/* Gathering what will be recorded. */
#include "gateway/pipeline/dossier.h"

#include "gateway/consents.h"
#include "gateway/worker.h"

#include <errno.h>

void dossier_init(struct exchange *ex, struct worker *worker, enum record_interaction what)
{
    struct dossier *dossier = dossier_of(ex);
    dossier->worker = worker;
    dossier->log = RECORD_LOG_ACCESS;
    dossier->interaction = what;
    dossier->epoch = BATCH_EPOCH_ANY;
}

void dossier_route(struct exchange *ex, const struct config_route *route)
{
    static const enum record_mode modes[] = {
        [MODE_ENFORCE] = RECORD_ENFORCE,
        [MODE_SHADOW] = RECORD_SHADOW,
        [MODE_OBSERVE] = RECORD_OBSERVE,
    };
    struct dossier *dossier = dossier_of(ex);
    struct buf name = arena_buf(ex->arena, RECORD_NAME_MAX);
    buf_fmt(&name, "%s:%d", route->from, route->index);
    dossier->route = route;
    dossier->route_name = buf_str(&name);
    dossier->mode = modes[route->mode];
}

static struct dossier_subject *add(struct exchange *ex)
{
    struct dossier *dossier = dossier_of(ex);
    if (!dossier->subjects) {
        dossier->subjects =
            arena_calloc(ex->arena, DOSSIER_SUBJECTS_MAX, sizeof(struct dossier_subject *));
    }
    struct dossier_subject *subject = arena_calloc(ex->arena, 1, sizeof(*subject));
    if (!dossier->subjects || !subject || dossier->subject_count == DOSSIER_SUBJECTS_MAX) {
        return NULL;
    }
    dossier->subjects[dossier->subject_count++] = subject;
    return subject;
}

struct dossier_subject *dossier_subject(struct exchange *ex, const uint8_t patient[16])
{
    struct dossier *dossier = dossier_of(ex);
    for (size_t i = 0; i < dossier->subject_count; i++) {
        if (memcmp(dossier->subjects[i]->patient, patient, 16) == 0) {
            return dossier->subjects[i];
        }
    }
    struct dossier_subject *subject = add(ex);
    if (subject) {
        memcpy(subject->patient, patient, 16);
    }
    return subject;
}

int dossier_nobody(struct exchange *ex)
{
    struct dossier_subject *subject = add(ex);
    if (!subject) {
        return -ENOMEM;
    }
    subject->is_nobody = true;
    return 0;
}

struct batch_outbox *dossier_outbox(struct exchange *ex, const char *to, struct str route,
                                    enum store_outbox_state state, const char *basis)
{
    struct dossier *dossier = dossier_of(ex);
    struct batch_outbox *row = &dossier->outboxes[dossier->outbox_count++];
    *row = (struct batch_outbox){
        .destination = str_z(to),
        .route = route,
        .state = (int16_t)state,
        .blocks = state == STORE_OUTBOX_OPEN || state == STORE_OUTBOX_HELD,
        .created = ex->time,
        .next_at = ex->time,
        .reason = str_z(basis),
    };
    memcpy(row->exchange, ex->id, sizeof(row->exchange));
    return row;
}

void dossier_rely_on(struct dossier *dossier, struct dossier_subject *subject,
                     const struct consent_evidence *evidence)
{
    struct record *record = &subject->sealed.record;
    grounds_add(&subject->grounds, evidence);
    if (!evidence->has_consent || record->consent_count == RECORD_CONSENTS_MAX) {
        return;
    }
    for (size_t i = 0; i < record->consent_count; i++) {
        if (memcmp(record->consents[i].id, evidence->id, 32) == 0) {
            return;
        }
    }
    struct record_consent *consent = &record->consents[record->consent_count++];
    *consent = (struct record_consent){
        .chain = (uint64_t)dossier->worker->config->ledger->chain_id,
        .block = evidence->block,
        .version = evidence->version,
    };
    memcpy(consent->id, evidence->id, sizeof(consent->id));
    memcpy(consent->commitment, evidence->commitment, sizeof(consent->commitment));
    memcpy(consent->contract, dossier->worker->consent_contract, sizeof(consent->contract));
}

bool dossier_stands(struct exchange *ex, bool (*decide)(struct exchange *ex))
{
    struct dossier *dossier = dossier_of(ex);
    const struct consents *consents = dossier->worker->consents;
    uint64_t epoch = consents_epoch(consents);
    bool same = consents_state(consents) == CONSENTS_READY && epoch == dossier->decided;
    if (dossier->mode != RECORD_ENFORCE || same) {
        return true;
    }
    dossier->subject_count = 0; /* of the earlier decision */
    dossier->decided = epoch;
    return decide(ex);
}
