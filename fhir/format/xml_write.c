/*
 * Writing XML.
 *
 *   resource --> element --> slots, in the order of the schema --> item --> element | narrative
 *
 * Members stand in JSON in any order and those of a primitive in two places, so the members of
 * an object are first laid out in slots, one for each element of its type. What has no slot, or
 * doesn't fit it, is refused: nothing is left out and nothing guessed.
 */
#include "fhir/format/xml.h"

#include "fhir/format/json.h"
#include "fhir/format/xml_escape.h"
#include "fhir/format/xml_narrative.h"

#include <assert.h>
#include <errno.h>

enum {
    SLOTS_MAX = 96, /* elements of the largest type, with room */
    PLACE_MAX = 400,
};

/*
 * What an object has of one element.
 *
 * @name:  in JSON; empty: nothing
 * @value: member "name"
 * @extra: member "_name"
 */
struct slot {
    struct str name;
    const struct schema_type *type;
    const struct node *value;
    const struct node *extra;
};

/*
 * One element to be written.
 *
 * @value:   of a primitive
 * @members: of an object or resource; ids and extensions of a primitive; NULL if there are none
 */
struct item {
    struct str name;
    const struct schema_type *type;
    const struct node *value;
    const struct node *members;
};

struct step {
    struct str name;
    size_t index;
    bool list;
};

struct writer {
    struct arena *arena;
    const struct schema *schema;
    struct issues *issues;
    struct buf *out;
    size_t depth;
    struct step path[JSON_DEPTH_MAX + 1];
};

static int write_element(struct writer *w, const struct item *item);
static int write_resource(struct writer *w, const struct node *node);

/* ---- refusing ---- */

static int refuse_at(const struct writer *w, struct str member, const char *reason)
{
    char place[PLACE_MAX];
    struct buf b = buf_fixed(place, sizeof(place));
    for (size_t i = 0; i < w->depth; i++) {
        const struct step *step = &w->path[i];
        buf_fmt(&b, "%s%.*s", i ? "." : "", (int)step->name.n, step->name.p);
        if (step->list) {
            buf_fmt(&b, "[%zu]", step->index);
        }
    }
    if (member.n) {
        buf_fmt(&b, "%s%.*s", b.n ? "." : "", (int)member.n, member.p);
    }
    issues_add(w->issues, ISSUE_FATAL, "structure", buf_str(&b), "%s", reason);
    return XML_E_FORM;
}

static int refuse(const struct writer *w, const char *reason)
{
    return refuse_at(w, (struct str){ 0 }, reason);
}

static int enter(struct writer *w, struct str name, size_t index, bool list)
{
    if (w->depth == ARRAY_LEN(w->path)) {
        return refuse(w, "nested too deep");
    }
    w->path[w->depth++] = (struct step){ .name = name, .index = index, .list = list };
    return 0;
}

/* ---- slots ---- */

/* Lay out one member of an object. */
static int place_member(struct writer *w, const struct schema_type *type,
                        const struct node *member, struct slot *slots)
{
    bool extra = str_starts(member->name, STR("_"));
    struct str name = str_slice(member->name, extra, member->name.n);
    struct schema_field field;
    if (!schema_field(w->schema, type, name, &field)) {
        return refuse_at(w, member->name, "unknown member");
    }
    if (extra && field.type->kind != SCHEMA_PRIMITIVE) {
        return refuse_at(w, member->name, "only primitives have such a member");
    }
    struct slot *slot = &slots[field.rank];
    if (slot->name.n && !str_eq(slot->name, name)) {
        return refuse_at(w, member->name, "two values of one choice");
    }
    slot->name = name;
    slot->type = field.type;
    *(extra ? &slot->extra : &slot->value) = member;
    return 0;
}

