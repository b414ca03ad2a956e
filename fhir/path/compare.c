/*
 * Comparing items.
 *
 * Two simple values compare by their types, an Integer with a Decimal, a number with a
 * Quantity, a Date with a DateTime; elements with children compare as trees, whose members have
 * no order.
 */
#include "fhir/path/compare.h"

#include "fhir/base/fold.h"
#include "fhir/base/utf8.h"
#include "fhir/path/quantity.h"

#include <errno.h>

/* --- pairs of types ----------------------------------------------------------------------- */

static bool is_number(const struct path_value *v)
{
    return v->kind == PATH_INTEGER || v->kind == PATH_DECIMAL;
}

static bool is_moment(const struct path_value *v)
{
    return v->kind == PATH_DATE || v->kind == PATH_DATETIME;
}

static struct decimal to_decimal(const struct path_value *v)
{
    return v->kind == PATH_INTEGER ? decimal_of(v->integer) : v->decimal;
}

/* A number stands for a Quantity of unit 1. */
static struct path_quantity to_quantity(const struct path_value *v)
{
    if (v->kind == PATH_QUANTITY) {
        return *v->quantity;
    }
    return (struct path_quantity){ .value = to_decimal(v), .unit = STR("1") };
}

static bool with_quantity(const struct path_value *a, const struct path_value *b)
{
    return (a->kind == PATH_QUANTITY && (b->kind == PATH_QUANTITY || is_number(b))) ||
           (b->kind == PATH_QUANTITY && is_number(a));
}

static bool with_moment(const struct path_value *a, const struct path_value *b)
{
    return (is_moment(a) && is_moment(b)) || (a->kind == PATH_TIME && b->kind == PATH_TIME);
}

/* Whether two simple values have an order; what it is, and whether that can be told. */
static bool order_simple(struct path_units *units, const struct path_value *a,
                         const struct path_value *b, int *order, bool *known)
{
    *known = true;
    if (is_number(a) && is_number(b)) {
        struct decimal x = to_decimal(a);
        struct decimal y = to_decimal(b);
        *order = decimal_compare(&x, &y);
        return true;
    }
    if (a->kind == PATH_STRING && b->kind == PATH_STRING) {
        *order = str_cmp(a->string, b->string); /* UTF-8 sorts as its characters do */
        return true;
    }
    if (with_moment(a, b)) {
        *known = datetime_compare(&a->time, &b->time, order) == 0;
        return true;
    }
    if (with_quantity(a, b)) {
        struct path_quantity x = to_quantity(a);
        struct path_quantity y = to_quantity(b);
        struct path_common common;
        *known = path_quantity_common(units, &x, &y, PATH_FINER, false, &common) == 0;
        if (*known) {
            *order = decimal_compare(&common.a, &common.b);
        }
        return true;
    }
    return false;
}

/* --- equivalence of simple values --------------------------------------------------------- */

static uint32_t next_folded(struct str *rest)
{
    uint32_t point = fold_lower(utf8_next(rest));
    bool blank = point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85 ||
                 point == 0xA0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200A) ||
                 point == 0x2028 || point == 0x2029 || point == 0x202F || point == 0x205F ||
                 point == 0x3000;
    return blank ? ' ' : point;
}

/* But for case, and whichever white space it is. */
static bool equivalent_strings(struct str a, struct str b)
{
    while (a.n && b.n) {
        if (next_folded(&a) != next_folded(&b)) {
            return false;
        }
    }
    return !a.n && !b.n;
}

/* Rounded to the digits of the one that has fewer. */
static bool equivalent_decimals(struct decimal a, struct decimal b)
{
    a = decimal_trim(a);
    b = decimal_trim(b);
    int scale = a.scale < b.scale ? a.scale : b.scale;
    a = decimal_round(a, scale, DECIMAL_NEAREST);
    b = decimal_round(b, scale, DECIMAL_NEAREST);
    return decimal_compare(&a, &b) == 0;
}

