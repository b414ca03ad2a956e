/* What differs between two translations of a message. */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/translate/to_fhir.h"

#include <stdio.h>

/*
 * @values:  write what the elements hold, not only where they are
 * @added, @removed, @changed: elements, counted over all comparisons
 */
struct hl7_compare {
    FILE *to;
    bool values;
    size_t added;
    size_t removed;
    size_t changed;
};

/**
 * hl7_compare() - write how @after differs from @before, one element a line
 * @arena: memory for the trees
 *
 * Resources are the same if their full URLs are, so by what they are recognised by.
 *
 * Return: how many elements differ, or -errno
 */
MUST_USE int hl7_compare(struct hl7_compare *c, struct arena *arena,
                         const struct translate_result *before,
                         const struct translate_result *after);
