/*
 * Making a validator: R4's own tables, its extensions, then what packages bring.
 */
#include "fhir/validate/validator.h"

#include "fhir/format/json.h"

#include <errno.h>

extern const struct str extensions_r4[];
extern const size_t extensions_r4_count;

/* The shipped definitions were read when the program was built; they are right. */
static int add_extensions(struct validator *validator)
{
    struct issues issues;
    issues_init(&issues, validator->arena);
    for (size_t i = 0; i < extensions_r4_count; i++) {
        const struct node *node = NULL;
        int r = json_parse(validator->arena, extensions_r4[i], &issues, &node);
        r = r ? r : registry_add(&validator->registry, validator->arena, node, &issues);
        if (r) {
            return r < 0 ? r : -EINVAL;
        }
    }
    return 0;
}

int validator_new(struct arena *arena, struct validator **out)
{
    struct validator *validator = arena_calloc(arena, 1, sizeof(*validator));
    if (!validator) {
        return -ENOMEM;
    }
    validator->arena = arena;
    validator->schema = &schema_r4;
    validator->terminology = &terminology_r4;
    int r = constraints_of_r4(arena, validator->schema, &validator->rules);
    r = r ? r : add_extensions(validator);
    if (!r) {
        *out = validator;
    }
    return r;
}

int validator_add(struct validator *validator, const struct node *node, struct issues *issues)
{
    if (!str_eq(node_text(node, "resourceType"), STR("Bundle"))) {
        return registry_add(&validator->registry, validator->arena, node, issues);
    }
    int r = 0;
    for (const struct node *entry = node_first(node_get(node, "entry")); entry && !r;
         entry = entry->next) {
        const struct node *inner = node_get(entry, "resource");
        r = inner ? registry_add(&validator->registry, validator->arena, inner, issues) : 0;
    }
    return r;
}
