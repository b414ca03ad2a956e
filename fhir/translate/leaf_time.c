/*
 * Dates and times of the message to those of FHIR.
 *
 * Their precision is kept. A time with hours but without offset takes the sender's zone, or
 * loses its hours and keeps what it was beside it: nothing is invented. A time computed from
 * another and a duration has that one's offset.
 */
#include "fhir/translate/leaf.h"

#include "fhir/base/datetime.h"
#include "fhir/v2/address.h"
#include "fhir/v2/timestamp.h"

enum {
    TIME_SIZE = 48, /* of a FHIR dateTime as text, with all nine digits */
};

static void two(struct buf *b, int value)
{
    buf_c(b, (char)('0' + value / 10 % 10));
    buf_c(b, (char)('0' + value % 10));
}

static void write_date(struct buf *b, const struct v2_timestamp *t)
{
    two(b, t->year / 100);
    two(b, t->year % 100);
    if (t->precision >= V2_MONTH) {
        buf_c(b, '-');
        two(b, t->month);
    }
    if (t->precision >= V2_DAY) {
        buf_c(b, '-');
        two(b, t->day);
    }
}

static void write_clock(struct buf *b, const struct v2_timestamp *t)
{
    two(b, t->hour);
    buf_c(b, ':');
    two(b, t->minute);
    buf_c(b, ':');
    two(b, t->second);
    if (t->precision == V2_FRACTION) {
        buf_c(b, '.');
        buf_str_put(b, t->fraction);
    }
}

static void write_offset(struct buf *b, int offset)
{
    int minutes = offset < 0 ? -offset : offset;
    buf_c(b, offset < 0 ? '-' : '+');
    two(b, minutes / 60);
    buf_c(b, ':');
    two(b, minutes % 60);
}

/* @t, which has hours, in full. */
static void write_time(struct buf *b, const struct v2_timestamp *t, int offset)
{
    write_date(b, t);
    buf_c(b, 'T');
    write_clock(b, t);
    write_offset(b, offset);
}

/* The offset of @t: its own, or that of the sender's zone then; false if neither is known. */
static bool find_offset(const struct engine *e, const struct v2_timestamp *t, int *minutes)
{
    const struct translate_site *site = e->site;
    if (t->has_offset) {
        *minutes = t->offset;
        return true;
    }
    struct tm local = {
        .tm_year = t->year - 1900,
        .tm_mon = t->month - 1,
        .tm_mday = t->day,
        .tm_hour = t->hour,
        .tm_min = t->minute,
        .tm_sec = t->second,
        .tm_isdst = -1,
    };
    return site->zone.n && site->zone_offset &&
           site->zone_offset(site->zone_owner, site->zone, &local, minutes) == 0;
}

/* What @text became before: results often share the times of their order. */
static bool recall(struct engine *e, struct str text, struct element *out)
{
    for (size_t i = 0; i < TIMES; i++) {
        const struct told_time *told = &e->times[i];
        if (told->text.n && str_eq(told->raw, text)) {
            out->text = told->text;
            out->original = told->original;
            e->zoneless += told->zoneless;
            return true;
        }
    }
    return false;
}

static enum leaf_result convert(struct engine *e, struct element *out, struct str text)
{
    struct v2_timestamp t;
    if (v2_timestamp_read(text, &t) != 0) {
        return LEAF_UNFIT;
    }
    char space_for[TIME_SIZE];
    struct buf b = buf_fixed(space_for, sizeof(space_for));
    int offset = 0;
    if (t.precision <= V2_DAY || !find_offset(e, &t, &offset)) {
        bool lost = t.precision > V2_DAY;
        out->original = lost ? text : out->original;
        e->zoneless += lost;
        write_date(&b, &t);
        return leaf_keep(e, out, &b);
    }
    if (t.precision < V2_SECOND) {
        out->original = text; /* FHIR has no hours without seconds */
    }
    write_time(&b, &t, offset);
    return leaf_keep(e, out, &b);
}

enum leaf_result leaf_date(struct engine *e, struct element *out, struct str text)
{
    struct v2_timestamp t;
    text = leaf_trimmed(text);
    if (!text.n) {
        return LEAF_NOTHING;
    }
    if (v2_timestamp_read(text, &t) != 0) {
        return LEAF_UNFIT;
    }
    char space_for[TIME_SIZE];
    struct buf b = buf_fixed(space_for, sizeof(space_for));
    write_date(&b, &t);
    return leaf_keep(e, out, &b);
}

