/*
 * Making a validator: R4's own tables, its extensions, then what packages bring.
 */
#include "fhir/validate/validator.h"

#include "crypto/base/attr.h"
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

static uint8_t role_of(struct str type)
{
    static const struct {
        const char *name;
        enum known_role role;
    } roles[] = {
        { "Resource", ROLE_RESOURCE },       { "Reference", ROLE_REFERENCE },
        { "Extension", ROLE_EXTENSION },     { "xhtml", ROLE_NARRATIVE },
        { "CodeableConcept", ROLE_CONCEPT }, { "Coding", ROLE_CODING },
        { "Quantity", ROLE_CODING },
    };
    size_t i = 0;
    while (i < ARRAY_LEN(roles) && !str_eq(type, str_z(roles[i].name))) {
        i++;
    }
    return i < ARRAY_LEN(roles) ? (uint8_t)roles[i].role : ROLE_NONE;
}

/* What must be there of @type; larger types than that aren't looked at. */
static struct ranks required_of(const struct schema *schema, const struct schema_type *type)
{
    struct ranks must = { 0 };
    size_t n = schema_size(type);
    for (size_t rank = 0; n <= VALIDATOR_ELEMENTS_MAX && rank < n; rank++) {
        uint64_t is = schema_at(schema, type, rank)->min > 0;
        must.bits[rank / 64] |= is << rank % 64;
    }
    return must;
}

/* All types, so that none is looked up by name again. */
static struct known_type *types_of(struct arena *arena, const struct schema *schema)
{
    struct known_type *all = arena_alloc(arena, schema->types_n * sizeof(*all));
    for (size_t i = 0; all && i < schema->types_n; i++) {
        struct str name = schema_type_name(schema, &schema->types[i]);
        all[i] = (struct known_type){ .required = required_of(schema, &schema->types[i]),
                                      .form = primitive_form(name),
                                      .role = role_of(name) };
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
        known[i].demands = url;
        known[i].set = url.n ? terminology_set(&terminology_r4, url) : NULL;
        known[i].narrows = constraint_narrows(schema, &schema->elements[i]);
    }
    return known;
}

int validator_new(struct arena *arena, struct validator **out)
{
    struct validator *validator = arena_calloc(arena, 1, sizeof(*validator));
    struct known_type *types = types_of(arena, &schema_r4);
    struct known_element *known = known_of(arena, &schema_r4);
    if (!validator || !types || !known) {
        return -ENOMEM;
    }
    validator->arena = arena;
    validator->types = types;
    validator->known = known;
    validator->element = schema_type(&schema_r4, STR("Element"));
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
