/*
 * What changes the FHIR server: create, update, delete.
 *
 *   receive → authenticate → collect → authorize → glass → resource → before → patients
 *     → consent → intent-seal → intent-record → forward → filter → seal → record → respond
 *
 * What is there is read beforehand, and replaced only if it is still that: everybody whose
 * data it was and everybody whose data it becomes has to permit. The intent, with the payload,
 * is committed before the first byte leaves; what became of it, before the answer. If the
 * answer is lost, that is what is recorded, and nothing is sent again.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/bundle/rewrite.h"
#include "fhir/format/json.h"
#include "gateway/consents.h"
#include "gateway/log.h"

#include <errno.h>

enum {
    TARGET_MAX = 4 << 10,
    BODY_MAX = 16 << 20,
    ANSWER_MAX = 16 << 20,
    OUT_MAX = 20 << 20,
    ANSWER_MS = 30000,
};

/* One state of the resource: before, as sent, or as answered. */
struct state {
    struct str text;
    struct bundle_entry entry;
    struct fhir_item item;
    bool there;
};

struct fhir_write {
    struct fhir_exchange fx;
    struct state before;
    struct state sent;
    struct state answered;
    struct str version; /* ETag of @before */
    bool doubtful;      /* @sent isn't known to be valid, and is taken all the same */
};

static struct fhir_write *write_of(struct exchange *ex)
{
    return ex->data;
}

/* Parse @text and read its facts. Return: 0, JSON_E_SYNTAX or -ENOMEM */
static int read_state(struct exchange *ex, struct str text, struct state *out)
{
    const struct node *root;
    int r = json_parse(ex->arena, text, &fhir_of(ex)->issues, &root);
    if (r != 0) {
        return r;
    }
    *out = (struct state){
        .text = text,
        .entry = { .bytes = text, .node = root, .resource = root, .arena = ex->arena },
    };
    r = fhir_entry_read(ex, &out->entry, &out->item);
    out->there = r == 0;
    return r;
}

static const struct node *root_of(const struct state *state)
{
    return state->entry.resource;
}

/* --- resource: what was sent -------------------------------------------------------------- */

static enum step refuse_body(struct exchange *ex, const char *text)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "body", 400, text);
}

static bool supported(const struct interaction *asked)
{
    return !asked->conditional &&
           (asked->kind == INTERACTION_CREATE || asked->kind == INTERACTION_UPDATE ||
            asked->kind == INTERACTION_DELETE);
}

enum step fhir_written_fits(struct exchange *ex, const struct node *root)
{
    const struct interaction *asked = &fhir_of(ex)->interaction;
    if (!str_eq(node_text(root, "resourceType"), asked->type)) {
        return refuse_body(ex, "the body is of another type than the path");
    }
    if (asked->kind == INTERACTION_UPDATE && !str_eq(node_text(root, "id"), asked->id)) {
        return refuse_body(ex, "the body has another id than the path");
    }
    return STEP_NEXT;
}

static enum step resource_enter(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    struct fhir_exchange *fx = &write->fx;
    const struct interaction *asked = &fx->interaction;
    if (!supported(asked)) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "interaction", 501,
                           "this kind of change isn't supported");
    }
    if (asked->kind == INTERACTION_DELETE) {
        return STEP_NEXT;
    }
    fx->dossier.payload = buf_str(&fx->body);
    int r = read_state(ex, buf_str(&fx->body), &write->sent);
    if (r != 0) {
        return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
                     : refuse_body(ex, "the body can't be read");
    }
    const struct node *root = root_of(&write->sent);
    enum step step = fhir_written_fits(ex, root);
    return step == STEP_NEXT ? fhir_validate_written(ex, root, &write->doubtful) : step;
}

static const char *permit_basis(struct exchange *ex)
{
    bool invalid = write_of(ex)->doubtful && !write_of(ex)->fx.glass.asked;
    return invalid ? "invalid" : fhir_permit_basis(ex);
}

