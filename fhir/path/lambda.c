/* Evaluating arguments item by item. The stack may move meanwhile: items are copied out. */
#include "fhir/path/lambda.h"

#include "fhir/path/compare.h"

enum {
    SMALL_SET = 12, /* items; fewer are compared each with each */
};

int path_map_item(struct path_machine *m, const struct path_call *call, size_t argument,
                  size_t i)
{
    struct path_value item = m->items[call->base + i];
    int r = path_step(m, 1);
    return r ? r : path_eval_with(m, call->arguments[argument].begin, &item, (int64_t)i);
}

int path_test_item(struct path_machine *m, const struct path_call *call, size_t i,
                   enum path_truth *out)
{
    size_t top = m->n;
    int r = path_map_item(m, call, 0, i);
    r = r ? r : path_single_truth(m, top, out);
    m->n = top;
    return r;
}

static int within_set(struct path_machine *m, size_t first, size_t n, size_t other,
                      size_t other_n, bool *out)
{
    struct path_set set = path_set(m);
    bool added;
    int r = 0;
    for (size_t i = 0; i < other_n && !r; i++) {
        r = path_set_add(&set, &m->items[other + i], &added);
    }
    *out = true;
    for (size_t i = 0; i < n && *out && !r; i++) {
        r = path_set_has(&set, &m->items[first + i], out);
    }
    return r;
}

int path_within(struct path_machine *m, size_t first, size_t n, size_t other, size_t other_n,
                bool *out)
{
    int r = 0;
    if (other_n > SMALL_SET) {
        return within_set(m, first, n, other, other_n, out);
    }
    *out = true;
    for (size_t i = 0; i < n && *out && !r; i++) {
        struct path_value item = m->items[first + i];
        r = path_contains(m, other, other_n, &item, out);
    }
    return r;
}
