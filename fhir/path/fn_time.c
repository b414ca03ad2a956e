/* The clock, which the caller sets, and parts of dates and times. */
#include "fhir/path/functions.h"

enum {
    MILLISECONDS = 1000,
    NANOSECONDS_OF_MS = 1000000,
    DIGITS_OF_MS = 3,
};

static int read_clock(struct path_machine *m, struct datetime *out)
{
    int64_t seconds = m->env->now / MILLISECONDS;
    int64_t rest = m->env->now % MILLISECONDS;
    if (rest < 0) {
        rest += MILLISECONDS;
        seconds--;
    }
    bool good = datetime_of(seconds, (uint32_t)rest * NANOSECONDS_OF_MS, DIGITS_OF_MS,
                            m->env->now_offset, out);
    return good ? 0 : path_fail(m, "a clock outside of the years 1 to 9999");
}

static struct datetime date_part(const struct datetime *t)
{
    uint8_t precision = t->precision < DATETIME_DAY ? t->precision : (uint8_t)DATETIME_DAY;
    return (struct datetime){ .year = t->year,
                              .month = t->month,
                              .day = t->day,
                              .precision = precision,
                              .offset = DATETIME_NO_OFFSET };
}

static struct datetime time_part(const struct datetime *t)
{
    struct datetime time = *t;
    time.year = 1;
    time.month = 1;
    time.day = 1;
    time.offset = DATETIME_NO_OFFSET;
    return time;
}

static int give_moment(struct path_machine *m, const struct path_call *call,
                       enum path_kind kind, struct datetime t)
{
    return path_give(m, call, (struct path_value){ .kind = kind, .time = t });
}

PATH_FUNCTION(now)
{
    struct datetime t;
    int r = read_clock(m, &t);
    return r ? r : give_moment(m, call, PATH_DATETIME, t);
}

PATH_FUNCTION(today)
{
    struct datetime t;
    int r = read_clock(m, &t);
    return r ? r : give_moment(m, call, PATH_DATE, date_part(&t));
}

PATH_FUNCTION(time_of_day)
{
    struct datetime t;
    int r = read_clock(m, &t);
    return r ? r : give_moment(m, call, PATH_TIME, time_part(&t));
}

/* --- parts -------------------------------------------------------------------------------- */

/* The input, if it has a part of @precision; @there: whether it has. */
static int read_part(struct path_machine *m, const struct path_call *call,
                     enum datetime_precision precision, struct path_value *out, bool *there)
{
    int r = path_single(m, call->base, out, there);
    if (r || !*there) {
        return r;
    }
    bool date = out->kind == PATH_DATE || out->kind == PATH_DATETIME;
    bool clock = out->kind == PATH_TIME || out->kind == PATH_DATETIME;
    *there = (precision <= DATETIME_DAY ? date : clock) && out->time.precision >= precision;
    return 0;
}

static int64_t part_of(const struct datetime *t, enum datetime_precision precision)
{
    switch (precision) {
    case DATETIME_YEAR: return t->year;
    case DATETIME_MONTH: return t->month;
    case DATETIME_DAY: return t->day;
    case DATETIME_HOUR: return t->hour;
    case DATETIME_MINUTE: return t->minute;
    case DATETIME_SECOND: return t->second;
    }
    return 0;
}

static int give_part(struct path_machine *m, const struct path_call *call,
                     enum datetime_precision precision)
{
    struct path_value value;
    bool there;
    int r = read_part(m, call, precision, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_integer(m, call, part_of(&value.time, precision));
}

PATH_FUNCTION(year_of)
{
    return give_part(m, call, DATETIME_YEAR);
}

PATH_FUNCTION(month_of)
{
    return give_part(m, call, DATETIME_MONTH);
}

PATH_FUNCTION(day_of)
{
    return give_part(m, call, DATETIME_DAY);
}

PATH_FUNCTION(hour_of)
{
    return give_part(m, call, DATETIME_HOUR);
}

PATH_FUNCTION(minute_of)
{
    return give_part(m, call, DATETIME_MINUTE);
}

PATH_FUNCTION(second_of)
{
    return give_part(m, call, DATETIME_SECOND);
}

PATH_FUNCTION(millisecond_of)
{
    struct path_value value;
    bool there;
    int r = read_part(m, call, DATETIME_SECOND, &value, &there);
    if (r || !there || !value.time.digits) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_integer(m, call, value.time.nanosecond / NANOSECONDS_OF_MS);
}

PATH_FUNCTION(timezone_offset_of)
{
    struct path_value value;
    struct decimal hours;
    bool there;
    int r = read_part(m, call, DATETIME_HOUR, &value, &there);
    if (r || !there || value.time.offset == DATETIME_NO_OFFSET) {
        return r ? r : path_give_nothing(m, call);
    }
    struct decimal minutes = decimal_of(value.time.offset);
    struct decimal sixty = decimal_of(60);
    if (!decimal_divide(&minutes, &sixty, &hours)) {
        return path_give_nothing(m, call);
    }
    return path_give(m, call, path_decimal(decimal_pad(hours, 1)));
}

PATH_FUNCTION(date_of)
{
    struct path_value value;
    bool there;
    int r = read_part(m, call, DATETIME_YEAR, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return give_moment(m, call, PATH_DATE, date_part(&value.time));
}

PATH_FUNCTION(time_of)
{
    struct path_value value;
    bool there;
    int r = read_part(m, call, DATETIME_HOUR, &value, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return give_moment(m, call, PATH_TIME, time_part(&value.time));
}
