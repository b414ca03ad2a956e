/* A span of bytes that belongs to somebody else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* @p: borrowed, not terminated, may be NULL if @n is 0 */
struct str {
    const char *p;
    size_t n;
};

/* As STR(), for initialisers of static objects. */
#define STR_INIT(literal)                                                                      \
    {                                                                                          \
        .p = (literal), .n = sizeof(literal) - 1                                               \
    }

#define STR(literal) ((struct str){ .p = (literal), .n = sizeof(literal) - 1 })

static inline struct str str_of(const void *p, size_t n)
{
    return (struct str){ .p = (const char *)p, .n = n };
}

/* The terminated string @z as a span; NULL gives the empty span. */
static inline struct str str_z(const char *z)
{
    return (struct str){ .p = z, .n = z ? strlen(z) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    /* Most that differ do so in the first byte: that is known without a call. */
    return a.n == b.n && (a.n == 0 || (*a.p == *b.p && memcmp(a.p, b.p, a.n) == 0));
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The bytes of @s from @from up to, not including, @to; both are cut to its length. */
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    to = to < s.n ? to : s.n;
    from = from < to ? from : to;
    return (struct str){ .p = s.n ? s.p + from : s.p, .n = to - from };
}

/* Byte order of two spans, the shorter first among equal beginnings: <0, 0 or >0. */
static inline int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int r = n ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.n > b.n) - (a.n < b.n);
}

/* A hash of what stands in @s, for tables that last no longer than the process. */
static inline uint64_t str_hash(struct str s)
{
    const uint64_t golden = 0x9e3779b97f4a7c15u;
    uint64_t hash = s.n * golden;
    for (size_t i = 0; i < s.n; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, s.p + i, s.n - i < sizeof(word) ? s.n - i : sizeof(word));
        hash = (hash ^ word) * golden;
        hash ^= hash >> 32;
    }
    return hash;
}

/**
 * str_cut() - split off what stands before a byte
 * @rest: in: the text; out: what follows the byte, or empty if it was not there
 * @at:   the byte to split at
 *
 * Return: the text before @at, or all of it
 */
static inline struct str str_cut(struct str *rest, char at)
{
    const char *p = rest->n ? memchr(rest->p, at, rest->n) : NULL;
    struct str head = *rest;
    if (p) {
        head.n = (size_t)(p - rest->p);
        *rest = str_slice(*rest, head.n + 1, rest->n);
    } else {
        *rest = str_slice(*rest, rest->n, rest->n);
    }
    return head;
}
