/*
 * Validation on the FHIR port.
 *
 *   $validate: receive → authenticate → collect → authorize → validate → seal → record →
 * respond
 *
 * $validate is answered from what is posted alone: nothing is read from the FHIR server, so it
 * tells nothing of what is there. Who may read or write resources of a type may ask.
 *
 * Nothing else runs in the worker while a resource is looked at, so what is longer than
 * VALIDATION_BYTES_MAX is not: a write that must be valid is refused then.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json.h"
#include "fhir/rest/media.h"
#include "fhir/rest/outcome.h"
#include "fhir/rest/search.h"
#include "gateway/identity/role.h"
#include "gateway/identity/scope.h"
#include "gateway/metrics.h"

enum {
    ANSWER_MAX = 1 << 20, /* 2 ISSUES_MAX of the longest */
};

/* --- writes ------------------------------------------------------------------------------- */

static enum step refuse_invalid(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    fx->place = fx->interaction.type;
    return fhir_refuse(ex, OUTCOME_BAD_REQUEST, "invalid", 422, "the resource isn't valid");
}

enum step fhir_validate_written(struct exchange *ex, const struct node *resource,
                                bool *doubtful)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct config_route *route = fx->dossier.route;
    bool reject = route->validate == VALIDATE_REJECT;
    if (route->validate == VALIDATE_OFF) {
        return STEP_NEXT;
    }
    if (fx->body.n > VALIDATION_BYTES_MAX) {
        metrics_add(METRIC_VALID_UNKNOWN, 1);
        *doubtful = true;
        return reject ? fhir_refuse(ex, OUTCOME_BAD_REQUEST, "too-long", 413,
                                    "the resource is too long to be validated")
                      : STEP_NEXT;
    }
    struct issues issues;
    issues_init(&issues, ex->arena);
    const struct validation_ask ask = { .route = route, .now = ex->time };
    if (validation_look(dossier_of(ex)->worker->child->validation, ex->arena, resource, &ask,
                        &issues) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    *doubtful = issues_bad(&issues);
    metrics_add(*doubtful ? METRIC_INVALID : METRIC_VALID, 1);
    if (!*doubtful || !reject) {
        return STEP_NEXT;
    }
    fx->issues = issues;
    return refuse_invalid(ex);
}

/* --- $validate: may it be asked ----------------------------------------------------------- */

/* The first right to the type that the token has, so that any one is enough. */
static unsigned some_right(const struct fhir_exchange *fx)
{
    static const unsigned rights[] = { SCOPE_READ, SCOPE_CREATE, SCOPE_UPDATE };
    for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
        if (scope_contexts(fx->claims.scope, fx->interaction.type, rights[i])) {
            return rights[i];
        }
    }
    return SCOPE_READ;
}

static enum step authorize_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    enum step step = fhir_understand(ex);
    if (step != STEP_NEXT) {
        return step;
    }
    if (fx->interaction.type.n == 0) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "operation", 501,
                           "resources are validated as ones of their type");
    }
    if (!str_eq(fx->method, STR("POST"))) {
        return fhir_refuse(ex, OUTCOME_UNSUPPORTED, "operation", 405,
                           "what is to be validated is posted");
    }
    unsigned right = some_right(fx);
    return fhir_allow(ex, right, role_classes(right));
}

/* --- $validate: what is asked ------------------------------------------------------------- */

/* @resource: NULL: none was given */
struct asked {
    const struct node *resource;
    struct str mode;
    struct str profile;
};

/* A value of a parameter, whatever its type. */
static struct str value_of(const struct node *parameter)
{
    for (const struct node *member = node_first(parameter); member; member = member->next) {
        if (str_starts(member->name, STR("value")) && member->kind == NODE_STRING) {
            return member->text;
        }
    }
    return STR("");
}

static void take_parameters(const struct node *root, struct asked *asked)
{
    asked->resource = NULL;
    for (const struct node *at = node_first(node_get(root, "parameter")); at; at = at->next) {
        struct str name = node_text(at, "name");
        if (str_eq(name, STR("resource"))) {
            asked->resource = node_get(at, "resource");
        } else if (str_eq(name, STR("mode"))) {
            asked->mode = value_of(at);
        } else if (str_eq(name, STR("profile"))) {
            asked->profile = value_of(at);
        }
    }
}

/* mode and profile may stand in the query instead. Return: 0 or -ENOMEM */
static int take_query(struct exchange *ex, struct asked *asked, struct search_fault *fault)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct interaction *asks = &fx->interaction;
    int r = search_split(ex->arena, fx->query, asks, fault);
    for (const struct search_param *p = asks->params; r == 0 && p; p = p->next) {
        if (str_eq(p->name, STR("mode"))) {
            asked->mode = p->value;
        } else if (str_eq(p->name, STR("profile"))) {
            asked->profile = p->value;
        } else if (!search_is_form(p)) {
            *fault = (struct search_fault){ 400, "invalid", "unknown parameter", p->name };
        }
    }
    return r;
}

