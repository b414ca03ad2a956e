/*
 * Growing and writing resources.
 *
 * Objects have few members, so a list is searched. Names are ours and need no escapes; with
 * thousands of them in a Bundle that is worth knowing. A value that lost something carries what
 * it was; writing it adds the sibling "_name" that FHIR has for extensions of primitives.
 */
#include "fhir/translate/element.h"

#include "fhir/translate/resource.h"

#include <string.h>

enum {
    POOL = 64, /* elements at a time */
};

bool element_more(struct element_pool *pool)
{
    pool->next = arena_alloc(pool->arena, POOL * sizeof(struct element));
    pool->end = pool->next ? pool->next + POOL : NULL;
    return pool->next != NULL;
}

struct element *element_get(const struct element *object, const char *name)
{
    for (struct element *e = object->first; e; e = e->next) {
        if (strcmp(e->name->z, name) == 0) {
            return e;
        }
    }
    return NULL;
}

struct element *element_named(const struct element *object, const struct rule_name *name)
{
    for (struct element *e = object->first; e; e = e->next) {
        if (e->name_n == name->n &&
            (e->name == name ||
             (*e->name->z == *name->z && memcmp(e->name->z, name->z, name->n) == 0))) {
            return e;
        }
    }
    return NULL;
}

struct element *element_first(const struct element *object, const char *name)
{
    const struct element *array = element_get(object, name);
    return array ? array->first : NULL;
}

struct str element_text(const struct element *object, const char *name)
{
    const struct element *e = element_get(object, name);
    return e ? e->text : (struct str){ 0 };
}

void element_append(struct element *parent, struct element *child, const struct rule_name *name)
{
    child->name = name;
    child->name_n = name ? (uint16_t)name->n : 0;
    child->next = NULL;
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
}

/* The member @name of @object, made if it isn't there. */
static struct element *member(struct element_pool *pool, struct element *object,
                              const struct rule_name *name, enum element_kind kind)
{
    struct element *e = element_named(object, name);
    if (!e) {
        e = element_new(pool, kind);
        if (e) {
            element_append(object, e, name);
        }
    }
    return e;
}

