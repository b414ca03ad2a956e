/* libxml2, guarded: a document to events, in which nothing outside of it has a say. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"
#include "fhir/format/xml.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * @uri:    its namespace; empty without one
 * @value:  decoded
 * @lasts:  @value is inside of the document's text; otherwise it lives for the call only
 */
struct xml_attribute {
    struct str uri;
    struct str name;
    struct str value;
    bool lasts;
};

/*
 * Names live until the document is read.
 *
 * @uri:      its namespace; empty without one
 * @declares: it declares that namespace itself, with its prefix
 * @at:       offset of its "<"
 */
struct xml_element {
    struct str name;
    struct str prefix;
    struct str uri;
    bool declares;
    const struct xml_attribute *attributes;
    size_t attributes_n;
    size_t at;
};

/*
 * Each but @aside returns 0 to go on; anything else ends the reading and is passed on.
 *
 * @end:   an element ends, the offset after it
 * @text:  text or CDATA, decoded, in any pieces
 * @aside: a comment or processing instruction stands at a line
 */
struct xml_sax_use {
    int (*start)(void *owner, const struct xml_element *element);
    int (*end)(void *owner, size_t after);
    int (*text)(void *owner, struct str text);
    void (*aside)(void *owner, const char *what, size_t line);
    void *owner;
};

/*
 * @reason: of XML_E_SYNTAX; static text
 * @line:   where the reading ended, from 1
 */
struct xml_fault {
    const char *reason;
    size_t line;
};

/**
 * xml_sax() - read a document
 * @text:  all of it
 * @use:   whom to tell what is in it
 * @fault: set unless 0 is returned
 *
 * Return: 0, XML_E_SYNTAX, -ENOMEM or what a function of @use returned
 */
MUST_USE int xml_sax(struct str text, const struct xml_sax_use *use, struct xml_fault *fault);
