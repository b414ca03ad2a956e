/*
 * Conversions between FHIRPath's own types.
 *
 * Each has one function that tries; toX() gives what it made, convertsToX() whether it made
 * something.
 */
#include "fhir/path/arithmetic.h"
#include "fhir/path/functions.h"
#include "fhir/path/put.h"
#include "fhir/path/quantity.h"

#include <errno.h>

/* Convert @in to @out: whether it can be done; -ENOMEM goes to @failed. */
typedef bool (*convert_fn)(struct path_machine *m, const struct path_value *in,
                           struct path_value *out, int *failed);

/* The input converted; @there: whether there was an item, @good: and it could be converted. */
static int convert(struct path_machine *m, const struct path_call *call, convert_fn how,
                   struct path_value *out, bool *there, bool *good)
{
    struct path_value in;
    int failed = 0;
    int r = path_single(m, call->base, &in, there);
    *good = !r && *there && how(m, &in, out, &failed);
    return r ? r : failed;
}

static int to(struct path_machine *m, const struct path_call *call, convert_fn how)
{
    struct path_value value;
    bool there;
    bool good;
    int r = convert(m, call, how, &value, &there, &good);
    if (r) {
        return r;
    }
    return good ? path_give(m, call, value) : path_give_nothing(m, call);
}

static int converts_to(struct path_machine *m, const struct path_call *call, convert_fn how)
{
    struct path_value value;
    bool there;
    bool good;
    int r = convert(m, call, how, &value, &there, &good);
    if (r) {
        return r;
    }
    return there ? path_give_boolean(m, call, good) : path_give_nothing(m, call);
}

/* --- booleans and numbers ----------------------------------------------------------------- */

static bool same_word(struct str a, const char *b)
{
    struct str word = str_z(b);
    if (a.n != word.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        char lower = a.p[i] >= 'A' && a.p[i] <= 'Z' ? (char)(a.p[i] + 32) : a.p[i];
        if (lower != word.p[i]) {
            return false;
        }
    }
    return true;
}

static bool word_to_boolean(struct str text, bool *out)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "f", "t" }, { "no", "yes" },
        { "n", "y" },        { "0", "1" }, { "0.0", "1.0" }
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        for (int k = 0; k < 2; k++) {
            if (same_word(text, words[i][k])) {
                *out = k == 1;
                return true;
            }
        }
    }
    return false;
}

static bool to_boolean(struct path_machine *m, const struct path_value *in,
                       struct path_value *out, int *failed)
{
    int64_t whole;
    struct decimal number;
    (void)m;
    (void)failed;
    out->kind = PATH_BOOLEAN;
    switch (in->kind) {
    case PATH_BOOLEAN: *out = *in; return true;
    case PATH_STRING: return word_to_boolean(in->string, &out->boolean);
    case PATH_INTEGER:
    case PATH_DECIMAL:
        number = path_to_decimal(in);
        if (!decimal_integer(&number, &whole) || whole < 0 || whole > 1) {
            return false;
        }
        out->boolean = whole == 1;
        return true;
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
    case PATH_QUANTITY:
    case PATH_ELEMENT:
    case PATH_TYPE: break;
    }
    return false;
}

/* A number in text as FHIRPath writes it, which has no exponent. */
static bool read_number(struct str text, struct decimal *out)
{
    return !memchr(text.p ? text.p : "", 'e', text.n) &&
           !memchr(text.p ? text.p : "", 'E', text.n) && decimal_read(text, out);
}

static bool to_integer(struct path_machine *m, const struct path_value *in,
                       struct path_value *out, int *failed)
{
    struct decimal number;
    int64_t integer;
    (void)m;
    (void)failed;
    if (in->kind == PATH_INTEGER) {
        *out = *in;
        return true;
    }
    if (in->kind == PATH_BOOLEAN) {
        *out = path_integer(in->boolean);
        return true;
    }
    if (in->kind != PATH_STRING || !read_number(in->string, &number) || number.scale ||
        !decimal_integer(&number, &integer) || integer > INT32_MAX || integer < INT32_MIN) {
        return false;
    }
    *out = path_integer(integer);
    return true;
}

static bool to_decimal(struct path_machine *m, const struct path_value *in,
                       struct path_value *out, int *failed)
{
    struct decimal number;
    (void)m;
    (void)failed;
    if (in->kind == PATH_INTEGER || in->kind == PATH_DECIMAL) {
        *out = path_decimal(path_to_decimal(in));
        return true;
    }
    if (in->kind == PATH_BOOLEAN) {
        *out = path_decimal(decimal_pad(decimal_of(in->boolean), 1));
        return true;
    }
    if (in->kind != PATH_STRING || !read_number(in->string, &number)) {
        return false;
    }
    *out = path_decimal(number);
    return true;
}

/* --- quantities --------------------------------------------------------------------------- */

static bool read_quantity(const struct path_value *in, struct path_quantity *out)
{
    *out = (struct path_quantity){ .unit = STR("1") };
    switch (in->kind) {
    case PATH_QUANTITY: *out = *in->quantity; return true;
    case PATH_STRING: return path_quantity_read(in->string, out);
    case PATH_INTEGER:
    case PATH_DECIMAL: out->value = path_to_decimal(in); return true;
    case PATH_BOOLEAN: out->value = decimal_pad(decimal_of(in->boolean), 1); return true;
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
    case PATH_ELEMENT:
    case PATH_TYPE: break;
    }
    return false;
}

