/*
 * Decoding of HL7 v2 escape sequences.
 *
 * Nearly all fields hold none, so that case borrows the input and allocates nothing. Formatting
 * commands become the line ends and spaces that they ask for; those that only say how lines are
 * filled become nothing.
 */
#include "fhir/v2/escape.h"

#include "crypto/base/hex.h"
#include "fhir/base/utf8.h"

#include <errno.h>

enum {
    HEX_MAX = 1024, /* bytes of one \X..\ */
    COUNT_MAX = 32, /* lines or spaces that one command makes */
    GROWTH = 8, /* times that text may grow: "\.sk32\" is the worst, line ends with an indent
                 * are bounded by this */
};

/* @indent: spaces that each line begins with, by .in */
struct unescaper {
    const struct v2_delims *delims;
    struct buf out;
    int indent;
};

/* Whether @text is UTF-8 without control characters but line ends and tabs. */
static bool printable(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 && c != '\r' && c != '\n' && c != '\t') {
            return false;
        }
    }
    return utf8_valid(text);
}

/* The bytes that @digits stand for, if they are text. */
static bool put_hex(struct unescaper *u, struct str digits)
{
    unsigned char bytes[HEX_MAX];
    size_t n = digits.n / 2;
    if (n == 0 || n > HEX_MAX || hex_decode(digits, bytes, n) < 0 ||
        !printable(str_of(bytes, n))) {
        return false;
    }
    buf_put(&u->out, bytes, n);
    return true;
}

static void put_spaces(struct unescaper *u, int n)
{
    for (int i = 0; i < n; i++) {
        buf_c(&u->out, ' ');
    }
}

static void put_lines(struct unescaper *u, int n)
{
    if (n <= 0) {
        return;
    }
    for (int i = 0; i < n; i++) {
        buf_c(&u->out, '\n');
    }
    put_spaces(u, u->indent);
}

/* The number after a command: "3", "+3", "-3", " 3"; @missing if there is none. False: neither.
 */
static bool read_count(struct str text, int missing, int *out)
{
    bool negative = text.n && text.p[0] == '-';
    if (text.n && (text.p[0] == '+' || text.p[0] == ' ' || negative)) {
        text = str_slice(text, 1, text.n);
    }
    int count = text.n ? 0 : missing;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        count = count * 10 + (text.p[i] - '0');
        count = count > COUNT_MAX ? COUNT_MAX : count;
    }
    *out = negative ? -count : count;
    return true;
}

static bool at_line_start(const struct unescaper *u)
{
    return u->out.n == 0 || u->out.p[u->out.n - 1] == '\n' || u->out.p[u->out.n - 1] == ' ';
}

/* ".br", ".sp3" and the like: section 2.7.5. */
static bool put_format(struct unescaper *u, struct str command)
{
    struct str name = str_slice(command, 0, 3);
    int count;
    if (!read_count(str_slice(command, 3, command.n), 1, &count)) {
        return false;
    }
    if (str_eq(name, STR(".br")) || str_eq(name, STR(".ce"))) {
        put_lines(u, 1);
    } else if (str_eq(name, STR(".sp"))) {
        put_lines(u, count);
    } else if (str_eq(name, STR(".sk"))) {
        put_spaces(u, count);
    } else if (str_eq(name, STR(".ti"))) {
        put_spaces(u, at_line_start(u) ? count : 0);
    } else if (str_eq(name, STR(".in"))) {
        put_spaces(u, at_line_start(u) ? count - u->indent : 0);
        u->indent = count > 0 ? count : 0;
    } else {
        return str_eq(name, STR(".fi")) || str_eq(name, STR(".nf"));
    }
    return true;
}

/* What a command of one letter stands for; 0 if it has no character. */
static char decode_letter(char letter, const struct v2_delims *delims)
{
    switch (letter) {
    case 'F': return delims->field;
    case 'S': return delims->component;
    case 'T': return delims->subcomponent;
    case 'R': return delims->repetition;
    case 'E': return delims->escape;
    case 'P': return delims->truncation;
    default: return '\0';
    }
}

/* Write what the sequence stands for, or itself if we don't know it. */
static void put_sequence(struct unescaper *u, struct str sequence)
{
    struct str command = str_slice(sequence, 1, sequence.n - 1);
    bool known = false;
    if (command.n == 1) {
        char c = decode_letter(command.p[0], u->delims);
        known = c != '\0';
        buf_put(&u->out, &c, known);
    } else if (command.n > 1 && command.p[0] == 'X') {
        known = put_hex(u, str_slice(command, 1, command.n));
    } else if (command.n > 1 && command.p[0] == '.') {
        known = put_format(u, command);
    }
    if (!known) {
        buf_str_put(&u->out, sequence);
    }
}

int v2_unescape(struct arena *arena, const struct v2_delims *delims, struct str in,
                struct str *out)
{
    if (in.n == 0 || !delims->escape || !memchr(in.p, delims->escape, in.n)) {
        *out = in;
        return 0;
    }
    struct unescaper u = { .delims = delims, .out = arena_buf(arena, in.n * GROWTH) };
    const char *end = in.p + in.n;
    for (const char *p = in.p; p < end;) {
        const char *open = memchr(p, delims->escape, (size_t)(end - p));
        buf_put(&u.out, p, (size_t)((open ? open : end) - p));
        if (!open) {
            break;
        }
        const char *close = memchr(open + 1, delims->escape, (size_t)(end - open - 1));
        if (!close) {
            return V2_ESCAPE_E_OPEN;
        }
        put_sequence(&u, str_of(open, (size_t)(close - open) + 1));
        p = close + 1;
    }
    if (buf_failed(&u.out)) {
        return -ENOMEM;
    }
    *out = buf_str(&u.out);
    return 0;
}

/* The letter that stands for @c between escape characters; 0 if it needs none. */
static char escape_letter(const struct v2_delims *delims, char c)
{
    if (c == '\0') {
        return '\0';
    }
    if (c == delims->field) {
        return 'F';
    }
    if (c == delims->component) {
        return 'S';
    }
    if (c == delims->subcomponent) {
        return 'T';
    }
    if (c == delims->repetition) {
        return 'R';
    }
    if (c == delims->truncation) {
        return 'P';
    }
    return c == delims->escape ? 'E' : '\0';
}

void v2_escape(struct buf *out, const struct v2_delims *delims, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char letter = escape_letter(delims, c);
        bool control = (unsigned char)c < ' ' && c != '\t';
        if (!letter && !control) {
            buf_c(out, c);
            continue;
        }
        if (!delims->escape) {
            buf_c(out, ' '); /* nothing to escape with: rather a space than a false delimiter */
            continue;
        }
        buf_c(out, delims->escape);
        if (control) {
            buf_fmt(out, "X%02X", (unsigned)(unsigned char)c);
        } else {
            buf_c(out, letter);
        }
        buf_c(out, delims->escape);
    }
}
