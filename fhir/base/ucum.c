/*
 * Reading of UCUM codes.
 *
 * A code is flattened into a list of units with powers, parentheses and strokes gone; each is
 * looked up, with a prefix if need be, and what it is defined by is read the same way, down to
 * the base units. Factors stay fractions of whole numbers and a power of ten, so that nothing
 * is rounded before a value is converted.
 */
#include "fhir/base/ucum.h"

#include "fhir/base/ucum_table.h"

#include <stdlib.h>

struct term {
    struct str code;
    int power;
};

struct terms {
    struct term list[UCUM_TERMS_MAX];
    size_t n;
};

static const struct {
    const char *code;
    const char *value;
} prefixes[] = {
    { "Y", "1e24" },  { "Z", "1e21" },     { "E", "1e18" },        { "P", "1e15" },
    { "T", "1e12" },  { "G", "1e9" },      { "M", "1e6" },         { "k", "1e3" },
    { "h", "1e2" },   { "da", "10" },      { "d", "1e-1" },        { "c", "1e-2" },
    { "m", "1e-3" },  { "u", "1e-6" },     { "n", "1e-9" },        { "p", "1e-12" },
    { "f", "1e-15" }, { "a", "1e-18" },    { "z", "1e-21" },       { "y", "1e-24" },
    { "Ki", "1024" }, { "Mi", "1048576" }, { "Gi", "1073741824" }, { "Ti", "1099511627776" },
};

static bool read_within(struct str code, int depth, struct ucum *out);

/* --- the code as a list ------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i])) {
            return false;
        }
    }
    return s.n > 0;
}

/* Length of what begins @rest up to an operator that stands outside brackets. */
static size_t token_length(struct str rest)
{
    size_t n = 0;
    for (; n < rest.n && !strchr("./(){}", rest.p[n]); n++) {
        const char *close = rest.p[n] == '[' ? memchr(rest.p + n, ']', rest.n - n) : NULL;
        n = close ? (size_t)(close - rest.p) : n;
    }
    return n;
}

/* Split "cm-2" into the unit and its power; a number has none of its own. */
static bool split_power(struct str token, struct term *out)
{
    size_t digits = 0;
    while (digits < token.n && is_digit(token.p[token.n - 1 - digits])) {
        digits++;
    }
    *out = (struct term){ .code = token, .power = 1 };
    if (digits == 0 || digits == token.n) {
        return token.n > 0;
    }
    size_t at = token.n - digits;
    int power = 0;
    for (size_t i = at; i < token.n && power <= UCUM_POWER_MAX; i++) {
        power = power * 10 + (token.p[i] - '0');
    }
    char sign = token.p[at - 1];
    bool has_sign = sign == '-' || sign == '+';
    out->code = str_slice(token, 0, at - has_sign);
    out->power = sign == '-' ? -power : power;
    return out->code.n > 0 && power <= UCUM_POWER_MAX;
}

static bool add_term(struct terms *terms, struct term term)
{
    if (terms->n == UCUM_TERMS_MAX) {
        return false;
    }
    terms->list[terms->n++] = term;
    return true;
}

/* Take {…} off @rest, if it begins so; false if it has no end. */
static bool skip_annotation(struct str *rest)
{
    if (!rest->n || rest->p[0] != '{') {
        return true;
    }
    const char *close = memchr(rest->p, '}', rest->n);
    *rest = str_slice(*rest, close ? (size_t)(close - rest->p) + 1 : rest->n, rest->n);
    return close != NULL;
}

/* One unit, or an annotation that stands for one. */
static bool take_unit(struct str *rest, int sign, struct terms *terms)
{
    struct term term;
    bool annotation = rest->n && rest->p[0] == '{';
    size_t n = token_length(*rest);
    struct str token = str_slice(*rest, 0, n);
    *rest = str_slice(*rest, n, rest->n);
    if (!skip_annotation(rest)) {
        return false;
    }
    if (annotation && !n) {
        return true;
    }
    if (!split_power(token, &term)) {
        return false;
    }
    term.power *= sign;
    return add_term(terms, term);
}

