/* Following quotes and backslashes through JSON text, to know where it is inside a string. */
#pragma once

#include "crypto/base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * @quote:     offset of the last quote that wasn't escaped: if @in_string, the opening one
 * @odd:       from this offset on all bytes are ASCII, and none is a form feed or vertical tab
 * @in_string: the text so far ends in a string
 * @escaped:   and in it after a backslash
 */
struct json_scan {
    size_t quote;
    size_t odd;
    bool in_string;
    bool escaped;
};

/* Go on through @text, which starts at @offset of the document. */
void json_scan(struct json_scan *scan, struct str text, size_t offset);

/**
 * json_scan_whole() - how much of a text may be given to yajl
 * @scan:   its state after all of the text
 * @text:   what yajl hasn't read yet
 * @offset: of @text in the document
 *
 * Return: a length: whole tokens only, and such that the next one to read is a bracket, comma
 *         or colon, because yajl copies the first token of what it is given
 */
size_t json_scan_whole(const struct json_scan *scan, struct str text, size_t offset);

/* Why the escapes of @raw, a string between its quotes and well-formed, are refused, or NULL.
 */
const char *json_bad_escape(struct str raw);
