/* Writing items: what is simple as FHIRPath writes it, what isn't as it stands in the tree. */
#include "fhir/path/put.h"

#include "fhir/format/json_node.h"
#include "fhir/format/json_write.h"
#include "fhir/path/quantity.h"

enum {
    SIMPLE_SIZE = 512,
};

bool path_put_simple(const struct path_value *value, struct buf *out)
{
    switch (value->kind) {
    case PATH_BOOLEAN: buf_z(out, value->boolean ? "true" : "false"); return true;
    case PATH_INTEGER: buf_i64(out, value->integer); return true;
    case PATH_DECIMAL: decimal_put(out, &value->decimal); return true;
    case PATH_STRING: buf_str_put(out, value->string); return true;
    case PATH_DATE:
    case PATH_DATETIME: datetime_put(out, &value->time); return true;
    case PATH_TIME: datetime_put_time(out, &value->time); return true;
    case PATH_QUANTITY: path_quantity_put(out, value->quantity); return true;
    case PATH_ELEMENT:
    case PATH_TYPE: break;
    }
    return false;
}

static void put_type(const struct path_type *type, struct buf *out)
{
    buf_str_put(out, type->space);
    buf_c(out, '.');
    buf_str_put(out, type->name);
}

static void put_element(const struct path_element *element, struct buf *out)
{
    if (element->node) {
        json_node(out, element->node);
    } else if (element->extra) {
        json_node(out, element->extra);
    }
}

/* @item as something simple, but for Quantities of the tree, which stay what they are. */
static bool make_simple(struct arena *arena, const struct schema *schema,
                        const struct path_value *item, struct path_value *out)
{
    bool object = item->kind == PATH_ELEMENT && !node_is(item->element.node, NODE_OBJECT);
    return (item->kind != PATH_ELEMENT || object) && path_simple(schema, arena, item, out) == 0;
}

void path_put_text(struct arena *arena, const struct schema *schema,
                   const struct path_value *item, struct buf *out)
{
    struct path_value value = *item;
    (void)make_simple(arena, schema, item, &value);
    if (value.kind == PATH_ELEMENT) {
        put_element(&value.element, out);
    } else if (value.kind == PATH_TYPE) {
        put_type(value.type, out);
    } else {
        (void)path_put_simple(&value, out);
    }
}

void path_put_json(struct arena *arena, const struct schema *schema,
                   const struct path_value *item, struct buf *out)
{
    if (item->kind == PATH_ELEMENT) {
        put_element(&item->element, out);
        return;
    }
    struct buf text =
        arena_buf(arena, SIMPLE_SIZE + (item->kind == PATH_STRING ? item->string.n : 0));
    path_put_text(arena, schema, item, &text);
    bool bare =
        item->kind == PATH_BOOLEAN || item->kind == PATH_INTEGER || item->kind == PATH_DECIMAL;
    if (bare) {
        buf_str_put(out, buf_str(&text));
    } else {
        json_quote(out, buf_str(&text));
    }
}
