/* What libxml2 shall not see, found before it reads a byte. */
#pragma once

#include "crypto/base/str.h"

#include <stddef.h>

#define XML_BYTE_ORDER_MARK "\xEF\xBB\xBF" /* a document may begin with it */

/**
 * xml_guard() - look for what is refused without parsing
 * @text:  the document
 * @place: offset of what is refused; set only then
 *
 * Bytes that aren't UTF-8, another declared encoding or version, a document type declaration,
 * anything longer than the limits of fhir/format/xml.h. What isn't well-formed is left to the
 * parser.
 *
 * Return: NULL, or what is wrong, static text
 */
const char *xml_guard(struct str text, size_t *place);
