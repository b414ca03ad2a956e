/*
 * References looked up among the entries of the Bundle they stand in, by comparing: Bundles
 * that become messages are short.
 */
#include "fhir/compartment/within.h"

#include <errno.h>

static bool is_bundle(const struct node *root)
{
    return str_eq(node_text(root, "resourceType"), STR("Bundle"));
}

static bool is_patient(const struct node *resource)
{
    return str_eq(node_text(resource, "resourceType"), STR("Patient"));
}

bool subject_identifier(const struct node *patient, struct reference *out)
{
    const struct node *at = node_first(node_get(patient, "identifier"));
    for (; at; at = at->next) {
        struct reference found = {
            .form = REFERENCE_LOGICAL,
            .type = STR("Patient"),
            .system = node_text(at, "system"),
            .value = node_text(at, "value"),
        };
        if (found.system.n && found.value.n) {
            *out = found;
            return true;
        }
    }
    return false;
}

static bool has_identifier(const struct node *patient, const struct reference *to)
{
    const struct node *at = node_first(node_get(patient, "identifier"));
    while (at && !(str_eq(node_text(at, "value"), to->value) &&
                   str_eq(node_text(at, "system"), to->system))) {
        at = at->next;
    }
    return at != NULL;
}

/* Whether @to is @resource, which stands under @url. */
static bool leads_to(const struct reference *to, struct str url, const struct node *resource)
{
    switch (to->form) {
    case REFERENCE_URN: return str_eq(url, to->id);
    case REFERENCE_RELATIVE:
        return str_eq(node_text(resource, "id"), to->id) &&
               str_eq(node_text(resource, "resourceType"), to->type);
    case REFERENCE_ABSOLUTE: {
        struct reference its = reference_of(url);
        return str_eq(its.id, to->id) && str_eq(its.type, to->type) &&
               str_eq(its.base, to->base);
    }
    case REFERENCE_LOGICAL:
        return to->value.n && is_patient(resource) && has_identifier(resource, to);
    case REFERENCE_NONE:
    case REFERENCE_CONTAINED:
    case REFERENCE_UNTYPED: return false;
    }
    return false;
}

/* The resource of @root that @to leads to; NULL: none. */
static const struct node *find(const struct node *root, const struct reference *to)
{
    bool bundle = is_bundle(root);
    const struct node *entry = bundle ? node_first(node_get(root, "entry")) : root;
    for (; entry; entry = bundle ? entry->next : NULL) {
        const struct node *resource = bundle ? node_get(entry, "resource") : entry;
        struct str url = bundle ? node_text(entry, "fullUrl") : STR("");
        if (resource && leads_to(to, url, resource)) {
            return resource;
        }
    }
    return NULL;
}

static bool holds(const struct subject_list *list, const struct reference *to)
{
    const struct subject_ref *at = list->first;
    while (at && !(at->to.form == to->form && str_eq(at->to.type, to->type) &&
                   str_eq(at->to.base, to->base) && str_eq(at->to.id, to->id) &&
                   str_eq(at->to.system, to->system) && str_eq(at->to.value, to->value))) {
        at = at->next;
    }
    return at != NULL;
}

static int add(struct arena *arena, struct subject_list *list, const struct reference *to)
{
    struct subject_ref *ref = holds(list, to) ? NULL : arena_calloc(arena, 1, sizeof(*ref));
    if (!ref) {
        return holds(list, to) ? 0 : -ENOMEM;
    }
    ref->to = *to;
    if (list->last) {
        list->last->next = ref;
    } else {
        list->first = ref;
    }
    list->last = ref;
    list->count++;
    return 0;
}

/* Put into @kept what of @list doesn't lead to an entry, and Patients by their identifier. */
static int settle(struct arena *arena, const struct node *root, const struct subject_list *list,
                  struct subject_list *kept)
{
    int r = 0;
    for (const struct subject_ref *ref = list->first; r == 0 && ref; ref = ref->next) {
        struct reference to = ref->to;
        const struct node *found = find(root, &to);
        if (found && is_patient(found)) {
            (void)subject_identifier(found, &to);
        }
        if (!found || is_patient(found)) {
            r = add(arena, kept, &to);
        }
    }
    return r;
}

static bool too_long(const struct node *root)
{
    const struct node *entry = is_bundle(root) ? node_first(node_get(root, "entry")) : NULL;
    size_t n = 0;
    for (; entry && n <= WITHIN_ENTRIES_MAX; entry = entry->next) {
        n++;
    }
    return n > WITHIN_ENTRIES_MAX;
}

int subject_within(struct arena *arena, const struct node *root, const struct node *resource,
                   struct subjects *subjects)
{
    struct subjects made = { .class = subjects->class, .why = subjects->why };
    if (too_long(root)) {
        *subjects = (struct subjects){ .why = "a Bundle too long to look through" };
        return 0;
    }
    int r = settle(arena, root, &subjects->patients, &made.patients);
    r = r ? r : settle(arena, root, &subjects->participants, &made.participants);
    for (const struct subject_ref *ref = subjects->derived.first; r == 0 && ref;
         ref = ref->next) {
        r = find(root, &ref->to) ? 0 : add(arena, &made.derived, &ref->to);
    }
    if (r < 0) {
        return r;
    }
    if (subjects->elsewhere && made.derived.count == 0) {
        made.class = made.participants.count ? SUBJECT_UNKNOWN : SUBJECT_NONE;
    } else if (made.class == SUBJECT_KNOWN && made.patients.count == 0) {
        made.class = subject_of_type(node_text(resource, "resourceType"));
    }
    made.why = made.class == SUBJECT_UNKNOWN ? made.why ? made.why : "no subject" : NULL;
    made.elsewhere = made.class == SUBJECT_UNKNOWN && subjects->elsewhere;
    *subjects = made;
    return 0;
}
