/* Following quotes and backslashes through JSON text, to know where it is inside a string. */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * @quote:     offset of the last quote that wasn't escaped: if @in_string, the opening one
 * @in_string: the text so far ends in a string
 * @escaped:   and in it after a backslash
 */
struct json_scan {
    size_t quote;
    bool in_string;
    bool escaped;
};

/* Go on through @text, which starts at @offset of the document. */
void json_scan(struct json_scan *scan, struct str text, size_t offset);

/* Why the escapes of @raw, a string between its quotes and well-formed, are refused, or NULL.
 */
const char *json_bad_escape(struct str raw);
