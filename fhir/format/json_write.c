/*
 * Writing JSON.
 *
 * What must be escaped is, nothing else: quote, backslash and control characters. Text that
 * isn't UTF-8 would make invalid JSON, so it fails the buf.
 */
#include "fhir/format/json_write.h"

#include "fhir/base/utf8.h"

#include <assert.h>
#include <stdint.h>

static const uint64_t ONES = 0x0101010101010101u;
static const uint64_t TOPS = 0x8080808080808080u;

/* Top bits of the bytes of @word that are 0. May err upwards beyond the first. */
static uint64_t zeros(uint64_t word)
{
    return (word - ONES) & ~word & TOPS;
}

/* Whether the eight bytes at @p are ASCII that needs no escape. */
static bool plain_word(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    uint64_t low = (word - ONES * ' ') & ~word & TOPS;
    uint64_t marks = zeros(word ^ ONES * '"') | zeros(word ^ ONES * '\\');
    return ((word & TOPS) | low | marks) == 0;
}

/*
 * How far @s is ASCII that needs no escape: nearly all text is that from end to end, and needs
 * neither decoding nor a look at each byte.
 */
static size_t plain_span(struct str s)
{
    size_t at = 0;
    while (at + sizeof(uint64_t) <= s.n && plain_word(s.p + at)) {
        at += sizeof(uint64_t);
    }
    /* The last bytes are looked at together with some that are known. */
    if (at && s.n - at < sizeof(uint64_t) && plain_word(s.p + s.n - sizeof(uint64_t))) {
        return s.n;
    }
    while (at < s.n) {
        unsigned char c = (unsigned char)s.p[at];
        if (c < ' ' || c >= 0x80 || c == '"' || c == '\\') {
            break;
        }
        at++;
    }
    return at;
}

struct json_writer json_writer(struct buf *out)
{
    return (struct json_writer){ .out = out };
}

/* What comes before a value: the comma and the name. */
static void lead(struct json_writer *w, const char *name)
{
    assert(!w->depth || (w->closers[w->depth - 1] == '}') == (name != NULL));
    if (w->comma) {
        buf_c(w->out, ',');
    }
    if (name) {
        json_quote(w->out, str_z(name));
        buf_c(w->out, ':');
    }
    w->comma = true;
}

static void begin(struct json_writer *w, const char *name, char opener, char closer)
{
    assert(w->depth < JSON_WRITE_DEPTH_MAX);
    lead(w, name);
    buf_c(w->out, opener);
    w->closers[w->depth++] = closer;
    w->comma = false;
}

void json_object(struct json_writer *w, const char *name)
{
    begin(w, name, '{', '}');
}

void json_array(struct json_writer *w, const char *name)
{
    begin(w, name, '[', ']');
}

void json_end(struct json_writer *w)
{
    assert(w->depth > 0);
    buf_c(w->out, w->closers[--w->depth]);
    w->comma = true;
}

void json_string(struct json_writer *w, const char *name, struct str value)
{
    lead(w, name);
    json_quote(w->out, value);
}

void json_z(struct json_writer *w, const char *name, const char *value)
{
    json_string(w, name, str_z(value));
}

void json_u64(struct json_writer *w, const char *name, uint64_t value)
{
    lead(w, name);
    buf_u64(w->out, value);
}

void json_i64(struct json_writer *w, const char *name, int64_t value)
{
    lead(w, name);
    buf_i64(w->out, value);
}

void json_bool(struct json_writer *w, const char *name, bool value)
{
    lead(w, name);
    buf_z(w->out, value ? "true" : "false");
}

void json_raw(struct json_writer *w, const char *name, struct str value)
{
    lead(w, name);
    buf_str_put(w->out, value);
}

static void escape(struct buf *out, char c)
{
    static const char digits[] = "0123456789abcdef";
    char text[] = { '\\', 'u', '0', '0', digits[(c >> 4) & 1], digits[c & 15] };
    switch (c) {
    case '"': buf_put(out, "\\\"", 2); return;
    case '\\': buf_put(out, "\\\\", 2); return;
    case '\n': buf_put(out, "\\n", 2); return;
    case '\r': buf_put(out, "\\r", 2); return;
    case '\t': buf_put(out, "\\t", 2); return;
    case '\b': buf_put(out, "\\b", 2); return;
    case '\f': buf_put(out, "\\f", 2); return;
    default: buf_put(out, text, sizeof(text)); return;
    }
}

void json_escape(struct buf *out, struct str value)
{
    size_t start = plain_span(value);
    if (start == value.n) {
        buf_put(out, value.p, value.n);
        return;
    }
    if (!utf8_valid(value)) {
        out->failed = true;
        return;
    }
    size_t plain = 0;
    for (size_t i = start; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c >= ' ' && c != '"' && c != '\\') {
            continue;
        }
        buf_put(out, value.p + plain, i - plain);
        escape(out, value.p[i]);
        plain = i + 1;
    }
    if (value.n) {
        buf_put(out, value.p + plain, value.n - plain);
    }
}

bool json_is_plain(struct str value)
{
    return plain_span(value) == value.n;
}

void json_quote(struct buf *out, struct str value)
{
    if (json_is_plain(value)) {
        json_quote_plain(out, value);
        return;
    }
    buf_c(out, '"');
    json_escape(out, value);
    buf_c(out, '"');
}
