/*
 * Reading words, one at a time, over the bytes of the expression.
 *
 * Dates begin with @ and are cut out by their grammar, since "-" and "." may also be operators
 * after them: @2014-01-01T08.lowBoundary().
 */
#include "fhir/path/token.h"

#include "crypto/base/hex.h"
#include "fhir/base/utf8.h"
#include "fhir/path/path.h"

#include <errno.h>

enum {
    HEX_DIGITS = 4, /* of \uXXXX */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The character @ahead of where reading stands, 0 beyond the end. */
static char peek(const struct path_tokens *t, size_t ahead)
{
    return t->at + ahead < t->text.n ? t->text.p[t->at + ahead] : '\0';
}

static struct str since(const struct path_tokens *t, size_t begin)
{
    return str_slice(t->text, begin, t->at);
}

static int wrong(struct path_tokens *t, const char *text)
{
    t->wrong = text;
    return PATH_E_SYNTAX;
}

/* --- white space and comments ------------------------------------------------------------- */

static int skip_comment(struct path_tokens *t)
{
    const char *p = t->text.p + t->at + 2;
    size_t n = t->text.n - t->at - 2;
    if (peek(t, 1) == '/') {
        size_t i = 0;
        while (i < n && p[i] != '\n' && p[i] != '\r') {
            i++;
        }
        t->at += 2 + i;
        return 0;
    }
    const char *end = memmem(p, n, "*/", 2);
    if (!end) {
        return wrong(t, "a comment without end");
    }
    t->at = (size_t)(end - t->text.p) + 2;
    return 0;
}

static int skip_blank(struct path_tokens *t)
{
    for (;;) {
        char c = peek(t, 0);
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            t->at++;
            continue;
        }
        bool comment = c == '/' && (peek(t, 1) == '/' || peek(t, 1) == '*');
        if (!comment) {
            return 0;
        }
        int r = skip_comment(t);
        if (r) {
            return r;
        }
    }
}

/* --- texts in quotes ---------------------------------------------------------------------- */

static bool is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/* The four digits after \u at the beginning of @s; false if they aren't. */
static bool read_unit(struct str s, uint32_t *out)
{
    uint32_t unit = 0;
    if (s.n < HEX_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < HEX_DIGITS; i++) {
        int digit = hex_digit(s.p[i]);
        if (digit < 0) {
            return false;
        }
        unit = unit * 16 + (uint32_t)digit;
    }
    *out = unit;
    return true;
}

/*
 * What follows a backslash, as a character; how many bytes of @s it took, 0 for half a
 * surrogate pair. An escape that isn't one stands for what is escaped.
 */
static size_t read_escape(struct str s, uint32_t *point)
{
    static const char from[] = "frnt";
    static const char to[] = "\f\r\n\t";
    const char *simple = memchr(from, s.p[0], sizeof(from) - 1);
    uint32_t unit;
    uint32_t low;
    if (simple) {
        *point = (uint32_t)to[simple - from];
        return 1;
    }
    if (s.p[0] != 'u' || !read_unit(str_slice(s, 1, s.n), &unit)) {
        struct str rest = s;
        *point = utf8_next(&rest);
        return s.n - rest.n;
    }
    *point = unit;
    if (!is_high(unit)) {
        return is_low(unit) ? 0 : 1 + HEX_DIGITS;
    }
    struct str next = str_slice(s, 1 + HEX_DIGITS, s.n);
    if (!str_starts(next, STR("\\u")) || !read_unit(str_slice(next, 2, next.n), &low) ||
        !is_low(low)) {
        return 0;
    }
    *point = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    return 2 * (1 + HEX_DIGITS) + 1;
}

/* Decode what stands between quotes; decoding never makes it longer. */
static int decode(struct path_tokens *t, struct str raw, struct str *out)
{
    if (!raw.n || !memchr(raw.p, '\\', raw.n)) {
        *out = raw;
        return 0;
    }
    char *text = arena_alloc(t->arena, raw.n);
    if (!text) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (size_t i = 0; i < raw.n;) {
        if (raw.p[i] != '\\' || i + 1 == raw.n) {
            text[n++] = raw.p[i++];
            continue;
        }
        uint32_t point;
        size_t took = read_escape(str_slice(raw, i + 1, raw.n), &point);
        if (!took || !point) {
            return wrong(t, "an escape that is no character");
        }
        n += utf8_encode(point, text + n);
        i += 1 + took;
    }
    *out = str_of(text, n);
    return 0;
}

static int read_quoted(struct path_tokens *t, char quote, enum path_token_kind kind,
                       struct path_token *out)
{
    size_t begin = ++t->at;
    while (t->at < t->text.n && t->text.p[t->at] != quote) {
        t->at += t->text.p[t->at] == '\\' ? 2 : 1;
    }
    if (t->at >= t->text.n) {
        return wrong(t, "a quote without its end");
    }
    struct str raw = since(t, begin);
    t->at++;
    out->kind = kind;
    return decode(t, raw, &out->text);
}

/* --- dates and numbers -------------------------------------------------------------------- */

