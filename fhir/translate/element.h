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
 * @text:     of strings and literals
 * @original: what a value was before it lost precision; written as an extension
 * @link:     of links
 */
struct element {
    enum element_kind kind;
    bool solid;
    bool trusted;
    bool weak;
    const char *name;
    struct str text;
    struct str original;
    const struct resource *link;
    struct element *first;
    struct element *last;
    struct element *next;
};

/* A new element with no parent; NULL if there is no memory. */
MUST_USE struct element *element_new(struct arena *arena, enum element_kind kind);

/* The member @name of @object, or NULL. */
struct element *element_get(const struct element *object, const char *name);

/* The first element of array @name of @object, or NULL. */
struct element *element_first(const struct element *object, const char *name);

/* Text of string member @name of @object, or the empty span. */
struct str element_text(const struct element *object, const char *name);

/* Add @child at the end of @parent, under @name (NULL in arrays). */
void element_append(struct element *parent, struct element *child, const char *name);

/**
 * element_put() - put an element at a path
 * @arena:  memory for objects and arrays on the way
 * @target: object where the path begins
 * @path:   @count steps, at least one
 * @child:  what to put; what stands there already stays
 *
 * Return: whether there was memory
 */
MUST_USE bool element_put(struct arena *arena, struct element *target,
                          const struct rule_step *path, size_t count, struct element *child);

/* Move the members of @from that @into hasn't; identifiers it hasn't are added. */
void element_unite(struct element *into, struct element *from);

/*
 * Write the members of @object as JSON, with what their values were originally; a comma comes
 * before each but the @first.
 */
void element_write_members(struct buf *out, const struct element *object, bool first);
