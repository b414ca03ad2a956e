/*
 * What the closing stages write about an exchange, of whatever kind.
 *
 * The stages before fill it in as they learn; "seal" encrypts it, "record" commits it with
 * the exchange's other rows in one transaction. It is the first member of every kind's data,
 * so both stages serve all pipelines.
 */
#pragma once

#include "fhir/consent/compiled.h"
#include "gateway/exchange.h"
#include "gateway/pipeline/grounds.h"
#include "gateway/sealed_record.h"
#include "gateway/store/batch.h"
#include "gateway/store/outbox.h"
#include "gateway/type_set.h"

struct worker;

enum {
    DOSSIER_SUBJECTS_MAX = 256, /* patients that one exchange may show */
    DOSSIER_AGAIN_MAX = 5,      /* decisions made anew because the epoch moved */
};

/* One patient whom the exchange is about; also the slot of the record without patient. */
struct dossier_subject {
    uint8_t patient[16];
    bool is_nobody; /* no patient: sealed under the tenant's key */
    struct sealed_record sealed;
    struct grounds grounds; /* what consents said */
    struct type_set types;  /* of what is shown or carried */
};

/* More types of a patient than the record that names it knew of. */
struct dossier_later {
    uint8_t patient[16];
    struct type_set types;
};

/*
 * @actor, @request: texts that the record commits to; in the exchange's arena
 * @recipient:       who gets or asked for it, as gateway/recipient.h; empty: it is only kept
 * @payload:         bytes shown or carried; committed to by digest
 * @payload_digest:  the same where the bytes have gone already; else empty
 * @keep:            and stored
 * @intent:          what is recorded is about to be done
 * @can_wait:        nobody waits for its record
 * @refused:         requests that were refused, in the record of a minute
 * @decide_again:    name of the stage to go back to when the consent epoch moved; NULL: none
 */
struct dossier {
    struct worker *worker;
    const struct config_route *route; /* NULL until it is known */
    struct str route_name;            /* as records have it: LISTENER:NUMBER */
    enum record_mode mode;
    enum record_log log;
    enum record_interaction interaction;
    struct str actor;
    struct str request;
    struct str recipient;
    int64_t recipient_number; /* found by "seal" */
    struct str payload;
    struct str payload_digest;
    struct str map;                    /* version of the mapping rows used */
    struct dossier_subject **subjects; /* in the arena, DOSSIER_SUBJECTS_MAX */
    size_t subject_count;
    uint64_t released;
    uint64_t withheld;
    uint64_t refused;
    uint64_t epoch;
    uint64_t decided; /* epoch of the last decision, whatever is recorded */
    const char *decide_again;
    int again;
    bool keep;
    bool intent;
    bool can_wait;
    bool has_stored;
    bool has_mark;
    bool has_control;
    bool committed;

    /* Rows besides records and openings. */
    struct batch_payload stored;
    struct batch_outbox *outboxes; /* in the arena */
    size_t outbox_count;
    struct batch_mark mark;
    struct batch_control control;
    struct batch_access *accesses; /* in the arena */
    size_t access_count;
    struct dossier_later *later; /* in the arena */
    size_t later_count;

    /* Filled by "record". */
    struct batch_entry entry;
    struct batch_opening *openings;
    struct batch_result result; /* set if ->committed */
};

static inline struct dossier *dossier_of(struct exchange *ex)
{
    return ex->data;
}

/* Begin: what every exchange knows from its first byte on. */
void dossier_init(struct exchange *ex, struct worker *worker, enum record_interaction what);

/* The exchange takes @route: its mode and its name go into the record. */
void dossier_route(struct exchange *ex, const struct config_route *route);

/* The slot of @patient, added if it is new; NULL if there are too many or no memory. */
struct dossier_subject *dossier_subject(struct exchange *ex, const uint8_t patient[16]);

/* The slot of a record about nobody. Return: 0 or -ENOMEM */
MUST_USE int dossier_nobody(struct exchange *ex);

/* A row of the outbox for destination @to by way @route (gateway/stored_route.h), about no
 * patient yet. ->outboxes has room for it. */
struct batch_outbox *dossier_outbox(struct exchange *ex, const char *to, struct str route,
                                    enum store_outbox_state state, const char *basis);

/* Note a decision about @subject, and the consent that it relied on; once each. */
void dossier_rely_on(struct dossier *dossier, struct dossier_subject *subject,
                     const struct consent_evidence *evidence);

/**
 * dossier_stands() - whether what was decided to be sent may still be
 * @decide: decide anew: whether all permit
 *
 * Whatever took time since the decision (a queue, connecting), nothing leaves before this was
 * asked: if consents moved, or can't be told any more, it is decided anew.
 */
bool dossier_stands(struct exchange *ex, bool (*decide)(struct exchange *ex));

/* Closing stages, for every pipeline. */
enum step seal_enter(struct exchange *ex);
enum step record_enter(struct exchange *ex);
