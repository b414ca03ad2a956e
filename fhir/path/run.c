/*
 * Running a program: one loop over its instructions.
 *
 * Each instruction takes one or two collections off the stack and leaves one. Functions run
 * their arguments by calling back; how deep that goes is bounded by how deep the parser let
 * arguments nest.
 */
#include "fhir/path/arithmetic.h"
#include "fhir/path/machine.h"
#include "fhir/path/navigate.h"
#include "fhir/path/operators.h"
#include "fhir/path/variable.h"

#include <errno.h>

enum {
    FIRST_BASES = 32,
};

/* --- collections -------------------------------------------------------------------------- */

/* Begin a new collection on top. */
static int open_collection(struct path_machine *m)
{
    if (m->bases_n == m->bases_room) {
        size_t room = m->bases_room ? m->bases_room * 2 : FIRST_BASES;
        size_t *bases = arena_alloc(m->arena, room * sizeof(*bases));
        if (!bases) {
            return -ENOMEM;
        }
        if (m->bases_n) {
            memcpy(bases, m->bases, m->bases_n * sizeof(*bases));
        }
        m->bases = bases;
        m->bases_room = room;
    }
    m->bases[m->bases_n++] = m->n;
    return 0;
}

static size_t top_base(const struct path_machine *m)
{
    return m->bases[m->bases_n - 1];
}

static int push_list(struct path_machine *m, const struct path_value *items, size_t n)
{
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) {
        r = path_push(m, items[i]);
    }
    return r;
}

/* --- instructions ------------------------------------------------------------------------- */

static int run_this(struct path_machine *m)
{
    return m->has_this ? path_push(m, m->this) : 0;
}

static int run_total(struct path_machine *m)
{
    return m->has_total ? push_list(m, m->total, m->total_n)
                        : path_fail(m, "$total outside of aggregate()");
}

static int run_lead(struct path_machine *m, const struct path_name *name)
{
    if (!m->has_this) {
        return 0;
    }
    return path_is_lead(m, &m->this, name->text) ? path_push(m, m->this)
                                                 : path_push_member(m, &m->this, name);
}

static int run_member(struct path_machine *m, size_t base, const struct path_name *name)
{
    size_t end = m->n;
    int r = 0;
    if (end == base + 1) {
        m->n = base;
        return path_push_member(m, &m->items[base], name);
    }
    for (size_t i = base; i < end && !r; i++) {
        r = path_push_member(m, &m->items[i], name);
    }
    path_drop_below(m, base, end);
    return r;
}

static int run_item(struct path_machine *m, size_t list, size_t base)
{
    struct path_value index;
    bool there;
    int r = path_single(m, base, &index, &there);
    if (r) {
        return r;
    }
    if (there && index.kind != PATH_INTEGER) {
        return path_fail(m, "an index that must be an Integer");
    }
    m->n = base;
    size_t n = base - list;
    if (!there || index.integer < 0 || (size_t)index.integer >= n) {
        m->n = list;
        return 0;
    }
    m->items[list] = m->items[list + (size_t)index.integer];
    m->n = list + 1;
    return 0;
}

static int run_is(struct path_machine *m, size_t base, const struct path_specifier *type)
{
    size_t n = m->n - base;
    if (n > 1) {
        return path_fail(m, "\"is\" of several items");
    }
    if (n == 1) {
        m->items[base] = path_boolean(path_is(m, &m->items[base], type));
    }
    return 0;
}

static int run_of_type(struct path_machine *m, size_t base, const struct path_specifier *type)
{
    size_t kept = base;
    for (size_t i = base; i < m->n; i++) {
        if (path_passes(m, &m->items[i], type)) {
            m->items[kept++] = m->items[i];
        }
    }
    m->n = kept;
    return path_step(m, kept - base);
}

static int run_as(struct path_machine *m, size_t base, const struct path_specifier *type)
{
    if (m->n - base > 1 && !(m->path->flags & PATH_AS_FILTERS)) {
        return path_fail(m, "\"as\" of several items");
    }
    return run_of_type(m, base, type);
}

static int run_call(struct path_machine *m, const struct path_op *op)
{
    const struct path_function *function = &path_functions[op->a];
    size_t base = top_base(m);
    const struct path_call call = { .base = base,
                                    .n = m->n - base,
                                    .arguments = &m->path->arguments[op->b],
                                    .arguments_n = op->c };
    return function->run(m, &call);
}

/* An early decision replaces the left side; false: the right side is needed. */
static int run_decide(struct path_machine *m, enum path_operator op, bool *decided)
{
    enum path_truth left;
    enum path_truth result;
    size_t base = top_base(m);
    int r = path_single_truth(m, base, &left);
    *decided = !r && path_decides(op, left, &result);
    if (*decided) {
        m->n = base;
        return path_push(m, path_boolean(result == PATH_TRUE));
    }
    return r;
}

static int run_binary(struct path_machine *m, enum path_operator op)
{
    size_t right = m->bases[--m->bases_n];
    return path_binary(m, op, top_base(m), right);
}

