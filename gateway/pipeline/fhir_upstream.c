/*
 * Stage "forward" of what reads: ask the FHIR server, and take its answer in pieces.
 *
 *   forward --head and all of a small body--> next
 *           --more than a small body--> paused --> next: "filter" reads on, piece by piece
 *           --failure--> stop
 *
 * What the client sent is not passed on but written anew from what was understood. No more is
 * read than is being looked at: a call with an unread piece is paused.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/rest/media.h"
#include "gateway/heap.h"
#include "gateway/log.h"
#include "gateway/way_out.h"

enum {
    TARGET_MAX = 32 << 10,
    PIECE_MAX = 4 << 20, /* received and unread, whatever the pauses */
};

size_t fhir_upstream_fields(struct exchange *ex, struct http_field fields[4])
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct config_destination_auth *auth = fx->out->config->auth;
    struct str authorization = auth && auth->kind == AUTH_PASS
                                   ? fx->authorization
                                   : way_out_authorization(fx->out, ex->arena);
    size_t n = 0;
    fields[n++] =
        (struct http_field){ .name = STR("Accept"), .value = STR("application/fhir+json") };
    fields[n++] = (struct http_field){ .name = STR("X-Request-Id"), .value = fx->request_id };
    if (authorization.n) {
        fields[n++] =
            (struct http_field){ .name = STR("Authorization"), .value = authorization };
    }
    return n;
}

/* --- the answer --------------------------------------------------------------------------- */

/* What a status that isn't 200 means for the client. Bodies of errors are never shown. */
static enum step refuse_status(struct exchange *ex, int status)
{
    switch (status) {
    case 404:
    case 410: /* whose it was isn't known any more */
        return exchange_stop(ex, OUTCOME_DENY, "not-found");
    case 400:
    case 422:
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "upstream-refused", 400,
                           "the FHIR server doesn't understand the request");
    case 429:
    case 503:
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-busy", 503,
                           "the FHIR server can't answer at the moment");
    default:
        log_line(LOG_WARN, "unexpected status from upstream", LOG_I("status", status));
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-status", 502,
                           "the FHIR server failed");
    }
}

bool fhir_upstream_readable(const struct http_head *head)
{
    struct str coding = http_field(head, HTTP_CONTENT_ENCODING);
    return (coding.n == 0 || str_eq(coding, STR("identity"))) &&
           media_is_json(http_field(head, HTTP_CONTENT_TYPE));
}

static enum step judge(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    if (answer->fail) {
        log_line(LOG_WARN, "upstream failed", LOG_Z("how", http_fail_text(answer->fail)));
        bool slow = answer->fail == HTTP_FAIL_TIMEOUT;
        return fhir_refuse(ex, slow ? OUTCOME_TIMEOUT : OUTCOME_UPSTREAM,
                           slow ? "upstream-timeout" : "upstream", slow ? 504 : 502,
                           slow ? "the FHIR server doesn't answer in time"
                                : "the FHIR server doesn't answer");
    }
    if (answer->status != 200) {
        return refuse_status(ex, answer->status);
    }
    if (!answer->readable) {
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-invalid", 502,
                           "the FHIR server's answer isn't JSON");
    }
    answer->streaming = !answer->ended;
    return STEP_NEXT;
}

/* Something came: whoever waits for it goes on. */
static void wake(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (!fhir_woken(ex, &fx->answer.wait)) {
        return;
    }
    exchange_move(ex, fx->answer.streaming ? fhir_filter_enter(ex) : judge(ex));
}

static void on_head(void *owner, const struct http_head *head)
{
    struct exchange *ex = owner;
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    answer->status = head->status;
    answer->readable = fhir_upstream_readable(head);
    answer->etag = arena_str(ex->arena, http_field(head, HTTP_ETAG));
    answer->modified = arena_str(ex->arena, http_field(head, HTTP_LAST_MODIFIED));
    answer->location = arena_str(ex->arena, http_field(head, HTTP_LOCATION));
}

static void on_body(void *owner, struct str piece)
{
    struct exchange *ex = owner;
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    buf_str_put(&answer->held, piece);
    if (buf_failed(&answer->held)) {
        answer->fail = HTTP_FAIL_MEMORY;
    }
    if (answer->held.n > FHIR_SMALL_MAX || answer->streaming || answer->fail) {
        http_call_pause(answer->call);
        answer->paused = true;
        wake(ex);
    }
}

static void on_end(void *owner)
{
    struct exchange *ex = owner;
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    answer->call = NULL;
    answer->ended = true;
    wake(ex);
}

static void on_fail(void *owner, enum http_fail fail)
{
    struct exchange *ex = owner;
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    answer->call = NULL;
    answer->ended = true;
    answer->fail = fail;
    wake(ex);
}

enum step fhir_upstream_more(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    if (answer->call && answer->paused) {
        answer->paused = false;
        http_call_resume(answer->call);
    }
    return fhir_wait(ex, &answer->wait);
}

void fhir_upstream_close(struct exchange *ex)
{
    struct fhir_answer *answer = &fhir_of(ex)->answer;
    if (answer->call) {
        op_cancel(http_call_op(answer->call));
        answer->call = NULL;
    }
}

/* --- the question ------------------------------------------------------------------------- */

/* Path and query, written anew. */
static struct str target(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct interaction *asked = &fx->interaction;
    struct buf out = arena_buf(ex->arena, TARGET_MAX);
    buf_str_put(&out, fx->out->base_path);
    if (asked->compartment) {
        buf_z(&out, "/Patient/");
        buf_str_put(&out, asked->id);
    }
    buf_c(&out, '/');
    buf_str_put(&out, asked->type);
    if (asked->kind == INTERACTION_SEARCH) {
        buf_c(&out, '?');
        interaction_query(asked, &out);
        return buf_failed(&out) ? (struct str){ 0 } : buf_str(&out);
    }
    buf_c(&out, '/');
    buf_str_put(&out, asked->id);
    if (asked->kind == INTERACTION_HISTORY_INSTANCE || asked->kind == INTERACTION_VREAD) {
        buf_z(&out, "/_history");
    }
    if (asked->kind == INTERACTION_VREAD) {
        buf_c(&out, '/');
        buf_str_put(&out, asked->version);
    }
    return buf_failed(&out) ? (struct str){ 0 } : buf_str(&out);
}

enum step fhir_forward_enter(struct exchange *ex)
{
    static const struct http_call_calls calls = {
        .on_head = on_head,
        .on_body = on_body,
        .on_end = on_end,
        .on_fail = on_fail,
    };
    struct fhir_exchange *fx = fhir_of(ex);
    struct http_field fields[4];
    struct http_ask ask = {
        .method = STR("GET"),
        .target = target(ex),
        .fields = fields,
        .n_fields = fhir_upstream_fields(ex, fields),
    };
    if (ask.target.n == 0) {
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "too-long", 414, "the query is too long");
    }
    fx->answer.held = heap_buf(FHIR_SMALL_MAX + PIECE_MAX);
    fx->answer.call = http_call_start(fx->out->http, &ask, &calls, ex);
    if (!fx->answer.call) {
        return fhir_refuse(ex, OUTCOME_UPSTREAM, "upstream-busy", 503,
                           "the FHIR server can't be asked at the moment");
    }
    return fhir_wait(ex, &fx->answer.wait);
}
