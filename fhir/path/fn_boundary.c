/*
 * lowBoundary(), highBoundary(), precision(): what a value may stand for.
 *
 * Precision counts the digits after the point of a Decimal, and all digits of a date or time.
 */
#include "fhir/path/arithmetic.h"
#include "fhir/path/functions.h"
#include "fhir/path/quantity.h"

enum {
    DECIMAL_USUAL = 8, /* digits, if nobody says how many */
    DECIMAL_MOST = 28,
};

struct moment_precision {
    int digits; /* as FHIRPath counts */
    enum datetime_precision precision;
    int fraction;
};

static const struct moment_precision date_precisions[] = {
    { 4, DATETIME_YEAR, 0 },    { 6, DATETIME_MONTH, 0 },   { 8, DATETIME_DAY, 0 },
    { 10, DATETIME_HOUR, 0 },   { 12, DATETIME_MINUTE, 0 }, { 14, DATETIME_SECOND, 0 },
    { 17, DATETIME_SECOND, 3 },
};

static const struct moment_precision time_precisions[] = {
    { 2, DATETIME_HOUR, 0 },
    { 4, DATETIME_MINUTE, 0 },
    { 6, DATETIME_SECOND, 0 },
    { 9, DATETIME_SECOND, 3 },
};

static const struct moment_precision *find_precision(const struct moment_precision *list,
                                                     size_t n, int64_t digits)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].digits == digits) {
            return &list[i];
        }
    }
    return NULL;
}

/* Half a unit of its last digit below or above @d, with @digits after the point. */
static bool number_boundary(struct decimal d, bool high, int64_t digits, struct decimal *out)
{
    struct decimal half = { .low = 5 };
    if (digits < 0 || digits > DECIMAL_MOST || !decimal_shift(&half, -d.scale - 1, &half) ||
        !(high ? decimal_add(&d, &half, out) : decimal_subtract(&d, &half, out))) {
        return false;
    }
    *out = decimal_round(*out, (int)digits, high ? DECIMAL_UP : DECIMAL_DOWN);
    *out = decimal_pad(*out, (int)digits);
    return true;
}

static bool moment_boundary(const struct path_value *in, bool high, int64_t digits,
                            struct path_value *out)
{
    bool clock = in->kind == PATH_TIME;
    const struct moment_precision *to =
        clock ? find_precision(time_precisions, ARRAY_LEN(time_precisions), digits)
              : find_precision(date_precisions, ARRAY_LEN(date_precisions), digits);
    if (!to || (in->kind == PATH_DATE && to->precision > DATETIME_DAY)) {
        return false;
    }
    *out = *in;
    out->time = high ? datetime_last(in->time, to->precision, to->fraction)
                     : datetime_first(in->time, to->precision, to->fraction);
    if (clock) {
        out->time.offset = DATETIME_NO_OFFSET;
    }
    return true;
}

/* Digits that are meant if no argument says how many. */
static int64_t usual_digits(enum path_kind kind)
{
    switch (kind) {
    case PATH_DATE: return 8;
    case PATH_DATETIME: return 17;
    case PATH_TIME: return 9;
    case PATH_BOOLEAN:
    case PATH_INTEGER:
    case PATH_DECIMAL:
    case PATH_STRING:
    case PATH_QUANTITY:
    case PATH_ELEMENT:
    case PATH_TYPE: break;
    }
    return DECIMAL_USUAL;
}

/* A Quantity keeps its unit. */
static int give_quantity(struct path_machine *m, const struct path_call *call,
                         const struct path_quantity *in, bool high, int64_t digits)
{
    struct path_quantity boundary = *in;
    struct path_value value;
    if (!number_boundary(in->value, high, digits, &boundary.value)) {
        return path_give_nothing(m, call);
    }
    int r = path_keep_quantity(m, &boundary, &value);
    return r ? r : path_give(m, call, value);
}

static int give_boundary(struct path_machine *m, const struct path_call *call,
                         const struct path_value *in, bool high, int64_t digits)
{
    struct path_value out = { .kind = PATH_DECIMAL };
    bool good = false;
    switch (in->kind) {
    case PATH_INTEGER:
    case PATH_DECIMAL:
        good = number_boundary(path_to_decimal(in), high, digits, &out.decimal);
        break;
    case PATH_QUANTITY: return give_quantity(m, call, in->quantity, high, digits);
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME: good = moment_boundary(in, high, digits, &out); break;
    case PATH_BOOLEAN:
    case PATH_STRING:
    case PATH_ELEMENT:
    case PATH_TYPE: return path_fail(m, "an input that has no boundaries");
    }
    return good ? path_give(m, call, out) : path_give_nothing(m, call);
}

static int boundary(struct path_machine *m, const struct path_call *call, bool high)
{
    struct path_value value;
    int64_t digits;
    bool there;
    bool given;
    int r = path_argument_integer(m, call, 0, &digits, &given);
    r = r ? r : path_single(m, call->base, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return give_boundary(m, call, &value, high, given ? digits : usual_digits(value.kind));
}

PATH_FUNCTION(low_boundary)
{
    return boundary(m, call, false);
}

PATH_FUNCTION(high_boundary)
{
    return boundary(m, call, true);
}

static int64_t moment_digits(const struct path_value *value)
{
    bool clock = value->kind == PATH_TIME;
    const struct moment_precision *list = clock ? time_precisions : date_precisions;
    size_t i = 0;
    while (list[i].precision != (enum datetime_precision)value->time.precision) {
        i++;
    }
    return list[i].digits + value->time.digits;
}

PATH_FUNCTION(precision)
{
    struct path_value value;
    bool there;
    int r = path_single(m, call->base, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    switch (value.kind) {
    case PATH_INTEGER: return path_give_integer(m, call, 0);
    case PATH_DECIMAL: return path_give_integer(m, call, value.decimal.scale);
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME: return path_give_integer(m, call, moment_digits(&value));
    case PATH_BOOLEAN:
    case PATH_STRING:
    case PATH_QUANTITY:
    case PATH_ELEMENT:
    case PATH_TYPE: break;
    }
    return path_fail(m, "an input that has no precision");
}
