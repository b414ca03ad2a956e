/*
 * The first stages: who asks, for what, and may this client ask it at all.
 *
 * The body is read only after the token was found good, so that strangers can't make us hold
 * anything.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "crypto/base/hex.h"
#include "fhir/consent/action.h"
#include "gateway/id.h"
#include "gateway/identity/identity.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/store/logins.h"

#include <strings.h>

enum {
    REQUEST_TEXT_MAX = 80 << 10,
};

enum step fhir_refuse(struct exchange *ex, enum outcome outcome, const char *basis, int status,
                      const char *text)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->status = status;
    fx->text = text;
    return exchange_stop(ex, outcome, basis);
}

/* --- receive ------------------------------------------------------------------------------ */

/* Whether the client takes JSON. */
static bool accepts_json(struct str accept)
{
    return accept.n == 0 || memmem(accept.p, accept.n, "json", 4) ||
           memmem(accept.p, accept.n, "*/*", 3) ||
           memmem(accept.p, accept.n, "application/*", 13);
}

bool fhir_below(struct str path, struct str base, struct str *out)
{
    const char *host = memmem(base.p, base.n, "://", 3);
    struct str rest = host ? str_slice(base, (size_t)(host - base.p) + 3, base.n) : base;
    const char *slash = rest.n ? memchr(rest.p, '/', rest.n) : NULL;
    struct str prefix = slash ? str_slice(rest, (size_t)(slash - rest.p), rest.n) : STR("");
    if (!str_starts(path, prefix) || (path.n > prefix.n && path.p[prefix.n] != '/')) {
        return false;
    }
    *out = str_slice(path, prefix.n, path.n);
    return true;
}

static struct str kept(struct exchange *ex, enum http_name name)
{
    return arena_str(ex->arena, http_field(http_req_head(fhir_of(ex)->req), name));
}

/* The client's id if it is harmless, else ours. */
static void set_request_id(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct str given = http_field(http_req_head(fx->req), HTTP_X_REQUEST_ID);
    bool good = given.n > 0 && given.n <= 64;
    for (size_t i = 0; good && i < given.n; i++) {
        good = given.p[i] > ' ' && given.p[i] < 127;
    }
    char *text = arena_alloc(ex->arena, ID_TEXT_SIZE);
    if (good) {
        fx->request_id = arena_str(ex->arena, given);
    } else if (text) {
        id_text(ex->id, text);
        fx->request_id = str_z(text);
    }
}

static enum step refuse_path(struct exchange *ex)
{
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "path", 404, "nothing is served at this path");
}

enum step fhir_receive_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct http_head *head = http_req_head(fx->req);
    struct str path;
    issues_init(&fx->issues, ex->arena);
    set_request_id(ex);
    fx->head = head->method == HTTP_HEAD;
    fx->method = arena_str(ex->arena, head->method_text);
    fx->query = arena_str(ex->arena, head->query);
    fx->content_type = kept(ex, HTTP_CONTENT_TYPE);
    fx->if_none_exist = kept(ex, HTTP_IF_NONE_EXIST);
    fx->if_none_match = kept(ex, HTTP_IF_NONE_MATCH);
    fx->if_match = kept(ex, HTTP_IF_MATCH);
    fx->prefer = kept(ex, HTTP_PREFER);
    fx->accept = kept(ex, HTTP_ACCEPT);
    fx->authorization = kept(ex, HTTP_AUTHORIZATION);
    bool served = fhir_below(head->path, fx->base, &path);
    fx->path = served ? arena_str(ex->arena, path) : STR("");

    struct buf text = arena_buf(ex->arena, REQUEST_TEXT_MAX);
    buf_str_put(&text, fx->method);
    buf_c(&text, ' ');
    buf_str_put(&text, head->target);
    fx->dossier.request = buf_str(&text);
    if (buf_failed(&text) || !fx->query.p || !fx->path.p) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    return STEP_NEXT;
}

/* --- authenticate ------------------------------------------------------------------------- */

enum step fhir_unauthenticated(struct exchange *ex, int status, const char *why)
{
    fhir_count_refused(fhir_of(ex)->way);
    return fhir_refuse(ex, OUTCOME_UNAUTHENTICATED, "token", status, why);
}

/* We know who asks. */
static enum step known(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct str path;
    return fhir_below(http_req_head(fx->req)->path, fx->base, &path) ? STEP_NEXT
                                                                     : refuse_path(ex);
}

