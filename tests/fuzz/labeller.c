/*
 * ValueSets for the labeller.
 *
 * Whatever is taken in must be found again: each concept that a set lists and none excludes is
 * in it.
 */
#include "fhir/consent/labeller.h"
#include "fhir/format/json.h"
#include "tests/fuzz/fuzz.h"

static bool excludes(const struct node *set)
{
    return node_get(node_get(set, "compose"), "exclude") != NULL;
}

static void look_up(const struct labeller *l, const struct node *set)
{
    const struct node *includes = node_get(node_get(set, "compose"), "include");
    for (const struct node *of = node_first(includes); of; of = of->next) {
        for (const struct node *c = node_first(node_get(of, "concept")); c; c = c->next) {
            struct labeller_found found = { 0 };
            labeller_look(l, node_text(of, "system"), node_text(c, "code"), &found);
            fuzz_expect(found.sets == 1 || node_get(set, "expansion") || excludes(set));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 16);
    struct issues issues;
    struct labeller labeller;
    const struct node *root = NULL;
    if (!arena) {
        return 0;
    }
    issues_init(&issues, arena);
    labeller_init(&labeller, arena);
    if (json_parse(arena, str_of(data, size), &issues, &root) == 0) {
        int r = labeller_add(&labeller, root, &issues);
        fuzz_expect(r <= 0 || issues_bad(&issues));
        if (r == 0) {
            labeller_finish(&labeller);
            look_up(&labeller, root);
        }
    }
    arena_free(arena);
    return 0;
}
