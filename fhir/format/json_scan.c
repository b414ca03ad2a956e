/*
 * Scanning a block at a time.
 *
 * In a block without backslashes each quote opens or ends a string, so only their number and
 * the place of the last one count. The rare block with a backslash goes byte by byte.
 */
#include "fhir/format/json_scan.h"

#include <endian.h>
#include <stdint.h>

/* A block as bit sets: bit i stands for byte i, or all the bits of byte i do. */
#ifdef __SSE2__
#include <emmintrin.h>

enum { BLOCK = 16, BITS = 1 };

static uint64_t equal(const char *p, char c)
{
    __m128i block = _mm_loadu_si128((const void *)p);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(c)));
}
#else
enum { BLOCK = 8, BITS = 8 };

static uint64_t equal(const char *p, char c)
{
    const uint64_t low = 0x7F7F7F7F7F7F7F7Full;
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    uint64_t x = le64toh(word) ^ (0x0101010101010101ull * (unsigned char)c);
    return ~(((x & low) + low) | x | low); /* the high bit of each byte that is equal */
}
#endif

static void scan_byte(struct json_scan *s, char c, size_t offset)
{
    if (s->escaped) {
        s->escaped = false;
    } else if (c == '"') {
        s->in_string = !s->in_string;
        s->quote = offset;
    } else if (c == '\\') {
        s->escaped = s->in_string; /* outside of a string yajl will refuse it */
    }
}

void json_scan(struct json_scan *scan, struct str text, size_t offset)
{
    struct json_scan s = *scan;
    size_t at = 0;
    for (; text.n - at >= BLOCK; at += BLOCK) {
        uint64_t quotes = equal(text.p + at, '"');
        if (s.escaped || equal(text.p + at, '\\')) {
            for (size_t i = 0; i < BLOCK; i++) {
                scan_byte(&s, text.p[at + i], offset + at + i);
            }
        } else if (quotes) {
            s.in_string ^= __builtin_parityll(quotes);
            s.quote = offset + at + (size_t)(63 - __builtin_clzll(quotes)) / BITS;
        }
    }
    for (; at < text.n; at++) {
        scan_byte(&s, text.p[at], offset + at);
    }
    *scan = s;
}

/* Go back from @at over bytes that are, or are not, among @set. */
static size_t back(struct str text, size_t at, const char *set, bool are)
{
    while (at > 0 && (strchr(set, text.p[at - 1]) != NULL) == are) {
        at--;
    }
    return at;
}

size_t json_scan_whole(const struct json_scan *scan, struct str text, size_t offset)
{
    size_t at = text.n;
    if (scan->in_string) {
        at = scan->quote - offset;
    } else { /* a number or literal may go on */
        at = back(text, at, " \t\r\n,:{}[]\"", false);
    }
    size_t end = back(text, at, " \t\r\n", true);
    bool opens = end > 0 && strchr(",:[{", text.p[end - 1]);
    return opens ? end - 1 : at;
}

static int hex4(const char *p)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i];
        value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

const char *json_bad_escape(struct str raw)
{
    const char *end = raw.p + raw.n;
    bool high = false; /* the escape just before was the first half of a pair */
    for (const char *p = raw.p; p < end;) {
        bool is_unicode = *p == '\\' && p[1] == 'u';
        int unit = is_unicode ? hex4(p + 2) : -1;
        bool low = unit >= 0xDC00 && unit <= 0xDFFF;
        if (high != low) {
            return "lone surrogate";
        }
        if (unit == 0) {
            return "U+0000 in a string";
        }
        high = unit >= 0xD800 && unit <= 0xDBFF;
        p += is_unicode ? 6 : *p == '\\' ? 2 : 1;
    }
    return high ? "lone surrogate" : NULL;
}
