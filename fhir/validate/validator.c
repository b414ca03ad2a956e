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

/* The forms of all types, so that none is looked up by name again. */
static uint8_t *forms_of(struct arena *arena, const struct schema *schema)
{
    uint8_t *forms = arena_alloc(arena, schema->types_n);
    for (size_t i = 0; forms && i < schema->types_n; i++) {
        forms[i] = primitive_form(schema_type_name(schema, &schema->types[i]));
    }
    return forms;
}

/* What must be there of each type; larger types than that aren't looked at. */
static struct ranks *required_of(struct arena *arena, const struct schema *schema)
{
    struct ranks *all = arena_calloc(arena, schema->types_n, sizeof(*all));
    for (size_t i = 0; all && i < schema->types_n; i++) {
        const struct schema_type *type = &schema->types[i];
        size_t n = schema_size(type);
        for (size_t rank = 0; n <= VALIDATOR_ELEMENTS_MAX && rank < n; rank++) {
            uint64_t must = schema_at(schema, type, rank)->min > 0;
            all[i].bits[rank / 64] |= must << rank % 64;
        }
    }
    return all;
}

static struct known_element *known_of(struct arena *arena, const struct schema *schema)
{
    size_t n = 0;
    for (size_t i = 0; i < schema->types_n; i++) {
        size_t end = (size_t)schema->types[i].first + schema->types[i].count;
        n = end > n ? end : n;
    }
    struct known_element *known = arena_calloc(arena, n, sizeof(*known));
    for (size_t i = 0; known && i < n; i++) {
        struct str url = binding_demanded(schema, &schema->elements[i]);
        known[i].demands = url.n > 0;
        known[i].set = url.n ? terminology_set(&terminology_r4, url) : NULL;
        known[i].narrows = constraint_narrows(schema, &schema->elements[i]);
    }
    return known;
}

int validator_new(struct arena *arena, struct validator **out)
{
    struct validator *validator = arena_calloc(arena, 1, sizeof(*validator));
    uint8_t *forms = forms_of(arena, &schema_r4);
    struct known_element *known = known_of(arena, &schema_r4);
    struct ranks *required = required_of(arena, &schema_r4);
    if (!validator || !forms || !known || !required) {
        return -ENOMEM;
    }
    validator->arena = arena;
    validator->forms = forms;
    validator->known = known;
    validator->required = required;
    validator->schema = &schema_r4;
    validator->terminology = &terminology_r4;
    int r = constraints_of_r4(arena, validator->schema, &validator->rules);
    for (size_t i = 0; r == 0 && i < validator->rules.elements_n; i++) {
        const struct constraints_of_element *of = &validator->rules.elements[i];
        known[of->element - validator->schema->elements].rules = of->rules;
    }
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

struct str validator_profile_type(const struct validator *validator, struct str url)
{
    const struct profile *profile = registry_profile(&validator->registry, url);
    return profile ? profile->type : (struct str){ 0 };
}
