/*
 * Walking through an instance beside a profile.
 *
 * The base type has been checked by then, so only what the profile narrows is looked at:
 * cardinality, types, fixed values and patterns, required bindings, slices, and the profiles
 * that it wants of what is inside.
 */
#include "fhir/validate/profile_check.h"

#include "fhir/model/reference.h"
#include "fhir/validate/match.h"
#include "fhir/validate/slices.h"

enum {
    SLICES_MAX = 64, /* of one element */
};

static void check_element(struct check *check, const struct profile_element *element,
                          const struct item *item, const struct place *place);

static void breach(struct check *check, const struct place *place, const char *text)
{
    check_issue(check, ISSUE_ERROR, "structure", place, "%s", text);
}

/* "http://hl7.org/fhirpath/System.String" is how snapshots name the type of ids and URLs. */
static bool is_system(struct str code)
{
    return str_starts(code, STR("http://hl7.org/fhirpath/System."));
}

/* A type is what is asked for by name; an abstract one stands for all that derive from it. */
bool profile_is_type(const struct schema *schema, const struct schema_type *type,
                     struct str code)
{
    const struct schema_type *asked = schema_type(schema, code);
    return str_eq(schema_type_name(schema, type), code) ||
           (asked && asked->abstract && schema_is_a(schema, type, code));
}

/* The type of the profile that the value has; NULL if none. */
static const struct profile_type *
type_of(struct check *check, const struct profile_element *element, const struct item *item)
{
    for (const struct profile_type *t = element->types; t; t = t->next) {
        if (is_system(t->code) || profile_is_type(check->schema, item->type, t->code)) {
            return t;
        }
    }
    return NULL;
}

/* One of the profiles that are here is enough; where none is here, nothing is told. */
static bool conforms_to_any(struct check *check, const struct node *profiles,
                            const struct item *item)
{
    for (const struct node *p = node_first(profiles); p; p = p->next) {
        if (profile_conforms(check, p->text, item)) {
            return true;
        }
    }
    return !node_first(profiles);
}

static void check_type(struct check *check, const struct profile_element *element,
                       const struct item *item, const struct place *place)
{
    if (!element->types || !item->type) {
        return;
    }
    const struct profile_type *type = type_of(check, element, item);
    if (!type) {
        breach(check, place, "has a type that its definition doesn't allow");
        return;
    }
    if (!conforms_to_any(check, type->profiles, item)) {
        breach(check, place, "conforms to none of the profiles it must conform to");
    }
}

/* The type that a target profile is about; HL7's own are named after it. */
static struct str target_type(struct check *check, struct str url)
{
    const struct profile *profile = registry_profile(&check->validator->registry, url);
    struct str name = str_cut(&url, '|');
    if (profile) {
        return profile->type;
    }
    struct str base = STR("http://hl7.org/fhir/StructureDefinition/");
    return str_starts(name, base) ? str_slice(name, base.n, name.n) : (struct str){ 0 };
}

static void check_targets(struct check *check, const struct profile_element *element,
                          const struct item *item, const struct place *place)
{
    const struct profile_type *type = item->type ? type_of(check, element, item) : NULL;
    const struct node *target = type ? node_first(type->targets) : NULL;
    struct reference reference = reference_read(item->node);
    const struct schema_type *its = schema_type(check->schema, reference.type);
    if (!target || !its || !reference.type.n) {
        return;
    }
    for (; target; target = target->next) {
        struct str allowed = target_type(check, target->text);
        if (!allowed.n || schema_is_a(check->schema, its, allowed)) {
            return;
        }
    }
    breach(check, place, "points at a type that its profile doesn't allow");
}

static void check_value(struct check *check, const struct profile_element *element,
                        const struct item *item, const struct place *place)
{
    if (element->fixed && !match_fixed(item->node, element->fixed)) {
        breach(check, place, "isn't the value that its definition fixes");
    }
    if (element->pattern && !match_pattern(item->node, element->pattern)) {
        breach(check, place, "hasn't what its definition wants by a pattern");
    }
    if (element->binding.n && check_code_in(check, element->binding, item) == TERMINOLOGY_OUT) {
        struct str set = element->binding;
        struct str name = str_cut(&set, '|');
        check_issue(check, ISSUE_ERROR, "code-invalid", place,
                    "has no code of the value set %.*s, which its profile requires",
                    (int)name.n, name.p);
    }
    check_targets(check, element, item, place);
}

static void check_count(struct check *check, const struct profile_element *element, size_t n,
                        const struct place *place)
{
    if (n >= element->min && n <= element->max) {
        return;
    }
    bool slice = element->slice.n > 0;
    check_issue(check, ISSUE_ERROR, "structure", place,
                "%s%.*s%s is there %zu times; its definition wants %u at least%s",
                slice ? "slice " : "", (int)element->slice.n, slice ? element->slice.p : "",
                slice ? "" : "the element", n, (unsigned)element->min,
                n > element->max ? ", and not so many" : "");
}

