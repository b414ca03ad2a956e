/*
 * Writing into memory that may or may not grow.
 *
 * One place makes room: buf_extend_more(). All else goes through it.
 */
#include "crypto/base/buf.h"

#include <inttypes.h>
#include <stdio.h>

char *buf_extend_more(struct buf *b, size_t n)
{
    if (b->failed || n > b->limit - b->n) {
        b->failed = true;
        return NULL;
    }
    if (n > b->cap - b->n && (!b->grow || b->grow(b, b->n + n) < 0)) {
        b->failed = true;
        return NULL;
    }
    char *at = b->p + b->n;
    b->n += n;
    return at;
}

void buf_str_put(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_put(b, &digits[at], sizeof(digits) - at);
}

void buf_i64(struct buf *b, int64_t value)
{
    if (value < 0) {
        buf_c(b, '-');
        buf_u64(b, (uint64_t)0 - (uint64_t)value);
        return;
    }
    buf_u64(b, (uint64_t)value);
}

void buf_vfmt(struct buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);

    /* vsnprintf terminates what it writes: one byte more than we keep. */
    char *at = n < 0 ? NULL : buf_extend(b, (size_t)n + 1);
    if (!at) {
        b->failed = true;
        return;
    }
    (void)vsnprintf(at, (size_t)n + 1, format, args);
    b->n--;
}

void buf_fmt(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vfmt(b, format, args);
    va_end(args);
}

void buf_be16(struct buf *b, uint16_t value)
{
    unsigned char bytes[2] = { (unsigned char)(value >> 8), (unsigned char)value };
    buf_put(b, bytes, sizeof(bytes));
}

void buf_be32(struct buf *b, uint32_t value)
{
    buf_be16(b, (uint16_t)(value >> 16));
    buf_be16(b, (uint16_t)value);
}

void buf_be64(struct buf *b, uint64_t value)
{
    buf_be32(b, (uint32_t)(value >> 32));
    buf_be32(b, (uint32_t)value);
}

void buf_hex(struct buf *b, const void *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = p;
    if (n == 0) {
        return;
    }
    char *at = n > SIZE_MAX / 2 ? NULL : buf_extend(b, 2 * n);
    if (!at) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
}

void buf_drop(struct buf *b, size_t n)
{
    n = n < b->n ? n : b->n;
    b->n -= n;
    if (b->n) {
        memmove(b->p, b->p + n, b->n);
    }
}

void buf_percent(struct buf *b, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            (c && strchr("-._~", c))) {
            buf_c(b, (char)c);
        } else {
            const char code[] = { '%', digits[c >> 4], digits[c & 15] };
            buf_put(b, code, sizeof(code));
        }
    }
}
