/*
 * Building the tree.
 *
 *   start: resource | slot | object | primitive | narrative --> a frame
 *   end:   the frame's last run is finished, the frame is closed
 *
 * Elements of one name are collected as a run, which is put among the members when another name
 * comes. The schema says which names an object has, in which order, and what each is.
 */
#include "fhir/format/xml_tree.h"

#include <errno.h>

static const char UNKNOWN[] = "unknown element";
static const char NAMESPACE[] = "another namespace than " XML_FHIR;
static const char SCHEMA_LOCATION[] = "http://www.w3.org/2001/XMLSchema-instance";

static int refuse(struct xml_tree *t, const char *reason)
{
    t->reason = reason;
    return XML_E_FORM;
}

static struct xml_frame *top(struct xml_tree *t)
{
    return &t->frames[t->open - 1];
}

/* @text itself if it lasts, else a copy. */
static int keep(struct xml_tree *t, struct str text, bool lasts, struct str *out)
{
    struct str kept = lasts || !text.n ? text : arena_str(t->arena, text);
    *out = kept;
    return text.n && !kept.p ? -ENOMEM : 0;
}

/* ---- values ---- */

static size_t digits(struct str s, size_t at)
{
    while (at < s.n && s.p[at] >= '0' && s.p[at] <= '9') {
        at++;
    }
    return at;
}

/* Whether JSON allows @s as a number. */
static bool is_number(struct str s)
{
    size_t whole = s.n && s.p[0] == '-';
    size_t at = digits(s, whole);
    bool ok = at > whole && (s.p[whole] != '0' || at == whole + 1) && s.n <= JSON_NUMBER_MAX;
    if (at < s.n && s.p[at] == '.') {
        size_t fraction = at + 1;
        at = digits(s, fraction);
        ok = ok && at > fraction;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        size_t exponent = at + 1;
        exponent += exponent < s.n && (s.p[exponent] == '+' || s.p[exponent] == '-');
        at = digits(s, exponent);
        ok = ok && at > exponent;
    }
    return ok && at == s.n;
}

static bool kind_of(const struct schema_type *type, struct str text, enum node_kind *out)
{
    bool is_true = str_eq(text, STR("true"));
    switch ((enum schema_json)type->json) {
    case SCHEMA_STRING: *out = NODE_STRING; return true;
    case SCHEMA_NUMBER: *out = NODE_NUMBER; return is_number(text);
    case SCHEMA_BOOLEAN:
        *out = is_true ? NODE_TRUE : NODE_FALSE;
        return is_true || str_eq(text, STR("false"));
    }
    return false;
}

static int value_new(struct xml_tree *t, const struct schema_type *type,
                     const struct xml_attribute *attribute, size_t at, struct node **out)
{
    enum node_kind kind;
    if (!kind_of(type, attribute->value, &kind)) {
        return refuse(t, "the value isn't one of its type");
    }
    struct node *node = xml_node_new(t->arena, kind, at);
    if (!node) {
        return -ENOMEM;
    }
    *out = node;
    bool text = kind == NODE_STRING || kind == NODE_NUMBER;
    return text ? keep(t, attribute->value, attribute->lasts, &node->text) : 0;
}

/* ---- runs and frames ---- */

static int finish_run(struct xml_tree *t, struct xml_frame *frame)
{
    return xml_run_finish(&frame->run, t->arena, frame->object, &frame->last);
}

/* The next element of @frame is a @field called @name. */
static int begin_run(struct xml_tree *t, struct xml_frame *frame,
                     const struct schema_field *field, struct str name)
{
    struct xml_run *run = &frame->run;
    if (run->element && str_eq(run->name, name)) {
        run->count++;
        return xml_run_is_list(run) ? 0 : refuse(t, "there may be only one of this element");
    }
    if (run->element && field->rank == frame->rank) {
        return refuse(t, "two values of one choice");
    }
    if (run->element && field->rank < frame->rank) {
        return refuse(t, "element in another order than the schema has");
    }
    int r = finish_run(t, frame);
    frame->rank = field->rank;
    *run = (struct xml_run){ .element = field->element, .count = 1 };
    bool choice = field->element->flags & SCHEMA_CHOICE;
    struct str own = schema_name(t->schema, field->element);
    return r ? r : keep(t, choice ? name : own, !choice, &run->name);
}

