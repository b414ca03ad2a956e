/*
 * Walking the tree, guided by the schema.
 *
 * A name is that of an element, not of a JSON member: value[x] is "value", and the member with
 * an underscore belongs to its primitive. Where the schema knows nothing, names are taken as
 * they stand and choices are guessed.
 */
#include "fhir/path/navigate.h"

#include "fhir/path/quantity.h"

#include <errno.h>

/* --- members of an object ----------------------------------------------------------------- */

/*
 * Names are short and rarely begin alike: most comparisons end at the first letter, the others
 * aren't worth a call.
 */
static inline bool begins(struct str s, struct str prefix)
{
    size_t n = prefix.n;
    if (s.n < n || (n && s.p[0] != prefix.p[0])) {
        return false;
    }
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t)) {
        uint64_t a;
        uint64_t b;
        memcpy(&a, s.p + i, sizeof(a));
        memcpy(&b, prefix.p + i, sizeof(b));
        if (a != b) {
            return false;
        }
    }
    while (i < n && s.p[i] == prefix.p[i]) {
        i++;
    }
    return i == n;
}

static inline bool same_name(struct str a, struct str b)
{
    return a.n == b.n && begins(a, b);
}

static const struct node *find_member(const struct node *parent, struct str name)
{
    const struct node *child = node_first(parent);
    while (child && !same_name(child->name, name)) {
        child = child->next;
    }
    return child;
}

/* The member with the underscore that belongs to @name. */
static const struct node *find_extra(const struct node *parent, struct str name)
{
    const struct node *child = node_first(parent);
    while (child && !(child->name.n == name.n + 1 && child->name.p[0] == '_' &&
                      memcmp(child->name.p + 1, name.p, name.n) == 0)) {
        child = child->next;
    }
    return child;
}

const struct node *path_extra(const struct path_element *element)
{
    const struct node *node = element->node;
    bool single = node && !element->extra && node_is(node->parent, NODE_OBJECT);
    return single ? find_extra(node->parent, node->name) : element->extra;
}

/* Elements are numbered in both: an array of values and one of what belongs to them. */
static const struct node *element_of(const struct node *node)
{
    return node_is(node, NODE_ARRAY) ? node_first(node) : node;
}

static const struct node *next_of(const struct node *list, const struct node *element)
{
    return node_is(list, NODE_ARRAY) && element ? element->next : NULL;
}

static const struct node *unless_null(const struct node *node)
{
    return node_is(node, NODE_NULL) ? NULL : node;
}

/* A resource is of the type it says; those of a Bundle mostly of the same. */
static const struct schema_type *resource_type(struct path_machine *m, const struct node *node)
{
    const struct node *said =
        node_is(node, NODE_OBJECT) ? find_member(node, STR("resourceType")) : NULL;
    if (!said || said->kind != NODE_STRING) {
        return NULL;
    }
    struct str name = said->text;
    if (!m->resource_type || !same_name(schema_type_name(m->schema, m->resource_type), name)) {
        m->resource_type = schema_type(m->schema, name);
    }
    return m->resource_type;
}

/* Written in place, field by field: a copy of what was just written costs more than all else.
 */
static int push_element(struct path_machine *m, const struct node *node,
                        const struct node *extra, const struct schema_type *type)
{
    bool any_resource = !type || (type->kind == SCHEMA_RESOURCE && type->abstract);
    int r = path_reserve(m);
    if (!r) {
        struct path_value *value = &m->items[m->n++];
        value->kind = PATH_ELEMENT;
        value->element.node = node;
        value->element.extra = extra;
        value->element.type = any_resource ? resource_type(m, node) : type;
    }
    return r;
}

/* Put one element or the elements of an array on top. */
static int push_all(struct path_machine *m, const struct node *nodes, const struct node *extras,
                    const struct schema_type *type)
{
    const struct node *node = element_of(nodes);
    const struct node *extra = element_of(extras);
    int r = 0;
    if (node && !extra && nodes == node) {
        return node->kind == NODE_NULL ? 0 : push_element(m, node, NULL, type);
    }
    while (!r && (node || extra)) {
        const struct node *value = unless_null(node);
        const struct node *more = unless_null(extra);
        if (value || more) {
            r = push_element(m, value, more, type);
        }
        node = next_of(nodes, node);
        extra = next_of(extras, extra);
    }
    return r;
}

/* --- elements by name --------------------------------------------------------------------- */

