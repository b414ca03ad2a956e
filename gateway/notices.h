/*
 * Telling of broken glasses: the privacy officer at once, the patient later.
 *
 * Each notice is a Communication at the FHIR destination that break_glass.notify names, under
 * an id of its own, so that one told twice is there once. It names nobody: whom it is about and
 * why is in the record, sealed.
 */
#pragma once

#include "crypto/base/attr.h"

struct notices;
struct worker;

/* NULL: no memory. Does nothing where the configuration has no break_glass. */
MUST_USE struct notices *notices_new(struct worker *worker);

/* From now on what is due is told. */
void notices_start(struct notices *notices);

/* Freeing NULL is fine. */
void notices_free(struct notices *notices);