/* --- before: what is there ---------------------------------------------------------------- */

static struct str target(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf out = arena_buf(ex->arena, TARGET_MAX);
    buf_str_put(&out, fx->out->base_path);
    buf_c(&out, '/');
    buf_str_put(&out, fx->interaction.type);
    if (fx->interaction.id.n) {
        buf_c(&out, '/');
        buf_str_put(&out, fx->interaction.id);
    }
    return buf_str(&out);
}

static enum step took_before(struct exchange *ex, const struct http_answer *answer)
{
    struct fhir_write *write = write_of(ex);
    int status = answer->fail ? 0 : answer->head->status;
    if (status == 404 || status == 410) {
        return write->fx.interaction.kind == INTERACTION_DELETE
                   ? exchange_stop(ex, OUTCOME_DENY, "not-found")
                   : STEP_NEXT;
    }
    if (status != 200) {
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream", 502,
                           "what is there can't be read");
    }
    struct str text = arena_str(ex->arena, answer->body);
    write->version = arena_str(ex->arena, http_field(answer->head, HTTP_ETAG));
    int r = text.p ? read_state(ex, text, &write->before) : -ENOMEM;
    if (r != 0) {
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-invalid", 502,
                           "what is there can't be read");
    }
    const struct node *root = root_of(&write->before);
    if (!str_eq(node_text(root, "resourceType"), write->fx.interaction.type) ||
        !str_eq(node_text(root, "id"), write->fx.interaction.id)) {
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-invalid", 502,
                           "what is there can't be read");
    }
    return STEP_NEXT;
}

static void on_before(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    exchange_move(ex, took_before(ex, answer));
}

static enum step before_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->interaction.kind == INTERACTION_CREATE) {
        return STEP_NEXT;
    }
    struct http_field fields[4];
    struct http_ask ask = {
        .method = STR("GET"),
        .target = target(ex),
        .fields = fields,
        .n_fields = fhir_upstream_fields(ex, fields),
    };
    return exchange_wait(ex, http_fetch(fx->out->http, &ask, ANSWER_MAX, on_before, ex));
}

/* --- patients, consent -------------------------------------------------------------------- */

static enum step patients_enter(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    int r = 0;
    fhir_people_clear(ex);
    if (write->before.there) {
        r = fhir_entry_name(ex, &write->before.item);
    }
    if (r == 0 && write->sent.there) {
        r = fhir_entry_name(ex, &write->sent.item);
    }
    if (r == 0 && write->fx.only_patient) {
        r = fhir_person_own(ex);
    }
    return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
                 : fhir_people_resolve(ex, fhir_person_own_known);
}

/* Whether everybody permits @state. */
static bool permitted(struct exchange *ex, struct state *state)
{
    return !state->there || fhir_entry_permitted(ex, &state->item);
}

/* An OperationOutcome is nobody's, and refused without a word. */
static const char *why_not(const struct fhir_write *write)
{
    return write->fx.answer.denied ? write->fx.answer.denied : "type";
}

/* Who refuses, if anybody does; STEP_NEXT: all permit. */
static enum step decide(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    struct dossier *dossier = &write->fx.dossier;
    enum consents_state state = consents_state(dossier->worker->consents);
    if (dossier->mode == RECORD_ENFORCE && !fhir_decidable(ex)) {
        return fhir_refuse(ex, OUTCOME_UNAVAILABLE, consents_state_name(state), 503,
                           "consents can't be checked at the moment");
    }
    dossier->decided = consents_epoch(dossier->worker->consents);
    write->fx.answer.denied = NULL;
    if (!permitted(ex, &write->before)) {
        fhir_people_tell(ex);
        return exchange_stop(ex, OUTCOME_DENY, why_not(write));
    }
    if (!permitted(ex, &write->sent)) {
        fhir_people_tell(ex);
        return fhir_refuse(ex, OUTCOME_DENY, why_not(write), 403,
                           "consent doesn't permit this");
    }
    return STEP_NEXT;
}

