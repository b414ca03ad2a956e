/*
 * Reading a pattern into a tree, by descent into groups, whose depth is bounded.
 *
 * The first failure empties what is left to read, so all loops end by themselves.
 */
#include "fhir/base/regex_tree.h"

#include "crypto/base/hex.h"
#include "fhir/base/fold.h"
#include "fhir/base/utf8.h"

#include <errno.h>

static struct regex_tree *read_choice(struct regex_reader *r);

static void *fail(struct regex_reader *r, int why)
{
    r->failed = r->failed ? r->failed : why;
    r->rest = str_slice(r->rest, r->rest.n, r->rest.n);
    return NULL;
}

static bool next_is(const struct regex_reader *r, char c)
{
    return r->rest.n && r->rest.p[0] == c;
}

static bool take(struct regex_reader *r, const char *text)
{
    struct str want = str_z(text);
    bool there = str_starts(r->rest, want);
    if (there) {
        r->rest = str_slice(r->rest, want.n, r->rest.n);
    }
    return there;
}

static struct regex_tree *tree_new(struct regex_reader *r, enum regex_tree_kind kind)
{
    struct regex_tree *tree = arena_calloc(r->arena, 1, sizeof(*tree));
    if (!tree) {
        return fail(r, -ENOMEM);
    }
    tree->kind = kind;
    return tree;
}

static struct regex_tree *step(struct regex_reader *r, enum regex_op op, uint32_t x)
{
    struct regex_tree *tree = tree_new(r, REGEX_TREE_STEP);
    if (tree) {
        tree->op = op;
        tree->x = x;
    }
    return tree;
}

static struct regex_tree *character(struct regex_reader *r, uint32_t point)
{
    return step(r, REGEX_CHAR, r->flags & REGEX_IGNORE_CASE ? fold_lower(point) : point);
}

/* --- escapes ------------------------------------------------------------------------------ */

static uint32_t read_hex(struct regex_reader *r, size_t digits)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = i < r->rest.n ? hex_digit(r->rest.p[i]) : -1;
        if (digit < 0) {
            fail(r, REGEX_E_SYNTAX);
            return 0;
        }
        value = value * 16 + (uint32_t)digit;
    }
    r->rest = str_slice(r->rest, digits, r->rest.n);
    return value;
}

/* The character that an escape means; the backslash is gone, a shorthand isn't one. */
static uint32_t read_escape(struct regex_reader *r)
{
    if (!r->rest.n) {
        fail(r, REGEX_E_SYNTAX);
        return 0;
    }
    uint32_t point = utf8_next(&r->rest);
    switch (point) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'x': return read_hex(r, 2);
    case 'u': return read_hex(r, 4);
    default: break;
    }
    bool letter = (point | 0x20) >= 'a' && (point | 0x20) <= 'z' && point < REGEX_ASCII;
    if (letter || (point >= '0' && point <= '9')) {
        fail(r, REGEX_E_SYNTAX); /* a back reference, \p, or nothing known */
    }
    return point;
}

static uint32_t read_class_point(struct regex_reader *r)
{
    if (!r->rest.n) {
        fail(r, REGEX_E_SYNTAX);
        return 0;
    }
    return take(r, "\\") ? read_escape(r) : utf8_next(&r->rest);
}

/* One character, range or shorthand of a class. */
static void read_class_part(struct regex_reader *r, struct regex_ranges *ranges)
{
    if (r->rest.n > 1 && next_is(r, '\\') && regex_ranges_add_shorthand(ranges, r->rest.p[1])) {
        r->rest = str_slice(r->rest, 2, r->rest.n);
        return;
    }
    uint32_t from = take(r, "\\b") ? '\b' : read_class_point(r);
    uint32_t to = from;
    bool range = r->rest.n > 1 && next_is(r, '-') && r->rest.p[1] != ']';
    bool set_next = r->rest.n > 2 && r->rest.p[1] == '\\' && regex_is_shorthand(r->rest.p[2]);
    if (range && !set_next) {
        r->rest = str_slice(r->rest, 1, r->rest.n);
        to = read_class_point(r);
    }
    if (from > to) {
        fail(r, REGEX_E_SYNTAX);
    }
    regex_ranges_add(ranges, from, to);
}

