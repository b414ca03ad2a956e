/*
 * Decimals in 128 bits.
 *
 * Coefficients stay below 10^37. A product has up to 74 digits: it is built in 256 bits and
 * loses digits after the point, rounding the last, until it fits. Sums of numbers with very
 * different scales lose digits the same way.
 */
#include "fhir/base/decimal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The one typedef of an integer: ISO C has no name for 128 bits. */
__extension__ typedef unsigned __int128 wide;

enum {
    LIMBS = 4, /* of 64 bits, the least significant first */
    EXPONENT_MAX = 999,
    DOUBLE_DIGITS = 15,
    DOUBLE_TEXT = 32,
};

/* 10^0 to 10^19, what 64 bits hold. */
static const uint64_t powers[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

enum {
    POWER_MOST = 19,
};

static wide ten_to(int n)
{
    return n <= POWER_MOST ? powers[n] : (wide)powers[POWER_MOST] * powers[n - POWER_MOST];
}

static wide coefficient(const struct decimal *d)
{
    return (wide)d->high << 64 | d->low;
}

static bool fits(wide value)
{
    const wide least = (wide)UINT64_C(10000000000000000000) * UINT64_C(1000000000000000000);
    return value < least; /* 10^37 */
}

static struct decimal make(wide value, int scale, bool negative)
{
    assert(fits(value) && scale >= 0 && scale <= DECIMAL_DIGITS_MAX);
    return (struct decimal){ .high = (uint64_t)(value >> 64),
                             .low = (uint64_t)value,
                             .scale = (int16_t)scale,
                             .negative = negative };
}

/* --- text --------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take(struct str *rest, char c)
{
    bool there = rest->n && rest->p[0] == c;
    *rest = str_slice(*rest, there, rest->n);
    return there;
}

static bool take_sign(struct str *rest)
{
    bool negative = rest->n && rest->p[0] == '-';
    if (rest->n && (rest->p[0] == '-' || rest->p[0] == '+')) {
        *rest = str_slice(*rest, 1, rest->n);
    }
    return negative;
}

/* Digits of @rest go to the end of @value; how many, or -1: none, or too many. */
static int take_digits(struct str *rest, wide *value)
{
    wide whole = *value;
    size_t n = 0;
    for (; n < rest->n && is_digit(rest->p[n]); n++) {
        whole = whole * 10 + (unsigned)(rest->p[n] - '0');
        if (!fits(whole) || n == (size_t)DECIMAL_DIGITS_MAX * 2) {
            return -1;
        }
    }
    *rest = str_slice(*rest, n, rest->n);
    *value = whole;
    return n ? (int)n : -1;
}

/* What stands after "e"; false if it isn't an exponent one could mean. */
static bool take_exponent(struct str *rest, int *out)
{
    bool negative = take_sign(rest);
    int value = 0;
    size_t n = 0;
    for (; n < rest->n && is_digit(rest->p[n]) && value <= EXPONENT_MAX; n++) {
        value = value * 10 + (rest->p[n] - '0');
    }
    *rest = str_slice(*rest, n, rest->n);
    *out = negative ? -value : value;
    return n && value <= EXPONENT_MAX;
}

/* @value × 10^-@scale, where both may lie a little outside what is kept. */
static bool normal(wide value, int scale, bool negative, struct decimal *out)
{
    if (value == 0) {
        scale = scale < 0 ? 0 : scale;
        scale = scale > DECIMAL_DIGITS_MAX ? DECIMAL_DIGITS_MAX : scale;
    }
    for (; scale < 0 && fits(value); scale++) {
        value *= 10;
    }
    for (; scale > 0 && !fits(value); scale--) {
        value = (value + 5) / 10;
    }
    if (!fits(value)) {
        return false;
    }
    for (; scale > DECIMAL_DIGITS_MAX; scale--) {
        if (value % 10) {
            return false;
        }
        value /= 10;
    }
    *out = make(value, scale, negative);
    return true;
}

bool decimal_read(struct str text, struct decimal *out)
{
    wide value = 0;
    int scale = 0;
    int exponent = 0;
    bool negative = take_sign(&text);
    if (take_digits(&text, &value) < 0) {
        return false;
    }
    if (take(&text, '.')) {
        scale = take_digits(&text, &value);
        if (scale < 0) {
            return false;
        }
    }
    if ((take(&text, 'e') || take(&text, 'E')) && !take_exponent(&text, &exponent)) {
        return false;
    }
    return text.n == 0 && normal(value, scale - exponent, negative, out);
}

void decimal_put(struct buf *b, const struct decimal *d)
{
    char digits[DECIMAL_TEXT_SIZE];
    size_t at = sizeof(digits);
    wide rest = coefficient(d);
    for (int n = 0; rest || n <= d->scale; n++) {
        if (n == d->scale && n) {
            digits[--at] = '.';
        }
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    if (d->negative) {
        digits[--at] = '-';
    }
    buf_put(b, digits + at, sizeof(digits) - at);
}

/* --- numbers ------------------------------------------------------------------------------ */

struct decimal decimal_of(int64_t value)
{
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
    return (struct decimal){ .low = magnitude, .negative = value < 0 };
}

bool decimal_is_zero(const struct decimal *d)
{
    return d->high == 0 && d->low == 0;
}

struct decimal decimal_negate(struct decimal d)
{
    d.negative = !d.negative;
    return d;
}

/* Give @d, which is short, digits up to @scale; false if it isn't short, or wouldn't fit. */
static bool extend(struct decimal *d, int scale)
{
    int more = scale - d->scale;
    if (d->high || more > POWER_MOST) {
        return false;
    }
    wide value = (wide)d->low * powers[more];
    if (!fits(value)) {
        return false;
    }
    *d = make(value, scale, d->negative);
    return true;
}

/* Of two magnitudes: <0, 0 or >0. */
static int compare_sizes(const struct decimal *a, const struct decimal *b)
{
    if (a->scale > b->scale) {
        return -compare_sizes(b, a);
    }
    struct decimal longer = *a;
    if (extend(&longer, b->scale)) {
        wide x = coefficient(&longer);
        wide y = coefficient(b);
        return (x > y) - (x < y);
    }
    wide left = coefficient(a);
    wide right = coefficient(b);
    for (int i = a->scale; i < b->scale; i++) {
        if (!fits(left)) {
            return 1; /* beyond anything that @b can be */
        }
        left *= 10;
    }
    return (left > right) - (left < right);
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    if (decimal_is_zero(a) && decimal_is_zero(b)) {
        return 0;
    }
    if (a->negative != b->negative) {
        return a->negative ? -1 : 1;
    }
    int r = compare_sizes(a, b);
    return a->negative ? -r : r;
}

struct decimal decimal_round(struct decimal d, int scale, enum decimal_rounding how)
{
    assert(scale >= 0);
    if (d.scale <= scale) {
        return d;
    }
    wide unit = ten_to(d.scale - scale);
    wide kept = coefficient(&d) / unit;
    wide rest = coefficient(&d) % unit;
    bool up = (how == DECIMAL_NEAREST && rest >= unit - rest) ||
              (how == DECIMAL_DOWN && rest && d.negative) ||
              (how == DECIMAL_UP && rest && !d.negative);
    return make(kept + up, scale, d.negative);
}

struct decimal decimal_pad(struct decimal d, int scale)
{
    wide value = coefficient(&d);
    int at = d.scale;
    if (at >= scale) {
        return d;
    }
    for (; at < scale && at < DECIMAL_DIGITS_MAX && fits(value * 10); at++) {
        value *= 10;
    }
    return make(value, at, d.negative);
}

struct decimal decimal_trim(struct decimal d)
{
    for (; !d.high && d.scale > 0 && d.low % 10 == 0; d.scale--) {
        d.low /= 10;
    }
    if (!d.high) {
        return d;
    }
    wide value = coefficient(&d);
    int scale = d.scale;
    for (; scale > 0 && value % 10 == 0; scale--) {
        value /= 10;
    }
    return make(value, scale, d.negative);
}

bool decimal_shift(const struct decimal *d, int by, struct decimal *out)
{
    int excess = d->scale - by - DECIMAL_DIGITS_MAX;
    if (excess <= 0) {
        return normal(coefficient(d), d->scale - by, d->negative, out);
    }
    struct decimal cut = *d;
    cut.scale = DECIMAL_DIGITS_MAX; /* for the moment, so that digits can be counted off */
    excess = excess < DECIMAL_DIGITS_MAX ? excess : DECIMAL_DIGITS_MAX;
    cut = decimal_round(cut, DECIMAL_DIGITS_MAX - excess, DECIMAL_NEAREST);
    *out = make(coefficient(&cut), DECIMAL_DIGITS_MAX, d->negative);
    return true;
}

int decimal_normalise(struct decimal *d)
{
    wide value = coefficient(d);
    int power = -d->scale;
    for (; value && value % 10 == 0; power++) {
        value /= 10;
    }
    *d = make(value, 0, d->negative);
    return power;
}

bool decimal_integer(const struct decimal *d, int64_t *out)
{
    struct decimal whole = decimal_trim(*d);
    if (whole.scale || whole.high || whole.low > (uint64_t)INT64_MAX) {
        return false;
    }
    *out = whole.negative ? -(int64_t)whole.low : (int64_t)whole.low;
    return true;
}

/* --- arithmetic --------------------------------------------------------------------------- */

/* Bring both to one scale, the finer one if that fits. False: the whole parts are too long. */
static bool align(struct decimal *a, struct decimal *b)
{
    if (a->scale == b->scale ||
        (a->scale < b->scale ? extend(a, b->scale) : extend(b, a->scale))) {
        return true;
    }
    int scale = a->scale > b->scale ? a->scale : b->scale;
    *a = decimal_pad(*a, scale);
    *b = decimal_pad(*b, scale);
    int common = a->scale < b->scale ? a->scale : b->scale;
    *a = decimal_round(*a, common, DECIMAL_NEAREST);
    *b = decimal_round(*b, common, DECIMAL_NEAREST);
    return a->scale == b->scale;
}

bool decimal_add(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    struct decimal left = *a;
    struct decimal right = *b;
    if (!align(&left, &right)) {
        return false;
    }
    wide x = coefficient(&left);
    wide y = coefficient(&right);
    if (left.negative != right.negative) {
        bool swap = y > x;
        *out = make(swap ? y - x : x - y, left.scale, swap ? right.negative : left.negative);
        return true;
    }
    return normal(x + y, left.scale, left.negative, out);
}

bool decimal_subtract(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    struct decimal negative = decimal_negate(*b);
    return decimal_add(a, &negative, out);
}

/* @limbs = @a × @b, schoolbook. */
static void multiply_wide(wide a, wide b, uint64_t limbs[LIMBS])
{
    uint64_t x[2] = { (uint64_t)a, (uint64_t)(a >> 64) };
    uint64_t y[2] = { (uint64_t)b, (uint64_t)(b >> 64) };
    memset(limbs, 0, LIMBS * sizeof(limbs[0]));
    for (int i = 0; i < 2; i++) {
        wide carry = 0;
        for (int k = 0; k < 2; k++) {
            wide term = (wide)x[i] * y[k] + limbs[i + k] + carry;
            limbs[i + k] = (uint64_t)term;
            carry = term >> 64;
        }
        limbs[i + 2] = (uint64_t)carry;
    }
}

/* @limbs /= 10; the digit that falls off. */
static unsigned drop_digit(uint64_t limbs[LIMBS])
{
    wide rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 64 | limbs[i];
        limbs[i] = (uint64_t)(rest / 10);
        rest %= 10;
    }
    return (unsigned)rest;
}

bool decimal_multiply(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    uint64_t limbs[LIMBS];
    int scale = a->scale + b->scale;
    if (!a->high && !b->high && scale <= DECIMAL_DIGITS_MAX) {
        wide product = (wide)a->low * b->low;
        if (fits(product)) {
            *out = make(product, scale, a->negative != b->negative);
            return true;
        }
    }
    multiply_wide(coefficient(a), coefficient(b), limbs);
    unsigned dropped = 0;
    for (;;) {
        wide value = (wide)limbs[1] << 64 | limbs[0];
        bool small = !limbs[2] && !limbs[3] && fits(value + (dropped >= 5));
        if (small && scale <= DECIMAL_DIGITS_MAX) {
            *out = make(value + (dropped >= 5), scale, a->negative != b->negative);
            return true;
        }
        if (scale == 0) {
            return false;
        }
        dropped = drop_digit(limbs);
        scale--;
    }
}

bool decimal_divide(const struct decimal *a, const struct decimal *b, struct decimal *out)
{
    if (decimal_is_zero(b)) {
        return false;
    }
    wide divisor = coefficient(b);
    wide quotient = coefficient(a) / divisor;
    wide rest = coefficient(a) % divisor;
    int scale = a->scale - b->scale;
    while (scale < 0 || (rest && scale < DECIMAL_QUOTIENT_SCALE && fits(quotient * 10 + 9))) {
        quotient = quotient * 10 + rest * 10 / divisor;
        rest = rest * 10 % divisor;
        scale++;
        if (!fits(quotient)) {
            return false;
        }
    }
    quotient += rest >= divisor - rest;
    return normal(quotient, scale, a->negative != b->negative, out);
}

bool decimal_divide_whole(const struct decimal *a, const struct decimal *b,
                          struct decimal *quotient, struct decimal *rest)
{
    struct decimal left = *a;
    struct decimal right = *b;
    if (decimal_is_zero(b) || !align(&left, &right) || decimal_is_zero(&right)) {
        return false;
    }
    wide x = coefficient(&left);
    wide y = coefficient(&right);
    if (quotient) {
        *quotient = make(x / y, 0, left.negative != right.negative);
    }
    if (rest) {
        *rest = make(x % y, left.scale, left.negative);
    }
    return true;
}

/* --- binary fractions --------------------------------------------------------------------- */

double decimal_double(const struct decimal *d)
{
    char text[DECIMAL_TEXT_SIZE + 1];
    struct buf b = buf_fixed(text, sizeof(text));
    decimal_put(&b, d);
    buf_c(&b, '\0');
    return strtod(text, NULL);
}

bool decimal_from_double(double value, struct decimal *out)
{
    char text[DOUBLE_TEXT];
    if (!isfinite(value)) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "%.*g", DOUBLE_DIGITS, value);
    return decimal_read(str_z(text), out);
}
