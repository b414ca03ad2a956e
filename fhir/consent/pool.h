/*
 * Policies held once for all consents that have the same; used by compiled.c only.
 *
 * A policy is known by the digest of its canonical text and lives in one piece of memory for as
 * long as something uses it.
 */
#pragma once

#include "fhir/consent/slots.h"

/* @at: owned, @size bytes, NULL in a free place; @users: or the next free place */
struct pool_policy {
    uint8_t hash[CONSENT_HASH_SIZE];
    const struct policy *at;
    size_t size;
    uint32_t users;
};

/* @at: @used of @room places; owned. @held: policies */
struct pool {
    struct slots_memory *memory; /* borrowed */
    struct pool_policy *at;
    size_t used;
    size_t room;
    size_t held;
    uint32_t free;
    struct slots by_hash;
};

/* @pool stays where it is from now on. */
void pool_init(struct pool *pool, struct slots_memory *memory);
void pool_deinit(struct pool *pool);

/* The policy of digest @hash; SLOTS_NONE if it isn't held. */
uint32_t pool_find(const struct pool *pool, const uint8_t *hash);

/**
 * pool_hold() - one user more of a policy
 * @hash: SHA-256 of its canonical text
 * @text: that text; may be empty if the policy is held
 * @out:  its number; SLOTS_NONE if @text isn't a policy or not of that digest
 *
 * Return: 0, CONSENT_E_POLICY if the text is needed, or -ENOMEM; @out is set only on 0.
 */
MUST_USE int pool_hold(struct pool *pool, const uint8_t *hash, struct str text, uint32_t *out);

/* One user less; the last one frees it. SLOTS_NONE is fine. */
void pool_release(struct pool *pool, uint32_t ref);
