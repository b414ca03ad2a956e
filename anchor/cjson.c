/*
 * Reading and writing canonical JSON.
 *
 * The reader is a place that walks over the text and stops for good at the first thing that
 * isn't canonical. It keeps the last member name of each depth, since names must ascend.
 */
#include "anchor/cjson.h"

#include "crypto/base/hex.h"

#include <assert.h>
#include <errno.h>

void cjson_start(struct cjson *c, struct str text)
{
    *c = (struct cjson){ .text = text };
    if (text.n > CJSON_SIZE_MAX) {
        cjson_refuse(c, "text too long");
    }
}

void cjson_refuse(struct cjson *c, const char *why)
{
    if (!c->error) {
        c->error = why;
    }
}

int cjson_finish(struct cjson *c)
{
    assert(c->error || c->depth == 0);
    if (c->at != c->text.n) {
        cjson_refuse(c, "something follows the end");
    }
    return c->error ? -EINVAL : 0;
}

/* Next byte, or -1 at the end and after a failure. */
static int peek(const struct cjson *c)
{
    return !c->error && c->at < c->text.n ? (unsigned char)c->text.p[c->at] : -1;
}

static bool take(struct cjson *c, char want)
{
    if (peek(c) != (unsigned char)want) {
        return false;
    }
    c->at++;
    return true;
}

static void enter(struct cjson *c, char bracket, const char *why)
{
    if (!take(c, bracket)) {
        cjson_refuse(c, why);
        return;
    }
    if (c->depth == CJSON_DEPTH_MAX) {
        cjson_refuse(c, "nested too deep");
        return;
    }
    c->begun[c->depth] = false;
    c->last[c->depth] = (struct str){ 0 };
    c->depth++;
}

void cjson_object(struct cjson *c)
{
    enter(c, '{', "not an object");
}

void cjson_array(struct cjson *c)
{
    enter(c, '[', "not an array");
}

/* Is there a next element before @close? Leaves the object or array if not. */
static bool next(struct cjson *c, char close)
{
    if (c->error) {
        return false;
    }
    assert(c->depth > 0);
    if (take(c, close)) {
        c->depth--;
        return false;
    }
    if (c->begun[c->depth - 1] && !take(c, ',')) {
        cjson_refuse(c, "no comma or end where one must be");
        return false;
    }
    c->begun[c->depth - 1] = true;
    return true;
}

bool cjson_member(struct cjson *c, struct str *name)
{
    if (!next(c, '}')) {
        return false;
    }
    struct str got = cjson_plain(c);
    if (!take(c, ':')) {
        cjson_refuse(c, "no colon after a member name");
    }
    if (got.n == 0 || got.n > CJSON_NAME_MAX) {
        cjson_refuse(c, "member name of no use");
    }
    struct str *last = &c->last[c->depth - 1];
    if (last->n && str_cmp(*last, got) >= 0) {
        cjson_refuse(c, "members not in order");
    }
    if (c->error) {
        return false;
    }
    *last = got;
    *name = got;
    return true;
}

bool cjson_item(struct cjson *c)
{
    return next(c, ']');
}

