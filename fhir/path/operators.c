/*
 * Operators between two collections.
 *
 * Most take one item of each side; one that is missing makes the result empty. The logical ones
 * have three values.
 */
#include "fhir/path/operators.h"

#include "fhir/path/arithmetic.h"
#include "fhir/path/compare.h"

/* --- logic -------------------------------------------------------------------------------- */

static enum path_truth and_of(enum path_truth a, enum path_truth b)
{
    if (a == PATH_FALSE || b == PATH_FALSE) {
        return PATH_FALSE;
    }
    return a == PATH_TRUE && b == PATH_TRUE ? PATH_TRUE : PATH_UNKNOWN;
}

static enum path_truth not_of(enum path_truth a)
{
    return a == PATH_UNKNOWN ? a : a == PATH_TRUE ? PATH_FALSE : PATH_TRUE;
}

static enum path_truth or_of(enum path_truth a, enum path_truth b)
{
    return not_of(and_of(not_of(a), not_of(b)));
}

static enum path_truth xor_of(enum path_truth a, enum path_truth b)
{
    if (a == PATH_UNKNOWN || b == PATH_UNKNOWN) {
        return PATH_UNKNOWN;
    }
    return a != b ? PATH_TRUE : PATH_FALSE;
}

bool path_decides(enum path_operator op, enum path_truth left, enum path_truth *out)
{
    if (op == PATH_AND && left == PATH_FALSE) {
        *out = PATH_FALSE;
        return true;
    }
    if ((op == PATH_OR && left == PATH_TRUE) || (op == PATH_IMPLIES && left == PATH_FALSE)) {
        *out = PATH_TRUE;
        return true;
    }
    return false;
}

static int give_truth(struct path_machine *m, size_t base, enum path_truth value)
{
    m->n = base;
    return value == PATH_UNKNOWN ? 0 : path_push(m, path_boolean(value == PATH_TRUE));
}

static int logic(struct path_machine *m, enum path_operator op, size_t left, size_t right)
{
    enum path_truth a;
    enum path_truth b;
    int r = path_single_truth(m, right, &b);
    m->n = right;
    r = r ? r : path_single_truth(m, left, &a);
    if (r) {
        return r;
    }
    enum path_truth result = op == PATH_AND   ? and_of(a, b)
                             : op == PATH_OR  ? or_of(a, b)
                             : op == PATH_XOR ? xor_of(a, b)
                                              : or_of(not_of(a), b);
    return give_truth(m, left, result);
}

/* --- equality ----------------------------------------------------------------------------- */

/* =: pair by pair; a pair that isn't equal decides, then one that can't be told. */
static int equal(struct path_machine *m, size_t left, size_t right, enum path_truth *out)
{
    size_t n = right - left;
    bool unknown = false;
    *out = PATH_UNKNOWN;
    if (n == 0 || m->n == right) {
        return 0;
    }
    *out = m->n - right == n ? PATH_TRUE : PATH_FALSE;
    for (size_t i = 0; i < n && *out != PATH_FALSE; i++) {
        struct path_value a = m->items[left + i];
        struct path_value b = m->items[right + i];
        int r = path_equal(m, &a, &b, out);
        if (r) {
            return r;
        }
        unknown |= *out == PATH_UNKNOWN;
    }
    if (*out != PATH_FALSE && unknown) {
        *out = PATH_UNKNOWN;
    }
    return 0;
}

/* Find an item equivalent to @item from @from on; its place, or m->n. */
static int find_equivalent(struct path_machine *m, size_t from, const struct path_value *item,
                           size_t *out)
{
    bool same = false;
    int r = 0;
    for (*out = from; *out < m->n && !r; (*out)++) {
        struct path_value other = m->items[*out];
        r = path_equivalent(m, item, &other, &same);
        if (same) {
            break;
        }
    }
    return r;
}

/* ~: each item has its partner, in any order. What has found one moves to the front. */
static int equivalent(struct path_machine *m, size_t left, size_t right, bool *out)
{
    size_t n = right - left;
    *out = m->n - right == n;
    for (size_t i = 0; i < n && *out; i++) {
        size_t found;
        struct path_value item = m->items[left + i];
        int r = find_equivalent(m, right + i, &item, &found);
        if (r) {
            return r;
        }
        *out = found < m->n;
        if (*out) {
            struct path_value swap = m->items[found];
            m->items[found] = m->items[right + i];
            m->items[right + i] = swap;
        }
    }
    return 0;
}

static int equality(struct path_machine *m, enum path_operator op, size_t left, size_t right)
{
    enum path_truth truth = PATH_FALSE;
    bool same = false;
    bool loosely = op == PATH_EQUIVALENT || op == PATH_NOT_EQUIVALENT;
    int r = loosely ? equivalent(m, left, right, &same) : equal(m, left, right, &truth);
    if (r) {
        return r;
    }
    if (loosely) {
        truth = same ? PATH_TRUE : PATH_FALSE;
    }
    bool negated = op == PATH_NOT_EQUAL || op == PATH_NOT_EQUIVALENT;
    return give_truth(m, left, negated ? not_of(truth) : truth);
}

/* --- collections -------------------------------------------------------------------------- */

enum {
    SMALL_UNION = 12, /* items; fewer are compared each with each */
};

static int unite_small(struct path_machine *m, size_t first)
{
    size_t end = m->n;
    size_t kept = first;
    for (size_t i = first; i < end; i++) {
        struct path_value item = m->items[i];
        bool there;
        int r = path_contains(m, first, kept - first, &item, &there);
        if (r) {
            return r;
        }
        if (!there) {
            m->items[kept++] = item;
        }
    }
    m->n = kept;
    return 0;
}

