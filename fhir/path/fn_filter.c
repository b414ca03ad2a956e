/* Functions that choose items, or go from items to others. */
#include "fhir/path/compare.h"
#include "fhir/path/functions.h"
#include "fhir/path/lambda.h"
#include "fhir/path/navigate.h"

PATH_FUNCTION(where)
{
    size_t kept = 0;
    for (size_t i = 0; i < call->n; i++) {
        enum path_truth truth;
        int r = path_test_item(m, call, i, &truth);
        if (r) {
            return r;
        }
        if (truth == PATH_TRUE) {
            m->items[call->base + kept++] = m->items[call->base + i];
        }
    }
    m->n = call->base + kept;
    return 0;
}

PATH_FUNCTION(select)
{
    int r = 0;
    for (size_t i = 0; i < call->n && !r; i++) {
        r = path_map_item(m, call, 0, i);
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

/* Of the items from @from on, keep those that are new to @set. */
static int keep_new(struct path_machine *m, struct path_set *set, size_t from)
{
    size_t end = m->n;
    size_t kept = from;
    for (size_t i = from; i < end; i++) {
        struct path_value item = m->items[i];
        bool added;
        int r = path_set_add(set, &item, &added);
        if (r) {
            return r;
        }
        if (added) {
            m->items[kept++] = item;
        }
    }
    m->n = kept;
    return 0;
}

/* Results come behind the input and are worked on in turn, so the stack is the queue. */
static int repeat(struct path_machine *m, const struct path_call *call, bool once)
{
    struct path_set set = path_set(m);
    int r = 0;
    for (size_t i = call->base; i < m->n && !r; i++) {
        struct path_value item = m->items[i];
        size_t from = m->n;
        r = path_eval_with(m, call->arguments[0].begin, &item, m->index);
        if (!r && once) {
            r = keep_new(m, &set, from);
        }
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

PATH_FUNCTION(repeat)
{
    return repeat(m, call, true);
}

PATH_FUNCTION(repeat_all)
{
    return repeat(m, call, false);
}

PATH_FUNCTION(children)
{
    int r = 0;
    for (size_t i = 0; i < call->n && !r; i++) {
        struct path_value item = m->items[call->base + i];
        r = path_push_children(m, &item);
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

PATH_FUNCTION(descendants)
{
    int r = 0;
    for (size_t i = call->base; i < m->n && !r; i++) {
        struct path_value item = m->items[i];
        r = path_push_children(m, &item);
    }
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

/* --- by place ----------------------------------------------------------------------------- */

/* Keep the @n items from item @from on. */
static int keep(struct path_machine *m, const struct path_call *call, size_t from, size_t n)
{
    m->n = call->base + from + n;
    path_drop_below(m, call->base, call->base + from);
    return 0;
}

PATH_FUNCTION(first)
{
    return keep(m, call, 0, call->n ? 1 : 0);
}

PATH_FUNCTION(last)
{
    return call->n ? keep(m, call, call->n - 1, 1) : 0;
}

PATH_FUNCTION(tail)
{
    return call->n ? keep(m, call, 1, call->n - 1) : 0;
}

PATH_FUNCTION(single)
{
    return call->n > 1 ? path_fail(m, "several items where there may be one") : 0;
}

/* A count between 0 and what is there. */
static int read_count(struct path_machine *m, const struct path_call *call, size_t *out,
                      bool *there)
{
    int64_t count = 0;
    int r = path_argument_integer(m, call, 0, &count, there);
    size_t positive = count > 0 ? (size_t)count : 0;
    *out = positive < call->n ? positive : call->n;
    return r;
}

PATH_FUNCTION(skip)
{
    size_t count;
    bool there;
    int r = read_count(m, call, &count, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return keep(m, call, count, call->n - count);
}

PATH_FUNCTION(take)
{
    size_t count;
    bool there;
    int r = read_count(m, call, &count, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return keep(m, call, 0, count);
}
