/*
 * Reading CBOR, strictly: one encoding for each value.
 *
 * What authenticators write: integers, byte and text strings, arrays, maps and the simple
 * values false, true and null, each of definite length and in its shortest form. Tags, floats
 * and indefinite lengths are refused.
 *
 * Spec: RFC 8949 section 4.2.1; CTAP 2.1 section 8, message encoding
 */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdint.h>

enum {
    CBOR_DEPTH_MAX = 4, /* arrays and maps in each other, as CTAP has it */
};

enum cbor_kind {
    CBOR_UNSIGNED = 0, /* the kinds are the major types */
    CBOR_NEGATIVE = 1,
    CBOR_BYTES = 2,
    CBOR_TEXT = 3,
    CBOR_ARRAY = 4,
    CBOR_MAP = 5,
    CBOR_SIMPLE = 7,
};

/* What is left to read. @failed: once anything wasn't as wanted; then nothing more is read. */
struct cbor {
    struct str rest;
    bool failed;
};

static inline struct cbor cbor(struct str bytes)
{
    return (struct cbor){ .rest = bytes };
}

/* The next value, which must be such a one: an integer, a string's bytes, how many elements an
 * array or pairs a map has. 0 or empty after a failure. */
int64_t cbor_integer(struct cbor *c);
struct str cbor_bytes(struct cbor *c);
struct str cbor_text(struct cbor *c);
uint64_t cbor_array(struct cbor *c);
uint64_t cbor_map(struct cbor *c);

/* The next value must be the integer @want, or the text @want: names in a map. */
void cbor_want_integer(struct cbor *c, int64_t want);
void cbor_want_text(struct cbor *c, const char *want);

/* Read over the next value, whatever it is. */
void cbor_skip(struct cbor *c);

/* Whether all of it was read, and was right. */
bool cbor_ended(const struct cbor *c);