static void on_session(void *arg, int r, const struct db_rows *rows)
{
    struct exchange *ex = exchange_woken(arg);
    struct fhir_exchange *fx = fhir_of(ex);
    if (r < 0) {
        exchange_move(ex, fhir_unauthenticated(ex, 503, "sessions can't be read"));
        return;
    }
    fx->logged_in = store_login_patient(rows, fx->own);
    fx->has_own = fx->logged_in;
    exchange_move(ex, fx->logged_in ? known(ex)
                                    : fhir_unauthenticated(ex, 401, "the session has ended"));
}

/* A token of our own is as good as its session. */
static enum step find_session(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (hex_decode(fx->claims.id, fx->session, sizeof(fx->session)) < 0) {
        return fhir_unauthenticated(ex, 401, "the token names no session");
    }
    return exchange_wait(
        ex, store_login_session(fx->dossier.worker->db, fx->session, on_session, ex));
}

enum step fhir_authenticate_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct worker *worker = fx->way->worker;
    struct str token = fx->authorization;
    struct str scheme = str_cut(&token, ' ');
    bool bearer = scheme.n == 6 && strncasecmp(scheme.p, "Bearer", 6) == 0;
    if (!bearer || token.n == 0 ||
        http_field_count(http_req_head(fx->req), HTTP_AUTHORIZATION) != 1) {
        return fhir_unauthenticated(ex, 401, NULL);
    }
    int r = identity_check(worker->identity, fx->way->config, ex->arena, token, ex->time,
                           &fx->claims);
    if (r < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (r > 0) {
        /* Without the issuer's keys the token may be good: the client should keep it. */
        return fhir_unauthenticated(ex, r == TOKEN_E_KEYS ? 503 : 401,
                                    token_reason((enum token_error)r));
    }
    if (fhir_actor_set(ex) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    bool ours = fx->way->config->login && str_eq(fx->claims.issuer, fx->base);
    return ours ? find_session(ex) : known(ex);
}

/* --- collect ------------------------------------------------------------------------------ */

static enum step collected(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (fx->body_broken) {
        return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "too-long", 413, "the body is too long");
    }
    if (!str_ends(fx->path, STR("/_search")) || fx->body.n == 0) {
        return STEP_NEXT;
    }
    struct buf text = arena_buf(ex->arena, REQUEST_TEXT_MAX);
    buf_str_put(&text, fx->dossier.request);
    buf_c(&text, ' ');
    buf_str_put(&text, buf_str(&fx->body));
    fx->dossier.request = buf_str(&text);
    return buf_failed(&text) ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory") : STEP_NEXT;
}

void fhir_on_body(void *owner, struct str piece)
{
    struct fhir_exchange *fx = fhir_of(owner);
    if (fx->body.n + piece.n > fx->body_max) {
        fx->body_broken = true;
    }
    if (!fx->body_broken) {
        buf_str_put(&fx->body, piece);
        fx->body_broken = buf_failed(&fx->body);
    }
}

void fhir_on_end(void *owner)
{
    struct exchange *ex = owner;
    fhir_of(ex)->body_done = true;
    if (fhir_woken(ex, &fhir_of(ex)->body_wait)) {
        exchange_move(ex, collected(ex));
    }
}

enum step fhir_collect_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->body.limit = fx->body_max;
    if (!http_req_has_body(fx->req)) {
        return STEP_NEXT;
    }
    http_req_resume(fx->req);
    return fx->body_done ? collected(ex) : fhir_wait(ex, &fx->body_wait);
}

/* --- authorize ---------------------------------------------------------------------------- */

static const enum record_interaction recorded_as[] = {
    [INTERACTION_REFUSED] = RECORD_OPERATION,
    [INTERACTION_CAPABILITIES] = RECORD_CAPABILITIES,
    [INTERACTION_READ] = RECORD_READ,
    [INTERACTION_VREAD] = RECORD_VREAD,
    [INTERACTION_SEARCH] = RECORD_SEARCH,
    [INTERACTION_CREATE] = RECORD_CREATE,
    [INTERACTION_UPDATE] = RECORD_UPDATE,
    [INTERACTION_PATCH] = RECORD_PATCH,
    [INTERACTION_DELETE] = RECORD_DELETE,
    [INTERACTION_BATCH] = RECORD_BATCH,
    [INTERACTION_HISTORY_INSTANCE] = RECORD_HISTORY,
    [INTERACTION_OPERATION] = RECORD_OPERATION,
};

