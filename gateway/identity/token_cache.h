/*
 * Tokens found valid, until they expire: a signature is verified once, not on each request.
 *
 * Flush it whenever the rules or any issuer's keys change: an entry holds what was true when
 * it was made.
 */
#pragma once

#include "gateway/identity/token.h"

enum {
    TOKEN_CACHE_MAX = 4096,              /* entries */
    TOKEN_CACHE_CLAIMS_MAX = 4096,       /* bytes of an entry; larger claims aren't kept */
    TOKEN_CACHE_AGE_MS = 10 * 60 * 1000, /* and not longer than this, whatever exp says */
};

struct token_cache;

/* A cache of about @entries tokens, at most TOKEN_CACHE_MAX; NULL if there is no memory. */
MUST_USE struct token_cache *token_cache_new(size_t entries);
void token_cache_free(struct token_cache *cache);

/* Forget everything. */
void token_cache_flush(struct token_cache *cache);

/* Tokens held. */
size_t token_cache_count(const struct token_cache *cache);

/**
 * token_cache_check() - token_check(), remembering what was valid
 * As token_check(); @cache first. A cached answer is the same as a fresh one but for the
 * issuer's keys, see above.
 */
MUST_USE int token_cache_check(struct token_cache *cache, struct arena *arena,
                               const struct token_rules *rules, struct str token,
                               int64_t now_ms, struct claims *out);
