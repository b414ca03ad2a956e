/* Items as text. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/path/value.h"

/* As toString() tells a simple item, an element with children as JSON. */
void path_put_text(struct arena *arena, const struct schema *schema,
                   const struct path_value *item, struct buf *out);

/* As JSON: numbers and Booleans as such, dates and Quantities as strings. */
void path_put_json(struct arena *arena, const struct schema *schema,
                   const struct path_value *item, struct buf *out);

/* Append what toString() makes of a value; false if it makes nothing of it. */
bool path_put_simple(const struct path_value *value, struct buf *out);
