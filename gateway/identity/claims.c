/* Reading of claims: a member that is there must be of its type, or the token is refused. */
#include "gateway/identity/claims.h"

#include <errno.h>

/* Seconds of 9999-12-31T23:59:59Z: nothing lasts longer, and times 1,000 fits. */
static const int64_t time_most = 253402300799;

/* An optional string member; absent, null and empty are the same. */
static bool read_text(const struct node *object, const char *name, struct str *out)
{
    const struct node *member = node_get(object, name);
    if (!member || member->kind == NODE_NULL) {
        return true;
    }
    if (member->kind != NODE_STRING) {
        return false;
    }
    *out = member->text;
    return true;
}

/* An optional NumericDate, whole seconds, in milliseconds. */
static bool read_time(const struct node *object, const char *name, int64_t *out)
{
    const struct node *member = node_get(object, name);
    int64_t seconds = 0;
    if (!member) {
        return true;
    }
    if (!node_integer(member, &seconds) || seconds < 0 || seconds > time_most) {
        return false;
    }
    *out = seconds * 1000;
    return true;
}

struct claims_code claims_code(struct str text)
{
    struct str rest = text;
    struct str head = str_cut(&rest, '|');
    if (head.n == text.n) {
        rest = text;
        head = str_cut(&rest, '#');
    }
    if (head.n == text.n) {
        return (struct claims_code){ .code = text };
    }
    return (struct claims_code){ .system = head, .code = rest };
}

static bool add_code(const struct node *node, struct claims_codes *out)
{
    struct claims_code code = { 0 };
    if (node->kind == NODE_STRING) {
        code = claims_code(node->text);
    } else if (!read_text(node, "system", &code.system) ||
               !read_text(node, "code", &code.code)) {
        return false;
    }
    if (code.code.n == 0 || out->count == CLAIMS_CODES_MAX) {
        return false;
    }
    out->items[out->count++] = code;
    return true;
}

/* An optional member of one code or several, added to @out. */
static bool read_codes(const struct node *object, const char *name, struct claims_codes *out)
{
    const struct node *member = node_get(object, name);
    if (!member || member->kind == NODE_NULL) {
        return true;
    }
    if (member->kind != NODE_ARRAY) {
        return add_code(member, out);
    }
    for (const struct node *item = member->first; item; item = item->next) {
        if (!add_code(item, out)) {
            return false;
        }
    }
    return true;
}

/* A text of which several shapes may speak: those that do must say the same. */
static bool read_agreed(const struct node *object, const char *name, struct str *out)
{
    struct str text = { 0 };
    if (!read_text(object, name, &text)) {
        return false;
    }
    if (text.n && out->n && !str_eq(text, *out)) {
        return false;
    }
    *out = text.n ? text : *out;
    return true;
}

/* Keep the first that is there: names of a person needn't agree. */
static bool read_first(const struct node *object, const char *name, struct str *out)
{
    struct str text = { 0 };
    if (!read_text(object, name, &text)) {
        return false;
    }
    *out = out->n ? *out : text;
    return true;
}

/* The three shapes of claims about organisation, person, role and purpose. */
static const struct shape {
    const char *extension; /* NULL: the payload itself */
    const char *organization;
    const char *person;
    const char *roles;
    const char *purposes;
} shapes[] = {
    { "hl7-b2b", "organization_id", "subject_name", "subject_role", "purpose_of_use" },
    { "hl7-b2b", NULL, "subject_id", NULL, NULL },
    { "ihe_iua", "subject_organization_id", "subject_name", "subject_role", "purpose_of_use" },
    { NULL, "organization", NULL, "roles", "purpose_of_use" },
};

static bool read_shape(const struct node *payload, const struct shape *shape,
                       struct claims *out)
{
    const struct node *from = payload;
    if (shape->extension) {
        from = node_get(node_get(payload, "extensions"), shape->extension);
        if (!from) {
            return true;
        }
    }
    return node_is(from, NODE_OBJECT) &&
           (!shape->organization ||
            read_agreed(from, shape->organization, &out->organization)) &&
           (!shape->person || read_first(from, shape->person, &out->person)) &&
           (!shape->roles || read_codes(from, shape->roles, &out->roles)) &&
           (!shape->purposes || read_codes(from, shape->purposes, &out->purposes));
}

static bool read_extended(const struct node *payload, struct claims *out)
{
    const struct node *extensions = node_get(payload, "extensions");
    if (extensions && extensions->kind != NODE_OBJECT) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (!read_shape(payload, &shapes[i], out)) {
            return false;
        }
    }
    return true;
}

static bool read_registered(const struct node *payload, struct claims *out)
{
    return read_text(payload, "iss", &out->issuer) &&
           read_text(payload, "sub", &out->subject) && read_text(payload, "jti", &out->id) &&
           read_first(payload, "client_id", &out->client) &&
           read_first(payload, "azp", &out->client) &&
           read_text(payload, "scope", &out->scope) &&
           read_text(payload, "fhirUser", &out->fhir_user) &&
           read_text(payload, "patient", &out->patient) &&
           read_time(payload, "exp", &out->expires_ms) &&
           read_time(payload, "nbf", &out->not_before_ms) &&
           read_time(payload, "iat", &out->issued_ms) &&
           read_time(payload, "auth_time", &out->logged_in_ms);
}

int claims_read(const struct node *payload, struct claims *out)
{
    struct claims claims = { 0 };
    if (!node_is(payload, NODE_OBJECT) || !read_registered(payload, &claims) ||
        !read_extended(payload, &claims) || claims.issuer.n == 0 || claims.subject.n == 0 ||
        !node_get(payload, "exp")) {
        return CLAIMS_E_TYPE;
    }
    *out = claims;
    return 0;
}

struct str claims_audience(const struct node *payload, struct str ours)
{
    const struct node *aud = node_get(payload, "aud");
    const struct node *item = node_is(aud, NODE_ARRAY) ? aud->first : aud;
    for (; item; item = aud == item ? NULL : item->next) {
        if (item->kind == NODE_STRING && item->text.n && str_eq(item->text, ours)) {
            return item->text;
        }
    }
    return (struct str){ 0 };
}

static void copy_text(struct arena *arena, struct str *text, bool *failed)
{
    if (text->n) {
        *text = arena_str(arena, *text);
        *failed = *failed || !text->p;
    } else {
        *text = (struct str){ 0 };
    }
}

static void copy_codes(struct arena *arena, struct claims_codes *codes, bool *failed)
{
    for (size_t i = 0; i < codes->count; i++) {
        copy_text(arena, &codes->items[i].system, failed);
        copy_text(arena, &codes->items[i].code, failed);
    }
}

int claims_copy(struct arena *arena, const struct claims *from, struct claims *out)
{
    struct claims copy = *from;
    struct str *const texts[] = {
        &copy.issuer, &copy.subject,   &copy.audience, &copy.id,           &copy.client,
        &copy.scope,  &copy.fhir_user, &copy.patient,  &copy.organization, &copy.person,
    };
    bool failed = false;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        copy_text(arena, texts[i], &failed);
    }
    copy_codes(arena, &copy.roles, &failed);
    copy_codes(arena, &copy.purposes, &failed);
    if (failed) {
        return -ENOMEM;
    }
    *out = copy;
    return 0;
}