/* What stands before a unit: opening parentheses. @signs: of each open one. */
static bool take_opening(struct str *rest, int *sign, int *signs, int *depth)
{
    while (rest->n && rest->p[0] == '(') {
        if (*depth == UCUM_DEPTH_MAX) {
            return false;
        }
        signs[(*depth)++] = *sign;
        *rest = str_slice(*rest, 1, rest->n);
        if (rest->n && rest->p[0] == '/') {
            *sign = -*sign;
            *rest = str_slice(*rest, 1, rest->n);
        }
    }
    return true;
}

static bool flatten(struct str code, struct terms *terms)
{
    int signs[UCUM_DEPTH_MAX + 1] = { 1 };
    int depth = 0;
    int sign = 1;
    struct str rest = code;
    if (!rest.n || rest.n > UCUM_CODE_MAX) {
        return false;
    }
    if (rest.p[0] == '/') {
        sign = -1;
        rest = str_slice(rest, 1, rest.n);
    }
    for (;;) {
        if (!take_opening(&rest, &sign, signs, &depth) || !take_unit(&rest, sign, terms)) {
            return false;
        }
        while (depth && rest.n && rest.p[0] == ')') {
            depth--;
            rest = str_slice(rest, 1, rest.n);
        }
        if (!rest.n) {
            return depth == 0;
        }
        if (rest.p[0] != '.' && rest.p[0] != '/') {
            return false;
        }
        int outer = depth ? signs[depth - 1] : 1;
        sign = rest.p[0] == '/' ? -outer : outer;
        rest = str_slice(rest, 1, rest.n);
    }
}

/* --- what units mean ---------------------------------------------------------------------- */

static const struct ucum one = { .numerator = { .low = 1 },
                                 .denominator = { .low = 1 },
                                 .arbitrary = -1 };

static int compare_row(const void *key, const void *row)
{
    const struct str *code = key;
    return str_cmp(*code, str_z(((const struct ucum_row *)row)->code));
}

static const struct ucum_row *find_row(struct str code)
{
    return bsearch(&code, ucum_rows, ucum_rows_n, sizeof(ucum_rows[0]), compare_row);
}

/* Multiply @unit by the number @value. */
static bool scale_by(struct ucum *unit, struct str value)
{
    struct decimal d;
    if (!decimal_read(value, &d) || decimal_is_zero(&d)) {
        return false;
    }
    unit->power += decimal_normalise(&d);
    return decimal_multiply(&unit->numerator, &d, &unit->numerator);
}

static enum ucum_base base_of(const char *code)
{
    static const char letters[] = "msgrKCc"; /* in the order of enum ucum_base */
    return (enum ucum_base)(strchr(letters, code[0]) - letters);
}

static bool of_row(const struct ucum_row *row, int depth, struct ucum *out)
{
    *out = one;
    switch (row->kind) {
    case UCUM_BASE: out->bases[base_of(row->code)] = 1; return true;
    case UCUM_ARBITRARY:
        out->arbitrary = (int)(row - ucum_rows);
        out->arbitrary_power = 1;
        return true;
    case UCUM_OWN_SCALE:
        out->bases[UCUM_KELVIN] = 1;
        out->scale = row->code[0] == 'C' ? UCUM_CELSIUS : UCUM_FAHRENHEIT;
        return true;
    case UCUM_DEFINED:
        return read_within(str_z(row->unit), depth + 1, out) &&
               scale_by(out, str_z(row->value));
    }
    return false;
}

static bool of_unit(struct str code, int depth, struct ucum *out)
{
    if (is_number(code)) {
        *out = one;
        return scale_by(out, code);
    }
    const struct ucum_row *row = find_row(code);
    if (row) {
        return of_row(row, depth, out);
    }
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        struct str prefix = str_z(prefixes[i].code);
        row = str_starts(code, prefix) ? find_row(str_slice(code, prefix.n, code.n)) : NULL;
        if (row && row->metric && row->kind != UCUM_OWN_SCALE) {
            return of_row(row, depth, out) && scale_by(out, str_z(prefixes[i].value));
        }
    }
    return false;
}