static struct regex_tree *finish_class(struct regex_reader *r, struct regex_ranges *ranges,
                                       bool negated)
{
    if (r->failed || r->classes_n == REGEX_CLASSES_MAX) {
        return fail(r, REGEX_E_LIMIT);
    }
    int bad = regex_class_make(r->arena, ranges, negated, &r->classes[r->classes_n]);
    return bad ? fail(r, bad) : step(r, REGEX_CLASS, (uint32_t)r->classes_n++);
}

static struct regex_tree *read_class(struct regex_reader *r)
{
    struct regex_ranges ranges = { 0 };
    bool negated = take(r, "^");
    if (next_is(r, ']')) { /* first, it means itself */
        read_class_part(r, &ranges);
    }
    while (r->rest.n && !next_is(r, ']')) {
        read_class_part(r, &ranges);
    }
    if (!take(r, "]")) {
        return fail(r, REGEX_E_SYNTAX);
    }
    return finish_class(r, &ranges, negated);
}

/* --- the pattern -------------------------------------------------------------------------- */

static struct regex_tree *read_escaped(struct regex_reader *r)
{
    if (take(r, "b")) {
        return step(r, REGEX_WORD_EDGE, 0);
    }
    if (take(r, "B")) {
        return step(r, REGEX_NO_WORD_EDGE, 0);
    }
    struct regex_ranges ranges = { 0 };
    if (r->rest.n && regex_ranges_add_shorthand(&ranges, r->rest.p[0])) {
        r->rest = str_slice(r->rest, 1, r->rest.n);
        return finish_class(r, &ranges, false);
    }
    return character(r, read_escape(r));
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char lower = (char)(name.p[i] | 0x20);
        bool digit = name.p[i] >= '0' && name.p[i] <= '9';
        if (!(lower >= 'a' && lower <= 'z') && name.p[i] != '_' && !(digit && i)) {
            return false;
        }
    }
    return name.n > 0;
}

/* What follows "(": which group it is, 0 if none is kept. */
static uint32_t read_group_number(struct regex_reader *r)
{
    if (take(r, "?:")) {
        return 0;
    }
    if (r->groups == REGEX_GROUPS_MAX) {
        fail(r, REGEX_E_LIMIT);
        return 0;
    }
    if (take(r, "?<") || take(r, "?P<")) {
        const char *close = memchr(r->rest.p, '>', r->rest.n);
        struct str name = str_slice(r->rest, 0, close ? (size_t)(close - r->rest.p) : 0);
        struct str kept = arena_str(r->arena, name);
        if (!is_name(name) || !kept.p) {
            fail(r, is_name(name) ? -ENOMEM : REGEX_E_SYNTAX);
            return 0;
        }
        r->names[r->groups] = kept;
        r->rest = str_slice(r->rest, name.n + 1, r->rest.n);
    } else if (next_is(r, '?')) {
        fail(r, REGEX_E_SYNTAX);
        return 0;
    }
    return (uint32_t)r->groups++;
}

static struct regex_tree *read_group(struct regex_reader *r)
{
    if (r->depth++ == REGEX_DEPTH_MAX) {
        return fail(r, REGEX_E_LIMIT);
    }
    struct regex_tree *group = tree_new(r, REGEX_TREE_GROUP);
    uint32_t number = read_group_number(r);
    struct regex_tree *inner = read_choice(r);
    if (!group || r->failed || !take(r, ")")) {
        return fail(r, REGEX_E_SYNTAX);
    }
    group->x = number;
    group->first = inner;
    r->depth--;
    return group;
}

