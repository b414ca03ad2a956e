/*
 * Bringing two quantities to one unit, and what follows from it.
 *
 * Where neither is a year or month of the calendar, both are units of UCUM. Where one is, the
 * other must be a calendar duration too.
 */
#include "fhir/path/quantity.h"

#include <errno.h>

static const struct {
    const char *name;
    const char *plural;
    const char *ucum;
    int32_t of_next; /* how many of the next one it has; of a month, how many days */
} durations[] = {
    [PATH_YEAR] = { "year", "years", "a", 12 },
    [PATH_MONTH] = { "month", "months", "mo", 30 },
    [PATH_WEEK] = { "week", "weeks", "wk", 7 },
    [PATH_DAY] = { "day", "days", "d", 24 },
    [PATH_HOUR] = { "hour", "hours", "h", 60 },
    [PATH_MINUTE] = { "minute", "minutes", "min", 60 },
    [PATH_SECOND] = { "second", "seconds", "s", 1000 },
    [PATH_MILLISECOND] = { "millisecond", "milliseconds", "ms", 1 },
};

enum {
    DAYS_OF_YEAR = 365,
};

/* --- units -------------------------------------------------------------------------------- */

static enum path_duration find_word(struct str unit)
{
    if (unit.n < sizeof("day") - 1 || !strchr("ymwdhs", unit.p[0])) {
        return PATH_NO_DURATION;
    }
    for (int i = 0; i < PATH_NO_DURATION; i++) {
        if (str_eq(unit, str_z(durations[i].name)) ||
            str_eq(unit, str_z(durations[i].plural))) {
            return (enum path_duration)i;
        }
    }
    return PATH_NO_DURATION;
}

static enum path_duration find_ucum(struct str unit)
{
    for (int i = 0; i < PATH_NO_DURATION; i++) {
        if (str_eq(unit, str_z(durations[i].ucum))) {
            return (enum path_duration)i;
        }
    }
    return PATH_NO_DURATION;
}

static bool is_long(enum path_duration duration)
{
    return duration == PATH_YEAR || duration == PATH_MONTH;
}

bool path_is_calendar_unit(struct str unit)
{
    return find_word(unit) != PATH_NO_DURATION;
}

void path_set_unit(struct path_quantity *quantity, struct str unit)
{
    quantity->unit = unit;
    quantity->calendar = path_is_calendar_unit(unit);
}

enum path_duration path_quantity_duration(const struct path_quantity *q)
{
    enum path_duration duration = q->calendar ? find_word(q->unit) : find_ucum(q->unit);
    bool own = q->calendar || q->element;
    return is_long(duration) && !own ? PATH_NO_DURATION : duration;
}

/* A code of UCUM, as remembered or read now; false if it isn't one. */
static bool read_code(struct path_units *units, struct str code, struct ucum *out)
{
    for (size_t i = 0; i < PATH_UNITS; i++) {
        if (units->list[i].n && str_eq(str_of(units->list[i].code, units->list[i].n), code)) {
            *out = units->list[i].unit;
            return units->list[i].known;
        }
    }
    bool known = ucum_read(code, out);
    if (code.n && code.n <= PATH_UNIT_SIZE) {
        size_t i = units->next;
        units->next = (units->next + 1) % PATH_UNITS;
        memcpy(units->list[i].code, code.p, code.n);
        units->list[i].n = code.n;
        units->list[i].known = known;
        units->list[i].unit = known ? *out : (struct ucum){ 0 };
    }
    return known;
}

/* The unit as UCUM knows it; false for what isn't one, and for long calendar durations. */
static bool read_unit(struct path_units *units, const struct path_quantity *q, bool loosely,
                      struct ucum *out)
{
    if (!q->calendar) {
        return read_code(units, q->unit, out);
    }
    enum path_duration duration = find_word(q->unit);
    return (loosely || !is_long(duration)) &&
           read_code(units, str_z(durations[duration].ucum), out);
}

/* --- calendar ----------------------------------------------------------------------------- */

/* How many of the finer duration @to one @from has. */
static int64_t calendar_factor(enum path_duration from, enum path_duration to)
{
    if (from == to) {
        return 1;
    }
    if (from == PATH_YEAR && to == PATH_MONTH) {
        return durations[PATH_YEAR].of_next;
    }
    int64_t factor = 1;
    if (is_long(from)) {
        factor = from == PATH_YEAR ? DAYS_OF_YEAR : durations[PATH_MONTH].of_next;
        from = PATH_DAY;
    }
    for (int i = (int)from; i < (int)to; i++) {
        factor *= durations[i].of_next;
    }
    return factor;
}

