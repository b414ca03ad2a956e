/*
 * Comparing Bundles, element by element.
 *
 *     + Observation[2].valueString       only after
 *     - Patient[1].extension[0].url      only before
 *     ~ Patient[1].gender                before and after, but not the same
 *
 * The number is that of the resource among those of its type, in the Bundle that has it.
 */
#include "gateway/cli/hl7_compare.h"

#include "fhir/format/json.h"

#include <errno.h>
#include <limits.h>

enum {
    PATH_SIZE = 1024,
    ITEMS_MAX = 256, /* of an array that are compared */
};

/*
 * Where a comparison stands: the path of the element at hand, @n characters.
 *
 * @before, @after: text of the resources at hand
 */
struct at {
    struct hl7_compare *c;
    struct str before;
    struct str after;
    char path[PATH_SIZE];
    size_t n;
    size_t differ;
};

/* The path with a name or number more; the length that it had. */
static size_t step(struct at *at, const struct node *node, size_t index)
{
    size_t before = at->n;
    int n = node->name.n ? snprintf(at->path + before, PATH_SIZE - before, ".%.*s",
                                    (int)node->name.n, node->name.p)
                         : snprintf(at->path + before, PATH_SIZE - before, "[%zu]", index);
    at->n += n > 0 && (size_t)n < PATH_SIZE - before ? (size_t)n : 0;
    return before;
}

static struct str value_of(const struct node *node)
{
    switch (node->kind) {
    case NODE_STRING:
    case NODE_NUMBER: return node->text;
    case NODE_TRUE: return STR("true");
    case NODE_FALSE: return STR("false");
    case NODE_NULL:
    case NODE_ARRAY:
    case NODE_OBJECT: break;
    }
    return STR("");
}

static void say(struct at *at, char sign, const struct node *before, const struct node *after)
{
    struct str old = before ? value_of(before) : STR("");
    struct str new_one = after ? value_of(after) : STR("");
    at->differ++;
    (void)fprintf(at->c->to, "  %c %.*s", sign, (int)at->n, at->path);
    if (at->c->values) {
        (void)fprintf(at->c->to, " : %.*s%s%.*s", (int)old.n, old.p, sign == '~' ? " -> " : "",
                      (int)new_one.n, new_one.p);
    }
    (void)fputc('\n', at->c->to);
}

/* All elements in @node are only before (-) or only after (+). */
static void one_sided(struct at *at, char sign, const struct node *node)
{
    if (node->kind != NODE_OBJECT && node->kind != NODE_ARRAY) {
        *(sign == '+' ? &at->c->added : &at->c->removed) += 1;
        say(at, sign, sign == '-' ? node : NULL, sign == '+' ? node : NULL);
        return;
    }
    size_t index = 0;
    for (const struct node *child = node->first; child; child = child->next) {
        size_t n = step(at, child, index++);
        one_sided(at, sign, child);
        at->n = n;
    }
}

/* An item of an array. @same: the other array has it too */
struct item {
    const struct node *node;
    struct str text;
    bool same;
};

static void both(struct at *at, const struct node *before, const struct node *after);

static const struct node *named(const struct node *object, struct str name)
{
    const struct node *child = object->first;
    while (child && !str_eq(child->name, name)) {
        child = child->next;
    }
    return child;
}

static void objects(struct at *at, const struct node *before, const struct node *after)
{
    for (const struct node *child = before->first; child; child = child->next) {
        const struct node *other = named(after, child->name);
        size_t n = step(at, child, 0);
        if (other) {
            both(at, child, other);
        } else {
            one_sided(at, '-', child);
        }
        at->n = n;
    }
    for (const struct node *child = after->first; child; child = child->next) {
        if (!named(before, child->name)) {
            size_t n = step(at, child, 0);
            one_sided(at, '+', child);
            at->n = n;
        }
    }
}

/* The items of @array that a list has room for, with the text of each. */
static size_t list(const struct node *array, struct str text, struct item *out)
{
    size_t n = 0;
    for (const struct node *child = array->first; child && n < ITEMS_MAX; child = child->next) {
        out[n++] =
            (struct item){ .node = child, .text = str_slice(text, child->start, child->end) };
    }
    return n;
}

