/*
 * Exact decimal numbers, as FHIR's decimal and FHIRPath's Decimal want them.
 *
 * A number is a whole coefficient and a count of digits after the point, so 1.10 stays 1.10.
 * Nothing passes through binary fractions but the functions that are irrational anyway.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DECIMAL_DIGITS_MAX = 37,     /* of a coefficient: ten times a remainder fits 128 bits */
    DECIMAL_QUOTIENT_SCALE = 28, /* digits after the point of a division that has no end */
    DECIMAL_TEXT_SIZE = DECIMAL_DIGITS_MAX * 2 + 4,
};

/*
 * @high, @low: the coefficient, below 10^DECIMAL_DIGITS_MAX
 * @scale:      digits after the point, 0 to DECIMAL_DIGITS_MAX
 * @negative:   sign; a zero may have one, as in "-0.0", which equals 0
 */
struct decimal {
    uint64_t high;
    uint64_t low;
    int16_t scale;
    bool negative;
};

enum decimal_rounding {
    DECIMAL_NEAREST, /* half away from zero */
    DECIMAL_DOWN,    /* towards minus infinity */
    DECIMAL_UP,      /* towards plus infinity */
    DECIMAL_CUT,     /* towards zero */
};

/**
 * decimal_read() - a number as JSON or FHIRPath writes it
 * @text: [+-] digits [. digits] [e [+-] digits]
 * @out:  its value, with the digits after the point that were written
 *
 * Return: whether @text is a number that fits; @out is set only on true.
 */
MUST_USE bool decimal_read(struct str text, struct decimal *out);

struct decimal decimal_of(int64_t value);

/* As digits, without exponent; a point only if there are digits after it. */
void decimal_put(struct buf *b, const struct decimal *d);

/* <0, 0 or >0; digits after the point make no difference by themselves. */
int decimal_compare(const struct decimal *a, const struct decimal *b);
bool decimal_is_zero(const struct decimal *d);

/*
 * Arithmetic. Results are exact where they fit, else rounded at the last digit that does; false
 * if the whole part doesn't fit, or for a division by zero. @out is set only on true.
 */
MUST_USE bool decimal_add(const struct decimal *a, const struct decimal *b,
                          struct decimal *out);
MUST_USE bool decimal_subtract(const struct decimal *a, const struct decimal *b,
                               struct decimal *out);
MUST_USE bool decimal_multiply(const struct decimal *a, const struct decimal *b,
                               struct decimal *out);
MUST_USE bool decimal_divide(const struct decimal *a, const struct decimal *b,
                             struct decimal *out);

/* Truncated division: @quotient is whole, @rest has the sign of @a; either may be NULL. */
MUST_USE bool decimal_divide_whole(const struct decimal *a, const struct decimal *b,
                                   struct decimal *quotient, struct decimal *rest);

struct decimal decimal_negate(struct decimal d);

/**
 * decimal_round() - the nearest number with fewer digits after the point
 * @d:     the number; returned as it is if it has no more than @scale digits
 * @scale: digits after the point that stay
 * @how:   what happens to the rest
 */
struct decimal decimal_round(struct decimal d, int scale, enum decimal_rounding how);

/* With at least @scale digits after the point, as far as they fit. */
struct decimal decimal_pad(struct decimal d, int scale);

/* Without zeros at the end of the digits after the point. */
struct decimal decimal_trim(struct decimal d);

/* @d × 10^@by; false if the whole part doesn't fit; digits too far behind are rounded off. */
MUST_USE bool decimal_shift(const struct decimal *d, int by, struct decimal *out);

/* Make @d a whole number without zeros at its end; by what power of ten to multiply it then. */
int decimal_normalise(struct decimal *d);

/* Whether @d is a whole number that fits; @out is set only on true. */
MUST_USE bool decimal_integer(const struct decimal *d, int64_t *out);

double decimal_double(const struct decimal *d);

/* The shortest decimal of at most 15 significant digits; false if @value doesn't fit. */
MUST_USE bool decimal_from_double(double value, struct decimal *out);
