/*
 * Finding subjects.
 *
 * One walk over the whole tree looks at each Reference, wherever it stands: extensions,
 * notes and contained resources included. Its place, that is the path below the resource
 * nearest above it, finds its role in the table. A reference to a patient at a place without
 * a row makes a participant, so no way of mentioning a patient goes unseen.
 */
#include "fhir/compartment/subject.h"

#include "fhir/compartment/table.h"

#include <errno.h>

enum {
    PATH_MAX_BYTES = 256,
    BUNDLE_DEPTH = 2, /* of Bundles in Bundles */
};

static const char TOO_MUCH[] = "more references than are compared";

struct finder {
    struct arena *arena;
    const struct node *top;
    const struct table_type *type; /* of top */
    struct subjects out;
    bool unknown;
    size_t work; /* comparisons made, up to SUBJECT_WORK_MAX */
    bool memory; /* ran out */
};

static void unknown(struct finder *f, const char *why)
{
    f->out.why = f->unknown ? f->out.why : why;
    f->unknown = true;
}

/* One more comparison; false if that is too much. */
static bool may_compare(struct finder *f)
{
    if (f->work == SUBJECT_WORK_MAX) {
        unknown(f, TOO_MUCH);
        return false;
    }
    f->work++;
    return true;
}

static bool same(const struct reference *a, const struct reference *b)
{
    return a->form == b->form && str_eq(a->base, b->base) && str_eq(a->type, b->type) &&
           str_eq(a->id, b->id) && str_eq(a->system, b->system) && str_eq(a->value, b->value);
}

static bool holds(struct finder *f, const struct subject_list *list, const struct reference *to)
{
    for (const struct subject_ref *ref = list->first; ref && may_compare(f); ref = ref->next) {
        if (same(&ref->to, to)) {
            return true;
        }
    }
    return false;
}

int subject_list_add(struct arena *arena, struct subject_list *list, const struct reference *to)
{
    struct subject_ref *ref = arena_alloc(arena, sizeof(*ref));
    if (!ref) {
        return -ENOMEM;
    }
    *ref = (struct subject_ref){ .to = *to };
    if (list->last) {
        list->last->next = ref;
    } else {
        list->first = ref;
    }
    list->last = ref;
    list->count++;
    return 0;
}

static void add(struct finder *f, struct subject_list *list, const struct reference *to)
{
    if (holds(f, list, to) || f->work == SUBJECT_WORK_MAX) {
        return;
    }
    f->memory |= subject_list_add(f->arena, list, to) < 0;
}

/* ---- one reference ---- */

/* The resource nearest above @node. */
static const struct node *resource_above(const struct finder *f, const struct node *node)
{
    while (node && node != f->top &&
           !(node->kind == NODE_OBJECT && node_get(node, "resourceType"))) {
        node = node->parent;
    }
    return node;
}

/* Member names from @resource down to @node; a name repeated in a row counts once. */
static struct str path_below(const struct node *resource, const struct node *node,
                             char memory[static PATH_MAX_BYTES])
{
    size_t at = PATH_MAX_BYTES;
    struct str last = { 0 };
    for (const struct node *n = node; n != resource; n = n->parent) {
        struct str name = n->name;
        if (!name.n || str_eq(name, last)) {
            continue;
        }
        if (name.n + 1 > at) {
            return (struct str){ 0 };
        }
        if (last.n) {
            memory[--at] = '.';
        }
        at -= name.n;
        memcpy(memory + at, name.p, name.n);
        last = name;
    }
    return str_of(memory + at, PATH_MAX_BYTES - at);
}

/* Datatypes that may point at a patient wherever they stand: extension, note, signature. */
static bool may_be_anywhere(struct str name)
{
    return str_eq(name, STR("valueReference")) || str_eq(name, STR("authorReference")) ||
           str_eq(name, STR("who")) || str_eq(name, STR("onBehalfOf"));
}

static enum table_says role_of(const struct finder *f, const struct node *reference)
{
    const struct node *resource = resource_above(f, reference->parent);
    const struct table_type *type = resource == f->top ? f->type
                                    : resource ? table_find(node_text(resource, "resourceType"))
                                               : NULL;
    if (!type) {
        return TABLE_SUBJECT;
    }
    char memory[PATH_MAX_BYTES];
    struct str path = path_below(resource, reference, memory);
    enum table_says role = table_role(type, path);
    const struct node *named =
        node_is(reference->parent, NODE_ARRAY) ? reference->parent : reference;
    return role == TABLE_OTHER && may_be_anywhere(named->name) ? TABLE_PARTICIPANT : role;
}

