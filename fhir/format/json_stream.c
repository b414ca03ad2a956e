/*
 * yajl, guarded.
 *
 *   piece --> window --> scanner: where does the last whole token end? --> yajl --> events
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
#include "fhir/format/json_stream.h"

#include "fhir/base/utf8.h"
#include "fhir/format/json_scan.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

enum {
    WINDOW_FIRST = 96 << 10, /* a usual piece and what was left of the one before */
};

/*
 * @base:    document offset of the window's first byte
 * @fed:     offset up to which yajl has read
 * @keep:    offset from which bytes are kept
 * @chunk:   what yajl reads at the moment, and where in the document it starts
 * @last:    end of the token before
 * @result:  what ended the reading
 */
struct json_stream {
    struct json_stream_use use;
    yajl_handle yajl;  /* owned */
    struct buf window; /* owned, on the heap: realloc() moves pages instead of bytes */
    size_t base;
    size_t fed;
    size_t keep;
    struct str chunk;
    size_t chunk_at;
    size_t last;
    size_t depth;
    struct json_scan scan;
    struct str name; /* of the member whose value comes next */
    bool name_lasts;
    size_t name_at; /* offset of its quote */
    char decoded[JSON_NAME_MAX];
    int result;
    const char *reason;
    size_t place;
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

/* ---- events ---- */

static int fail(struct json_stream *s, int result, const char *reason, size_t place)
{
    s->result = result;
    s->reason = reason;
    s->place = place;
    return result;
}

/* Bytes of the document between two offsets, in what yajl reads now. */
static struct str chunk_bytes(const struct json_stream *s, size_t start, size_t end)
{
    assert(start >= s->chunk_at && end <= s->chunk_at + s->chunk.n);
    return str_slice(s->chunk, start - s->chunk_at, end - s->chunk_at);
}

/* Offset of the token that follows the last one. */
static size_t after_last(const struct json_stream *s)
{
    size_t at = (s->last > s->chunk_at ? s->last : s->chunk_at) - s->chunk_at;
    while (at < s->chunk.n && strchr(" \t\r\n,:", s->chunk.p[at])) {
        at++;
    }
    return s->chunk_at + at;
}

/* Pass a token on, with the name that came before it; yajl's convention: 0 stops. */
static int emit(struct json_stream *s, struct json_event *event, size_t start, size_t end)
{
    event->start = start;
    event->end = end;
    event->depth = s->depth;
    event->name = s->name;
    event->name_lasts = s->name_lasts;
    s->name = (struct str){ 0 };
    s->last = end;
    int r = s->use.event(s->use.owner, event);
    if (r) {
        (void)fail(s, r, s->reason, start);
        return 0;
    }
    return 1;
}

static int emit_bare(void *owner, enum json_event_kind kind, size_t length)
{
    struct json_stream *s = owner;
    struct json_event event = { .kind = kind };
    size_t end = s->chunk_at + yajl_get_bytes_consumed(s->yajl);
    return emit(s, &event, end - length, end);
}

static int on_null(void *owner)
{
    return emit_bare(owner, JSON_EVENT_NULL, 4);
}

static int on_boolean(void *owner, int value)
{
    return value ? emit_bare(owner, JSON_EVENT_TRUE, 4) : emit_bare(owner, JSON_EVENT_FALSE, 5);
}

static bool lasts(const struct json_stream *s, const void *p)
{
    return (uintptr_t)p - (uintptr_t)s->chunk.p < s->chunk.n;
}

static int on_number(void *owner, const char *p, size_t n)
{
    struct json_stream *s = owner;
    if (n > JSON_NUMBER_MAX) {
        (void)fail(s, JSON_E_SYNTAX, "number too long", s->last);
        return 0;
    }
    struct json_event event = {
        .kind = JSON_EVENT_NUMBER,
        .text = str_of(p, n),
        .lasts = lasts(s, p),
    };
    size_t end = s->chunk_at + yajl_get_bytes_consumed(s->yajl);
    return emit(s, &event, end - n, end);
}

/*
 * Where a string or name stands: between quotes in the window, or decoded elsewhere because
 * it has escapes, which are checked then. False if they are refused.
 */
static bool locate(struct json_stream *s, struct str text, size_t *start, size_t *end)
{
    if (lasts(s, text.p)) {
        *start = s->chunk_at + (size_t)(text.p - s->chunk.p) - 1;
        *end = *start + text.n + 2;
        return true;
    }
    *start = after_last(s);
    *end = s->chunk_at + yajl_get_bytes_consumed(s->yajl);
    const char *bad = json_bad_escape(chunk_bytes(s, *start + 1, *end - 1));
    if (bad) {
        (void)fail(s, JSON_E_SYNTAX, bad, *start);
    }
    return !bad;
}

static int on_string(void *owner, const unsigned char *p, size_t n)
{
    struct json_stream *s = owner;
    struct json_event event = {
        .kind = JSON_EVENT_STRING,
        .text = str_of(p, n),
        .lasts = lasts(s, p),
    };
    size_t start;
    size_t end;
    return locate(s, event.text, &start, &end) ? emit(s, &event, start, end) : 0;
}

/* Names wait for their value; one that yajl decoded is copied, its value may have escapes. */
static int on_name(void *owner, const unsigned char *p, size_t n)
{
    struct json_stream *s = owner;
    if (n > JSON_NAME_MAX) {
        (void)fail(s, JSON_E_SYNTAX, "member name too long", s->last);
        return 0;
    }
    s->name = str_of(p, n);
    s->name_lasts = lasts(s, p);
    if (!locate(s, s->name, &s->name_at, &s->last)) {
        return 0;
    }
    if (!s->name_lasts) {
        memcpy(s->decoded, p, n);
        s->name.p = s->decoded;
    }
    return 1;
}

static int enter(struct json_stream *s, enum json_event_kind kind)
{
    if (s->depth == JSON_DEPTH_MAX) {
        (void)fail(s, JSON_E_SYNTAX, "nested too deep", s->last);
        return 0;
    }
    int go = emit_bare(s, kind, 1);
    s->depth++;
    return go;
}

static int leave(struct json_stream *s, enum json_event_kind kind)
{
    assert(s->depth > 0);
    s->depth--;
    return emit_bare(s, kind, 1);
}

static int on_object(void *owner)
{
    return enter(owner, JSON_EVENT_OBJECT);
}

static int on_object_end(void *owner)
{
    return leave(owner, JSON_EVENT_OBJECT_END);
}

static int on_array(void *owner)
{
    return enter(owner, JSON_EVENT_ARRAY);
}

static int on_array_end(void *owner)
{
    return leave(owner, JSON_EVENT_ARRAY_END);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_name,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

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
    s->yajl = yajl_alloc(&callbacks, &memory, s);
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
    size_t distance = (size_t)(uintptr_t)s->name.p - (size_t)(uintptr_t)from.p;
    if (s->name.p && s->name_lasts && distance < from.n) {
        s->name.p = to + distance;
    }
    if (s->use.moved && from.n) {
        s->use.moved(s->use.owner, from, str_of(to, from.n));
    }
}

/* Drop what nobody keeps, if that makes room for @more bytes and is worth the move. */
static void drop(struct json_stream *s, size_t more)
{
    size_t from = s->keep < s->fed ? s->keep : s->fed;
    from = s->name.p && s->name_at < from ? s->name_at : from;
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
        return fail(s, JSON_E_SYNTAX, "a part is larger than may be held", s->fed);
    }
    buf_put(&s->window, piece.p, piece.n);
    if (buf_failed(&s->window)) {
        return fail(s, -ENOMEM, NULL, s->fed);
    }
    if (before.p && s->window.p != before.p) {
        moved(s, before, s->window.p); /* its old address is compared, never read */
    }
    return 0;
}

/* ---- feeding ---- */

static int checked(struct json_stream *s, struct str chunk, size_t offset)
{
    size_t valid = utf8_span(chunk);
    if (valid < chunk.n) {
        return fail(s, JSON_E_SYNTAX, "not UTF-8", offset + valid);
    }
    if (!offset && str_starts(chunk, STR("\xEF\xBB\xBF"))) {
        return fail(s, JSON_E_SYNTAX, "byte order mark", 0);
    }
    for (const char *c = "\f\v"; *c; c++) {
        const char *p = memchr(chunk.p, *c, chunk.n);
        if (p) {
            return fail(s, JSON_E_SYNTAX, "not JSON", offset + (size_t)(p - chunk.p));
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
    return s->result ? s->result : fail(s, JSON_E_SYNTAX, "not JSON", at);
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
        return fail(stream, JSON_E_SYNTAX, "document too large", JSON_TEXT_MAX);
    }
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
