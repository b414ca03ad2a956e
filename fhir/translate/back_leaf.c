/*
 * One primitive of FHIR to the text of a component.
 *
 * What the primitive was before it became FHIR's goes back as it was, where it still is what it
 * became. Times keep their precision and their offset.
 */
#include "fhir/translate/engine.h"

#include "crypto/base/base64.h"
#include "fhir/base/utf8.h"
#include "fhir/translate/back.h"
#include "fhir/v2/timestamp.h"

#include <errno.h>

enum {
    TIME_MAX = 48,
    FRACTION_MAX = 4, /* digits of a second that v2 has */
};

static enum back_result keep(struct back *b, const struct buf *text, struct str *out)
{
    *out = buf_failed(text) ? (struct str){ 0 } : arena_str(b->arena, buf_str(text));
    b->error = out->p ? b->error : -ENOMEM;
    return out->n ? BACK_FITS : BACK_NOTHING;
}

/* --- times ------------------------------------------------------------------------------ */

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Take @n digits off @rest to @out. */
static bool take_digits(struct str *rest, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i >= rest->n || !digit(rest->p[i])) {
            return false;
        }
    }
    buf_put(out, rest->p, n);
    *rest = str_slice(*rest, n, rest->n);
    return true;
}

static bool take(struct str *rest, char c)
{
    bool is = rest->n && rest->p[0] == c;
    *rest = str_slice(*rest, is, rest->n);
    return is;
}

/* "10:15:00.25" to "101500.25" */
static bool take_clock(struct str *rest, struct buf *out)
{
    if (!take_digits(rest, 2, out) || !take(rest, ':') || !take_digits(rest, 2, out)) {
        return false;
    }
    if (take(rest, ':') && !take_digits(rest, 2, out)) {
        return false;
    }
    if (!take(rest, '.')) {
        return true;
    }
    size_t n = 0;
    while (n < rest->n && digit(rest->p[n])) {
        n++;
    }
    buf_c(out, '.');
    buf_put(out, rest->p, n < FRACTION_MAX ? n : FRACTION_MAX);
    *rest = str_slice(*rest, n, rest->n);
    return n > 0;
}

/* "Z", "+02:00" to "+0000", "+0200" */
static bool take_offset(struct str *rest, struct buf *out)
{
    if (take(rest, 'Z')) {
        buf_z(out, "+0000");
        return true;
    }
    if (!rest->n || (rest->p[0] != '+' && rest->p[0] != '-')) {
        return true;
    }
    buf_c(out, rest->p[0]);
    *rest = str_slice(*rest, 1, rest->n);
    return take_digits(rest, 2, out) && take(rest, ':') && take_digits(rest, 2, out);
}

/* A date or point in time of FHIR as v2 writes it. */
static bool write_time(struct str text, struct buf *out)
{
    struct str rest = text;
    bool good = take_digits(&rest, 4, out);
    for (int i = 0; good && i < 2 && take(&rest, '-'); i++) {
        good = take_digits(&rest, 2, out);
    }
    if (good && take(&rest, 'T')) {
        good = take_clock(&rest, out) && take_offset(&rest, out);
    }
    return good && !rest.n;
}

static bool is_day(enum rule_type type)
{
    return type == TYPE_DATE || type == TYPE_DATETIME || type == TYPE_INSTANT;
}

/* Whether @original is still the time that @text is, as far as both say. */
static bool same_time(enum rule_type type, struct str original, struct str text)
{
    struct v2_timestamp t;
    char space[TIME_MAX];
    struct buf day = buf_fixed(space, sizeof(space));
    if (type == TYPE_TIME) {
        return v2_time_read(original, &t) == 0;
    }
    bool good = v2_timestamp_read(original, &t) == 0 && write_time(text, &day);
    size_t n = day.n < 8 ? day.n : 8;
    return good && (!text.n || (original.n >= n && memcmp(day.p, original.p, n) == 0));
}

