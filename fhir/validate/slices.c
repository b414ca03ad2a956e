/*
 * Telling slices apart.
 *
 * A discriminator is a path and a way to compare. The path is walked in the value and in the
 * slice's definition at the same time; at its end the value must have what the definition
 * fixes, or be of its type, or be there as its cardinality says. Extensions are told apart by
 * their URL, whether a snapshot says so or not.
 *
 * Spec: FHIR R4 profiling, section discriminator
 */
#include "fhir/validate/slices.h"

#include "fhir/validate/match.h"
#include "fhir/validate/profile_check.h"

static const struct profile_element *child_of(const struct profile_element *element,
                                              struct str name)
{
    for (const struct profile_element *c = element->children; c; c = c->next) {
        if (str_eq(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

/* Whether the URL of an extension is the one that @slice names by its profile. */
static bool has_url(const struct profile_element *slice, const struct item *item)
{
    struct str url = node_text(item->node, "url");
    const struct profile_type *type = slice->types;
    for (const struct node *p = type ? node_first(type->profiles) : NULL; p; p = p->next) {
        struct str canonical = p->text;
        if (str_eq(str_cut(&canonical, '|'), url)) {
            return true;
        }
    }
    const struct profile_element *child = child_of(slice, STR("url"));
    return child && child->fixed && str_eq(child->fixed->text, url);
}

static bool is_extension(struct check *check, const struct item *item)
{
    return item->type && str_eq(schema_type_name(check->schema, item->type), STR("Extension"));
}

/* The end of a path: whether @item is what @element fixes. */
static bool has_value(struct check *check, const struct profile_element *element,
                      const struct item *item)
{
    if (is_extension(check, item) && !element->fixed && !element->pattern) {
        return has_url(element, item);
    }
    if (!item->node) {
        return false;
    }
    if (element->fixed || element->pattern) {
        return (!element->fixed || match_fixed(item->node, element->fixed)) &&
               (!element->pattern || match_pattern(item->node, element->pattern));
    }
    if (element->binding.n) {
        return check_code_in(check, element->binding, item) != TERMINOLOGY_OUT;
    }
    for (const struct profile_element *c = element->children; c; c = c->next) {
        struct items items = items_of(check->schema, item, c->name);
        struct item inner;
        bool fixes = c->fixed || c->pattern;
        bool has = !fixes;
        while (fixes && !has && items_next(&items, &inner)) {
            has = has_value(check, c, &inner);
        }
        if (!has) {
            return false;
        }
    }
    return true;
}

static bool has_type(struct check *check, const struct profile_element *element,
                     const struct item *item)
{
    for (const struct profile_type *t = element->types; t && item->type; t = t->next) {
        if (profile_is_type(check->schema, item->type, t->code)) {
            return true;
        }
    }
    return false;
}

static bool has_profile(struct check *check, const struct profile_element *element,
                        const struct item *item)
{
    for (const struct profile_type *t = element->types; t; t = t->next) {
        for (const struct node *p = node_first(t->profiles); p; p = p->next) {
            if (profile_conforms(check, p->text, item)) {
                return true;
            }
        }
    }
    return false;
}

static bool compare(struct check *check, struct str way, const struct profile_element *element,
                    const struct item *item)
{
    if (str_eq(way, STR("type"))) {
        return has_type(check, element, item);
    }
    if (str_eq(way, STR("profile"))) {
        return has_profile(check, element, item);
    }
    return has_value(check, element, item);
}

static bool at_path(struct check *check, const struct node *discriminator, struct str path,
                    const struct profile_element *element, const struct item *item);

/* Whether a value below has it; "exists" asks whether there is one at all. */
static bool below(struct check *check, const struct node *discriminator, struct str name,
                  struct str rest, const struct profile_element *element,
                  const struct item *item)
{
    const struct profile_element *child = child_of(element, name);
    struct items items = items_of(check->schema, item, name);
    struct item inner;
    bool exists = str_eq(node_text(discriminator, "type"), STR("exists")) && !rest.n;
    if (exists) {
        bool wanted = !child || child->max > 0;
        return items_next(&items, &inner) == wanted;
    }
    if (!child && str_eq(name, STR("url")) && is_extension(check, item)) {
        return has_url(element, item);
    }
    if (!child) { /* the element above may fix it whole */
        return (element->fixed || element->pattern) && has_value(check, element, item);
    }
    while (items_next(&items, &inner)) {
        if (at_path(check, discriminator, rest, child, &inner)) {
            return true;
        }
    }
    return false;
}

static bool at_path(struct check *check, const struct node *discriminator, struct str path,
                    const struct profile_element *element, const struct item *item)
{
    struct str head = str_cut(&path, '.');
    if (!head.n || (str_eq(head, STR("$this")) && !path.n)) {
        return compare(check, node_text(discriminator, "type"), element, item);
    }
    bool passes = str_eq(head, STR("$this")) || str_starts(head, STR("ofType(")) ||
                  str_starts(head, STR("resolve("));
    if (passes) {
        return at_path(check, discriminator, path, element, item);
    }
    if (str_starts(head, STR("extension("))) {
        head = STR("extension");
    }
    return below(check, discriminator, head, path, element, item);
}

static bool belongs(struct check *check, const struct profile_element *element,
                    const struct profile_element *slice, const struct item *item)
{
    const struct node *first = node_first(node_get(element->slicing, "discriminator"));
    if (!first) {
        return is_extension(check, item) ? has_url(slice, item) : has_value(check, slice, item);
    }
    for (const struct node *d = first; d; d = d->next) {
        if (!at_path(check, d, node_text(d, "path"), slice, item)) {
            return false;
        }
    }
    return true;
}

const struct profile_element *
slice_of(struct check *check, const struct profile_element *element, const struct item *item)
{
    for (const struct profile_element *slice = element->slices; slice; slice = slice->next) {
        if (belongs(check, element, slice, item)) {
            return slice;
        }
    }
    return NULL;
}
