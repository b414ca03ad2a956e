/*
 * What references point at.
 *
 * By its text alone a reference may tell the type of its target, which must be one that the
 * definition allows. Inside a Bundle the target may be at hand: the entry whose fullUrl the
 * reference means, by R4 Bundle section "resolving references".
 */
#include "fhir/model/reference.h"
#include "fhir/validate/check.h"

#include <errno.h>

static bool may_target(struct check *check, const struct schema_field *field, struct str name)
{
    const struct schema_type *type = check_type_named(check, name);
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

/* What a relative reference in @entry goes on from: its fullUrl without Type/id. */
static struct str base_of(const struct node *entry)
{
    struct str url = node_text(entry, "fullUrl");
    struct reference own = reference_of(url);
    return own.form == REFERENCE_ABSOLUTE ? own.base : (struct str){ 0 };
}

/* --- entries by their URL ------------------------------------------------------------------
 */

/* The slot of the first entry with @url, or the free one where it would be. */
static const struct node **slot_of(struct check *check, struct str url)
{
    size_t at = str_hash(url) & check->entries_mask;
    while (check->entries[at] && !str_eq(node_text(check->entries[at], "fullUrl"), url)) {
        at = (at + 1) & check->entries_mask;
    }
    return &check->entries[at];
}

int check_entries(struct check *check)
{
    const struct node *first = node_first(node_get(check->bundle, "entry"));
    size_t n = 0;
    for (const struct node *entry = first; entry; entry = entry->next) {
        n++;
    }
    if (n == 0) {
        return 0;
    }
    size_t size = 4;
    while (size < 2 * n) {
        size *= 2;
    }
    check->entries = arena_calloc(check->arena, size, sizeof(struct node *));
    check->entries_mask = size - 1;
    if (!check->entries) {
        return -ENOMEM;
    }
    for (const struct node *entry = first; entry; entry = entry->next) {
        struct str url = node_text(entry, "fullUrl");
        const struct node **slot = slot_of(check, url);
        *slot = *slot || !url.n ? *slot : entry;
    }
    return 0;
}

/* The fullUrl that a relative reference means. An entry without an address of its own is named
 * by its id's urn:uuid. */
static struct str relative_url(struct check *check, const struct reference *reference)
{
    struct str base = base_of(check->entry);
    struct buf url = arena_buf(check->arena, base.n + reference->type.n + reference->id.n + 16);
    if (base.n) {
        buf_str_put(&url, base);
        buf_c(&url, '/');
        buf_str_put(&url, reference->type);
        buf_c(&url, '/');
    } else {
        buf_z(&url, "urn:uuid:");
    }
    buf_str_put(&url, reference->id);
    check->r = buf_failed(&url) ? -ENOMEM : check->r;
    return buf_str(&url);
}

/* The fullUrl of what @reference means; empty if it can't be an entry's. */
static struct str meant_url(struct check *check, const struct reference *reference)
{
    switch (reference->form) {
    case REFERENCE_URN: return reference->id;
    case REFERENCE_RELATIVE: return relative_url(check, reference);
    case REFERENCE_ABSOLUTE: /* base/Type/id stand one after the other in the text */
        return str_of(reference->base.p,
                      (size_t)(reference->id.p + reference->id.n - reference->base.p));
    case REFERENCE_NONE:
    case REFERENCE_LOGICAL:
    case REFERENCE_CONTAINED:
    case REFERENCE_UNTYPED: break;
    }
    return (struct str){ 0 };
}

/* The resource in the same Bundle that a reference means; NULL if it isn't there. */
static const struct node *in_bundle(struct check *check, const struct reference *reference)
{
    struct str url = check->entries ? meant_url(check, reference) : (struct str){ 0 };
    return url.n ? node_get(*slot_of(check, url), "resource") : NULL;
}

/* --- references ----------------------------------------------------------------------------
 */

static const struct node *contained(struct check *check, const struct reference *reference)
{
    const struct node *container =
        check->entry ? node_get(check->entry, "resource") : check->root;
    if (!reference->id.n) {
        return container;
    }
    const struct node *inner = node_first(node_get(container, "contained"));
    for (; inner && check_work_left(check); inner = inner->next) {
        check->work++;
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
