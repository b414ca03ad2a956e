/*
 * + - * / div mod & and the sign.
 *
 * An Integer beyond 32 bits, a Decimal that doesn't fit and a division by zero have no result.
 * What is added to a date is a Quantity; it is counted in the units the date has.
 */
#include "fhir/path/arithmetic.h"

#include "fhir/path/quantity.h"

#include <errno.h>

enum {
    NANOSECONDS_DIGITS = 9,
};

static bool is_number(const struct path_value *v)
{
    return v->kind == PATH_INTEGER || v->kind == PATH_DECIMAL;
}

static bool is_quantity(const struct path_value *v)
{
    return v->kind == PATH_QUANTITY;
}

struct decimal path_to_decimal(const struct path_value *v)
{
    return v->kind == PATH_INTEGER ? decimal_of(v->integer) : v->decimal;
}

static struct path_quantity to_quantity(const struct path_value *v)
{
    if (is_quantity(v)) {
        return *v->quantity;
    }
    return (struct path_quantity){ .value = path_to_decimal(v), .unit = STR("1") };
}

int path_keep_quantity(struct path_machine *m, const struct path_quantity *quantity,
                       struct path_value *out)
{
    struct path_quantity *kept = arena_alloc(m->arena, sizeof(*kept));
    if (!kept) {
        return -ENOMEM;
    }
    *kept = *quantity;
    *out = (struct path_value){ .kind = PATH_QUANTITY, .quantity = kept };
    return 0;
}

static int incompatible(struct path_machine *m)
{
    return path_fail(m, "an operator between types it isn't defined for");
}

int path_join(struct path_machine *m, struct str a, struct str b, struct str *out)
{
    int r = path_make_bytes(m, a.n + b.n);
    if (r) {
        return r;
    }
    char *text = arena_alloc(m->arena, a.n + b.n);
    if (!text) {
        return -ENOMEM;
    }
    struct buf joined = buf_fixed(text, a.n + b.n);
    buf_str_put(&joined, a);
    buf_str_put(&joined, b);
    *out = buf_str(&joined);
    return 0;
}

/* --- dates -------------------------------------------------------------------------------- */

/* The finest unit that @t shows. */
static enum path_duration finest(const struct path_value *t)
{
    static const enum path_duration units[] = {
        [DATETIME_YEAR] = PATH_YEAR,     [DATETIME_MONTH] = PATH_MONTH,
        [DATETIME_DAY] = PATH_DAY,       [DATETIME_HOUR] = PATH_HOUR,
        [DATETIME_MINUTE] = PATH_MINUTE, [DATETIME_SECOND] = PATH_SECOND,
    };
    return units[t->time.precision];
}

/* @amount in whole units of @unit, or for seconds with nanoseconds; false if far too many. */
static bool whole_units(struct decimal amount, enum path_duration unit, int64_t *units,
                        int64_t *nanoseconds)
{
    struct decimal whole = decimal_round(amount, 0, DECIMAL_CUT);
    *nanoseconds = 0;
    if (unit == PATH_SECOND) {
        struct decimal rest;
        if (!decimal_subtract(&amount, &whole, &rest) ||
            !decimal_shift(&rest, NANOSECONDS_DIGITS, &rest)) {
            return false;
        }
        rest = decimal_round(rest, 0, DECIMAL_CUT);
        if (!decimal_integer(&rest, nanoseconds)) {
            return false;
        }
    }
    return decimal_integer(&whole, units);
}

static bool add_units(struct datetime *t, bool clock, enum path_duration unit, int64_t units,
                      int64_t nanoseconds)
{
    static const int64_t seconds[] = {
        [PATH_WEEK] = INT64_C(604800),
        [PATH_DAY] = 86400,
        [PATH_HOUR] = 3600,
        [PATH_MINUTE] = 60,
        [PATH_SECOND] = 1,
    };
    int64_t moved;
    if (unit == PATH_YEAR) {
        return !__builtin_mul_overflow(units, 12, &moved) && datetime_add_months(t, moved);
    }
    if (unit == PATH_MONTH) {
        return datetime_add_months(t, units);
    }
    if (__builtin_mul_overflow(units, seconds[unit], &moved)) {
        return false;
    }
    if (clock) {
        datetime_turn(t, moved, nanoseconds);
        return true;
    }
    return datetime_add_seconds(t, moved, nanoseconds);
}

