/* Character sets of HL7 v2 messages (MSH-18) to UTF-8 and back. */
#pragma once

#include "fhir/v2/message.h"

enum v2_charset {
    V2_CHARSET_NONE,  /* MSH-18 is silent */
    V2_CHARSET_OTHER, /* one we can't read: CNS 11643, misspelt ones */
    V2_CHARSET_ASCII,
    V2_CHARSET_UTF8,
    V2_CHARSET_UTF16,
    V2_CHARSET_UTF32,
    V2_CHARSET_IR13,  /* JIS X 0201 katakana */
    V2_CHARSET_IR14,  /* JIS X 0201 romaji, read as ASCII: its yen sign is the escape character
                       */
    V2_CHARSET_IR87,  /* JIS X 0208 */
    V2_CHARSET_IR159, /* JIS X 0212 */
    V2_CHARSET_KSX1001,
    V2_CHARSET_GB18030,
    V2_CHARSET_BIG5,
    V2_CHARSET_1252,   /* of Windows; in no table of HL7 */
    V2_CHARSET_8859_1, /* then part n is V2_CHARSET_8859_1 + n - 1, up to 16; there is no 12 */
    V2_CHARSET_8859_16 = V2_CHARSET_8859_1 + 15,
    V2_CHARSETS,
};

/* By the names of HL7 table 0211 and the usual ones ("UTF-8", "ISO-8859-1"). */
enum v2_charset v2_charset_find(struct str name);

/* All that a message may use. @others: bit n for the set n of enum v2_charset */
struct v2_charsets {
    enum v2_charset first;
    uint32_t others;
};

/* The sets of MSH-18: the first repetition is in force until an escape sequence of ISO 2022
 * switches to another. */
void v2_charsets_read(struct str field, char repetition, struct v2_charsets *out);

/**
 * v2_to_utf8() - one text from a character set
 * @arena:   memory for the result
 * @charset: what @in is in; not NONE, OTHER, UTF16 or UTF32
 * @in:      the text
 * @out:     UTF-8; borrows @in if it is the same
 *
 * Escape sequences of ISO 2022 switch to any set of two or one byte that HL7 names. What the
 * set in force doesn't define becomes U+FFFD.
 *
 * Return: how many characters had to be replaced, or -ENOMEM; @out is set unless negative.
 * Spec:   HL7 v2.5.1 sections 2.7.2, 2.15.9.18, 2.15.9.20; ISO 2022
 */
MUST_USE int v2_to_utf8(struct arena *arena, enum v2_charset charset, struct str in,
                        struct str *out);

/**
 * v2_from_utf8() - a text or message for a receiver that wants other sets
 * @arena: memory for the result
 * @to:    the sets it reads; ISO 2022 switches between them, and back before each delimiter
 * @in:    UTF-8
 * @out:   the text; borrows @in if it is the same
 *
 * What none of the sets has becomes "?".
 *
 * Return: how many characters had to be replaced, or -ENOMEM; @out is set unless negative.
 */
MUST_USE int v2_from_utf8(struct arena *arena, const struct v2_charsets *to, struct str in,
                          struct str *out);

/**
 * v2_message_utf8() - the same message in UTF-8
 * @arena:    memory for text and index, if they change
 * @message:  as parsed
 * @fallback: the operator's choice where MSH-18 is silent and the text isn't UTF-8, or where
 *            it says ASCII and is wrong
 * @issues:   told of fields with bytes that are not what MSH-18 says, of switches to sets that
 *            it doesn't name, and of sets we can't read
 * @out:      the message; shares everything with @message if its text is UTF-8 already
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_message_utf8(struct arena *arena, const struct v2_message *message,
                             enum v2_charset fallback, struct issues *issues,
                             struct v2_message *out);
