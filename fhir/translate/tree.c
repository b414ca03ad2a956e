/*
 * The Bundle as a tree, made of the same elements as its text.
 *
 * Without memory everything goes into one spare node, and the end says so.
 */
#include "fhir/translate/engine.h"

#include <errno.h>

enum {
    POOL = 64, /* nodes at a time */
};

struct tree {
    struct arena *arena;
    struct node *next;
    struct node *end;
    struct node spare;
    bool failed;
};

/* Where children are added. */
struct list {
    struct node *parent;
    struct node **end;
};

static struct list inside(struct node *node)
{
    return (struct list){ node, &node->first };
}

static struct node *new_node(struct tree *t)
{
    if (t->next == t->end) {
        t->next = arena_alloc(t->arena, POOL * sizeof(*t->next));
        t->end = t->next ? t->next + POOL : NULL;
    }
    t->failed |= !t->next;
    return t->next ? t->next++ : &t->spare;
}

static struct node *add(struct tree *t, struct list *in, enum node_kind kind, struct str name)
{
    struct node *node = new_node(t);
    *node = (struct node){ .kind = kind, .name = name, .parent = in->parent };
    if (!t->failed) {
        *in->end = node;
        in->end = &node->next;
    }
    return node;
}

static void add_text(struct tree *t, struct list *in, struct str name, struct str text)
{
    add(t, in, NODE_STRING, name)->text = text;
}

static void add_members(struct tree *t, struct list *in, const struct element *object);

static void add_literal(struct tree *t, struct list *in, struct str name, struct str text)
{
    char first = text.n ? text.p[0] : '\0';
    enum node_kind kind = first == 't' ? NODE_TRUE : first == 'f' ? NODE_FALSE : NODE_NUMBER;
    struct node *node = add(t, in, kind, name);
    node->text = kind == NODE_NUMBER ? text : (struct str){ 0 };
}

static void add_value(struct tree *t, struct list *in, struct str name,
                      const struct element *element)
{
    struct list inner;
    switch (element->kind) {
    case ELEMENT_OBJECT:
        inner = inside(add(t, in, NODE_OBJECT, name));
        add_members(t, &inner, element);
        return;
    case ELEMENT_ARRAY:
        inner = inside(add(t, in, NODE_ARRAY, name));
        for (const struct element *e = element->first; e; e = e->next) {
            add_value(t, &inner, (struct str){ 0 }, e);
        }
        return;
    case ELEMENT_STRING: add_text(t, in, name, element->text); return;
    case ELEMENT_LITERAL: add_literal(t, in, name, element->text); return;
    case ELEMENT_LINK: add_text(t, in, name, resource_url(element->link)); return;
    }
}

/* As element.c writes it: the sibling with an underscore. */
static void add_original(struct tree *t, struct list *in, const struct element *e)
{
    struct buf name = arena_buf(t->arena, e->name->n + 1);
    buf_c(&name, '_');
    buf_put(&name, e->name->z, e->name->n);
    t->failed |= buf_failed(&name);
    struct list sibling = inside(add(t, in, NODE_OBJECT, buf_str(&name)));
    struct list extensions = inside(add(t, &sibling, NODE_ARRAY, STR("extension")));
    struct list extension = inside(add(t, &extensions, NODE_OBJECT, (struct str){ 0 }));
    add_text(t, &extension, STR("url"), STR(ELEMENT_ORIGINAL));
    add_text(t, &extension, STR("valueString"), e->original);
}

static void add_members(struct tree *t, struct list *in, const struct element *object)
{
    bool bare = false;
    for (const struct element *e = object->first; e; e = e->next) {
        if (element_is_bare(e)) {
            bare = true;
            continue;
        }
        add_value(t, in, str_of(e->name->z, e->name->n), e);
        if (element_keeps_original(object, e)) {
            add_original(t, in, e);
        }
    }
    for (const struct element *e = object->first; bare && e; e = e->next) {
        if (element_is_bare(e) && element_keeps_original(object, e)) {
            add_original(t, in, e);
        }
    }
}

static void add_extension(struct tree *t, struct list *in, const char *url, struct str value)
{
    struct list extension = inside(add(t, in, NODE_OBJECT, (struct str){ 0 }));
    add_text(t, &extension, STR("url"), str_z(url));
    add_text(t, &extension, STR("valueString"), value);
}

/* As to_fhir.c writes them: what the message deletes. */
static void add_deletes(struct tree *t, struct list *in, const struct translate_path *deletes)
{
    struct list extensions = inside(add(t, in, NODE_ARRAY, STR("extension")));
    for (const struct translate_path *d = deletes; d; d = d->next) {
        struct list extension = inside(add(t, &extensions, NODE_OBJECT, (struct str){ 0 }));
        add_text(t, &extension, STR("url"), str_z(TRANSLATE_DELETES));
        struct list parts = inside(add(t, &extension, NODE_ARRAY, STR("extension")));
        add_extension(t, &parts, "element", d->path);
        add_extension(t, &parts, "field", d->field);
    }
}

static void add_entry(struct tree *t, struct list *entries, const struct resource *r,
                      struct translate_entry *entry)
{
    struct list members = inside(add(t, entries, NODE_OBJECT, (struct str){ 0 }));
    if (r->deletes) {
        add_deletes(t, &members, r->deletes);
    }
    add_text(t, &members, STR("fullUrl"), entry->full_url);
    struct node *resource = add(t, &members, NODE_OBJECT, STR("resource"));
    struct list of = inside(resource);
    add_text(t, &of, STR("resourceType"), str_z(r->type->type));
    if (r->by_id) {
        add_text(t, &of, STR("id"), entry->id);
    }
    add_members(t, &of, r->root);
    struct list request = inside(add(t, &members, NODE_OBJECT, STR("request")));
    add_text(t, &request, STR("method"), STR("PUT"));
    add_text(t, &request, STR("url"), entry->url);
    entry->tree = resource;
}

int tree_make(struct engine *e, struct translate_result *out)
{
    struct tree t = { .arena = e->arena };
    struct node *bundle = NULL;
    struct list top = { NULL, &bundle };
    struct list members = inside(add(&t, &top, NODE_OBJECT, (struct str){ 0 }));
    add_text(&t, &members, STR("resourceType"), STR("Bundle"));
    add_text(&t, &members, STR("type"), STR("transaction"));
    if (e->site->recorded.n) {
        add_text(&t, &members, STR("timestamp"), e->site->recorded);
    }
    if (out->count) {
        struct list entries = inside(add(&t, &members, NODE_ARRAY, STR("entry")));
        size_t n = 0;
        for (const struct resource *r = e->first; r; r = r->next) {
            if (resource_written(r)) {
                add_entry(&t, &entries, r, &out->entries[n++]);
            }
        }
    }
    out->tree = bundle;
    return t.failed ? -ENOMEM : 0;
}