int path_distinct(struct path_machine *m, size_t first)
{
    if (m->n - first < SMALL_UNION) {
        return unite_small(m, first);
    }
    struct path_set set = path_set(m);
    size_t end = m->n;
    size_t kept = first;
    for (size_t i = first; i < end; i++) {
        struct path_value item = m->items[i];
        bool added;
        int r = path_set_add(&set, &item, &added);
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

/* @list contains the one item that begins at @base; empty if there is none. */
static int contains(struct path_machine *m, size_t list, size_t list_n, size_t base, size_t n,
                    enum path_truth *out)
{
    bool there;
    if (n > 1) {
        return path_fail(m, "several items where there may be one");
    }
    *out = PATH_UNKNOWN;
    if (n == 0) {
        return 0;
    }
    struct path_value item = m->items[base];
    int r = path_contains(m, list, list_n, &item, &there);
    *out = there ? PATH_TRUE : PATH_FALSE;
    return r;
}

static int membership(struct path_machine *m, enum path_operator op, size_t left, size_t right)
{
    enum path_truth result = PATH_UNKNOWN;
    size_t left_n = right - left;
    size_t right_n = m->n - right;
    int r = op == PATH_IN ? contains(m, right, right_n, left, left_n, &result)
                          : contains(m, left, left_n, right, right_n, &result);
    return r ? r : give_truth(m, left, result);
}

/* --- single items ------------------------------------------------------------------------- */

static int compare(struct path_machine *m, enum path_operator op, const struct path_value *a,
                   const struct path_value *b, struct path_value *out, bool *there)
{
    int order;
    int r = path_order(m, a, b, &order, there);
    if (r || !*there) {
        return r;
    }
    bool holds = op == PATH_LESS         ? order < 0
                 : op == PATH_LESS_EQUAL ? order <= 0
                 : op == PATH_GREATER    ? order > 0
                                         : order >= 0;
    *out = path_boolean(holds);
    return 0;
}

static int of_two(struct path_machine *m, enum path_operator op, const struct path_value *a,
                  const struct path_value *b, struct path_value *out, bool *there)
{
    switch (op) {
    case PATH_ADD:
    case PATH_SUBTRACT: return path_sum(m, a, b, op == PATH_SUBTRACT, out, there);
    case PATH_MULTIPLY:
    case PATH_DIVIDE: return path_product(m, a, b, op == PATH_DIVIDE, out, there);
    case PATH_DIV:
    case PATH_MOD: return path_whole_division(m, a, b, op == PATH_MOD, out, there);
    case PATH_IMPLIES:
    case PATH_OR:
    case PATH_XOR:
    case PATH_AND:
    case PATH_IN:
    case PATH_CONTAINS:
    case PATH_EQUAL:
    case PATH_EQUIVALENT:
    case PATH_NOT_EQUAL:
    case PATH_NOT_EQUIVALENT:
    case PATH_UNION:
    case PATH_CONCATENATE: break;
    case PATH_LESS:
    case PATH_LESS_EQUAL:
    case PATH_GREATER:
    case PATH_GREATER_EQUAL: return compare(m, op, a, b, out, there);
    }
    return 0;
}

/* Both sides as one item each, off the stack. */
static int take_two(struct path_machine *m, size_t left, size_t right, struct path_value out[2],
                    bool there[2])
{
    int r = path_single(m, right, &out[1], &there[1]);
    m->n = right;
    r = r ? r : path_single(m, left, &out[0], &there[0]);
    m->n = left;
    return r;
}

static int singles(struct path_machine *m, enum path_operator op, size_t left, size_t right)
{
    struct path_value sides[2];
    bool there[2];
    struct path_value result;
    bool result_there = false;
    int r = take_two(m, left, right, sides, there);
    if (!r && there[0] && there[1]) {
        r = of_two(m, op, &sides[0], &sides[1], &result, &result_there);
    }
    return r || !result_there ? r : path_push(m, result);
}

/* &: what is missing is an empty text. */
static int concatenate(struct path_machine *m, size_t left, size_t right)
{
    struct path_value sides[2];
    bool there[2];
    struct str texts[2] = { { 0 }, { 0 } };
    struct str joined;
    int r = take_two(m, left, right, sides, there);
    for (int i = 0; i < 2 && !r; i++) {
        if (there[i] && sides[i].kind != PATH_STRING) {
            return path_fail(m, "\"&\" between what isn't a String");
        }
        texts[i] = there[i] ? sides[i].string : texts[i];
    }
    r = r ? r : path_join(m, texts[0], texts[1], &joined);
    return r ? r : path_push(m, path_string(joined));
}

int path_binary(struct path_machine *m, enum path_operator op, size_t left, size_t right)
{
    switch (op) {
    case PATH_IMPLIES:
    case PATH_OR:
    case PATH_XOR:
    case PATH_AND: return logic(m, op, left, right);
    case PATH_IN:
    case PATH_CONTAINS: return membership(m, op, left, right);
    case PATH_EQUAL:
    case PATH_EQUIVALENT:
    case PATH_NOT_EQUAL:
    case PATH_NOT_EQUIVALENT: return equality(m, op, left, right);
    case PATH_UNION: return path_distinct(m, left);
    case PATH_CONCATENATE: return concatenate(m, left, right);
    case PATH_LESS:
    case PATH_LESS_EQUAL:
    case PATH_GREATER:
    case PATH_GREATER_EQUAL:
    case PATH_ADD:
    case PATH_SUBTRACT:
    case PATH_MULTIPLY:
    case PATH_DIVIDE:
    case PATH_DIV:
    case PATH_MOD: break;
    }
    return singles(m, op, left, right);
}