static struct regex_tree *read_atom(struct regex_reader *r)
{
    bool lines = r->flags & REGEX_LINES;
    if (take(r, "(")) {
        return read_group(r);
    }
    if (take(r, "[")) {
        return read_class(r);
    }
    if (take(r, ".")) {
        return step(r, REGEX_ANY, 0);
    }
    if (take(r, "^")) {
        return step(r, lines ? REGEX_LINE_BEGIN : REGEX_TEXT_BEGIN, 0);
    }
    if (take(r, "$")) {
        return step(r, lines ? REGEX_LINE_END : REGEX_TEXT_END, 0);
    }
    if (take(r, "\\")) {
        return read_escaped(r);
    }
    if (next_is(r, '*') || next_is(r, '+') || next_is(r, '?')) {
        return fail(r, REGEX_E_SYNTAX);
    }
    return character(r, utf8_next(&r->rest));
}

static bool read_count(struct str *rest, uint32_t *out)
{
    uint32_t value = 0;
    size_t n = 0;
    for (; n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9'; n++) {
        value = value > REGEX_REPEAT_MAX ? value : value * 10 + (uint32_t)(rest->p[n] - '0');
    }
    *rest = str_slice(*rest, n, rest->n);
    *out = value;
    return n > 0;
}

/* {n}, {n,} or {n,m}; a brace that opens none of these is a character like others. */
static bool read_braces(struct regex_reader *r, uint32_t *min, uint32_t *max)
{
    struct str rest = str_slice(r->rest, 1, r->rest.n);
    if (!next_is(r, '{') || !read_count(&rest, min)) {
        return false;
    }
    *max = *min;
    if (rest.n && rest.p[0] == ',') {
        rest = str_slice(rest, 1, rest.n);
        *max = read_count(&rest, max) ? *max : REGEX_UNBOUNDED;
    }
    if (!rest.n || rest.p[0] != '}') {
        return false;
    }
    r->rest = str_slice(rest, 1, rest.n);
    if (*min > REGEX_REPEAT_MAX ||
        (*max != REGEX_UNBOUNDED && (*max > REGEX_REPEAT_MAX || *max < *min))) {
        fail(r, *max < *min ? REGEX_E_SYNTAX : REGEX_E_LIMIT);
    }
    return true;
}

static bool read_repeat(struct regex_reader *r, uint32_t *min, uint32_t *max)
{
    *min = 0;
    *max = REGEX_UNBOUNDED;
    if (take(r, "*")) {
        return true;
    }
    if (take(r, "+")) {
        *min = 1;
        return true;
    }
    if (take(r, "?")) {
        *max = 1;
        return true;
    }
    return read_braces(r, min, max);
}

static struct regex_tree *read_piece(struct regex_reader *r)
{
    struct regex_tree *atom = read_atom(r);
    uint32_t min;
    uint32_t max;
    if (r->failed || !read_repeat(r, &min, &max)) {
        return atom;
    }
    struct regex_tree *repeat = tree_new(r, REGEX_TREE_REPEAT);
    if (!repeat) {
        return NULL;
    }
    repeat->first = atom;
    repeat->min = min;
    repeat->max = max;
    repeat->lazy = take(r, "?");
    if (next_is(r, '+') || next_is(r, '*') || next_is(r, '?')) {
        return fail(r, REGEX_E_SYNTAX);
    }
    return repeat;
}

static struct regex_tree *read_sequence(struct regex_reader *r)
{
    struct regex_tree *sequence = tree_new(r, REGEX_TREE_SEQUENCE);
    struct regex_tree **end = sequence ? &sequence->first : NULL;
    while (end && r->rest.n && !next_is(r, '|') && !next_is(r, ')')) {
        *end = read_piece(r);
        end = *end ? &(*end)->next : NULL;
    }
    return sequence;
}

static struct regex_tree *read_choice(struct regex_reader *r)
{
    struct regex_tree *choice = tree_new(r, REGEX_TREE_CHOICE);
    struct regex_tree *alternative = read_sequence(r);
    if (choice) {
        choice->first = alternative;
    }
    while (!r->failed && take(r, "|")) {
        alternative->next = read_sequence(r);
        alternative = alternative->next;
    }
    return choice;
}

struct regex_tree *regex_read(struct regex_reader *reader)
{
    struct regex_tree *tree = read_choice(reader);
    if (reader->rest.n) {
        return fail(reader, REGEX_E_SYNTAX); /* a parenthesis too many */
    }
    return reader->failed ? NULL : tree;
}
