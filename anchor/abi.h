/*
 * The contract ABI, as far as our contracts need it.
 *
 * Arguments are words of 32 bytes. A dynamic one has an offset among them and its content
 * after them:
 *
 *     size_t start = abi_call(&b, "revoke(bytes32,uint16,bytes)");
 *     abi_put(&b, id, 32);
 *     abi_put_u64(&b, version);
 *     size_t slot = abi_slot(&b);
 *     abi_point(&b, start, slot);
 *     abi_put_bytes(&b, signature);
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"
#include "crypto/base/str.h"
#include "crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ABI_WORD = 32,
    ABI_SELECTOR_SIZE = 4,
    ABI_ADDRESS_SIZE = 20,
};

void abi_selector(const char *signature, uint8_t out[ABI_SELECTOR_SIZE]);
void abi_topic(const char *signature, uint8_t out[DIGEST_SIZE]);

/* Append the selector; returns where the arguments start. */
size_t abi_call(struct buf *b, const char *signature);

/* @n bytes at the right of a word (numbers, addresses); at the left: abi_put_left(). */
void abi_put(struct buf *b, const void *p, size_t n);
void abi_put_left(struct buf *b, const void *p, size_t n);
void abi_put_u64(struct buf *b, uint64_t value);

/* A word to be filled by abi_point() with the distance from @start to here. */
MUST_USE size_t abi_slot(struct buf *b);
void abi_point(struct buf *b, size_t start, size_t slot);

/* Content of bytes or string: length, bytes, padding; of an array of words. */
void abi_put_bytes(struct buf *b, struct str s);
void abi_put_words(struct buf *b, const void *words, size_t count);

/* Reading: word @at of @data, as such, as number, as address; the bytes that it points to. */
MUST_USE int abi_word(struct str data, size_t at, uint8_t out[ABI_WORD]);
MUST_USE int abi_u64(struct str data, size_t at, uint64_t *out);
MUST_USE int abi_address(struct str data, size_t at, uint8_t out[ABI_ADDRESS_SIZE]);
MUST_USE int abi_bytes(struct str data, size_t at, struct str *out);
