/*
 * The listener's side of FHIR, and the tables: which stages a request goes through.
 *
 * What can be told from the request line chooses the table. What says nothing about anybody
 * (metadata) is answered here.
 */
#include "gateway/pipeline/fhir.h"

#include "gateway/heap.h"
#include "gateway/log.h"
#include "gateway/metrics.h"
#include "gateway/pipeline/fhir_consents.h"
#include "gateway/pipeline/fhir_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    MINUTE_S = 60,
};

/* What a FHIR listener has besides its server. */
struct fhir_door {
    struct way_in *way;
    struct event *minute; /* owned */
    uint64_t refused;     /* since the last record of it */
};

/* --- waiting ------------------------------------------------------------------------------ */

static void cancel_wait(struct op *op)
{
    ((struct fhir_wait *)(void *)op)->waiting = false;
}

enum step fhir_wait(struct exchange *ex, struct fhir_wait *wait)
{
    assert(!wait->waiting);
    wait->op.cancel = cancel_wait;
    wait->waiting = true;
    return exchange_wait(ex, &wait->op);
}

bool fhir_woken(struct exchange *ex, struct fhir_wait *wait)
{
    if (!wait->waiting) {
        return false;
    }
    wait->waiting = false;
    (void)exchange_woken(ex);
    return true;
}

/* --- the tables --------------------------------------------------------------------------- */

/* Not for whom we don't know, and not for a round that names nobody new. */
static bool nothing_to_record(struct exchange *ex)
{
    const struct fhir_exchange *fx = fhir_of(ex);
    return ex->outcome == OUTCOME_UNAUTHENTICATED ||
           (fx->answer.streaming && ex->outcome == OUTCOME_PERMIT && !fx->answer.sealed_round);
}

enum step fhir_seal_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (nothing_to_record(ex)) {
        return STEP_NEXT;
    }
    if (fx->dossier.intent) { /* it came to nothing: that is what is recorded */
        fx->dossier.intent = false;
        fx->dossier.keep = false;
        fx->dossier.has_stored = false;
        fx->dossier.epoch = BATCH_EPOCH_ANY;
    }
    if (fx->sent && ex->outcome == OUTCOME_TIMEOUT) {
        ex->outcome = OUTCOME_UNKNOWN; /* the change may have been made */
    }
    if (fx->answer.begun && ex->outcome != OUTCOME_PERMIT) {
        fx->dossier.subject_count = 0;
        fx->dossier.epoch = BATCH_EPOCH_ANY;
        fhir_filter_sum(ex);
    }
    bool over = fx->answer.last || (fx->answer.begun && ex->outcome != OUTCOME_PERMIT);
    if (over && fhir_named_later(ex) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    return seal_enter(ex);
}

enum step fhir_record_enter(struct exchange *ex)
{
    return nothing_to_record(ex) ? STEP_NEXT : record_enter(ex);
}

