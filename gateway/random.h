/* Random bytes that are no keys: ids, nonces, salts. Keys come straight from libsodium. */
#pragma once

#include <stddef.h>

void random_bytes(void *out, size_t n);
