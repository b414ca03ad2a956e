/*
 * Reading facts.
 *
 * Lists are counted on a first walk and filled on a second, so each is one piece of memory.
 */
#include "fhir/compartment/facts.h"

#include "fhir/compartment/table.h"

#include <errno.h>

static size_t children(const struct node *node)
{
    size_t n = 0;
    for (const struct node *child = node_first(node); child; child = child->next) {
        n++;
    }
    return n;
}

static struct coding coding_of(const struct node *node)
{
    return (struct coding){ node_text(node, "system"), node_text(node, "code") };
}

/* Whether @node looks like a Coding: it has a code, and a system or stands where codings do. */
static bool is_coding(const struct node *node)
{
    if (node->kind != NODE_OBJECT || !node_text(node, "code").n) {
        return false;
    }
    const struct node *named = node_is(node->parent, NODE_ARRAY) ? node->parent : node;
    return str_eq(named->name, STR("coding")) || str_ends(named->name, STR("Coding")) ||
           (node_text(node, "system").n && !node_get(node, "value"));
}

/* Codings of @resource outside of its meta: count them, or fill @out with them. */
static size_t walk_codings(const struct node *resource, struct coding *out)
{
    size_t n = 0;
    const struct node *meta = node_get(resource, "meta");
    for (const struct node *at = resource; at;) {
        if (at == meta) { /* labels and tags are no content */
            at = node_skip(at, resource);
            continue;
        }
        if (is_coding(at)) {
            if (out) {
                out[n] = coding_of(at);
            }
            n++;
        }
        at = node_following(at, resource);
    }
    return n;
}

static int read_codings(struct arena *arena, const struct node *resource,
                        struct resource_facts *out)
{
    out->coding_count = walk_codings(resource, NULL);
    out->codings = arena_calloc(arena, out->coding_count, sizeof(struct coding));
    if (!out->codings) {
        return -ENOMEM;
    }
    (void)walk_codings(resource, out->codings);
    return 0;
}

static int read_meta(struct arena *arena, const struct node *resource,
                     struct resource_facts *out)
{
    const struct node *meta = node_get(resource, "meta");
    const struct node *profiles = node_get(meta, "profile");
    const struct node *labels = node_get(meta, "security");
    out->version = node_text(meta, "versionId");
    out->updated = node_text(meta, "lastUpdated");
    out->profiles = arena_calloc(arena, children(profiles), sizeof(struct str));
    out->labels = arena_calloc(arena, children(labels), sizeof(struct coding));
    if (!out->profiles || !out->labels) {
        return -ENOMEM;
    }
    for (const struct node *at = node_first(profiles); at; at = at->next) {
        out->profiles[out->profile_count++] = at->text;
    }
    for (const struct node *at = node_first(labels); at; at = at->next) {
        out->labels[out->label_count++] = coding_of(at);
    }
    return 0;
}

static struct fact_period period_of(const struct node *node)
{
    if (node_is(node, NODE_STRING)) {
        return (struct fact_period){ node->text, node->text };
    }
    return (struct fact_period){ node_text(node, "start"), node_text(node, "end") };
}

static void read_period(const struct table_type *type, const struct node *resource,
                        struct resource_facts *out)
{
    const struct table_path *rows = table_paths(type);
    for (size_t i = 0; i < type->count && !out->period.start.n && !out->period.end.n; i++) {
        if (rows[i].says == TABLE_WHEN) {
            out->period = period_of(node_at(resource, rows[i].path));
        }
    }
}

static int add(struct arena *arena, struct subject_list *list, const struct node *node)
{
    struct subject_ref *ref = arena_alloc(arena, sizeof(*ref));
    if (!ref) {
        return -ENOMEM;
    }
    *ref = (struct subject_ref){ .to = reference_read(node) };
    if (list->last) {
        list->last->next = ref;
    } else {
        list->first = ref;
    }
    list->last = ref;
    list->count++;
    return 0;
}

/* Each Reference at @path, through arrays. */
static int add_at(struct arena *arena, struct subject_list *list, const struct node *node,
                  struct str path)
{
    int r = 0;
    if (node_is(node, NODE_ARRAY)) {
        for (const struct node *at = node->first; at && !r; at = at->next) {
            r = add_at(arena, list, at, path);
        }
        return r;
    }
    if (!path.n) {
        return node_is(node, NODE_OBJECT) ? add(arena, list, node) : 0;
    }
    struct str name = str_cut(&path, '.');
    for (const struct node *at = node_first(node); at && !r; at = at->next) {
        r = str_eq(at->name, name) ? add_at(arena, list, at, path) : 0;
    }
    return r;
}

static int read_authors(struct arena *arena, const struct table_type *type,
                        const struct node *resource, struct resource_facts *out)
{
    const struct table_path *rows = table_paths(type);
    int r = 0;
    for (size_t i = 0; i < type->count && !r; i++) {
        if (rows[i].says == TABLE_AUTHOR) {
            r = add_at(arena, &out->authors, resource, str_z(rows[i].path));
        }
    }
    return r;
}

static int read_references(struct arena *arena, const struct node *resource,
                           struct resource_facts *out)
{
    int r = 0;
    for (const struct node *n = resource; n && !r; n = node_following(n, resource)) {
        if (n->kind == NODE_STRING && str_eq(n->name, STR("reference")) &&
            reference_of(n->text).type.n) {
            r = add(arena, &out->references, n->parent);
        }
    }
    return r;
}

int resource_facts_read(struct arena *arena, const struct node *resource,
                        struct resource_facts *out)
{
    struct resource_facts facts = {
        .type = node_text(resource, "resourceType"),
        .id = node_text(resource, "id"),
    };
    const struct table_type *type = table_find(facts.type);
    int r = subject_find(arena, resource, &facts.subjects);
    r = r ? r : read_meta(arena, resource, &facts);
    r = r ? r : read_codings(arena, resource, &facts);
    r = r ? r : read_references(arena, resource, &facts);
    if (!r && type) {
        read_period(type, resource, &facts);
        r = read_authors(arena, type, resource, &facts);
    }
    if (r) {
        return r;
    }
    *out = facts;
    return 0;
}
