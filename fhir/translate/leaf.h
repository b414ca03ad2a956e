/* What the files that convert values share. */
#pragma once

#include "fhir/translate/engine.h"

static inline bool leaf_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* @s without white space around it. */
struct str leaf_trimmed(struct str s);

/* @text as a whole number of at most nine digits; -1 if it is none. */
int64_t leaf_whole(struct str text);

/* Keep what @b wrote on the stack in the arena. */
enum leaf_result leaf_keep(struct engine *e, struct element *out, const struct buf *b);

/* A URI: none of the characters that RFC 3986 has in none. */
enum leaf_result leaf_uri(struct element *out, struct str text);

/* How many digits @s begins with. */
size_t leaf_digits(struct str s);

/* leaf_system.c */
enum leaf_result leaf_assigner(struct engine *e, struct element *out, struct str raw);
enum leaf_result leaf_codesystem(struct engine *e, struct element *out, struct str text);

/* leaf_time.c */
enum leaf_result leaf_date(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_datetime(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_instant(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_time(struct engine *e, struct element *out, struct str text);

/* The time @text and what @rule adds to it; nothing if either isn't known exactly. */
enum leaf_result leaf_later(struct engine *e, const struct place *place,
                            const struct rule *rule, struct str text, struct element *out);

/* leaf_bytes.c: what is base64 or hexadecimal digits already, and text, as base64. */
enum leaf_result leaf_base64(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_hex(struct engine *e, struct element *out, struct str text);
enum leaf_result leaf_encoded(struct engine *e, const struct rule *rule, struct str raw,
                              struct element *out);
