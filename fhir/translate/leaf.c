/*
 * One value of the message to one primitive of FHIR.
 *
 * Numbers stay the text they are wherever JSON allows that text. Times are in leaf_time.c,
 * documents in leaf_bytes.c.
 */
#include "fhir/translate/leaf.h"

#include "crypto/base/hex.h"
#include "fhir/v2/address.h"

#include <errno.h>

struct str leaf_trimmed(struct str s)
{
    if (s.n && !leaf_space(s.p[0]) && !leaf_space(s.p[s.n - 1])) {
        return s;
    }
    size_t from = 0;
    size_t to = s.n;
    while (from < to && leaf_space(s.p[from])) {
        from++;
    }
    while (to > from && leaf_space(s.p[to - 1])) {
        to--;
    }
    return str_slice(s, from, to);
}

static enum leaf_result text_leaf(struct element *out, struct str text)
{
    if (leaf_trimmed(text).n == 0) {
        return LEAF_NOTHING;
    }
    out->text = text;
    return LEAF_FITS;
}

/* A code, which has no spaces but single ones inside. */
static enum leaf_result code_leaf(struct element *out, struct str text)
{
    text = leaf_trimmed(text);
    for (size_t i = 1; i < text.n; i++) {
        if (leaf_space(text.p[i]) && (leaf_space(text.p[i - 1]) || text.p[i] != ' ')) {
            return LEAF_UNFIT;
        }
    }
    return text_leaf(out, text);
}

/* Whether character @i of @text may stand in a URI, or in an IRI that stands for one. */
static bool uri_takes(struct str text, size_t i)
{
    char c = text.p[i];
    if ((c >= 'a' && c <= 'z') || (c >= '-' && c <= ':')) {
        return true; /* most are: small letters, digits, "-./:" */
    }
    if (c == '%') {
        return i + 2 < text.n && hex_digit(text.p[i + 1]) >= 0 && hex_digit(text.p[i + 2]) >= 0;
    }
    return !leaf_space(c) && !strchr("\"<>\\^`{|}", c);
}

enum leaf_result leaf_uri(struct element *out, struct str text)
{
    text = leaf_trimmed(text);
    for (size_t i = 0; i < text.n; i++) {
        if (!uri_takes(text, i)) {
            return LEAF_UNFIT;
        }
    }
    return text_leaf(out, text);
}

/* An id: up to 64 letters, digits, hyphens and full stops. */
static enum leaf_result id_leaf(struct element *out, struct str text)
{
    text = leaf_trimmed(text);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.') {
            return LEAF_UNFIT;
        }
    }
    return text.n > 64 ? LEAF_UNFIT : text_leaf(out, text);
}

enum leaf_result leaf_keep(struct engine *e, struct element *out, const struct buf *b)
{
    out->text = arena_str(e->arena, buf_str(b));
    if (!out->text.p) {
        e->error = -ENOMEM;
        return LEAF_NOTHING;
    }
    return LEAF_FITS;
}

/* The code that @table lists for @code, or NULL. */
static const struct rule_code *listed(const struct rule_table *table, struct str code)
{
    int low = 0;
    int high = table->count - 1;
    while (low <= high) {
        int middle = (low + high) / 2;
        int order = str_cmp(code, table->codes[middle].from);
        if (order == 0) {
            return &table->codes[middle];
        }
        low = order > 0 ? middle + 1 : low;
        high = order > 0 ? high : middle - 1;
    }
    return NULL;
}

const struct rule_code *leaf_lookup(const struct rule_table *table, struct str code)
{
    const struct rule_code *found = listed(table, code);
    return found ? found : table->other;
}

bool leaf_lists(const struct rule_table *table, struct str code)
{
    return listed(table, leaf_trimmed(code)) != NULL;
}

/*
 * Replace @text by what @table has for it. What it was is kept beside it in @out where the way
 * back wouldn't find it.
 */
