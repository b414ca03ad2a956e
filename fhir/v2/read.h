/* Reading a message as it came: whatever its character set, in one piece. */
#pragma once

#include "fhir/v2/charset.h"

/**
 * v2_read() - from bytes to an indexed message in UTF-8
 * @arena:    memory for index and text
 * @text:     the message, without MLLP framing; @out may borrow from it
 * @fallback: as for v2_message_utf8()
 * @issues:   told what was tolerated, converted, replaced or can't be read, by place
 * @out:      the message
 *
 * UTF-16 and UTF-32 are recognised by their byte order mark or by the zeros in "MSH". Segments
 * continued by ADD are joined.
 *
 * Return: 0, V2_MESSAGE_E_… or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_read(struct arena *arena, struct str text, enum v2_charset fallback,
                     struct issues *issues, struct v2_message *out);