/* Each identifier of a Patient that has no id. */
static void add_identifiers(struct finder *f, const struct node *patient,
                            struct subject_list *list)
{
    const struct node *identifiers = node_get(patient, "identifier");
    size_t n = 0;
    for (const struct node *at = node_first(identifiers); at; at = at->next) {
        struct reference to = {
            .form = REFERENCE_LOGICAL,
            .type = STR("Patient"),
            .system = node_text(at, "system"),
            .value = node_text(at, "value"),
        };
        if (to.value.n) {
            add(f, list, &to);
            n++;
        }
    }
    if (!n) {
        unknown(f, "a Patient without id or identifier");
    }
}

static const struct node *contained(struct finder *f, struct str id)
{
    const struct node *at = node_first(node_get(f->top, "contained"));
    while (at && may_compare(f) && !str_eq(node_text(at, "id"), id)) {
        at = at->next;
    }
    return at;
}

static void take_contained(struct finder *f, const struct reference *to, enum table_says role)
{
    const struct node *inner = to->id.n ? contained(f, to->id) : f->top;
    if (!inner) {
        unknown(f, "a reference to a contained resource that isn't there");
    } else if (to->id.n && role != TABLE_OTHER && role != TABLE_PARTICIPANT &&
               str_eq(node_text(inner, "resourceType"), STR("Patient"))) {
        add_identifiers(f, inner, &f->out.patients);
    } /* other contained resources are walked anyway, contained Patients afterwards */
}

static bool is_patient(const struct reference *to)
{
    return str_eq(to->type, STR("Patient"));
}

/* A digest, such as of the message that a Provenance tells of: bytes, and nobody. */
static bool names_bytes(const struct reference *to)
{
    return to->form == REFERENCE_LOGICAL && str_starts(to->system, STR("urn:ietf:rfc:6234#"));
}

/* A reference at a place where a patient may stand. */
static void take_capable(struct finder *f, const struct reference *to, enum table_says role)
{
    if (to->form == REFERENCE_UNTYPED) {
        unknown(f, "a reference that can't be classed");
        return;
    }
    if (role == TABLE_PARTICIPANT) {
        if (is_patient(to) || (!to->type.n && !names_bytes(to))) {
            add(f, &f->out.participants, to);
        }
        return;
    }
    if (is_patient(to) || (!to->type.n && role == TABLE_SUBJECT)) {
        add(f, &f->out.patients, to);
        return;
    }
    const struct table_type *type = table_find(to->type);
    if (!type || type->class != TABLE_UNIVERSAL) {
        add(f, &f->out.derived, to);
    }
}

static void take(struct finder *f, const struct node *reference)
{
    struct reference to = reference_read(reference);
    if (to.form == REFERENCE_NONE) {
        return;
    }
    enum table_says role = role_of(f, reference);
    if (to.form == REFERENCE_CONTAINED) {
        take_contained(f, &to, role);
    } else if (role != TABLE_OTHER) {
        take_capable(f, &to, role);
    } else if (is_patient(&to)) {
        add(f, &f->out.participants, &to);
    }
}

/* ---- the walk ---- */

/* Whether member @node makes its object a Reference, to be looked at once. */
static bool marks_reference(const struct node *node)
{
    if (node->kind == NODE_STRING) {
        return node->name.n == 9 && str_eq(node->name, STR("reference"));
    }
    return node->kind == NODE_OBJECT && node->name.n == 10 &&
           str_eq(node->name, STR("identifier")) && !node_get(node->parent, "reference") &&
           !node_get(node->parent, "resourceType");
}

static void walk(struct finder *f)
{
    for (const struct node *n = f->top; n; n = node_following(n, f->top)) {
        if (n != f->top && marks_reference(n)) {
            take(f, n->parent);
        }
    }
}

/* Contained Patients that nobody pointed at as subject are mentioned, at least. */
static void take_contained_patients(struct finder *f)
{
    const struct node *at = node_first(node_get(f->top, "contained"));
    for (; at; at = at->next) {
        struct str type = node_text(at, "resourceType");
        if (!table_find(type)) {
            unknown(f, "a contained resource of unknown type");
        } else if (str_eq(type, STR("Patient"))) {
            add_identifiers(f, at, &f->out.participants);
        }
    }
}

static void take_patient(struct finder *f)
{
    struct reference to = {
        .form = REFERENCE_RELATIVE,
        .type = STR("Patient"),
        .id = node_text(f->top, "id"),
    };
    if (reference_is_id(to.id)) {
        add(f, &f->out.patients, &to);
    } else {
        add_identifiers(f, f->top, &f->out.patients);
    }
}

/* Who is a subject anyway is no participant. */
static void prune_participants(struct finder *f)
{
    struct subject_list kept = { 0 };
    for (struct subject_ref *ref = f->out.participants.first, *next; ref; ref = next) {
        next = ref->next;
        ref->next = NULL;
        if (holds(f, &f->out.patients, &ref->to)) {
            continue;
        }
        if (kept.last) {
            kept.last->next = ref;
        } else {
            kept.first = ref;
        }
        kept.last = ref;
        kept.count++;
    }
    f->out.participants = kept;
}

