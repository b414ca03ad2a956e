/*
 * FHIR date, dateTime and instant as spans of time.
 *
 * A cursor reads fixed-width numbers and separators; whatever doesn't fit leaves it failed.
 * Days are counted by the usual arithmetic of the proleptic Gregorian calendar.
 */
#include "fhir/base/instant.h"

enum {
    DAYS_TO_EPOCH = 719468, /* from 0000-03-01 to 1970-01-01 */
    DAYS_OF_400_YEARS = 146097,
};

struct cursor {
    struct str rest;
    bool failed;
};

static bool next_is(const struct cursor *c, char want)
{
    return c->rest.n > 0 && c->rest.p[0] == want;
}

static void expect(struct cursor *c, char want)
{
    if (!next_is(c, want)) {
        c->failed = true;
        return;
    }
    c->rest = str_slice(c->rest, 1, c->rest.n);
}

/* A number of exactly @digits digits between @least and @most. */
static int number(struct cursor *c, size_t digits, int least, int most)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (i >= c->rest.n || c->rest.p[i] < '0' || c->rest.p[i] > '9') {
            c->failed = true;
            return least;
        }
        value = value * 10 + (c->rest.p[i] - '0');
    }
    c->rest = str_slice(c->rest, digits, c->rest.n);
    if (value < least || value > most) {
        c->failed = true;
        return least;
    }
    return value;
}

/* Days since 1970-01-01; @month counts from 1. Spec: civil calendar, March as first month */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * DAYS_OF_400_YEARS + day_of_era - DAYS_TO_EPOCH;
}

static int days_in(int year, int month)
{
    int next_year = month == 12 ? year + 1 : year;
    int next_month = month == 12 ? 1 : month + 1;
    return (int)(days_of(next_year, next_month, 1) - days_of(year, month, 1));
}

static struct instant_span whole_days(int64_t from, int64_t until)
{
    return (struct instant_span){ .from = from * INSTANT_DAY_MS,
                                  .until = until * INSTANT_DAY_MS };
}

/* Fraction of a second: as many digits as there are, in milliseconds, with its precision. */
static int64_t fraction(struct cursor *c, int64_t *precision)
{
    int64_t ms = 0;
    int64_t unit = 1000;
    expect(c, '.');
    size_t n = 0;
    for (; n < c->rest.n && c->rest.p[n] >= '0' && c->rest.p[n] <= '9'; n++) {
        unit /= 10;
        ms += unit * (c->rest.p[n] - '0');
    }
    c->failed |= n == 0;
    c->rest = str_slice(c->rest, n, c->rest.n);
    *precision = unit ? unit : 1;
    return ms;
}

/* "Z" or "+hh:mm" as milliseconds east of UTC. */
static int64_t zone(struct cursor *c)
{
    if (next_is(c, 'Z')) {
        expect(c, 'Z');
        return 0;
    }
    int sign = next_is(c, '-') ? -1 : 1;
    expect(c, sign < 0 ? '-' : '+');
    int hours = number(c, 2, 0, 14);
    expect(c, ':');
    int minutes = number(c, 2, 0, 59);
    return INT64_C(60000) * sign * (hours * 60 + minutes);
}

/* What follows "YYYY-MM-DDT", the day beginning at @midnight. */
static struct instant_span time_of_day(struct cursor *c, int64_t midnight)
{
    int hour = number(c, 2, 0, 23);
    expect(c, ':');
    int minute = number(c, 2, 0, 59);
    expect(c, ':');
    int second = number(c, 2, 0, 60);
    int64_t precision = 1000;
    int64_t ms = next_is(c, '.') ? fraction(c, &precision) : 0;
    int64_t from = midnight + INT64_C(60000) * (hour * 60 + minute) +
                   (second < 60 ? second : 59) * INT64_C(1000) + ms - zone(c);
    return (struct instant_span){ .from = from, .until = from + precision };
}

static struct instant_span read_span(struct cursor *c)
{
    int year = number(c, 4, 1, 9999);
    if (c->failed || c->rest.n == 0) {
        return whole_days(days_of(year, 1, 1), days_of(year + 1, 1, 1));
    }
    expect(c, '-');
    int month = number(c, 2, 1, 12);
    int64_t first = days_of(year, month, 1);
    if (c->failed || c->rest.n == 0) {
        return whole_days(first, first + days_in(year, month));
    }
    expect(c, '-');
    int64_t day = first + number(c, 2, 1, days_in(year, month)) - 1;
    if (c->failed || c->rest.n == 0) {
        return whole_days(day, day + 1);
    }
    expect(c, 'T');
    return time_of_day(c, day * INSTANT_DAY_MS);
}

bool instant_span(struct str text, struct instant_span *out)
{
    struct cursor c = { .rest = text };
    struct instant_span span = read_span(&c);
    if (c.failed || c.rest.n > 0) {
        return false;
    }
    *out = span;
    return true;
}
