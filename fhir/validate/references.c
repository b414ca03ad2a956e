/*
 * What references point at.
 *
 * By its text alone a reference may tell the type of its target, which must be one that the
 * definition allows. Inside a Bundle the target may be at hand: the entry whose fullUrl the
 * reference means, by R4 Bundle section "resolving references".
 */
#include "fhir/model/reference.h"
#include "fhir/validate/check.h"

static bool may_target(struct check *check, const struct schema_field *field, struct str name)
{
    const struct schema_type *type = schema_type(check->schema, name);
    if (!type) {
        return true; /* told as what it is: no type of R4 */
    }
    for (size_t i = 0; i < field->element->choices_n; i++) {
        bool reference = schema_choice(check->schema, field->element, i) == field->type;
        if (reference && schema_may_target(check->schema, field->element, i, type)) {
            return true;
        }
    }
    return false;
}

/* fullUrl is base/Type/id: whether @url is @base and what @reference says. */
static bool is_below(struct str url, struct str base, const struct reference *reference)
{
    size_t n = base.n + reference->type.n + reference->id.n + 2;
    struct str tail = str_slice(url, base.n, url.n);
    return url.n == n && str_starts(url, base) && tail.p[0] == '/' &&
           str_starts(str_slice(tail, 1, tail.n), reference->type) &&
           str_ends(url, reference->id) && tail.p[reference->type.n + 1] == '/';
}

/* What a relative reference in @entry goes on from: its fullUrl without Type/id. */
static struct str base_of(const struct node *entry)
{
    struct str url = node_text(entry, "fullUrl");
    struct reference own = reference_of(url);
    return own.form == REFERENCE_ABSOLUTE ? own.base : (struct str){ 0 };
}

/* An entry without an address of its own is named by its id's urn:uuid. */
static bool is_named(struct str url, struct str id)
{
    struct str uuid = STR("urn:uuid:");
    return str_starts(url, uuid) && str_eq(str_slice(url, uuid.n, url.n), id);
}

static bool is_meant(struct check *check, const struct node *entry,
                     const struct reference *reference)
{
    struct str url = node_text(entry, "fullUrl");
    switch (reference->form) {
    case REFERENCE_URN: return str_eq(url, reference->id);
    case REFERENCE_ABSOLUTE: return is_below(url, reference->base, reference);
    case REFERENCE_RELATIVE: {
        struct str base = base_of(check->entry);
        return base.n ? is_below(url, base, reference) : is_named(url, reference->id);
    }
    case REFERENCE_NONE:
    case REFERENCE_LOGICAL:
    case REFERENCE_CONTAINED:
    case REFERENCE_UNTYPED: return false;
    }
    return false;
}

/* The resource in the same Bundle that a reference means; NULL if it isn't there. */
static const struct node *in_bundle(struct check *check, const struct reference *reference)
{
    for (const struct node *entry = node_first(node_get(check->bundle, "entry")); entry;
         entry = entry->next) {
        if (is_meant(check, entry, reference)) {
            return node_get(entry, "resource");
        }
    }
    return NULL;
}

static const struct node *contained(struct check *check, const struct reference *reference)
{
    const struct node *container =
        check->entry ? node_get(check->entry, "resource") : check->root;
    if (!reference->id.n) {
        return container;
    }
    for (const struct node *inner = node_first(node_get(container, "contained")); inner;
         inner = inner->next) {
        if (str_eq(node_text(inner, "id"), reference->id)) {
            return inner;
        }
    }
    return NULL;
}

static bool is_parameter(const struct reference *reference, const struct node *parameters,
                         bool *any)
{
    for (const struct node *p = node_first(node_get(parameters, "parameter")); p; p = p->next) {
        const struct node *resource = node_get(p, "resource");
        *any = *any || resource;
        if (resource && str_eq(node_text(resource, "resourceType"), reference->type) &&
            str_eq(node_text(resource, "id"), reference->id)) {
            return true;
        }
    }
    return false;
}

/* Resources handed over as parameters have no server yet: what they point at is among them. */
static bool is_lost(struct check *check, const struct reference *reference)
{
    bool any = false;
    return reference->form == REFERENCE_RELATIVE &&
           str_eq(node_text(check->root, "resourceType"), STR("Parameters")) &&
           !is_parameter(reference, check->root, &any) && any;
}

void check_reference(struct check *check, const struct node *node,
                     const struct schema_field *field, const struct place *place)
{
    if (!str_eq(schema_type_name(check->schema, field->type), STR("Reference"))) {
        return;
    }
    struct reference reference = reference_read(node);
    const struct node *target = reference.form == REFERENCE_CONTAINED
                                    ? contained(check, &reference)
                                    : in_bundle(check, &reference);
    struct str found = node_text(target, "resourceType");
    if (found.n && reference.type.n && !str_eq(found, reference.type)) {
        check_issue(check, ISSUE_ERROR, "structure", place,
                    "says %.*s and means a resource of another type", (int)reference.type.n,
                    reference.type.p);
        return;
    }
    if (is_lost(check, &reference)) {
        check_issue(check, ISSUE_ERROR, "not-found", place,
                    "points at a resource that isn't among the parameters");
    }
    struct str type = found.n ? found : reference.type;
    if (type.n && !may_target(check, field, type)) {
        check_issue(check, ISSUE_ERROR, "structure", place, "may not point at a %.*s",
                    (int)type.n, type.p);
    }
}
