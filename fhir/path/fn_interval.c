/*
 * duration() and difference(): how much lies between two dates or times.
 *
 * duration() counts whole units that have passed, difference() the borders that were crossed:
 * from December to January a year's border, but no year. Both count in the calendar of the
 * values; hours and less, if both have an offset, in UTC.
 */
#include "fhir/path/functions.h"
#include "fhir/path/quantity.h"

enum {
    DAYS_OF_WEEK = 7,
    SUNDAY = 4, /* days from a Sunday to 1970-01-01, a Thursday */
    MONTHS_OF_YEAR = 12,
};

/* What is asked: from @a to @b in @unit. */
struct interval {
    struct path_value a;
    struct path_value b;
    enum path_duration unit;
};

static bool is_date(const struct path_value *v)
{
    return v->kind == PATH_DATE || v->kind == PATH_DATETIME;
}

static bool is_time(const struct path_value *v)
{
    return v->kind == PATH_TIME;
}

/* How precise a value must be for @unit. */
static enum datetime_precision needed(enum path_duration unit)
{
    static const enum datetime_precision precisions[] = {
        [PATH_YEAR] = DATETIME_YEAR,     [PATH_MONTH] = DATETIME_MONTH,
        [PATH_WEEK] = DATETIME_DAY,      [PATH_DAY] = DATETIME_DAY,
        [PATH_HOUR] = DATETIME_HOUR,     [PATH_MINUTE] = DATETIME_MINUTE,
        [PATH_SECOND] = DATETIME_SECOND, [PATH_MILLISECOND] = DATETIME_SECOND,
    };
    return precisions[unit];
}

static enum path_duration read_unit(struct str word)
{
    struct path_quantity q = { 0 };
    path_set_unit(&q, word);
    return q.calendar ? path_quantity_duration(&q) : PATH_NO_DURATION;
}

/* What is asked for; @there: false if something is missing or not precise enough. */
static int read_operands(struct path_machine *m, const struct path_call *call,
                         struct interval *out, bool *there)
{
    struct str word = { 0 };
    bool all[3];
    int r = path_argument(m, call, 0, &out->b, &all[0]);
    r = r ? r : path_argument_string(m, call, 1, &word, &all[1]);
    r = r ? r : path_single(m, call->base, &out->a, &all[2]);
    *there = !r && all[0] && all[1] && all[2];
    if (r || !*there) {
        return r;
    }
    out->unit = read_unit(word);
    bool dates = is_date(&out->a) && is_date(&out->b);
    bool times = is_time(&out->a) && is_time(&out->b);
    if (out->unit == PATH_NO_DURATION || (!dates && !times) ||
        (times && out->unit < PATH_HOUR)) {
        return path_fail(m, "values or a unit that have no interval");
    }
    *there = out->a.time.precision >= needed(out->unit) &&
             out->b.time.precision >= needed(out->unit);
    return 0;
}

/* Milliseconds since 1970, in UTC if both have an offset. */
static int64_t to_milliseconds(const struct datetime *t, bool utc)
{
    int64_t offset = utc ? t->offset * INT64_C(60) : 0;
    return (datetime_seconds(t) - offset) * 1000 + t->nanosecond / 1000000;
}

static int64_t to_months(const struct datetime *t)
{
    return t->year * INT64_C(12) + t->month - 1;
}

static int64_t to_days(const struct datetime *t)
{
    return datetime_days(t->year, t->month, t->day);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Milliseconds of a unit below a month. */
static int64_t length_of(enum path_duration unit)
{
    static const int64_t lengths[] = {
        [PATH_YEAR] = 1,
        [PATH_MONTH] = 1,
        [PATH_NO_DURATION] = 1, /* not by length */
        [PATH_WEEK] = INT64_C(604800000),
        [PATH_DAY] = 86400000,
        [PATH_HOUR] = 3600000,
        [PATH_MINUTE] = 60000,
        [PATH_SECOND] = 1000,
        [PATH_MILLISECOND] = 1,
    };
    return lengths[unit];
}

/* What of @t lies behind the beginning of its month. */
static int64_t within_month(const struct datetime *t)
{
    struct datetime first = *t;
    first.day = 1;
    first.hour = 0;
    first.minute = 0;
    first.second = 0;
    first.nanosecond = 0;
    return to_milliseconds(t, false) - to_milliseconds(&first, false);
}

static int64_t whole_months(const struct datetime *a, const struct datetime *b)
{
    int64_t months = to_months(b) - to_months(a);
    int64_t rest = within_month(b) - within_month(a);
    return months - (months > 0 && rest < 0) + (months < 0 && rest > 0);
}

static bool in_utc(const struct interval *i)
{
    return i->unit >= PATH_HOUR && i->a.time.offset != DATETIME_NO_OFFSET &&
           i->b.time.offset != DATETIME_NO_OFFSET;
}

static int64_t count_passed(const struct interval *i)
{
    const struct datetime *a = &i->a.time;
    const struct datetime *b = &i->b.time;
    if (i->unit == PATH_YEAR) {
        return whole_months(a, b) / MONTHS_OF_YEAR;
    }
    if (i->unit == PATH_MONTH) {
        return whole_months(a, b);
    }
    bool utc = in_utc(i);
    return (to_milliseconds(b, utc) - to_milliseconds(a, utc)) / length_of(i->unit);
}

static int64_t count_crossed(const struct interval *i)
{
    const struct datetime *a = &i->a.time;
    const struct datetime *b = &i->b.time;
    bool utc = in_utc(i);
    int64_t length;
    switch (i->unit) {
    case PATH_YEAR: return b->year - a->year;
    case PATH_MONTH: return to_months(b) - to_months(a);
    case PATH_WEEK:
        return floor_divide(to_days(b) + SUNDAY, DAYS_OF_WEEK) -
               floor_divide(to_days(a) + SUNDAY, DAYS_OF_WEEK);
    case PATH_DAY: return to_days(b) - to_days(a);
    case PATH_HOUR:
    case PATH_MINUTE:
    case PATH_SECOND:
    case PATH_MILLISECOND:
        length = length_of(i->unit);
        return floor_divide(to_milliseconds(b, utc), length) -
               floor_divide(to_milliseconds(a, utc), length);
    case PATH_NO_DURATION: break;
    }
    return 0;
}

PATH_FUNCTION(duration)
{
    struct interval interval;
    bool there;
    int r = read_operands(m, call, &interval, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_integer(m, call, count_passed(&interval));
}

PATH_FUNCTION(difference)
{
    struct interval interval;
    bool there;
    int r = read_operands(m, call, &interval, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_integer(m, call, count_crossed(&interval));
}
