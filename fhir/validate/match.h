/* Fixed values and patterns of ElementDefinition. */
#pragma once

#include "fhir/model/node.h"

#include <stdbool.h>

/* Whether @value is the same as @wanted, whatever the order of its members. */
bool match_fixed(const struct node *value, const struct node *wanted);

/* Whether @value has all that @wanted has; in arrays at any place. */
bool match_pattern(const struct node *value, const struct node *wanted);