static enum step refuse_asking(struct exchange *ex, int status, const char *text)
{
    return fhir_refuse(ex, status == 501 ? OUTCOME_UNSUPPORTED : OUTCOME_BAD_REQUEST,
                       "operation", status, text);
}

/* Body and query; STEP_NEXT if they can be understood. */
static enum step understand(struct exchange *ex, struct asked *asked)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct search_fault fault = { 0 };
    const struct node *root = NULL;
    if (take_query(ex, asked, &fault) < 0) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    if (fault.status) {
        fx->what = fault.what;
        return refuse_asking(ex, fault.status, fault.why);
    }
    if (fx->body.n && !media_is_json(fx->content_type)) {
        return refuse_asking(ex, 415, "the body must be JSON");
    }
    int r = fx->body.n ? json_parse(ex->arena, buf_str(&fx->body), &fx->issues, &root) : 0;
    if (r != 0) {
        return r < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory")
                     : refuse_asking(ex, 400, "the body can't be read");
    }
    asked->resource = root;
    if (str_eq(node_text(root, "resourceType"), STR("Parameters")) &&
        !str_eq(fx->interaction.type, STR("Parameters"))) {
        take_parameters(root, asked);
    }
    return STEP_NEXT;
}

static bool is_mode(struct str mode)
{
    static const char *const modes[] = { "", "create", "update", "delete", "profile" };
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        known |= str_eq(mode, str_z(modes[i]));
    }
    return known;
}

/* What can't be asked of us; STEP_NEXT if it can. */
static enum step check_asked(struct exchange *ex, const struct asked *asked)
{
    if (!is_mode(asked->mode)) {
        return refuse_asking(ex, 400, "mode is create, update, delete or profile");
    }
    if (str_eq(asked->mode, STR("delete"))) {
        return refuse_asking(ex, 501, "whether something may be deleted is decided when it is");
    }
    if (str_eq(asked->mode, STR("profile")) && asked->profile.n == 0) {
        return refuse_asking(ex, 400, "this mode needs a profile");
    }
    if (!asked->resource) {
        return fhir_of(ex)->interaction.id.n
                   ? refuse_asking(ex, 501, "what is stored isn't validated; post it")
                   : refuse_asking(ex, 400, "there is no resource to validate");
    }
    return STEP_NEXT;
}

/* --- $validate: the answer ---------------------------------------------------------------- */

/* What path and mode demand of the resource. */
static void check_path(const struct interaction *path, const struct asked *asked,
                       struct issues *issues)
{
    struct str type = node_text(asked->resource, "resourceType");
    struct str id = node_text(asked->resource, "id");
    bool update = str_eq(asked->mode, STR("update"));
    if (!str_eq(type, path->type)) {
        issues_add(issues, ISSUE_ERROR, "invalid", path->type,
                   "is of another type than the path");
    } else if (path->id.n && id.n && !str_eq(id, path->id)) {
        issues_add(issues, ISSUE_ERROR, "invalid", path->type, "has another id than the path");
    } else if (update && id.n == 0) {
        issues_add(issues, ISSUE_ERROR, "required", path->type, "needs an id to be updated");
    }
}

static enum step validate_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct asked asked = { 0 };
    struct issues issues;
    enum step step = understand(ex, &asked);
    step = step == STEP_NEXT ? check_asked(ex, &asked) : step;
    if (step != STEP_NEXT) {
        return step;
    }
    const struct validation_ask ask = { fx->dossier.route, asked.profile, ex->time };
    struct buf out = arena_buf(ex->arena, ANSWER_MAX);
    issues_init(&issues, ex->arena);
    check_path(&fx->interaction, &asked, &issues);
    int r = validation_look(fx->dossier.worker->child->validation, ex->arena, asked.resource,
                            &ask, &issues);
    outcome_write_verdict(fx->interaction.type, &issues, fx->request_id, &out);
    if (r < 0 || buf_failed(&out)) {
        return exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory");
    }
    fx->dossier.payload = buf_str(&fx->body);
    fx->result = buf_str(&out);
    fx->status = 200;
    return exchange_stop(ex, OUTCOME_DONE, issues_bad(&issues) ? "invalid" : "valid");
}

static const struct stage validate_pipeline[] = {
    /* name           enter                    wait  runs */
    { "receive", fhir_receive_enter, 0, WHILE_OPEN },
    { "authenticate", fhir_authenticate_enter, 5, WHILE_OPEN },
    { "collect", fhir_collect_enter, 30, WHILE_OPEN },
    { "authorize", authorize_enter, 0, WHILE_OPEN },
    { "validate", validate_enter, 0, WHILE_OPEN },
    { "seal", fhir_seal_enter, 5, ALWAYS },
    { "record", fhir_record_enter, 5, ALWAYS },
    { "respond", fhir_respond_enter, 60, ALWAYS },
    { 0 },
};

const struct fhir_kind fhir_validate_kind = { validate_pipeline, sizeof(struct fhir_exchange),
                                              VALIDATION_BYTES_MAX };
