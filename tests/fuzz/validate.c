/*
 * Validation: a resource, or a definition to be taken in and a resource to compare with it.
 *
 * The input is one JSON document, or two with a NUL between them, of which the first is a
 * StructureDefinition, ValueSet or Bundle of such.
 */
#include "tests/fuzz/fuzz.h"

#include "fhir/format/json.h"
#include "fhir/validate/validator.h"

#include <stdlib.h>

static void expect(bool holds)
{
    if (!holds) {
        abort();
    }
}

static const struct node *read(struct arena *arena, struct str text, struct issues *issues)
{
    const struct node *node = NULL;
    return json_parse(arena, text, issues, &node) == 0 ? node : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct arena *kept;
    static struct validator *shipped;
    if (!kept) {
        kept = arena_new(1 << 20);
        expect(kept && validator_new(kept, &shipped) == 0);
    }

    struct arena *arena = arena_new(1 << 16);
    expect(arena != NULL);
    struct issues issues;
    issues_init(&issues, arena);
    struct str rest = str_of(data, n);
    struct str first = str_cut(&rest, '\0');
    struct validator brought;
    struct validator *validator = shipped;
    const struct node *resource = read(arena, rest.n ? rest : first, &issues);
    struct str url = { 0 };
    if (rest.n) {
        const struct node *definition = read(arena, first, &issues);
        brought = *shipped;
        brought.arena = arena;
        validator = &brought;
        if (definition && validator_add(validator, definition, &issues) == 0) {
            url = node_text(definition, "url");
        }
    }
    const struct validate_options options = { .profiles = &url, .profiles_n = url.n > 0 };
    if (resource) {
        expect(validate_resource(validator, arena, resource, &options, &issues) == 0);
    }
    arena_free(arena);
    return 0;
}
