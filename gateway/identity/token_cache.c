/*
 * A set-associative cache: the token's SHA-256 selects a row of four entries, of which the
 * one used longest ago gives way.
 *
 * Only valid tokens get in, so a stranger can't push others out. Each entry has an arena of
 * its own, used again for the next token in its place.
 */
#include "gateway/identity/token_cache.h"

#include "crypto/digest.h"

#include <stdlib.h>

enum {
    WAYS = 4,
    ENTRY_FIRST = 512,
};

/* @key: all of the digest, so that no two tokens are ever taken for each other */
struct entry {
    uint8_t key[DIGEST_SIZE];
    struct arena *arena; /* owned; NULL until first used */
    struct claims claims;
    int64_t until_ms; /* 0: empty */
    uint64_t used;    /* counts up */
};

struct token_cache {
    size_t rows; /* a power of two */
    size_t count;
    uint64_t uses;
    struct entry entries[];
};

struct token_cache *token_cache_new(size_t entries)
{
    size_t most = entries < TOKEN_CACHE_MAX ? entries : TOKEN_CACHE_MAX;
    size_t rows = 1;
    while (rows * 2 * WAYS <= most) {
        rows *= 2;
    }
    struct token_cache *cache = calloc(1, sizeof(*cache) + rows * WAYS * sizeof(struct entry));
    if (cache) {
        cache->rows = rows;
    }
    return cache;
}

static void entry_clear(struct token_cache *cache, struct entry *entry)
{
    if (entry->until_ms) {
        entry->until_ms = 0;
        cache->count--;
    }
}

void token_cache_free(struct token_cache *cache)
{
    if (!cache) {
        return;
    }
    for (size_t i = 0; i < cache->rows * WAYS; i++) {
        arena_free(cache->entries[i].arena);
    }
    free(cache);
}

void token_cache_flush(struct token_cache *cache)
{
    for (size_t i = 0; i < cache->rows * WAYS; i++) {
        entry_clear(cache, &cache->entries[i]);
    }
}

size_t token_cache_count(const struct token_cache *cache)
{
    return cache->count;
}

static struct entry *row_of(struct token_cache *cache, const uint8_t key[DIGEST_SIZE])
{
    size_t row = ((size_t)key[0] << 8 | key[1]) & (cache->rows - 1);
    return &cache->entries[row * WAYS];
}

static struct entry *find(struct token_cache *cache, const uint8_t key[DIGEST_SIZE])
{
    struct entry *row = row_of(cache, key);
    for (size_t i = 0; i < WAYS; i++) {
        if (row[i].until_ms && memcmp(row[i].key, key, DIGEST_SIZE) == 0) {
            return &row[i];
        }
    }
    return NULL;
}

/* The entry of @row that is empty, or else was used longest ago. */
static struct entry *oldest(struct entry *row)
{
    struct entry *oldest = row;
    for (size_t i = 1; i < WAYS && oldest->until_ms; i++) {
        if (!row[i].until_ms || row[i].used < oldest->used) {
            oldest = &row[i];
        }
    }
    return oldest;
}

/* Keep @claims until they expire; without memory, or if they are long, don't. */
static void keep(struct token_cache *cache, const uint8_t key[DIGEST_SIZE],
                 const struct claims *claims, int64_t now_ms)
{
    struct entry *entry = oldest(row_of(cache, key));
    entry_clear(cache, entry);
    if (!entry->arena) {
        entry->arena = arena_new(ENTRY_FIRST);
        if (!entry->arena) {
            return;
        }
        arena_limit(entry->arena, TOKEN_CACHE_CLAIMS_MAX);
    }
    arena_reset(entry->arena);
    if (claims_copy(entry->arena, claims, &entry->claims) < 0) {
        return;
    }
    int64_t age = now_ms + TOKEN_CACHE_AGE_MS;
    entry->until_ms = claims->expires_ms < age ? claims->expires_ms : age;
    entry->used = ++cache->uses;
    memcpy(entry->key, key, DIGEST_SIZE);
    cache->count++;
}

int token_cache_check(struct token_cache *cache, struct arena *arena,
                      const struct token_rules *rules, struct str token, int64_t now_ms,
                      struct claims *out)
{
    if (token.n > JWS_MAX) {
        return TOKEN_E_FORM; /* not worth a digest */
    }
    uint8_t key[DIGEST_SIZE];
    digest_sha256(token, key);
    struct entry *entry = find(cache, key);
    if (entry && now_ms < entry->until_ms) {
        entry->used = ++cache->uses;
        return claims_copy(arena, &entry->claims, out);
    }
    if (entry) {
        entry_clear(cache, entry);
    }
    struct claims claims;
    int r = token_check(arena, rules, token, now_ms, &claims);
    if (r) {
        return r;
    }
    if (now_ms < claims.expires_ms) {
        keep(cache, key, &claims, now_ms);
    }
    *out = claims;
    return 0;
}
