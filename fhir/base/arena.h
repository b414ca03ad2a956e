/* Memory for one exchange: many small allocations, freed at once. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct arena;

/* An arena whose first block holds @first bytes; NULL if there is no memory. */
MUST_USE struct arena *arena_new(size_t first);
void arena_free(struct arena *arena);
void arena_freep(struct arena **arena);

/* Forget everything, keep the largest block for the next use. */
void arena_reset(struct arena *arena);

/**
 * arena_limit() - bound what an arena may hold
 * @arena: the arena
 * @bytes: allocations that would go beyond this in all fail; 0 lifts the bound
 */
void arena_limit(struct arena *arena, size_t bytes);

/* Whether the bound, since it was set, has refused an allocation. */
bool arena_full(const struct arena *arena);

/* Bytes given out since the arena was made or reset. */
size_t arena_used(const struct arena *arena);

/* @n bytes aligned for any type, not cleared; NULL if there is no memory. */
MUST_USE void *arena_alloc(struct arena *arena, size_t n);

/* As arena_alloc(), cleared, @count elements of @size bytes, safe against overflow. */
MUST_USE void *arena_calloc(struct arena *arena, size_t count, size_t size);

/* A copy of @s with a terminating NUL that its length doesn't count; p is NULL on failure. */
MUST_USE struct str arena_str(struct arena *arena, struct str s);

/* A writer that grows inside @arena up to @limit bytes. */
struct buf arena_buf(struct arena *arena, size_t limit);