/* Lay out the members of @object, which may be NULL. */
static int place_members(struct writer *w, const struct schema_type *type,
                         const struct node *object, struct slot *slots)
{
    assert(schema_size(type) <= SLOTS_MAX);
    memset(slots, 0, schema_size(type) * sizeof(*slots));
    const struct node *member = node_first(object);
    for (int r = 0; member && !r; member = r ? member : member->next) {
        bool is_type = str_eq(member->name, STR("resourceType"));
        if (is_type && type->kind == SCHEMA_RESOURCE) {
            continue;
        }
        r = place_member(w, type, member, slots);
        if (r) {
            return r;
        }
    }
    return 0;
}

/* ---- values ---- */

/* Text of a primitive @value, if it has the kind of @type. */
static int value_text(const struct writer *w, const struct schema_type *type,
                      const struct node *value, struct str *out)
{
    bool boolean = value->kind == NODE_TRUE || value->kind == NODE_FALSE;
    *out = boolean ? str_z(value->kind == NODE_TRUE ? "true" : "false") : value->text;
    switch ((enum schema_json)type->json) {
    case SCHEMA_STRING:
        return value->kind == NODE_STRING ? 0 : refuse(w, "the value must be a string");
    case SCHEMA_NUMBER:
        return value->kind == NODE_NUMBER ? 0 : refuse(w, "the value must be a number");
    case SCHEMA_BOOLEAN: return boolean ? 0 : refuse(w, "the value must be true or false");
    }
    return refuse(w, "unknown kind of value");
}

static int write_attribute(struct writer *w, const char *name, const struct schema_type *type,
                           const struct node *value)
{
    struct str text = { 0 };
    int r = value_text(w, type, value, &text);
    if (r) {
        return r;
    }
    buf_c(w->out, ' ');
    buf_z(w->out, name);
    buf_put(w->out, "=\"", 2);
    if (!xml_escape(w->out, text)) {
        return refuse(w, "a character that XML doesn't allow");
    }
    buf_c(w->out, '"');
    return 0;
}

static int write_narrative(struct writer *w, const struct item *item)
{
    struct str div;
    const char *reason;
    if (item->members || !node_is(item->value, NODE_STRING)) {
        return refuse(w, "the narrative must be a string");
    }
    int r = xml_narrative_check(w->arena, item->value->text, &div, &reason);
    if (r > 0) {
        return refuse(w, reason);
    }
    if (!r) {
        buf_str_put(w->out, div);
    }
    return r;
}

/* ---- items ---- */

/* The element of JSON's @value and @extra, either of which may be null or missing. */
static int write_item(struct writer *w, const struct slot *slot, const struct node *value,
                      const struct node *extra)
{
    value = node_is(value, NODE_NULL) ? NULL : value;
    extra = node_is(extra, NODE_NULL) ? NULL : extra;
    struct item item = { .name = slot->name, .type = slot->type };
    bool primitive = slot->type->kind == SCHEMA_PRIMITIVE;
    item.value = primitive ? value : NULL;
    item.members = primitive ? extra : value;
    if (item.members ? !node_is(item.members, NODE_OBJECT) : !primitive) {
        return refuse(w, "must be an object");
    }
    if (!item.value && !node_first(item.members)) {
        return refuse(w, "there is nothing in it");
    }
    if (slot->type->kind == SCHEMA_RESOURCE) {
        buf_fmt(w->out, "<%.*s>", (int)slot->name.n, slot->name.p);
        int r = write_resource(w, value);
        buf_fmt(w->out, "</%.*s>", (int)slot->name.n, slot->name.p);
        return r;
    }
    bool narrative = str_eq(schema_type_name(w->schema, slot->type), STR("xhtml"));
    return narrative ? write_narrative(w, &item) : write_element(w, &item);
}

/* All elements of a slot whose members are arrays. */
static int write_list(struct writer *w, const struct slot *slot)
{
    const struct node *value = node_first(slot->value);
    const struct node *extra = node_first(slot->extra);
    size_t count = 0;
    while (value || extra) {
        int r = enter(w, slot->name, count++, true);
        r = r ? r : write_item(w, slot, value, extra);
        if (r) {
            return r;
        }
        w->depth--;
        value = value ? value->next : NULL;
        extra = extra ? extra->next : NULL;
    }
    return count ? 0 : refuse_at(w, slot->name, "empty array");
}

