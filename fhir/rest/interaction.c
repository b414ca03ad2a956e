/*
 * From a request line to an interaction.
 *
 * The path is cut at its slashes and matched against one table, so what is not in the table
 * is refused. Ids and types have strict forms, percent-encoding has no place in a path.
 */
#include "fhir/rest/interaction.h"

#include "fhir/rest/media.h"
#include "fhir/rest/search.h"

#include <errno.h>

enum {
    SEGMENTS_MAX = 5,
};

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_OTHER };

struct path {
    struct str part[SEGMENTS_MAX];
    size_t n;
};

struct classifier {
    struct arena *arena;
    const struct interaction_request *request;
    struct path path;
    enum method method;
    struct interaction *out;
};

static int refuse(struct classifier *c, int status, const char *why, struct str what)
{
    *c->out = (struct interaction){
        .kind = INTERACTION_REFUSED,
        .status = status,
        .code = status == 400   ? "invalid"
                : status == 404 ? "not-found"
                                : "not-supported",
        .why = why,
        .what = what,
    };
    return 0;
}

/* ---- parameters ---- */

static int take_fault(struct classifier *c, const struct search_fault *fault)
{
    (void)refuse(c, fault->status, fault->why, fault->what);
    c->out->code = fault->code;
    return 0;
}

/* Read @query; for a search check each parameter and note whom it names. */
static int take_query(struct classifier *c, struct str query)
{
    struct search_fault fault = { 0 };
    int r = search_split(c->arena, query, c->out, &fault);
    if (r < 0) {
        return r;
    }
    for (const struct search_param *p = c->out->params; p && !fault.status; p = p->next) {
        search_check(c->out->type, p, &fault);
    }
    return fault.status ? take_fault(c, &fault) : 0;
}

static int take_search(struct classifier *c, struct str query, struct str form)
{
    int r = take_query(c, query);
    if (!r && c->out->kind != INTERACTION_REFUSED && form.n) {
        r = take_query(c, form);
    }
    const struct search_param *p = c->out->params;
    for (; !r && c->out->kind != INTERACTION_REFUSED && p; p = p->next) {
        r = search_patients(c->arena, c->out->type, p, c->out);
    }
    return r;
}

/* A query where nothing is searched: only the form of the answer may be asked for. */
static int take_form(struct classifier *c)
{
    struct search_fault fault = { 0 };
    int r = search_split(c->arena, c->request->query, c->out, &fault);
    if (r < 0) {
        return r;
    }
    bool history = c->out->kind == INTERACTION_HISTORY_INSTANCE;
    for (const struct search_param *p = c->out->params; p && !fault.status; p = p->next) {
        bool pages =
            history && (str_eq(p->name, STR("_count")) || str_eq(p->name, STR("_since")));
        bool summary = str_eq(p->name, STR("_summary"));
        if (search_is_form(p) || pages || summary) {
            search_check(c->out->type, p, &fault);
            fault.status = pages ? 0 : fault.status;
        } else {
            fault = (struct search_fault){ 400, "invalid", "unknown parameter", p->name };
        }
    }
    return fault.status ? take_fault(c, &fault) : 0;
}

/* ---- kinds ---- */

static int set_patient(struct classifier *c)
{
    if (!str_eq(c->out->type, STR("Patient")) || !c->out->id.n) {
        return 0;
    }
    struct search_param by_id = { .name = STR("_id"), .value = c->out->id };
    return search_patients(c->arena, c->out->type, &by_id, c->out);
}

static int by_id(struct classifier *c, enum interaction_kind kind)
{
    c->out->kind = kind;
    c->out->id = c->path.part[1];
    int r = set_patient(c);
    return r ? r : take_form(c);
}

static int operation(struct classifier *c)
{
    struct str name = c->path.part[c->path.n - 1];
    c->out->kind = INTERACTION_OPERATION;
    c->out->operation = str_slice(name, 1, name.n);
    c->out->id = c->path.n == 3 ? c->path.part[1] : (struct str){ 0 };
    return c->out->operation.n ? set_patient(c) : refuse(c, 404, "no such operation", name);
}

static bool is_form(struct str content_type)
{
    return str_eq(str_cut(&content_type, ';'), STR("application/x-www-form-urlencoded"));
}

static int posted_search(struct classifier *c)
{
    if (c->request->content_type.n && !is_form(c->request->content_type)) {
        return refuse(c, 415, "a search is posted as a form", (struct str){ 0 });
    }
    c->out->kind = INTERACTION_SEARCH;
    c->out->posted = true;
    return take_search(c, c->request->query, c->request->form);
}

static int search(struct classifier *c)
{
    c->out->kind = INTERACTION_SEARCH;
    return take_search(c, c->request->query, (struct str){ 0 });
}

