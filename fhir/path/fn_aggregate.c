/* Functions that go over a collection in its order, and those that only look. */
#include "fhir/path/arithmetic.h"
#include "fhir/path/compare.h"
#include "fhir/path/functions.h"
#include "fhir/path/lambda.h"
#include "fhir/path/variable.h"

#include <errno.h>

/* --- aggregate ---------------------------------------------------------------------------- */

/* $total: one item at @one, or more in the arena. */
struct total {
    struct path_value one;
    const struct path_value *items;
    size_t n;
};

/* Take what stands on top from @from on as the new total. */
static int take_total(struct path_machine *m, size_t from, struct total *total)
{
    total->n = m->n - from;
    total->items = &total->one;
    if (total->n == 1) {
        total->one = m->items[from];
    } else if (total->n > 1) {
        struct path_value *items = arena_alloc(m->arena, total->n * sizeof(*items));
        if (!items) {
            return -ENOMEM;
        }
        memcpy(items, m->items + from, total->n * sizeof(*items));
        total->items = items;
    }
    m->n = from;
    return 0;
}

static int aggregate(struct path_machine *m, const struct path_call *call, struct total *total)
{
    size_t top = m->n;
    int r = call->arguments_n > 1 ? path_argument_items(m, call, 1) : 0;
    r = r ? r : take_total(m, top, total);
    for (size_t i = 0; i < call->n && !r; i++) {
        m->total = total->items;
        m->total_n = total->n;
        m->has_total = true;
        r = path_map_item(m, call, 0, i);
        r = r ? r : take_total(m, top, total);
    }
    return r;
}

PATH_FUNCTION(aggregate)
{
    struct total total;
    const struct path_value *outer = m->total;
    size_t outer_n = m->total_n;
    bool had = m->has_total;
    int r = aggregate(m, call, &total);
    m->total = outer;
    m->total_n = outer_n;
    m->has_total = had;
    m->n = call->base;
    for (size_t i = 0; !r && i < total.n; i++) {
        r = path_push(m, total.items[i]);
    }
    return r;
}

/* --- sum, min, max, avg ------------------------------------------------------------------- */

typedef int (*step_fn)(struct path_machine *m, const struct path_value *so_far,
                       const struct path_value *item, struct path_value *out, bool *there);

/* Fold the input into one value; @there: false if there is none. */
static int fold(struct path_machine *m, const struct path_call *call, step_fn step,
                struct path_value *out, bool *there)
{
    *there = call->n > 0;
    for (size_t i = 0; i < call->n && *there; i++) {
        struct path_value item = m->items[call->base + i];
        int r = path_simple(m->schema, m->arena, &item, &item);
        if (!r && i == 0) {
            *out = item;
        } else if (!r) {
            struct path_value so_far = *out;
            r = step(m, &so_far, &item, out, there);
        }
        if (r) {
            return r;
        }
    }
    return 0;
}

static int add_step(struct path_machine *m, const struct path_value *so_far,
                    const struct path_value *item, struct path_value *out, bool *there)
{
    return path_sum(m, so_far, item, false, out, there);
}

static int least_step(struct path_machine *m, const struct path_value *so_far,
                      const struct path_value *item, struct path_value *out, bool *there)
{
    int order;
    int r = path_order(m, so_far, item, &order, there);
    if (!r && *there) {
        *out = order <= 0 ? *so_far : *item;
    }
    return r;
}

static int greatest_step(struct path_machine *m, const struct path_value *so_far,
                         const struct path_value *item, struct path_value *out, bool *there)
{
    int order;
    int r = path_order(m, so_far, item, &order, there);
    if (!r && *there) {
        *out = order >= 0 ? *so_far : *item;
    }
    return r;
}

static int give_if(struct path_machine *m, const struct path_call *call,
                   const struct path_value *value, bool there)
{
    return there ? path_give(m, call, *value) : path_give_nothing(m, call);
}

PATH_FUNCTION(sum)
{
    struct path_value value;
    bool there;
    int r = fold(m, call, add_step, &value, &there);
    return r ? r : give_if(m, call, &value, there);
}

PATH_FUNCTION(min)
{
    struct path_value value;
    bool there;
    int r = fold(m, call, least_step, &value, &there);
    return r ? r : give_if(m, call, &value, there);
}

PATH_FUNCTION(max)
{
    struct path_value value;
    bool there;
    int r = fold(m, call, greatest_step, &value, &there);
    return r ? r : give_if(m, call, &value, there);
}

PATH_FUNCTION(avg)
{
    struct path_value value;
    struct path_value count = path_decimal(decimal_of((int64_t)call->n));
    struct path_value sum;
    bool there;
    int r = fold(m, call, add_step, &sum, &there);
    if (!r && there) {
        r = path_product(m, &sum, &count, true, &value, &there);
    }
    return r ? r : give_if(m, call, &value, there);
}