/* Leave out of both lists what stands in both, so that an item more doesn't move the rest. */
static void pair(struct item *a, size_t a_count, struct item *b, size_t b_count)
{
    for (size_t i = 0; i < a_count; i++) {
        for (size_t k = 0; k < b_count && !a[i].same; k++) {
            if (!b[k].same && str_eq(a[i].text, b[k].text)) {
                a[i].same = true;
                b[k].same = true;
            }
        }
    }
}

/* The next item from @i on that isn't in both. */
static size_t next_left(const struct item *items, size_t count, size_t i)
{
    while (i < count && items[i].same) {
        i++;
    }
    return i;
}

static void arrays(struct at *at, const struct node *before, const struct node *after)
{
    struct item a[ITEMS_MAX];
    struct item b[ITEMS_MAX];
    size_t a_count = list(before, at->before, a);
    size_t b_count = list(after, at->after, b);
    pair(a, a_count, b, b_count);
    size_t i = next_left(a, a_count, 0);
    size_t k = next_left(b, b_count, 0);
    while (i < a_count || k < b_count) {
        size_t n = i < a_count ? step(at, a[i].node, i) : step(at, b[k].node, k);
        if (i < a_count && k < b_count) {
            both(at, a[i].node, b[k].node);
        } else {
            one_sided(at, i < a_count ? '-' : '+', i < a_count ? a[i].node : b[k].node);
        }
        at->n = n;
        i = next_left(a, a_count, i + (i < a_count));
        k = next_left(b, b_count, k + (k < b_count));
    }
}

static void both(struct at *at, const struct node *before, const struct node *after)
{
    if (before->kind == NODE_OBJECT && after->kind == NODE_OBJECT) {
        objects(at, before, after);
    } else if (before->kind == NODE_ARRAY && after->kind == NODE_ARRAY) {
        arrays(at, before, after);
    } else if (before->kind != after->kind || !str_eq(value_of(before), value_of(after))) {
        at->c->changed++;
        say(at, '~', before, after);
    }
}

/* The entry of @result with @url, or NULL. */
static const struct translate_entry *find(const struct translate_result *result, struct str url)
{
    for (size_t i = 0; i < result->count; i++) {
        if (str_eq(result->entries[i].full_url, url)) {
            return &result->entries[i];
        }
    }
    return NULL;
}

/* "Observation[2]": which of its type @entry is in @result. */
static void begin(struct at *at, const struct translate_result *result,
                  const struct translate_entry *entry)
{
    size_t number = 1;
    for (const struct translate_entry *e = result->entries; e < entry; e++) {
        number += strcmp(e->type, entry->type) == 0;
    }
    int n = snprintf(at->path, PATH_SIZE, "%s[%zu]", entry->type, number);
    at->n = n > 0 ? (size_t)n : 0;
}

static int tree_of(struct arena *arena, struct str json, const struct node **out)
{
    struct issues issues;
    issues_init(&issues, arena);
    int r = json_parse(arena, json, &issues, out);
    return r > 0 ? -EBADMSG : r;
}

/* The entries of @from, compared with those of @with that are the same, or one-sided. */
static int walk(struct at *at, struct arena *arena, const struct translate_result *from,
                const struct translate_result *with, char sign)
{
    int r = 0;
    for (size_t i = 0; i < from->count && r == 0; i++) {
        const struct translate_entry *entry = &from->entries[i];
        const struct translate_entry *other = find(with, entry->full_url);
        const struct node *tree;
        const struct node *other_tree;
        if (sign == '+' && other) {
            continue; /* compared already */
        }
        begin(at, from, entry);
        r = tree_of(arena, entry->resource, &tree);
        if (r == 0 && !other) {
            one_sided(at, sign, tree);
        } else if (r == 0 && !str_eq(entry->resource, other->resource)) {
            r = tree_of(arena, other->resource, &other_tree);
            at->before = entry->resource;
            at->after = other->resource;
            if (r == 0) {
                both(at, tree, other_tree);
            }
        }
    }
    return r;
}

int hl7_compare(struct hl7_compare *c, struct arena *arena,
                const struct translate_result *before, const struct translate_result *after)
{
    struct at at = { .c = c };
    int r = walk(&at, arena, before, after, '-');
    r = r ? r : walk(&at, arena, after, before, '+');
    return r ? r : at.differ < INT_MAX ? (int)at.differ : INT_MAX;
}