static enum leaf_result through(const struct rule_table *table, bool received, struct str *text,
                                struct element *out)
{
    *text = leaf_trimmed(*text);
    if (!text->n) {
        return LEAF_NOTHING;
    }
    const struct rule_code *code = leaf_lookup(table, *text);
    if (!code) {
        return LEAF_UNFIT;
    }
    if (code->lossy && !table->forward && code->code.n && received) {
        out->original = *text;
    }
    *text = code->code;
    return text->n ? LEAF_FITS : LEAF_NOTHING; /* known to have no counterpart */
}

static bool add_text(struct engine *e, struct element *object, const struct rule_name *name,
                     struct str text, bool plain)
{
    if (!text.n) {
        return true;
    }
    struct element *child = element_new(&e->pool, ELEMENT_STRING);
    if (!child) {
        e->error = -ENOMEM;
        return false;
    }
    child->text = text;
    child->plain = plain;
    element_append(object, child, name);
    return true;
}

/*
 * A Coding through a table; as CodeableConcept if @rule's type says so. What the code was is
 * kept beside it where it doesn't stand as a coding of its own.
 */
static enum leaf_result coding_leaf(struct engine *e, const struct rule *rule,
                                    const struct rule_table *table, struct element *out,
                                    struct str text)
{
    bool concept = rule->type == TYPE_CONCEPT;
    bool alone = rule->source == SOURCE_VALUE && !rule->table_given;
    const struct rule_code *code = table ? leaf_lookup(table, leaf_trimmed(text)) : NULL;
    if (!code || !code->code.n) {
        return LEAF_NOTHING;
    }
    static const struct rule_name system = RULE_NAME("system");
    static const struct rule_name value = RULE_NAME("code");
    static const struct rule_name display = RULE_NAME("display");
    struct element *coding = out;
    out->kind = ELEMENT_OBJECT;
    out->solid = true;
    if (concept) {
        static const struct rule_name name = RULE_NAME("coding");
        static const struct rule_step path[] = { { .name = &name, .item = ITEM_NEW } };
        coding = element_new(&e->pool, ELEMENT_OBJECT);
        if (!coding || !element_put(&e->pool, out, path, 1, coding, STR(""))) {
            e->error = -ENOMEM;
            return LEAF_NOTHING;
        }
    }
    struct str of = code->system.n ? code->system : table->system;
    bool done = add_text(e, coding, &system, of, table->plain) &&
                add_text(e, coding, &value, code->code, table->plain);
    if (done && code->lossy && alone && !table->forward) {
        coding->last->original = leaf_trimmed(text);
    }
    done = done && add_text(e, coding, &display, code->display, table->plain);
    return done ? LEAF_FITS : LEAF_NOTHING;
}

static bool any_of(struct str text, const struct str *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(text, list[i])) {
            return true;
        }
    }
    return false;
}

/* Table 0136, and what is seen instead of it. */
static enum leaf_result boolean_leaf(struct element *out, struct str text)
{
    static const struct str yes[] = { { "Y", 1 }, { "1", 1 }, { "YES", 3 }, { "Yes", 3 } };
    static const struct str no[] = { { "N", 1 }, { "0", 1 }, { "NO", 2 }, { "No", 2 } };
    text = leaf_trimmed(text);
    bool is = any_of(text, yes, ARRAY_LEN(yes));
    if (!is && !any_of(text, no, ARRAY_LEN(no))) {
        return text.n ? LEAF_UNFIT : LEAF_NOTHING;
    }
    out->kind = ELEMENT_LITERAL;
    out->original = str_eq(text, STR("Y")) || str_eq(text, STR("N")) ? STR("") : text;
    out->text = is ? STR("true") : STR("false");
    return LEAF_FITS;
}

size_t leaf_digits(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9') {
        n++;
    }
    return n;
}

/* A number taken apart. */
struct decimal {
    bool minus;
    bool plus;
    bool point;
    struct str whole;
    struct str fraction;
};

