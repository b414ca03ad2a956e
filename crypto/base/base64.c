/*
 * Base64 in both alphabets.
 *
 * Four characters are read at a time through one table; what is left at the end, two or three
 * characters, must leave no bit unused.
 */
#include "crypto/base/base64.h"

#include <errno.h>

static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void base64_put(struct buf *b, enum base64_kind kind, const void *p, size_t n)
{
    const char *alphabet = alphabets[kind];
    const uint8_t *in = p;
    for (; n >= 3; in += 3, n -= 3) {
        char *at = buf_extend(b, 4);
        if (!at) {
            return;
        }
        at[0] = alphabet[in[0] >> 2];
        at[1] = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
        at[2] = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
        at[3] = alphabet[in[2] & 63];
    }
    if (n == 0) {
        return;
    }
    int second = n == 2 ? in[1] : 0;
    buf_c(b, alphabet[in[0] >> 2]);
    buf_c(b, alphabet[(in[0] & 3) << 4 | second >> 4]);
    if (n == 2) {
        buf_c(b, alphabet[(second & 15) << 2]);
    }
    for (; kind == BASE64_USUAL && n < 3; n++) {
        buf_c(b, '=');
    }
}

/* Value of a character, or 64. */
static uint32_t value(enum base64_kind kind, char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a' + 26);
    }
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0' + 52);
    }
    if (c == alphabets[kind][62]) {
        return 62;
    }
    return c == alphabets[kind][63] ? 63 : 64;
}

/* @count characters at @p as a number, six bits each; -1 if one is foreign. */
static int group(enum base64_kind kind, const char *p, size_t count)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t v = value(kind, p[i]);
        if (v == 64) {
            return -1;
        }
        bits = bits << 6 | v;
    }
    return (int)bits;
}

/* Take the padding off @text: what BASE64_USUAL must have and BASE64_URL may not. */
static int unpad(enum base64_kind kind, struct str *text)
{
    if (kind == BASE64_URL) {
        return text->n % 4 == 1 ? -EINVAL : 0;
    }
    if (text->n % 4) {
        return -EINVAL;
    }
    for (int i = 0; i < 2 && text->n && text->p[text->n - 1] == '='; i++) {
        text->n--;
    }
    return text->n % 4 == 1 ? -EINVAL : 0;
}

/* The last two or three characters stand for one or two bytes. */
static int decode_tail(enum base64_kind kind, struct str tail, uint8_t *out)
{
    int bits = group(kind, tail.p, tail.n);
    int unused = tail.n == 2 ? 4 : 2;
    if (bits < 0 || (bits & ((1 << unused) - 1))) {
        return -EINVAL;
    }
    bits >>= unused;
    if (tail.n == 3) {
        out[0] = (uint8_t)(bits >> 8);
        out[1] = (uint8_t)bits;
    } else {
        out[0] = (uint8_t)bits;
    }
    return 0;
}

int base64_decode(enum base64_kind kind, struct str text, uint8_t *out, size_t cap, size_t *n)
{
    int r = unpad(kind, &text);
    if (r < 0) {
        return r;
    }
    size_t rest = text.n % 4;
    size_t size = text.n / 4 * 3 + (rest ? rest - 1 : 0);
    if (size > cap) {
        return -ENOSPC;
    }
    const char *p = text.p;
    for (size_t i = 0; i < text.n / 4; i++, p += 4, out += 3) {
        int bits = group(kind, p, 4);
        if (bits < 0) {
            return -EINVAL;
        }
        out[0] = (uint8_t)(bits >> 16);
        out[1] = (uint8_t)(bits >> 8);
        out[2] = (uint8_t)bits;
    }
    if (rest) {
        r = decode_tail(kind, str_of(p, rest), out);
        if (r < 0) {
            return r;
        }
    }
    *n = size;
    return 0;
}
