/*
 * Scanning 64 bytes at a time, each of them a bit of a mask.
 *
 * Of the quotes that aren't escaped each opens or ends a string, so only their number and the
 * place of the last one count. Whatever may need a closer look (bytes that aren't ASCII, white
 * space that isn't JSON's) is found in the same pass; most clinical text has none.
 *
 * A backslash outside of a string counts as one inside: yajl refuses it.
 */
#include "fhir/format/json_scan.h"

#include "crypto/base/attr.h"

#include <endian.h>
#include <stdint.h>

enum {
    BLOCK = 64,
};

#ifdef __SSE2__
#include <emmintrin.h>

/* The loops over the four parts of a block are written out: gcc doesn't unroll them at -O2. */
static __m128i part(const char *p, int i)
{
    return _mm_loadu_si128((const void *)(p + (ptrdiff_t)i * 16));
}

static __m128i equal_part(const char *p, int i, char c)
{
    return _mm_cmpeq_epi8(part(p, i), _mm_set1_epi8(c));
}

static uint64_t bits(__m128i bytes)
{
    return (uint32_t)_mm_movemask_epi8(bytes);
}

/* Which bytes of the block at @p are @c: bit i stands for byte i. */
static inline uint64_t equal(const char *p, char c)
{
    return bits(equal_part(p, 0, c)) | bits(equal_part(p, 1, c)) << 16 |
           bits(equal_part(p, 2, c)) << 32 | bits(equal_part(p, 3, c)) << 48;
}

/* How far above '\v' a byte is; those below are very far. */
static __m128i above(const char *p, int i)
{
    return _mm_sub_epi8(part(p, i), _mm_set1_epi8('\v'));
}

/* Bytes that aren't ASCII, and '\v' and '\f', which are neighbours: not zero where one is. */
static __m128i odd_bytes(const char *p)
{
    __m128i high = _mm_or_si128(_mm_or_si128(part(p, 0), part(p, 1)),
                                _mm_or_si128(part(p, 2), part(p, 3)));
    __m128i least = _mm_min_epu8(_mm_min_epu8(above(p, 0), above(p, 1)),
                                 _mm_min_epu8(above(p, 2), above(p, 3)));
    __m128i one = _mm_set1_epi8('\f' - '\v');
    return _mm_or_si128(high, _mm_cmpeq_epi8(_mm_max_epu8(least, one), one));
}

static bool any_odd(const char *p)
{
    return bits(odd_bytes(p));
}

static bool any_odd_or_slash(const char *p)
{
    __m128i first = _mm_or_si128(equal_part(p, 0, '\\'), equal_part(p, 1, '\\'));
    __m128i last = _mm_or_si128(equal_part(p, 2, '\\'), equal_part(p, 3, '\\'));
    return bits(_mm_or_si128(_mm_or_si128(first, last), odd_bytes(p)));
}
#else
enum { PART = 8 };

static const uint64_t LOW = 0x7F7F7F7F7F7F7F7Full;
static const uint64_t ONES = 0x0101010101010101ull;

static uint64_t part(const char *p, int i)
{
    uint64_t word;
    memcpy(&word, p + (ptrdiff_t)i * PART, sizeof(word));
    return le64toh(word);
}

/* The high bit of each byte of @word that is @c. */
static uint64_t same(uint64_t word, char c)
{
    uint64_t x = word ^ (ONES * (unsigned char)c);
    return ~(((x & LOW) + LOW) | x | LOW);
}

static uint64_t equal(const char *p, char c)
{
    uint64_t found = 0;
    for (int i = 0; i < BLOCK / PART; i++) { /* the product gathers the high bits on top */
        found |= (same(part(p, i), c) >> 7) * 0x0102040810204080ull >> 56 << (i * PART);
    }
    return found;
}

static bool any_odd(const char *p)
{
    uint64_t odd = 0;
    for (int i = 0; i < BLOCK / PART; i++) {
        uint64_t word = part(p, i);
        odd |= (word & ~LOW) | same(word, '\v') | same(word, '\f');
    }
    return odd != 0;
}

static bool any_odd_or_slash(const char *p)
{
    return any_odd(p) || equal(p, '\\');
}
#endif

/*
 * Which of the @n bytes of a block stand after a backslash that isn't escaped itself. In a run
 * of backslashes every second one is. Adding the backslashes to the starts of runs carries to
 * the end of each; whether run and carry begin at bits of the same parity tells the length's.
 */
RARE static uint64_t escaped(struct json_scan *s, uint64_t slashes, size_t n)
{
    const uint64_t even = 0x5555555555555555ull;
    slashes &= ~(uint64_t)s->escaped;
    uint64_t after = slashes << 1 | s->escaped;
    uint64_t odd_starts = slashes & ~even & ~after;
    uint64_t sum;
    bool carry = __builtin_add_overflow(odd_starts, slashes, &sum);
    uint64_t found = (even ^ sum << 1) & after;
    s->escaped = n < BLOCK ? found >> n & 1 : carry;
    return found;
}

/* @n bytes of the block at @p count, the others are zero. */
static void scan_block(struct json_scan *s, const char *p, size_t n, size_t offset)
{
    uint64_t quotes = equal(p, '"');
    if (s->escaped || any_odd_or_slash(p)) {
        quotes &= ~escaped(s, equal(p, '\\'), n);
        s->odd = any_odd(p) ? offset + n : s->odd;
    }
    if (quotes) {
        s->in_string ^= __builtin_parityll(quotes);
        s->quote = offset + (size_t)(63 - __builtin_clzll(quotes));
    }
}

void json_scan(struct json_scan *scan, struct str text, size_t offset)
{
    struct json_scan s = *scan;
    char last[BLOCK] = { 0 };
    for (size_t at = 0; at < text.n; at += BLOCK) {
        const char *p = text.p + at;
        size_t n = text.n - at < BLOCK ? text.n - at : BLOCK;
        if (n < BLOCK) {
            p = memcpy(last, p, n);
        }
        scan_block(&s, p, n, offset + at);
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
