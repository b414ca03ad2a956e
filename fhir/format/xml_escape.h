/* Text as it may stand in an attribute's value. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/buf.h"

#include <stdbool.h>

/**
 * xml_escape() - append text to the value of an attribute in double quotes
 * @out:  writer
 * @text: UTF-8
 *
 * Tabs and ends of lines become references: a reader would make spaces of them.
 *
 * Return: whether XML allows all of @text
 * Spec:   XML 1.0 sections 2.2, 3.3.3
 */
MUST_USE bool xml_escape(struct buf *out, struct str text);
