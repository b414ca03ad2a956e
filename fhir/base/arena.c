/*
 * A chain of blocks, filled from the front.
 *
 * Blocks double in size, so a large exchange costs few allocations. A writer that is the
 * newest allocation grows in place: building a long text in an arena doesn't copy it.
 */
#include "fhir/base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    BLOCK_LEAST = 256,
    BLOCK_MOST = 1 << 20, /* larger ones only for a single allocation that needs it */
    BUF_FIRST = 256,
};

struct block {
    struct block *older; /* owned */
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *newest; /* owned */
    size_t given;         /* bytes in all */
    size_t limit;         /* 0: none */
    bool full;            /* something was refused for it */
};

static struct block *block_new(size_t size, struct block *older)
{
    struct block *block = malloc(sizeof(*block) + size);
    if (block) {
        *block = (struct block){ .older = older, .size = size };
    }
    return block;
}

struct arena *arena_new(size_t first)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (!arena) {
        return NULL;
    }
    arena->newest = block_new(first < BLOCK_LEAST ? BLOCK_LEAST : first, NULL);
    if (!arena->newest) {
        free(arena);
        return NULL;
    }
    return arena;
}

static void free_chain(struct block *block)
{
    while (block) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_free(struct arena *arena)
{
    if (arena) {
        free_chain(arena->newest);
        free(arena);
    }
}

void arena_freep(struct arena **arena)
{
    arena_free(*arena);
}

void arena_reset(struct arena *arena)
{
    free_chain(arena->newest->older);
    arena->newest->older = NULL;
    arena->newest->used = 0;
    arena->given = 0;
}

void arena_limit(struct arena *arena, size_t bytes)
{
    arena->limit = bytes;
    arena->full = false;
}

bool arena_full(const struct arena *arena)
{
    return arena->full;
}

size_t arena_used(const struct arena *arena)
{
    return arena->given;
}

static size_t rounded(size_t n)
{
    const size_t unit = alignof(max_align_t);
    return (n + unit - 1) & ~(unit - 1);
}

/* Whether @more bytes are still allowed. */
static bool within(const struct arena *arena, size_t more)
{
    return !arena->limit ||
           (arena->given <= arena->limit && more <= arena->limit - arena->given);
}

void *arena_alloc(struct arena *arena, size_t n)
{
    if (n > SIZE_MAX / 4) {
        return NULL;
    }
    size_t room = rounded(n ? n : 1);
    if (!within(arena, room)) {
        arena->full = true;
        return NULL;
    }

    struct block *block = arena->newest;
    if (room > block->size - block->used) {
        size_t size = block->size < BLOCK_MOST ? block->size * 2 : BLOCK_MOST;
        block = block_new(size < room ? room : size, block);
        if (!block) {
            return NULL;
        }
        arena->newest = block;
    }
    void *p = block->data + block->used;
    block->used += room;
    arena->given += room;
    return p;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) {
        return NULL;
    }
    void *p = arena_alloc(arena, n);
    return p ? memset(p, 0, n) : NULL;
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *p = arena_alloc(arena, s.n + 1);
    if (!p) {
        return (struct str){ 0 };
    }
    if (s.n) {
        memcpy(p, s.p, s.n);
    }
    p[s.n] = '\0';
    return (struct str){ .p = p, .n = s.n };
}

/* Grow in place if @b is the newest allocation of its block, else move. */
static int grow(struct buf *b, size_t need)
{
    struct arena *arena = b->owner;
    size_t cap = b->cap ? b->cap : BUF_FIRST;
    while (cap < need) {
        cap = cap > SIZE_MAX / 4 ? need : cap * 2;
    }
    cap = rounded(cap < b->limit ? cap : b->limit);

    struct block *block = arena->newest;
    size_t more = cap - b->cap;
    bool newest = b->p && b->p + b->cap == block->data + block->used;
    if (newest && more <= block->size - block->used && within(arena, more)) {
        block->used += more;
        arena->given += more;
        b->cap = cap;
        return 0;
    }

    char *p = arena_alloc(arena, cap);
    if (!p) {
        return -ENOMEM;
    }
    if (b->p) {
        memcpy(p, b->p, b->n);
    }
    b->p = p;
    b->cap = cap;
    return 0;
}

struct buf arena_buf(struct arena *arena, size_t limit)
{
    return (struct buf){ .limit = limit, .grow = grow, .owner = arena };
}
