/* Hexadecimal digits to bytes. The other way is buf_hex(). */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

#include <stdint.h>

/* Value of a digit, upper or lower case, or -1. */
MUST_USE int hex_digit(char c);

/**
 * hex_decode() - read exactly @n bytes
 * @digits: 2 × @n digits, upper or lower case, nothing else
 * @out:    the bytes
 * @n:      how many
 *
 * Return: 0 or -EINVAL; what @out holds then is undefined.
 */
MUST_USE int hex_decode(struct str digits, uint8_t *out, size_t n);

/* The same for digits that begin with 0x, as Ethereum writes them. */
MUST_USE int hex_decode_0x(struct str digits, uint8_t *out, size_t n);