bool path_duration_convert(const struct decimal *value, enum path_duration from,
                           enum path_duration to, struct decimal *out)
{
    struct decimal factor;
    if (is_long(from) && to == PATH_WEEK) {
        struct decimal days;
        return path_duration_convert(value, from, PATH_DAY, &days) &&
               path_duration_convert(&days, PATH_DAY, PATH_WEEK, out);
    }
    if (from == PATH_WEEK && is_long(to)) {
        struct decimal days;
        return path_duration_convert(value, from, PATH_DAY, &days) &&
               path_duration_convert(&days, PATH_DAY, to, out);
    }
    if (from <= to) {
        factor = decimal_of(calendar_factor(from, to));
        return decimal_multiply(value, &factor, out);
    }
    factor = decimal_of(calendar_factor(to, from));
    return decimal_divide(value, &factor, out);
}

/* --- two in one unit ---------------------------------------------------------------------- */

static int common_calendar(const struct path_quantity *a, const struct path_quantity *b,
                           enum path_target target, struct path_common *out)
{
    enum path_duration of_a = path_quantity_duration(a);
    enum path_duration of_b = path_quantity_duration(b);
    if (of_a == PATH_NO_DURATION || of_b == PATH_NO_DURATION || !(a->calendar || a->element) ||
        !(b->calendar || b->element)) {
        return PATH_QUANTITY_E_UNITS;
    }
    bool take_a = target == PATH_COARSER ? of_a <= of_b : of_a >= of_b;
    enum path_duration to = take_a ? of_a : of_b;
    out->unit = take_a ? a : b;
    return path_duration_convert(&a->value, of_a, to, &out->a) &&
                   path_duration_convert(&b->value, of_b, to, &out->b)
               ? 0
               : PATH_QUANTITY_E_UNITS;
}

static int common_ucum(const struct path_quantity *a, const struct path_quantity *b,
                       const struct ucum *unit_a, const struct ucum *unit_b,
                       enum path_target target, struct path_common *out)
{
    if (!ucum_commensurable(unit_a, unit_b)) {
        return PATH_QUANTITY_E_UNITS;
    }
    int order = ucum_compare(unit_a, unit_b);
    bool take_a = target == PATH_COARSER ? order >= 0 : order <= 0;
    const struct ucum *to = take_a ? unit_a : unit_b;
    out->unit = take_a ? a : b;
    return ucum_convert(&a->value, unit_a, to, &out->a) &&
                   ucum_convert(&b->value, unit_b, to, &out->b)
               ? 0
               : PATH_QUANTITY_E_UNITS;
}

static bool same_unit(const struct path_quantity *a, const struct path_quantity *b)
{
    if (a->calendar && b->calendar) {
        return find_word(a->unit) == find_word(b->unit);
    }
    return a->calendar == b->calendar && str_eq(a->unit, b->unit);
}

int path_quantity_common(struct path_units *units, const struct path_quantity *a,
                         const struct path_quantity *b, enum path_target target, bool loosely,
                         struct path_common *out)
{
    struct ucum unit_a;
    struct ucum unit_b;
    if (same_unit(a, b)) {
        *out = (struct path_common){ .a = a->value, .b = b->value, .unit = a };
        return 0;
    }
    bool calendar = a->calendar || b->calendar;
    if (calendar && common_calendar(a, b, target, out) == 0) {
        return 0;
    }
    if (!read_unit(units, a, loosely, &unit_a) || !read_unit(units, b, loosely, &unit_b)) {
        return PATH_QUANTITY_E_UNITS;
    }
    return common_ucum(a, b, &unit_a, &unit_b, target, out);
}

/* --- arithmetic --------------------------------------------------------------------------- */

int path_quantity_add(struct path_units *units, const struct path_quantity *a,
                      const struct path_quantity *b, bool subtract, struct path_quantity *out)
{
    struct path_common common;
    struct decimal sum;
    if (path_quantity_common(units, a, b, PATH_FINER, false, &common)) {
        return PATH_QUANTITY_E_UNITS;
    }
    enum path_duration of_a = path_quantity_duration(a);
    enum path_duration of_b = path_quantity_duration(b);
    bool approximate = of_a != of_b && (is_long(of_a) || is_long(of_b));
    bool fits = subtract ? decimal_subtract(&common.a, &common.b, &sum)
                         : decimal_add(&common.a, &common.b, &sum);
    if (approximate || !fits) {
        return PATH_QUANTITY_E_UNITS;
    }
    *out = (struct path_quantity){ .value = sum };
    enum path_duration duration = path_quantity_duration(common.unit);
    if (a->calendar != b->calendar && duration != PATH_NO_DURATION) {
        path_set_unit(out, str_z(durations[duration].plural));
    } else {
        path_set_unit(out, common.unit->unit);
    }
    return 0;
}

