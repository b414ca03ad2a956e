/* The key that signs the log's checkpoints, from its file. */
#pragma once

#include "anchor/note.h"
#include "crypto/sign.h"
#include "gateway/config/config.h"

/**
 * log_key_read() - read keys.checkpoint
 * @key:  the signing key, in guarded memory; NULL: only the public part is wanted
 * @name: what others know it by; its name is borrowed from @config
 *
 * Return: 0; otherwise the file can't be read, holds no key, or log.origin is no name
 */
MUST_USE int log_key_read(const struct config *config, struct sign_key *key,
                          struct note_key *name);
