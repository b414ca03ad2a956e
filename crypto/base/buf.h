/*
 * A writer that remembers failure: append freely, look at the end.
 *
 * A buf writes into memory it was given. Where that memory may grow, whoever owns it hands in
 * a grow function (gateway/heap.h: the heap; fhir/base/arena.h: an arena). After a failure
 * nothing more is written and buf_failed() says so.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* Make room for @need bytes in all; return 0 or -ENOMEM. Sets b->p and b->cap. */
typedef int (*buf_grow_fn)(struct buf *b, size_t need);

/*
 * @p:     memory, owned by whoever made the buf
 * @n:     bytes written
 * @cap:   bytes available
 * @limit: never grow beyond this
 * @grow:  NULL if the memory is of fixed size
 * @owner: what @grow takes from; borrowed
 */
struct buf {
    char *p;
    size_t n;
    size_t cap;
    size_t limit;
    bool failed;
    buf_grow_fn grow;
    void *owner;
};

/* A buf over @cap bytes of fixed memory at @p. */
static inline struct buf buf_fixed(void *p, size_t cap)
{
    return (struct buf){ .p = (char *)p, .cap = cap, .limit = cap };
}

static inline bool buf_failed(const struct buf *b)
{
    return b->failed;
}

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){ .p = b->p, .n = b->n };
}

/* buf_extend() where there is no room yet. */
MUST_USE char *buf_extend_more(struct buf *b, size_t n);

/* Room for @n more bytes, counted as written; NULL after a failure. */
MUST_USE static inline char *buf_extend(struct buf *b, size_t n)
{
    size_t end = b->cap < b->limit ? b->cap : b->limit;
    if (b->failed || b->n > end || n > end - b->n) {
        return buf_extend_more(b, n);
    }
    char *at = b->p + b->n;
    b->n += n;
    return at;
}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    char *at = n ? buf_extend(b, n) : NULL;
    if (at) {
        memcpy(at, p, n);
    }
}

static inline void buf_c(struct buf *b, char c)
{
    buf_put(b, &c, 1);
}

/* The terminated string @z, of a length that is known where it is a literal. */
static inline void buf_z(struct buf *b, const char *z)
{
    buf_put(b, z, strlen(z));
}

/* For a place in a URL: all but RFC 3986's unreserved characters as %XX. */
void buf_percent(struct buf *b, struct str s);
void buf_str_put(struct buf *b, struct str s);
void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
void buf_fmt(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vfmt(struct buf *b, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* @value in big-endian order. */
void buf_be16(struct buf *b, uint16_t value);
void buf_be32(struct buf *b, uint32_t value);
void buf_be64(struct buf *b, uint64_t value);

/* Lower-case hexadecimal digits of @n bytes. */
void buf_hex(struct buf *b, const void *p, size_t n);

/* Take @n bytes off the front, moving the rest. */
void buf_drop(struct buf *b, size_t n);
