/*
 * RLP: Ethereum's encoding of byte strings and lists.
 *
 * Reading is strict: a length that could be shorter, a single byte with a header and a number
 * with leading zeros are refused, so that each value has one encoding.
 *
 * Spec: Ethereum yellow paper, appendix B
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"

#include <stdbool.h>
#include <stdint.h>

void rlp_put(struct buf *b, const void *p, size_t n);
void rlp_put_str(struct buf *b, struct str s);
void rlp_put_u64(struct buf *b, uint64_t value);

/* The big-endian number at @p without its leading zeros. */
void rlp_put_number(struct buf *b, const void *p, size_t n);

/* What is written between these two becomes a list. */
MUST_USE size_t rlp_open(struct buf *b);
void rlp_close(struct buf *b, size_t opened);

/* Header of a string or list of @n bytes in @out; returns its length. */
size_t rlp_header(bool list, size_t n, uint8_t out[9]);

/* @body: the string's bytes or the list's items. @whole: with the header. Borrowed. */
struct rlp {
    bool list;
    struct str body;
    struct str whole;
};

/* Take the next item off @rest, which must not be empty. Return: 0 or -EINVAL */
MUST_USE int rlp_next(struct str *rest, struct rlp *out);

/* The next item, which must be a string, a string of exactly @n bytes, a list, a number. */
MUST_USE int rlp_string(struct str *rest, struct str *out);
MUST_USE int rlp_fixed(struct str *rest, uint8_t *out, size_t n);
MUST_USE int rlp_list(struct str *rest, struct str *out);
MUST_USE int rlp_u64(struct str *rest, uint64_t *out);

/* @text is one list and nothing else; its items. */
MUST_USE int rlp_only_list(struct str text, struct str *out);