static bool is_one(const struct path_quantity *q)
{
    return !q->calendar && str_eq(q->unit, STR("1"));
}

static int product_unit(struct arena *arena, const struct path_quantity *a,
                        const struct path_quantity *b, bool divide, struct str *out)
{
    char text[UCUM_CODE_MAX];
    struct buf code = buf_fixed(text, sizeof(text));
    if (is_one(b)) {
        *out = a->unit;
        return 0;
    }
    if (is_one(a) && !divide) {
        *out = b->unit;
        return 0;
    }
    if (a->calendar || b->calendar || !ucum_product(a->unit, b->unit, divide, &code)) {
        return PATH_QUANTITY_E_UNITS;
    }
    *out = arena_str(arena, buf_str(&code));
    return out->p ? 0 : -ENOMEM;
}

int path_quantity_multiply(struct arena *arena, const struct path_quantity *a,
                           const struct path_quantity *b, bool divide,
                           struct path_quantity *out)
{
    struct path_quantity product = { 0 };
    struct str unit;
    bool fits = divide ? decimal_divide(&a->value, &b->value, &product.value)
                       : decimal_multiply(&a->value, &b->value, &product.value);
    int r = fits ? product_unit(arena, a, b, divide, &unit) : PATH_QUANTITY_E_UNITS;
    if (!r) {
        path_set_unit(&product, unit);
        *out = product;
    }
    return r;
}

int path_quantity_convert(struct path_units *units, const struct path_quantity *q,
                          struct str unit, struct path_quantity *out)
{
    struct path_quantity result = { 0 };
    struct ucum from;
    struct ucum to;
    path_set_unit(&result, unit);
    enum path_duration of_q = q->calendar ? find_word(q->unit) : PATH_NO_DURATION;
    enum path_duration target = result.calendar ? find_word(unit) : find_ucum(unit);
    bool fits = false;
    if (same_unit(q, &result)) {
        result.value = q->value;
        fits = true;
    } else if (of_q != PATH_NO_DURATION && target != PATH_NO_DURATION) {
        fits = path_duration_convert(&q->value, of_q, target, &result.value);
    } else {
        struct str code = result.calendar ? str_z(durations[target].ucum) : unit;
        fits = read_unit(units, q, false, &from) && read_code(units, code, &to) &&
               ucum_convert(&q->value, &from, &to, &result.value);
    }
    if (!fits) {
        return PATH_QUANTITY_E_UNITS;
    }
    *out = result;
    return 0;
}

/* --- text --------------------------------------------------------------------------------- */

static bool is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '+' || c == '-';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char lower = (char)(s.p[i] | 0x20);
        if (lower < 'a' || lower > 'z') {
            return false;
        }
    }
    return s.n > 0;
}

bool path_quantity_read(struct str text, struct path_quantity *out)
{
    struct path_quantity q = { .unit = STR("1") };
    size_t n = 0;
    while (n < text.n && is_of_number(text.p[n])) {
        n++;
    }
    if (!decimal_read(str_slice(text, 0, n), &q.value)) {
        return false;
    }
    while (n < text.n && is_blank(text.p[n])) {
        n++;
    }
    struct str unit = str_slice(text, n, text.n);
    if (unit.n > 2 && unit.p[0] == '\'' && unit.p[unit.n - 1] == '\'') {
        path_set_unit(&q, str_slice(unit, 1, unit.n - 1));
    } else if (unit.n) {
        path_set_unit(&q, unit);
        if (!is_word(unit) || !q.calendar) {
            return false;
        }
    }
    *out = q;
    return true;
}

void path_quantity_put(struct buf *b, const struct path_quantity *q)
{
    decimal_put(b, &q->value);
    buf_c(b, ' ');
    if (q->calendar) {
        buf_str_put(b, q->unit);
        return;
    }
    buf_c(b, '\'');
    buf_str_put(b, q->unit);
    buf_c(b, '\'');
}
