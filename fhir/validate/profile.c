/*
 * Reading snapshots.
 *
 * The elements of a snapshot stand in depth-first order, so the parent of each is the last one
 * a level up. A slice hangs at the element it slices, the last one of its name there.
 */
#include "fhir/validate/profile.h"

#include <errno.h>
#include <stdlib.h>

enum {
    MAX_DIGITS = 9,
};

static uint32_t count_of(const struct node *node, uint32_t otherwise)
{
    char digits[MAX_DIGITS + 1];
    if (!node || node->text.n == 0 || node->text.n > MAX_DIGITS) {
        return otherwise;
    }
    if (str_eq(node->text, STR("*"))) {
        return PROFILE_UNBOUNDED;
    }
    memcpy(digits, node->text.p, node->text.n);
    digits[node->text.n] = '\0';
    return (uint32_t)strtoul(digits, NULL, 10);
}

/* fixedCode, patternCodeableConcept, …: the member whose name begins so. */
static const struct node *value_of(const struct node *element, struct str prefix)
{
    for (const struct node *m = node_first(element); m; m = m->next) {
        if (str_starts(m->name, prefix) && m->name.n > prefix.n) {
            return m;
        }
    }
    return NULL;
}

static int read_types(struct arena *arena, const struct node *element,
                      struct profile_element *out)
{
    const struct profile_type **last = &out->types;
    for (const struct node *node = node_first(node_get(element, "type")); node;
         node = node->next) {
        struct profile_type *type = arena_calloc(arena, 1, sizeof(*type));
        if (!type) {
            return -ENOMEM;
        }
        type->code = node_text(node, "code");
        type->profiles = node_get(node, "profile");
        type->targets = node_get(node, "targetProfile");
        *last = type;
        last = &type->next;
    }
    return 0;
}

/* Those that R4 has too were run by then. One that FHIRPath can't read is left out. */
static int read_rules(struct arena *arena, const struct node *element,
                      struct profile_element *out)
{
    for (const struct node *node = node_first(node_get(element, "constraint")); node;
         node = node->next) {
        struct str key = node_text(node, "key");
        struct str kept = arena_str(arena, key);
        const struct path_source what = { .text = node_text(node, "expression"),
                                          .schema = &schema_r4,
                                          .flags = PATH_AS_FILTERS };
        const struct invariant about = {
            .key = kept.p,
            .severity =
                str_eq(node_text(node, "severity"), STR("error")) ? ISSUE_ERROR : ISSUE_WARNING,
        };
        if (!kept.p) {
            return -ENOMEM;
        }
        bool own = what.text.n && !constraints_have(key);
        if (own && constraint_compile(arena, &what, &about, &out->rules) == -ENOMEM) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int read_element(struct arena *arena, const struct node *node,
                        struct profile_element **out)
{
    struct profile_element *element = arena_calloc(arena, 1, sizeof(*element));
    if (!element) {
        return -ENOMEM;
    }
    struct str rest = node_text(node, "path");
    while (rest.n) {
        element->name = str_cut(&rest, '.');
    }
    element->choice = str_ends(element->name, STR("[x]"));
    element->name.n -= element->choice ? 3 : 0;
    element->slice = node_text(node, "sliceName");
    element->min = count_of(node_get(node, "min"), 0);
    element->max = count_of(node_get(node, "max"), PROFILE_UNBOUNDED);
    element->fixed = value_of(node, STR("fixed"));
    element->pattern = value_of(node, STR("pattern"));
    element->slicing = node_get(node, "slicing");
    const struct node *binding = node_get(node, "binding");
    if (str_eq(node_text(binding, "strength"), STR("required"))) {
        element->binding = node_text(binding, "valueSet");
    }
    int r = read_types(arena, node, element);
    r = r ? r : read_rules(arena, node, element);
    if (!r) {
        *out = element;
    }
    return r;
}

static size_t depth_of(struct str path)
{
    size_t depth = 0;
    for (size_t i = 0; i < path.n; i++) {
        depth += path.p[i] == '.';
    }
    return depth;
}

static void append(struct profile_element **list, struct profile_element *element)
{
    while (*list) {
        list = &(*list)->next;
    }
    *list = element;
}

/* The child of @up that a slice slices. */
static struct profile_element *sliced(struct profile_element *up, struct str name)
{
    for (struct profile_element *child = up->children; child; child = child->next) {
        if (str_eq(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

static bool hang(struct profile_element *up, struct profile_element *element)
{
    element->up = up;
    if (!element->slice.n) {
        append(&up->children, element);
        return true;
    }
    struct profile_element *base = sliced(up, element->name);
    if (base) {
        append(&base->slices, element);
    }
    return base != NULL;
}

static int read_snapshot(struct arena *arena, const struct node *elements,
                         const struct profile_element **root)
{
    struct profile_element *above[PROFILE_DEPTH_MAX] = { 0 };
    for (const struct node *node = node_first(elements); node; node = node->next) {
        struct profile_element *element = NULL;
        size_t depth = depth_of(node_text(node, "path"));
        if (depth >= PROFILE_DEPTH_MAX || !node_text(node, "path").n ||
            (depth == 0) != (above[0] == NULL)) {
            return PROFILE_E_SHAPE;
        }
        int r = read_element(arena, node, &element);
        if (r < 0) {
            return r;
        }
        if (depth && (!above[depth - 1] || !hang(above[depth - 1], element))) {
            return PROFILE_E_SHAPE;
        }
        above[depth] = element;
        for (size_t below = depth + 1; below < PROFILE_DEPTH_MAX; below++) {
            above[below] = NULL;
        }
    }
    *root = above[0];
    return above[0] ? 0 : PROFILE_E_SHAPE;
}

int profile_read(struct arena *arena, const struct node *node, struct issues *issues,
                 const struct profile **out)
{
    struct profile *profile = arena_calloc(arena, 1, sizeof(*profile));
    if (!profile) {
        return -ENOMEM;
    }
    profile->url = node_text(node, "url");
    profile->type = node_text(node, "type");
    const struct node *elements = node_get(node_get(node, "snapshot"), "element");
    int r = profile->type.n ? read_snapshot(arena, elements, &profile->root) : PROFILE_E_SHAPE;
    if (r == PROFILE_E_SHAPE) {
        issues_add(issues, ISSUE_ERROR, "structure", profile->url,
                   "is no StructureDefinition with a snapshot whose elements stand in order");
    }
    if (!r) {
        *out = profile;
    }
    return r;
}