static int classify(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct interaction_request request = {
        .method = fx->method,
        .path = fx->path,
        .query = fx->query,
        .form = str_ends(fx->path, STR("/_search")) ? buf_str(&fx->body) : STR(""),
        .content_type = fx->content_type,
        .if_none_exist = fx->if_none_exist,
    };
    int r = interaction_classify(ex->arena, &request, &fx->interaction);
    if (r == 0) {
        fx->dossier.interaction = recorded_as[fx->interaction.kind];
        fx->asks.action = action_of_interaction(str_z(interaction_name(&fx->interaction)));
    }
    return r;
}

const struct config_route *fhir_route(const struct way_in *way)
{
    const struct config *config = way->worker->config;
    for (size_t i = 0; i < config->routes.n; i++) {
        const struct config_route *route = config_route(config, i);
        if (strcmp(route->from, way->config->place.name) == 0 && route->to.n > 0) {
            return route;
        }
    }
    return NULL;
}

bool fhir_leads_to_v2(const struct way_in *way)
{
    const struct config_route *route = fhir_route(way);
    return route && config_leads_to_v2(way->worker->config, route);
}

static bool set_route(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct config_route *route = fhir_route(fx->way);
    if (route) {
        dossier_route(ex, route);
        fx->out = worker_way_out(fx->way->worker, route->to.items[0]);
    }
    if (fx->out) {
        fx->server = fx->out->http ? fx->out->base_url : fx->base;
    }
    return fx->out != NULL;
}

static enum step refuse_interaction(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct interaction *found = &fx->interaction;
    fx->code = found->code;
    fx->what = found->what;
    return fhir_refuse(ex, found->status == 501 ? OUTCOME_UNSUPPORTED : OUTCOME_BAD_REQUEST,
                       "interaction", found->status, found->why);
}

enum step fhir_understand(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (classify(ex) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (!set_route(ex)) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "no-route", 501,
                           "nothing stands behind this address");
    }
    if (fx->interaction.kind == INTERACTION_REFUSED) {
        return refuse_interaction(ex);
    }
    if (!accepts_json(fx->accept)) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "accept", 406, "only JSON is spoken here");
    }
    return STEP_NEXT;
}

/* Does the bearer have a role that the issuer's configuration asks for? Of patients who logged
 * in here none is. */
static bool has_role(const struct fhir_exchange *fx, unsigned classes)
{
    const struct config_issuer *issuer = config_issuer(fx->way->config, fx->claims.issuer);
    return fx->logged_in ? role_allows(NULL, &fx->claims.roles, classes)
                         : issuer && role_allows(issuer->roles, &fx->claims.roles, classes);
}

enum step fhir_allow(struct exchange *ex, unsigned rights, unsigned classes)
{
    return fhir_allow_type(ex, fhir_of(ex)->interaction.type, rights, classes);
}

enum step fhir_allow_type(struct exchange *ex, struct str type, unsigned rights,
                          unsigned classes)
{
    struct fhir_exchange *fx = fhir_of(ex);
    unsigned contexts = rights ? scope_contexts(fx->claims.scope, type, rights) : 0;
    fx->rights = rights;
    fx->only_patient = contexts == SCOPE_PATIENT;
    bool nobody = fx->only_patient && fx->claims.patient.n == 0 && !fx->logged_in;
    if (contexts == 0 || nobody) {
        return fhir_refuse(ex, OUTCOME_FORBIDDEN, "scope", 403,
                           "the token's scopes don't cover this");
    }
    if (!has_role(fx, classes)) {
        return fhir_refuse(ex, OUTCOME_FORBIDDEN, "role", 403,
                           "the token names no role that may do this");
    }
    return STEP_NEXT;
}

enum step fhir_purposed(struct exchange *ex)
{
    const struct fhir_exchange *fx = fhir_of(ex);
    if (fx->dossier.mode == RECORD_ENFORCE && !fx->asks.purposes &&
        !fx->asks.n_other_purposes) {
        return fhir_refuse(ex, OUTCOME_FORBIDDEN, "purpose-missing", 403,
                           "the token declares no purpose of use");
    }
    return STEP_NEXT;
}

enum step fhir_authorize_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step == STEP_NEXT && (fx->interaction.kind == INTERACTION_OPERATION ||
                              fx->interaction.kind == INTERACTION_BATCH)) {
        step = fhir_refuse(ex, OUTCOME_UNSUPPORTED, "operation", 501,
                           "this operation isn't supported");
    }
    if (step == STEP_NEXT) {
        unsigned rights = scope_rights(&fx->interaction);
        bool changes = rights & ~(unsigned)(SCOPE_READ | SCOPE_SEARCH);
        step = fx->logged_in && changes ? fhir_allow(ex, 0, 0)
                                        : fhir_allow(ex, rights, role_classes(rights));
    }
    return step == STEP_NEXT ? fhir_purposed(ex) : step;
}
