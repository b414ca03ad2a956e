/*
 * The stages of a delivery.
 *
 *   outcome of the try      row becomes
 *   delivered               delivered
 *   retry                   open, later: 1, 2, 4 … times the destination's retry_least
 *   parked                  parked; blocks if the route says so
 *   withheld, held          withheld, held
 *   anything else           open, later: nobody knows better
 */
#include "gateway/pipeline/deliver_impl.h"

#include "fhir/compartment/facts.h"
#include "fhir/format/json_write.h"
#include "gateway/clock.h"
#include "gateway/consents.h"
#include "gateway/metrics.h"
#include "gateway/payloads.h"
#include "gateway/pipeline/facts.h"
#include "gateway/pipeline/v2_valid.h"
#include "gateway/sealed_payload.h"
#include "gateway/stored_route.h"
#include "gateway/v2_site.h"
#include "gateway/vault.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ACTOR_MAX = 4 << 10,
    DOUBLINGS_MAX = 16,
    HELD_LOOK_MS = 1000, /* pause before a held row is decided again */
};

enum step deliver_done(struct exchange *ex)
{
    ex->outcome = OUTCOME_DELIVERED;
    return STEP_NEXT;
}

enum step deliver_retry(struct exchange *ex, const char *why)
{
    return exchange_stop(ex, OUTCOME_RETRY, why);
}

enum step deliver_park(struct exchange *ex, const char *why)
{
    return exchange_stop(ex, OUTCOME_PARKED, why);
}

/* --- claim: the route, and the stored message opened ----------------------------------------
 */

static bool find_route(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct stored_route way;
    if (!stored_route_find(deliver->v2.dossier.worker->config, deliver->row.route, &way)) {
        return false;
    }
    deliver->v2.sender = way.sender;
    dossier_route(ex, way.route);
    return true;
}

static enum step open_payload(struct exchange *ex)
{
    struct v2_case *v2 = &deliver_of(ex)->v2;
    int r = sealed_payload_open(v2->dossier.worker->vault, ex->arena, deliver_of(ex)->sealed,
                                &v2->raw);
    if (r == -ENOMEM) {
        return deliver_retry(ex, "memory");
    }
    if (r < 0) { /* a shredded patient's message is gone for good: that is what was wanted */
        return deliver_park(ex, r == -ENOKEY ? "key-destroyed" : "payload-damaged");
    }
    v2->dossier.payload = v2->raw;
    return STEP_NEXT;
}

static void on_keys(void *arg, int r)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, r < 0 ? deliver_retry(ex, "key") : open_payload(ex));
}

/* The stored message is at hand; its keys may not be. */
static enum step take_payload(struct exchange *ex, const struct store_sealed *row)
{
    struct worker *worker = dossier_of(ex)->worker;
    int r = sealed_payload_copy(ex->arena, row, &deliver_of(ex)->sealed);
    if (r < 0) {
        return r == -ENOMEM ? deliver_retry(ex, "memory") : deliver_park(ex, "payload-damaged");
    }
    struct sealed_payload *sealed = deliver_of(ex)->sealed;
    if (vault_has_ids(worker->vault, sealed->keys[0], sealed->layers)) {
        return open_payload(ex);
    }
    return exchange_wait(ex, vault_fetch_ids(worker->vault, worker->db, sealed->keys[0],
                                             sealed->layers, on_keys, ex));
}

static void on_payload(void *arg, int r, const struct store_sealed *row)
{
    struct exchange *ex = exchange_woken(arg);
    if (r == -ENOENT) {
        exchange_move(ex, deliver_park(ex, "payload-gone"));
    } else if (r < 0) {
        exchange_move(ex, deliver_retry(ex, r == -ENOMEM ? "memory" : "database"));
    } else {
        exchange_move(ex, take_payload(ex, row));
    }
}

