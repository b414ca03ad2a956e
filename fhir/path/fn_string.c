/* Functions on Strings. Places and lengths count characters. */
#include "fhir/base/fold.h"
#include "fhir/base/utf8.h"
#include "fhir/path/functions.h"

#include <errno.h>

/* The input and argument 0, both Strings; @there: whether both are there. */
static int read_two(struct path_machine *m, const struct path_call *call, struct str *input,
                    struct str *argument, bool *there)
{
    bool argument_there;
    *there = false;
    int r = path_argument_string(m, call, 0, argument, &argument_there);
    r = r ? r : path_input_string(m, call, input, there);
    *there = !r && *there && argument_there;
    return r;
}

/* Where @part begins in @s from @from on: an offset, or SIZE_MAX. */
static size_t find(struct str s, struct str part, size_t from)
{
    struct str rest = str_slice(s, from, s.n);
    if (!part.n) {
        return from <= s.n ? from : SIZE_MAX;
    }
    const char *p = rest.n ? memmem(rest.p, rest.n, part.p, part.n) : NULL;
    return p ? (size_t)(p - s.p) : SIZE_MAX;
}

/* A text that is about to be made out of the input, of @n bytes at least. */
static int begin_text(struct path_machine *m, size_t n, struct buf *out)
{
    int r = path_make_bytes(m, n);
    *out = arena_buf(m->arena, PATH_BYTES_MAX);
    return r;
}

static int give_text(struct path_machine *m, const struct path_call *call,
                     const struct buf *text)
{
    return buf_failed(text) ? -ENOMEM : path_give_string(m, call, buf_str(text));
}

/* --- looking ------------------------------------------------------------------------------ */

