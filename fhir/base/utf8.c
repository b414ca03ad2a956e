/*
 * Strict UTF-8.
 *
 * Nearly all clinical text is ASCII, so 32 bytes at a time are looked at for a high bit and
 * only what has one is decoded.
 */
#include "fhir/base/utf8.h"

#include <stdint.h>

enum {
    STRIDE = 32,
};

static const uint64_t HIGH_BITS = 0x8080808080808080ull;

/* How many of the @n bytes at @p, in whole strides, are ASCII. */
static size_t ascii_strides(const unsigned char *p, size_t n)
{
    size_t at = 0;
    while (n - at >= STRIDE) {
        uint64_t words[STRIDE / sizeof(uint64_t)];
        memcpy(words, p + at, sizeof(words));
        if ((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS) {
            break;
        }
        at += STRIDE;
    }
    return at;
}

static bool continues(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Length of the sequence at @p, of which @n bytes are there; 0 if it is none. */
static size_t sequence(const unsigned char *p, size_t n)
{
    unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    if (c < 0xC2 || c > 0xF4 || n < 2 || !continues(p[1])) {
        return 0;
    }
    if (c < 0xE0) {
        return 2;
    }
    if (n < 3 || !continues(p[2])) {
        return 0;
    }
    if (c < 0xF0) {
        bool overlong = c == 0xE0 && p[1] < 0xA0;
        bool surrogate = c == 0xED && p[1] > 0x9F;
        return overlong || surrogate ? 0 : 3;
    }
    bool overlong = c == 0xF0 && p[1] < 0x90;
    bool beyond = c == 0xF4 && p[1] > 0x8F;
    return overlong || beyond || n < 4 || !continues(p[3]) ? 0 : 4;
}

size_t utf8_span(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t at = 0;
    while (at < s.n) {
        at += ascii_strides(p + at, s.n - at);
        size_t stop = s.n - at < STRIDE ? s.n : at + STRIDE;
        while (at < stop) {
            size_t length = sequence(p + at, s.n - at);
            if (!length) {
                return at;
            }
            at += length;
        }
    }
    return at;
}

uint32_t utf8_next(struct str *rest)
{
    static const unsigned char first_bits[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    const unsigned char *p = (const unsigned char *)rest->p;
    size_t n = sequence(p, rest->n);
    if (n == 0) {
        *rest = str_slice(*rest, 1, rest->n);
        return p[0];
    }
    uint32_t point = p[0] & first_bits[n];
    for (size_t i = 1; i < n; i++) {
        point = point << 6 | (p[i] & 0x3F);
    }
    *rest = str_slice(*rest, n, rest->n);
    return point;
}

size_t utf8_encode(uint32_t point, char *out)
{
    static const unsigned char first_byte[] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1;) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)(first_byte[n] | point);
    return n;
}

size_t utf8_count(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        n += !continues((unsigned char)s.p[i]);
    }
    return n;
}

size_t utf8_offset(struct str s, size_t index)
{
    size_t at = 0;
    for (; at < s.n; at++) {
        if (!continues((unsigned char)s.p[at]) && index-- == 0) {
            break;
        }
    }
    return at;
}