static enum step claim_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct worker *worker = deliver->v2.dossier.worker;
    struct str name = arena_str(ex->arena, deliver->row.destination);
    deliver->out = name.p ? worker_way_out(worker, name.p) : NULL;
    if (!deliver->out || !find_route(ex)) {
        return deliver_park(ex, "route-gone");
    }
    struct buf actor = arena_buf(ex->arena, ACTOR_MAX);
    struct json_writer w = json_writer(&actor);
    json_object(&w, NULL);
    json_z(&w, "destination", deliver->out->config->place.name);
    json_z(&w, "organization", deliver->out->config->organization);
    json_end(&w);
    deliver->v2.dossier.actor = buf_str(&actor);
    deliver->v2.dossier.recipient = deliver->v2.dossier.actor;
    return exchange_wait(
        ex, payloads_fetch(worker->payloads, deliver->row.payload, on_payload, ex));
}

/* --- translate ------------------------------------------------------------------------------
 */

/* Whether a resource only says where the others come from, and is about what they are about. */
static bool is_source(struct str type)
{
    return str_eq(type, STR("Provenance")) || str_eq(type, STR("MessageHeader"));
}

/* Facts of the translated resources, so that consent decides on what they say. */
static int gather_facts(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct consent_facts *facts =
        arena_calloc(ex->arena, deliver->bundle.count + 1, sizeof(*facts));
    const struct consent_context context = { .bases = &deliver->out->base_url,
                                             .n_bases = deliver->out->base_url.n > 0 };
    int r = facts ? 0 : -ENOMEM;
    /* What is passed on unchanged says all that nobody here has read as well. */
    bool fhir = deliver->out->config->protocol == PROTOCOL_FHIR;
    deliver->v2.nobodys = deliver->bundle.count && (fhir || deliver->bundle.unread == 0);
    for (size_t i = 0; r == 0 && i < deliver->bundle.count; i++) {
        struct resource_facts read;
        r = resource_facts_read(ex->arena, deliver->bundle.entries[i].tree, &read);
        if (r == 0) {
            r = facts_for_consent(ex->arena, &read, &context,
                                  deliver->v2.dossier.worker->child->labeller, &facts[i]);
            deliver->v2.nobodys &= is_source(read.type) || read.subjects.class == SUBJECT_NONE;
        }
    }
    if (r == 0) {
        deliver->v2.facts = facts;
        deliver->v2.fact_count = deliver->bundle.count;
    }
    return r;
}

/* What the message became, as the record commits to it. */
static int set_request(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct buf request = arena_buf(ex->arena, V2_BECAME_SIZE);
    v2_became_put(&request, "fhir", deliver->bundle.bundle);
    deliver->v2.dossier.request = buf_str(&request);
    return buf_failed(&request) ? -ENOMEM : 0;
}

/* The maps may say otherwise than when the message was accepted: what is sent is looked at. */
static enum step validate(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct issues issues;
    enum v2_validity validity;
    if (deliver->v2.dossier.route->validate != VALIDATE_REJECT) {
        return STEP_NEXT;
    }
    issues_init(&issues, ex->arena);
    if (v2_valid_look(ex, &deliver->bundle, &issues, &validity) < 0) {
        return deliver_retry(ex, "memory");
    }
    return validity == V2_VALID
               ? STEP_NEXT
               : deliver_park(ex, validity == V2_INVALID ? "invalid" : "too-large");
}

