/* FHIR date, dateTime and instant as spans of time, out of their parts. */
#include "fhir/base/instant.h"

#include "fhir/base/datetime.h"

static struct instant_span whole_days(int64_t from, int64_t until)
{
    return (struct instant_span){ .from = from * INSTANT_DAY_MS,
                                  .until = until * INSTANT_DAY_MS };
}

static struct instant_span date_span(const struct datetime *t)
{
    int64_t first = datetime_days(t->year, t->month, t->day);
    switch (t->precision) {
    case DATETIME_YEAR: return whole_days(first, datetime_days(t->year + 1, 1, 1));
    case DATETIME_MONTH: return whole_days(first, first + datetime_days_in(t->year, t->month));
    default: return whole_days(first, first + 1);
    }
}

static struct instant_span time_span(const struct datetime *t)
{
    int64_t offset = t->offset * INT64_C(60);
    int64_t from = (datetime_seconds(t) - offset) * 1000 + t->nanosecond / 1000000;
    int64_t length = 1000;
    for (int i = 0; i < t->digits && length > 1; i++) {
        length /= 10;
    }
    return (struct instant_span){ .from = from, .until = from + length };
}

bool instant_span(struct str text, struct instant_span *out)
{
    struct datetime t;
    if (!datetime_read(text, &t)) {
        return false;
    }
    if (t.precision <= DATETIME_DAY) {
        *out = date_span(&t);
        return true;
    }
    if (t.precision != DATETIME_SECOND || t.offset == DATETIME_NO_OFFSET) {
        return false;
    }
    *out = time_span(&t);
    return true;
}
