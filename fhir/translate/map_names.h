/* A table from names to what they stand for, in an arena. */
#pragma once

#include "fhir/base/arena.h"

struct map_name {
    struct str name; /* terminated; its @p is the same for the same name */
    void *value;
};

/* @slots: @mask + 1 of them, some free; NULL before the first name */
struct map_names {
    struct map_name *slots;
    size_t mask;
    size_t count;
};

/* The entry of @name, made with a NULL value if it isn't there; NULL if there is no memory. */
struct map_name *map_names_put(struct arena *arena, struct map_names *names, struct str name);

/* What @name stands for, or NULL. */
void *map_names_get(const struct map_names *names, struct str name);
