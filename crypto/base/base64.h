/*
 * Base64, strictly: one text for each sequence of bytes.
 *
 * BASE64_USUAL has padding and must have it, BASE64_URL has none and may not have it. White
 * space, foreign characters and stray bits in the last character are refused.
 *
 * Spec: RFC 4648 sections 4, 5 and 3.5
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum base64_kind {
    BASE64_USUAL, /* + and /, padded */
    BASE64_URL,   /* - and _, never padded */
};

/* Bytes that text of @n characters may stand for at most. */
static inline size_t base64_room(size_t n)
{
    return n / 4 * 3 + 3;
}

/* Append @n bytes at @p as text. */
void base64_put(struct buf *b, enum base64_kind kind, const void *p, size_t n);

/**
 * base64_decode() - read text
 * @kind: which alphabet
 * @text: all of it
 * @out:  room for @cap bytes; may be the memory of @text itself
 * @cap:  room at @out
 * @n:    bytes written
 *
 * Return: 0, -EINVAL if it isn't such text, -ENOSPC; @n is set only on 0.
 */
MUST_USE int base64_decode(enum base64_kind kind, struct str text, uint8_t *out, size_t cap,
                           size_t *n);