static int push(struct xml_tree *t, enum xml_frame_kind kind, const struct schema_type *type,
                struct node *object)
{
    const struct xml_frame *above = t->open ? top(t) : NULL;
    bool wrapped = above && above->kind == XML_FRAME_SLOT; /* the slot counted it */
    bool list = above && xml_run_is_list(&above->run);
    size_t depth = above ? above->depth + !wrapped + list : 1;
    if (depth > JSON_DEPTH_MAX || t->open == ARRAY_LEN(t->frames)) {
        return refuse(t, "nested too deep");
    }
    t->starting = (struct str){ 0 };
    t->frames[t->open++] =
        (struct xml_frame){ .kind = kind, .type = type, .object = object, .depth = depth };
    return 0;
}

static bool is_schema_location(const struct xml_attribute *attribute)
{
    return str_eq(attribute->uri, str_z(SCHEMA_LOCATION));
}

/* Attributes of the top frame's element that are members: those of rank 0 or the others. */
static int add_members(struct xml_tree *t, const struct xml_element *element, bool first)
{
    struct xml_frame *frame = top(t);
    for (size_t i = 0; i < element->attributes_n; i++) {
        const struct xml_attribute *attribute = &element->attributes[i];
        struct schema_field field;
        if (attribute->uri.n ||
            !schema_field(t->schema, frame->type, attribute->name, &field) ||
            !(field.element->flags & SCHEMA_ATTRIBUTE)) {
            return refuse(t, "unknown attribute");
        }
        if ((field.rank == 0) != first) {
            continue;
        }
        struct node *node;
        int r = value_new(t, field.type, attribute, element->at, &node);
        if (r) {
            return r;
        }
        node->name = schema_name(t->schema, field.element);
        xml_node_append(frame->object, &frame->last, node);
    }
    return 0;
}

static int start_object(struct xml_tree *t, const struct schema_type *type,
                        const struct xml_element *element)
{
    struct node *object = xml_node_new(t->arena, NODE_OBJECT, element->at);
    int r = object ? xml_run_value(&top(t)->run, t->arena, object) : -ENOMEM;
    r = r ? r : push(t, XML_FRAME_OBJECT, type, object);
    r = r ? r : add_members(t, element, true);
    return r ? r : add_members(t, element, false);
}

/* That of a primitive is made when it has an id or an extension. */
static int make_object(struct xml_tree *t, struct xml_frame *frame, size_t at)
{
    if (!frame->object) {
        frame->object = xml_node_new(t->arena, NODE_OBJECT, at);
    }
    return frame->object ? 0 : -ENOMEM;
}

static int add_id(struct xml_tree *t, const struct xml_attribute *id, size_t at)
{
    struct xml_frame *frame = top(t);
    struct node *node = xml_node_new(t->arena, NODE_STRING, at);
    if (!node || make_object(t, frame, at)) {
        return -ENOMEM;
    }
    node->name = STR("id");
    xml_node_append(frame->object, &frame->last, node);
    return keep(t, id->value, id->lasts, &node->text);
}

static int start_primitive(struct xml_tree *t, const struct schema_type *type,
                           const struct xml_element *element)
{
    struct xml_run *run = &top(t)->run;
    int r = push(t, XML_FRAME_PRIMITIVE, type, NULL);
    struct xml_frame *frame = top(t);
    for (size_t i = 0; i < element->attributes_n && !r; i++) {
        const struct xml_attribute *attribute = &element->attributes[i];
        struct str name = attribute->uri.n ? (struct str){ 0 } : attribute->name;
        if (str_eq(name, STR("value"))) {
            r = value_new(t, type, attribute, element->at, &frame->value);
        } else if (str_eq(name, STR("id"))) {
            r = add_id(t, attribute, element->at);
        } else {
            r = refuse(t, "unknown attribute");
        }
    }
    struct node *value = frame->value;
    if (!r && !value && xml_run_is_list(run)) {
        value = xml_node_new(t->arena, NODE_NULL, element->at);
        r = value ? 0 : -ENOMEM;
    }
    return r || !value ? r : xml_run_value(run, t->arena, value);
}

