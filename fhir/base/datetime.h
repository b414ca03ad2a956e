/*
 * Dates, times and both together, with the precision they are written in.
 *
 * Nothing is filled up: "2022-12" is a month, and whether it is before 2022-12-05 nobody can
 * say.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DATETIME_E_UNSURE = 1, /* values of different precision, or a zone that isn't known */
};

enum datetime_precision {
    DATETIME_YEAR,
    DATETIME_MONTH,
    DATETIME_DAY,
    DATETIME_HOUR,
    DATETIME_MINUTE,
    DATETIME_SECOND,
};

enum {
    DATETIME_NO_OFFSET = INT16_MAX,
    DATETIME_OFFSET_MOST = 14 * 60, /* the easternmost zone, in minutes */
    DATETIME_OFFSET_LEAST = -12 * 60,
    DATETIME_DIGITS_MAX = 9, /* of a fraction of a second; further ones are cut */
    DATETIME_TEXT_SIZE = 48,
    DATETIME_SECONDS_OF_DAY = 24 * 60 * 60,
    DATETIME_NANOSECONDS = 1000 * 1000 * 1000, /* of a second */
};

/*
 * Parts beyond the precision are 0, month and day 1. Of a time of day the date is 0001-01-01.
 *
 * @precision: enum datetime_precision
 * @digits:    written digits of the fraction, 0 if there was none
 * @offset:    minutes east of UTC, or DATETIME_NO_OFFSET
 */
struct datetime {
    int16_t year;
    uint8_t month;
    uint8_t day;
    uint8_t hour;
    uint8_t minute;
    uint8_t second;
    uint8_t precision;
    uint32_t nanosecond;
    int16_t offset;
    uint8_t digits;
};

/**
 * datetime_read() - a date, or date and time
 * @text: YYYY[-MM[-DD]], or YYYY-MM-DDThh[:mm[:ss[.f…]]][Z|±hh:mm]
 * @out:  its parts; second 60 counts as 59
 *
 * Return: whether @text is one that exists; @out is set only on true.
 * Spec:   FHIR R4 datatypes, FHIRPath section DateTime
 */
MUST_USE bool datetime_read(struct str text, struct datetime *out);

/* A time of day: hh[:mm[:ss[.f…]]]. */
MUST_USE bool datetime_read_time(struct str text, struct datetime *out);

/* As it was read, the offset +00:00 as Z. */
void datetime_put(struct buf *b, const struct datetime *t);
void datetime_put_time(struct buf *b, const struct datetime *t);

/**
 * datetime_compare() - which of two is earlier
 * @a, @b:  both dates with or without time, or both times of day
 * @order:  <0, 0 or >0
 *
 * Precision by precision; seconds and their fraction are one. Offsets are respected. A time
 * with offset and one without compare only if no offset could change the order.
 *
 * Return: 0, or DATETIME_E_UNSURE; @order is set only on 0.
 */
MUST_USE int datetime_compare(const struct datetime *a, const struct datetime *b, int *order);

/* Days since 1970-01-01, by the proleptic Gregorian calendar; @month counts from 1. */
int64_t datetime_days(int year, int month, int day);
int datetime_days_in(int year, int month);

/* Seconds since 1970-01-01T00:00, of the first moment, without regard to the offset. */
int64_t datetime_seconds(const struct datetime *t);

/**
 * datetime_of() - the parts of a moment
 * @seconds:    since 1970-01-01T00:00Z
 * @nanosecond: beyond that
 * @digits:     of the fraction that are kept
 * @offset:     minutes east of UTC in which to tell it
 * @out:        the parts, with seconds
 *
 * Return: whether the year has four digits; @out is set only on true.
 */
MUST_USE bool datetime_of(int64_t seconds, uint32_t nanosecond, int digits, int offset,
                          struct datetime *out);

/*
 * Calendar arithmetic: false if the year would leave 1 to 9999. Months keep the day if the
 * month has it, else take its last.
 */
MUST_USE bool datetime_add_months(struct datetime *t, int64_t months);
MUST_USE bool datetime_add_seconds(struct datetime *t, int64_t seconds, int64_t nanoseconds);

/* The same for a time of day, which begins anew at midnight. */
void datetime_turn(struct datetime *t, int64_t seconds, int64_t nanoseconds);

/*
 * The first and the last moment that @t may mean, down to @precision and @digits of the second:
 * its missing parts filled up, a missing offset with that of the zone that is first or last
 * there. What is finer than @precision is left off.
 */
struct datetime datetime_first(struct datetime t, enum datetime_precision precision,
                               int digits);
struct datetime datetime_last(struct datetime t, enum datetime_precision precision, int digits);