static enum step consent_enter(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    struct dossier *dossier = &write->fx.dossier;
    enum step step = decide(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    dossier->epoch = dossier->decided;
    dossier->decide_again = "patients";
    struct str match = write->fx.if_match;
    if (match.n && !str_eq(match, write->version)) {
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "version", 412,
                           "it is of another version by now");
    }
    dossier->intent = true;
    dossier->keep = true;
    ex->outcome = OUTCOME_PERMIT;
    ex->basis = permit_basis(ex);
    return STEP_NEXT;
}

/* --- forward ------------------------------------------------------------------------------ */

static enum step refuse_status(struct exchange *ex, int status)
{
    switch (status) {
    case 400:
    case 404:
    case 409:
    case 412:
    case 422:
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-refused", status,
                           "the FHIR server refused the change");
    default:
        log_line(LOG_WARN, "unexpected status from upstream", LOG_I("status", status));
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-status", 502,
                           "the FHIR server failed");
    }
}

/* Below our base instead of the upstream's. */
static struct str mapped(struct exchange *ex, struct str url)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct url_map map = { .from = fx->out->base_url, .to = fx->base };
    struct buf out = arena_buf(ex->arena, TARGET_MAX);
    if (!url_map_covers(&map, url)) {
        return str_starts(url, STR("http")) ? STR("") : arena_str(ex->arena, url);
    }
    buf_str_put(&out, map.to);
    buf_str_put(&out, str_slice(url, map.from.n, url.n));
    return buf_failed(&out) ? STR("") : buf_str(&out);
}

/* Before the change leaves later than it was decided. */
static bool permits(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    write->fx.answer.denied = NULL;
    return fhir_decidable(ex) && permitted(ex, &write->before) && permitted(ex, &write->sent);
}

static bool stands(void *owner)
{
    return dossier_stands(owner, permits);
}

/* It didn't stand any more, and wasn't sent. */
static enum step withdraw(struct exchange *ex)
{
    fhir_of(ex)->sent = false;
    fhir_of(ex)->dossier.subject_count = 0;
    enum step step = decide(ex);
    return step == STEP_NEXT ? fhir_refuse(ex, OUTCOME_UNAVAILABLE, "consent-moved", 503,
                                           "consents changed meanwhile; try again")
                             : step;
}

static enum step took_answer(struct exchange *ex, const struct http_answer *answer)
{
    struct fhir_write *write = write_of(ex);
    struct fhir_exchange *fx = &write->fx;
    if (answer->fail == HTTP_FAIL_WITHDRAWN) {
        return withdraw(ex);
    }
    if (answer->fail) {
        log_line(LOG_WARN, "upstream failed", LOG_Z("how", http_fail_text(answer->fail)));
        return http_fail_unsent(answer->fail)
                   ? fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream", 502,
                                 "the FHIR server can't be reached")
                   : exchange_stop(ex, OUTCOME_UNKNOWN, "answer-lost");
    }
    fx->sent = false; /* what became of it is known */
    int status = answer->head->status;
    if (status != 200 && status != 201 && status != 204) {
        return refuse_status(ex, status);
    }
    fx->status = status;
    fx->bare = true;
    fx->answer.etag = arena_str(ex->arena, http_field(answer->head, HTTP_ETAG));
    fx->answer.modified = arena_str(ex->arena, http_field(answer->head, HTTP_LAST_MODIFIED));
    fx->answer.location = mapped(ex, http_field(answer->head, HTTP_LOCATION));
    struct str text = arena_str(ex->arena, answer->body);
    if (text.n && (!fhir_upstream_readable(answer->head) ||
                   read_state(ex, text, &write->answered) != 0)) {
        write->answered.there = false; /* done all the same; nothing of it is shown */
    }
    return STEP_NEXT;
}

