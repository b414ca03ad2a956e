/* HL7 v2 dates and times (DTM, TS, DT, TM) taken apart. Nothing is added or rounded. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdbool.h>

enum {
    V2_TIMESTAMP_E_FORM = 1, /* not a time, or not one that exists */
};

enum v2_precision {
    V2_YEAR,
    V2_MONTH,
    V2_DAY,
    V2_HOUR,
    V2_MINUTE,
    V2_SECOND,
    V2_FRACTION,
};

/*
 * @fraction:  digits of the second after the point; borrowed
 * @offset:    minutes east of UTC, if @has_offset
 */
struct v2_timestamp {
    enum v2_precision precision;
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    struct str fraction;
    bool has_offset;
    int offset;
};

/**
 * v2_timestamp_read() - a date or point in time
 * @text: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ]
 * @out:  its parts; those beyond the precision are 0 (month and day: 1)
 *
 * A month or day of 00, as some senders fill up with, ends the precision before it.
 *
 * Return: 0 or V2_TIMESTAMP_E_FORM; @out is set only on 0.
 * Spec:   HL7 v2.5.1 section 2.A.22
 */
MUST_USE int v2_timestamp_read(struct str text, struct v2_timestamp *out);

/* As v2_timestamp_read() for HH[MM[SS[.S…]]][±ZZZZ]. */
MUST_USE int v2_time_read(struct str text, struct v2_timestamp *out);
