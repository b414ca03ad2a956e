/* Handling of secrets, on libsodium's guarded memory. */
#include "crypto/secret.h"

#include <errno.h>
#include <sodium.h>

enum {
    ALIGNMENT = 64, /* sodium_malloc() puts the end at a page's end: the size decides */
};

int secret_start(void)
{
    return sodium_init() < 0 ? -ENOSYS : 0;
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

int secret_slab_init(struct secret_slab *slab, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        return -ENOMEM;
    }
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint8_t *p = sodium_malloc(rounded);
    if (!p) {
        return -ENOMEM;
    }
    sodium_memzero(p, rounded);
    *slab = (struct secret_slab){ .p = p, .size = size };
    return 0;
}

void secret_slab_deinit(struct secret_slab *slab)
{
    sodium_free(slab->p); /* wipes */
    *slab = (struct secret_slab){ 0 };
}
