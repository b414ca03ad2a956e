/*
 * Stage "respond": nothing leaves that isn't recorded.
 *
 * A refusal is an OperationOutcome of ours, whatever the upstream said. A patient who denies
 * and a patient who isn't there get the same bytes.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/rest/outcome.h"
#include "gateway/clock.h"
#include "gateway/consents.h"
#include "gateway/id.h"

enum {
    OUTCOME_TEXT_MAX = 1 << 20, /* 2 ISSUES_MAX of the longest */
    FIELDS_MAX = 10,
    CHALLENGE_MAX = 256,
    BANNER_MAX = 2 << 10,
};

/* What is said where no stage chose its own words. */
static const struct {
    int status;
    const char *text;
} usual[] = {
    [OUTCOME_OPEN] = { 500, "a defect of the gateway" },
    [OUTCOME_PERMIT] = { 200, NULL },
    [OUTCOME_DENY] = { 404, "nothing here that may be shown" },
    [OUTCOME_WITHHELD] = { 500, "a defect of the gateway" },
    [OUTCOME_HELD] = { 500, "a defect of the gateway" },
    [OUTCOME_DONE] = { 200, NULL },
    [OUTCOME_DELIVERED] = { 200, NULL },
    [OUTCOME_RETRY] = { 500, "a defect of the gateway" },
    [OUTCOME_PARKED] = { 500, "a defect of the gateway" },
    [OUTCOME_BAD_REQUEST] = { 400, "the request can't be understood" },
    [OUTCOME_UNAUTHENTICATED] = { 401, "a bearer token is needed" },
    [OUTCOME_FORBIDDEN] = { 403, "not allowed" },
    [OUTCOME_UNSUPPORTED] = { 501, "not supported" },
    [OUTCOME_UNAVAILABLE] = { 503, "this can't be decided at the moment; try again" },
    [OUTCOME_UPSTREAM] = { 502, "the FHIR server failed" },
    [OUTCOME_TIMEOUT] = { 504, "something needed didn't answer in time" },
    [OUTCOME_UNKNOWN] = { 504, "the change was sent, what became of it isn't known" },
    [OUTCOME_FAILED] = { 500, "a defect of the gateway" },
};

struct fields {
    struct http_field at[FIELDS_MAX];
    size_t n;
};

static void put(struct fields *fields, const char *name, struct str value)
{
    if (value.n) {
        fields->at[fields->n++] = (struct http_field){ .name = str_z(name), .value = value };
    }
}

/* Said on each answer while the glass is broken: which ones, and until when. */
static struct str banner(struct exchange *ex)
{
    const struct fhir_glass *glass = &fhir_of(ex)->glass;
    struct buf text = arena_buf(ex->arena, BANNER_MAX);
    for (size_t i = 0; i < glass->n; i++) {
        char id[ID_TEXT_SIZE];
        id_text(glass->held[i].id, id);
        buf_fmt(&text, "%s%s; until=\"", i ? ", " : "", id);
        clock_utc_put(&text, glass->held[i].until);
        buf_c(&text, '"');
    }
    return buf_failed(&text) ? STR("") : buf_str(&text);
}

static struct fields common(struct exchange *ex)
{
    const struct fhir_exchange *fx = fhir_of(ex);
    struct fields fields = { .n = 0 };
    put(&fields, "Content-Type", STR("application/fhir+json; charset=utf-8"));
    put(&fields, "Cache-Control", STR("no-store"));
    put(&fields, "X-Request-Id", fx->request_id);
    put(&fields, "Chartseal-Break-Glass", banner(ex));
    return fields;
}

/* --- refusals ----------------------------------------------------------------------------- */

/* RFC 6750 section 3. */
static struct str challenge(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf text = arena_buf(ex->arena, CHALLENGE_MAX);
    buf_z(&text, "Bearer realm=\"fhir\"");
    if (fx->login) { /* RFC 9470 */
        buf_fmt(&text, ", error=\"insufficient_user_authentication\", max_age=\"%lld\"",
                (long long)fx->login / 1000);
    } else if (fx->text) {
        buf_fmt(&text, ", error=\"invalid_token\", error_description=\"%s\"", fx->text);
    }
    return buf_failed(&text) ? STR("Bearer") : buf_str(&text);
}

static const char *text_of(const struct fhir_exchange *fx, const struct exchange *ex)
{
    return fx->text ? fx->text : usual[ex->outcome].text;
}

static void refuse(struct exchange *ex, int status)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct rest_outcome said = {
        .severity = ISSUE_ERROR,
        .code = fx->code ? fx->code : outcome_code(status),
        .diagnostics = text_of(fx, ex),
        .what = fx->what,
        .place = fx->place,
        .correlation = fx->request_id,
    };
    struct fields fields = common(ex);
    if (status == 401) {
        put(&fields, "WWW-Authenticate", challenge(ex));
    }
    if (status == 503 || status == 429) {
        put(&fields, "Retry-After", STR("1"));
    }
    struct buf body = arena_buf(ex->arena, OUTCOME_TEXT_MAX);
    outcome_write_issues(&said, fx->issues.first ? &fx->issues : NULL, &body);
    struct str text = buf_failed(&body) ? STR("") : buf_str(&body);
    http_res_full(fx->req, status, fields.at, fields.n, text);
    fx->req = NULL;
}