static bool read_decimal(struct str text, struct decimal *d)
{
    *d = (struct decimal){ .minus = text.n && text.p[0] == '-',
                           .plus = text.n && text.p[0] == '+' };
    struct str rest = str_slice(text, d->minus || d->plus ? 1 : 0, text.n);
    d->whole = str_slice(rest, 0, leaf_digits(rest));
    rest = str_slice(rest, d->whole.n, rest.n);
    d->point = rest.n && rest.p[0] == '.';
    if (d->point) {
        rest = str_slice(rest, 1, rest.n);
        d->fraction = str_slice(rest, 0, leaf_digits(rest));
        rest = str_slice(rest, d->fraction.n, rest.n);
    }
    return !rest.n && (d->whole.n || d->fraction.n);
}

bool leaf_is_number(struct str text)
{
    struct decimal d;
    return read_decimal(leaf_trimmed(text), &d);
}

/* @s without the zeros at its end, if @end, else at its start. */
static struct str without_zeros(struct str s, bool end)
{
    while (s.n && (end ? s.p[s.n - 1] : s.p[0]) == '0') {
        s = end ? str_slice(s, 0, s.n - 1) : str_slice(s, 1, s.n);
    }
    return s;
}

uint8_t leaf_compare(struct str a, struct str b)
{
    struct decimal x;
    struct decimal y;
    if (!read_decimal(leaf_trimmed(a), &x) || !read_decimal(leaf_trimmed(b), &y)) {
        return 0;
    }
    struct str whole[] = { without_zeros(x.whole, false), without_zeros(y.whole, false) };
    struct str part[] = { without_zeros(x.fraction, true), without_zeros(y.fraction, true) };
    bool minus[] = { x.minus && whole[0].n + part[0].n, y.minus && whole[1].n + part[1].n };
    int order = (whole[0].n > whole[1].n) - (whole[0].n < whole[1].n);
    order = order ? order : str_cmp(whole[0], whole[1]);
    order = order ? order : str_cmp(part[0], part[1]);
    order = minus[0] == minus[1] ? (minus[0] ? -order : order) : minus[1] - minus[0];
    return order < 0 ? RULE_LESS : order ? RULE_MORE : RULE_EQUAL;
}

/*
 * v2 allows a plus, leading zeros and a bare point, JSON doesn't: those few are written
 * anew, everything else stays as it is.
 */
static enum leaf_result decimal_leaf(struct engine *e, struct element *out, struct str text)
{
    struct decimal d;
    text = leaf_trimmed(text);
    if (!read_decimal(text, &d)) {
        return text.n ? LEAF_UNFIT : LEAF_NOTHING;
    }
    size_t zeros = 0;
    while (zeros + 1 < d.whole.n && d.whole.p[zeros] == '0') {
        zeros++;
    }
    out->kind = ELEMENT_LITERAL;
    if (d.whole.n && !zeros && !d.plus && (!d.point || d.fraction.n)) {
        out->text = text;
        return LEAF_FITS;
    }
    out->original = text;
    struct buf b = arena_buf(e->arena, text.n + 2);
    buf_z(&b, d.minus ? "-" : "");
    buf_str_put(&b, d.whole.n ? str_slice(d.whole, zeros, d.whole.n) : STR("0"));
    buf_z(&b, d.fraction.n ? "." : "");
    buf_str_put(&b, d.fraction);
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    out->text = buf_str(&b);
    return LEAF_FITS;
}

int64_t leaf_whole(struct str text)
{
    text = leaf_trimmed(text);
    int64_t n = 0;
    if (!text.n || text.n > 9 || leaf_digits(text) != text.n) {
        return -1;
    }
    for (size_t i = 0; i < text.n; i++) {
        n = n * 10 + (text.p[i] - '0');
    }
    return n;
}

static enum leaf_result integer_leaf(struct element *out, struct str text, bool positive)
{
    text = leaf_trimmed(text);
    struct str sent = text;
    while (text.n > 1 && text.p[0] == '0') {
        text = str_slice(text, 1, text.n);
    }
    if (text.n == 0) {
        return LEAF_NOTHING;
    }
    if (leaf_digits(text) != text.n || text.n > 9 || (positive && text.p[0] == '0')) {
        return LEAF_UNFIT;
    }
    out->kind = ELEMENT_LITERAL;
    out->original = sent.n == text.n ? STR("") : sent;
    out->text = text;
    return LEAF_FITS;
}

