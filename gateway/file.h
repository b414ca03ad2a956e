/* Whole files, for what is read before the workers are forked. */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"

/**
 * file_read() - the content of a regular file
 * @folder: descriptor that @path is looked up from; AT_FDCWD
 * @limit:  bytes that it may have
 * @out:    in the arena; set only on 0
 *
 * Return: 0; -EFBIG: it is larger, or no regular file; -ENOMEM; other -errno
 */
MUST_USE int file_read(struct arena *arena, int folder, const char *path, size_t limit,
                       struct str *out);
