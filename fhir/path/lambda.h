/* Arguments that are evaluated for each item of the input. */
#pragma once

#include "fhir/path/machine.h"

/* The truth of argument 0 for item @i of the input. */
MUST_USE int path_test_item(struct path_machine *m, const struct path_call *call, size_t i,
                            enum path_truth *out);

/* Argument @argument for item @i of the input: what it gives stays on top. */
MUST_USE int path_map_item(struct path_machine *m, const struct path_call *call,
                           size_t argument, size_t i);

/* Whether each of the @n items at @first equals one of the @other_n at @other. */
MUST_USE int path_within(struct path_machine *m, size_t first, size_t n, size_t other,
                         size_t other_n, bool *out);
