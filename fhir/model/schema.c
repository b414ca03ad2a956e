/*
 * Looking things up in the table of a FHIR version.
 *
 * Types are sorted by name and found by halving; their members by hash tables that were made
 * with them. Each type has one of its own, so that what one object needs lies together.
 */
#include "fhir/model/schema.h"

#include <assert.h>

const struct schema_type *schema_type(const struct schema *schema, struct str name)
{
    size_t low = 0;
    size_t high = schema->types_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct schema_type *type = &schema->types[middle];
        int order = str_cmp(name, schema_type_name(schema, type));
        if (!order) {
            return type;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

bool schema_is_a(const struct schema *schema, const struct schema_type *type, struct str base)
{
    while (type && !str_eq(schema_type_name(schema, type), base)) {
        type = schema_base(schema, type);
    }
    return type != NULL;
}

const struct schema_element *schema_at(const struct schema *schema,
                                       const struct schema_type *type, size_t i)
{
    assert(i < schema_size(type));
    while (i < type->inherited) {
        type = schema_base(schema, type);
    }
    return &schema->elements[type->first + i - type->inherited];
}

const struct schema_type *schema_choice(const struct schema *schema,
                                        const struct schema_element *element, size_t i)
{
    assert(i < element->choices_n);
    return &schema->types[schema->choices[element->choices + i].type];
}

bool schema_may_target(const struct schema *schema, const struct schema_element *element,
                       size_t i, const struct schema_type *type)
{
    const struct schema_choice *choice = &schema->choices[element->choices + i];
    const uint16_t *targets = &schema->targets[choice->targets];
    for (size_t t = 0; t < choice->targets_n; t++) {
        const struct schema_type *its = type;
        while (its && its != &schema->types[targets[t]]) {
            its = schema_base(schema, its);
        }
        if (its) {
            return true;
        }
    }
    return !choice->targets_n;
}

/* Whether @suffix is the name of @type with a capital: "Quantity", "DateTime". */
static bool is_suffix(const struct schema *schema, const struct schema_type *type,
                      struct str suffix)
{
    struct str name = schema_type_name(schema, type);
    char first = name.p[0];
    char capital = first >= 'a' && first <= 'z' ? (char)(first - 'a' + 'A') : first;
    return suffix.n == name.n && suffix.p[0] == capital &&
           str_eq(str_slice(suffix, 1, suffix.n), str_slice(name, 1, name.n));
}

const struct schema_type *schema_named(const struct schema *schema,
                                       const struct schema_element *element, struct str name)
{
    struct str own = schema_name(schema, element);
    if (!str_starts(name, own)) {
        return NULL;
    }
    if (!(element->flags & SCHEMA_CHOICE)) {
        return name.n == own.n ? schema_choice(schema, element, 0) : NULL;
    }
    struct str suffix = str_slice(name, own.n, name.n);
    for (size_t i = 0; suffix.n && i < element->choices_n; i++) {
        const struct schema_type *type = schema_choice(schema, element, i);
        if (is_suffix(schema, type, suffix)) {
            return type;
        }
    }
    return NULL;
}

/* Where a member @name of @type would be; schemas/gen/schema.py does the same. */
static uint32_t slot_of(const struct schema_type *type, struct str name)
{
    const unsigned char *p = (const unsigned char *)name.p;
    uint32_t key = p[0] | (uint32_t)p[name.n / 2] << 8 | (uint32_t)p[name.n - 1] << 16 |
                   (uint32_t)name.n << 24;
    return (uint32_t)((uint64_t)(key * 0x9e3779b1u) >> (32 - type->slot_bits));
}

bool schema_field(const struct schema *schema, const struct schema_type *type, struct str name,
                  struct schema_field *out)
{
    if (!name.n || !type) {
        return false;
    }
    const struct schema_slot *slots = &schema->slots[type->slots];
    uint32_t mask = (UINT32_C(1) << type->slot_bits) - 1;
    uint32_t at = slot_of(type, name);
    while (slots[at].name &&
           !str_eq(name, str_of(schema->pool + slots[at].name, slots[at].name_n))) {
        at = (at + 1) & mask;
    }
    if (!slots[at].name) {
        return false;
    }
    *out = (struct schema_field){
        .element = &schema->elements[slots[at].element],
        .type = &schema->types[slots[at].found],
        .rank = slots[at].rank,
    };
    return true;
}

const struct schema_element *schema_element(const struct schema *schema,
                                            const struct schema_type *type, struct str name)
{
    for (; type; type = schema_base(schema, type)) {
        const struct schema_element *own = &schema->elements[type->first];
        for (size_t i = 0; i < type->count; i++) {
            if (str_eq(schema_name(schema, &own[i]), name)) {
                return &own[i];
            }
        }
    }
    return NULL;
}
