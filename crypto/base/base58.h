/* Base58 as Bitcoin writes it: one text for each sequence of bytes. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    BASE58_TEXT_MAX = 128, /* characters: its cost grows with their square */
};

/* Append @n bytes at @p as text; fails if they could be longer than BASE58_TEXT_MAX allows. */
void base58_put(struct buf *b, const void *p, size_t n);

/**
 * base58_decode() - read text
 * @text: all of it
 * @out:  room for @cap bytes
 * @cap:  room at @out
 * @n:    bytes written
 *
 * Return: 0, -EINVAL if it isn't such text or too long, -ENOSPC; @n is set only on 0.
 */
MUST_USE int base58_decode(struct str text, uint8_t *out, size_t cap, size_t *n);
