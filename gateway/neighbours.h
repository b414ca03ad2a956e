/*
 * What the workers of one generation tell each other: that a row of the outbox may be due.
 *
 * A message is taken by any worker, and delivered by the one that holds its shard. Where these
 * are two, the first tells the others over sockets that the supervisor made before it forked
 * them. It is a hint: one that finds no room, or nobody there, is lost, and the row is found
 * when its shard is looked at.
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    NEIGHBOURS_NAME_MAX = 256, /* of a destination; rows for longer ones aren't told */
};

struct neighbours;

/* A row of @patient for the destination @name may be due. */
struct neighbours_word {
    uint8_t patient[16];
    char name[NEIGHBOURS_NAME_MAX + 1]; /* terminated */
};

/* One inbox for each of @workers; NULL: no memory or no descriptors. */
MUST_USE struct neighbours *neighbours_new(size_t workers);

/* Freeing NULL is fine. */
void neighbours_free(struct neighbours *neighbours);

/* What becomes readable when others tell worker @self something; stays @neighbours' own. */
int neighbours_inbox(const struct neighbours *neighbours, size_t self);

/* Tell all but worker @self. */
void neighbours_tell(const struct neighbours *neighbours, size_t self, struct str destination,
                     const uint8_t patient[16]);

/* The next word for worker @self; false: there is none. */
MUST_USE bool neighbours_hear(const struct neighbours *neighbours, size_t self,
                              struct neighbours_word *out);
