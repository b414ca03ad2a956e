/* Whether the paths of an expression exist in the type it is to run on. */
#pragma once

#include "fhir/path/program.h"

/**
 * path_check() - look for what can't be right, whatever the input
 * @arena:  scratch memory
 * @path:   a compiled expression
 * @type:   name of the input's type
 * @issues: gets what is wrong
 *
 * Refused are elements that their type doesn't have, "as" a type that the element can't be, and
 * functions that go by order after ones that have none.
 *
 * Return: 0, PATH_E_SYNTAX or -ENOMEM.
 */
MUST_USE int path_check(struct arena *arena, const struct path *path, struct str type,
                        struct issues *issues);
