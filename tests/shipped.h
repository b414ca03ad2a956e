/* The shipped maps, compiled for tests and benchmarks. */
#pragma once

#include "fhir/translate/map.h"

#include <stdio.h>
#include <stdlib.h>

/* Compile the shipped maps into @arena; a mistake in them ends the program. */
static inline const struct rules *shipped_rules(struct arena *arena)
{
    struct issues issues;
    const struct rules *rules = NULL;
    issues_init(&issues, arena);
    int r = map_compile(arena, map_shipped, map_shipped_count, &issues, &rules);
    for (const struct issue *issue = issues.first; issue; issue = issue->next) {
        (void)fprintf(stderr, "%.*s: %.*s\n", (int)issue->place.n, issue->place.p,
                      (int)issue->text.n, issue->text.p);
    }
    if (r != 0) {
        exit(1);
    }
    return rules;
}