static enum step translate_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    if (!deliver->v2.sender) {
        return deliver_written_enter(ex);
    }
    int r = v2_case_parse(ex);
    if (r != 0) {
        return r < 0 ? deliver_retry(ex, "memory") : deliver_park(ex, "unreadable");
    }
    bool fhir = deliver->out->config->protocol == PROTOCOL_FHIR;
    r = v2_case_translate(ex, deliver->row.created, &deliver->bundle);
    deliver->translated = r == 0;
    if (r < 0) {
        return deliver_retry(ex, "memory");
    }
    if (r > 0 && fhir) {
        return deliver_park(ex, r == TRANSLATE_E_TYPE ? "no-map" : "too-large");
    }
    if (deliver->translated) {
        if (fhir && set_request(ex) < 0) {
            return deliver_retry(ex, "memory");
        }
        metrics_add(METRIC_HL7_TRANSLATED, 1);
        metrics_add(METRIC_HL7_UNREAD, (int64_t)deliver->bundle.unread);
        r = gather_facts(ex);
        if (r != 0) {
            return deliver_retry(ex, "memory");
        }
        if (fhir && deliver->bundle.count == 0) {
            return deliver_park(ex, "empty"); /* nothing came of it: for a person to see */
        }
        enum step step = fhir ? validate(ex) : STEP_NEXT;
        if (step != STEP_NEXT) {
            return step;
        }
    } else {
        /* Passed on unchanged without knowing what it says: only a consent that doesn't ask. */
        static const struct consent_facts nothing = { .unknown = CONSENT_FACT_ALL };
        deliver->v2.facts = &nothing;
        deliver->v2.fact_count = 1;
    }
    return v2_case_resolve(ex);
}

/* --- consent --------------------------------------------------------------------------------
 */

static enum v2_verdict decide(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct dossier *dossier = &deliver->v2.dossier;
    dossier->subject_count = 0; /* of an earlier decision */
    dossier->decided = consents_epoch(dossier->worker->consents);
    return v2_case_decide(ex, deliver->out->config, &ex->basis);
}

static enum step consent_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    if (deliver->v2.conflict || deliver->v2.nameless) {
        return deliver_park(ex, "identity-conflict");
    }
    enum v2_verdict verdict = decide(ex);
    if (verdict == V2_PERMIT || deliver->v2.dossier.mode != RECORD_ENFORCE) {
        return STEP_NEXT; /* in shadow mode ->basis says what it would have been held back for
                           */
    }
    return exchange_stop(ex, verdict == V2_HELD ? OUTCOME_HELD : OUTCOME_WITHHELD, ex->basis);
}

static bool permits(struct exchange *ex)
{
    return decide(ex) == V2_PERMIT;
}

bool deliver_stands(void *arg)
{
    return dossier_stands(arg, permits);
}

enum step deliver_withdraw(struct exchange *ex)
{
    enum step step = consent_enter(ex);
    return step == STEP_NEXT ? deliver_retry(ex, "consent-moved") : step;
}

static enum step forward_enter(struct exchange *ex)
{
    return deliver_of(ex)->out->config->protocol == PROTOCOL_FHIR ? deliver_fhir_enter(ex)
                                                                  : deliver_mllp_enter(ex);
}

/* --- what becomes of the row ----------------------------------------------------------------
 */

static int64_t pause_after(const struct config_destination *to, int32_t attempts)
{
    int shift = attempts < DOUBLINGS_MAX ? attempts : DOUBLINGS_MAX;
    int64_t pause = to->retry_least << shift;
    pause = pause < to->retry_most ? pause : to->retry_most;
    /* Spread, so that what failed together doesn't return together. */
    return pause / 2 + (int64_t)randombytes_uniform((uint32_t)(pause / 2 + 1));
}

/* What becomes of the row after @ex; the metric that counts it. */
static enum metric judge(struct exchange *ex, struct batch_mark *mark)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    const struct config_route *route = deliver->v2.dossier.route;
    switch (ex->outcome) {
    case OUTCOME_DELIVERED:
        mark->state = STORE_OUTBOX_DELIVERED;
        mark->blocks = false;
        return METRIC_DELIVERED;
    case OUTCOME_PARKED:
        mark->state = STORE_OUTBOX_PARKED;
        mark->blocks = route && route->on_park == PARK_WAIT;
        return METRIC_DELIVERY_PARKED;
    case OUTCOME_WITHHELD:
        mark->state = STORE_OUTBOX_WITHHELD;
        mark->blocks = false;
        return METRIC_DELIVERY_WITHHELD;
    case OUTCOME_HELD:
        mark->state = STORE_OUTBOX_HELD;
        mark->attempts = deliver->row.attempts;
        mark->next_at += HELD_LOOK_MS;
        return METRIC_DELIVERY_RETRIED;
    case OUTCOME_OPEN:
    case OUTCOME_PERMIT:
    case OUTCOME_DENY:
    case OUTCOME_DONE:
    case OUTCOME_RETRY:
    case OUTCOME_BAD_REQUEST:
    case OUTCOME_UNAUTHENTICATED:
    case OUTCOME_FORBIDDEN:
    case OUTCOME_UNSUPPORTED:
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_UPSTREAM:
    case OUTCOME_TIMEOUT:
    case OUTCOME_UNKNOWN:
    case OUTCOME_FAILED: /* open, and later */
        ex->outcome = OUTCOME_RETRY;
        mark->next_at += deliver->out ? pause_after(deliver->out->config, deliver->row.attempts)
                                      : HELD_LOOK_MS;
        break;
    }
    return METRIC_DELIVERY_RETRIED;
}

