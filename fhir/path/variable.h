/* Values of %names. */
#pragma once

#include "fhir/path/machine.h"

/* Put the value of %@name on top. */
MUST_USE int path_push_variable(struct path_machine *m, struct str name);

/* Make %@name stand for the items from @first on; they are copied. */
MUST_USE int path_define(struct path_machine *m, struct str name, size_t first, size_t n);