/* The duration in units that @t shows: 24 months are two years for "2014". */
static bool fit_unit(const struct path_value *t, const struct path_quantity *q,
                     struct decimal *amount, enum path_duration *unit)
{
    enum path_duration of_t = finest(t);
    *unit = path_quantity_duration(q);
    *amount = q->value;
    bool seconds = *unit == PATH_SECOND || *unit == PATH_MILLISECOND;
    if (!seconds) { /* parts of other units don't count */
        *amount = decimal_round(*amount, 0, DECIMAL_CUT);
    }
    if (*unit == PATH_MILLISECOND || *unit > of_t) {
        enum path_duration to = *unit > of_t ? of_t : PATH_SECOND;
        bool fits = path_duration_convert(amount, *unit, to, amount);
        *unit = to;
        return fits;
    }
    return true;
}

/* Milliseconds that come to a time written without them make it a time with them. */
static void show_fraction(struct datetime *t)
{
    uint32_t unit = DATETIME_NANOSECONDS;
    for (int i = 0; i < t->digits; i++) {
        unit /= 10;
    }
    while (t->digits < DATETIME_DIGITS_MAX && t->nanosecond % unit) {
        unit /= 10;
        t->digits++;
    }
}

static int add_duration(struct path_machine *m, const struct path_value *t,
                        const struct path_quantity *q, bool subtract, struct path_value *out)
{
    struct decimal amount;
    enum path_duration unit;
    int64_t units;
    int64_t nanoseconds;
    bool clock = t->kind == PATH_TIME;
    enum path_duration of_q = path_quantity_duration(q);
    if (of_q == PATH_NO_DURATION || (clock && of_q < PATH_HOUR)) {
        return path_fail(m, "a unit that can't be added to this date or time");
    }
    *out = *t;
    bool good = fit_unit(t, q, &amount, &unit);
    if (subtract) {
        amount = decimal_negate(amount);
    }
    good = good && whole_units(amount, unit, &units, &nanoseconds) &&
           add_units(&out->time, clock, unit, units, nanoseconds);
    if (good) {
        show_fraction(&out->time);
    }
    return good ? 0 : path_fail(m, "a date outside of the years 1 to 9999");
}

/* --- sums and products -------------------------------------------------------------------- */

static int sum_quantities(struct path_machine *m, const struct path_value *a,
                          const struct path_value *b, bool subtract, struct path_value *out,
                          bool *there)
{
    struct path_quantity x = to_quantity(a);
    struct path_quantity y = to_quantity(b);
    struct path_quantity sum;
    struct path_units *units = path_units_of(m);
    if (!units) {
        return -ENOMEM;
    }
    *there = path_quantity_add(units, &x, &y, subtract, &sum) == 0;
    return *there ? path_keep_quantity(m, &sum, out) : 0;
}

static void sum_integers(int64_t a, int64_t b, bool subtract, struct path_value *out,
                         bool *there)
{
    int64_t sum = subtract ? a - b : a + b;
    *there = sum <= INT32_MAX && sum >= INT32_MIN;
    *out = path_integer(sum);
}