static bool equivalent_simple(struct path_units *units, const struct path_value *a,
                              const struct path_value *b)
{
    int order;
    bool known;
    if (is_number(a) && is_number(b)) {
        return equivalent_decimals(to_decimal(a), to_decimal(b));
    }
    if (a->kind == PATH_STRING && b->kind == PATH_STRING) {
        return equivalent_strings(a->string, b->string);
    }
    if (with_quantity(a, b)) {
        struct path_quantity x = to_quantity(a);
        struct path_quantity y = to_quantity(b);
        struct path_common common;
        return path_quantity_common(units, &x, &y, PATH_COARSER, true, &common) == 0 &&
               equivalent_decimals(common.a, common.b);
    }
    if (a->kind == PATH_BOOLEAN && b->kind == PATH_BOOLEAN) {
        return a->boolean == b->boolean;
    }
    return order_simple(units, a, b, &order, &known) && known && order == 0;
}

/* --- trees -------------------------------------------------------------------------------- */

/* @loosely: equivalence instead of equality; @depth: of what is compared */
struct comparison {
    struct path_machine *m;
    bool loosely;
    int depth;
    bool same;
};

static int compare_nodes(struct comparison *c, const struct node *a, const struct node *b);

static size_t count(const struct node *parent)
{
    size_t n = 0;
    for (const struct node *child = node_first(parent); child; child = child->next) {
        n++;
    }
    return n;
}

static bool same_number(struct str a, struct str b, bool loosely)
{
    struct decimal x;
    struct decimal y;
    if (!decimal_read(a, &x) || !decimal_read(b, &y)) {
        return str_eq(a, b);
    }
    return loosely ? equivalent_decimals(x, y) : decimal_compare(&x, &y) == 0;
}

