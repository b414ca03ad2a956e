/*
 * Base58 is the number that the bytes are, written with 58 digits; bytes of zero in front,
 * which a number doesn't show, are as many digits "1".
 */
#include "crypto/base/base58.h"

#include <errno.h>

enum {
    BYTES_MAX = BASE58_TEXT_MAX / 2, /* a byte takes less than two digits */
};

static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* Divide the number of @n bytes at @bytes, first most, by 58; the rest. */
static unsigned divide(uint8_t *bytes, size_t n)
{
    unsigned rest = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned value = rest << 8 | bytes[i];
        bytes[i] = (uint8_t)(value / 58);
        rest = value % 58;
    }
    return rest;
}

void base58_put(struct buf *b, const void *p, size_t n)
{
    uint8_t number[BYTES_MAX];
    char text[BASE58_TEXT_MAX];
    size_t at = sizeof(text);
    size_t zeros = 0;
    if (n > sizeof(number)) {
        b->failed = true;
        return;
    }
    memcpy(number, p, n);
    while (zeros < n && number[zeros] == 0) {
        zeros++;
    }
    for (size_t from = zeros; from < n;) {
        text[--at] = digits[divide(number + from, n - from)];
        while (from < n && number[from] == 0) {
            from++;
        }
    }
    for (size_t i = 0; i < zeros; i++) {
        text[--at] = digits[0];
    }
    buf_put(b, text + at, sizeof(text) - at);
}

static int digit(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Multiply the number of @n bytes at @bytes, least first, by 58 and add @carry. */
static size_t take(uint8_t *bytes, size_t n, unsigned carry)
{
    for (size_t i = 0; i < n; i++) {
        carry += bytes[i] * 58U;
        bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    if (carry) {
        bytes[n++] = (uint8_t)carry;
    }
    return n;
}

int base58_decode(struct str text, uint8_t *out, size_t cap, size_t *n)
{
    uint8_t number[BASE58_TEXT_MAX]; /* least byte first; shorter than its text */
    size_t size = 0;
    size_t zeros = 0;
    if (text.n > BASE58_TEXT_MAX) {
        return -EINVAL;
    }
    while (zeros < text.n && text.p[zeros] == '1') {
        zeros++;
    }
    for (size_t i = zeros; i < text.n; i++) {
        int value = digit(text.p[i]);
        if (value < 0) {
            return -EINVAL;
        }
        size = take(number, size, (unsigned)value);
    }
    if (zeros + size > cap) {
        return -ENOSPC;
    }
    memset(out, 0, zeros);
    for (size_t i = 0; i < size; i++) {
        out[zeros + i] = number[size - 1 - i];
    }
    *n = zeros + size;
    return 0;
}