static const struct schema_element *find_element(struct path_machine *m,
                                                 const struct schema_type *type,
                                                 const struct path_name *name)
{
    if (m->last.type == type && m->last_name == name) {
        return m->last.element;
    }
    size_t number = (size_t)(type - m->schema->types);
    struct path_cached *cached = &m->cache[(name->hash ^ number * 31) % PATH_CACHE];
    bool hit =
        cached->type == type && same_name(schema_name(m->schema, cached->element), name->text);
    if (!hit) {
        const struct schema_element *element = schema_element(m->schema, type, name->text);
        if (!element) {
            return NULL;
        }
        *cached = (struct path_cached){ .type = type, .element = element };
    }
    m->last = *cached;
    m->last_name = name;
    return cached->element;
}

/* What the schema says there is: one element, or an array of them. */
static int push_known(struct path_machine *m, const struct node *parent, struct str name,
                      const struct schema_type *type)
{
    const struct node *value = find_member(parent, name);
    bool alone = value && value->kind != NODE_ARRAY && value->kind != NODE_NULL;
    if (alone || type->kind != SCHEMA_PRIMITIVE) {
        return value ? push_all(m, value, NULL, type) : 0;
    }
    return push_all(m, value, find_extra(parent, name), type);
}

/* The members of @parent that are the choice @element: value[x] as valueString, _valueString.
 */
static int push_choice(struct path_machine *m, const struct node *parent,
                       const struct schema_element *element)
{
    struct str name = schema_name(m->schema, element);
    int r = 0;
    for (const struct node *child = node_first(parent); child && !r; child = child->next) {
        bool under = child->name.n && child->name.p[0] == '_';
        struct str member = str_slice(child->name, under, child->name.n);
        const struct schema_type *type =
            begins(member, name) ? schema_named(m->schema, element, member) : NULL;
        if (type && !(under && find_member(parent, member))) { /* both are met as the value */
            r = push_known(m, parent, member, type);
        }
    }
    return r;
}

/* The type that ends @member after @name: "Quantity" of valueQuantity; NULL if none does. */
static const struct schema_type *guess_type(const struct path_machine *m, struct str member,
                                            struct str name)
{
    char lower[64];
    struct str rest = str_slice(member, name.n, member.n);
    if (!str_starts(member, name) || !rest.n || rest.n > sizeof(lower) || rest.p[0] < 'A' ||
        rest.p[0] > 'Z') {
        return NULL;
    }
    memcpy(lower, rest.p, rest.n);
    lower[0] = (char)(lower[0] | 0x20);
    const struct schema_type *type = schema_type(m->schema, rest);
    return type ? type : schema_type(m->schema, str_of(lower, rest.n));
}

/* The schema doesn't know the object: take names as they are. */
static int push_unknown(struct path_machine *m, const struct node *parent, struct str name)
{
    const struct node *value = find_member(parent, name);
    const struct node *extra = find_extra(parent, name);
    if (value || extra) {
        return push_all(m, value, extra, NULL);
    }
    for (const struct node *child = node_first(parent); child; child = child->next) {
        const struct schema_type *type = guess_type(m, child->name, name);
        if (type) {
            return push_all(m, child, find_extra(parent, child->name), type);
        }
    }
    return 0;
}

static int push_of_element(struct path_machine *m, const struct path_value *item,
                           const struct path_name *name)
{
    const struct path_element *e = &item->element;
    bool primitive = e->type && e->type->kind == SCHEMA_PRIMITIVE;
    const struct node *parent = primitive ? path_extra(e) : e->node;
    if (!e->type) {
        return node_is(parent, NODE_OBJECT) ? push_unknown(m, parent, name->text) : 0;
    }
    if (primitive && e->node && str_eq(name->text, STR("value"))) {
        struct path_value value;
        int r = path_simple(m->schema, m->arena, item, &value);
        return r ? r : path_push(m, value);
    }
    if (!node_is(parent, NODE_OBJECT)) {
        return 0;
    }
    const struct schema_element *element = find_element(m, e->type, name);
    if (!element) {
        return 0;
    }
    if (element->flags & SCHEMA_CHOICE) {
        return push_choice(m, parent, element);
    }
    return push_known(m, parent, name->text, schema_choice(m->schema, element, 0));
}

static int push_of_type(struct path_machine *m, const struct path_type *type, struct str name)
{
    if (str_eq(name, STR("namespace"))) {
        return path_push(m, path_string(type->space));
    }
    if (str_eq(name, STR("name"))) {
        return path_push(m, path_string(type->name));
    }
    return str_eq(name, STR("baseType")) ? path_push(m, path_string(type->base)) : 0;
}

static int push_of_quantity(struct path_machine *m, const struct path_quantity *quantity,
                            struct str name)
{
    if (str_eq(name, STR("value"))) {
        return path_push(m, path_decimal(quantity->value));
    }
    return str_eq(name, STR("unit")) ? path_push(m, path_string(quantity->unit)) : 0;
}