static enum step mark_enter(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    struct dossier *dossier = &deliver->v2.dossier;
    struct batch_mark mark = {
        .number = deliver->row.number,
        .lease = deliver->lease,
        .state = STORE_OUTBOX_OPEN,
        .blocks = true,
        .attempts = deliver->row.attempts + 1,
        .next_at = clock_utc_ms(),
    };
    bool outgrown = v2_case_unbound(ex);
    enum metric counted = judge(ex, &mark);
    if (outgrown && (mark.state == STORE_OUTBOX_OPEN || mark.state == STORE_OUTBOX_HELD)) {
        ex->outcome = OUTCOME_PARKED; /* it won't fit the next time either */
        ex->basis = "too-large";
        counted = judge(ex, &mark);
    }
    metrics_add(counted, 1);
    mark.reason = str_z(ex->basis ? ex->basis : "");
    dossier->mark = mark;
    dossier->has_mark = true;
    /* A row that stays is looked at again later: no message need wait for its record. */
    dossier->can_wait = mark.state == STORE_OUTBOX_OPEN || mark.state == STORE_OUTBOX_HELD;
    /* What was sent was sent: its record doesn't depend on what changed meanwhile. */
    dossier->epoch = BATCH_EPOCH_ANY;
    return STEP_NEXT;
}

static const struct stage deliver_pipeline[] = {
    /* name        enter            wait  runs */
    { "claim", claim_enter, 5, WHILE_OPEN },
    { "translate", translate_enter, 5, WHILE_OPEN },
    { "consent", consent_enter, 0, WHILE_OPEN },
    { "forward", forward_enter, 120, WHILE_OPEN },
    { "mark", mark_enter, 0, ALWAYS },
    { "seal", seal_enter, 5, ALWAYS },
    { "record", record_enter, 5, ALWAYS },
    { 0 },
};

static void ended(struct exchange *ex)
{
    struct deliver_exchange *deliver = deliver_of(ex);
    const struct dossier *dossier = &deliver->v2.dossier;
    delivery_client_done(deliver->delivery, deliver->client);
    delivery_ended(deliver->delivery, deliver->row.number);
    if (deliver->out && dossier->committed && !dossier->mark.blocks) {
        delivery_wake(deliver->delivery, str_z(deliver->out->config->place.name),
                      deliver->row.patient);
    }
}

int deliver_start(struct delivery *delivery, struct worker *worker,
                  const struct store_outbox *row, int64_t lease, struct mllp_client *client)
{
    struct exchange *ex =
        exchange_new(worker->loop, deliver_pipeline, sizeof(struct deliver_exchange), ended);
    if (!ex) {
        return -ENOMEM;
    }
    struct deliver_exchange *deliver = deliver_of(ex);
    dossier_init(ex, worker, RECORD_V2_DELIVER);
    deliver->delivery = delivery;
    deliver->lease = lease;
    deliver->client = client;
    deliver->row = *row;
    deliver->row.destination = arena_str(ex->arena, row->destination);
    deliver->row.route = arena_str(ex->arena, row->route);
    v2_case_bound(ex);
    memcpy(ex->id, row->exchange, sizeof(ex->id)); /* its records join those of the receipt */
    exchange_start(ex);
    return 0;
}