static void on_answer(void *owner, const struct http_answer *answer)
{
    struct exchange *ex = exchange_woken(owner);
    exchange_move(ex, took_answer(ex, answer));
}

static enum step forward_enter(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    struct fhir_exchange *fx = &write->fx;
    struct http_field fields[8];
    size_t n = fhir_upstream_fields(ex, fields);
    if (write->sent.there) {
        fields[n++] = (struct http_field){ .name = STR("Content-Type"),
                                           .value = STR("application/fhir+json") };
    }
    if (write->version.n) {
        fields[n++] = (struct http_field){ .name = STR("If-Match"), .value = write->version };
    }
    struct http_ask ask = {
        .method = fx->method,
        .target = target(ex),
        .fields = fields,
        .n_fields = n,
        .body = write->sent.text,
        .still = stands,
        .first_byte_ms = ANSWER_MS,
    };
    /* The intent is in the log; from here on it is the outcome that is gathered. */
    fx->dossier.intent = false;
    fx->dossier.keep = false;
    fx->dossier.has_stored = false;
    fx->dossier.committed = false;
    fx->dossier.payload = STR("");
    fx->dossier.epoch = BATCH_EPOCH_ANY;
    fx->dossier.decide_again = NULL;
    struct op *op = http_fetch(fx->out->http, &ask, ANSWER_MAX, on_answer, ex);
    if (!op) {
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-busy", 503,
                           "the FHIR server can't be asked at the moment");
    }
    fx->sent = true;
    return exchange_wait(ex, op);
}

/* --- filter: what is shown of the answer -------------------------------------------------- */

static enum step show(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    struct fhir_exchange *fx = &write->fx;
    bool decidable = fx->dossier.mode != RECORD_ENFORCE || fhir_decidable(ex);
    if (!decidable || !permitted(ex, &write->answered)) {
        return STEP_NEXT;
    }
    struct url_map map = { .from = fx->out->base_url, .to = fx->base };
    struct buf out = arena_buf(ex->arena, OUT_MAX);
    struct str text = write->answered.text;
    const struct node *root = root_of(&write->answered);
    rewrite_urls(&map, root, str_slice(text, root->start, root->end), &out);
    if (!buf_failed(&out)) {
        fx->result = buf_str(&out);
        fx->dossier.payload = fx->result;
        fx->dossier.released = 1;
    }
    return STEP_NEXT;
}

static enum step filter_enter(struct exchange *ex)
{
    struct fhir_write *write = write_of(ex);
    bool minimal = memmem(write->fx.prefer.p, write->fx.prefer.n, "return=minimal", 14);
    ex->outcome = OUTCOME_PERMIT;
    ex->basis = permit_basis(ex);
    if (!write->answered.there || minimal) {
        return STEP_NEXT;
    }
    fhir_people_clear(ex);
    return fhir_entry_name(ex, &write->answered.item) < 0 ? STEP_NEXT
                                                          : fhir_people_resolve(ex, show);
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct stage write_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 60, WHILE_OPEN },
    { "authorize", fhir_authorize_enter, 0, WHILE_OPEN },
    { "actor", fhir_actor_enter, 20, WHILE_OPEN },
    { "glass", fhir_glass_enter, 5, WHILE_OPEN },
    { "resource", resource_enter, 0, WHILE_OPEN },
    { "before", before_enter, 60, WHILE_OPEN },
    { "patients", patients_enter, 10, WHILE_OPEN },
    { "consent", consent_enter, 0, WHILE_OPEN },
    { "intent-seal", seal_enter, 5, WHILE_OPEN },
    { "intent-record", record_enter, 5, WHILE_OPEN },
    { "forward", forward_enter, 120, WHILE_OPEN },
    { "filter", filter_enter, 10, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_write_kind = { write_pipeline, sizeof(struct fhir_write),
                                           BODY_MAX };