static bool is_closed(const struct profile_element *element)
{
    return str_eq(node_text(element->slicing, "rules"), STR("closed"));
}

/* An extension whose relative URL has a meaning only where the one around it gives it one. */
static bool is_part(const struct item *item)
{
    struct str url = node_text(item->node, "url");
    return url.n && !memchr(url.p, ':', url.n);
}

static void count_slice(const struct profile_element *element,
                        const struct profile_element *slice, size_t *counts)
{
    size_t i = 0;
    for (const struct profile_element *s = element->slices; s && i < SLICES_MAX; s = s->next) {
        counts[i++] += s == slice;
    }
}

static void check_item(struct check *check, const struct profile_element *element,
                       const struct item *item, const struct place *place, size_t *counts)
{
    const struct profile_element *slice = slice_of(check, element, item);
    check_element(check, element, item, place);
    if (slice) {
        count_slice(element, slice, counts);
        check_element(check, slice, item, place);
    } else if (element->slices && (is_closed(element) || is_part(item))) {
        breach(check, place, "belongs to no slice, and others are not allowed");
    }
}

/* Whether the base type wants the element as often, which has been checked by then. */
static bool is_base(struct check *check, const struct profile_element *element,
                    const struct item *of)
{
    const struct schema_element *base =
        of->type ? schema_element(check->schema, of->type, element->name) : NULL;
    return base && base->min >= element->min &&
           (base->max == SCHEMA_UNBOUNDED ? PROFILE_UNBOUNDED : base->max) <= element->max;
}

/* Whether @of has no member that could be element @name, by how names begin. */
static bool is_absent(const struct item *of, struct str name)
{
    const struct node *object = node_is(of->node, NODE_OBJECT) ? of->node : of->extra;
    for (const struct node *m = node_first(object); m; m = m->next) {
        if (str_starts(str_slice(m->name, str_starts(m->name, STR("_")), m->name.n), name)) {
            return false;
        }
    }
    return true;
}

static void check_child(struct check *check, const struct profile_element *element,
                        const struct item *of, const struct place *up)
{
    if (!element->min && !element->slices && is_absent(of, element->name)) {
        return; /* as most are, and may be */
    }
    struct items items = items_of(check->schema, of, element->name);
    struct place place = { up, element->name, NO_INDEX };
    struct item item;
    size_t counts[SLICES_MAX] = { 0 };
    size_t n = 0;
    while (items_next(&items, &item)) {
        bool array = item.node ? node_is(item.node->parent, NODE_ARRAY)
                               : item.extra && node_is(item.extra->parent, NODE_ARRAY);
        place.index = array ? item.index : NO_INDEX;
        check_item(check, element, &item, &place, counts);
        n++;
    }
    place.index = NO_INDEX;
    if (!is_base(check, element, of)) {
        check_count(check, element, n, &place);
    }
    size_t i = 0;
    for (const struct profile_element *s = element->slices; s && i < SLICES_MAX; s = s->next) {
        check_count(check, s, counts[i++], &place);
    }
}

static void check_element(struct check *check, const struct profile_element *element,
                          const struct item *item, const struct place *place)
{
    if (check->depth >= VALIDATE_DEPTH_MAX) {
        breach(check, place, "lies too deep to be looked at");
        return;
    }
    check->depth++;
    check_type(check, element, item, place);
    check_rules(check, element->rules, item, place);
    if (item->node) {
        check_value(check, element, item, place);
    }
    for (const struct profile_element *c = element->children; c; c = c->next) {
        check_child(check, c, item, place);
    }
    check->depth--;
}

void profile_check(struct check *check, const struct profile *profile, const struct item *item,
                   const struct place *place)
{
    if (item->type && !schema_is_a(check->schema, item->type, profile->type)) {
        breach(check, place, "isn't of the type that its profile is about");
        return;
    }
    check_element(check, profile->root, item, place);
}

bool profile_conforms(struct check *check, struct str url, const struct item *item)
{
    const struct profile *profile = registry_profile(&check->validator->registry, url);
    if (!profile) {
        return true;
    }
    struct issues quiet;
    struct issues *told = check->issues;
    issues_init(&quiet, check->arena);
    check->issues = &quiet;
    struct place place = { NULL, profile->type, NO_INDEX };
    profile_check(check, profile, item, &place);
    check->issues = told;
    return !issues_bad(&quiet);
}

/* A relative URL is one that the extension around it defines, or none. */
void profile_check_extension(struct check *check, const struct item *item,
                             const struct place *place)
{
    struct str url = node_text(item->node, "url");
    if (!url.n || !memchr(url.p, ':', url.n)) {
        return;
    }
    const struct profile *profile = registry_profile(&check->validator->registry, url);
    if (memchr(url.p, '|', url.n)) {
        breach(check, place, "names a version in its URL");
    }
    if (!profile) {
        enum issue_severity severity =
            check->options->strict_extensions ? ISSUE_ERROR : ISSUE_INFORMATION;
        check_issue(check, severity, "extension", place, "is an extension nobody here knows");
        return;
    }
    profile_check(check, profile, item, place);
}