/* What a value such as D4 counts. */
static enum leaf_result digits_leaf(struct element *out, struct str text)
{
    text = leaf_trimmed(text);
    size_t from = text.n;
    while (from > 0 && text.p[from - 1] >= '0' && text.p[from - 1] <= '9') {
        from--;
    }
    bool none = text.n && from == text.n;
    return none ? LEAF_UNFIT : integer_leaf(out, str_slice(text, from, text.n), false);
}

/* What a coded or timed value says is its first component and subcomponent. */
static struct str first_part(const struct engine *e, struct str raw)
{
    const struct v2_delims *delims = &e->message->delims;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == delims->component || raw.p[i] == delims->subcomponent) {
            return str_slice(raw, 0, i);
        }
    }
    return raw;
}

bool leaf_is_whole(enum rule_type type)
{
    return type == TYPE_ASSIGNER || type == TYPE_ISSUER || type == TYPE_STRING ||
           type == TYPE_URI || type == TYPE_BASE64 || type == TYPE_HEX;
}

enum leaf_result leaf_convert(struct engine *e, const struct place *place,
                              const struct rule *rule, struct str raw, struct element *out)
{
    const struct rule_table *table = rule->table_given ? place->table : rule->table;
    if (rule->type == TYPE_ASSIGNER || rule->type == TYPE_ISSUER) {
        return leaf_assigner(e, out, raw);
    }
    if (rule->type == TYPE_ENCODED) {
        return leaf_encoded(e, rule, raw, out);
    }
    struct str text = raw;
    if (rule->source == SOURCE_VALUE) {
        text = source_text(e, leaf_is_whole(rule->type) ? raw : first_part(e, raw));
    }
    bool coded = rule->type == TYPE_CODING || rule->type == TYPE_CONCEPT;
    bool changed = rule->table && !coded && !rule->plus;
    bool received = rule->source == SOURCE_VALUE && !rule->weak;
    enum leaf_result r = changed ? through(rule->table, received, &text, out) : LEAF_FITS;
    if (r != LEAF_FITS) {
        return r;
    }
    if (rule->plus) {
        return leaf_later(e, place, rule, text, out);
    }
    /* A code of a table, or the message's own text, as it is or in parts. */
    out->plain = rule->table ? rule->table->plain
                             : e->simple && rule->source == SOURCE_VALUE &&
                                   rule->type != TYPE_CODESYSTEM;
    switch (rule->type) {
    case TYPE_STRING: return text_leaf(out, text);
    case TYPE_CODE: return code_leaf(out, text);
    case TYPE_URI: return leaf_uri(out, text);
    case TYPE_BOOLEAN: return boolean_leaf(out, text);
    case TYPE_INTEGER: return integer_leaf(out, text, false);
    case TYPE_POSITIVE: return integer_leaf(out, text, true);
    case TYPE_DIGITS: return digits_leaf(out, text);
    case TYPE_DECIMAL: return decimal_leaf(e, out, text);
    case TYPE_DATE: return leaf_date(e, out, text);
    case TYPE_DATETIME: return leaf_datetime(e, out, text);
    case TYPE_INSTANT: return leaf_instant(e, out, text);
    case TYPE_TIME: return leaf_time(e, out, text);
    case TYPE_BASE64: return leaf_base64(e, out, text);
    case TYPE_HEX: return leaf_hex(e, out, text);
    case TYPE_ID: return id_leaf(out, text);
    case TYPE_CODING:
    case TYPE_CONCEPT: return coding_leaf(e, rule, table, out, text);
    case TYPE_CODESYSTEM: return leaf_codesystem(e, out, text);
    case TYPE_ASSIGNER:
    case TYPE_ISSUER:
    case TYPE_ENCODED:
    case TYPE_REFERENCE:
    case TYPE_LINK:
    case TYPE_MAP:
    case TYPE_RESOURCE: break;
    }
    return LEAF_NOTHING;
}