PATH_FUNCTION(length)
{
    struct str s;
    bool there;
    int r = path_input_string(m, call, &s, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_integer(m, call, (int64_t)utf8_count(s));
}

PATH_FUNCTION(starts_with)
{
    struct str s;
    struct str part;
    bool there;
    int r = read_two(m, call, &s, &part, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_boolean(m, call, str_starts(s, part));
}

PATH_FUNCTION(ends_with)
{
    struct str s;
    struct str part;
    bool there;
    int r = read_two(m, call, &s, &part, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_boolean(m, call, str_ends(s, part));
}

PATH_FUNCTION(contains)
{
    struct str s;
    struct str part;
    bool there;
    int r = read_two(m, call, &s, &part, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return path_give_boolean(m, call, find(s, part, 0) != SIZE_MAX);
}

static int give_place(struct path_machine *m, const struct path_call *call, struct str s,
                      size_t at)
{
    bool found = at != SIZE_MAX;
    return path_give_integer(m, call,
                             found ? (int64_t)utf8_count(str_slice(s, 0, at)) : INT64_C(-1));
}

PATH_FUNCTION(index_of)
{
    struct str s;
    struct str part;
    bool there;
    int r = read_two(m, call, &s, &part, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    return give_place(m, call, s, find(s, part, 0));
}

PATH_FUNCTION(last_index_of)
{
    struct str s;
    struct str part;
    bool there;
    int r = read_two(m, call, &s, &part, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    size_t at = s.n + 1;
    bool found = false;
    while (at-- > 0 && !found && !r) {
        found = str_starts(str_slice(s, at, s.n), part);
        r = path_step(m, 1 + part.n / 64);
    }
    return r ? r : give_place(m, call, s, found ? at + 1 : SIZE_MAX);
}

/* --- parts -------------------------------------------------------------------------------- */

/* @length: SIZE_MAX if it isn't limited; @there: false if the result is empty. */
static int read_range(struct path_machine *m, const struct path_call *call, size_t *start,
                      size_t *length, bool *there)
{
    int64_t from = 0;
    int64_t count = 0;
    bool limited;
    int r = path_argument_integer(m, call, 0, &from, there);
    r = r ? r : path_argument_integer(m, call, 1, &count, &limited);
    if (r) {
        return r;
    }
    *there = *there && from >= 0;
    *start = from > 0 ? (size_t)from : 0;
    *length = !limited ? SIZE_MAX : count > 0 ? (size_t)count : 0;
    return 0;
}

PATH_FUNCTION(substring)
{
    struct str s;
    size_t start;
    size_t length;
    bool in_range;
    bool there;
    int r = read_range(m, call, &start, &length, &in_range);
    r = r ? r : path_input_string(m, call, &s, &there);
    if (r || !there || !in_range) {
        return r ? r : path_give_nothing(m, call);
    }
    size_t from = utf8_offset(s, start);
    if (from == s.n) {
        return path_give_nothing(m, call);
    }
    struct str rest = str_slice(s, from, s.n);
    return path_give_string(m, call, str_slice(rest, 0, utf8_offset(rest, length)));
}

PATH_FUNCTION(to_chars)
{
    struct str s;
    bool there;
    int r = path_input_string(m, call, &s, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    m->n = call->base;
    while (s.n && !r) {
        struct str rest = s;
        (void)utf8_next(&rest);
        r = path_push(m, path_string(str_slice(s, 0, s.n - rest.n)));
        s = rest;
    }
    return r;
}

PATH_FUNCTION(split)
{
    struct str s;
    struct str part;
    bool there;
    int r = read_two(m, call, &s, &part, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    if (!part.n) {
        return path_fn_to_chars(m, call);
    }
    m->n = call->base;
    for (size_t from = 0; from != SIZE_MAX && !r;) {
        size_t at = find(s, part, from);
        r = path_push(m, path_string(str_slice(s, from, at)));
        from = at == SIZE_MAX ? SIZE_MAX : at + part.n;
    }
    return r;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

PATH_FUNCTION(trim)
{
    struct str s;
    bool there;
    int r = path_input_string(m, call, &s, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    while (s.n && is_blank(s.p[0])) {
        s = str_slice(s, 1, s.n);
    }
    while (s.n && is_blank(s.p[s.n - 1])) {
        s.n--;
    }
    return path_give_string(m, call, s);
}

/* --- new texts ---------------------------------------------------------------------------- */

static int change_case(struct path_machine *m, const struct path_call *call,
                       uint32_t (*fold)(uint32_t point))
{
    struct str s;
    struct buf text;
    bool there;
    int r = path_input_string(m, call, &s, &there);
    if (r || !there) {
        return r ? r : path_give_nothing(m, call);
    }
    r = begin_text(m, s.n, &text);
    while (s.n && !r) {
        char bytes[UTF8_LENGTH_MAX];
        size_t n = utf8_encode(fold(utf8_next(&s)), bytes);
        buf_put(&text, bytes, n);
    }
    return r ? r : give_text(m, call, &text);
}

PATH_FUNCTION(upper)
{
    return change_case(m, call, fold_upper);
}

PATH_FUNCTION(lower)
{
    return change_case(m, call, fold_lower);
}

/* Put @by between all characters of @s, and at both ends. */
static int surround(struct path_machine *m, struct str s, struct str by, struct buf *text)
{
    buf_str_put(text, by);
    int r = 0;
    while (s.n && !r) {
        struct str rest = s;
        (void)utf8_next(&rest);
        buf_str_put(text, str_slice(s, 0, s.n - rest.n));
        buf_str_put(text, by);
        r = path_make_bytes(m, by.n);
        s = rest;
    }
    return r;
}

static int replace_all(struct path_machine *m, struct str s, struct str part, struct str by,
                       struct buf *text)
{
    size_t from = 0;
    int r = 0;
    for (size_t at = find(s, part, 0); at != SIZE_MAX && !r; at = find(s, part, from)) {
        buf_str_put(text, str_slice(s, from, at));
        buf_str_put(text, by);
        r = path_make_bytes(m, by.n);
        from = at + part.n;
    }
    buf_str_put(text, str_slice(s, from, s.n));
    return r;
}

PATH_FUNCTION(replace)
{
    struct str s;
    struct str part;
    struct str by;
    struct buf text;
    bool there;
    bool by_there;
    int r = path_argument_string(m, call, 1, &by, &by_there);
    r = r ? r : read_two(m, call, &s, &part, &there);
    if (r || !there || !by_there) {
        return r ? r : path_give_nothing(m, call);
    }
    r = begin_text(m, s.n, &text);
    if (!r) {
        r = part.n ? replace_all(m, s, part, by, &text) : surround(m, s, by, &text);
    }
    return r ? r : give_text(m, call, &text);
}

static int join_items(struct path_machine *m, const struct path_call *call, struct str between,
                      struct buf *text)
{
    for (size_t i = 0; i < call->n; i++) {
        struct path_value item = m->items[call->base + i];
        int r = path_simple(m->schema, m->arena, &item, &item);
        if (r) {
            return r;
        }
        if (item.kind != PATH_STRING) {
            return path_fail(m, "an input that must be Strings");
        }
        r = path_make_bytes(m, item.string.n + between.n);
        if (r) {
            return r;
        }
        buf_str_put(text, i ? between : STR(""));
        buf_str_put(text, item.string);
    }
    return 0;
}

PATH_FUNCTION(join)
{
    struct str between = { 0 };
    struct buf text;
    bool there;
    int r = path_argument_string(m, call, 0, &between, &there);
    if (r || !call->n) {
        return r ? r : path_give_nothing(m, call);
    }
    r = begin_text(m, 0, &text);
    r = r ? r : join_items(m, call, between, &text);
    return r ? r : give_text(m, call, &text);
}