/* Skip @mark and exactly @digits digits, if they are there. */
static bool skip_part(struct path_tokens *t, char mark, size_t digits)
{
    if (mark && peek(t, 0) != mark) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(peek(t, i + (mark != 0)))) {
            return false;
        }
    }
    t->at += digits + (mark != 0);
    return true;
}

static void skip_clock(struct path_tokens *t)
{
    if (!skip_part(t, '\0', 2) || !skip_part(t, ':', 2) || !skip_part(t, ':', 2)) {
        return;
    }
    if (peek(t, 0) == '.' && is_digit(peek(t, 1))) {
        t->at++;
        while (is_digit(peek(t, 0))) {
            t->at++;
        }
    }
}

static void skip_offset(struct path_tokens *t)
{
    bool minutes = peek(t, 3) == ':' && is_digit(peek(t, 4)) && is_digit(peek(t, 5));
    if (peek(t, 0) == 'Z') {
        t->at++;
    } else if (minutes && (skip_part(t, '+', 2) || skip_part(t, '-', 2))) {
        t->at += 3;
    }
}

/* A date, and "T" with what follows; where the date ends goes to @date_end. */
static void skip_date(struct path_tokens *t, size_t *date_end)
{
    if (skip_part(t, '\0', 4) && skip_part(t, '-', 2)) {
        (void)skip_part(t, '-', 2);
    }
    *date_end = t->at;
    if (peek(t, 0) == 'T') {
        t->at++;
        size_t clock = t->at;
        skip_clock(t);
        if (t->at > clock) {
            skip_offset(t);
        }
    }
}

static int read_date(struct path_tokens *t, struct path_token *out)
{
    size_t begin = ++t->at;
    size_t date_end;
    bool good = false;
    if (peek(t, 0) == 'T') {
        t->at++;
        skip_clock(t);
        out->kind = PATH_TOKEN_TIME;
        good = datetime_read_time(since(t, begin + 1), &out->time);
    } else {
        skip_date(t, &date_end);
        bool marked = t->at > date_end; /* "@2014T" is a DateTime */
        bool bare = t->at == date_end + 1;
        out->kind = marked ? PATH_TOKEN_DATETIME : PATH_TOKEN_DATE;
        good = datetime_read(bare ? str_slice(t->text, begin, date_end) : since(t, begin),
                             &out->time);
    }
    out->text = since(t, begin);
    return good ? 0 : wrong(t, "a date or time that doesn't exist");
}

static void read_number(struct path_tokens *t, struct path_token *out)
{
    size_t begin = t->at;
    out->kind = PATH_TOKEN_INTEGER;
    while (is_digit(peek(t, 0))) {
        t->at++;
    }
    if (peek(t, 0) == '.' && is_digit(peek(t, 1))) {
        out->kind = PATH_TOKEN_DECIMAL;
        t->at++;
        while (is_digit(peek(t, 0))) {
            t->at++;
        }
    }
    out->text = since(t, begin);
}

/* --- the rest ----------------------------------------------------------------------------- */

static void read_name(struct path_tokens *t, struct path_token *out)
{
    size_t begin = t->at;
    while (begins_name(peek(t, 0)) || is_digit(peek(t, 0))) {
        t->at++;
    }
    out->kind = PATH_TOKEN_NAME;
    out->text = since(t, begin);
}

static int read_symbol(struct path_tokens *t, struct path_token *out)
{
    static const char *const symbols[] = { "<=", ">=", "!=", "!~", "$this", "$index", "$total",
                                           "(",  ")",  "[",  "]",  "{",     "}",      ".",
                                           ",",  "+",  "-",  "*",  "/",     "|",      "&",
                                           "<",  ">",  "=",  "~",  "%" };
    struct str rest = str_slice(t->text, t->at, t->text.n);
    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        struct str symbol = str_z(symbols[i]);
        if (str_starts(rest, symbol)) {
            out->kind = PATH_TOKEN_SYMBOL;
            out->text = symbol;
            t->at += symbol.n;
            return 0;
        }
    }
    return wrong(t, "a character that begins nothing");
}

int path_token_next(struct path_tokens *tokens, struct path_token *out)
{
    int r = skip_blank(tokens);
    struct path_token token = { .kind = PATH_TOKEN_END, .at = tokens->at };
    char c = peek(tokens, 0);
    if (r) {
        return r;
    }
    if (tokens->at == tokens->text.n) {
        *out = token;
        return 0;
    }
    if (c == '\'') {
        r = read_quoted(tokens, c, PATH_TOKEN_STRING, &token);
    } else if (c == '`') {
        r = read_quoted(tokens, c, PATH_TOKEN_DELIMITED, &token);
    } else if (c == '@') {
        r = read_date(tokens, &token);
    } else if (is_digit(c)) {
        read_number(tokens, &token);
    } else if (begins_name(c)) {
        read_name(tokens, &token);
    } else {
        r = read_symbol(tokens, &token);
    }
    if (!r) {
        *out = token;
    }
    return r;
}