/* Instructions that begin a collection. */
static int run_source(struct path_machine *m, const struct path_op *op)
{
    const struct path *path = m->path;
    int r = open_collection(m);
    if (r) {
        return r;
    }
    switch ((enum path_code)op->code) {
    case PATH_THIS: return run_this(m);
    case PATH_INDEX: return path_push(m, path_integer(m->index));
    case PATH_TOTAL: return run_total(m);
    case PATH_CONSTANT: return path_push(m, path->constants[op->a]);
    case PATH_VARIABLE: return path_push_variable(m, path->names[op->a].text);
    case PATH_LEAD: return run_lead(m, &path->names[op->a]);
    case PATH_EMPTY:
    case PATH_END:
    case PATH_MEMBER:
    case PATH_ITEM:
    case PATH_PLUS:
    case PATH_MINUS:
    case PATH_IS:
    case PATH_AS:
    case PATH_OF_TYPE:
    case PATH_CALL:
    case PATH_BINARY:
    case PATH_DECIDE: break;
    }
    return 0;
}

/* All instructions but PATH_END; *@pc is where to go on. */
static int run_op(struct path_machine *m, const struct path_op *op, size_t *pc)
{
    const struct path *path = m->path;
    bool decided = false;
    int r = 0;
    (*pc)++;
    m->at = op->at;
    switch ((enum path_code)op->code) {
    case PATH_MEMBER: return run_member(m, top_base(m), &path->names[op->a]);
    case PATH_ITEM: {
        size_t index = m->bases[--m->bases_n];
        return run_item(m, top_base(m), index);
    }
    case PATH_PLUS: return path_check_number(m, top_base(m));
    case PATH_MINUS: return path_negate(m, top_base(m));
    case PATH_IS: return run_is(m, top_base(m), &path->types[op->a]);
    case PATH_AS: return run_as(m, top_base(m), &path->types[op->a]);
    case PATH_OF_TYPE: return run_of_type(m, top_base(m), &path->types[op->a]);
    case PATH_CALL: *pc = op->next; return run_call(m, op);
    case PATH_BINARY: return run_binary(m, (enum path_operator)op->a);
    case PATH_DECIDE:
        r = run_decide(m, (enum path_operator)op->a, &decided);
        *pc = decided ? op->next : *pc;
        return r;
    case PATH_END:
    case PATH_THIS:
    case PATH_INDEX:
    case PATH_TOTAL:
    case PATH_EMPTY:
    case PATH_CONSTANT:
    case PATH_VARIABLE:
    case PATH_LEAD: break;
    }
    return run_source(m, op);
}

int path_eval(struct path_machine *m, size_t begin)
{
    const struct path_op *ops = m->path->ops;
    size_t defined = m->defined_n;
    size_t at = m->at;
    int r = 0;
    for (size_t pc = begin; !r && ops[pc].code != PATH_END;) {
        r = run_op(m, &ops[pc], &pc);
    }
    m->defined_n = defined;
    if (!r) {
        m->at = at;
        m->bases_n--;
    }
    return r;
}

int path_eval_with(struct path_machine *m, size_t begin, const struct path_value *this,
                   int64_t index)
{
    struct path_value old = m->this;
    bool had = m->has_this;
    int64_t old_index = m->index;
    m->has_this = this != NULL;
    if (this) {
        m->this = *this;
    }
    m->index = index;
    int r = path_eval(m, begin);
    m->this = old;
    m->has_this = had;
    m->index = old_index;
    return r;
}

/* --- runs --------------------------------------------------------------------------------- */

struct path_machine *path_machine_new(struct arena *arena, const struct path_env *env)
{
    struct path_machine *m = arena_calloc(arena, 1, sizeof(*m));
    if (m) {
        m->arena = arena;
        m->env = env;
        m->regex.arena = arena;
        m->steps_most = PATH_STEPS_MAX;
    }
    return m;
}

static void begin_run(struct path_machine *m, const struct path *path,
                      const struct path_value *input, struct issues *issues)
{
    if (m->schema != path->schema) {
        memset(m->cache, 0, sizeof(m->cache));
        m->resource_type = NULL;
    }
    m->last_name = NULL;
    m->path = path;
    m->schema = path->schema;
    m->issues = issues;
    m->n = 0;
    m->bases_n = 0;
    m->has_input = input != NULL;
    m->has_this = input != NULL;
    if (input) {
        m->input = *input;
        m->this = *input;
    }
    m->index = 0;
    m->has_total = false;
    m->defined_n = 0;
    m->at = 0;
    m->steps = 0;
    m->bytes = 0;
}

int path_run(struct path_machine *m, const struct path *path, const struct path_value *input,
             struct issues *issues, struct path_list *out)
{
    begin_run(m, path, input, issues);
    int r = path_eval(m, 0);
    if (!r) {
        *out = (struct path_list){ .items = m->items, .n = m->n };
    }
    return r;
}

bool path_holds(const struct path_list *result)
{
    if (result->n != 1) {
        return false;
    }
    const struct path_value *item = &result->items[0];
    if (item->kind == PATH_ELEMENT) {
        return !node_is(item->element.node, NODE_FALSE);
    }
    return item->kind != PATH_BOOLEAN || item->boolean;
}
