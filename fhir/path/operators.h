/* The operators between two collections. */
#pragma once

#include "fhir/path/machine.h"

/* Replace the two collections on top, which begin at @left and @right, by the result. */
MUST_USE int path_binary(struct path_machine *m, enum path_operator op, size_t left,
                         size_t right);

/* Whether the left side of "and", "or" and "implies" decides alone, and how. */
bool path_decides(enum path_operator op, enum path_truth left, enum path_truth *out);

/* Of the items from @first on, keep none that equals one before it. */
MUST_USE int path_distinct(struct path_machine *m, size_t first);
