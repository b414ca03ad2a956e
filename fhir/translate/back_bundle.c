/*
 * The resources of a Bundle, and what references between them lead to.
 *
 * References are looked up by the text they have: the full URL of an entry, or Type/id. One
 * that leads out of the Bundle leads nowhere.
 */
#include "fhir/translate/back.h"

#include "fhir/format/json.h"
#include "fhir/model/reference.h"

#include <errno.h>

static size_t hash(struct str key)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < key.n; i++) {
        h = (h ^ (unsigned char)key.p[i]) * 1099511628211u;
    }
    return (size_t)(h ^ h >> 32);
}

static struct back_slot *slot(const struct back *b, struct str key)
{
    size_t at = hash(key) & b->slot_mask;
    while (b->slots[at].resource && !str_eq(b->slots[at].key, key)) {
        at = (at + 1) & b->slot_mask;
    }
    return &b->slots[at];
}

/* The first one with a key keeps it. */
static void remember(struct back *b, struct str key, struct back_resource *resource)
{
    struct back_slot *at = key.n ? slot(b, key) : NULL;
    if (at && !at->resource) {
        *at = (struct back_slot){ key, resource };
    }
}

static struct back_type *type_of(struct back *b, struct str name)
{
    for (size_t i = 0; i < b->type_count; i++) {
        if (str_eq(b->types[i].name, name)) {
            return &b->types[i];
        }
    }
    if (b->type_count == BACK_TYPES_MAX) {
        return NULL;
    }
    b->types[b->type_count].name = name;
    return &b->types[b->type_count++];
}

enum {
    KEY_MAX = 256,
};

/* The key of what is contained in @outer under @id, or of @outer itself without one. */
static void inner_key(struct buf *key, const struct node *outer, struct str id)
{
    buf_put(key, &outer, sizeof(struct node *));
    buf_c(key, '#');
    buf_str_put(key, id);
}

/* Remember @made under the text of @key. */
static void remember_copy(struct back *b, const struct buf *key, struct back_resource *made)
{
    struct str copy = buf_failed(key) ? STR("") : arena_str(b->arena, buf_str(key));
    b->error = copy.p ? b->error : -ENOMEM;
    remember(b, copy, made);
}

/* @outer: what @node is contained in, or NULL */
static void add(struct back *b, const struct node *node, const struct node *entry,
                const struct node *outer)
{
    struct str name = node_text(node, "resourceType");
    struct back_type *type = name.n ? type_of(b, name) : NULL;
    if (!type || b->resource_count == TO_V2_RESOURCES_MAX) {
        return;
    }
    struct back_resource *made = &b->resources[b->resource_count++];
    *made = (struct back_resource){ .node = node, .entry = entry, .type = name };
    *(type->last ? &type->last->next : &type->first) = made;
    type->last = made;
    struct str id = node_text(node, "id");
    char space[2][KEY_MAX];
    struct buf inner = buf_fixed(space[0], KEY_MAX);
    struct buf key = buf_fixed(space[1], KEY_MAX);
    inner_key(&inner, outer ? outer : node, outer ? id : STR(""));
    remember_copy(b, &inner, made);
    if (!outer && id.n) {
        buf_str_put(&key, name);
        buf_c(&key, '/');
        buf_str_put(&key, id);
        remember_copy(b, &key, made);
    }
    if (entry) {
        remember(b, node_text(entry, "fullUrl"), made);
    }
}

/* Entries first, so that of a type they come before those contained in others. */
static void add_all(struct back *b, bool contained)
{
    bool bundle = str_eq(node_text(b->root, "resourceType"), STR("Bundle"));
    const struct node *entry = bundle ? node_first(node_get(b->root, "entry")) : b->root;
    for (; entry && !b->error; entry = bundle ? entry->next : NULL) {
        const struct node *resource = bundle ? node_get(entry, "resource") : entry;
        if (!contained && resource) {
            add(b, resource, bundle ? entry : NULL, NULL);
        }
        const struct node *inner =
            contained ? node_first(node_get(resource, "contained")) : NULL;
        for (; inner && !b->error; inner = inner->next) {
            add(b, inner, NULL, resource);
        }
    }
}