/* A search that may show nothing looks like one that finds nothing. */
static struct str empty_searchset(struct exchange *ex)
{
    static const struct rest_outcome said = {
        .severity = ISSUE_INFORMATION,
        .code = "suppressed",
        .diagnostics = FHIR_NOTICE_TEXT,
    };
    struct buf body = arena_buf(ex->arena, OUTCOME_TEXT_MAX);
    buf_z(&body, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[");
    outcome_write_entry(&said, &body);
    buf_z(&body, "]}");
    return buf_failed(&body) ? STR("") : buf_str(&body);
}

/* --- whole answers ------------------------------------------------------------------------ */

/* Whether the client has this version already; asked only after the permit. */
static bool unchanged(const struct fhir_exchange *fx)
{
    return fx->interaction.kind == INTERACTION_READ && fx->answer.etag.n &&
           str_eq(fx->if_none_match, fx->answer.etag);
}

static void answer_whole(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fields fields = common(ex);
    put(&fields, "ETag", fx->answer.etag);
    put(&fields, "Last-Modified", fx->answer.modified);
    put(&fields, "Location", fx->answer.location);
    bool same = fx->status == 200 && unchanged(fx);
    http_res_full(fx->req, same ? 304 : fx->status, fields.at, fields.n,
                  same ? STR("") : fx->result);
    fx->req = NULL;
}

bool fhir_may_show(enum outcome outcome, enum interaction_kind kind)
{
    switch (outcome) {
    case OUTCOME_PERMIT:
    case OUTCOME_DELIVERED:
    case OUTCOME_DONE: return true;
    case OUTCOME_DENY: return kind == INTERACTION_SEARCH; /* a Bundle with the notice alone */
    case OUTCOME_OPEN:
    case OUTCOME_WITHHELD:
    case OUTCOME_HELD:
    case OUTCOME_RETRY:
    case OUTCOME_PARKED:
    case OUTCOME_BAD_REQUEST:
    case OUTCOME_UNAUTHENTICATED:
    case OUTCOME_FORBIDDEN:
    case OUTCOME_UNSUPPORTED:
    case OUTCOME_UNAVAILABLE:
    case OUTCOME_UPSTREAM:
    case OUTCOME_TIMEOUT:
    case OUTCOME_UNKNOWN:
    case OUTCOME_FAILED: return false;
    }
    return false;
}

static enum step respond_whole(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (!fx->req) {
        return STEP_NEXT; /* the client is gone */
    }
    bool known = ex->outcome != OUTCOME_UNAUTHENTICATED;
    if (known && !fx->dossier.committed) {
        fx->text = NULL;
        fx->code = NULL;
        ex->outcome = OUTCOME_UNAVAILABLE;
        refuse(ex, 503);
        return STEP_NEXT;
    }
    bool may_show = fhir_may_show(ex->outcome, fx->interaction.kind);
    if (!may_show) {
        fx->result = (struct str){ 0 };
    } else if (ex->outcome == OUTCOME_DENY && !fx->result.n) {
        fx->result = empty_searchset(ex);
        fx->status = 200;
    }
    if ((fx->result.n || fx->bare) && fx->status && ex->outcome != OUTCOME_UNAVAILABLE) {
        answer_whole(ex);
    } else {
        refuse(ex, fx->status >= 400 ? fx->status : usual[ex->outcome].status);
    }
    return STEP_NEXT;
}

/* --- long answers ------------------------------------------------------------------------- */

/* Another epoch than that of the decisions, or none at all: decide again before release. */
static bool moved(struct exchange *ex)
{
    const struct fhir_exchange *fx = fhir_of(ex);
    const struct dossier *dossier = &fx->dossier;
    return dossier->mode == RECORD_ENFORCE && !fx->answer.last &&
           (!fhir_decidable(ex) || consents_epoch(dossier->worker->consents) != dossier->epoch);
}

static enum step cut(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->req && fx->answer.begun) {
        http_res_cut(fx->req);
        fx->req = NULL;
        return STEP_NEXT;
    }
    return respond_whole(ex);
}

static int note_named(struct fhir_exchange *fx)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < fx->dossier.subject_count; i++) {
        const struct dossier_subject *subject = fx->dossier.subjects[i];
        r = subject->is_nobody ? 0 : fhir_name(&fx->answer, subject->patient, &subject->types);
    }
    fx->dossier.subject_count = 0;
    fx->dossier.again = 0;
    return r;
}

static enum step go_on(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->req && fx->answer.last) {
        http_res_end(fx->req);
        fx->req = NULL;
    }
    return fx->answer.last ? STEP_NEXT : exchange_again(ex, "filter");
}

void fhir_on_drain(void *owner)
{
    struct exchange *ex = owner;
    if (fhir_woken(ex, &fhir_of(ex)->drain)) {
        exchange_move(ex, go_on(ex));
    }
}

static enum step respond_round(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct fhir_answer *answer = &fx->answer;
    if (ex->outcome != OUTCOME_PERMIT || !fx->dossier.committed) {
        return cut(ex);
    }
    if (moved(ex)) {
        return exchange_again(ex, "filter");
    }
    if (note_named(fx) < 0 || fhir_filter_release(ex) < 0 || buf_failed(&answer->out)) {
        return cut(ex);
    }
    if (!fx->req) {
        return go_on(ex);
    }
    if (!answer->begun) {
        struct fields fields = common(ex);
        (void)http_res_head(fx->req, 200, fields.at, fields.n, HTTP_LENGTH_UNKNOWN);
        answer->begun = true;
    }
    if (!answer->last) {
        digest_put(&answer->digest, buf_str(&answer->out));
    }
    bool on = http_res_body(fx->req, buf_str(&answer->out));
    answer->out.n = 0;
    return on ? go_on(ex) : fhir_wait(ex, &fx->drain);
}

enum step fhir_respond_enter(struct exchange *ex)
{
    return fhir_of(ex)->answer.streaming ? respond_round(ex) : respond_whole(ex);
}
