/* Functions that answer about a collection, most with true or false. */
#include "fhir/path/compare.h"
#include "fhir/path/functions.h"
#include "fhir/path/lambda.h"
#include "fhir/path/operators.h"

PATH_FUNCTION(empty)
{
    return path_give_boolean(m, call, call->n == 0);
}

PATH_FUNCTION(count)
{
    return path_give_integer(m, call, (int64_t)call->n);
}

PATH_FUNCTION(logical_not)
{
    enum path_truth truth;
    int r = path_single_truth(m, call->base, &truth);
    if (r) {
        return r;
    }
    return truth == PATH_UNKNOWN ? path_give_nothing(m, call)
                                 : path_give_boolean(m, call, truth == PATH_FALSE);
}

/* Look for an item of which the argument is true, or isn't. */
static int find(struct path_machine *m, const struct path_call *call, bool wanted, bool *found)
{
    *found = false;
    for (size_t i = 0; i < call->n && !*found; i++) {
        enum path_truth truth;
        int r = path_test_item(m, call, i, &truth);
        if (r) {
            return r;
        }
        *found = (truth == PATH_TRUE) == wanted;
    }
    return 0;
}

PATH_FUNCTION(exists)
{
    bool found = call->n > 0;
    int r = call->arguments_n ? find(m, call, true, &found) : 0;
    return r ? r : path_give_boolean(m, call, found);
}

PATH_FUNCTION(all)
{
    bool found;
    int r = find(m, call, false, &found);
    return r ? r : path_give_boolean(m, call, !found);
}

/* Look for an item that is @wanted; all must be Booleans. */
static int find_boolean(struct path_machine *m, const struct path_call *call, bool wanted,
                        bool *found)
{
    *found = false;
    for (size_t i = 0; i < call->n; i++) {
        struct path_value item = m->items[call->base + i];
        int r = path_simple(m->schema, m->arena, &item, &item);
        if (r) {
            return r;
        }
        if (item.kind != PATH_BOOLEAN) {
            return path_fail(m, "an input that must be Booleans");
        }
        *found |= item.boolean == wanted;
    }
    return 0;
}

PATH_FUNCTION(all_true)
{
    bool found;
    int r = find_boolean(m, call, false, &found);
    return r ? r : path_give_boolean(m, call, !found);
}

PATH_FUNCTION(any_true)
{
    bool found;
    int r = find_boolean(m, call, true, &found);
    return r ? r : path_give_boolean(m, call, found);
}

PATH_FUNCTION(all_false)
{
    bool found;
    int r = find_boolean(m, call, true, &found);
    return r ? r : path_give_boolean(m, call, !found);
}

PATH_FUNCTION(any_false)
{
    bool found;
    int r = find_boolean(m, call, false, &found);
    return r ? r : path_give_boolean(m, call, found);
}

PATH_FUNCTION(distinct)
{
    return path_distinct(m, call->base);
}

PATH_FUNCTION(is_distinct)
{
    int r = path_distinct(m, call->base);
    return r ? r : path_give_boolean(m, call, m->n - call->base == call->n);
}

PATH_FUNCTION(subset_of)
{
    bool all;
    size_t other = m->n;
    int r = path_argument_items(m, call, 0);
    r = r ? r : path_within(m, call->base, call->n, other, m->n - other, &all);
    return r ? r : path_give_boolean(m, call, all);
}

PATH_FUNCTION(superset_of)
{
    bool all;
    size_t other = m->n;
    int r = path_argument_items(m, call, 0);
    r = r ? r : path_within(m, other, m->n - other, call->base, call->n, &all);
    return r ? r : path_give_boolean(m, call, all);
}