static int write_slot(struct writer *w, const struct schema_element *element,
                      const struct slot *slot)
{
    bool list = element->max > 1;
    const struct node *both[] = { slot->value, slot->extra };
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (both[i] && node_is(both[i], NODE_ARRAY) != list) {
            return refuse_at(w, slot->name, list ? "must be an array" : "must be one value");
        }
        if (node_is(both[i], NODE_NULL)) {
            return refuse_at(w, slot->name, "null outside of an array");
        }
    }
    if (list) {
        return write_list(w, slot);
    }
    int r = enter(w, slot->name, 0, false);
    r = r ? r : write_item(w, slot, slot->value, slot->extra);
    w->depth -= r ? 0 : 1;
    return r;
}

/* ---- elements ---- */

/* Slots that are attributes; @count: how many are not. */
static int write_attributes(struct writer *w, const struct schema_type *type,
                            const struct slot *slots, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < schema_size(type); i++) {
        const struct schema_element *element = schema_at(w->schema, type, i);
        const struct slot *slot = &slots[i];
        if (!slot->name.n) {
            continue;
        }
        if (!(element->flags & SCHEMA_ATTRIBUTE)) {
            ++*count;
            continue;
        }
        if (slot->extra) {
            return refuse_at(w, slot->name, "XML has no place for its extensions");
        }
        int r = enter(w, slot->name, 0, false);
        r = r ? r
              : write_attribute(w, w->schema->pool + element->name, slot->type, slot->value);
        if (r) {
            return r;
        }
        w->depth--;
    }
    return 0;
}

static int write_children(struct writer *w, const struct schema_type *type,
                          const struct slot *slots)
{
    for (size_t i = 0; i < schema_size(type); i++) {
        const struct schema_element *element = schema_at(w->schema, type, i);
        bool child = slots[i].name.n && !(element->flags & SCHEMA_ATTRIBUTE);
        int r = child ? write_slot(w, element, &slots[i]) : 0;
        if (r) {
            return r;
        }
    }
    return 0;
}

static int write_element(struct writer *w, const struct item *item)
{
    struct slot slots[SLOTS_MAX];
    size_t children = 0;
    int r = place_members(w, item->type, item->members, slots);
    if (r) {
        return r;
    }
    buf_c(w->out, '<');
    buf_str_put(w->out, item->name);
    if (item->type->kind == SCHEMA_RESOURCE && w->depth == 1) {
        buf_z(w->out, " xmlns=\"" XML_FHIR "\"");
    }
    r = write_attributes(w, item->type, slots, &children);
    if (!r && item->value) {
        r = write_attribute(w, "value", item->type, item->value);
    }
    if (!r && !children) {
        buf_put(w->out, "/>", 2);
        return 0;
    }
    buf_c(w->out, '>');
    r = r ? r : write_children(w, item->type, slots);
    buf_put(w->out, "</", 2);
    buf_str_put(w->out, item->name);
    buf_c(w->out, '>');
    return r;
}

static int write_resource(struct writer *w, const struct node *node)
{
    struct str name = node_text(node, "resourceType");
    const struct schema_type *type = schema_type(w->schema, name);
    if (!type || type->kind != SCHEMA_RESOURCE || type->abstract) {
        return refuse_at(w, STR("resourceType"), "unknown resource type");
    }
    struct item item = { .name = name, .type = type, .members = node };
    return write_element(w, &item);
}

int xml_write(struct arena *arena, const struct schema *schema, const struct node *root,
              struct issues *issues, struct buf *out)
{
    struct writer w = { .arena = arena, .schema = schema, .issues = issues, .out = out };
    int r = enter(&w, node_text(root, "resourceType"), 0, false);
    r = r ? r : write_resource(&w, root);
    return r ? r : buf_failed(out) ? -ENOMEM : 0;
}
