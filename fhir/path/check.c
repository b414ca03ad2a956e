/*
 * Running a program over types instead of values.
 *
 * Each collection on the stack is a shape: what is known of the types of its items. Where
 * nothing is known, nothing is wrong.
 */
#include "fhir/path/check.h"

#include <errno.h>

enum shape_kind {
    ANYTHING,
    TYPED,  /* items of @type */
    CHOICE, /* items of any type that @element may have */
};

struct shape {
    enum shape_kind kind;
    bool disordered;
    const struct schema_type *type;
    const struct schema_element *element;
};

struct checker {
    const struct path *path;
    const struct schema *schema;
    struct issues *issues;
    struct shape *stack;
    size_t n;
    struct shape root;
    int failed;
};

static const struct shape anything = { .kind = ANYTHING };

static struct shape typed(const struct schema_type *type)
{
    bool open = !type || (type->kind == SCHEMA_RESOURCE && type->abstract);
    return open ? anything : (struct shape){ .kind = TYPED, .type = type };
}

static struct shape of_element(const struct checker *c, const struct schema_element *element)
{
    if (element->flags & SCHEMA_CHOICE) {
        return (struct shape){ .kind = CHOICE, .element = element };
    }
    return typed(schema_choice(c->schema, element, 0));
}

static void wrong(struct checker *c, const struct path_op *op, const char *text)
{
    if (!c->failed) {
        path_issue(c->issues, "invalid", op->at, text);
        c->failed = PATH_E_SYNTAX;
    }
}

/* --- members ------------------------------------------------------------------------------ */

/* A member of a choice: of whichever of its types has it; anything if several have. */
static struct shape member_of_choice(const struct checker *c, const struct shape *parent,
                                     struct str name, bool *found)
{
    struct shape shape = anything;
    size_t times = 0;
    for (size_t i = 0; i < parent->element->choices_n; i++) {
        const struct schema_type *type = schema_choice(c->schema, parent->element, i);
        const struct schema_element *element = schema_element(c->schema, type, name);
        if (element) {
            shape = of_element(c, element);
            times++;
        }
    }
    *found = times > 0;
    return times == 1 ? shape : anything;
}

/* FHIRPath's own types have no members in the schema, but a primitive's value has a name. */
static bool is_value(const struct schema_type *type, struct str name)
{
    return type->kind == SCHEMA_PRIMITIVE && str_eq(name, STR("value"));
}

static struct shape member_of(struct checker *c, const struct path_op *op,
                              const struct shape *parent, struct str name)
{
    bool found = true;
    struct shape shape = anything;
    if (parent->kind == CHOICE) {
        shape = member_of_choice(c, parent, name, &found);
    } else if (parent->kind == TYPED && !is_value(parent->type, name)) {
        const struct schema_element *element = schema_element(c->schema, parent->type, name);
        found = element != NULL;
        shape = element ? of_element(c, element) : anything;
    }
    if (!found) {
        wrong(c, op, "the type before this has no such element");
    }
    shape.disordered = parent->disordered;
    return shape;
}

static struct shape lead(struct checker *c, const struct path_op *op, const struct shape *this)
{
    struct str name = c->path->names[op->a].text;
    bool type = name.n && name.p[0] >= 'A' && name.p[0] <= 'Z';
    if (type && this->kind == TYPED && schema_is_a(c->schema, this->type, name)) {
        return *this;
    }
    return member_of(c, op, this, name);
}

static struct shape narrowed(struct checker *c, const struct path_op *op,
                             const struct shape *input)
{
    const struct path_specifier *wanted = &c->path->types[op->a];
    struct shape shape = wanted->type ? typed(wanted->type) : anything;
    shape.disordered = input->disordered;
    if (input->kind != CHOICE || !wanted->type) {
        return shape;
    }
    for (size_t i = 0; i < input->element->choices_n; i++) {
        const struct schema_type *type = schema_choice(c->schema, input->element, i);
        if (schema_is_a(c->schema, wanted->type, schema_type_name(c->schema, type)) ||
            schema_is_a(c->schema, type, schema_type_name(c->schema, wanted->type))) {
            return shape;
        }
    }
    wrong(c, op, "a type that the element before this can't be of");
    return shape;
}