/* Length of the UTF-8 sequence at @p of @n bytes; 0 if it is none. Spec: RFC 3629 */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    static const struct {
        unsigned char low, high, size, from, to; /* first byte, length, range of the second */
    } rows[] = {
        { 0x00, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf },
        { 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf },
        { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
        { 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf },
        { 0xf4, 0xf4, 4, 0x80, 0x8f },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (p[0] < rows[i].low || p[0] > rows[i].high) {
            continue;
        }
        size_t size = rows[i].size;
        if (size > n || (size > 1 && (p[1] < rows[i].from || p[1] > rows[i].to))) {
            return 0;
        }
        for (size_t k = 2; k < size; k++) {
            if ((p[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return size;
    }
    return 0;
}

/* A lower-case hexadecimal digit. */
static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The short escapes, and what they stand for. */
static const char escapes[] = "\"\\bfnrt";
static const char escaped[] = "\"\\\b\f\n\r\t";

/* Length of the canonical escape at @p of @n bytes, which begins with a backslash; or 0. */
static size_t escape_length(const char *p, size_t n, char *value)
{
    if (n < 2 || !p[1]) {
        return 0;
    }
    const char *found = strchr(escapes, p[1]);
    if (found) {
        *value = escaped[found - escapes];
        return 2;
    }
    /* Other control characters, and only they: four digits, lower case. */
    if (n < 6 || memcmp(p, "\\u00", 4) != 0 || (p[4] != '0' && p[4] != '1') ||
        !is_digit(p[5])) {
        return 0;
    }
    int low = p[5] <= '9' ? p[5] - '0' : p[5] - 'a' + 10;
    *value = (char)((p[4] - '0') * 16 + low);
    return *value && strchr(escaped, *value) ? 0 : 6;
}

struct str cjson_raw_string(struct cjson *c)
{
    if (!take(c, '"')) {
        cjson_refuse(c, "not a string");
        return (struct str){ 0 };
    }
    size_t start = c->at;
    for (;;) {
        int byte = peek(c);
        const char *p = c->text.p + c->at;
        size_t left = c->text.n - c->at;
        char value = 0;
        size_t n = 0;
        if (byte == '"') {
            c->at++;
            return str_slice(c->text, start, c->at - 1);
        }
        if (byte == '\\') {
            n = escape_length(p, left, &value);
        } else if (byte >= 0x20) {
            n = utf8_length((const unsigned char *)p, left);
        }
        if (n == 0) {
            cjson_refuse(c,
                         byte < 0 ? "text ends within a string" : "bad character in a string");
            return (struct str){ 0 };
        }
        c->at += n;
    }
}

struct str cjson_plain(struct cjson *c)
{
    struct str s = cjson_raw_string(c);
    if (s.n && memchr(s.p, '\\', s.n)) {
        cjson_refuse(c, "escape where none may be");
        return (struct str){ 0 };
    }
    return s;
}

struct str cjson_string(struct cjson *c, struct buf *memory)
{
    struct str raw = cjson_raw_string(c);
    if (!raw.n || !memchr(raw.p, '\\', raw.n)) {
        return raw;
    }
    assert(!memory->grow);
    size_t start = memory->n;
    for (size_t i = 0; i < raw.n;) {
        char value = raw.p[i];
        i += value == '\\' ? escape_length(raw.p + i, raw.n - i, &value) : 1;
        buf_c(memory, value);
    }
    if (buf_failed(memory)) {
        cjson_refuse(c, "no memory left");
        return (struct str){ 0 };
    }
    return str_of(memory->p + start, memory->n - start);
}

uint64_t cjson_number(struct cjson *c)
{
    uint64_t value = 0;
    size_t start = c->at;
    for (int byte; (byte = peek(c)) >= '0' && byte <= '9'; c->at++) {
        value = value * 10 + (uint64_t)(byte - '0');
        if (value > CJSON_INTEGER_MAX) {
            cjson_refuse(c, "number too large");
            return 0;
        }
    }
    if (c->at == start) {
        cjson_refuse(c, "not a whole number");
    } else if (c->text.p[start] == '0' && c->at - start > 1) {
        cjson_refuse(c, "number with a leading zero");
    }
    return c->error ? 0 : value;
}

/* A string of lower-case digits, without its prefix. */
static struct str digits(struct cjson *c, bool prefix)
{
    struct str s = cjson_plain(c);
    if (prefix) {
        if (!str_starts(s, STR("0x"))) {
            cjson_refuse(c, "no 0x before hexadecimal digits");
        }
        s = str_slice(s, 2, s.n);
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i])) {
            cjson_refuse(c, "not a lower-case hexadecimal digit");
        }
    }
    return c->error ? (struct str){ 0 } : s;
}

void cjson_hex(struct cjson *c, bool prefix, uint8_t *out, size_t n)
{
    struct str s = digits(c, prefix);
    if (!c->error && (s.n != 2 * n || hex_decode(s, out, n) < 0)) {
        cjson_refuse(c, "not as many hexadecimal digits as it must have");
    }
}

struct str cjson_hex_bytes(struct cjson *c, struct buf *memory)
{
    struct str s = digits(c, true);
    if (c->error) {
        return s;
    }
    assert(!memory->grow);
    char *at = buf_extend(memory, s.n / 2);
    if (!at || s.n % 2 || hex_decode(s, (uint8_t *)at, s.n / 2) < 0) {
        cjson_refuse(c, at ? "odd number of hexadecimal digits" : "no memory left");
        return (struct str){ 0 };
    }
    return str_of(at, s.n / 2);
}

struct str cjson_value(struct cjson *c)
{
    size_t start = c->at;
    struct str name;
    switch (peek(c)) {
    case '{':
        cjson_object(c);
        while (cjson_member(c, &name)) {
            (void)cjson_value(c);
        }
        break;
    case '[':
        cjson_array(c);
        while (cjson_item(c)) {
            (void)cjson_value(c);
        }
        break;
    case '"': (void)cjson_raw_string(c); break;
    default: (void)cjson_number(c); break;
    }
    return c->error ? (struct str){ 0 } : str_slice(c->text, start, c->at);
}

void cjson_out_start(struct cjson_out *out, struct buf *b)
{
    *out = (struct cjson_out){ .b = b };
}

/* A comma if something stands before; not between a name and its value. */
static void separate(struct cjson_out *out)
{
    if (out->begun[out->depth]) {
        buf_c(out->b, ',');
    }
    out->begun[out->depth] = true;
}

/* Before a value: items of an array are separated, a member's name has done it. */
static void before_value(struct cjson_out *out)
{
    if (!out->last[out->depth]) {
        separate(out);
    }
}

void cjson_open(struct cjson_out *out, char bracket)
{
    assert(out->depth < CJSON_DEPTH_MAX);
    before_value(out);
    buf_c(out->b, bracket);
    out->depth++;
    out->begun[out->depth] = false;
    out->last[out->depth] = bracket == '{' ? "" : NULL;
}

void cjson_close(struct cjson_out *out, char bracket)
{
    assert(out->depth > 0);
    buf_c(out->b, bracket);
    out->depth--;
}

void cjson_name(struct cjson_out *out, const char *name)
{
    assert(out->last[out->depth] && strcmp(out->last[out->depth], name) < 0);
    out->last[out->depth] = name;
    separate(out);
    buf_c(out->b, '"');
    buf_z(out->b, name);
    buf_z(out->b, "\":");
}

void cjson_put_string(struct cjson_out *out, struct str s)
{
    before_value(out);
    buf_c(out->b, '"');
    for (size_t i = 0; i < s.n;) {
        size_t n = utf8_length((const unsigned char *)s.p + i, s.n - i);
        unsigned char byte = (unsigned char)s.p[i];
        const char *found = byte ? strchr(escaped, byte) : NULL;
        if (n == 0) {
            out->b->failed = true;
            return;
        }
        if (n == 1 && found) {
            buf_c(out->b, '\\');
            buf_c(out->b, escapes[found - escaped]);
        } else if (n == 1 && byte < 0x20) {
            buf_z(out->b, "\\u00");
            buf_hex(out->b, &byte, 1);
        } else {
            buf_put(out->b, s.p + i, n);
        }
        i += n;
    }
    buf_c(out->b, '"');
}

void cjson_put_number(struct cjson_out *out, uint64_t n)
{
    before_value(out);
    if (n > CJSON_INTEGER_MAX) {
        out->b->failed = true;
    }
    buf_u64(out->b, n);
}

void cjson_put_hex(struct cjson_out *out, bool prefix, const void *p, size_t n)
{
    before_value(out);
    buf_z(out->b, prefix ? "\"0x" : "\"");
    buf_hex(out->b, p, n);
    buf_c(out->b, '"');
}

void cjson_put_value(struct cjson_out *out, struct str canonical)
{
    before_value(out);
    buf_str_put(out->b, canonical);
}