int path_sum(struct path_machine *m, const struct path_value *a, const struct path_value *b,
             bool subtract, struct path_value *out, bool *there)
{
    *there = true;
    if (a->kind == PATH_INTEGER && b->kind == PATH_INTEGER) {
        sum_integers(a->integer, b->integer, subtract, out, there);
        return 0;
    }
    if (is_number(a) && is_number(b)) {
        struct decimal x = path_to_decimal(a);
        struct decimal y = path_to_decimal(b);
        struct decimal sum;
        *there = subtract ? decimal_subtract(&x, &y, &sum) : decimal_add(&x, &y, &sum);
        if (*there) {
            *out = path_decimal(sum);
        }
        return 0;
    }
    if (a->kind == PATH_STRING && b->kind == PATH_STRING && !subtract) {
        out->kind = PATH_STRING;
        return path_join(m, a->string, b->string, &out->string);
    }
    bool moment = a->kind == PATH_DATE || a->kind == PATH_DATETIME || a->kind == PATH_TIME;
    if (moment && is_quantity(b)) {
        return add_duration(m, a, b->quantity, subtract, out);
    }
    bool numbers = (is_number(a) || is_quantity(a)) && (is_number(b) || is_quantity(b));
    return numbers ? sum_quantities(m, a, b, subtract, out, there) : incompatible(m);
}

int path_product(struct path_machine *m, const struct path_value *a, const struct path_value *b,
                 bool divide, struct path_value *out, bool *there)
{
    if (!(is_number(a) || is_quantity(a)) || !(is_number(b) || is_quantity(b))) {
        return incompatible(m);
    }
    if (is_quantity(a) || is_quantity(b)) {
        struct path_quantity x = to_quantity(a);
        struct path_quantity y = to_quantity(b);
        struct path_quantity product;
        int r = path_quantity_multiply(m->arena, &x, &y, divide, &product);
        *there = r == 0;
        return r < 0 ? r : *there ? path_keep_quantity(m, &product, out) : 0;
    }
    if (!divide && a->kind == PATH_INTEGER && b->kind == PATH_INTEGER) {
        int64_t product = a->integer * b->integer; /* both have 32 bits */
        *there = product <= INT32_MAX && product >= INT32_MIN;
        *out = path_integer(product);
        return 0;
    }
    struct decimal x = path_to_decimal(a);
    struct decimal y = path_to_decimal(b);
    struct decimal product;
    *there = divide ? decimal_divide(&x, &y, &product) : decimal_multiply(&x, &y, &product);
    if (*there) {
        *out = path_decimal(product);
    }
    return 0;
}

int path_whole_division(struct path_machine *m, const struct path_value *a,
                        const struct path_value *b, bool rest, struct path_value *out,
                        bool *there)
{
    struct decimal result;
    int64_t integer;
    if (!is_number(a) || !is_number(b)) {
        return incompatible(m);
    }
    struct decimal x = path_to_decimal(a);
    struct decimal y = path_to_decimal(b);
    *there = decimal_divide_whole(&x, &y, rest ? NULL : &result, rest ? &result : NULL);
    if (!*there) {
        return 0;
    }
    *out = path_decimal(result);
    if (a->kind == PATH_INTEGER && b->kind == PATH_INTEGER) {
        *there = decimal_integer(&result, &integer) && integer <= INT32_MAX;
        *out = path_integer(integer);
    }
    return 0;
}

/* --- signs -------------------------------------------------------------------------------- */

static int read_number(struct path_machine *m, size_t base, struct path_value *out, bool *there)
{
    int r = path_single(m, base, out, there);
    if (!r && *there && !is_number(out) && !is_quantity(out)) {
        return path_fail(m, "a sign in front of what is no number");
    }
    return r;
}

int path_check_number(struct path_machine *m, size_t base)
{
    struct path_value value;
    bool there;
    return read_number(m, base, &value, &there);
}

int path_negate(struct path_machine *m, size_t base)
{
    struct path_value value;
    bool there;
    int r = read_number(m, base, &value, &there);
    if (r || !there) {
        return r;
    }
    if (is_quantity(&value)) {
        struct path_quantity negative = *value.quantity;
        negative.value = decimal_negate(negative.value);
        r = path_keep_quantity(m, &negative, &value);
    } else if (value.kind == PATH_DECIMAL) {
        value.decimal = decimal_negate(value.decimal);
    } else {
        value.integer = -value.integer;
    }
    m->n = base;
    bool fits = value.kind != PATH_INTEGER || value.integer <= INT32_MAX;
    return r || !fits ? r : path_push(m, value);
}
