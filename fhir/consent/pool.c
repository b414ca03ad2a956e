/*
 * Policies held once.
 *
 * Text is read with scratch memory and then copied into one piece of exactly its size, so what
 * stays is the policy alone. A free place keeps the number of the next one in @users.
 */
#include "fhir/consent/pool.h"

#include "crypto/digest.h"

#include <errno.h>
#include <string.h>

enum {
    SCRATCH = 4096,
    ROOM_LEAST = 16,
};

static const uint8_t *key_of(const void *owner, uint32_t ref)
{
    return ((const struct pool *)owner)->at[ref].hash;
}

void pool_init(struct pool *pool, struct slots_memory *memory)
{
    *pool = (struct pool){
        .memory = memory,
        .free = SLOTS_NONE,
        .by_hash = { .key_size = CONSENT_HASH_SIZE, .key = key_of, .owner = pool },
    };
}

static void free_policy(struct pool *pool, const struct pool_policy *policy)
{
    union {
        const struct policy *in;
        void *out;
    } memory = { .in = policy->at }; /* ours, const only for those who read it */
    if (policy->at) {
        (void)slots_memory_get(pool->memory, memory.out, policy->size, 0);
    }
}

void pool_deinit(struct pool *pool)
{
    for (size_t i = 0; i < pool->used; i++) {
        free_policy(pool, &pool->at[i]);
    }
    if (pool->at) {
        (void)slots_memory_get(pool->memory, pool->at, pool->room * sizeof(*pool->at), 0);
    }
    slots_free(&pool->by_hash, pool->memory);
}

uint32_t pool_find(const struct pool *pool, const uint8_t *hash)
{
    return slots_find(&pool->by_hash, hash);
}

/* Make sure that the next policy has a place; 0 or -ENOMEM. */
static int reserve(struct pool *pool)
{
    if (pool->free == SLOTS_NONE && pool->used == pool->room) {
        size_t size = sizeof(*pool->at);
        size_t room = pool->room ? pool->room * 2 : ROOM_LEAST;
        void *at = slots_memory_get(pool->memory, pool->at, pool->room * size, room * size);
        if (!at) {
            return -ENOMEM;
        }
        pool->at = at;
        pool->room = room;
    }
    return slots_reserve(&pool->by_hash, pool->memory);
}

/* Read @text into one piece of memory; @out without policy if it can't be processed. */
static int compile(struct pool *pool, const uint8_t *hash, struct str text,
                   struct pool_policy *out)
{
    uint8_t digest[DIGEST_SIZE];
    struct issues issues;
    struct policy policy;
    *out = (struct pool_policy){ .users = 0 };
    digest_sha256(text, digest);
    if (memcmp(digest, hash, sizeof(digest)) != 0) {
        return 0;
    }
    CLEANUP(arena_freep) struct arena *scratch = arena_new(SCRATCH);
    if (!scratch) {
        return -ENOMEM;
    }
    issues_init(&issues, scratch);
    int r = policy_read(scratch, text, &issues, &policy);
    if (r) {
        return r < 0 ? r : 0;
    }
    out->size = policy_size(&policy);
    void *memory = slots_memory_get(pool->memory, NULL, 0, out->size);
    if (!memory) {
        return -ENOMEM;
    }
    out->at = policy_copy(memory, &policy);
    memcpy(out->hash, hash, sizeof(out->hash));
    return 0;
}

static uint32_t add(struct pool *pool, const struct pool_policy *policy)
{
    uint32_t ref = pool->free;
    if (ref == SLOTS_NONE) {
        ref = (uint32_t)pool->used++;
    } else {
        pool->free = pool->at[ref].users;
    }
    pool->at[ref] = *policy;
    slots_put(&pool->by_hash, ref);
    pool->held++;
    return ref;
}

int pool_hold(struct pool *pool, const uint8_t *hash, struct str text, uint32_t *out)
{
    struct pool_policy policy;
    uint32_t ref = pool_find(pool, hash);
    if (ref == SLOTS_NONE) {
        if (text.n == 0) {
            return CONSENT_E_POLICY;
        }
        int r = reserve(pool);
        r = r ? r : compile(pool, hash, text, &policy);
        if (r) {
            return r;
        }
        ref = policy.at ? add(pool, &policy) : SLOTS_NONE;
    }
    if (ref != SLOTS_NONE) {
        pool->at[ref].users++;
    }
    *out = ref;
    return 0;
}

void pool_release(struct pool *pool, uint32_t ref)
{
    if (ref == SLOTS_NONE || --pool->at[ref].users > 0) {
        return;
    }
    slots_remove(&pool->by_hash, pool->at[ref].hash);
    free_policy(pool, &pool->at[ref]);
    pool->at[ref] = (struct pool_policy){ .users = pool->free };
    pool->free = ref;
    pool->held--;
}
