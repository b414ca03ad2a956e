/*
 * Mathematics.
 *
 * What is exact stays exact; exp, ln, log, sqrt and powers that aren't whole go through binary
 * fractions and come back with 15 digits.
 */
#include "fhir/path/arithmetic.h"
#include "fhir/path/functions.h"
#include "fhir/path/quantity.h"

#include <errno.h>
#include <math.h>

enum {
    POWER_MAX = 1024, /* exponents that are multiplied out */
};

/* The input: a number, or a Quantity. */
static int read_number(struct path_machine *m, const struct path_call *call,
                       struct path_value *out, bool *there)
{
    int r = path_single(m, call->base, out, there);
    bool number =
        out->kind == PATH_INTEGER || out->kind == PATH_DECIMAL || out->kind == PATH_QUANTITY;
    if (!r && *there && !number) {
        return path_fail(m, "an input that must be a number");
    }
    return r;
}

/* The same, without a Quantity. */
static int read_decimal(struct path_machine *m, const struct path_call *call,
                        struct decimal *out, bool *there)
{
    struct path_value value = { .kind = PATH_BOOLEAN };
    int r = read_number(m, call, &value, there);
    if (r || !*there) {
        return r;
    }
    if (value.kind == PATH_QUANTITY) {
        return path_fail(m, "an input that must be a number");
    }
    *out = path_to_decimal(&value);
    return 0;
}

static int give_decimal(struct path_machine *m, const struct path_call *call,
                        struct decimal value)
{
    return path_give(m, call, path_decimal(value));
}

/* --- rounding ----------------------------------------------------------------------------- */

static int give_quantity(struct path_machine *m, const struct path_call *call,
                         const struct path_quantity *of, struct decimal value)
{
    struct path_quantity changed = *of;
    struct path_value kept;
    changed.value = value;
    int r = path_keep_quantity(m, &changed, &kept);
    return r ? r : path_give(m, call, kept);
}

