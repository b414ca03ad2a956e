/* Compiling maps, and saying what is wrong with them. */
#include "gateway/maps.h"

#include <errno.h>
#include <stdlib.h>

enum {
    ARENA_FIRST = 1 << 20,
};

struct maps {
    struct arena *arena; /* owned */
    const struct rules *rules;
};

void maps_free(struct maps *maps)
{
    if (maps) {
        arena_free(maps->arena);
        free(maps);
    }
}

static void say(const struct issues *issues, struct buf *report)
{
    for (const struct issue *issue = issues->first; issue; issue = issue->next) {
        buf_fmt(report, "%.*s: %.*s\n", (int)issue->place.n, issue->place.p, (int)issue->text.n,
                issue->text.p);
    }
}

int maps_load(struct buf *report, struct maps **out)
{
    struct maps *maps = calloc(1, sizeof(*maps));
    struct issues issues;
    int r = -ENOMEM;
    if (maps) {
        maps->arena = arena_new(ARENA_FIRST);
    }
    if (maps && maps->arena) {
        issues_init(&issues, maps->arena);
        r = map_compile(maps->arena, map_shipped, map_shipped_count, &issues, &maps->rules);
        say(&issues, report);
    }
    if (r != 0) {
        maps_free(maps);
        return r == MAP_E_WRONG ? -EINVAL : r;
    }
    *out = maps;
    return 0;
}

const struct rules *maps_rules(const struct maps *maps)
{
    return maps->rules;
}
