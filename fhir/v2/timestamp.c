/* Reading dates and times, two digits at a time. */
#include "fhir/v2/timestamp.h"

enum {
    OFFSET_MOST = 14 * 60, /* minutes */
};

/* @count digits off the front of @rest; -1 if they aren't there. */
static int digits(struct str *rest, size_t count)
{
    if (rest->n < count) {
        return -1;
    }
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        if (rest->p[i] < '0' || rest->p[i] > '9') {
            return -1;
        }
        value = value * 10 + (rest->p[i] - '0');
    }
    *rest = str_slice(*rest, count, rest->n);
    return value;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* "±ZZZZ" off the end of @text; false if there is something else after a sign. */
static bool take_offset(struct str *text, struct v2_timestamp *t)
{
    size_t at = text->n;
    while (at > 0 && text->p[at - 1] != '+' && text->p[at - 1] != '-') {
        at--;
    }
    if (at == 0) {
        return true;
    }
    struct str zone = str_slice(*text, at, text->n);
    int hours = digits(&zone, 2);
    int minutes = digits(&zone, 2);
    if (hours < 0 || minutes < 0 || minutes > 59 || zone.n ||
        hours * 60 + minutes > OFFSET_MOST) {
        return false;
    }
    t->has_offset = true;
    t->offset = hours * 60 + minutes;
    if (text->p[at - 1] == '-') {
        t->offset = -t->offset;
    }
    *text = str_slice(*text, 0, at - 1);
    return true;
}

/* ".S…" with one to nine digits, nothing after it. */
static bool read_fraction(struct str rest, struct v2_timestamp *t)
{
    if (rest.n < 2 || rest.n > 10 || rest.p[0] != '.') {
        return false;
    }
    struct str fraction = str_slice(rest, 1, rest.n);
    for (size_t i = 0; i < fraction.n; i++) {
        if (fraction.p[i] < '0' || fraction.p[i] > '9') {
            return false;
        }
    }
    t->fraction = fraction;
    t->precision = V2_FRACTION;
    return true;
}

/* HH[MM[SS[.S…]]] */
static int read_clock(struct str rest, struct v2_timestamp *t)
{
    static const int most[] = { 23, 59, 60 };
    int *const parts[] = { &t->hour, &t->minute, &t->second };
    for (size_t i = 0; i < ARRAY_LEN(parts) && rest.n; i++) {
        *parts[i] = digits(&rest, 2);
        if (*parts[i] < 0 || *parts[i] > most[i]) {
            return V2_TIMESTAMP_E_FORM;
        }
        t->precision = (enum v2_precision)(V2_HOUR + (int)i);
    }
    if (rest.n && !(t->precision == V2_SECOND && read_fraction(rest, t))) {
        return V2_TIMESTAMP_E_FORM;
    }
    return 0;
}

/* What follows a month or day of 00 must be zeros too. */
static bool only_zeros(struct str rest)
{
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] != '0') {
            return false;
        }
    }
    return true;
}

int v2_timestamp_read(struct str text, struct v2_timestamp *out)
{
    struct v2_timestamp t = { .month = 1, .day = 1 };
    struct str rest = text;
    if (!take_offset(&rest, &t)) {
        return V2_TIMESTAMP_E_FORM;
    }
    t.year = digits(&rest, 4);
    if (t.year <= 0) {
        return V2_TIMESTAMP_E_FORM;
    }
    t.precision = V2_YEAR;
    for (int part = 0; part < 2 && rest.n; part++) {
        int value = digits(&rest, 2);
        if (value == 0 && only_zeros(rest)) {
            rest = (struct str){ 0 };
            break;
        }
        if (value < 1 || value > (part == 0 ? 12 : days_in(t.year, t.month))) {
            return V2_TIMESTAMP_E_FORM;
        }
        *(part == 0 ? &t.month : &t.day) = value;
        t.precision = part == 0 ? V2_MONTH : V2_DAY;
    }
    if (rest.n && read_clock(rest, &t) != 0) {
        return V2_TIMESTAMP_E_FORM;
    }
    *out = t;
    return 0;
}

int v2_time_read(struct str text, struct v2_timestamp *out)
{
    struct v2_timestamp t = { .month = 1, .day = 1 };
    struct str rest = text;
    if (!take_offset(&rest, &t) || rest.n == 0 || read_clock(rest, &t) != 0) {
        return V2_TIMESTAMP_E_FORM;
    }
    *out = t;
    return 0;
}
