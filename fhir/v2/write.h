/*
 * Writing a message from its parts, in any order within a segment:
 *
 *     struct v2_writer w = v2_writer(arena, &V2_DELIMS_USUAL);
 *     v2_write_segment(&w, "PID");
 *     v2_write(&w, (struct v2_address){ .field = 3, .component = 4 }, STR("LAB"));
 *     v2_write(&w, (struct v2_address){ .field = 3 }, STR("7"));
 *     v2_write_end(&w, &out);                                     PID|||7^^^LAB
 *
 * Delimiters in a text are escaped; MSH-1 and MSH-2 are written by themselves.
 */
#pragma once

#include "fhir/v2/address.h"

/* All in @arena, which is borrowed. */
struct v2_writer {
    struct arena *arena;
    struct v2_delims delims;
    struct v2_written_segment *first;
    struct v2_written_segment *last;
    bool failed;
};

struct v2_writer v2_writer(struct arena *arena, const struct v2_delims *delims);

/* Begin the next segment, "PID". */
void v2_write_segment(struct v2_writer *w, const char *name);

/* Put @text, UTF-8, at @at of the segment begun last; @at.segment and .occurrence aren't looked
 * at, 0 means 1. What is put to the same place again replaces it; an empty text puts nothing;
 * two double quotes say "delete". @text is copied. */
void v2_write(struct v2_writer *w, struct v2_address at, struct str text);

/* The same for what is escaped already, with the same delimiters: a whole field, or a part. */
void v2_write_raw(struct v2_writer *w, struct v2_address at, struct str raw);

/* Whether something stands in the segment begun last at @at, or in a part of it. */
bool v2_write_has(const struct v2_writer *w, struct v2_address at);

/* The last repetition of @field in the segment begun last, 0 if there is none. */
uint32_t v2_write_repetitions(const struct v2_writer *w, uint32_t field);

/* Where the segment begun last stands, and going back there: what was put since is forgotten.
 */
size_t v2_write_mark(const struct v2_writer *w);
void v2_write_undo(struct v2_writer *w, size_t mark);

/* Forget the segment begun last. */
void v2_write_drop(struct v2_writer *w);

/* Append the message to @out. Return: 0 or -ENOMEM */
MUST_USE int v2_write_end(struct v2_writer *w, struct buf *out);
