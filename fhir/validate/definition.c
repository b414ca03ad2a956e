/*
 * Paths in StructureDefinitions: a profile can only speak of elements that its type has.
 */
#include "fhir/validate/check.h"

/* Whether @path, from its second component on, leads through @type. */
static bool leads(const struct schema *schema, const struct schema_type *type, struct str path)
{
    while (path.n) {
        struct str name = str_cut(&path, '.');
        struct schema_field field;
        if (str_ends(name, STR("[x]"))) {
            name.n -= 3;
            const struct schema_element *element = schema_element(schema, type, name);
            return element && element->flags & SCHEMA_CHOICE;
        }
        if (!schema_field(schema, type, name, &field)) {
            return false;
        }
        type = field.type;
    }
    return true;
}

void check_definition(struct check *check, const struct node *definition,
                      const struct place *place)
{
    struct str name = node_text(definition, "type");
    const struct schema_type *type = schema_type(check->schema, name);
    const struct node *elements = node_get(node_get(definition, "differential"), "element");
    if (!type || !str_eq(node_text(definition, "derivation"), STR("constraint"))) {
        return;
    }
    struct place differential = { place, STR("differential"), NO_INDEX };
    size_t i = 0;
    for (const struct node *element = node_first(elements); element; element = element->next) {
        struct place at = { &differential, STR("element"), i++ };
        struct place where = { &at, STR("path"), NO_INDEX };
        struct str path = node_text(element, "path");
        if (!str_eq(str_cut(&path, '.'), name) || !leads(check->schema, type, path)) {
            check_issue(check, ISSUE_ERROR, "structure", &where, "is no path of that type");
        }
    }
}
