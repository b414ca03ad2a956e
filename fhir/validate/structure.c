/*
 * Walking through a resource beside its definition.
 *
 * Each member of an object is looked up among the elements of the object's type; what belongs
 * to a primitive, its value and its _companion, is looked at together. What is missing is told
 * when the object ends.
 */
#include "fhir/format/xhtml.h"
#include "fhir/validate/profile_check.h"

#include <errno.h>

static void check_object(struct check *check, const struct node *object,
                         const struct schema_type *type, const struct place *place);

static void check_profiles(struct check *check, const struct node *resource,
                           const struct place *place);

const struct schema_type *check_type_named(struct check *check, struct str name)
{
    if (!name.n) {
        return NULL;
    }
    size_t hash =
        (unsigned char)name.p[0] * 7u + (unsigned char)name.p[name.n - 1] + name.n * 3;
    const struct schema_type **kept = &check->types[hash % CHECK_TYPES];
    if (!*kept || !str_eq(schema_type_name(check->schema, *kept), name)) {
        const struct schema_type *found = schema_type(check->schema, name);
        *kept = found ? found : *kept;
        return found;
    }
    return *kept;
}

static void wrong(struct check *check, const struct place *place, const char *text)
{
    check_say(check, ISSUE_ERROR, "structure", place, str_z(text));
}

/* A resource inside another: its own type says what it is. */
static void check_inner(struct check *check, const struct node *node, const struct place *place)
{
    struct str name = node_text(node, "resourceType");
    const struct schema_type *type = check_type_named(check, name);
    if (!type || type->kind != SCHEMA_RESOURCE || type->abstract) {
        wrong(check, place, "has no resourceType that FHIR R4 knows");
        return;
    }
    struct item item = { .node = node, .type = type };
    check_object(check, node, type, place);
    check_invariants(check, NULL, &item, place);
    check_profiles(check, node, place);
    if (str_eq(name, STR("StructureDefinition"))) {
        check_definition(check, node, place);
    }
}

/* The entry that a resource belongs to is where its references are resolved from. */
static void check_resource(struct check *check, const struct node *node,
                           const struct place *place)
{
    bool in_entry = node_is(node->parent, NODE_OBJECT) && node->parent->parent &&
                    node->parent->parent->parent == check->bundle && check->bundle;
    const struct node *entry = check->entry;
    check->entry = in_entry ? node->parent : entry;
    check_inner(check, node, place);
    check->entry = entry;
}

static void check_complex(struct check *check, const struct node *value,
                          const struct schema_field *field, const struct place *place)
{
    uint8_t role = validator_type(check->validator, field->type)->role;
    if (role == ROLE_RESOURCE) {
        check_resource(check, value, place);
        return;
    }
    check_object(check, value, field->type, place);
    if (value->kind != NODE_OBJECT) {
        return;
    }
    struct item item = { .node = value, .type = field->type };
    check_invariants(check, field, &item, place);
    check_binding(check, &item, field, place);
    if (role == ROLE_REFERENCE) {
        check_reference(check, value, field, place);
    } else if (role == ROLE_EXTENSION) {
        profile_check_extension(check, &item, place);
    }
}

static void check_narrative(struct check *check, const struct node *value,
                            const struct place *place)
{
    switch (value->kind == NODE_STRING ? xhtml_check(value->text) : XHTML_E_FORM) {
    case 0: return;
    case XHTML_E_FORM:
        wrong(check, place, "is no div of what a narrative may hold (txt-1)");
        return;
    case XHTML_E_EMPTY: wrong(check, place, "has nothing to read (txt-2)"); return;
    default: check->r = -ENOMEM;
    }
}

static void check_simple(struct check *check, const struct node *value,
                         const struct schema_field *field, const struct place *place)
{
    const struct known_type *known = validator_type(check->validator, field->type);
    if (known->role == ROLE_NARRATIVE) {
        check_narrative(check, value, place);
        return;
    }
    const char *text = check_primitive(known->form, value);
    if (text) {
        check_say(check, ISSUE_ERROR, "value", place, str_z(text));
        return;
    }
    struct item item = { .node = value, .type = field->type };
    check_binding(check, &item, field, place);
    check_invariants(check, field, &item, place);
}

static bool is_there(const struct node *node)
{
    return node && node->kind != NODE_NULL;
}

/* A value and what its companion adds to it; either may be missing. */
static void check_value(struct check *check, const struct node *value,
                        const struct node *companion, const struct schema_field *field,
                        const struct place *place)
{
    if (!is_there(value) && !is_there(companion)) {
        wrong(check, place, "is null and has no extension");
        return;
    }
    if (is_there(value) && field->type->kind == SCHEMA_PRIMITIVE) {
        check_simple(check, value, field, place);
    } else if (is_there(value)) {
        check_complex(check, value, field, place);
    }
    if (is_there(companion)) {
        check_object(check, companion, check->validator->element, place);
    }
}