/* @unit times one of @by, or divided by one. */
static bool multiply_once(struct ucum *unit, const struct ucum *by, int sign)
{
    bool up = sign > 0;
    unit->power += sign * by->power;
    for (int i = 0; i < UCUM_BASES; i++) {
        unit->bases[i] += sign * by->bases[i];
    }
    if (by->arbitrary >= 0 && unit->arbitrary >= 0 && by->arbitrary != unit->arbitrary) {
        return false;
    }
    if (by->arbitrary >= 0) {
        unit->arbitrary_power += sign * by->arbitrary_power;
        unit->arbitrary = unit->arbitrary_power ? by->arbitrary : -1;
    }
    return decimal_multiply(&unit->numerator, up ? &by->numerator : &by->denominator,
                            &unit->numerator) &&
           decimal_multiply(&unit->denominator, up ? &by->denominator : &by->numerator,
                            &unit->denominator);
}

static bool multiply(struct ucum *unit, const struct ucum *by, int power)
{
    int sign = power < 0 ? -1 : 1;
    for (int i = 0; i != power; i += sign) {
        if (!multiply_once(unit, by, sign)) {
            return false;
        }
    }
    return true;
}

static bool read_within(struct str code, int depth, struct ucum *out)
{
    struct terms terms = { .n = 0 };
    struct ucum unit = one;
    if (depth > UCUM_DEPTH_MAX || !flatten(code, &terms)) {
        return false;
    }
    for (size_t i = 0; i < terms.n; i++) {
        struct ucum part;
        if (!of_unit(terms.list[i].code, depth, &part)) {
            return false;
        }
        if (part.scale != UCUM_PROPORTIONAL) {
            *out = part;
            return terms.n == 1 && terms.list[i].power == 1;
        }
        if (!multiply(&unit, &part, terms.list[i].power)) {
            return false;
        }
    }
    *out = unit;
    return true;
}

bool ucum_read(struct str code, struct ucum *out)
{
    struct ucum unit;
    if (!read_within(code, 0, &unit)) {
        return false;
    }
    *out = unit;
    return true;
}

/* --- comparing and converting ------------------------------------------------------------- */

bool ucum_commensurable(const struct ucum *a, const struct ucum *b)
{
    return memcmp(a->bases, b->bases, sizeof(a->bases)) == 0 && a->arbitrary == b->arbitrary &&
           a->arbitrary_power == b->arbitrary_power;
}

/* How many of @to one of @from is: *@up / *@down × 10^*@power. */
static bool ratio(const struct ucum *from, const struct ucum *to, struct decimal *up,
                  struct decimal *down, int *power)
{
    *power = from->power - to->power;
    return decimal_multiply(&from->numerator, &to->denominator, up) &&
           decimal_multiply(&from->denominator, &to->numerator, down);
}

int ucum_compare(const struct ucum *a, const struct ucum *b)
{
    struct decimal up;
    struct decimal down;
    struct decimal shifted;
    int power;
    if (!ratio(a, b, &up, &down, &power)) {
        return 0;
    }
    if (power < 0) {
        bool fits = decimal_shift(&down, -power, &shifted);
        return fits ? decimal_compare(&up, &shifted) : -1;
    }
    return decimal_shift(&up, power, &shifted) ? decimal_compare(&shifted, &down) : 1;
}

/* 0 °C is 273.15 K; °F are (K × 9/5) - 459.67. */
static const struct decimal celsius_zero = { .low = 27315, .scale = 2 };
static const struct decimal fahrenheit_zero = { .low = 45967, .scale = 2 };
static const struct decimal five_ninths[] = { { .low = 5 }, { .low = 9 } };

