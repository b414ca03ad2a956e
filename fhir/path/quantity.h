/*
 * Quantities: units of UCUM, and FHIRPath's calendar durations beside them.
 *
 * A year and a month of the calendar aren't those of UCUM: the two compare only where the
 * difference doesn't matter (~). All shorter durations are the same.
 *
 * Spec: FHIRPath section "Time-valued Quantities" and those it refers to
 */
#pragma once

#include "fhir/base/ucum.h"
#include "fhir/path/value.h"

enum {
    PATH_QUANTITY_E_UNITS = 1, /* units that can't be brought together, or a result too long */
};

enum path_duration {
    PATH_YEAR,
    PATH_MONTH,
    PATH_WEEK,
    PATH_DAY,
    PATH_HOUR,
    PATH_MINUTE,
    PATH_SECOND,
    PATH_MILLISECOND,
    PATH_NO_DURATION,
};

enum {
    PATH_UNITS = 8,      /* remembered */
    PATH_UNIT_SIZE = 24, /* bytes of a code that is remembered */
};

/* Units that were read last; all zero to begin with. */
struct path_units {
    struct {
        char code[PATH_UNIT_SIZE];
        size_t n; /* 0: none */
        bool known;
        struct ucum unit;
    } list[PATH_UNITS];
    size_t next;
};

/* Whether @unit is a calendar duration, singular or plural: "day", "months". */
bool path_is_calendar_unit(struct str unit);

/* Set the unit of @quantity to @unit, a code of UCUM or a calendar duration. */
void path_set_unit(struct path_quantity *quantity, struct str unit);

/**
 * path_quantity_read() - a Quantity in text
 * @text: a number, then nothing, a unit of UCUM in quotes, or a calendar duration
 * @out:  the Quantity, of unit 1 if there is none
 *
 * Return: whether @text is one; @out is set only on true.
 */
MUST_USE bool path_quantity_read(struct str text, struct path_quantity *out);

/* As path_quantity_read() reads it. */
void path_quantity_put(struct buf *b, const struct path_quantity *q);

enum path_target {
    PATH_FINER,   /* the smaller of two units */
    PATH_COARSER, /* the larger one */
};

/*
 * Two values in one unit. @loosely: years and months of calendar and UCUM are the same.
 * @out is set only on 0. @units: what was read before; here and below.
 */
struct path_common {
    struct decimal a;
    struct decimal b;
    const struct path_quantity *unit; /* whichever has it */
};
MUST_USE int path_quantity_common(struct path_units *units, const struct path_quantity *a,
                                  const struct path_quantity *b, enum path_target target,
                                  bool loosely, struct path_common *out);

/* Arithmetic: 0, PATH_QUANTITY_E_UNITS or -ENOMEM; @out is set only on 0. */
MUST_USE int path_quantity_add(struct path_units *units, const struct path_quantity *a,
                               const struct path_quantity *b, bool subtract,
                               struct path_quantity *out);
MUST_USE int path_quantity_multiply(struct arena *arena, const struct path_quantity *a,
                                    const struct path_quantity *b, bool divide,
                                    struct path_quantity *out);

/* @q in @unit, for toQuantity(). */
MUST_USE int path_quantity_convert(struct path_units *units, const struct path_quantity *q,
                                   struct str unit, struct path_quantity *out);

/* What may be added to a date: calendar durations and what equals them; else PATH_NO_DURATION.
 */
enum path_duration path_quantity_duration(const struct path_quantity *q);

/* @value of @from told in @to, by the calendar's own factors: a year has 365 days, a month 30.
 */
MUST_USE bool path_duration_convert(const struct decimal *value, enum path_duration from,
                                    enum path_duration to, struct decimal *out);
