/*
 * A resource under construction: objects, arrays and values that grow as rules run.
 *
 * Names are static text, values borrow from message or arena. All memory is the arena's; what
 * isn't used in the end is simply left behind.
 */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/format/json_write.h"
#include "fhir/translate/rules.h"

/* The extension that says what a value was before it lost precision. */
#define ELEMENT_ORIGINAL "http://hl7.org/fhir/StructureDefinition/originalText"

enum element_kind {
    ELEMENT_OBJECT,
    ELEMENT_ARRAY,
    ELEMENT_STRING,
    ELEMENT_LITERAL, /* number or boolean: written without quotes */
    ELEMENT_LINK,    /* the full URL of a resource, known only at the end */
};

struct resource;

/*
 * @solid:    of objects: holds something that came from the message, not only constants
 * @trusted:  of strings: a system that the operator wrote down
 * @weak:     yields to what is stored
 * @plain:    of strings: needs no escape in JSON, as is known of constants
 * @name_n:   length of the name, which mostly tells it from others
 * @marks:    only says where the object it is in comes from
 * @text:     of strings and literals; of objects in arrays: the key they are found by
 * @original: what a value was before it lost something; written as an extension
 * @link:     of links
 */
struct element {
    enum element_kind kind;
    bool solid : 1;
    bool trusted : 1;
    bool weak : 1;
    bool plain : 1;
    bool marks : 1;
    uint16_t name_n;
    const struct rule_name *name; /* NULL in arrays */
    struct str text;
    struct str original;
    const struct resource *link;
    struct element *first;
    struct element *last;
    struct element *next;
};

/* Whether @element is only what a value was originally, of which nothing could be made. */
static inline bool element_is_bare(const struct element *element)
{
    return element->kind == ELEMENT_STRING && !element->text.n && element->original.n;
}

/* Whether rows say themselves what @e of @object was originally. */
bool element_has_sibling(const struct element *object, const struct element *e);

/* Whether what @e of @object was originally is to be said: not where rows say it themselves. */
static inline bool element_keeps_original(const struct element *object, const struct element *e)
{
    return e->original.n && !element_has_sibling(object, e);
}

/* Where elements come from: many at a time from an arena. */
struct element_pool {
    struct arena *arena; /* borrowed */
    struct element *next;
    struct element *end;
};

/* More elements in @pool; whether there was memory. */
MUST_USE bool element_more(struct element_pool *pool);

/* A new element with no parent; NULL if there is no memory. */
MUST_USE static inline struct element *element_new(struct element_pool *pool,
                                                   enum element_kind kind)
{
    if (pool->next == pool->end && !element_more(pool)) {
        return NULL;
    }
    struct element *element = pool->next++;
    *element = (struct element){ .kind = kind };
    return element;
}

/* Give back @element, which nobody knows. */
static inline void element_drop(struct element_pool *pool, const struct element *element)
{
    if (pool->next && element == pool->next - 1) {
        pool->next--;
    }
}

/* The member @name of @object, or NULL. */
struct element *element_get(const struct element *object, const char *name);

/* The same by a name from a map, which is found faster. */
struct element *element_named(const struct element *object, const struct rule_name *name);

/* The first element of array @name of @object, or NULL. */
struct element *element_first(const struct element *object, const char *name);

/* Text of string member @name of @object, or the empty span. */
struct str element_text(const struct element *object, const char *name);

/* Add @child at the end of @parent, under @name (NULL in arrays). */
void element_append(struct element *parent, struct element *child,
                    const struct rule_name *name);

/**
 * element_put() - put an element at a path
 * @pool:   for objects and arrays on the way
 * @target: object where the path begins
 * @path:   @count steps, at least one
 * @child:  what to put; what stands there already stays
 * @key:    of the step that wants one
 *
 * Return: whether there was memory
 */
MUST_USE bool element_put(struct element_pool *pool, struct element *target,
                          const struct rule_step *path, size_t count, struct element *child,
                          struct str key);

/* Move the members of @from that @into hasn't; identifiers it hasn't are added. */
void element_unite(struct element *into, struct element *from);

/*
 * Write the members of @object as JSON, with what their values were originally; a comma comes
 * before each but the @first.
 */
void element_write_members(struct buf *out, const struct element *object, bool first);
