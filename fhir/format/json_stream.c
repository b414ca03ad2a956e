/*
 * yajl, guarded.
 *
 *   piece --> window --> scanner: where does the last whole token end? --> yajl
 *                                                         --> json_events --> nodes, events
 *
 * yajl copies a token that is cut off and looks at all of it again with each piece: quadratic
 * in the length of a string. So a scanner in front, which knows only "in a string" and "after
 * a backslash", holds the unfinished token back. yajl then always sees whole tokens, and texts
 * without escapes point into the window.
 *
 * What yajl lets through is checked here: bytes that aren't UTF-8, a byte order mark, form
 * feeds, lone surrogates, U+0000, depth and lengths. Its memory comes from malloc, because it
 * doesn't check for NULL: when memory is really out, the process ends. What it asks for is at
 * most four times the window, plus its tables.
 */
#include "fhir/base/utf8.h"
#include "fhir/format/json_stream_impl.h"
#include "fhir/format/json_tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
    WINDOW_FIRST = 48 << 10, /* holds a short answer; doubled, any piece and what was left */
};

/* ---- memory for yajl ---- */

static void *yajl_take(void *owner, size_t n)
{
    (void)owner;
    void *p = malloc(n);
    if (!p) {
        abort(); /* yajl would write to NULL */
    }
    return p;
}

static void *yajl_more(void *owner, void *p, size_t n)
{
    (void)owner;
    void *more = realloc(p, n);
    if (!more) {
        abort();
    }
    return more;
}

static void yajl_give(void *owner, void *p)
{
    (void)owner;
    free(p);
}

int json_stream_fail(struct json_stream *stream, int result, const char *reason, size_t place)
{
    stream->result = result;
    stream->reason = reason;
    stream->place = place;
    return result;
}

/* ---- making and ending ---- */

static int grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : WINDOW_FIRST;
    while (cap < need) {
        cap *= 2; /* far from overflow: the limit bounds it */
    }
    cap = cap < b->limit ? cap : b->limit;
    char *p = realloc(b->p, cap);
    if (!p) {
        return -ENOMEM;
    }
    b->p = p;
    b->cap = cap;
    return 0;
}

struct json_stream *json_stream_new(const struct json_stream_use *use)
{
    struct json_stream *s = calloc(1, sizeof(*s));
    if (!s) {
        return NULL;
    }
    yajl_alloc_funcs memory = { .malloc = yajl_take, .realloc = yajl_more, .free = yajl_give };
    s->use = *use;
    s->keep = SIZE_MAX;
    s->window = (struct buf){ .limit = use->held, .grow = grow };
    s->yajl = yajl_alloc(&json_stream_callbacks, &memory, s);
    yajl_config(s->yajl, yajl_dont_validate_strings, 1); /* we do, faster and stricter */
    return s;
}

void json_stream_free(struct json_stream *stream)
{
    if (stream) {
        yajl_free(stream->yajl);
        free(stream->window.p);
        free(stream);
    }
}

void json_stream_freep(struct json_stream **stream)
{
    json_stream_free(*stream);
}

/* ---- window ---- */

static void moved(struct json_stream *s, struct str from, const char *to)
{
    struct str moved_to = str_of(to, from.n);
    json_tree_text_moved(&s->name, from, moved_to);
    if (s->use.moved && from.n) {
        s->use.moved(s->use.owner, from, moved_to);
    }
}

/* Offset from which bytes must stay: what is kept or unread, and the name of what comes. */
static size_t needed(const struct json_stream *s)
{
    size_t from = s->keep < s->fed ? s->keep : s->fed;
    size_t name = (size_t)((uintptr_t)s->name.p - (uintptr_t)s->window.p);
    bool is_there = s->name.p && name < s->window.n;
    return is_there && s->base + name < from ? s->base + name : from;
}

/* Drop what nobody keeps, if that makes room for @more bytes and is worth the move. */
static void drop(struct json_stream *s, size_t more)
{
    size_t from = needed(s);
    size_t gone = from > s->base ? from - s->base : 0;
    bool cheap = gone == s->window.n || gone >= s->window.n / 2;
    if (!gone || !cheap || (s->window.cap - s->window.n >= more && gone < s->window.n)) {
        return;
    }
    struct str rest = str_of(s->window.p + gone, s->window.n - gone);
    buf_drop(&s->window, gone);
    s->base += gone;
    moved(s, rest, s->window.p);
}

