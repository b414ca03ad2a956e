/* Functions that join collections, or choose among them. */
#include "fhir/path/compare.h"
#include "fhir/path/functions.h"
#include "fhir/path/lambda.h"
#include "fhir/path/operators.h"

PATH_FUNCTION(union)
{
    int r = path_argument_items(m, call, 0);
    return r ? r : path_distinct(m, call->base);
}

/* Order is kept anyway, so the second argument changes nothing. */
PATH_FUNCTION(combine)
{
    return path_argument_items(m, call, 0);
}

/* Keep the items of the input that are among the argument's, or aren't. */
static int filter(struct path_machine *m, const struct path_call *call, bool wanted)
{
    size_t other = m->n;
    int r = path_argument_items(m, call, 0);
    if (r) {
        return r;
    }
    struct path_set set = path_set(m);
    bool added;
    for (size_t i = other; i < m->n && !r; i++) {
        r = path_set_add(&set, &m->items[i], &added);
    }
    size_t kept = call->base;
    for (size_t i = call->base; i < other && !r; i++) {
        bool there;
        r = path_set_has(&set, &m->items[i], &there);
        if (!r && there == wanted) {
            m->items[kept++] = m->items[i];
        }
    }
    m->n = kept;
    return r;
}

PATH_FUNCTION(intersect)
{
    int r = filter(m, call, true);
    return r ? r : path_distinct(m, call->base);
}

PATH_FUNCTION(exclude)
{
    return filter(m, call, false);
}

/* Replace the input by argument @i, evaluated with the input, one item or none, as $this. */
static int take_branch(struct path_machine *m, const struct path_call *call, size_t i)
{
    if (i >= call->arguments_n) {
        return path_give_nothing(m, call);
    }
    struct path_value this;
    if (call->n) {
        this = m->items[call->base];
    }
    int r = path_eval_with(m, call->arguments[i].begin, call->n ? &this : NULL, m->index);
    path_drop_below(m, call->base, call->base + call->n);
    return r;
}

static int read_criterion(struct path_machine *m, const struct path_call *call, bool *out)
{
    struct path_value value;
    struct path_value this;
    bool there;
    size_t top = m->n;
    if (call->n) {
        this = m->items[call->base];
    }
    int r = path_eval_with(m, call->arguments[0].begin, call->n ? &this : NULL, m->index);
    r = r ? r : path_single(m, top, &value, &there);
    m->n = top;
    if (!r && there && value.kind != PATH_BOOLEAN) {
        return path_fail(m, "a criterion that must be a Boolean");
    }
    *out = !r && there && value.boolean;
    return r;
}

PATH_FUNCTION(iif)
{
    bool criterion = false;
    if (call->n > 1) {
        return path_fail(m, "several items where there may be one");
    }
    int r = read_criterion(m, call, &criterion);
    return r ? r : take_branch(m, call, criterion ? 1 : 2);
}

PATH_FUNCTION(coalesce)
{
    m->n = call->base;
    for (size_t i = 0; i < call->arguments_n && m->n == call->base; i++) {
        int r = path_argument_items(m, call, i);
        if (r) {
            return r;
        }
    }
    return 0;
}