static bool to_kelvin(const struct decimal *value, enum ucum_scale scale, struct decimal *out)
{
    *out = *value;
    switch (scale) {
    case UCUM_PROPORTIONAL: return true;
    case UCUM_CELSIUS: return decimal_add(value, &celsius_zero, out);
    case UCUM_FAHRENHEIT:
        return decimal_add(value, &fahrenheit_zero, out) &&
               decimal_multiply(out, &five_ninths[0], out) &&
               decimal_divide(out, &five_ninths[1], out);
    }
    return false;
}

static bool from_kelvin(const struct decimal *value, enum ucum_scale scale, struct decimal *out)
{
    *out = *value;
    switch (scale) {
    case UCUM_PROPORTIONAL: return true;
    case UCUM_CELSIUS: return decimal_subtract(value, &celsius_zero, out);
    case UCUM_FAHRENHEIT:
        return decimal_multiply(value, &five_ninths[1], out) &&
               decimal_divide(out, &five_ninths[0], out) &&
               decimal_subtract(out, &fahrenheit_zero, out);
    }
    return false;
}

bool ucum_convert(const struct decimal *value, const struct ucum *from, const struct ucum *to,
                  struct decimal *out)
{
    struct decimal d = *value;
    struct decimal up;
    struct decimal down;
    int power;
    if (!ucum_commensurable(from, to)) {
        return false;
    }
    if (from->scale == to->scale && from->scale != UCUM_PROPORTIONAL) {
        *out = d;
        return true;
    }
    if (!to_kelvin(&d, from->scale, &d) || !ratio(from, to, &up, &down, &power) ||
        !decimal_multiply(&d, &up, &d) || !decimal_shift(&d, power, &d)) {
        return false;
    }
    bool whole = decimal_compare(&down, &one.numerator) == 0;
    return (whole || decimal_divide(&d, &down, &d)) && from_kelvin(&d, to->scale, out);
}

/* --- codes of products -------------------------------------------------------------------- */

static bool is_one(struct str code)
{
    return str_eq(code, STR("1"));
}

/* Add @term to the list, joining powers of the same unit. */
static bool join_term(struct terms *terms, struct term term)
{
    if (is_one(term.code)) {
        return true;
    }
    for (size_t i = 0; i < terms->n; i++) {
        if (str_eq(terms->list[i].code, term.code) && !is_number(term.code)) {
            terms->list[i].power += term.power;
            return true;
        }
    }
    return add_term(terms, term);
}

static bool join_code(struct terms *terms, struct str code, int sign)
{
    struct terms more = { .n = 0 };
    struct ucum unit;
    if (!ucum_read(code, &unit) || unit.scale != UCUM_PROPORTIONAL || !flatten(code, &more)) {
        return false;
    }
    for (size_t i = 0; i < more.n; i++) {
        struct term term = more.list[i];
        term.power *= sign;
        if (!join_term(terms, term)) {
            return false;
        }
    }
    return true;
}

static void put_terms(const struct terms *terms, bool below, struct buf *out)
{
    for (size_t i = 0; i < terms->n; i++) {
        const struct term *term = &terms->list[i];
        if (term->power == 0 || (term->power < 0) != below) {
            continue;
        }
        if (below || out->n) {
            buf_c(out, below ? '/' : '.');
        }
        buf_str_put(out, term->code);
        int power = below ? -term->power : term->power;
        if (power != 1) {
            buf_i64(out, power);
        }
    }
}

bool ucum_product(struct str a, struct str b, bool divide, struct buf *out)
{
    char text[UCUM_CODE_MAX];
    struct buf code = buf_fixed(text, sizeof(text));
    struct terms terms = { .n = 0 };
    if (!join_code(&terms, a, 1) || !join_code(&terms, b, divide ? -1 : 1)) {
        return false;
    }
    put_terms(&terms, false, &code);
    put_terms(&terms, true, &code);
    if (!code.n) {
        buf_c(&code, '1');
    }
    if (buf_failed(&code)) {
        return false;
    }
    buf_str_put(out, buf_str(&code));
    return true;
}