static const struct node *member(const struct node *parent, struct str name)
{
    for (const struct node *child = node_first(parent); child; child = child->next) {
        if (str_eq(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

static int compare_objects(struct comparison *c, const struct node *a, const struct node *b)
{
    int r = 0;
    c->same = count(a) == count(b);
    for (const struct node *x = a->first; x && c->same && !r; x = x->next) {
        const struct node *y = member(b, x->name);
        c->same = y != NULL;
        r = y ? compare_nodes(c, x, y) : 0;
    }
    return r;
}

static int compare_lists(struct comparison *c, const struct node *a, const struct node *b)
{
    int r = 0;
    c->same = count(a) == count(b);
    const struct node *y = b->first;
    for (const struct node *x = a->first; x && y && c->same && !r; x = x->next) {
        r = compare_nodes(c, x, y);
        y = y->next;
    }
    return r;
}

/* Each element of @a is equivalent to one of @b, in any order. */
static int compare_unordered(struct comparison *c, const struct node *a, const struct node *b)
{
    int r = 0;
    bool all = count(a) == count(b);
    for (const struct node *x = a->first; x && all && !r; x = x->next) {
        c->same = false;
        for (const struct node *y = b->first; y && !c->same && !r; y = y->next) {
            r = compare_nodes(c, x, y);
        }
        all = c->same;
    }
    c->same = all;
    return r;
}

static int compare_parents(struct comparison *c, const struct node *a, const struct node *b)
{
    if (c->depth++ == PATH_TREE_DEPTH_MAX) {
        return path_exceeds(c->m, "elements nested too deeply to be compared");
    }
    int r = a->kind == NODE_OBJECT ? compare_objects(c, a, b)
            : c->loosely           ? compare_unordered(c, a, b)
                                   : compare_lists(c, a, b);
    c->depth--;
    return r;
}

static int compare_nodes(struct comparison *c, const struct node *a, const struct node *b)
{
    int r = path_step(c->m, 1);
    c->same = a == b;
    if (r || a == b || a->kind != b->kind) {
        return r;
    }
    switch (a->kind) {
    case NODE_NULL:
    case NODE_FALSE:
    case NODE_TRUE: c->same = true; return 0;
    case NODE_NUMBER: c->same = same_number(a->text, b->text, c->loosely); return 0;
    case NODE_STRING:
        c->same = c->loosely ? equivalent_strings(a->text, b->text) : str_eq(a->text, b->text);
        return 0;
    case NODE_ARRAY:
    case NODE_OBJECT: return compare_parents(c, a, b);
    }
    return 0;
}

static int compare_elements(struct path_machine *m, const struct path_value *a,
                            const struct path_value *b, bool loosely, bool *out)
{
    struct comparison c = { .m = m, .loosely = loosely };
    const struct node *x = a->element.node ? a->element.node : a->element.extra;
    const struct node *y = b->element.node ? b->element.node : b->element.extra;
    int r = x && y ? compare_nodes(&c, x, y) : 0;
    *out = c.same;
    return r;
}

/* --- items -------------------------------------------------------------------------------- */

static bool same_type(const struct path_value *a, const struct path_value *b)
{
    return str_eq(a->type->space, b->type->space) && str_eq(a->type->name, b->type->name);
}

static int equal_simple(struct path_machine *m, const struct path_value *a,
                        const struct path_value *b, enum path_truth *out)
{
    int order;
    bool known;
    bool same = false;
    int r = 0;
    if (a->kind == PATH_ELEMENT && b->kind == PATH_ELEMENT) {
        r = compare_elements(m, a, b, false, &same);
    } else if (a->kind == PATH_BOOLEAN && b->kind == PATH_BOOLEAN) {
        same = a->boolean == b->boolean;
    } else if (a->kind == PATH_TYPE && b->kind == PATH_TYPE) {
        same = same_type(a, b);
    } else if (order_simple(m->units, a, b, &order, &known)) {
        *out = !known ? PATH_UNKNOWN : order == 0 ? PATH_TRUE : PATH_FALSE;
        return 0;
    }
    *out = same ? PATH_TRUE : PATH_FALSE;
    return r;
}

static int both_simple(struct path_machine *m, const struct path_value *a,
                       const struct path_value *b, struct path_value out[2])
{
    int r = path_simple(m->schema, m->arena, a, &out[0]);
    r = r ? r : path_simple(m->schema, m->arena, b, &out[1]);
    if (!r && with_quantity(&out[0], &out[1]) && !path_units_of(m)) {
        r = -ENOMEM;
    }
    return r ? r : path_step(m, 1);
}

int path_equal(struct path_machine *m, const struct path_value *a, const struct path_value *b,
               enum path_truth *out)
{
    struct path_value simple[2];
    int r = both_simple(m, a, b, simple);
    return r ? r : equal_simple(m, &simple[0], &simple[1], out);
}

int path_equivalent(struct path_machine *m, const struct path_value *a,
                    const struct path_value *b, bool *out)
{
    struct path_value simple[2];
    int r = both_simple(m, a, b, simple);
    if (r) {
        return r;
    }
    if (simple[0].kind == PATH_ELEMENT && simple[1].kind == PATH_ELEMENT) {
        return compare_elements(m, &simple[0], &simple[1], true, out);
    }
    bool types = simple[0].kind == PATH_TYPE && simple[1].kind == PATH_TYPE;
    *out = types ? same_type(&simple[0], &simple[1])
                 : equivalent_simple(m->units, &simple[0], &simple[1]);
    return 0;
}

int path_order(struct path_machine *m, const struct path_value *a, const struct path_value *b,
               int *order, bool *known)
{
    struct path_value simple[2];
    int r = both_simple(m, a, b, simple);
    if (r) {
        return r;
    }
    return order_simple(m->units, &simple[0], &simple[1], order, known)
               ? 0
               : path_fail(m, "values of these types have no order");
}

int path_contains(struct path_machine *m, size_t first, size_t n, const struct path_value *item,
                  bool *out)
{
    enum path_truth equal = PATH_FALSE;
    int r = 0;
    for (size_t i = 0; i < n && equal != PATH_TRUE && !r; i++) {
        r = path_equal(m, &m->items[first + i], item, &equal);
    }
    *out = equal == PATH_TRUE;
    return r;
}
