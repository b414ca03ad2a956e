/*
 * Handling of secrets: wiping, comparing, memory that is locked and never dumped.
 *
 * secret_start() is called once in each process before anything else of crypto/.
 */
#pragma once

#include "crypto/base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SECRET_SIZE = 32, /* bytes of every symmetric key here */
};

/* Make libsodium ready. Return: 0 or -ENOSYS. May be called again. */
MUST_USE int secret_start(void);

/* Overwrite @n bytes in a way that no compiler removes. */
void secret_wipe(void *p, size_t n);

/* Are @n bytes the same? Takes the same time wherever they differ. */
bool secret_equal(const void *a, const void *b, size_t n);

/* One block of guarded memory: locked, left out of core dumps, between guard pages. */
struct secret_slab {
    uint8_t *p; /* owned; aligned for any type */
    size_t size;
};

/* Room for @size bytes, all 0. Return: 0 or -ENOMEM (mind RLIMIT_MEMLOCK). */
MUST_USE int secret_slab_init(struct secret_slab *slab, size_t size);

/* Wipe and give back; a slab that is all 0 is fine. */
void secret_slab_deinit(struct secret_slab *slab);
