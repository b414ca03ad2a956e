/* Computing with two simple values. @there: false if there is no result, as after 1 / 0. */
#pragma once

#include "fhir/path/machine.h"

/* a + b and a - b. */
MUST_USE int path_sum(struct path_machine *m, const struct path_value *a,
                      const struct path_value *b, bool subtract, struct path_value *out,
                      bool *there);

/* a * b and a / b. */
MUST_USE int path_product(struct path_machine *m, const struct path_value *a,
                          const struct path_value *b, bool divide, struct path_value *out,
                          bool *there);

/* a div b and a mod b. */
MUST_USE int path_whole_division(struct path_machine *m, const struct path_value *a,
                                 const struct path_value *b, bool rest, struct path_value *out,
                                 bool *there);

/* Two texts as one, counted. */
MUST_USE int path_join(struct path_machine *m, struct str a, struct str b, struct str *out);

/* The sign in front of the collection that begins at @base. */
MUST_USE int path_negate(struct path_machine *m, size_t base);
MUST_USE int path_check_number(struct path_machine *m, size_t base);

/* Keep a Quantity in the arena, as a value. */
MUST_USE int path_keep_quantity(struct path_machine *m, const struct path_quantity *quantity,
                                struct path_value *out);

/* The number of an Integer or Decimal. */
struct decimal path_to_decimal(const struct path_value *value);