/* Patient/x/Type, with _search after it if it is posted. */
static int compartment_search(struct classifier *c)
{
    if (!str_eq(c->path.part[0], STR("Patient"))) {
        return refuse(c, 501, "only the Patient compartment is supported", c->path.part[0]);
    }
    if (!subject_type_known(c->path.part[2])) {
        return refuse(c, c->path.part[2].p[0] == '*' ? 501 : 404,
                      "no such type in a compartment", c->path.part[2]);
    }
    c->out->id = c->path.part[1];
    int r = set_patient(c);
    c->out->compartment = true;
    c->out->type = c->path.part[2];
    return r ? r : c->method == METHOD_POST ? posted_search(c) : search(c);
}

static bool is_patch(struct str content_type)
{
    return str_eq(str_cut(&content_type, ';'), STR("application/json-patch+json"));
}

static int with_body(struct classifier *c, enum interaction_kind kind)
{
    struct str content = c->request->content_type;
    if (!media_is_json(content) && !(kind == INTERACTION_PATCH && is_patch(content))) {
        return refuse(c, 415, "the body must be JSON", (struct str){ 0 });
    }
    if (kind == INTERACTION_UPDATE || kind == INTERACTION_PATCH) {
        return by_id(c, kind);
    }
    c->out->kind = kind;
    int r = take_form(c);
    if (r || c->out->kind == INTERACTION_REFUSED || !c->request->if_none_exist.n) {
        return r;
    }
    struct str query = c->request->if_none_exist;
    if (query.p[0] == '?') {
        query = str_slice(query, 1, query.n);
    }
    c->out->conditional = true;
    return take_search(c, query, (struct str){ 0 });
}

/* PUT and PATCH of Type?criteria. */
static int conditional(struct classifier *c, enum interaction_kind kind)
{
    struct str content = c->request->content_type;
    if (!media_is_json(content) && !(kind == INTERACTION_PATCH && is_patch(content))) {
        return refuse(c, 415, "the body must be JSON", (struct str){ 0 });
    }
    if (!c->request->query.n) {
        return refuse(c, 400, "neither an id nor criteria", (struct str){ 0 });
    }
    c->out->kind = kind;
    c->out->conditional = true;
    return take_search(c, c->request->query, (struct str){ 0 });
}

/* ---- shapes of paths ---- */

static bool is(const struct classifier *c, size_t i, const char *name)
{
    return i < c->path.n && str_eq(c->path.part[i], str_z(name));
}

static int get(struct classifier *c)
{
    switch (c->path.n) {
    case 1: return search(c);
    case 2:
        return is(c, 1, "_history") ? refuse(c, 501, "history of a type", c->out->type)
                                    : by_id(c, INTERACTION_READ);
    case 3:
        return is(c, 2, "_history") ? by_id(c, INTERACTION_HISTORY_INSTANCE)
                                    : compartment_search(c);
    case 4:
        if (is(c, 2, "_history") && reference_is_id(c->path.part[3])) {
            c->out->version = c->path.part[3];
            return by_id(c, INTERACTION_VREAD);
        }
        break;
    default: break;
    }
    return refuse(c, 404, "no such path", (struct str){ 0 });
}

static int post(struct classifier *c)
{
    if (c->path.n == 1) {
        return with_body(c, INTERACTION_CREATE);
    }
    if (c->path.n == 2 && is(c, 1, "_search")) {
        return posted_search(c);
    }
    if (c->path.n == 4 && is(c, 3, "_search")) {
        return compartment_search(c);
    }
    return refuse(c, 404, "no such path", (struct str){ 0 });
}

static int change(struct classifier *c)
{
    enum interaction_kind kind = c->method == METHOD_PUT     ? INTERACTION_UPDATE
                                 : c->method == METHOD_PATCH ? INTERACTION_PATCH
                                                             : INTERACTION_DELETE;
    if (c->path.n == 1 && kind == INTERACTION_DELETE) {
        return refuse(c, 501, "conditional delete is not supported", (struct str){ 0 });
    }
    if (c->path.n == 1) {
        return conditional(c, kind);
    }
    if (c->path.n != 2) {
        return refuse(c, 404, "no such path", (struct str){ 0 });
    }
    return kind == INTERACTION_DELETE ? by_id(c, kind) : with_body(c, kind);
}

/* A path that starts with a type. */
static int typed(struct classifier *c)
{
    c->out->type = c->path.part[0];
    if (!subject_type_known(c->out->type)) {
        return refuse(c, 404, "no such resource type", c->out->type);
    }
    bool named = c->path.n > 1 && !is(c, 1, "_search") && !is(c, 1, "_history") &&
                 c->path.part[1].p[0] != '$';
    if (named && !reference_is_id(c->path.part[1])) {
        return refuse(c, 404, "no id", (struct str){ 0 });
    }
    struct str last = c->path.part[c->path.n - 1];
    bool operated = c->path.n == (named ? 3 : 2) && last.p[0] == '$';
    if (operated && (c->method == METHOD_GET || c->method == METHOD_POST)) {
        return operation(c);
    }
    switch (c->method) {
    case METHOD_GET: return get(c);
    case METHOD_POST: return post(c);
    case METHOD_PUT:
    case METHOD_PATCH:
    case METHOD_DELETE: return change(c);
    case METHOD_OTHER: break;
    }
    return refuse(c, 405, "no such method", (struct str){ 0 });
}

