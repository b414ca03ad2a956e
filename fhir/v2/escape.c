/*
 * Decoding of HL7 v2 escape sequences.
 *
 * Nearly all fields hold none, so that case borrows the input and allocates nothing. Decoding
 * never makes text longer: one block of the input's length is always enough.
 */
#include "fhir/v2/escape.h"

#include "crypto/base/hex.h"
#include "fhir/base/utf8.h"

#include <errno.h>

enum {
    HEX_MAX = 1024, /* bytes of one \X..\ */
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

/* The bytes that @digits stand for, if they are text; 0 if not. */
static size_t decode_hex(struct str digits, char *text)
{
    unsigned char bytes[HEX_MAX];
    size_t n = digits.n / 2;
    if (n == 0 || n > HEX_MAX || hex_decode(digits, bytes, n) < 0 ||
        !printable(str_of(bytes, n))) {
        return 0;
    }
    memcpy(text, bytes, n);
    return n;
}

/* Line ends for ".br" and ".sp" with its count; 0 if @command is neither. */
static size_t decode_format(struct str command, char *text)
{
    if (str_eq(command, STR(".br")) || str_eq(command, STR(".sp"))) {
        text[0] = '\n';
        return 1;
    }
    if (!str_starts(command, STR(".sp")) || command.n > 5) {
        return 0;
    }
    struct str digits = str_slice(command, command.p[3] == '+' ? 4 : 3, command.n);
    if (digits.n != 1 || digits.p[0] < '1' || digits.p[0] > '6') {
        return 0; /* more lines than the sequence has characters */
    }
    size_t n = (size_t)(digits.p[0] - '0');
    n = n <= command.n + 2 ? n : command.n + 2;
    memset(text, '\n', n);
    return n;
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

/* Write what the sequence stands for, or itself if we don't know it; return its length. */
static size_t decode(struct str sequence, const struct v2_delims *delims, char *text)
{
    struct str command = str_slice(sequence, 1, sequence.n - 1);
    size_t n = 0;
    if (command.n == 1) {
        text[0] = decode_letter(command.p[0], delims);
        n = text[0] ? 1 : 0;
    } else if (command.n > 1 && command.p[0] == 'X') {
        n = decode_hex(str_slice(command, 1, command.n), text);
    } else if (command.n > 1 && command.p[0] == '.') {
        n = decode_format(command, text);
    }
    if (n == 0) {
        memcpy(text, sequence.p, sequence.n);
        n = sequence.n;
    }
    return n;
}

int v2_unescape(struct arena *arena, const struct v2_delims *delims, struct str in,
                struct str *out)
{
    if (in.n == 0 || !delims->escape || !memchr(in.p, delims->escape, in.n)) {
        *out = in;
        return 0;
    }

    char *text = arena_alloc(arena, in.n);
    if (!text) {
        return -ENOMEM;
    }
    const char *end = in.p + in.n;
    size_t n = 0;
    for (const char *p = in.p; p < end; p++) {
        if (*p != delims->escape) {
            text[n++] = *p;
            continue;
        }

        const char *close = memchr(p + 1, delims->escape, (size_t)(end - p - 1));
        if (!close) {
            return V2_ESCAPE_E_OPEN;
        }

        struct str sequence = { .p = p, .n = (size_t)(close - p) + 1 };
        n += decode(sequence, delims, &text[n]);
        p = close;
    }

    *out = (struct str){ .p = text, .n = n };
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
    return c == delims->escape ? 'E' : '\0';
}

void v2_escape(struct buf *out, const struct v2_delims *delims, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char letter = escape_letter(delims, c);
        bool end = c == '\r' || c == '\n';
        if (!letter && !end) {
            buf_c(out, c);
            continue;
        }
        if (!delims->escape) {
            buf_c(out, ' '); /* nothing to escape with: rather a space than a false delimiter */
            continue;
        }
        buf_c(out, delims->escape);
        if (end) {
            buf_z(out, c == '\r' ? "X0D" : "X0A");
        } else {
            buf_c(out, letter);
        }
        buf_c(out, delims->escape);
    }
}
