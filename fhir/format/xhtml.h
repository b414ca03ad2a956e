/* Narratives: whether a div holds only what FHIR lets stand in one. */
#pragma once

#include "crypto/base/attr.h"
#include "crypto/base/str.h"

enum {
    XHTML_E_FORM = 1,  /* not a well-formed div, or an element or attribute not allowed */
    XHTML_E_EMPTY = 2, /* nothing in it that could be read or seen */
};

/**
 * xhtml_check() - look at a narrative
 * @div: its text, as JSON has it
 *
 * Return: 0, XHTML_E_FORM, XHTML_E_EMPTY or -ENOMEM
 * Spec:   FHIR R4 narrative, invariants txt-1 and txt-2
 */
MUST_USE int xhtml_check(struct str div);
