/*
 * Keys in a worker's memory: the root, the tenant's, and the patients' that are in use.
 *
 * Secrets live in one guarded slab of fixed size; patients' keys are the least recently used
 * out. What is derived from the tenant's key finds patients and messages by keyed hashes.
 * A destroyed key leaves the cache when the epoch says so.
 */
#pragma once

#include "crypto/keyring.h"
#include "crypto/sign.h"
#include "gateway/key_cache.h"
#include "gateway/op.h"

#include <stdint.h>

struct db;
struct store_key;
struct vault;

enum {
    VAULT_KEYS_MAX = 32768,   /* kept in memory */
    VAULT_KEYS_LEAST = 512,   /* where little memory may be locked */
    VAULT_TOGETHER_MAX = 256, /* patients of one request */
};

/* The tenant's key is there and hashes can be made. */
typedef void (*vault_ready_fn)(void *arg, int r);

/**
 * vault_new() - read the root key
 * @root_file: file of the root key
 * @tenant:    name; borrowed
 * @out:       the vault, not ready before vault_start()
 *
 * Return: 0, -errno, or KEYRING_E_…
 */
MUST_USE int vault_new(const char *root_file, const char *tenant, struct vault **out);
void vault_free(struct vault *vault);

/* Load the tenant's key from @db, or make it if this is the first worker ever. */
MUST_USE struct op *vault_start(struct vault *vault, struct db *db, vault_ready_fn done,
                                void *arg);

/* The tenant's key, for what is about nobody. */
const struct vault_key *vault_tenant(struct vault *vault);

/* The newest key of @patient if it is in memory, else NULL. */
const struct vault_key *vault_cached(struct vault *vault, const uint8_t patient[16]);

/* The key of id @key if it is in memory, newest or not, or the tenant's; else NULL. */
const struct vault_key *vault_cached_id(struct vault *vault, const uint8_t key[16]);

/* Whether all @n keys with these ids are in memory. */
bool vault_has_ids(struct vault *vault, const uint8_t *ids, size_t n);

/* 0: vault_cached() now has them; -ENOKEY: one was destroyed; else as db_query(). */
typedef void (*vault_done_fn)(void *arg, int r);

/**
 * vault_fetch() - bring the newest keys of patients into memory, making those missing
 * @patients: @n numbers of 16 bytes, one after the other; copied
 * @n:        at most VAULT_TOGETHER_MAX
 */
MUST_USE struct op *vault_fetch(struct vault *vault, struct db *db, const uint8_t *patients,
                                size_t n, vault_done_fn done, void *arg);

/**
 * vault_fetch_ids() - bring keys into memory by their ids, for opening what they sealed
 *
 * Those destroyed or unknown are simply not there afterwards.
 */
MUST_USE struct op *vault_fetch_ids(struct vault *vault, struct db *db, const uint8_t *ids,
                                    size_t n, vault_done_fn done, void *arg);

/**
 * vault_new_key() - a key for a patient who is about to be made
 * @patient: its number
 * @wrapped: room for the key, which @out refers to
 *
 * It seals nothing before vault_made() was told that PostgreSQL has it.
 */
void vault_new_key(const struct vault *vault, const uint8_t patient[16],
                   uint8_t wrapped[KEYRING_WRAPPED_SIZE], struct store_key *out);
void vault_made(struct vault *vault, const struct store_key *key);

/* Forget key @id, or with NULL all of them: they were destroyed or replaced. */
void vault_forget(struct vault *vault, const uint8_t *id);

/* Id of the root key that wraps, KEYRING_ROOT_ID_SIZE bytes. */
const uint8_t *vault_root_id(const struct vault *vault);

/* Keyed hash under which a patient is found by an identifier. */
void vault_identifier_hash(const struct vault *vault, struct str system, struct str value,
                           uint8_t out[32]);

/* Keyed hash of a v2 message's sender and control id. */
void vault_control_hash(const struct vault *vault, struct str sender, struct str control_id,
                        uint8_t out[32]);

/* Keyed hash by which a recipient is found again: gateway/recipient.h. */
void vault_recipient_hash(const struct vault *vault, struct str text, uint8_t out[32]);

/* Keyed hash of what patients log in with; @domain: what kind of thing. */
void vault_login_hash(const struct vault *vault, struct str domain, struct str value,
                      uint8_t out[32]);

/* The key that signs the gateway's own tokens: wipe it after use. */
void vault_token_key(const struct vault *vault, struct sign_key *out);

/* What @key seals: associated data for crypto/seal.h. */
struct seal_about vault_about(const struct vault *vault, const struct vault_key *key,
                              enum seal_kind kind, const uint8_t id[16]);
