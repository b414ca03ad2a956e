/*
 * Invariants of R4's types: FHIRPath expressions that must hold, from the definitions.
 */
#pragma once

#include "fhir/base/issue.h"

#include <stddef.h>

/*
 * @path: a type, "Patient.contact", or an element that is none, "Narrative.div"
 * @key:  "pat-1"
 */
struct invariant {
    const char *path;
    const char *key;
    const char *expression;
    enum issue_severity severity;
};

/* @count rows by path. */
struct invariants {
    const struct invariant *rows;
    size_t count;
};

extern const struct invariants invariants_r4;
