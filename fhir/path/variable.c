/* %context and its kind, what FHIR names so, what the caller gave, and what defineVariable()
 * made. */
#include "fhir/path/variable.h"

#include "fhir/path/navigate.h"

#include <errno.h>

enum {
    FAMILY_SIZE = 64, /* bytes of what %vs-… and %ext-… stand for, at the front */
};

static const struct {
    const char *name;
    const char *value;
} terms[] = {
    { "ucum", "http://unitsofmeasure.org" },
    { "sct", "http://snomed.info/sct" },
    { "loinc", "http://loinc.org" },
};

/* %vs-name and %ext-name are short for HL7's own value sets and extensions. */
static const struct {
    const char *prefix;
    const char *base;
} families[] = {
    { "vs-", "http://hl7.org/fhir/ValueSet/" },
    { "ext-", "http://hl7.org/fhir/StructureDefinition/" },
};

static int push_items(struct path_machine *m, const struct path_value *items, size_t n)
{
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) {
        r = path_push(m, items[i]);
    }
    return r;
}

static int push_resource(struct path_machine *m, const struct node *given, bool outermost)
{
    const struct node *node = given;
    if (!node && m->has_input && m->input.kind == PATH_ELEMENT) {
        const struct path_element *e = &m->input.element;
        node = path_resource_of(e->node ? e->node : e->extra, outermost);
    }
    return node ? path_push(m, path_element(m->schema, node, NULL)) : 0;
}

static int push_family(struct path_machine *m, struct str name, bool *found)
{
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct str prefix = str_z(families[i].prefix);
        if (str_starts(name, prefix)) {
            struct buf b = arena_buf(m->arena, prefix.n + PATH_TEXT_MAX + FAMILY_SIZE);
            buf_z(&b, families[i].base);
            buf_str_put(&b, str_slice(name, prefix.n, name.n));
            *found = true;
            return buf_failed(&b) ? -ENOMEM : path_push(m, path_string(buf_str(&b)));
        }
    }
    return 0;
}

/* What FHIRPath and FHIR define. */
static int push_known(struct path_machine *m, struct str name, bool *found)
{
    *found = true;
    if (str_eq(name, STR("context"))) {
        return m->has_input ? path_push(m, m->input) : 0;
    }
    if (str_eq(name, STR("resource"))) {
        return push_resource(m, m->env->resource, false);
    }
    if (str_eq(name, STR("rootResource"))) {
        return push_resource(m, m->env->root, true);
    }
    for (size_t i = 0; i < ARRAY_LEN(terms); i++) {
        if (str_eq(name, str_z(terms[i].name))) {
            return path_push(m, path_string(str_z(terms[i].value)));
        }
    }
    *found = false;
    return push_family(m, name, found);
}

int path_push_variable(struct path_machine *m, struct str name)
{
    for (size_t i = m->defined_n; i-- > 0;) {
        if (str_eq(m->defined[i].name, name)) {
            return push_items(m, m->defined[i].items, m->defined[i].n);
        }
    }
    for (size_t i = 0; i < m->env->variables_n; i++) {
        const struct path_variable *variable = &m->env->variables[i];
        if (str_eq(variable->name, name)) {
            return push_items(m, variable->value.items, variable->value.n);
        }
    }
    bool found;
    int r = push_known(m, name, &found);
    return r || found ? r : path_fail(m, "a variable that nobody has set");
}

int path_define(struct path_machine *m, struct str name, size_t first, size_t n)
{
    for (size_t i = 0; i < m->defined_n; i++) {
        if (str_eq(m->defined[i].name, name)) {
            return path_fail(m, "a variable that is defined already");
        }
    }
    if (m->defined_n == PATH_VARIABLES_MAX) {
        return path_exceeds(m, "more variables than a run may have");
    }
    struct path_value *items = arena_calloc(m->arena, n + 1, sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    if (n) {
        memcpy(items, m->items + first, n * sizeof(*items));
    }
    m->defined[m->defined_n++] = (struct path_defined){ .name = name, .items = items, .n = n };
    return 0;
}