/* --- instructions ------------------------------------------------------------------------- */

static struct shape block(struct checker *c, size_t begin, const struct shape *this);

static void check_order(struct checker *c, const struct path_op *op, const struct shape *input)
{
    if (input->disordered) {
        wrong(c, op, "an order is asked of what has none");
    }
}

static struct shape call(struct checker *c, const struct path_op *op, const struct shape *input,
                         const struct shape *this)
{
    const struct path_function *function = &path_functions[op->a];
    struct shape argument = anything;
    for (size_t i = 0; i < op->c && !c->failed; i++) {
        size_t begin = c->path->arguments[op->b + i].begin;
        argument = block(c, begin, function->traits & PATH_SCOPED ? input : this);
    }
    if (function->traits & PATH_ORDERED) {
        check_order(c, op, input);
    }
    struct shape result = function->traits & PATH_KEEPS  ? *input
                          : function->traits & PATH_MAPS ? argument
                                                         : anything;
    bool disorders = function->traits & PATH_DISORDERS;
    bool maps = function->traits & PATH_MAPS;
    result.disordered |= disorders || (maps && input->disordered);
    return result;
}

static struct shape variable(const struct checker *c, const struct path_op *op)
{
    return str_eq(c->path->names[op->a].text, STR("context")) ? c->root : anything;
}

/* How many collections an instruction takes off the stack; it puts one there. */
static size_t takes(const struct path_op *op)
{
    switch ((enum path_code)op->code) {
    case PATH_ITEM:
    case PATH_BINARY: return 2;
    case PATH_MEMBER:
    case PATH_PLUS:
    case PATH_MINUS:
    case PATH_IS:
    case PATH_AS:
    case PATH_OF_TYPE:
    case PATH_CALL:
    case PATH_DECIDE: return 1;
    case PATH_END:
    case PATH_THIS:
    case PATH_INDEX:
    case PATH_TOTAL:
    case PATH_EMPTY:
    case PATH_CONSTANT:
    case PATH_VARIABLE:
    case PATH_LEAD: break;
    }
    return 0;
}

static struct shape result_of(struct checker *c, const struct path_op *op,
                              const struct shape *this)
{
    struct shape input = takes(op) ? c->stack[c->n - takes(op)] : anything;
    switch ((enum path_code)op->code) {
    case PATH_THIS: return *this;
    case PATH_LEAD: return lead(c, op, this);
    case PATH_VARIABLE: return variable(c, op);
    case PATH_MEMBER: return member_of(c, op, &input, c->path->names[op->a].text);
    case PATH_AS:
    case PATH_OF_TYPE: return narrowed(c, op, &input);
    case PATH_CALL: return call(c, op, &input, this);
    case PATH_ITEM: check_order(c, op, &input); return input;
    case PATH_DECIDE: return input;
    case PATH_END:
    case PATH_INDEX:
    case PATH_TOTAL:
    case PATH_EMPTY:
    case PATH_CONSTANT:
    case PATH_PLUS:
    case PATH_MINUS:
    case PATH_IS:
    case PATH_BINARY: break;
    }
    return anything;
}

/* What the instructions from @begin to their end leave. */
static struct shape block(struct checker *c, size_t begin, const struct shape *this)
{
    const struct path_op *ops = c->path->ops;
    size_t base = c->n;
    for (size_t pc = begin; ops[pc].code != PATH_END && !c->failed;) {
        const struct path_op *op = &ops[pc];
        struct shape shape = result_of(c, op, this);
        c->n -= takes(op);
        c->stack[c->n++] = shape;
        pc = op->code == PATH_CALL ? op->next : pc + 1;
    }
    struct shape result = c->n > base ? c->stack[base] : anything;
    c->n = base;
    return result;
}

int path_check(struct arena *arena, const struct path *path, struct str type,
               struct issues *issues)
{
    struct checker c = { .path = path, .schema = path->schema, .issues = issues };
    c.stack = arena_calloc(arena, path->ops_n + 1, sizeof(*c.stack));
    if (!c.stack) {
        return -ENOMEM;
    }
    c.root = typed(schema_type(path->schema, type));
    (void)block(&c, 0, &c.root);
    return c.failed;
}
