/*
 * Every value begins with a byte: its kind in three bits, and in five its number, or how many
 * bytes of number follow. A number in more bytes than it needs is refused.
 */
#include "crypto/cbor.h"

enum {
    NUMBER_DIRECT = 24, /* below it the five bits are the number */
    NUMBER_MOST = 27,   /* eight bytes follow */
    SIMPLE_FALSE = 20,
    SIMPLE_NULL = 22,
};

/* Kind and number of the next value. */
static bool head(struct cbor *c, enum cbor_kind *kind, uint64_t *number)
{
    if (c->failed || c->rest.n == 0) {
        return false;
    }
    uint8_t first = (uint8_t)c->rest.p[0];
    uint8_t bits = first & 31;
    size_t n = bits < NUMBER_DIRECT ? 0 : (size_t)1 << (bits - NUMBER_DIRECT);
    if (bits > NUMBER_MOST || c->rest.n < 1 + n) {
        return false;
    }
    uint64_t value = n ? 0 : bits;
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | (uint8_t)c->rest.p[1 + i];
    }
    uint64_t least = n == 0 ? 0 : n == 1 ? NUMBER_DIRECT : (uint64_t)1 << (4 * n);
    if (value < least) {
        return false;
    }
    *kind = (enum cbor_kind)(first >> 5);
    *number = value;
    c->rest = str_slice(c->rest, 1 + n, c->rest.n);
    return true;
}

/* The number of the next value, which must be of @want. */
static uint64_t number_of(struct cbor *c, enum cbor_kind want)
{
    enum cbor_kind kind;
    uint64_t number = 0;
    if (!head(c, &kind, &number) || kind != want) {
        c->failed = true;
        return 0;
    }
    return number;
}

static struct str string(struct cbor *c, enum cbor_kind want)
{
    uint64_t n = number_of(c, want);
    if (c->failed || n > c->rest.n) {
        c->failed = true;
        return STR("");
    }
    struct str out = str_slice(c->rest, 0, (size_t)n);
    c->rest = str_slice(c->rest, (size_t)n, c->rest.n);
    return out;
}

int64_t cbor_integer(struct cbor *c)
{
    enum cbor_kind kind;
    uint64_t number = 0;
    if (!head(c, &kind, &number) || kind > CBOR_NEGATIVE || number > INT64_MAX) {
        c->failed = true;
        return 0;
    }
    return kind == CBOR_UNSIGNED ? (int64_t)number : -1 - (int64_t)number;
}

struct str cbor_bytes(struct cbor *c)
{
    return string(c, CBOR_BYTES);
}

struct str cbor_text(struct cbor *c)
{
    return string(c, CBOR_TEXT);
}

uint64_t cbor_array(struct cbor *c)
{
    return number_of(c, CBOR_ARRAY);
}

uint64_t cbor_map(struct cbor *c)
{
    return number_of(c, CBOR_MAP);
}

void cbor_want_integer(struct cbor *c, int64_t want)
{
    int64_t got = cbor_integer(c);
    c->failed |= got != want;
}

void cbor_want_text(struct cbor *c, const char *want)
{
    struct str got = cbor_text(c);
    c->failed |= !str_eq(got, str_z(want));
}

/* A value whose head was read: how many values are in it. */
static uint64_t inside(struct cbor *c, enum cbor_kind kind, uint64_t number)
{
    switch (kind) {
    case CBOR_UNSIGNED:
    case CBOR_NEGATIVE: return 0;
    case CBOR_BYTES:
    case CBOR_TEXT:
        c->failed |= number > c->rest.n;
        c->rest = str_slice(c->rest, (size_t)number, c->rest.n);
        return 0;
    case CBOR_ARRAY:
    case CBOR_MAP:
        c->failed |= number > c->rest.n; /* each takes a byte at least */
        return kind == CBOR_MAP ? 2 * number : number;
    case CBOR_SIMPLE: c->failed |= number < SIMPLE_FALSE || number > SIMPLE_NULL; return 0;
    }
    c->failed = true; /* a tag */
    return 0;
}

void cbor_skip(struct cbor *c)
{
    uint64_t left[CBOR_DEPTH_MAX + 1] = { 1 };
    size_t depth = 0;
    while (!c->failed) {
        while (left[depth] == 0) {
            if (depth-- == 0) {
                return;
            }
        }
        enum cbor_kind kind;
        uint64_t number;
        left[depth]--;
        if (!head(c, &kind, &number)) {
            c->failed = true;
            return;
        }
        uint64_t n = inside(c, kind, number);
        bool nested = kind == CBOR_ARRAY || kind == CBOR_MAP;
        if (nested && depth == CBOR_DEPTH_MAX) {
            c->failed = true;
        } else if (n) {
            left[++depth] = n;
        }
    }
}

bool cbor_ended(const struct cbor *c)
{
    return !c->failed && c->rest.n == 0;
}