int path_push_member(struct path_machine *m, const struct path_value *item,
                     const struct path_name *name)
{
    switch (item->kind) {
    case PATH_ELEMENT: return push_of_element(m, item, name);
    case PATH_TYPE: return push_of_type(m, item->type, name->text);
    case PATH_QUANTITY: return push_of_quantity(m, item->quantity, name->text);
    case PATH_BOOLEAN:
    case PATH_INTEGER:
    case PATH_DECIMAL:
    case PATH_STRING:
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME: break;
    }
    return 0;
}

/* --- all children ------------------------------------------------------------------------- */

static int push_child(struct path_machine *m, const struct node *parent,
                      const struct schema_type *type, const struct node *child)
{
    bool under = child->name.n && child->name.p[0] == '_';
    struct str member = str_slice(child->name, under, child->name.n);
    struct schema_field field = { .type = NULL };
    if (str_eq(member, STR("resourceType"))) {
        return 0;
    }
    const struct node *value = find_member(parent, member);
    if (under && value) {
        return 0; /* met as the value */
    }
    if (type) {
        (void)schema_field(m->schema, type, member, &field);
    }
    return push_all(m, value, find_extra(parent, member), field.type);
}

int path_push_children(struct path_machine *m, const struct path_value *item)
{
    if (item->kind != PATH_ELEMENT) {
        return 0;
    }
    const struct path_element *e = &item->element;
    const struct node *parent = node_is(e->node, NODE_OBJECT) ? e->node : path_extra(e);
    int r = 0;
    if (!node_is(parent, NODE_OBJECT)) {
        return 0;
    }
    for (const struct node *child = parent->first; child && !r; child = child->next) {
        r = push_child(m, parent, e->type, child);
    }
    return r;
}

/* --- types -------------------------------------------------------------------------------- */

static bool derives(const struct path_machine *m, const struct schema_type *type,
                    const struct schema_type *base)
{
    while (type && type != base) {
        type = schema_base(m->schema, type);
    }
    return type != NULL;
}

bool path_is(const struct path_machine *m, const struct path_value *item,
             const struct path_specifier *wanted)
{
    if (wanted->none) {
        return false;
    }
    if (item->kind == PATH_ELEMENT) {
        return !wanted->system && derives(m, item->element.type, wanted->type);
    }
    if (wanted->system) {
        return item->kind == wanted->kind;
    }
    return item->kind == PATH_QUANTITY &&
           str_eq(schema_type_name(m->schema, wanted->type), STR("Quantity"));
}

bool path_passes(const struct path_machine *m, const struct path_value *item,
                 const struct path_specifier *wanted)
{
    bool primitive = !wanted->none && !wanted->system && wanted->type->kind == SCHEMA_PRIMITIVE;
    if (primitive && item->kind == PATH_ELEMENT) {
        return item->element.type == wanted->type;
    }
    return path_is(m, item, wanted);
}

bool path_is_lead(const struct path_machine *m, const struct path_value *item, struct str name)
{
    if (item->kind != PATH_ELEMENT || !name.n || name.p[0] < 'A' || name.p[0] > 'Z') {
        return false;
    }
    if (item->element.type) {
        return schema_is_a(m->schema, item->element.type, name);
    }
    return str_eq(node_text(item->element.node, "resourceType"), name);
}

static int full_name(struct path_machine *m, const struct schema_type *type, struct str *out)
{
    struct buf b = arena_buf(m->arena, 256);
    buf_z(&b, "FHIR.");
    buf_str_put(&b, type ? schema_type_name(m->schema, type) : STR("Any"));
    *out = buf_str(&b);
    return buf_failed(&b) ? -ENOMEM : 0;
}

int path_type_of(struct path_machine *m, const struct path_value *item, struct path_value *out,
                 bool *known)
{
    struct path_type type = { .space = STR("System"),
                              .name = path_kind_name(item->kind),
                              .base = STR("System.Any") };
    *known = item->kind != PATH_TYPE && !(item->kind == PATH_ELEMENT && !item->element.type);
    if (!*known) {
        return 0;
    }
    if (item->kind == PATH_ELEMENT) {
        const struct schema_type *of = item->element.type;
        type.space = STR("FHIR");
        type.name = schema_type_name(m->schema, of);
        int r = full_name(m, schema_base(m->schema, of), &type.base);
        if (r) {
            return r;
        }
    }
    struct path_type *kept = arena_alloc(m->arena, sizeof(*kept));
    if (!kept) {
        return -ENOMEM;
    }
    *kept = type;
    *out = (struct path_value){ .kind = PATH_TYPE, .type = kept };
    return 0;
}

const struct node *path_resource_of(const struct node *node, bool outermost)
{
    const struct node *found = NULL;
    for (; node && (!found || outermost); node = node->parent) {
        if (node_get(node, "resourceType")) {
            found = node;
        }
    }
    return found;
}
