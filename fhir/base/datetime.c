/*
 * Reading, writing, comparing and counting of dates and times.
 *
 * A cursor reads fixed-width numbers and separators; whatever doesn't fit leaves it failed.
 * Days are counted by the usual arithmetic of the proleptic Gregorian calendar.
 */
#include "fhir/base/datetime.h"

enum {
    DAYS_TO_EPOCH = 719468, /* from 0000-03-01 to 1970-01-01 */
    DAYS_OF_400_YEARS = 146097,
    YEAR_MOST = 9999,
    MONTHS = 12,
    SECONDS_OF_HOUR = 60 * 60,
};

/* --- reading ------------------------------------------------------------------------------ */

struct cursor {
    struct str rest;
    bool failed;
};

static bool next_is(const struct cursor *c, char want)
{
    return c->rest.n > 0 && c->rest.p[0] == want;
}

static bool take(struct cursor *c, char want)
{
    bool there = next_is(c, want);
    c->rest = str_slice(c->rest, there, c->rest.n);
    return there;
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

static void read_fraction(struct cursor *c, struct datetime *t)
{
    uint32_t unit = DATETIME_NANOSECONDS;
    size_t n = 0;
    for (; n < c->rest.n && c->rest.p[n] >= '0' && c->rest.p[n] <= '9'; n++) {
        if (n < DATETIME_DIGITS_MAX) {
            unit /= 10;
            t->nanosecond += unit * (uint32_t)(c->rest.p[n] - '0');
            t->digits++;
        }
    }
    c->failed |= n == 0;
    c->rest = str_slice(c->rest, n, c->rest.n);
}

static void read_clock(struct cursor *c, struct datetime *t)
{
    t->hour = (uint8_t)number(c, 2, 0, 23);
    t->precision = DATETIME_HOUR;
    if (!take(c, ':')) {
        return;
    }
    t->minute = (uint8_t)number(c, 2, 0, 59);
    t->precision = DATETIME_MINUTE;
    if (!take(c, ':')) {
        return;
    }
    int second = number(c, 2, 0, 60);
    t->second = (uint8_t)(second < 60 ? second : 59);
    t->precision = DATETIME_SECOND;
    if (take(c, '.')) {
        read_fraction(c, t);
    }
}

static void read_offset(struct cursor *c, struct datetime *t)
{
    if (take(c, 'Z')) {
        t->offset = 0;
        return;
    }
    int sign = take(c, '-') ? -1 : 1;
    if (sign > 0 && !take(c, '+')) {
        return;
    }
    int hours = number(c, 2, 0, DATETIME_OFFSET_MOST / 60);
    c->failed |= !take(c, ':');
    t->offset = (int16_t)(sign * (hours * 60 + number(c, 2, 0, 59)));
}

static void read_date(struct cursor *c, struct datetime *t)
{
    t->year = (int16_t)number(c, 4, 1, YEAR_MOST);
    if (!take(c, '-')) {
        return;
    }
    t->month = (uint8_t)number(c, 2, 1, MONTHS);
    t->precision = DATETIME_MONTH;
    if (!take(c, '-')) {
        return;
    }
    t->day = (uint8_t)number(c, 2, 1, datetime_days_in(t->year, t->month));
    t->precision = DATETIME_DAY;
    if (take(c, 'T')) {
        read_clock(c, t);
        read_offset(c, t);
    }
}

static bool read_with(void (*part)(struct cursor *c, struct datetime *t), struct str text,
                      struct datetime *out)
{
    struct cursor c = { .rest = text };
    struct datetime t = { .year = 1, .month = 1, .day = 1, .offset = DATETIME_NO_OFFSET };
    part(&c, &t);
    if (c.failed || c.rest.n) {
        return false;
    }
    *out = t;
    return true;
}

bool datetime_read(struct str text, struct datetime *out)
{
    return read_with(read_date, text, out);
}

bool datetime_read_time(struct str text, struct datetime *out)
{
    return read_with(read_clock, text, out);
}

/* --- writing ------------------------------------------------------------------------------ */

static void two(struct buf *b, int value)
{
    buf_c(b, (char)('0' + value / 10 % 10));
    buf_c(b, (char)('0' + value % 10));
}

void datetime_put_time(struct buf *b, const struct datetime *t)
{
    two(b, t->hour);
    if (t->precision >= DATETIME_MINUTE) {
        buf_c(b, ':');
        two(b, t->minute);
    }
    if (t->precision >= DATETIME_SECOND) {
        buf_c(b, ':');
        two(b, t->second);
    }
    uint32_t rest = t->nanosecond;
    for (int i = 0; i < t->digits; i++) {
        if (i == 0) {
            buf_c(b, '.');
        }
        buf_c(b, (char)('0' + rest / (DATETIME_NANOSECONDS / 10)));
        rest = rest % (DATETIME_NANOSECONDS / 10) * 10;
    }
}

static void put_offset(struct buf *b, int offset)
{
    int minutes = offset < 0 ? -offset : offset;
    if (offset == 0) {
        buf_c(b, 'Z');
        return;
    }
    buf_c(b, offset < 0 ? '-' : '+');
    two(b, minutes / 60);
    buf_c(b, ':');
    two(b, minutes % 60);
}

void datetime_put(struct buf *b, const struct datetime *t)
{
    two(b, t->year / 100);
    two(b, t->year % 100);
    if (t->precision >= DATETIME_MONTH) {
        buf_c(b, '-');
        two(b, t->month);
    }
    if (t->precision >= DATETIME_DAY) {
        buf_c(b, '-');
        two(b, t->day);
    }
    if (t->precision >= DATETIME_HOUR) {
        buf_c(b, 'T');
        datetime_put_time(b, t);
    }
    if (t->offset != DATETIME_NO_OFFSET) {
        put_offset(b, t->offset);
    }
}

/* --- the calendar ------------------------------------------------------------------------- */

int64_t datetime_days(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * DAYS_OF_400_YEARS + day_of_era - DAYS_TO_EPOCH;
}

int datetime_days_in(int year, int month)
{
    int next_year = month == MONTHS ? year + 1 : year;
    int next_month = month == MONTHS ? 1 : month + 1;
    return (int)(datetime_days(next_year, next_month, 1) - datetime_days(year, month, 1));
}

/* The date of a day since 1970-01-01: datetime_days() backwards. */
static bool set_date(struct datetime *t, int64_t days)
{
    if (days < datetime_days(1, 1, 1) || days > datetime_days(YEAR_MOST, MONTHS, 31)) {
        return false;
    }
    int64_t day_of_all = days + DAYS_TO_EPOCH;
    int64_t era = day_of_all / DAYS_OF_400_YEARS;
    int64_t of_era = day_of_all - era * DAYS_OF_400_YEARS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* March is 0 */
    t->day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1);
    t->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    t->year = (int16_t)(year + era * 400 + (t->month <= 2));
    return true;
}