static enum back_result time_leaf(struct back *b, enum rule_type type, struct str text,
                                  struct str original, struct str *out)
{
    if (original.n && same_time(type, original, text)) {
        *out = original;
        return BACK_FITS;
    }
    char space[TIME_MAX];
    struct buf written = buf_fixed(space, sizeof(space));
    struct str rest = text;
    bool good =
        is_day(type) ? write_time(text, &written) : take_clock(&rest, &written) && !rest.n;
    return good && !buf_failed(&written) ? keep(b, &written, out) : BACK_UNFIT;
}

/* --- codes ------------------------------------------------------------------------------ */

/* The code before the table for @code of @system; of several, @original if it is one. */
static enum back_result through(const struct rule_table *table, struct str system,
                                struct str code, struct str original, struct str *out)
{
    const struct rule_code *was = original.n ? leaf_lookup(table, original) : NULL;
    if (was && str_eq(was->code, code)) {
        *out = original;
        return BACK_FITS;
    }
    const struct rule_code *found = rule_table_back(table, system, code);
    found = found ? found : table->unread;
    *out = found ? found->from : (struct str){ 0 };
    return found ? BACK_FITS : BACK_UNFIT;
}

static enum back_result coding_leaf(const struct rule_table *table, const struct node *coding,
                                    struct str *out)
{
    struct str system = node_text(coding, "system");
    struct str code = node_text(coding, "code");
    const struct rule_code *found =
        system.n && code.n ? rule_table_back(table, system, code) : NULL;
    if (!found) {
        return BACK_NOTHING;
    }
    const struct node *member = node_get(coding, "code");
    struct str original = back_original(member);
    const struct rule_code *was = original.n ? leaf_lookup(table, original) : NULL;
    *out = was && str_eq(was->code, code) ? original : found->from;
    return BACK_FITS;
}

/* The first coding of a CodeableConcept that the table has. */
static enum back_result concept_leaf(const struct rule_table *table, const struct node *concept,
                                     struct str *out)
{
    const struct node *coding = node_first(node_get(concept, "coding"));
    for (; coding; coding = coding->next) {
        if (coding_leaf(table, coding, out) == BACK_FITS) {
            return BACK_FITS;
        }
    }
    return BACK_NOTHING;
}

/* The name of table 0396 for @system. */
static enum back_result system_leaf(struct back *b, const struct back_place *place,
                                    const struct rule *rule, struct str system, struct str *out)
{
    static const struct str own = STR_INIT("http://terminology.hl7.org/CodeSystem/v2-");
    bool given = rule->table_given && place->table && str_eq(place->table->source, system);
    bool named = place->at && node_get(place->at, "display");
    if (given && !named) {
        return BACK_NOTHING; /* a bare code of the field's own table */
    }
    const struct v2_assigners *assigners = &b->to->assigners;
    for (size_t i = 0; i < assigners->count; i++) {
        if (str_eq(assigners->list[i].system, system)) {
            *out = assigners->list[i].authority;
            return out->n ? BACK_FITS : BACK_NOTHING;
        }
    }
    const struct rule_code *known = rule_table_back(b->rules->coding_systems, STR(""), system);
    if (known) {
        *out = known->from;
        return BACK_FITS;
    }
    if (str_starts(system, STR("urn:oid:"))) {
        *out = str_slice(system, 8, system.n);
        return BACK_FITS;
    }
    if (!str_starts(system, own)) {
        *out = system;
        return system.n ? BACK_FITS : BACK_NOTHING;
    }
    struct buf text = arena_buf(b->arena, system.n);
    buf_z(&text, "HL7");
    buf_str_put(&text, str_slice(system, own.n, system.n));
    return keep(b, &text, out);
}

/* --- all -------------------------------------------------------------------------------- */

static enum back_result decoded_leaf(struct back *b, struct str text, struct str *out)
{
    size_t room = base64_room(text.n);
    uint8_t *p = arena_alloc(b->arena, room);
    size_t n = 0;
    if (!p) {
        b->error = -ENOMEM;
        return BACK_NOTHING;
    }
    if (base64_decode(BASE64_USUAL, text, p, room, &n) != 0 || !utf8_valid(str_of(p, n))) {
        return BACK_UNFIT;
    }
    *out = str_of(p, n);
    return n ? BACK_FITS : BACK_NOTHING;
}

