/* What the files that convert values share. */
#pragma once

#include "fhir/translate/engine.h"

/* @s without white space around it. */
struct str leaf_trimmed(struct str s);

/* Keep what @b wrote on the stack in the arena. */
enum leaf_result leaf_keep(struct engine *e, struct element *out, const struct buf *b);

/* leaf_time.c */
enum leaf_result leaf_date(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_datetime(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_instant(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_time(struct engine *e, struct element *out, struct str text);
