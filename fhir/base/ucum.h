/*
 * Units of measure as UCUM writes them: what may be compared with what, and by which factor.
 *
 * The units of medicine, of SI and of customary use are known, about 250, with all prefixes;
 * factors are those of UCUM, exact wherever UCUM's are. Units whose scale isn't proportional
 * are Cel and [degF]; logarithmic and arbitrary ones ([pH], [iU]) compare with themselves only.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "fhir/base/decimal.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    UCUM_CODE_MAX = 128, /* bytes of a code */
    UCUM_TERMS_MAX = 16, /* units in one code */
    UCUM_POWER_MAX = 99,
    UCUM_DEPTH_MAX = 8, /* parentheses, and definitions within definitions */
    UCUM_BASES = 7,
};

/* m, s, g, rad, K, C, cd */
enum ucum_base {
    UCUM_METER,
    UCUM_SECOND,
    UCUM_GRAM,
    UCUM_RADIAN,
    UCUM_KELVIN,
    UCUM_COULOMB,
    UCUM_CANDELA,
};

enum ucum_scale {
    UCUM_PROPORTIONAL,
    UCUM_CELSIUS,
    UCUM_FAHRENHEIT,
};

/*
 * One of the unit is @numerator / @denominator × 10^@power of the base units.
 *
 * @numerator, @denominator: whole numbers
 * @bases:    powers of the base units
 * @arbitrary, @arbitrary_power: row of the table for a unit that nothing else measures, or -1
 */
struct ucum {
    struct decimal numerator;
    struct decimal denominator;
    int power;
    int bases[UCUM_BASES];
    int arbitrary;
    int arbitrary_power;
    enum ucum_scale scale;
};

/**
 * ucum_read() - what a code means
 * @code: as UCUM writes it, case-sensitive: "mg/dL", "10*3/uL", "mm[Hg]", "{beats}/min"
 * @out:  its meaning
 *
 * Return: whether it is a code made of known units; @out is set only on true.
 * Spec:   UCUM 2.1 sections 2 and 4
 */
MUST_USE bool ucum_read(struct str code, struct ucum *out);

/* Whether both measure the same. */
bool ucum_commensurable(const struct ucum *a, const struct ucum *b);

/* Which unit is the larger one: <0, 0 or >0; both are commensurable. */
int ucum_compare(const struct ucum *a, const struct ucum *b);

/* @value in the unit @from, told in @to; false if they aren't commensurable or it doesn't fit.
 */
MUST_USE bool ucum_convert(const struct decimal *value, const struct ucum *from,
                           const struct ucum *to, struct decimal *out);

/**
 * ucum_product() - write the code of a product or quotient
 * @a, @b:  codes
 * @divide: @a / @b
 * @out:    where to: "cm" and "cm2" make "cm3", "m" by "s" makes "m/s", "m" by "m" makes "1"
 *
 * Return: whether both are codes of known units, without an own scale, and not too long.
 */
MUST_USE bool ucum_product(struct str a, struct str b, bool divide, struct buf *out);
