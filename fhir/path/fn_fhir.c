/* What FHIR adds to FHIRPath. */
#include "fhir/format/xhtml.h"
#include "fhir/path/functions.h"
#include "fhir/path/navigate.h"

#define STRUCTURE_BASE "http://hl7.org/fhir/StructureDefinition/"

/* --- extensions --------------------------------------------------------------------------- */

/* What may have extensions: the object of a complex element, the extra one of a primitive. */
static const struct node *parent_of(const struct path_value *item)
{
    if (item->kind != PATH_ELEMENT) {
        return NULL;
    }
    return node_is(item->element.node, NODE_OBJECT) ? item->element.node
                                                    : path_extra(&item->element);
}

static int push_extensions(struct path_machine *m, const struct path_value *item,
                           struct str url, const struct schema_type *type)
{
    const struct node *list = node_get(parent_of(item), "extension");
    int r = 0;
    for (const struct node *e = node_first(list); e && !r; e = e->next) {
        r = path_step(m, 1);
        if (!r && str_eq(node_text(e, "url"), url)) {
            r = path_push(m, path_element(m->schema, e, type));
        }
    }
    return r;
}

PATH_FUNCTION(extension)
{
    struct str url;
    bool there;
    int r = path_argument_string(m, call, 0, &url, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    const struct schema_type *type = schema_type(m->schema, STR("Extension"));
    for (size_t i = 0; i < call->n && !r; i++) {
        struct path_value item = m->items[call->base + i];
        r = push_extensions(m, &item, url, type);
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

/* Whether @url is among the arguments. */
static int is_known(struct path_machine *m, const struct path_call *call, struct str url,
                    bool *out)
{
    *out = false;
    for (size_t i = 0; i < call->arguments_n && !*out; i++) {
        struct str known;
        bool there;
        int r = path_argument_string(m, call, i, &known, &there);
        if (r) {
            return r;
        }
        *out = there && str_eq(known, url);
    }
    return 0;
}

PATH_FUNCTION(check_modifiers)
{
    for (size_t i = 0; i < call->n; i++) {
        struct path_value item = m->items[call->base + i];
        const struct node *list = node_get(parent_of(&item), "modifierExtension");
        for (const struct node *e = node_first(list); e; e = e->next) {
            bool known;
            int r = is_known(m, call, node_text(e, "url"), &known);
            if (r) {
                return r;
            }
            if (!known) {
                return path_fail(m, "a modifier extension that isn't known");
            }
        }
    }
    return 0;
}

/* --- values ------------------------------------------------------------------------------- */

/* Whether the one item of the input is a primitive with a value. */
static int read_value(struct path_machine *m, const struct path_call *call,
                      struct path_value *out, bool *there)
{
    *there = false;
    if (call->n != 1) {
        return 0;
    }
    struct path_value item = m->items[call->base];
    int r = path_simple(m->schema, m->arena, &item, out);
    bool primitive = out->kind != PATH_ELEMENT && out->kind != PATH_TYPE;
    bool quantity = out->kind == PATH_QUANTITY && item.kind == PATH_ELEMENT;
    *there = !r && primitive && !quantity;
    return r;
}

PATH_FUNCTION(has_value)
{
    struct path_value value;
    bool there;
    int r = read_value(m, call, &value, &there);
    return r ? r : path_give_boolean(m, call, there);
}

PATH_FUNCTION(get_value)
{
    struct path_value value;
    bool there;
    int r = read_value(m, call, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give(m, call, value);
}

PATH_FUNCTION(type)
{
    size_t kept = call->base;
    for (size_t i = 0; i < call->n; i++) {
        struct path_value item = m->items[call->base + i];
        struct path_value type;
        bool known;
        int r = path_type_of(m, &item, &type, &known);
        if (r) {
            return r;
        }
        if (known) {
            m->items[kept++] = type;
        }
    }
    m->n = kept;
    return 0;
}

/* --- questions to the surroundings -------------------------------------------------------- */

/* The one item of the input, as it is, and argument 0; @there: whether both are there. */
static int read_question(struct path_machine *m, const struct path_call *call,
                         struct path_value *item, struct str *argument, bool *there)
{
    int r = path_argument_string(m, call, 0, argument, there);
    if (r || !*there || call->n == 0) {
        *there = false;
        return r;
    }
    if (call->n > 1) {
        return path_fail(m, "several items where there may be one");
    }
    *item = m->items[call->base];
    return 0;
}

PATH_FUNCTION(member_of)
{
    struct path_value item;
    struct str value_set;
    bool there;
    bool answer;
    int r = read_question(m, call, &item, &value_set, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    r = m->env->member_of ? m->env->member_of(m->env->owner, &item, value_set, &answer)
                          : PATH_ENV_E_UNKNOWN;
    if (r == PATH_ENV_E_UNKNOWN) {
        return path_fail(m, "a value set that isn't at hand");
    }
    return r ? r : path_give_boolean(m, call, answer);
}

/* Without a caller who knows profiles: whether the item is of the type that one is for. */
static int conforms_to_type(const struct path_machine *m, const struct path_value *item,
                            struct str profile, bool *out)
{
    struct str base = STR(STRUCTURE_BASE);
    if (!str_starts(profile, base)) {
        return PATH_ENV_E_UNKNOWN;
    }
    const struct path_specifier type = {
        .type = schema_type(m->schema, str_slice(profile, base.n, profile.n))
    };
    if (!type.type) {
        return PATH_ENV_E_UNKNOWN;
    }
    *out = path_is(m, item, &type);
    return 0;
}

PATH_FUNCTION(conforms_to)
{
    struct path_value item;
    struct str profile;
    bool there;
    bool answer;
    int r = read_question(m, call, &item, &profile, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    r = m->env->conforms ? m->env->conforms(m->env->owner, &item, profile, &answer)
                         : conforms_to_type(m, &item, profile, &answer);
    if (r == PATH_ENV_E_UNKNOWN) {
        return path_fail(m, "a profile that isn't at hand");
    }
    return r ? r : path_give_boolean(m, call, answer);
}

/* --- references --------------------------------------------------------------------------- */

/* The text of a Reference, or of a uri; empty if there is none. */
static struct str reference_text(const struct path_value *item)
{
    if (item->kind == PATH_STRING) {
        return item->string;
    }
    if (item->kind != PATH_ELEMENT) {
        return (struct str){ 0 };
    }
    const struct node *node = item->element.node;
    return node_is(node, NODE_STRING) ? node->text : node_text(node, "reference");
}

static const struct node *find_contained(const struct node *resource, struct str id)
{
    const struct node *child = node_first(node_get(resource, "contained"));
    while (child && !str_eq(node_text(child, "id"), id)) {
        child = child->next;
    }
    return child;
}

/* "#id" is contained in the resource that holds the reference, or in the one around that. */
static const struct node *resolve_inside(const struct path_value *item, struct str id)
{
    const struct node *node = item->kind == PATH_ELEMENT ? item->element.node : NULL;
    const struct node *resource = path_resource_of(node, false);
    const struct node *outer = resource ? path_resource_of(resource->parent, false) : NULL;
    const struct node *found = find_contained(resource, id);
    if (found || !resource) {
        return found;
    }
    bool contained = outer && node_get(outer, "contained") &&
                     resource->parent == node_get(outer, "contained");
    if (!contained) {
        return id.n ? NULL : resource; /* "#" alone is the resource itself */
    }
    return id.n ? find_contained(outer, id) : outer;
}

/* Whether the resource of a Bundle's entry is what "Type/id" means. */
static bool is_at(const struct node *entry, struct str reference)
{
    const struct node *resource = node_get(entry, "resource");
    struct str type = node_text(resource, "resourceType");
    struct str id = node_text(resource, "id");
    return type.n && id.n && reference.n == type.n + 1 + id.n && str_starts(reference, type) &&
           reference.p[type.n] == '/' && str_ends(reference, id);
}

static int resolve_in_bundle(struct path_machine *m, const struct path_value *item,
                             struct str reference, const struct node **out)
{
    const struct node *node = item->kind == PATH_ELEMENT ? item->element.node : NULL;
    const struct node *bundle = path_resource_of(node, true);
    *out = NULL;
    if (!bundle || !str_eq(node_text(bundle, "resourceType"), STR("Bundle"))) {
        return 0;
    }
    const struct node *entry = node_first(node_get(bundle, "entry"));
    for (; entry && !*out; entry = entry->next) {
        int r = path_step(m, 1);
        if (r) {
            return r;
        }
        if (str_eq(node_text(entry, "fullUrl"), reference) || is_at(entry, reference)) {
            *out = node_get(entry, "resource");
        }
    }
    return 0;
}

static int resolve_one(struct path_machine *m, const struct path_value *item)
{
    struct str reference = reference_text(item);
    const struct node *found = NULL;
    int r = 0;
    if (!reference.n) {
        return 0;
    }
    if (reference.p[0] == '#') {
        found = resolve_inside(item, str_slice(reference, 1, reference.n));
    } else {
        r = resolve_in_bundle(m, item, reference, &found);
    }
    if (!r && !found && m->env->resolve) {
        found = m->env->resolve(m->env->owner, reference);
    }
    return r || !found ? r : path_push(m, path_element(m->schema, found, NULL));
}

PATH_FUNCTION(resolve)
{
    int r = 0;
    for (size_t i = 0; i < call->n && !r; i++) {
        struct path_value item = m->items[call->base + i];
        r = resolve_one(m, &item);
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

/* --- narratives --------------------------------------------------------------------------- */

PATH_FUNCTION(html_checks)
{
    struct str text;
    bool there;
    int r = path_input_string(m, call, &text, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    r = path_make_bytes(m, text.n);
    if (r) {
        return r;
    }
    r = xhtml_check(text);
    return r < 0 ? r : path_give_boolean(m, call, r == 0);
}
