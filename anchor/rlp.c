/*
 * RLP.
 *
 * A list's length is known only when its items are written, so rlp_close() puts the header
 * before them by moving them up.
 */
#include "anchor/rlp.h"

#include <errno.h>

enum {
    STRING = 0x80, /* first byte of a string of no bytes */
    LIST = 0xc0,   /* of a list of none */
    SHORT_MAX = 55 /* longest body whose length stands in the first byte */
};

size_t rlp_header(bool list, size_t n, uint8_t out[9])
{
    uint8_t base = list ? LIST : STRING;
    if (n <= SHORT_MAX) {
        out[0] = (uint8_t)(base + n);
        return 1;
    }
    size_t size = 0;
    for (size_t rest = n; rest; rest >>= 8) {
        size++;
    }
    out[0] = (uint8_t)(base + SHORT_MAX + size);
    for (size_t i = 0; i < size; i++) {
        out[1 + i] = (uint8_t)(n >> (8 * (size - 1 - i)));
    }
    return 1 + size;
}

void rlp_put(struct buf *b, const void *p, size_t n)
{
    uint8_t header[9];
    if (n != 1 || *(const uint8_t *)p >= STRING) {
        buf_put(b, header, rlp_header(false, n, header));
    }
    buf_put(b, p, n);
}

void rlp_put_str(struct buf *b, struct str s)
{
    rlp_put(b, s.p, s.n);
}

void rlp_put_number(struct buf *b, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    while (n && bytes[0] == 0) {
        bytes++;
        n--;
    }
    rlp_put(b, bytes, n);
}

void rlp_put_u64(struct buf *b, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    }
    rlp_put_number(b, bytes, sizeof(bytes));
}

size_t rlp_open(struct buf *b)
{
    return b->n;
}

void rlp_close(struct buf *b, size_t opened)
{
    if (buf_failed(b)) {
        return;
    }
    uint8_t header[9];
    size_t body = b->n - opened;
    size_t n = rlp_header(true, body, header);
    if (buf_extend(b, n)) {
        memmove(b->p + opened + n, b->p + opened, body);
        memcpy(b->p + opened, header, n);
    }
}

/* Length of a body whose length itself takes @size bytes after the first. */
static int long_length(struct str s, size_t size, size_t *out)
{
    size_t n = 0;
    if (s.n < 1 + size || s.p[1] == 0) {
        return -EINVAL;
    }
    for (size_t i = 1; i <= size; i++) {
        n = n << 8 | (unsigned char)s.p[i];
    }
    if (n <= SHORT_MAX) {
        return -EINVAL;
    }
    *out = n;
    return 0;
}

int rlp_next(struct str *rest, struct rlp *out)
{
    if (rest->n == 0) {
        return -EINVAL;
    }
    unsigned first = (unsigned char)rest->p[0];
    bool list = first >= LIST;
    size_t header = 1;
    size_t n = first - (list ? LIST : STRING);
    if (first < STRING) {
        header = 0;
        n = 1;
    } else if (n > SHORT_MAX) {
        header += n - SHORT_MAX;
        if (long_length(*rest, header - 1, &n) < 0) {
            return -EINVAL;
        }
    }
    if (n > rest->n - header) {
        return -EINVAL;
    }
    struct str body = str_slice(*rest, header, header + n);
    if (!list && header == 1 && n == 1 && (unsigned char)body.p[0] < STRING) {
        return -EINVAL; /* would be its own encoding */
    }
    out->list = list;
    out->body = body;
    out->whole = str_slice(*rest, 0, header + n);
    *rest = str_slice(*rest, header + n, rest->n);
    return 0;
}

int rlp_string(struct str *rest, struct str *out)
{
    struct rlp item;
    if (rlp_next(rest, &item) < 0 || item.list) {
        return -EINVAL;
    }
    *out = item.body;
    return 0;
}

int rlp_fixed(struct str *rest, uint8_t *out, size_t n)
{
    struct str s;
    if (rlp_string(rest, &s) < 0 || s.n != n) {
        return -EINVAL;
    }
    memcpy(out, s.p, n);
    return 0;
}

int rlp_list(struct str *rest, struct str *out)
{
    struct rlp item;
    if (rlp_next(rest, &item) < 0 || !item.list) {
        return -EINVAL;
    }
    *out = item.body;
    return 0;
}

int rlp_u64(struct str *rest, uint64_t *out)
{
    struct str s;
    uint64_t value = 0;
    if (rlp_string(rest, &s) < 0 || s.n > 8 || (s.n && s.p[0] == 0)) {
        return -EINVAL;
    }
    for (size_t i = 0; i < s.n; i++) {
        value = value << 8 | (unsigned char)s.p[i];
    }
    *out = value;
    return 0;
}

int rlp_only_list(struct str text, struct str *out)
{
    return rlp_list(&text, out) < 0 || text.n ? -EINVAL : 0;
}
