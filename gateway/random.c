/*
 * A pool, so that an exchange, which takes a dozen nonces and salts, doesn't ask the kernel a
 * dozen times. What was handed out is wiped. The pool is a page that the kernel clears in a
 * child: so a child's is empty, and two processes never hand out the same bytes.
 */
#include "gateway/random.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

struct pool {
    size_t left;
    uint8_t bytes[4096 - sizeof(size_t)];
};

/* NULL if there can't be one. */
static struct pool *pool_new(void)
{
    void *page = mmap(NULL, sizeof(struct pool), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return NULL;
    }
    if (madvise(page, sizeof(struct pool), MADV_WIPEONFORK) < 0) {
        (void)munmap(page, sizeof(struct pool));
        return NULL;
    }
    (void)madvise(page, sizeof(struct pool), MADV_DONTDUMP);
    return page;
}

void random_bytes(void *out, size_t n)
{
    static struct pool *pool;
    pool = pool ? pool : pool_new();
    if (!pool || n > sizeof(pool->bytes)) {
        randombytes_buf(out, n);
        return;
    }
    if (pool->left < n) {
        randombytes_buf(pool->bytes, sizeof(pool->bytes));
        pool->left = sizeof(pool->bytes);
    }
    pool->left -= n;
    memcpy(out, pool->bytes + pool->left, n);
    sodium_memzero(pool->bytes + pool->left, n);
}