/* The base itself, and what stands directly below it. */
static int whole_system(struct classifier *c)
{
    if (!c->path.n) {
        return c->method == METHOD_POST
                   ? with_body(c, INTERACTION_BATCH)
                   : refuse(c, c->method == METHOD_GET ? 501 : 405,
                            "a search of all types is not supported", (struct str){ 0 });
    }
    if (is(c, 0, "metadata")) {
        c->out->kind = INTERACTION_CAPABILITIES;
        return c->method == METHOD_GET ? take_form(c)
                                       : refuse(c, 405, "metadata is read", (struct str){ 0 });
    }
    if (c->path.part[0].p[0] == '$') {
        return operation(c);
    }
    return refuse(c, 501, "not supported for all types", c->path.part[0]);
}

static enum method method_of(struct str method)
{
    static const struct {
        const char *name;
        enum method method;
    } methods[] = {
        { "GET", METHOD_GET }, { "HEAD", METHOD_GET },    { "POST", METHOD_POST },
        { "PUT", METHOD_PUT }, { "PATCH", METHOD_PATCH }, { "DELETE", METHOD_DELETE },
    };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (str_eq(method, str_z(methods[i].name))) {
            return methods[i].method;
        }
    }
    return METHOD_OTHER;
}

/* Cut the path; false if a part is empty, encoded or one too many. */
static bool cut_path(struct str text, struct path *path)
{
    if (text.n && text.p[0] == '/') {
        text = str_slice(text, 1, text.n);
    }
    if (text.n && (memchr(text.p, '%', text.n) || text.p[text.n - 1] == '/')) {
        return false;
    }
    while (text.n) {
        struct str part = str_cut(&text, '/');
        if (!part.n || path->n == SEGMENTS_MAX) {
            return false;
        }
        path->part[path->n++] = part;
    }
    return true;
}

int interaction_classify(struct arena *arena, const struct interaction_request *request,
                         struct interaction *out)
{
    struct interaction found = { 0 };
    struct classifier c = {
        .arena = arena,
        .request = request,
        .method = method_of(request->method),
        .out = &found,
    };
    int r;
    if (c.method == METHOD_OTHER) {
        r = refuse(&c, 405, "no such method", (struct str){ 0 });
    } else if (!cut_path(request->path, &c.path)) {
        r = refuse(&c, 404, "no such path", (struct str){ 0 });
    } else if (c.path.n && reference_is_type(c.path.part[0])) {
        r = typed(&c);
    } else {
        r = whole_system(&c);
    }
    if (r < 0) {
        return r;
    }
    *out = found;
    return 0;
}

/* ---- asking ---- */

const char *interaction_name(const struct interaction *interaction)
{
    switch (interaction->kind) {
    case INTERACTION_REFUSED: return "unknown";
    case INTERACTION_CAPABILITIES: return "capabilities";
    case INTERACTION_READ: return "read";
    case INTERACTION_VREAD: return "vread";
    case INTERACTION_SEARCH: return "search-type";
    case INTERACTION_CREATE: return "create";
    case INTERACTION_UPDATE: return "update";
    case INTERACTION_PATCH: return "patch";
    case INTERACTION_DELETE: return "delete";
    case INTERACTION_BATCH: return "batch";
    case INTERACTION_HISTORY_INSTANCE: return "history-instance";
    case INTERACTION_OPERATION: return "operation";
    }
    return "unknown";
}

bool interaction_writes(const struct interaction *interaction)
{
    switch (interaction->kind) {
    case INTERACTION_CREATE:
    case INTERACTION_UPDATE:
    case INTERACTION_PATCH:
    case INTERACTION_DELETE:
    case INTERACTION_BATCH: /* may */
    case INTERACTION_OPERATION: return true;
    case INTERACTION_REFUSED:
    case INTERACTION_CAPABILITIES:
    case INTERACTION_READ:
    case INTERACTION_VREAD:
    case INTERACTION_SEARCH:
    case INTERACTION_HISTORY_INSTANCE: return false;
    }
    return true;
}

const struct search_param *interaction_param(const struct interaction *interaction,
                                             const char *name)
{
    const struct search_param *param = interaction->params;
    while (param && !str_eq(param->name, str_z(name))) {
        param = param->next;
    }
    return param;
}

void interaction_query(const struct interaction *interaction, struct buf *out)
{
    size_t before = out->n;
    for (const struct search_param *p = interaction->params; p; p = p->next) {
        if (str_eq(p->name, STR("_format")) || str_eq(p->name, STR("_total"))) {
            continue;
        }
        buf_z(out, out->n > before ? "&" : "");
        buf_percent(out, p->name);
        buf_z(out, p->modifier.n ? ":" : "");
        buf_percent(out, p->modifier);
        buf_c(out, '=');
        buf_percent(out, p->value);
    }
    if (interaction->kind == INTERACTION_SEARCH) {
        buf_z(out, out->n > before ? "&_total=none" : "_total=none");
    }
}