static const struct stage read_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", fhir_authorize_enter, 0, WHILE_OPEN },
    { "actor", fhir_actor_enter, 20, WHILE_OPEN },
    { "glass", fhir_glass_enter, 5, WHILE_OPEN },
    { "subjects", fhir_subjects_enter, 10, WHILE_OPEN },
    { "consent", fhir_consent_enter, 0, WHILE_OPEN },
    { "forward", fhir_forward_enter, 60, WHILE_OPEN },
    { "filter", fhir_filter_enter, 60, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

static const struct fhir_kind read_kind = { read_pipeline, sizeof(struct fhir_exchange),
                                            FHIR_FORM_MAX };

static bool is_consent_operation(struct str path)
{
    static const char *const names[] = { "/$grant", "/$revoke", "/$revoke-consent",
                                         "/$status" };
    for (size_t i = 0; str_starts(path, STR("/Consent/")) && i < ARRAY_LEN(names); i++) {
        if (str_ends(path, str_z(names[i]))) {
            return true;
        }
    }
    return false;
}

/* HL7's guide calls the operation by two names. */
static bool is_filing(struct str path)
{
    return str_eq(path, STR("/Consent")) || str_eq(path, STR("/Consent/$file-consent")) ||
           str_eq(path, STR("/Consent/$fileConsent"));
}

static bool is_disclosure(struct str path)
{
    return str_eq(path, STR("/AuditEvent/$record-disclosure")) ||
           str_eq(path, STR("/AuditEvent/$recordDisclosure"));
}

static bool is_validation(struct str path)
{
    return str_ends(path, STR("/$validate"));
}

static const struct fhir_kind *kind_of(const struct way_in *way, const struct http_head *head)
{
    struct str path;
    if (!fhir_below(head->path, config_base(way->config), &path)) {
        return &read_kind;
    }
    if (way->config->login && head->method == HTTP_POST && str_starts(path, STR("/login/"))) {
        return str_eq(path, STR("/login/end")) ? &fhir_logout_kind : &fhir_login_kind;
    }
    if (fhir_leads_to_v2(way)) {
        return &fhir_to_v2_kind;
    }
    if (is_consent_operation(path)) {
        return &fhir_grant_kind;
    }
    if (str_ends(path, STR("/$break-glass"))) {
        return &fhir_break_kind;
    }
    if (str_eq(path, STR("/$consent-explain"))) {
        return &fhir_explain_kind;
    }
    if (is_validation(path)) {
        return &fhir_validate_kind;
    }
    if (head->method == HTTP_POST && is_disclosure(path)) {
        return &fhir_disclose_kind;
    }
    if (head->method == HTTP_POST && is_filing(path)) {
        return &fhir_file_kind;
    }
    bool reads = head->method == HTTP_GET || head->method == HTTP_HEAD ||
                 str_ends(path, STR("/_search"));
    return reads ? &read_kind : &fhir_write_kind;
}

/* --- one request -------------------------------------------------------------------------- */

static void ended(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fhir_upstream_close(ex);
    fhir_filter_close(ex);
    heap_buf_free(&fx->body);
    if (fx->req) {
        http_res_cut(fx->req);
    }
}

static void on_abort(void *owner, enum http_abort why)
{
    struct exchange *ex = owner;
    struct fhir_exchange *fx = fhir_of(ex);
    fx->req = NULL;
    if (fx->sent) {
        return; /* what becomes of the change is waited for and recorded */
    }
    if (fx->drain.waiting) {
        fhir_on_drain(ex);
        return;
    }
    exchange_abort(ex, OUTCOME_UNAVAILABLE,
                   why == HTTP_ABORT_GONE ? "client-gone" : "client-broken");
}

static const struct http_req_calls request_calls = {
    .on_body = fhir_on_body,
    .on_end = fhir_on_end,
    .on_drain = fhir_on_drain,
    .on_abort = on_abort,
};

static void on_request(void *owner, struct http_req *req)
{
    struct way_in *way = owner;
    metrics_add(METRIC_HTTP_REQUESTS, 1);
    if (fhir_answer_openly(way, req) || fhir_login_challenge(way, req)) {
        return;
    }
    const struct fhir_kind *kind = kind_of(way, http_req_head(req));
    struct exchange *ex = exchange_new(way->worker->loop, kind->pipeline, kind->size, ended);
    if (!ex) {
        http_res_full(req, 503, NULL, 0, STR(""));
        return;
    }
    struct fhir_exchange *fx = fhir_of(ex);
    dossier_init(ex, way->worker, RECORD_OPERATION);
    fx->way = way;
    fx->req = req;
    fx->base = config_base(way->config);
    fx->body = heap_buf(0);
    fx->body_max = kind->body_max;
    http_req_take(req, &request_calls, ex);
    http_req_pause(req);
    exchange_start(ex);
}

/* --- what was refused before authentication ----------------------------------------------- */

void fhir_count_refused(struct way_in *way)
{
    way->door->refused++;
    metrics_add(METRIC_HTTP_REFUSED_EARLY, 1);
}

static void on_refused(void *owner, int status, const char *reason)
{
    (void)status;
    (void)reason;
    fhir_count_refused(owner);
}

static enum step note_enter(struct exchange *ex)
{
    return exchange_stop(ex, OUTCOME_UNAUTHENTICATED, "unauthenticated");
}

static const struct stage minute_pipeline[] = {
    { "note", note_enter, 0, WHILE_OPEN },
    { "seal", seal_enter, 5, ALWAYS },
    { "record", record_enter, 5, ALWAYS },
    { 0 },
};

/* What couldn't be recorded counts for the next minute. */
static void minute_ended(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (!fx->dossier.committed && fx->way->door) {
        fx->way->door->refused += fx->dossier.refused;
    }
}

static void on_minute(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct fhir_door *door = arg;
    if (door->refused == 0) {
        return;
    }
    struct exchange *ex = exchange_new(door->way->worker->loop, minute_pipeline,
                                       sizeof(struct fhir_exchange), minute_ended);
    if (!ex) {
        return;
    }
    dossier_init(ex, door->way->worker, RECORD_LISTENER);
    fhir_of(ex)->way = door->way;
    fhir_of(ex)->dossier.route_name = str_z(door->way->config->place.name);
    fhir_of(ex)->dossier.refused = door->refused;
    door->refused = 0;
    exchange_start(ex);
}

/* --- opening ------------------------------------------------------------------------------ */

static void refusal(void *owner, int status, const char *reason, struct buf *body)
{
    (void)owner;
    fhir_refusal_write(status, reason, body);
}

int fhir_open(struct way_in *way, int fd)
{
    static const struct timeval minute = { .tv_sec = MINUTE_S };
    struct http_server_config config = {
        .base = way->worker->loop,
        .fd = fd,
        .tls = way->tls,
        .owner = way,
        .on_request = on_request,
        .on_refused = on_refused,
        .refusal = refusal,
        .refusal_type = "application/fhir+json",
        .connections_max = (size_t)way->config->connections,
    };
    way->door = calloc(1, sizeof(*way->door));
    if (!way->door) {
        return -ENOMEM;
    }
    way->door->way = way;
    way->door->minute = event_new(way->worker->loop, -1, EV_PERSIST, on_minute, way->door);
    if (!way->door->minute || event_add(way->door->minute, &minute) < 0) {
        return -ENOMEM;
    }
    way->http = http_server_new(&config);
    return way->http ? 0 : -ENOMEM;
}

void fhir_close(struct way_in *way)
{
    if (!way->door) {
        return;
    }
    if (way->door->minute) {
        event_free(way->door->minute);
    }
    free(way->door);
    way->door = NULL;
}
