/*
 * Going through values.
 *
 * A value and its companion with the underscore are one item; in arrays they go together by
 * index, and null stands for the one that isn't there.
 */
#include "fhir/validate/items.h"

static const struct node *object_of(const struct item *item)
{
    return node_is(item->node, NODE_OBJECT) ? item->node : item->extra;
}

static const struct schema_type *type_of(const struct schema *schema, const struct item *item)
{
    bool primitive = item->type && item->type->kind == SCHEMA_PRIMITIVE;
    return primitive ? schema_type(schema, STR("Element")) : item->type;
}

struct item item_resource(const struct schema *schema, const struct node *node)
{
    struct str name = node_text(node, "resourceType");
    return (struct item){ .node = node, .type = schema_type(schema, name) };
}

struct items items_of(const struct schema *schema, const struct item *of, struct str name)
{
    const struct node *object = object_of(of);
    return (struct items){
        .schema = schema,
        .of = { .node = object, .type = type_of(schema, of) },
        .name = name,
        .member = node_first(object),
    };
}

static const struct node *companion(const struct node *object, struct str name)
{
    for (const struct node *m = object->first; m; m = m->next) {
        if (m->name.n == name.n + 1 && m->name.p[0] == '_' &&
            str_eq(str_slice(m->name, 1, m->name.n), name)) {
            return m;
        }
    }
    return NULL;
}

static bool has_value(const struct node *object, struct str name)
{
    for (const struct node *m = object->first; m; m = m->next) {
        if (str_eq(m->name, name)) {
            return true;
        }
    }
    return false;
}

/* Begin with a member if it belongs to the element. */
static bool enter(struct items *items, const struct node *member)
{
    bool alone = str_starts(member->name, STR("_"));
    struct str name = str_slice(member->name, alone, member->name.n);
    struct schema_field field;
    if (!str_starts(name, items->name)) {
        return false; /* a choice's name begins with the element's */
    }
    if (!items->of.type || !schema_field(items->schema, items->of.type, name, &field)) {
        return false;
    }
    bool its = str_eq(name, items->name) ||
               str_eq(schema_name(items->schema, field.element), items->name);
    if (!its || (alone && has_value(items->of.node, name))) {
        return false;
    }

    const struct node *value = alone ? NULL : member;
    const struct node *extra = alone ? member : companion(items->of.node, name);
    bool array = node_is(value, NODE_ARRAY) || node_is(extra, NODE_ARRAY);
    items->value = array ? node_first(value) : value;
    items->extra = array ? node_first(extra) : extra;
    items->type = field.type;
    items->index = 0;
    return true;
}

static const struct node *there(const struct node *node)
{
    return node_is(node, NODE_NULL) ? NULL : node;
}

static const struct node *beyond(const struct node *node)
{
    return node && node_is(node->parent, NODE_ARRAY) ? node->next : NULL;
}

bool items_next(struct items *items, struct item *out)
{
    while (!items->value && !items->extra) {
        const struct node *member = items->member;
        if (!member) {
            return false;
        }
        items->member = member->next;
        (void)enter(items, member);
    }
    *out =
        (struct item){ there(items->value), there(items->extra), items->type, items->index++ };
    items->value = beyond(items->value);
    items->extra = beyond(items->extra);
    if (out->type && str_eq(schema_type_name(items->schema, out->type), STR("Resource"))) {
        size_t index = out->index;
        *out = item_resource(items->schema, out->node);
        out->index = index;
    }
    return true;
}