static void classify(struct finder *f, enum table_class class)
{
    struct subjects *out = &f->out;
    if (class == TABLE_UNIVERSAL && !out->patients.count) {
        out->patients = out->participants; /* nobody else's consent could decide */
        out->participants = (struct subject_list){ 0 };
    }
    if (!f->unknown && out->patients.count) {
        out->class = SUBJECT_KNOWN;
    } else if (!f->unknown && out->derived.count) {
        unknown(f, "only what it refers to tells whose it is");
        out->elsewhere = true;
    } else if (!f->unknown && class != TABLE_UNIVERSAL && class != TABLE_CONDITIONAL) {
        unknown(f, "no subject");
    } else if (!f->unknown) {
        out->class = out->participants.count ? SUBJECT_UNKNOWN : SUBJECT_NONE;
        out->why = out->participants.count ? "no subject" : NULL;
    }
}

static void find_in(struct finder *f, const struct node *resource, int depth);

/* Whether @to is another entry of @bundle, whose own subjects count. */
static bool in_bundle(struct finder *f, const struct node *bundle, const struct reference *to)
{
    const struct node *entry = to->form == REFERENCE_URN ? node_get(bundle, "entry") : NULL;
    for (entry = node_first(entry); entry && may_compare(f); entry = entry->next) {
        if (str_eq(node_text(entry, "fullUrl"), to->id) && node_get(entry, "resource")) {
            return true;
        }
    }
    return false;
}

/* Add what points out of @bundle; return whether anything did. */
static bool append(struct finder *f, const struct node *bundle, struct subject_list *to,
                   const struct subject_list *from)
{
    bool out = false;
    for (const struct subject_ref *ref = from->first; ref; ref = ref->next) {
        if (!in_bundle(f, bundle, &ref->to)) {
            add(f, to, &ref->to);
            out = true;
        }
    }
    return out;
}

static void find_in_entry(struct finder *f, const struct node *bundle,
                          const struct node *resource, int depth)
{
    struct finder inner = { .arena = f->arena, .work = f->work };
    find_in(&inner, resource, depth - 1);
    f->memory |= inner.memory;
    f->work = inner.work;
    (void)append(f, bundle, &f->out.patients, &inner.out.patients);
    (void)append(f, bundle, &f->out.participants, &inner.out.participants);
    bool elsewhere = append(f, bundle, &f->out.derived, &inner.out.derived);
    bool settled = inner.out.elsewhere && !elsewhere;
    if (inner.out.class == SUBJECT_UNKNOWN && !settled) {
        unknown(f, inner.out.why);
    }
}

/* A Bundle is the data of everybody in it. */
static void find_in_entries(struct finder *f, const struct node *bundle, int depth)
{
    const struct node *entry = node_first(node_get(bundle, "entry"));
    for (; entry; entry = entry->next) {
        const struct node *resource = node_get(entry, "resource");
        if (resource) {
            find_in_entry(f, bundle, resource, depth);
        } else {
            unknown(f, "an entry without resource");
        }
    }
    prune_participants(f);
    if (!f->unknown) {
        f->out.class = f->out.patients.count ? SUBJECT_KNOWN : SUBJECT_NONE;
    }
    if (f->out.class == SUBJECT_NONE && f->out.participants.count) {
        f->out.class = SUBJECT_UNKNOWN;
        f->out.why = "no subject";
    }
}

static void find_in(struct finder *f, const struct node *resource, int depth)
{
    const struct table_type *type = table_find(node_text(resource, "resourceType"));
    f->top = resource;
    f->type = type;
    if (!type) {
        unknown(f, "no resource type of R4");
        return;
    }
    if (type->class == TABLE_ENTRIES) {
        if (depth > 0) {
            find_in_entries(f, resource, depth);
        } else {
            unknown(f, "Bundles nested too deep");
        }
        return;
    }
    if (str_eq(node_text(resource, "resourceType"), STR("Parameters"))) {
        unknown(f, "Parameters hold anything");
    }
    if (type->class == TABLE_PATIENT) {
        take_patient(f);
    }
    walk(f);
    take_contained_patients(f);
    prune_participants(f);
    classify(f, type->class);
}

int subject_find(struct arena *arena, const struct node *resource, struct subjects *out)
{
    struct finder f = { .arena = arena };
    find_in(&f, resource, BUNDLE_DEPTH);
    if (f.memory) {
        return -ENOMEM;
    }
    *out = f.out;
    return 0;
}

enum subject_class subject_of_type(struct str type)
{
    const struct table_type *row = table_find(type);
    return row && row->class == TABLE_UNIVERSAL ? SUBJECT_NONE : SUBJECT_UNKNOWN;
}

unsigned subject_type_number(struct str type)
{
    return table_number(table_find(type));
}

const char *subject_type_name(unsigned number)
{
    const struct table_type *type = table_of_number(number);
    return type ? type->name.p : NULL;
}

bool subject_type_known(struct str type)
{
    return table_find(type) != NULL;
}