int64_t datetime_seconds(const struct datetime *t)
{
    return datetime_days(t->year, t->month, t->day) * DATETIME_SECONDS_OF_DAY +
           t->hour * INT64_C(3600) + t->minute * INT64_C(60) + t->second;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static void set_clock(struct datetime *t, int64_t of_day)
{
    t->hour = (uint8_t)(of_day / SECONDS_OF_HOUR);
    t->minute = (uint8_t)(of_day / 60 % 60);
    t->second = (uint8_t)(of_day % 60);
}

static bool set_seconds(struct datetime *t, int64_t seconds)
{
    int64_t days = floor_divide(seconds, DATETIME_SECONDS_OF_DAY);
    if (!set_date(t, days)) {
        return false;
    }
    set_clock(t, seconds - days * DATETIME_SECONDS_OF_DAY);
    return true;
}

bool datetime_of(int64_t seconds, uint32_t nanosecond, int digits, int offset,
                 struct datetime *out)
{
    struct datetime t = { .precision = DATETIME_SECOND,
                          .nanosecond = nanosecond,
                          .offset = (int16_t)offset,
                          .digits = (uint8_t)digits };
    if (seconds > INT64_MAX / 2 || seconds < INT64_MIN / 2 ||
        !set_seconds(&t, seconds + offset * INT64_C(60))) {
        return false;
    }
    *out = t;
    return true;
}

bool datetime_add_months(struct datetime *t, int64_t months)
{
    const int64_t most = INT64_C(12) * YEAR_MOST + MONTHS - 1; /* December of the last year */
    if (months > most || months < -most) {
        return false;
    }
    int64_t all = t->year * INT64_C(12) + t->month - 1 + months;
    if (all < MONTHS || all > most) {
        return false;
    }
    t->year = (int16_t)(all / MONTHS);
    t->month = (uint8_t)(all % MONTHS + 1);
    int days = datetime_days_in(t->year, t->month);
    t->day = t->day < days ? t->day : (uint8_t)days;
    return true;
}

/* The fraction of @t moved by @nanoseconds; whole seconds that come or go by it. */
static uint32_t move_fraction(const struct datetime *t, int64_t nanoseconds, int64_t *seconds)
{
    int64_t fraction = t->nanosecond + nanoseconds % DATETIME_NANOSECONDS;
    int64_t carry = floor_divide(fraction, DATETIME_NANOSECONDS);
    *seconds = nanoseconds / DATETIME_NANOSECONDS + carry;
    return (uint32_t)(fraction - carry * DATETIME_NANOSECONDS);
}

bool datetime_add_seconds(struct datetime *t, int64_t seconds, int64_t nanoseconds)
{
    int64_t more;
    uint32_t fraction = move_fraction(t, nanoseconds, &more);
    if (__builtin_add_overflow(seconds, more, &seconds) ||
        __builtin_add_overflow(seconds, datetime_seconds(t), &seconds) ||
        !set_seconds(t, seconds)) {
        return false;
    }
    t->nanosecond = fraction;
    return true;
}

void datetime_turn(struct datetime *t, int64_t seconds, int64_t nanoseconds)
{
    int64_t more;
    t->nanosecond = move_fraction(t, nanoseconds, &more);
    int64_t moved = datetime_seconds(t) + seconds % DATETIME_SECONDS_OF_DAY +
                    more % DATETIME_SECONDS_OF_DAY;
    set_clock(t,
              moved - floor_divide(moved, DATETIME_SECONDS_OF_DAY) * DATETIME_SECONDS_OF_DAY);
}

/* --- order -------------------------------------------------------------------------------- */

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Part @i of a datetime, as precisions count. */
static int64_t part(const struct datetime *t, int i)
{
    switch (i) {
    case DATETIME_YEAR: return t->year;
    case DATETIME_MONTH: return t->month;
    case DATETIME_DAY: return t->day;
    case DATETIME_HOUR: return t->hour;
    case DATETIME_MINUTE: return t->minute;
    default: return t->second * INT64_C(1000000000) + t->nanosecond;
    }
}

static int compare_parts(const struct datetime *a, const struct datetime *b, int *order)
{
    for (int i = DATETIME_YEAR; i <= a->precision && i <= b->precision; i++) {
        int found = order_of(part(a, i), part(b, i));
        if (found) {
            *order = found;
            return 0;
        }
    }
    if (a->precision != b->precision) {
        return DATETIME_E_UNSURE;
    }
    *order = 0;
    return 0;
}

/* The same moment told in UTC; beyond the years that there are, as it is. */
static struct datetime in_utc(struct datetime t)
{
    struct datetime moved = t;
    return set_seconds(&moved, datetime_seconds(&t) - t.offset * INT64_C(60)) ? moved : t;
}

static bool has_clock(const struct datetime *t)
{
    return t->precision >= DATETIME_HOUR;
}

/* @a has an offset, @b has none: compare @b as if it were in the first zone, and in the last.
 */
static int compare_unknown_zone(const struct datetime *a, const struct datetime *b, int *order)
{
    struct datetime known = in_utc(*a);
    struct datetime first = *b;
    struct datetime last = *b;
    int orders[2];
    first.offset = DATETIME_OFFSET_MOST;
    last.offset = DATETIME_OFFSET_LEAST;
    first = in_utc(first);
    last = in_utc(last);
    if (compare_parts(&known, &first, &orders[0]) || compare_parts(&known, &last, &orders[1]) ||
        orders[0] != orders[1]) {
        return DATETIME_E_UNSURE;
    }
    *order = orders[0];
    return 0;
}

int datetime_compare(const struct datetime *a, const struct datetime *b, int *order)
{
    bool known_a = a->offset != DATETIME_NO_OFFSET;
    bool known_b = b->offset != DATETIME_NO_OFFSET;
    if (known_a && known_b) {
        struct datetime left = in_utc(*a);
        struct datetime right = in_utc(*b);
        return compare_parts(&left, &right, order);
    }
    if (known_a && has_clock(b)) {
        return compare_unknown_zone(a, b, order);
    }
    if (known_b && has_clock(a)) {
        int r = compare_unknown_zone(b, a, order);
        *order = r ? *order : -*order;
        return r;
    }
    return compare_parts(a, b, order);
}

/* --- what a value may mean ---------------------------------------------------------------- */

static struct datetime cut(struct datetime t, enum datetime_precision precision, int digits)
{
    t.precision = (uint8_t)precision;
    t.digits = (uint8_t)(precision == DATETIME_SECOND ? digits : 0);
    uint32_t unit = DATETIME_NANOSECONDS;
    for (int i = 0; i < t.digits; i++) {
        unit /= 10;
    }
    t.nanosecond -= t.nanosecond % unit;
    if (precision < DATETIME_HOUR) {
        t.offset = DATETIME_NO_OFFSET;
    }
    return t;
}

struct datetime datetime_first(struct datetime t, enum datetime_precision precision, int digits)
{
    if (t.offset == DATETIME_NO_OFFSET) {
        t.offset = DATETIME_OFFSET_MOST;
    }
    return cut(t, precision, digits);
}

struct datetime datetime_last(struct datetime t, enum datetime_precision precision, int digits)
{
    uint32_t unit = DATETIME_NANOSECONDS;
    for (int i = 0; i < t.digits; i++) {
        unit /= 10;
    }
    t.month = t.precision < DATETIME_MONTH ? MONTHS : t.month;
    t.day = t.precision < DATETIME_DAY ? (uint8_t)datetime_days_in(t.year, t.month) : t.day;
    t.hour = t.precision < DATETIME_HOUR ? 23 : t.hour;
    t.minute = t.precision < DATETIME_MINUTE ? 59 : t.minute;
    t.second = t.precision < DATETIME_SECOND ? 59 : t.second;
    t.nanosecond += unit - 1;
    if (t.offset == DATETIME_NO_OFFSET) {
        t.offset = DATETIME_OFFSET_LEAST;
    }
    return cut(t, precision, digits);
}
