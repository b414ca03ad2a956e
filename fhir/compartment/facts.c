/*
 * Reading facts.
 *
 * One walk over the tree collects codings and references by the names of their members.
 */
#include "fhir/compartment/facts.h"

#include "fhir/compartment/table.h"

#include <errno.h>

enum {
    CODINGS_FIRST = 16,
};

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

/* Whether string @code belongs to a Coding: it stands where codings do, or has a system. */
static bool is_coding(const struct node *code)
{
    const struct node *node = code->parent;
    const struct node *named = node_is(node->parent, NODE_ARRAY) ? node->parent : node;
    return str_eq(named->name, STR("coding")) || str_ends(named->name, STR("Coding")) ||
           (node_text(node, "system").n && !node_get(node, "value"));
}

static int add_coding(struct arena *arena, struct resource_facts *out, struct coding coding)
{
    size_t n = out->coding_count;
    bool full = (n & (n - 1)) == 0 && (n == 0 || n >= CODINGS_FIRST);
    if (full) {
        struct coding *more =
            arena_calloc(arena, n ? 2 * n : CODINGS_FIRST, sizeof(struct coding));
        if (!more) {
            return -ENOMEM;
        }
        if (n) {
            memcpy(more, out->codings, n * sizeof(struct coding));
        }
        out->codings = more;
    }
    out->codings[out->coding_count++] = coding;
    return 0;
}

static int add(struct arena *arena, struct subject_list *list, const struct node *node)
{
    const struct reference to = reference_read(node);
    return subject_list_add(arena, list, &to);
}

/* What string member @node makes of its object. */
static int read_member(struct arena *arena, const struct node *node, struct resource_facts *out)
{
    if (node->name.n == 4 && str_eq(node->name, STR("code")) && is_coding(node)) {
        return add_coding(arena, out, coding_of(node->parent));
    }
    if (node->name.n == 9 && str_eq(node->name, STR("reference")) &&
        reference_of(node->text).type.n) {
        return add(arena, &out->references, node->parent);
    }
    return 0;
}

/* Everything but meta, whose labels and tags are no content. */
static int read_members(struct arena *arena, const struct node *resource,
                        struct resource_facts *out)
{
    const struct node *meta = node_get(resource, "meta");
    int r = 0;
    for (const struct node *n = resource; n && !r;) {
        if (n->kind == NODE_STRING && n != resource) {
            r = read_member(arena, n, out);
        }
        n = n == meta ? node_skip(n, resource) : node_following(n, resource);
    }
    return r;
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
            out->period = period_of(node_at(resource, rows[i].path.p));
        }
    }
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
            r = add_at(arena, &out->authors, resource, rows[i].path);
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
    r = r ? r : read_members(arena, resource, &facts);
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
