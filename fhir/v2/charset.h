/* Character sets of HL7 v2 messages (MSH-18) to UTF-8. */
#pragma once

#include "fhir/v2/message.h"

enum v2_charset {
    V2_CHARSET_NONE,  /* MSH-18 is silent */
    V2_CHARSET_OTHER, /* one we can't read: ISO 2022 multi-byte sets, UTF-16 and 32 */
    V2_CHARSET_ASCII,
    V2_CHARSET_UTF8,
    V2_CHARSET_8859_1, /* then part n is V2_CHARSET_8859_1 + n - 1, up to 15 */
    V2_CHARSET_8859_15 = V2_CHARSET_8859_1 + 14,
};

/* By the names of HL7 table 0211 and the usual ones ("UTF-8", "ISO-8859-1"). */
enum v2_charset v2_charset_find(struct str name);

/**
 * v2_to_utf8() - one text from a character set
 * @arena:   memory for the result
 * @charset: what @in is in; not NONE or OTHER
 * @in:      the text
 * @out:     UTF-8; borrows @in if it is the same
 *
 * A byte that the set doesn't define becomes U+FFFD.
 *
 * Return: how many bytes had to be replaced, or -ENOMEM; @out is set unless negative.
 */
MUST_USE int v2_to_utf8(struct arena *arena, enum v2_charset charset, struct str in,
                        struct str *out);

/**
 * v2_message_utf8() - the same message in UTF-8
 * @arena:    memory for text and index, if they change
 * @message:  as parsed
 * @fallback: the operator's choice where MSH-18 is silent and the text isn't UTF-8, or where
 *            it says ASCII and is wrong
 * @issues:   told of bytes that are not what MSH-18 says, and of sets we can't read
 * @out:      the message; shares everything with @message if its text is UTF-8 already
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_message_utf8(struct arena *arena, const struct v2_message *message,
                             enum v2_charset fallback, struct issues *issues,
                             struct v2_message *out);