/* --- sort --------------------------------------------------------------------------------- */

/* @keys: @width for each item; @there: which of them have a value */
struct sorting {
    struct path_machine *m;
    const struct path_call *call;
    struct path_value *keys;
    bool *there;
    size_t width;
};

static int read_keys(struct sorting *s, size_t i)
{
    struct path_machine *m = s->m;
    int r = 0;
    for (size_t k = 0; k < s->width && !r; k++) {
        size_t top = m->n;
        size_t key = i * s->width + k;
        if (s->call->arguments_n) {
            r = path_map_item(m, s->call, k, i);
        } else {
            r = path_push(m, m->items[s->call->base + i]);
        }
        r = r ? r : path_single(m, top, &s->keys[key], &s->there[key]);
        m->n = top;
    }
    return r;
}

/* Whether item @a must come after item @b. */
static int comes_after(struct sorting *s, size_t a, size_t b, bool *out)
{
    *out = false;
    for (size_t k = 0; k < s->width; k++) {
        size_t x = a * s->width + k;
        size_t y = b * s->width + k;
        int order = (s->there[x] > s->there[y]) - (s->there[x] < s->there[y]);
        bool known = true;
        if (s->there[x] && s->there[y]) {
            int r = path_order(s->m, &s->keys[x], &s->keys[y], &order, &known);
            if (r) {
                return r;
            }
        }
        if (known && order) {
            bool descending = s->call->arguments_n && s->call->arguments[k].descending;
            *out = descending ? order < 0 : order > 0;
            return 0;
        }
    }
    return 0;
}

/* Merge two sorted runs of @from, [low, middle) and [middle, high), into @to. */
static int merge(struct sorting *s, const size_t *from, size_t *to, const size_t bounds[3])
{
    size_t a = bounds[0];
    size_t b = bounds[1];
    for (size_t k = bounds[0]; k < bounds[2]; k++) {
        bool after = false;
        if (a < bounds[1] && b < bounds[2]) {
            int r = comes_after(s, from[a], from[b], &after);
            if (r) {
                return r;
            }
        }
        bool take_b = after || a == bounds[1];
        to[k] = take_b ? from[b++] : from[a++];
    }
    return 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sort places by merging runs of growing length; the sorted ones are at *@places. */
static int merge_sort(struct sorting *s, size_t **places, size_t *spare, size_t n)
{
    for (size_t length = 1; length < n; length *= 2) {
        for (size_t low = 0; low < n; low += 2 * length) {
            size_t bounds[3] = { low, least(low + length, n), least(low + 2 * length, n) };
            int r = merge(s, *places, spare, bounds);
            if (r) {
                return r;
            }
        }
        size_t *swap = *places;
        *places = spare;
        spare = swap;
    }
    return 0;
}

PATH_FUNCTION(sort)
{
    struct sorting s = { .m = m,
                         .call = call,
                         .width = call->arguments_n ? call->arguments_n : 1 };
    s.keys = arena_calloc(m->arena, call->n * s.width + 1, sizeof(*s.keys));
    s.there = arena_calloc(m->arena, call->n * s.width + 1, sizeof(*s.there));
    size_t *places = arena_calloc(m->arena, 2 * call->n + 1, sizeof(*places));
    if (!s.keys || !s.there || !places) {
        return -ENOMEM;
    }
    int r = 0;
    for (size_t i = 0; i < call->n && !r; i++) {
        places[i] = i;
        r = read_keys(&s, i);
    }
    r = r ? r : merge_sort(&s, &places, places + call->n, call->n);
    for (size_t i = 0; i < call->n && !r; i++) {
        struct path_value item = m->items[call->base + places[i]];
        r = path_push(m, item);
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

/* --- looking ------------------------------------------------------------------------------ */

PATH_FUNCTION(trace)
{
    struct str name;
    bool there;
    size_t top = m->n;
    int r = path_argument_string(m, call, 0, &name, &there);
    for (size_t i = 0; i < call->n && !r && call->arguments_n > 1; i++) {
        r = path_map_item(m, call, 1, i);
    }
    if (!r && there && m->env->trace) {
        bool mapped = call->arguments_n > 1;
        size_t from = mapped ? top : call->base;
        m->env->trace(m->env->owner, name,
                      (struct path_list){ .items = m->items + from, .n = m->n - from });
    }
    m->n = top;
    return r;
}

PATH_FUNCTION(define_variable)
{
    struct str name;
    bool there;
    size_t top = m->n;
    bool given = call->arguments_n > 1;
    int r = path_argument_string(m, call, 0, &name, &there);
    if (!r && !there) {
        return path_fail(m, "a variable without name");
    }
    r = r || !given ? r : path_argument_items(m, call, 1);
    if (!r) {
        r = path_define(m, name, given ? top : call->base, given ? m->n - top : call->n);
    }
    m->n = top;
    return r;
}