enum leaf_result leaf_datetime(struct engine *e, struct element *out, struct str text)
{
    text = leaf_trimmed(text);
    if (!text.n) {
        return LEAF_NOTHING;
    }
    if (recall(e, text, out)) {
        return LEAF_FITS;
    }
    size_t before = e->zoneless;
    enum leaf_result r = convert(e, out, text);
    if (r == LEAF_FITS) {
        e->times[e->time_count++ % TIMES] = (struct told_time){
            .raw = text,
            .text = out->text,
            .original = out->original,
            .zoneless = e->zoneless > before,
        };
    }
    return r;
}

/* An instant is at least a second with its offset. */
enum leaf_result leaf_instant(struct engine *e, struct element *out, struct str text)
{
    if (text.n > 10 && text.p[4] == '-') {
        out->text = text; /* ours, written as FHIR has it */
        return LEAF_FITS;
    }
    enum leaf_result r = leaf_datetime(e, out, text);
    if (r == LEAF_FITS && out->text.n <= 10) {
        out->original = (struct str){ 0 };
        return LEAF_NOTHING; /* a date is known better elsewhere */
    }
    return r;
}

/* Seconds of one @plus->unit, by the table of @rule; 0 if the unit isn't known. */
static int64_t seconds_of_unit(struct engine *e, const struct place *place,
                               const struct rule *rule)
{
    enum value_level level;
    struct str unit = { 0 };
    if (rule->plus->has_unit) {
        unit = source_find(e, place, &rule->plus->unit, &level);
    }
    if (v2_presence(unit) != V2_PRESENT) {
        return 60;
    }
    unit = leaf_trimmed(source_text(e, v2_part(unit, e->message->delims.component, 1)));
    const struct rule_code *code = rule->table ? leaf_lookup(rule->table, unit) : NULL;
    return code ? leaf_whole(code->code) : 0;
}

/* What @rule adds to a time, in seconds; false if it isn't known. */
static bool find_more(struct engine *e, const struct place *place, const struct rule *rule,
                      int64_t *seconds)
{
    enum value_level level;
    struct str raw = source_find(e, place, &rule->plus->amount, &level);
    int64_t amount = v2_presence(raw) == V2_PRESENT ? leaf_whole(raw) : 0;
    *seconds = amount > 0 ? amount * seconds_of_unit(e, place, rule) : 0;
    return *seconds > 0;
}

enum leaf_result leaf_later(struct engine *e, const struct place *place,
                            const struct rule *rule, struct str text, struct element *out)
{
    struct v2_timestamp t;
    int64_t more;
    int offset;
    if (v2_timestamp_read(leaf_trimmed(text), &t) != 0 || t.precision < V2_MINUTE ||
        !find_offset(e, &t, &offset) || !find_more(e, place, rule, &more)) {
        return LEAF_NOTHING;
    }
    struct datetime end = { .year = (int16_t)t.year,
                            .month = (uint8_t)t.month,
                            .day = (uint8_t)t.day,
                            .hour = (uint8_t)t.hour,
                            .minute = (uint8_t)t.minute,
                            .second = (uint8_t)t.second,
                            .precision = DATETIME_SECOND,
                            .offset = (int16_t)offset };
    if (!datetime_add_seconds(&end, more, 0)) {
        return LEAF_NOTHING;
    }
    t.year = end.year;
    t.month = end.month;
    t.day = end.day;
    t.hour = end.hour;
    t.minute = end.minute;
    t.second = end.second;
    char space_for[TIME_SIZE];
    struct buf b = buf_fixed(space_for, sizeof(space_for));
    write_time(&b, &t, offset);
    coverage_use_at(e, place, &rule->plus->amount);
    if (rule->plus->has_unit) {
        coverage_use_at(e, place, &rule->plus->unit);
    }
    return leaf_keep(e, out, &b);
}

enum leaf_result leaf_time(struct engine *e, struct element *out, struct str text)
{
    struct v2_timestamp t;
    text = leaf_trimmed(text);
    if (!text.n) {
        return LEAF_NOTHING;
    }
    if (v2_time_read(text, &t) != 0) {
        return LEAF_UNFIT;
    }
    char space_for[TIME_SIZE];
    struct buf b = buf_fixed(space_for, sizeof(space_for));
    write_clock(&b, &t);
    if (t.precision < V2_SECOND || t.has_offset) {
        out->original = text;
    }
    return leaf_keep(e, out, &b);
}
