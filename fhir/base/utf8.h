/* UTF-8: whether bytes are it, strictly, and its characters. */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UTF8_LENGTH_MAX = 4, /* bytes of a character */
};

/**
 * utf8_span() - how far a text is UTF-8
 * @s: the text
 *
 * Overlong forms, surrogates and anything above U+10FFFF end the span; so does a sequence
 * that @s cuts off.
 *
 * Return: length of the valid beginning of @s; @s.n if all of it is valid
 * Spec:   RFC 3629 section 4
 */
size_t utf8_span(struct str s);

static inline bool utf8_valid(struct str s)
{
    return utf8_span(s) == s.n;
}

/**
 * utf8_next() - take the first character off a text
 * @rest: in: a text that isn't empty; out: what follows the character
 *
 * Return: its code point; a byte that begins no character stands for itself
 */
uint32_t utf8_next(struct str *rest);

/* The bytes of character @point; how many, at most UTF8_LENGTH_MAX. */
size_t utf8_encode(uint32_t point, char *out);

/* Characters in @s. */
size_t utf8_count(struct str s);

/* Offset of character @index, or @s.n if there are no more than that. */
size_t utf8_offset(struct str s, size_t index);
