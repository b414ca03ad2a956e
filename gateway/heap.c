/* Grows by half again, so that appending costs amortised constant time. */
#include "gateway/heap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

enum {
    HEAP_FIRST = 256,
    KEEP_FREED = 16 << 20, /* bytes on top of the heap */
    OWN_MAPPING = 4 << 20, /* a block of this size or more goes back when it is freed */
};

int heap_grow(struct buf *b, size_t need)
{
    size_t cap = b->cap + b->cap / 2;
    cap = cap < HEAP_FIRST ? HEAP_FIRST : cap;
    cap = cap < need ? need : cap;
    cap = cap > b->limit && need <= b->limit ? b->limit : cap;
    char *p = realloc(b->p, cap);
    if (!p) {
        return -ENOMEM;
    }
    b->p = p;
    b->cap = cap;
    return 0;
}

void *heap_resize(void *owner, void *old, size_t old_size, size_t size)
{
    (void)owner;
    (void)old_size;
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}

void heap_keep_freed(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_FREED);
    (void)mallopt(M_MMAP_THRESHOLD, OWN_MAPPING);
}

void heap_buf_free(struct buf *b)
{
    free(b->p);
    *b = heap_buf(b->limit);
}
