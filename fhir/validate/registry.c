/*
 * Keeping definitions, and looking for codes in the ValueSets among them.
 *
 * A ValueSet is read where it stands: its expansion if it has one, else what it includes. A
 * filter, or a code system that isn't here whole, leaves the answer open.
 */
#include "fhir/validate/registry.h"

#include <errno.h>

static size_t bucket(struct str url)
{
    return str_hash(url) % REGISTRY_BUCKETS;
}

const struct registry_entry *registry_find(const struct registry *registry, struct str url)
{
    struct str name = str_cut(&url, '|');
    const struct registry_entry *entry = registry->buckets[bucket(name)];
    while (entry && !str_eq(entry->url, name)) {
        entry = entry->next;
    }
    return entry;
}

int registry_add(struct registry *registry, struct arena *arena, const struct node *node,
                 struct issues *issues)
{
    struct str type = node_text(node, "resourceType");
    bool profile = str_eq(type, STR("StructureDefinition"));
    bool codes = str_eq(type, STR("ValueSet")) || str_eq(type, STR("CodeSystem"));
    struct str url = node_text(node, "url");
    if ((!profile && !codes) || !url.n) {
        return 0;
    }
    struct registry_entry *entry = arena_calloc(arena, 1, sizeof(*entry));
    if (!entry) {
        return -ENOMEM;
    }
    entry->url = url;
    entry->node = node;
    int r = profile ? profile_read(arena, node, issues, &entry->profile) : 0;
    if (r) {
        return r;
    }
    const struct registry_entry **at = &registry->buckets[bucket(url)];
    entry->next = *at;
    *at = entry;
    return 0;
}

/* Whether a list of concepts, or of what an expansion contains, has the code. */
static bool lists(const struct node *list, const char *below, struct str system,
                  struct str code)
{
    for (const struct node *c = node_first(list); c; c = node_skip(c, list)) {
        const struct node *of = c;
        struct str its = node_text(of, "system");
        bool same = !its.n || !system.p || str_eq(its, system);
        if (same && str_eq(node_text(of, "code"), code)) {
            return true;
        }
        if (node_get(of, below) && lists(node_get(of, below), below, system, code)) {
            return true;
        }
    }
    return false;
}

static enum terminology_answer in_system(const struct registry *registry, struct str system,
                                         struct str code)
{
    const struct registry_entry *entry = registry_find(registry, system);
    bool whole = entry && str_eq(node_text(entry->node, "content"), STR("complete"));
    if (!whole) {
        return TERMINOLOGY_UNKNOWN;
    }
    bool in = lists(node_get(entry->node, "concept"), "concept", (struct str){ 0 }, code);
    return in ? TERMINOLOGY_IN : TERMINOLOGY_OUT;
}

static enum terminology_answer in_set(const struct registry *registry, struct str url,
                                      struct str system, struct str code, size_t depth);

/* A code is included if it is of the system and in each of the value sets named. */
static enum terminology_answer in_include(const struct registry *registry,
                                          const struct node *include, struct str system,
                                          struct str code, size_t depth)
{
    struct str its = node_text(include, "system");
    enum terminology_answer answer = TERMINOLOGY_IN;
    if (its.n && system.p && !str_eq(its, system)) {
        return TERMINOLOGY_OUT;
    }
    if (node_get(include, "concept")) {
        bool in = lists(node_get(include, "concept"), "concept", (struct str){ 0 }, code);
        answer = in ? TERMINOLOGY_IN : TERMINOLOGY_OUT;
    } else if (its.n) {
        answer = in_system(registry, its, code);
    }
    if (answer == TERMINOLOGY_IN && node_get(include, "filter")) {
        answer = TERMINOLOGY_UNKNOWN;
    }
    for (const struct node *set = node_first(node_get(include, "valueSet")); set;
         set = set->next) {
        enum terminology_answer inner = in_set(registry, set->text, system, code, depth + 1);
        if (inner != TERMINOLOGY_IN) {
            answer = answer == TERMINOLOGY_OUT ? answer : inner;
        }
    }
    return answer;
}

static enum terminology_answer in_compose(const struct registry *registry,
                                          const struct node *list, struct str system,
                                          struct str code, size_t depth)
{
    enum terminology_answer best = TERMINOLOGY_OUT;
    for (const struct node *include = node_first(list); include; include = include->next) {
        enum terminology_answer answer = in_include(registry, include, system, code, depth);
        if (answer == TERMINOLOGY_IN) {
            return answer;
        }
        best = answer == TERMINOLOGY_UNKNOWN ? answer : best;
    }
    return best;
}

static enum terminology_answer in_set(const struct registry *registry, struct str url,
                                      struct str system, struct str code, size_t depth)
{
    const struct registry_entry *entry = registry_find(registry, url);
    if (!entry || entry->profile || depth > REGISTRY_IMPORTS_MAX) {
        return TERMINOLOGY_UNKNOWN;
    }
    const struct node *expansion = node_get(node_get(entry->node, "expansion"), "contains");
    if (expansion) {
        bool in = lists(expansion, "contains", system, code);
        return in ? TERMINOLOGY_IN : TERMINOLOGY_OUT;
    }
    const struct node *compose = node_get(entry->node, "compose");
    enum terminology_answer answer =
        in_compose(registry, node_get(compose, "include"), system, code, depth);
    if (answer != TERMINOLOGY_OUT && node_get(compose, "exclude")) {
        enum terminology_answer not =
            in_compose(registry, node_get(compose, "exclude"), system, code, depth);
        answer = not == TERMINOLOGY_IN    ? TERMINOLOGY_OUT
                 : not == TERMINOLOGY_OUT ? answer
                                          : TERMINOLOGY_UNKNOWN;
    }
    return answer;
}

enum terminology_answer registry_has(const struct registry *registry, struct str url,
                                     struct str system, struct str code)
{
    return in_set(registry, url, system, code, 0);
}
