/*
 * Writing JSON.
 *
 * What must be escaped is, nothing else: quote, backslash and control characters. Text that
 * isn't UTF-8 would make invalid JSON, so it fails the buf.
 */
#include "fhir/format/json_write.h"

#include "fhir/base/utf8.h"

#include <assert.h>

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
    if (!utf8_valid(value)) {
        out->failed = true;
        return;
    }
    size_t plain = 0;
    for (size_t i = 0; i < value.n; i++) {
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

void json_quote(struct buf *out, struct str value)
{
    buf_c(out, '"');
    json_escape(out, value);
    buf_c(out, '"');
}