static size_t length(const struct node *array)
{
    size_t n = 0;
    for (const struct node *child = node_first(array); child; child = child->next) {
        n++;
    }
    return n;
}

/* Elements of an array and of the companion's array, index by index. */
static void check_array(struct check *check, const struct node *values,
                        const struct node *companions, const struct schema_field *field,
                        const struct place *place)
{
    bool arrays = (!values || values->kind == NODE_ARRAY) &&
                  (!companions || companions->kind == NODE_ARRAY);
    if (!arrays) {
        wrong(check, place, "may repeat and must be an array");
        return;
    }
    size_t n = length(values);
    size_t n_companions = length(companions);
    if ((values && !n) || (companions && !n_companions)) {
        wrong(check, place, "is an empty array");
        return;
    }
    if (values && companions && n != n_companions) {
        wrong(check, place, "and its companion with _ are arrays of different length");
    }
    if (field->element->max != SCHEMA_UNBOUNDED && n > field->element->max) {
        check_issue(check, ISSUE_ERROR, "structure", place, "may be there %u times at most",
                    (unsigned)field->element->max);
    }

    const struct node *value = node_first(values);
    const struct node *companion = node_first(companions);
    for (size_t i = 0; value || companion; i++) {
        struct place at = { place->up, place->name, i };
        check_value(check, value, companion, field, &at);
        value = value ? value->next : NULL;
        companion = companion ? companion->next : NULL;
    }
}

static void check_field(struct check *check, const struct node *values,
                        const struct node *companions, const struct schema_field *field,
                        const struct place *place)
{
    if (field->element->max > 1) {
        check_array(check, values, companions, field, place);
        return;
    }
    if (node_is(values, NODE_ARRAY) || node_is(companions, NODE_ARRAY)) {
        wrong(check, place, "may not repeat and must be no array");
        return;
    }
    check_value(check, values, companions, field, place);
}

/*
 * An object on the way through it.
 *
 * @companions: there are members with an underscore
 * @seen: the elements that were there
 */
struct frame {
    const struct node *object;
    const struct schema_type *type;
    const struct place *place;
    bool companions;
    struct ranks seen;
};

/* The member called @name, with _ before it if @companion. */
static const struct node *member(const struct frame *frame, struct str name, bool companion)
{
    for (const struct node *m = frame->object->first; m; m = m->next) {
        if (m->name.n == name.n + companion && (!companion || m->name.p[0] == '_') &&
            str_eq(str_slice(m->name, companion, m->name.n), name)) {
            return m;
        }
    }
    return NULL;
}

static bool is_seen(const struct frame *frame, size_t rank)
{
    return frame->seen.bits[rank / 64] >> rank % 64 & 1;
}

/* Whether the last member before @m that was of the same @element, a choice, had another name.
 */
static bool has_two_types(struct check *check, const struct frame *frame, const struct node *m,
                          const struct schema_element *element)
{
    struct str name = str_slice(m->name, str_starts(m->name, STR("_")), m->name.n);
    struct str last = name;
    for (const struct node *b = frame->object->first; b != m; b = b->next) {
        struct str its = str_slice(b->name, str_starts(b->name, STR("_")), b->name.n);
        last = schema_named(check->schema, element, its) ? its : last;
    }
    return !str_eq(last, name);
}

static void check_member(struct check *check, const struct node *m, struct frame *frame)
{
    bool companion = str_starts(m->name, STR("_"));
    struct str name = str_slice(m->name, companion, m->name.n);
    struct place place = { frame->place, name, NO_INDEX };
    struct schema_field field;
    if (!schema_field(check->schema, frame->type, name, &field)) {
        wrong(check, &place, "is no element that FHIR R4 knows here");
        return;
    }
    bool primitive = field.type->kind == SCHEMA_PRIMITIVE;
    if (companion && !primitive) {
        place.name = m->name;
        wrong(check, &place, "is no primitive and has no companion with _");
        return;
    }

    place.name = schema_name(check->schema, field.element);
    bool choice = field.element->flags & SCHEMA_CHOICE;
    if (choice && is_seen(frame, field.rank) && has_two_types(check, frame, m, field.element)) {
        wrong(check, &place, "is there with two types");
    }
    frame->seen.bits[field.rank / 64] |= (uint64_t)1 << field.rank % 64;
    const struct node *value = companion ? member(frame, name, false) : m;
    if (companion && value) {
        return; /* looked at with its value */
    }
    bool paired = primitive && frame->companions;
    const struct node *beside = paired ? member(frame, name, true) : NULL;
    check_field(check, value, beside, &field, &place);
}