static size_t count_all(const struct back *b)
{
    bool bundle = str_eq(node_text(b->root, "resourceType"), STR("Bundle"));
    const struct node *entry = bundle ? node_first(node_get(b->root, "entry")) : b->root;
    size_t n = 0;
    for (; entry; entry = bundle ? entry->next : NULL) {
        const struct node *resource = bundle ? node_get(entry, "resource") : entry;
        n += resource != NULL;
        for (const struct node *c = node_first(node_get(resource, "contained")); c;
             c = c->next) {
            n++;
        }
    }
    return n;
}

void back_index(struct back *b)
{
    size_t n = count_all(b);
    size_t size = 16;
    if (n > TO_V2_RESOURCES_MAX) {
        b->error = TO_V2_E_SIZE;
        return;
    }
    while (size < n * 6) { /* three keys for each */
        size *= 2;
    }
    b->resources = arena_calloc(b->arena, n + 1, sizeof(*b->resources));
    b->slots = arena_calloc(b->arena, size, sizeof(*b->slots));
    b->slot_mask = size - 1;
    if (!b->resources || !b->slots) {
        b->error = -ENOMEM;
        return;
    }
    add_all(b, false);
    add_all(b, true);
    b->bundle = (struct back_resource){ .node = b->root, .type = STR("Bundle"), .read = true };
}

struct back_resource *back_first(const struct back *b, const char *type)
{
    for (size_t i = 0; i < b->type_count; i++) {
        if (str_eq(b->types[i].name, str_z(type))) {
            return b->types[i].first;
        }
    }
    return NULL;
}

/* The resource that @node is in, and that is itself in no other. */
static const struct node *outermost(const struct node *node)
{
    const struct node *found = NULL;
    for (; node; node = node->parent) {
        bool resource = node->kind == NODE_OBJECT && node_get(node, "resourceType");
        bool inner = node->parent && str_eq(node->parent->name, STR("contained"));
        if (resource && !inner) {
            return node;
        }
        found = node;
    }
    return found;
}

static struct back_resource *contained(const struct back *b, const struct node *from,
                                       struct str id)
{
    char space[KEY_MAX];
    struct buf key = buf_fixed(space, KEY_MAX);
    inner_key(&key, outermost(from), id);
    return buf_failed(&key) ? NULL : slot(b, buf_str(&key))->resource;
}

struct back_resource *back_resolve(const struct back *b, const struct node *node)
{
    struct str text = node_text(node, "reference");
    if (!text.n) {
        return NULL;
    }
    if (text.p[0] == '#') {
        return contained(b, node, str_slice(text, 1, text.n));
    }
    const struct back_slot *found = slot(b, text);
    if (found->resource) {
        return found->resource;
    }
    struct reference reference = reference_of(text);
    char key[KEY_MAX];
    struct buf k = buf_fixed(key, sizeof(key));
    buf_str_put(&k, reference.type);
    buf_c(&k, '/');
    buf_str_put(&k, reference.id);
    bool plain = reference.form == REFERENCE_RELATIVE && reference.version.n;
    return plain && !buf_failed(&k) ? slot(b, buf_str(&k))->resource : NULL;
}

struct back_resource *back_reach(const struct back_group *group, const char *type)
{
    for (; group; group = group->above) {
        for (uint8_t i = 0; i < group->rules->link_count; i++) {
            if (group->resources[i] && strcmp(group->rules->links[i].type, type) == 0) {
                return group->resources[i];
            }
        }
    }
    return NULL;
}

/* Index of @node in its array. */
static size_t index_of(const struct node *node)
{
    size_t n = 0;
    for (const struct node *at = node->parent->first; at && at != node; at = at->next) {
        n++;
    }
    return n;
}

void back_place_write(struct buf *out, const struct node *node)
{
    const struct node *up[JSON_DEPTH_MAX + 1];
    size_t n = 0;
    for (; node && n < ARRAY_LEN(up); node = node->parent) {
        up[n++] = node;
    }
    if (n) {
        buf_str_put(out, node_text(up[n - 1], "resourceType"));
    }
    while (n > 1) {
        const struct node *at = up[--n - 1];
        if (at->parent->kind == NODE_ARRAY) {
            buf_fmt(out, "[%zu]", index_of(at));
        } else {
            buf_c(out, '.');
            buf_str_put(out, at->name);
        }
    }
}

void back_issue(struct back *b, enum issue_severity severity, const char *code,
                const struct node *node, const char *text)
{
    char place[512];
    struct buf p = buf_fixed(place, sizeof(place));
    back_place_write(&p, node);
    issues_add(b->issues, severity, code, buf_failed(&p) ? STR("Bundle") : buf_str(&p), "%s",
               text);
}