/* To a Quantity, and to the unit that the argument names, if there is one. */
static int quantity(struct path_machine *m, const struct path_call *call, bool *there,
                    bool *good, struct path_quantity *out)
{
    struct path_value in;
    struct str unit;
    bool has_unit;
    int r = path_argument_string(m, call, 0, &unit, &has_unit);
    r = r ? r : path_single(m, call->base, &in, there);
    if (r) {
        return r;
    }
    *good = *there && read_quantity(&in, out);
    if (*good && has_unit) {
        struct path_quantity q = *out;
        struct path_units *units = path_units_of(m);
        if (!units) {
            return -ENOMEM;
        }
        *good = path_quantity_convert(units, &q, unit, out) == 0;
    }
    return 0;
}

PATH_FUNCTION(to_quantity)
{
    struct path_quantity q;
    struct path_value value;
    bool there;
    bool good;
    int r = quantity(m, call, &there, &good, &q);
    if (r || !good) {
        return r ? r : path_give_nothing(m, call);
    }
    r = path_keep_quantity(m, &q, &value);
    return r ? r : path_give(m, call, value);
}

PATH_FUNCTION(converts_to_quantity)
{
    struct path_quantity q;
    bool there;
    bool good;
    int r = quantity(m, call, &there, &good, &q);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_boolean(m, call, good);
}

/* --- dates and times ---------------------------------------------------------------------- */

static bool to_date(struct path_machine *m, const struct path_value *in, struct path_value *out,
                    int *failed)
{
    (void)m;
    (void)failed;
    if (in->kind == PATH_STRING) {
        out->kind = PATH_DATE;
        return datetime_read(in->string, &out->time) && out->time.precision <= DATETIME_DAY;
    }
    if (in->kind != PATH_DATE && in->kind != PATH_DATETIME) {
        return false;
    }
    *out = *in;
    out->kind = PATH_DATE;
    if (out->time.precision > DATETIME_DAY) {
        out->time = (struct datetime){ .year = in->time.year,
                                       .month = in->time.month,
                                       .day = in->time.day,
                                       .precision = DATETIME_DAY,
                                       .offset = DATETIME_NO_OFFSET };
    }
    return true;
}

static bool to_datetime(struct path_machine *m, const struct path_value *in,
                        struct path_value *out, int *failed)
{
    (void)m;
    (void)failed;
    if (in->kind == PATH_STRING) {
        out->kind = PATH_DATETIME;
        return datetime_read(in->string, &out->time);
    }
    *out = *in;
    out->kind = PATH_DATETIME;
    return in->kind == PATH_DATE || in->kind == PATH_DATETIME;
}

static bool to_time(struct path_machine *m, const struct path_value *in, struct path_value *out,
                    int *failed)
{
    (void)m;
    (void)failed;
    if (in->kind == PATH_STRING) {
        out->kind = PATH_TIME;
        return datetime_read_time(in->string, &out->time);
    }
    *out = *in;
    return in->kind == PATH_TIME;
}

/* --- text --------------------------------------------------------------------------------- */

static bool to_string(struct path_machine *m, const struct path_value *in,
                      struct path_value *out, int *failed)
{
    if (in->kind == PATH_STRING) {
        *out = *in;
        return true;
    }
    struct buf b = arena_buf(m->arena, PATH_TEXT_MAX);
    if (!path_put_simple(in, &b)) {
        return false;
    }
    *failed = buf_failed(&b) ? -ENOMEM : path_make_bytes(m, b.n);
    *out = path_string(buf_str(&b));
    return true;
}

/* --- the functions ------------------------------------------------------------------------ */

PATH_FUNCTION(to_boolean)
{
    return to(m, call, to_boolean);
}

PATH_FUNCTION(to_integer)
{
    return to(m, call, to_integer);
}

PATH_FUNCTION(to_decimal)
{
    return to(m, call, to_decimal);
}

PATH_FUNCTION(to_date)
{
    return to(m, call, to_date);
}

PATH_FUNCTION(to_datetime)
{
    return to(m, call, to_datetime);
}

PATH_FUNCTION(to_time)
{
    return to(m, call, to_time);
}

PATH_FUNCTION(to_string)
{
    return to(m, call, to_string);
}

PATH_FUNCTION(converts_to_boolean)
{
    return converts_to(m, call, to_boolean);
}

PATH_FUNCTION(converts_to_integer)
{
    return converts_to(m, call, to_integer);
}

PATH_FUNCTION(converts_to_decimal)
{
    return converts_to(m, call, to_decimal);
}

PATH_FUNCTION(converts_to_date)
{
    return converts_to(m, call, to_date);
}

PATH_FUNCTION(converts_to_datetime)
{
    return converts_to(m, call, to_datetime);
}

PATH_FUNCTION(converts_to_time)
{
    return converts_to(m, call, to_time);
}

PATH_FUNCTION(converts_to_string)
{
    return converts_to(m, call, to_string);
}
