/* From places in a tree to values that can be computed with. */
#include "fhir/path/value.h"

#include "fhir/path/quantity.h"

#include <errno.h>

#define UCUM_SYSTEM "http://unitsofmeasure.org"

struct str path_kind_name(enum path_kind kind)
{
    static const char *const names[] = {
        [PATH_BOOLEAN] = "Boolean", [PATH_INTEGER] = "Integer",   [PATH_DECIMAL] = "Decimal",
        [PATH_STRING] = "String",   [PATH_DATE] = "Date",         [PATH_DATETIME] = "DateTime",
        [PATH_TIME] = "Time",       [PATH_QUANTITY] = "Quantity", [PATH_ELEMENT] = "",
        [PATH_TYPE] = "",
    };
    return str_z(names[kind]);
}

struct path_value path_element(const struct schema *schema, const struct node *node,
                               const struct schema_type *type)
{
    if (!type) {
        struct str name = node_text(node, "resourceType");
        type = name.n ? schema_type(schema, name) : NULL;
    }
    return (struct path_value){ .kind = PATH_ELEMENT,
                                .element = { .node = node, .type = type } };
}

/* --- primitives --------------------------------------------------------------------------- */

static struct path_value of_number(struct str text, bool decimal)
{
    struct path_value value = { .kind = PATH_DECIMAL };
    int64_t integer;
    if (!decimal_read(text, &value.decimal)) {
        return path_string(text); /* more digits than are kept: compares as text only */
    }
    if (!decimal && value.decimal.scale == 0 && decimal_integer(&value.decimal, &integer) &&
        integer <= INT32_MAX && integer >= INT32_MIN) {
        return path_integer(integer);
    }
    return value;
}

static struct path_value of_moment(struct str text, enum path_kind kind)
{
    struct path_value value = { .kind = kind };
    bool good = kind == PATH_TIME ? datetime_read_time(text, &value.time)
                                  : datetime_read(text, &value.time);
    return good ? value : path_string(text);
}

static struct path_value of_text(const struct schema *schema, const struct path_element *e)
{
    struct str text = e->node->text;
    struct str name = e->type ? schema_type_name(schema, e->type) : STR("string");
    switch (name.n) {
    case 4:
        if (str_eq(name, STR("date"))) {
            return of_moment(text, PATH_DATE);
        }
        return str_eq(name, STR("time")) ? of_moment(text, PATH_TIME) : path_string(text);
    case 7:
        return str_eq(name, STR("instant")) ? of_moment(text, PATH_DATETIME)
                                            : path_string(text);
    case 8:
        return str_eq(name, STR("dateTime")) ? of_moment(text, PATH_DATETIME)
                                             : path_string(text);
    default: return path_string(text);
    }
}

static bool is_decimal(const struct schema *schema, const struct schema_type *type)
{
    return type && str_eq(schema_type_name(schema, type), STR("decimal"));
}

/* --- quantities --------------------------------------------------------------------------- */

static bool is_quantity(const struct schema *schema, const struct schema_type *type)
{
    return type && type->kind != SCHEMA_PRIMITIVE && schema_is_a(schema, type, STR("Quantity"));
}

/* Members of a Quantity that matter. */
struct parts {
    struct str value;
    struct str code;
    struct str unit;
    struct str system;
    bool compared;
};

static struct parts parts_of(const struct node *node)
{
    struct parts parts = { .compared = false };
    for (const struct node *child = node_first(node); child; child = child->next) {
        if (child->kind == NODE_NUMBER && str_eq(child->name, STR("value"))) {
            parts.value = child->text;
        } else if (str_eq(child->name, STR("code"))) {
            parts.code = child->text;
        } else if (str_eq(child->name, STR("unit"))) {
            parts.unit = child->text;
        } else if (str_eq(child->name, STR("system"))) {
            parts.system = child->text;
        } else {
            parts.compared |= str_eq(child->name, STR("comparator"));
        }
    }
    return parts;
}

/* Set @out to the Quantity of an element; false if it stands for none, as with "<". */
static bool read_quantity(const struct node *node, struct path_quantity *out)
{
    struct parts parts = parts_of(node);
    if (parts.compared || !decimal_read(parts.value, &out->value)) {
        return false;
    }
    bool ucum = str_eq(parts.system, STR(UCUM_SYSTEM));
    path_set_unit(out, parts.code.n ? parts.code : parts.unit.n ? parts.unit : STR("1"));
    out->calendar = out->calendar && !ucum;
    out->element = true;
    return true;
}

static int of_quantity(struct arena *arena, const struct path_value *value,
                       struct path_value *out)
{
    struct path_quantity quantity = { 0 };
    if (!read_quantity(value->element.node, &quantity)) {
        *out = *value;
        return 0;
    }
    struct path_quantity *kept = arena_alloc(arena, sizeof(*kept));
    if (!kept) {
        return -ENOMEM;
    }
    *kept = quantity;
    *out = (struct path_value){ .kind = PATH_QUANTITY, .quantity = kept };
    return 0;
}

int path_simple(const struct schema *schema, struct arena *arena,
                const struct path_value *value, struct path_value *out)
{
    const struct path_element *e = &value->element;
    if (value->kind != PATH_ELEMENT || !e->node) {
        *out = *value;
        return 0;
    }
    switch (e->node->kind) {
    case NODE_TRUE:
    case NODE_FALSE: *out = path_boolean(e->node->kind == NODE_TRUE); return 0;
    case NODE_NUMBER: *out = of_number(e->node->text, is_decimal(schema, e->type)); return 0;
    case NODE_STRING: *out = of_text(schema, e); return 0;
    case NODE_OBJECT:
        if (is_quantity(schema, e->type)) {
            return of_quantity(arena, value, out);
        }
        break;
    case NODE_ARRAY:
    case NODE_NULL: break;
    }
    *out = *value;
    return 0;
}