static enum back_result boolean_leaf(struct str text, struct str original, struct str *out)
{
    bool yes = str_eq(text, STR("true"));
    *out = original.n ? original : yes ? STR("Y") : STR("N");
    return yes || str_eq(text, STR("false")) ? BACK_FITS : BACK_UNFIT;
}

static enum back_result number_leaf(struct str text, struct str original, struct str *out)
{
    bool same = original.n && leaf_compare(text, original) == RULE_EQUAL;
    *out = same ? original : text;
    return BACK_FITS; /* also one with an exponent: it is what it is */
}

enum back_result back_leaf_text(struct back *b, const struct back_place *place,
                                const struct rule *rule, struct str text, struct str original,
                                struct str *out)
{
    if (!text.n && !original.n) {
        return BACK_NOTHING;
    }
    if (rule->table && rule->type != TYPE_CODING && rule->type != TYPE_CONCEPT) {
        return through(rule->table, STR(""), text, original, out);
    }
    if (is_day(rule->type) || rule->type == TYPE_TIME) {
        return time_leaf(b, rule->type, text, original, out);
    }
    if (rule->type == TYPE_BOOLEAN) {
        return boolean_leaf(text, original, out);
    }
    if (rule->type == TYPE_INTEGER || rule->type == TYPE_POSITIVE ||
        rule->type == TYPE_DECIMAL) {
        return number_leaf(text, original, out);
    }
    if (rule->type == TYPE_ENCODED) {
        return decoded_leaf(b, text, out);
    }
    if (rule->type == TYPE_CODESYSTEM && !original.n) {
        return system_leaf(b, place, rule, text, out);
    }
    *out = original.n ? original : text; /* also a name of a system that isn't known */
    return BACK_FITS;
}

enum back_result back_leaf(struct back *b, const struct back_place *place,
                           const struct rule *rule, const struct node *node, struct str *out)
{
    const struct rule_table *table = rule->table_given ? place->table : rule->table;
    if (rule->type == TYPE_CODING) {
        return table ? coding_leaf(table, node, out) : BACK_NOTHING;
    }
    if (rule->type == TYPE_CONCEPT) {
        return table ? concept_leaf(table, node, out) : BACK_NOTHING;
    }
    struct str text = back_text(node);
    struct str original = back_original(node);
    if (!text.p && !original.n) {
        return node->kind == NODE_OBJECT && !node->name.n ? BACK_UNFIT : BACK_NOTHING;
    }
    text = text.p ? text : STR("");
    return back_leaf_text(b, place, rule, text, original, out);
}

/* --- assigning authorities ---------------------------------------------------------------- */

static void put_part(struct back *b, const struct back_spot *spot, uint8_t number,
                     struct str text)
{
    const struct rule_address at = { .segment = RULE_VALUE, .component = number };
    struct back_spot part = *spot;
    if (spot->subcomponent) {
        part.subcomponent +=
            number - 1u; /* of a component: the parts follow each other there */
    } else if (!back_spot_at(b, spot, &at, &part)) {
        return;
    }
    back_put(b, &part, text);
}

bool back_assigner(struct back *b, const struct back_spot *spot, const struct node *node)
{
    struct str uri = back_text(node);
    struct str was = back_original(node);
    static const struct {
        struct str lead;
        struct str kind;
    } kinds[] = { { STR_INIT("urn:oid:"), STR_INIT("ISO") },
                  { STR_INIT("urn:uuid:"), STR_INIT("UUID") },
                  { STR_INIT(""), STR_INIT("URI") } };
    const struct v2_assigners *assigners = &b->to->assigners;
    for (size_t i = 0; i < assigners->count; i++) {
        if (str_eq(assigners->list[i].system, uri)) {
            put_part(b, spot, 1, assigners->list[i].authority);
            return true;
        }
    }
    for (size_t i = 0; uri.n && i < ARRAY_LEN(kinds); i++) {
        if (str_starts(uri, kinds[i].lead)) {
            put_part(b, spot, 2, str_slice(uri, kinds[i].lead.n, uri.n));
            put_part(b, spot, 3, was.n ? was : kinds[i].kind);
            return true;
        }
    }
    return false;
}
