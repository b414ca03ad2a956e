/*
 * The stack of a run, and what its functions ask of it.
 *
 * Collections lie on the stack one after the other. It moves when it grows, so items are named
 * by their index, and what is taken out of it is copied.
 */
#include "fhir/path/machine.h"

#include <errno.h>

enum {
    FIRST_ROOM = 64,
};

/* --- ends of a run ------------------------------------------------------------------------ */

int path_fail(struct path_machine *m, const char *text)
{
    path_issue(m->issues, "processing", m->at, text);
    return PATH_E_RUN;
}

int path_exceeds(struct path_machine *m, const char *text)
{
    path_issue(m->issues, "too-costly", m->at, text);
    return PATH_E_LIMIT;
}

int path_step(struct path_machine *m, size_t n)
{
    m->steps += n;
    return m->steps <= m->steps_most ? 0 : path_exceeds(m, "more steps than a run may take");
}

void path_machine_bound(struct path_machine *m, size_t steps)
{
    m->steps_most = steps < PATH_STEPS_MAX ? steps : PATH_STEPS_MAX;
}

size_t path_machine_steps(const struct path_machine *m)
{
    return m->steps;
}

int path_make_bytes(struct path_machine *m, size_t n)
{
    m->bytes += n;
    return m->bytes <= PATH_BYTES_MAX ? 0 : path_exceeds(m, "more text than a run may make");
}

struct path_units *path_units_of(struct path_machine *m)
{
    if (!m->units) {
        m->units = arena_calloc(m->arena, 1, sizeof(*m->units));
    }
    return m->units;
}

/* --- the stack ---------------------------------------------------------------------------- */

int path_grow(struct path_machine *m)
{
    int r = path_step(m, 0);
    if (r || m->n < m->room) {
        return r;
    }
    size_t room = m->room ? m->room * 2 : FIRST_ROOM;
    if (room > PATH_ITEMS_MAX) {
        return path_exceeds(m, "more items than a run may hold");
    }
    struct path_value *items = arena_alloc(m->arena, room * sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    if (m->n) {
        memcpy(items, m->items, m->n * sizeof(*items));
    }
    m->items = items;
    m->room = room;
    return 0;
}

void path_drop_below(struct path_machine *m, size_t base, size_t from)
{
    size_t n = m->n - from;
    if (base != from && n) {
        memmove(m->items + base, m->items + from, n * sizeof(m->items[0]));
    }
    m->n = base + n;
}

/* --- results ------------------------------------------------------------------------------ */

int path_give(struct path_machine *m, const struct path_call *call, struct path_value value)
{
    m->n = call->base;
    return path_push(m, value);
}

int path_give_nothing(struct path_machine *m, const struct path_call *call)
{
    m->n = call->base;
    return 0;
}

int path_give_boolean(struct path_machine *m, const struct path_call *call, bool value)
{
    return path_give(m, call, path_boolean(value));
}

int path_give_integer(struct path_machine *m, const struct path_call *call, int64_t value)
{
    return value > INT32_MAX || value < INT32_MIN ? path_give_nothing(m, call)
                                                  : path_give(m, call, path_integer(value));
}

int path_give_string(struct path_machine *m, const struct path_call *call, struct str value)
{
    return path_give(m, call, path_string(value));
}

int path_give_truth(struct path_machine *m, const struct path_call *call, enum path_truth value)
{
    return value == PATH_UNKNOWN ? path_give_nothing(m, call)
                                 : path_give_boolean(m, call, value == PATH_TRUE);
}

/* --- single items ------------------------------------------------------------------------- */

int path_single(struct path_machine *m, size_t base, struct path_value *out, bool *there)
{
    size_t n = m->n - base;
    *there = n == 1;
    if (n > 1) {
        return path_fail(m, "several items where there may be one");
    }
    if (n == 0) {
        return 0;
    }
    return path_simple(m->schema, m->arena, &m->items[base], out);
}

int path_single_truth(struct path_machine *m, size_t base, enum path_truth *out)
{
    struct path_value value;
    bool there;
    int r = path_single(m, base, &value, &there);
    if (!r) {
        bool no = there && value.kind == PATH_BOOLEAN && !value.boolean;
        *out = !there ? PATH_UNKNOWN : no ? PATH_FALSE : PATH_TRUE;
    }
    return r;
}

/* --- arguments ---------------------------------------------------------------------------- */

int path_argument_items(struct path_machine *m, const struct path_call *call, size_t i)
{
    return path_eval(m, call->arguments[i].begin);
}

int path_argument(struct path_machine *m, const struct path_call *call, size_t i,
                  struct path_value *out, bool *there)
{
    size_t base = m->n;
    *there = false;
    if (i >= call->arguments_n) {
        return 0;
    }
    int r = path_argument_items(m, call, i);
    r = r ? r : path_single(m, base, out, there);
    m->n = base;
    return r;
}

int path_argument_string(struct path_machine *m, const struct path_call *call, size_t i,
                         struct str *out, bool *there)
{
    struct path_value value;
    int r = path_argument(m, call, i, &value, there);
    if (!r && *there && value.kind != PATH_STRING) {
        return path_fail(m, "an argument that must be a String");
    }
    if (!r && *there) {
        *out = value.string;
    }
    return r;
}

int path_argument_integer(struct path_machine *m, const struct path_call *call, size_t i,
                          int64_t *out, bool *there)
{
    struct path_value value;
    int r = path_argument(m, call, i, &value, there);
    if (!r && *there && value.kind != PATH_INTEGER) {
        return path_fail(m, "an argument that must be an Integer");
    }
    if (!r && *there) {
        *out = value.integer;
    }
    return r;
}

int path_input_string(struct path_machine *m, const struct path_call *call, struct str *out,
                      bool *there)
{
    struct path_value value;
    int r = path_single(m, call->base, &value, there);
    if (!r && *there && value.kind != PATH_STRING) {
        return path_fail(m, "an input that must be a String");
    }
    if (!r && *there) {
        *out = value.string;
    }
    return r;
}
