/* Open addressing; the table doubles before it is half full. */
#include "fhir/translate/map_names.h"

enum {
    FIRST_SIZE = 64,
};

/* Where @name is or would be; there is a free slot. */
static struct map_name *find(struct map_name *slots, size_t mask, struct str name)
{
    size_t at = str_hash(name) & mask;
    while (slots[at].name.p && !str_eq(slots[at].name, name)) {
        at = (at + 1) & mask;
    }
    return &slots[at];
}

static bool grow(struct arena *arena, struct map_names *names)
{
    size_t size = names->slots ? (names->mask + 1) * 2 : FIRST_SIZE;
    struct map_name *slots = arena_calloc(arena, size, sizeof(*slots));
    if (!slots) {
        return false;
    }
    for (size_t i = 0; names->slots && i <= names->mask; i++) {
        if (names->slots[i].name.p) {
            *find(slots, size - 1, names->slots[i].name) = names->slots[i];
        }
    }
    names->slots = slots;
    names->mask = size - 1;
    return true;
}

struct map_name *map_names_put(struct arena *arena, struct map_names *names, struct str name)
{
    if ((!names->slots || names->count * 2 > names->mask) && !grow(arena, names)) {
        return NULL;
    }
    struct map_name *slot = find(names->slots, names->mask, name);
    if (!slot->name.p) {
        struct str copy = arena_str(arena, name);
        if (!copy.p) {
            return NULL;
        }
        slot->name = copy;
        names->count++;
    }
    return slot;
}

void *map_names_get(const struct map_names *names, struct str name)
{
    return names->slots ? find(names->slots, names->mask, name)->value : NULL;
}
