/*
 * What identifiers led to lately: keyed hash to patient number, in a worker's memory.
 *
 * Bounded, and emptied whenever a merge or a destruction may have changed where one leads
 * (consents_people_epoch()). Only what PostgreSQL said goes in, so it never makes a patient.
 */
#pragma once

#include "crypto/base/attr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PATIENT_CACHE_SLOTS = 1 << 16, /* 48 bytes each */
    PATIENT_CACHE_HASH = 32,
};

struct patient_cache;

/* NULL: no memory. */
MUST_USE struct patient_cache *patient_cache_new(size_t slots);
void patient_cache_free(struct patient_cache *cache);

/* Empty it if what it holds is of another epoch; before each look, with the epoch of now. */
void patient_cache_epoch(struct patient_cache *cache, uint64_t epoch);

/* Empty it: this worker itself has just merged two patients. */
void patient_cache_clear(struct patient_cache *cache);

/**
 * patient_cache_find() - the one number that all identifiers lead to
 * @hashes: @n times PATIENT_CACHE_HASH bytes; at least one
 * @number: 16 bytes, set if found
 *
 * Return: whether each of them is known here, and all lead to the same
 */
MUST_USE bool patient_cache_find(const struct patient_cache *cache, const uint8_t *hashes,
                                 size_t n, uint8_t number[16]);

/* PostgreSQL says that @hashes lead to @number, the survivor of all merges. */
void patient_cache_keep(struct patient_cache *cache, const uint8_t *hashes, size_t n,
                        const uint8_t number[16]);
