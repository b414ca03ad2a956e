/* Memory on the heap: of a buf, and of what takes an allocator. */
#pragma once

#include "crypto/base/buf.h"

/* The grow function of such a buf. */
MUST_USE int heap_grow(struct buf *b, size_t need);

/* realloc() for whoever takes an allocator, such as consent_index_new(): @size 0 frees @old. */
void *heap_resize(void *owner, void *old, size_t old_size, size_t size);

/* An empty buf that grows on the heap up to @limit bytes. End it with heap_buf_free(). */
static inline struct buf heap_buf(size_t limit)
{
    return (struct buf){ .limit = limit, .grow = heap_grow };
}

/*
 * From now on the process keeps what it frees, up to some MB, for the next exchange. glibc
 * would give it back to the system at the end of each one, and every page would fault in again:
 * more than a filtered answer of 30 KB costs otherwise.
 */
void heap_keep_freed(void);

/* Give the memory back; @b is as new afterwards. Content is not wiped: secrets go elsewhere. */
void heap_buf_free(struct buf *b);