static int append(struct json_stream *s, struct str piece)
{
    drop(s, piece.n);
    struct str before = buf_str(&s->window);
    if (piece.n > s->use.held - s->window.n) {
        return json_stream_fail(s, JSON_E_SYNTAX, "a part is larger than may be held", s->fed);
    }
    buf_put(&s->window, piece.p, piece.n);
    if (buf_failed(&s->window)) {
        return json_stream_fail(s, -ENOMEM, NULL, s->fed);
    }
    if (before.p && s->window.p != before.p) {
        moved(s, before, s->window.p); /* its old address is compared, never read */
    }
    return 0;
}

/* ---- feeding ---- */

/* What the scanner had no doubt about needs no closer look. */
static int checked(struct json_stream *s, struct str chunk, size_t offset)
{
    if (s->scan.odd <= offset) {
        return 0;
    }
    size_t valid = utf8_span(chunk);
    if (valid < chunk.n) {
        return json_stream_fail(s, JSON_E_SYNTAX, "not UTF-8", offset + valid);
    }
    if (!offset && str_starts(chunk, STR("\xEF\xBB\xBF"))) {
        return json_stream_fail(s, JSON_E_SYNTAX, "byte order mark", 0);
    }
    for (const char *c = "\f\v"; *c; c++) {
        const char *p = memchr(chunk.p, *c, chunk.n);
        if (p) {
            size_t place = offset + (size_t)(p - chunk.p);
            return json_stream_fail(s, JSON_E_SYNTAX, "not JSON", place);
        }
    }
    return 0;
}

static int yajl_result(struct json_stream *s, yajl_status status)
{
    s->fed = s->chunk_at + s->chunk.n;
    size_t at = s->chunk_at + yajl_get_bytes_consumed(s->yajl);
    s->chunk = (struct str){ 0 };
    if (status == yajl_status_ok) {
        return 0;
    }
    return s->result ? s->result : json_stream_fail(s, JSON_E_SYNTAX, "not JSON", at);
}

static int feed(struct json_stream *s, struct str chunk)
{
    if (!chunk.n) {
        return 0;
    }
    s->chunk_at = s->fed;
    int r = checked(s, chunk, s->chunk_at);
    if (r) {
        return r;
    }
    s->chunk = chunk;
    return yajl_result(s, yajl_parse(s->yajl, (const unsigned char *)chunk.p, chunk.n));
}

int json_stream_push(struct json_stream *stream, struct str piece)
{
    struct json_stream *s = stream;
    if (s->result || !piece.n) {
        return s->result;
    }
    int r = append(s, piece);
    if (r) {
        return r;
    }
    json_scan(&s->scan, piece, s->base + s->window.n - piece.n);
    struct str unread = json_stream_bytes(s, s->fed, s->base + s->window.n);
    return feed(s, str_slice(unread, 0, json_scan_whole(&s->scan, unread, s->fed)));
}

int json_stream_whole(struct json_stream *stream, struct str whole)
{
    if (whole.n > JSON_TEXT_MAX) {
        return json_stream_fail(stream, JSON_E_SYNTAX, "document too large", JSON_TEXT_MAX);
    }
    json_scan(&stream->scan, whole, 0);
    return feed(stream, whole);
}

int json_stream_finish(struct json_stream *stream)
{
    struct json_stream *s = stream;
    if (s->result) {
        return s->result;
    }
    int r = s->window.p ? feed(s, json_stream_bytes(s, s->fed, s->base + s->window.n)) : 0;
    if (r) {
        return r;
    }
    s->chunk_at = s->fed; /* yajl adds a space, which ends a number at the root */
    return yajl_result(s, yajl_complete_parse(s->yajl));
}

/* ---- asking ---- */

void json_stream_build(struct json_stream *stream, struct json_tree *tree)
{
    stream->tree = tree;
}

void json_stream_keep(struct json_stream *stream, size_t offset)
{
    stream->keep = offset;
}

struct str json_stream_bytes(const struct json_stream *stream, size_t start, size_t end)
{
    assert(start >= stream->base && start <= end && end <= stream->base + stream->window.n);
    return str_slice(buf_str(&stream->window), start - stream->base, end - stream->base);
}

size_t json_stream_received(const struct json_stream *stream)
{
    return stream->base + stream->window.n;
}

size_t json_stream_held(const struct json_stream *stream)
{
    return stream->window.n;
}

const char *json_stream_reason(const struct json_stream *stream)
{
    return stream->reason ? stream->reason : "not JSON";
}

size_t json_stream_place(const struct json_stream *stream)
{
    return stream->place;
}