/* The document's resource, or the one in a slot. */
static int start_resource(struct xml_tree *t, const struct xml_element *element)
{
    const struct schema_type *type = schema_type(t->schema, element->name);
    if (!str_eq(element->uri, STR(XML_FHIR))) {
        return refuse(t, NAMESPACE);
    }
    if (!type || type->kind != SCHEMA_RESOURCE || type->abstract) {
        return refuse(t, "unknown resource type");
    }
    for (size_t i = 0; i < element->attributes_n; i++) {
        if (t->open || !is_schema_location(&element->attributes[i])) {
            return refuse(t, "unknown attribute");
        }
    }
    struct node *object = xml_node_new(t->arena, NODE_OBJECT, element->at);
    struct node *name = xml_node_new(t->arena, NODE_STRING, element->at);
    if (!object || !name) {
        return -ENOMEM;
    }
    int r = 0;
    if (!t->open) {
        t->root = object;
    } else if (top(t)->object) {
        return refuse(t, "there may be only one resource here");
    } else {
        top(t)->object = object;
        r = xml_run_value(&t->frames[t->open - 2].run, t->arena, object);
    }
    r = r ? r : push(t, XML_FRAME_OBJECT, type, object);
    name->name = STR("resourceType");
    name->text = schema_type_name(t->schema, type);
    xml_node_append(object, &top(t)->last, name);
    return r;
}

static int start_slot(struct xml_tree *t, const struct schema_type *type,
                      const struct xml_element *element)
{
    return element->attributes_n ? refuse(t, "unknown attribute")
                                 : push(t, XML_FRAME_SLOT, type, NULL);
}

static int start_narrative(struct xml_tree *t, const struct xml_element *element)
{
    const char *wrong = xml_narrative_begin(&t->narrative, element);
    if (!wrong && !element->uri.n) {
        wrong = "the narrative isn't XHTML";
    }
    return wrong ? refuse(t, wrong) : push(t, XML_FRAME_NARRATIVE, NULL, NULL);
}

/* A child of an object, or of a primitive. */
static int start_member(struct xml_tree *t, const struct xml_element *element)
{
    struct xml_frame *frame = top(t);
    struct schema_field field;
    if (!schema_field(t->schema, frame->type, element->name, &field)) {
        return refuse(t, UNKNOWN);
    }
    const struct schema_type *type = field.type;
    bool narrative = str_eq(schema_type_name(t->schema, type), STR("xhtml"));
    if (!narrative && !str_eq(element->uri, STR(XML_FHIR))) {
        return refuse(t, NAMESPACE);
    }
    if (field.element->flags & SCHEMA_ATTRIBUTE) {
        return refuse(t, "an element that must be an attribute");
    }
    int r = begin_run(t, frame, &field, element->name);
    r = r ? r : make_object(t, frame, element->at);
    if (r) {
        return r;
    }
    if (narrative) {
        return start_narrative(t, element);
    }
    if (type->kind == SCHEMA_PRIMITIVE) {
        return start_primitive(t, type, element);
    }
    return type->kind == SCHEMA_RESOURCE ? start_slot(t, type, element)
                                         : start_object(t, type, element);
}

/* Names of elements are gone when the document is read; the place of a refusal needs this one.
 */
static void note_starting(struct xml_tree *t, struct str name)
{
    struct str shown = str_slice(name, 0, sizeof(t->starting_name));
    memcpy(t->starting_name, shown.p, shown.n);
    t->starting = str_of(t->starting_name, shown.n);
}