static int to_whole(struct path_machine *m, const struct path_call *call,
                    enum decimal_rounding how)
{
    struct path_value value = { .kind = PATH_BOOLEAN };
    bool there;
    int64_t whole;
    int r = read_number(m, call, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    bool quantity = value.kind == PATH_QUANTITY;
    struct decimal number = quantity ? value.quantity->value : path_to_decimal(&value);
    struct decimal rounded = decimal_round(number, 0, how);
    if (quantity) {
        return give_quantity(m, call, value.quantity, rounded);
    }
    return decimal_integer(&rounded, &whole) ? path_give_integer(m, call, whole)
                                             : path_give_nothing(m, call);
}

PATH_FUNCTION(ceiling)
{
    return to_whole(m, call, DECIMAL_UP);
}

PATH_FUNCTION(floor)
{
    return to_whole(m, call, DECIMAL_DOWN);
}

PATH_FUNCTION(truncate)
{
    return to_whole(m, call, DECIMAL_CUT);
}

PATH_FUNCTION(round)
{
    struct path_value value = { .kind = PATH_BOOLEAN };
    int64_t digits = 0;
    bool there;
    bool given;
    int r = path_argument_integer(m, call, 0, &digits, &given);
    r = r ? r : read_number(m, call, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    if (digits < 0) {
        return path_fail(m, "digits that are less than none");
    }
    bool quantity = value.kind == PATH_QUANTITY;
    struct decimal number = quantity ? value.quantity->value : path_to_decimal(&value);
    int scale = digits < DECIMAL_DIGITS_MAX ? (int)digits : DECIMAL_DIGITS_MAX;
    struct decimal rounded = decimal_round(number, scale, DECIMAL_NEAREST);
    return quantity ? give_quantity(m, call, value.quantity, rounded)
                    : give_decimal(m, call, rounded);
}

PATH_FUNCTION(abs)
{
    struct path_value value = { .kind = PATH_BOOLEAN };
    bool there;
    int r = read_number(m, call, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    if (value.kind == PATH_INTEGER) {
        return path_give_integer(m, call, value.integer < 0 ? -value.integer : value.integer);
    }
    struct decimal number = value.kind == PATH_QUANTITY ? value.quantity->value : value.decimal;
    number.negative = false;
    return value.kind == PATH_QUANTITY ? give_quantity(m, call, value.quantity, number)
                                       : give_decimal(m, call, number);
}

/* --- what isn't rational ------------------------------------------------------------------ */

static int give_double(struct path_machine *m, const struct path_call *call, double value)
{
    struct decimal number;
    return decimal_from_double(value, &number) ? give_decimal(m, call, number)
                                               : path_give_nothing(m, call);
}

static int map_double(struct path_machine *m, const struct path_call *call,
                      double (*function)(double x))
{
    struct decimal number;
    bool there;
    int r = read_decimal(m, call, &number, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return give_double(m, call, function(decimal_double(&number)));
}

PATH_FUNCTION(exp)
{
    return map_double(m, call, exp);
}

PATH_FUNCTION(ln)
{
    return map_double(m, call, log);
}

PATH_FUNCTION(sqrt)
{
    return map_double(m, call, sqrt);
}

/* Argument 0 as a number. */
static int read_operand(struct path_machine *m, const struct path_call *call,
                        struct path_value *out, bool *there)
{
    int r = path_argument(m, call, 0, out, there);
    if (!r && *there && out->kind != PATH_INTEGER && out->kind != PATH_DECIMAL) {
        return path_fail(m, "an argument that must be a number");
    }
    return r;
}

PATH_FUNCTION(log)
{
    struct decimal number;
    struct path_value base;
    bool there;
    bool based;
    int r = read_operand(m, call, &base, &based);
    r = r ? r : read_decimal(m, call, &number, &there);
    if (r || !there || !based) {
        return r ? r : path_give_nothing(m, call);
    }
    struct decimal divisor = path_to_decimal(&base);
    return give_double(m, call, log(decimal_double(&number)) / log(decimal_double(&divisor)));
}

/* @number multiplied @times with itself; false if it doesn't fit. */
static bool multiply_out(struct decimal number, int64_t times, struct decimal *out)
{
    *out = decimal_of(1);
    for (int64_t i = 0; i < times; i++) {
        if (!decimal_multiply(out, &number, out)) {
            return false;
        }
    }
    return true;
}

static bool whole_power(struct decimal number, int64_t exponent, struct decimal *out)
{
    struct decimal one = decimal_of(1);
    if (exponent >= 0) {
        return multiply_out(number, exponent, out);
    }
    return multiply_out(number, -exponent, out) && decimal_divide(&one, out, out);
}

/* Integers stay Integers, as long as they can. */
static int give_power(struct path_machine *m, const struct path_call *call,
                      const struct decimal *result, bool integers)
{
    int64_t whole;
    if (integers && decimal_integer(result, &whole)) {
        return path_give_integer(m, call, whole);
    }
    return give_decimal(m, call, *result);
}

PATH_FUNCTION(power)
{
    struct path_value value = { .kind = PATH_BOOLEAN };
    struct path_value by = { .kind = PATH_BOOLEAN };
    struct decimal number;
    struct decimal result;
    int64_t whole;
    bool there;
    bool given;
    int r = read_operand(m, call, &by, &given);
    r = r ? r : read_decimal(m, call, &number, &there);
    r = r ? r : path_single(m, call->base, &value, &there);
    if (r || !there || !given) {
        return r ? r : path_give_nothing(m, call);
    }
    struct decimal exponent = path_to_decimal(&by);
    if (!decimal_integer(&exponent, &whole) || whole > POWER_MAX || whole < -POWER_MAX) {
        return give_double(m, call, pow(decimal_double(&number), decimal_double(&exponent)));
    }
    if (!whole_power(number, whole, &result)) {
        return path_give_nothing(m, call);
    }
    return give_power(m, call, &result, value.kind == PATH_INTEGER && whole >= 0);
}

/* --- quantities --------------------------------------------------------------------------- */

/* The Quantity that @value is or stands for; false if none. */
static bool as_quantity(const struct path_value *value, struct path_quantity *out)
{
    if (value->kind == PATH_QUANTITY) {
        *out = *value->quantity;
        return true;
    }
    if (value->kind != PATH_INTEGER && value->kind != PATH_DECIMAL) {
        return false;
    }
    *out = (struct path_quantity){ .value = path_to_decimal(value), .unit = STR("1") };
    return true;
}

PATH_FUNCTION(comparable)
{
    struct path_value values[2];
    struct path_quantity a;
    struct path_quantity b;
    struct path_common common;
    bool there;
    bool given;
    int r = path_argument(m, call, 0, &values[1], &given);
    r = r ? r : path_single(m, call->base, &values[0], &there);
    if (r || !there || !given || !as_quantity(&values[0], &a) || !as_quantity(&values[1], &b)) {
        return r ? r : path_give_nothing(m, call);
    }
    struct path_units *units = path_units_of(m);
    if (!units) {
        return -ENOMEM;
    }
    bool good = path_quantity_common(units, &a, &b, PATH_FINER, false, &common) == 0;
    return path_give_boolean(m, call, good);
}