/* Whether both say the same, in the same order. */
static bool equal(const struct element *a, const struct element *b)
{
    if (a->kind != b->kind || a->name != b->name || a->link != b->link ||
        !str_eq(a->text, b->text) || !str_eq(a->original, b->original)) {
        return false;
    }
    const struct element *x = a->first;
    const struct element *y = b->first;
    while (x && y && equal(x, y)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

/* Whether @array, which may be NULL, has @item. */
static bool has_item(const struct element *array, const struct element *item)
{
    for (const struct element *e = array ? array->first : NULL; e; e = e->next) {
        if (equal(e, item)) {
            return true;
        }
    }
    return false;
}

/* A new object at the end of array @name of @object, or @child. */
static struct element *new_item(struct element_pool *pool, struct element *object,
                                const struct rule_name *name, struct element *child)
{
    struct element *array = member(pool, object, name, ELEMENT_ARRAY);
    struct element *item = child ? child : element_new(pool, ELEMENT_OBJECT);
    if (!array || !item) {
        return NULL;
    }
    element_append(array, item, NULL);
    return item;
}

/* The object for @key in array @name of @object, made if it isn't there. */
static struct element *keyed_item(struct element_pool *pool, struct element *object,
                                  const struct rule_name *name, struct str key)
{
    const struct element *array = element_named(object, name);
    for (struct element *e = array ? array->first : NULL; e; e = e->next) {
        if (str_eq(e->text, key)) {
            return e;
        }
    }
    struct element *item = new_item(pool, object, name, NULL);
    if (item) {
        item->text = key;
    }
    return item;
}

/* Put a copy of @child at @path in all objects of @array, which may be NULL. */
static bool put_in_every(struct element_pool *pool, const struct element *array,
                         const struct rule_step *path, size_t count,
                         const struct element *child)
{
    for (struct element *e = array ? array->first : NULL; e; e = e->next) {
        struct element *copy = element_new(pool, child->kind);
        if (!copy) {
            return false;
        }
        *copy = *child;
        if (!element_put(pool, e, path, count, copy, (struct str){ 0 })) {
            return false;
        }
    }
    return true;
}

bool element_put(struct element_pool *pool, struct element *target,
                 const struct rule_step *path, size_t count, struct element *child,
                 struct str key)
{
    for (size_t i = 0; i < count; i++) {
        const struct rule_name *name = path[i].name;
        bool end = i == count - 1;
        if (path[i].item == ITEM_EVERY) {
            return put_in_every(pool, element_named(target, name), &path[i + 1], count - i - 1,
                                child);
        }
        if (path[i].item == ITEM_ONCE && has_item(element_named(target, name), child)) {
            return true;
        }
        if (path[i].item != ITEM_NONE) {
            target = path[i].item == ITEM_KEYED
                         ? keyed_item(pool, target, name, key)
                         : new_item(pool, target, name, end ? child : NULL);
            if (!target) {
                return false;
            }
        } else if (end) {
            struct element *there = element_named(target, name);
            if (!there) {
                element_append(target, child, name);
            } else if (element_is_bare(there) && child->kind == ELEMENT_STRING) {
                there->text = child->text;
                there->plain = child->plain;
            }
        } else {
            target = member(pool, target, name, ELEMENT_OBJECT);
            if (!target) {
                return false;
            }
        }
    }
    return true;
}

/* Whether @array has an identifier with the system and value of @identifier. */
static bool has_identifier(const struct element *array, const struct element *identifier)
{
    for (const struct element *e = array->first; e; e = e->next) {
        if (str_eq(element_text(e, "system"), element_text(identifier, "system")) &&
            str_eq(element_text(e, "value"), element_text(identifier, "value"))) {
            return true;
        }
    }
    return false;
}

void element_unite(struct element *into, struct element *from)
{
    struct element *next = NULL;
    for (struct element *e = from->first; e; e = next) {
        next = e->next;
        struct element *mine = element_named(into, e->name);
        if (!mine) {
            element_append(into, e, e->name);
            continue;
        }
        if (strcmp(e->name->z, "identifier") != 0 || mine->kind != ELEMENT_ARRAY) {
            continue;
        }
        struct element *after = NULL;
        for (struct element *id = e->first; id; id = after) {
            after = id->next;
            if (!has_identifier(mine, id)) {
                element_append(mine, id, NULL);
            }
        }
    }
}

/* The whole of a member whose text needs no escape. */
static void write_plain(struct buf *out, const struct element *e, bool first)
{
    size_t n = e->name->n + 3;
    char *p = buf_extend(out, !first + n + e->text.n + 2);
    if (!p) {
        return;
    }
    if (!first) {
        *p++ = ',';
    }
    memcpy(p, e->name->json, n);
    p += n;
    *p++ = '"';
    if (e->text.n) {
        memcpy(p, e->text.p, e->text.n);
    }
    p[e->text.n] = '"';
}

/* A comma unless it is the first, and the name. */
static void write_name(struct buf *out, const struct rule_name *name, bool first)
{
    size_t n = name->n + 3;
    char *p = buf_extend(out, n + !first);
    if (!p) {
        return;
    }
    if (!first) {
        *p++ = ',';
    }
    memcpy(p, name->json, n);
}

static void write_original(struct buf *out, const struct element *e, bool first)
{
    buf_z(out, first ? "\"_" : ",\"_");
    buf_put(out, e->name->z, e->name->n);
    buf_z(out, "\":{\"extension\":[{\"url\":\"" ELEMENT_ORIGINAL "\",\"valueString\":");
    json_quote(out, e->original);
    buf_z(out, "}]}");
}

bool element_has_sibling(const struct element *object, const struct element *e)
{
    const struct element *o = object->first;
    while (o && !(o->name->z[0] == '_' && strcmp(o->name->z + 1, e->name->z) == 0)) {
        o = o->next;
    }
    return o != NULL;
}

static void write_value(struct buf *out, const struct element *element);

void element_write_members(struct buf *out, const struct element *object, bool first)
{
    bool bare = false;
    for (const struct element *e = object->first; e; e = e->next) {
        if (element_is_bare(e)) {
            bare = true;
            continue;
        }
        if (e->kind == ELEMENT_STRING && e->plain) {
            write_plain(out, e, first);
        } else {
            write_name(out, e->name, first);
            write_value(out, e);
        }
        first = false;
        if (element_keeps_original(object, e)) {
            write_original(out, e, first);
        }
    }
    for (const struct element *e = object->first; bare && e; e = e->next) {
        if (element_is_bare(e) && element_keeps_original(object, e)) {
            write_original(out, e, first);
            first = false;
        }
    }
}

static void write_items(struct buf *out, const struct element *array)
{
    for (const struct element *e = array->first; e; e = e->next) {
        if (e != array->first) {
            buf_c(out, ',');
        }
        write_value(out, e);
    }
}

static void write_value(struct buf *out, const struct element *element)
{
    switch (element->kind) {
    case ELEMENT_OBJECT:
        buf_c(out, '{');
        element_write_members(out, element, true);
        buf_c(out, '}');
        return;
    case ELEMENT_ARRAY:
        buf_c(out, '[');
        write_items(out, element);
        buf_c(out, ']');
        return;
    case ELEMENT_STRING:
        if (element->plain) {
            json_quote_plain(out, element->text);
        } else {
            json_quote(out, element->text);
        }
        return;
    case ELEMENT_LITERAL: buf_str_put(out, element->text); return;
    case ELEMENT_LINK: json_quote_plain(out, resource_url(element->link)); return;
    }
}