int xml_tree_start(void *owner, const struct xml_element *element)
{
    struct xml_tree *t = owner;
    enum xml_frame_kind kind = t->open ? top(t)->kind : XML_FRAME_SLOT;
    if (kind == XML_FRAME_NARRATIVE) {
        const char *wrong = xml_narrative_enter(&t->narrative, element);
        return wrong ? refuse(t, wrong) : 0;
    }
    if (++t->elements > XML_ELEMENTS_MAX) {
        return refuse(t, "too many elements");
    }
    if (kind == XML_FRAME_SLOT) {
        return start_resource(t, element);
    }
    note_starting(t, element->name);
    return start_member(t, element);
}

/* ---- ends ---- */

static int end_narrative(struct xml_tree *t, size_t after)
{
    if (!xml_narrative_leave(&t->narrative, after)) {
        return 0;
    }
    struct node *node = xml_node_new(t->arena, NODE_STRING, t->narrative.start);
    if (!node) {
        return -ENOMEM;
    }
    node->end = after;
    t->open--;
    int r = xml_narrative_text(&t->narrative, t->arena, t->text, &node->text);
    return r ? r : xml_run_value(&top(t)->run, t->arena, node);
}

static int end_primitive(struct xml_tree *t, struct xml_frame *frame, size_t after)
{
    struct xml_run *run = &t->frames[t->open - 2].run;
    if (frame->value) {
        frame->value->end = after;
    }
    if (!frame->object) {
        return frame->value ? 0 : refuse(t, "neither a value nor an extension");
    }
    frame->object->end = after;
    return xml_run_extra(run, t->arena, frame->object);
}

int xml_tree_end(void *owner, size_t after)
{
    struct xml_tree *t = owner;
    struct xml_frame *frame = top(t);
    if (frame->kind == XML_FRAME_NARRATIVE) {
        return end_narrative(t, after);
    }
    int r = finish_run(t, frame);
    switch (frame->kind) {
    case XML_FRAME_PRIMITIVE: r = r ? r : end_primitive(t, frame, after); break;
    case XML_FRAME_SLOT: r = !r && !frame->object ? refuse(t, "no resource in it") : r; break;
    case XML_FRAME_OBJECT:
        frame->object->end = after;
        r = !r && !frame->object->first ? refuse(t, "empty element") : r;
        break;
    case XML_FRAME_NARRATIVE: break;
    }
    t->open -= r ? 0 : 1;
    return r;
}

int xml_tree_text(void *owner, struct str text)
{
    struct xml_tree *t = owner;
    if (t->open && top(t)->kind == XML_FRAME_NARRATIVE) {
        return 0;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (!text.p[i] || !strchr(" \t\r\n", text.p[i])) {
            return refuse(t, "text between elements");
        }
    }
    return 0;
}

void xml_tree_aside(void *owner, const char *what, size_t line)
{
    struct xml_tree *t = owner;
    if (t->open && top(t)->kind == XML_FRAME_NARRATIVE) {
        return;
    }
    char place[40];
    struct buf b = buf_fixed(place, sizeof(place));
    buf_fmt(&b, "line %zu", line);
    issues_add(t->issues, ISSUE_INFORMATION, "informational", buf_str(&b),
               "%s left out: JSON has no place for it", what);
}

void xml_tree_place(const struct xml_tree *tree, struct buf *out)
{
    for (size_t i = 0; i < tree->open; i++) {
        const struct xml_frame *frame = &tree->frames[i];
        const struct xml_run *run = &frame->run;
        bool above = i + 1 < tree->open;
        bool same = run->element && str_eq(run->name, tree->starting);
        if (i == 0) {
            buf_str_put(out, schema_type_name(tree->schema, frame->type));
        }
        if (run->element && (above || same)) {
            buf_fmt(out, ".%.*s", (int)run->name.n, run->name.p);
        }
        if ((above || same) && xml_run_is_list(run)) {
            buf_fmt(out, "[%zu]", run->count - 1);
        }
        if (!above && !same && tree->starting.n) {
            buf_fmt(out, ".%.*s", (int)tree->starting.n, tree->starting.p);
        }
    }
}
