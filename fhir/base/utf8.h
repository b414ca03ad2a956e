/* UTF-8: whether bytes are it, strictly. */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>

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
