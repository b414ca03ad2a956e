/* A group of tests with one arena for all of them. */
#pragma once

#include "fhir/base/arena.h"
#include "tests/check.h"

static struct arena *arena;

static inline int open_arena(void **state)
{
    (void)state;
    arena = arena_new(1 << 16);
    return arena ? 0 : -1;
}

static inline int close_arena(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}
