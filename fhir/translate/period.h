/* Periods that end before they begin. */
#pragma once

#include "fhir/translate/engine.h"

/**
 * period_mend() - leave out the end of each such period
 * @e:        told of each as an issue
 * @resource: where to look
 *
 * Some senders send them, and R4 takes none (per-1). What can't be compared stays.
 */
void period_mend(struct engine *e, const struct resource *resource);