/* Whether all that must be there was seen. */
static bool is_whole(const struct check *check, const struct frame *frame)
{
    const struct ranks *must = &validator_type(check->validator, frame->type)->required;
    uint64_t missing = 0;
    for (size_t i = 0; i < ARRAY_LEN(must->bits); i++) {
        missing |= must->bits[i] & ~frame->seen.bits[i];
    }
    return !missing;
}

static void tell_missing(struct check *check, const struct frame *frame)
{
    const struct schema *schema = check->schema;
    for (const struct schema_type *t = frame->type; t; t = schema_base(schema, t)) {
        for (size_t i = 0; i < t->count; i++) {
            const struct schema_element *element = &schema->elements[t->first + i];
            if (element->min && !is_seen(frame, t->inherited + i)) {
                struct place place = { frame->place, schema_name(schema, element), NO_INDEX };
                wrong(check, &place, "is required and missing");
            }
        }
    }
}

static bool has_companions(const struct node *object)
{
    const struct node *m = object->first;
    while (m && !str_starts(m->name, STR("_"))) {
        m = m->next;
    }
    return m;
}

static void check_members(struct check *check, struct frame *frame)
{
    bool resource = frame->type->kind == SCHEMA_RESOURCE;
    bool empty = true;
    for (const struct node *m = frame->object->first; m; m = m->next) {
        if (!resource || !str_eq(m->name, STR("resourceType"))) {
            empty = false;
            check_member(check, m, frame);
        }
    }
    if (empty && !resource) {
        wrong(check, frame->place, "is empty");
    }
    if (!is_whole(check, frame)) {
        tell_missing(check, frame);
    }
}

static void check_object(struct check *check, const struct node *object,
                         const struct schema_type *type, const struct place *place)
{
    if (object->kind != NODE_OBJECT) {
        wrong(check, place, "must be an object");
        return;
    }
    if (check->depth >= VALIDATE_DEPTH_MAX || schema_size(type) > VALIDATOR_ELEMENTS_MAX) {
        wrong(check, place, "lies too deep to be looked at");
        return;
    }
    check->depth++;
    struct frame frame = {
        .object = object, .type = type, .place = place, .companions = has_companions(object)
    };
    check_members(check, &frame);
    check->depth--;
}

/* Whether the caller wants @profile, which may not be here, of @item. */
static bool is_wanted(const struct check *check, const struct profile *profile,
                      const struct item *item)
{
    if (!check->options->by_type) {
        return item->node == check->root;
    }
    bool of_entry = item->node == node_get(check->entry, "resource");
    return (item->node == check->root || of_entry) && profile && item->type &&
           schema_is_a(check->schema, item->type, profile->type);
}

/* The profiles that the resource names, and those that the caller wants. */
static void check_profiles(struct check *check, const struct node *resource,
                           const struct place *place)
{
    struct item item = { .node = resource,
                         .type = check_type_named(check, node_text(resource, "resourceType")) };
    const struct node *named = node_get(node_get(resource, "meta"), "profile");
    for (const struct node *p = node_first(named); p; p = p->next) {
        const struct profile *profile = registry_profile(&check->validator->registry, p->text);
        if (profile) {
            profile_check(check, profile, &item, place);
        }
    }
    for (size_t i = 0; i < check->options->profiles_n; i++) {
        const struct profile *profile =
            registry_profile(&check->validator->registry, check->options->profiles[i]);
        if (!is_wanted(check, profile, &item)) {
            continue;
        }
        if (profile) {
            profile_check(check, profile, &item, place);
        } else {
            check_issue(check, ISSUE_ERROR, "not-found", place,
                        "can't be compared with a profile that isn't here");
        }
    }
}

int validate_resource(const struct validator *validator, struct arena *arena,
                      const struct node *resource, const struct validate_options *options,
                      struct issues *issues)
{
    struct str type = node_text(resource, "resourceType");
    struct check check = {
        .validator = validator,
        .options = options,
        .schema = validator->schema,
        .arena = arena,
        .issues = issues,
        .bundle = str_eq(type, STR("Bundle")) ? resource : NULL,
        .root = resource,
    };
    struct place place = { NULL, type.n ? type : STR("Resource"), NO_INDEX };
    int r = check_begin(&check);
    r = r ? r : check_entries(&check);
    if (r < 0) {
        return r;
    }
    check_inner(&check, resource, &place);
    if (check_work_left(&check) == 0) {
        check_issue(&check, ISSUE_ERROR, "too-costly", &place,
                    "takes more work to look at than it may");
    }
    return check.r;
}
