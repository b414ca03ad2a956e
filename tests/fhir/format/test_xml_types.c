/*
 * Every resource of every version, with every element it may have: JSON to XML and back gives
 * the same bytes. The resources are made from the schema.
 */
#include "fhir/format/xml.h"

#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/format/json_node.h"

enum {
    TEXT_MAX = 16 << 20,
    DEPTH = 3, /* elements of a resource are of depth 1 */
};

/*
 * @turn:   which type a choice has in this round
 * @spread: the same in extensions, whose value has any of fifty
 * @most:   the most types that a choice outside of extensions had so far
 */
struct making {
    const struct schema *schema;
    struct buf *out;
    size_t turn;
    size_t spread;
    size_t most;
};

static bool put_object(struct making *m, const struct schema_type *type, size_t depth);

static bool is_primitive(const struct making *m, const struct schema_type *type)
{
    while (type->kind == SCHEMA_PROFILE) {
        type = schema_base(m->schema, type);
    }
    return type->kind == SCHEMA_PRIMITIVE;
}

static bool is_named(const struct making *m, const struct schema_type *type, const char *name)
{
    return str_eq(schema_type_name(m->schema, type), str_z(name));
}

static void put_primitive(struct making *m, const struct schema_type *type)
{
    static const char *const values[] = {
        [SCHEMA_STRING] = "\"a\"", [SCHEMA_NUMBER] = "1.50", [SCHEMA_BOOLEAN] = "false"
    };
    buf_z(m->out, is_named(m, type, "xhtml")
                      ? "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">a</div>\""
                      : values[type->json]);
}

/* One value; false: nothing was written, as there is no room for its elements. */
static bool put_value(struct making *m, const struct schema_type *type, size_t depth)
{
    if (is_primitive(m, type)) {
        put_primitive(m, type);
        return true;
    }
    if (type->kind == SCHEMA_RESOURCE) {
        buf_z(m->out, "{\"resourceType\":\"Basic\",\"id\":\"b\"}");
        return true;
    }
    size_t start = m->out->n;
    buf_c(m->out, '{');
    if (depth > DEPTH || !put_object(m, type, depth)) {
        m->out->n = start;
        return false;
    }
    buf_c(m->out, '}');
    return true;
}

/* "value" of a choice of Quantity as "valueQuantity". */
static void put_name(struct making *m, const struct schema_element *element,
                     const struct schema_type *type)
{
    buf_str_put(m->out, schema_name(m->schema, element));
    if (element->flags & SCHEMA_CHOICE) {
        struct str name = schema_type_name(m->schema, type);
        buf_c(m->out, (char)(name.p[0] >= 'a' ? name.p[0] - 'a' + 'A' : name.p[0]));
        buf_put(m->out, name.p + 1, name.n - 1);
    }
}

/* The companion of a primitive: the second value's own, or the only one's. */
static void put_companion(struct making *m, const struct schema_element *element,
                          const struct schema_type *type)
{
    bool many = element->max > 1;
    buf_z(m->out, ",\"_");
    put_name(m, element, type);
    buf_z(m->out, many ? "\":[null,{\"id\":\"i\"}]" : "\":{\"id\":\"i\"}");
}

/* The type that @element of @of has this time. */
static const struct schema_type *this_type(struct making *m, const struct schema_type *of,
                                           const struct schema_element *element)
{
    bool spread = is_named(m, of, "Extension");
    if (!spread && element->choices_n > m->most) {
        m->most = element->choices_n;
    }
    size_t turn = spread ? m->spread : m->turn;
    return schema_choice(m->schema, element, turn % element->choices_n);
}

static bool put_element(struct making *m, const struct schema_element *element,
                        const struct schema_type *type, size_t depth, bool first)
{
    bool many = element->max > 1;
    size_t start = m->out->n;
    buf_z(m->out, first ? "\"" : ",\"");
    put_name(m, element, type);
    buf_z(m->out, many ? "\":[" : "\":");
    bool never = type->abstract && type->kind != SCHEMA_RESOURCE;
    if (never || !put_value(m, type, depth + 1)) {
        m->out->n = start;
        return false;
    }
    if (many) {
        buf_c(m->out, ',');
        (void)put_value(m, type, depth + 1);
        buf_c(m->out, ']');
    }
    bool bare = element->flags & SCHEMA_ATTRIBUTE || is_named(m, type, "xhtml");
    if (is_primitive(m, type) && !bare) {
        put_companion(m, element, type);
    }
    return true;
}

/* The elements of an object that have room; whether there are any. */
static bool put_object(struct making *m, const struct schema_type *type, size_t depth)
{
    bool any = type->kind == SCHEMA_RESOURCE;
    for (size_t i = 0; i < schema_size(type); i++) {
        const struct schema_element *element = schema_at(m->schema, type, i);
        struct str name = schema_name(m->schema, element);
        bool more = str_eq(name, STR("extension")) || str_eq(name, STR("modifierExtension"));
        if (!more || depth == 1) {
            any |= put_element(m, element, this_type(m, type, element), depth, !any);
        }
    }
    return any;
}

static void same_after_xml(const struct schema *schema, struct str json)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct buf xml = arena_buf(arena, TEXT_MAX);
    struct buf back = arena_buf(arena, TEXT_MAX);
    const struct node *root = NULL;
    struct issues issues;
    issues_init(&issues, arena);
    int r = json_parse(arena, json, &issues, &root);
    r = r ? r : xml_write(arena, schema, root, &issues, &xml);
    r = r ? r : xml_parse(arena, schema, buf_str(&xml), &issues, &root);
    if (r) {
        fail_msg("%s, %.*s: %.*s", schema->version, (int)issues.last->place.n,
                 issues.last->place.p, (int)issues.last->text.n, issues.last->text.p);
    }
    json_node(&back, root);
    assert_true(str_eq(buf_str(&back), json));
}

/* Rounds until each type of each choice was there; extensions' types are spread over all. */
static void try_type(const struct schema *schema, size_t index)
{
    const struct schema_type *type = &schema->types[index];
    struct making m = { .schema = schema, .most = 1 };
    for (size_t round = 0; round < m.most; round++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
        struct buf out = arena_buf(arena, TEXT_MAX);
        m.out = &out;
        m.turn = round;
        m.spread = index + round;
        buf_z(&out, "{\"resourceType\":\"");
        buf_str_put(&out, schema_type_name(schema, type));
        buf_c(&out, '"');
        (void)put_object(&m, type, 1);
        buf_c(&out, '}');
        assert_false(buf_failed(&out));
        same_after_xml(schema, buf_str(&out));
    }
}

static void try_all(const struct schema *schema, size_t resources)
{
    size_t n = 0;
    for (size_t i = 0; i < schema->types_n; i++) {
        if (schema->types[i].kind == SCHEMA_RESOURCE && !schema->types[i].abstract) {
            try_type(schema, i);
            n++;
        }
    }
    assert_int_equal(n, resources);
}

static void test_r4(void **state)
{
    (void)state;
    try_all(&schema_r4, 146);
}

static void test_r4b(void **state)
{
    (void)state;
    try_all(&schema_r4b, 141);
}

static void test_r5(void **state)
{
    (void)state;
    try_all(&schema_r5, 158);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_r4),
        cmocka_unit_test(test_r4b),
        cmocka_unit_test(test_r5),
    };
    return cmocka_run_group_tests_name("fhir/format/xml_types", tests, NULL, NULL);
}
