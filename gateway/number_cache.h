/*
 * What keyed hashes led to lately, in a worker's memory: identifiers to patients, recipients to
 * their numbers.
 *
 * Bounded. Only what PostgreSQL said goes in, so it never makes anybody. That of patients is
 * emptied whenever a merge or a destruction may have changed where an identifier leads
 * (consents_people_epoch()).
 */
#pragma once

#include "crypto/base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NUMBER_CACHE_PATIENTS = 1 << 16, /* slots of 48 bytes each */
    NUMBER_CACHE_RECIPIENTS = 1 << 14,
    NUMBER_CACHE_HASH = 32,
};

struct number_cache;

/* NULL: no memory. */
MUST_USE struct number_cache *number_cache_new(size_t slots);
void number_cache_free(struct number_cache *cache);

/* Empty it if what it holds is of another epoch; before each look, with the epoch of now. */
void number_cache_epoch(struct number_cache *cache, uint64_t epoch);

/* Empty it, as after this worker itself has merged two patients. */
void number_cache_clear(struct number_cache *cache);

/**
 * number_cache_find() - the one number that all hashes lead to
 * @hashes: @n times NUMBER_CACHE_HASH bytes; at least one
 * @number: 16 bytes, set if found
 *
 * Return: whether each of them is known here, and all lead to the same
 */
MUST_USE bool number_cache_find(const struct number_cache *cache, const uint8_t *hashes,
                                size_t n, uint8_t number[16]);

/* PostgreSQL says that @hashes lead to @number; of patients, the survivor of all merges. */
void number_cache_keep(struct number_cache *cache, const uint8_t *hashes, size_t n,
                       const uint8_t number[16]);
