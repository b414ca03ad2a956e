/* What the files of fhir/v2/charset share. */
#pragma once

#include "fhir/v2/charset.h"
#include "v2_charset_tables.h"

enum {
    CHARSET_REPLACEMENT = 0xfffd,
    CHARSET_ESC = 0x1b,
    CHARSET_KATAKANA = 0xff61, /* code point of byte 0xa1 of JIS X 0201, which has 63 */
    CHARSET_KATAKANA_FIRST = 0xa1,
    CHARSET_KATAKANA_LAST = 0xdf,
};

/* What was seen on the way. */
struct charset_report {
    size_t replaced;
    size_t unknown;  /* switches to sets we don't know */
    size_t switches; /* to other sets than ASCII */
};

/**
 * charset_decode() - any set but UTF-16 and 32 to UTF-8
 * @base:   in force until a sequence switches
 * @escape: between which \C..\ and \M..\ switch; NUL: only ESC does
 * @in:     the text
 * @out:    room for three times its length
 *
 * Return: bytes written
 */
size_t charset_decode(enum v2_charset base, char escape, struct str in, char *out,
                      struct charset_report *report);

/* Bytes at the front of @text that are ASCII and no ESC. */
size_t charset_plain_length(struct str text);

/* The set of two bytes that @charset is, or NULL. */
const struct v2_charset_plane *charset_plane(enum v2_charset charset);
