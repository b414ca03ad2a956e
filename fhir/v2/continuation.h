/*
 * Segments and messages that are continued: what didn't fit is in an ADD segment, or in a
 * message of its own that the first one's DSC announces.
 */
#pragma once

#include "fhir/v2/message.h"

/* What the next part is called (DSC-1) if @message is only a part; else empty. */
struct str v2_continues(const struct v2_message *message);

/* Which part @message is (MSH-14), if it continues one; else empty. */
struct str v2_continuation_of(const struct v2_message *message);

/*
 * Where @message says that it is only a part: "DSC-1" if more is to come, "MSH-14" if it goes
 * on with an ADD where a message would begin; else empty. MSH-14 alone says nothing, many fill
 * it.
 */
struct str v2_part_place(const struct v2_message *message);

/**
 * v2_join_fragments() - two parts of a message
 * @arena: memory for the text
 * @first: ends in a DSC
 * @next:  its continuation; its MSH is dropped
 * @out:   the text of both
 *
 * An ADD at the seam is joined with the segment that it continues.
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 * Spec:   HL7 v2.5.1 sections 2.10.2, 2.15.1, 2.15.4
 */
MUST_USE int v2_join_fragments(struct arena *arena, const struct v2_message *first,
                               const struct v2_message *next, struct str *out);

/**
 * v2_join_additions() - the same message with each ADD appended to the segment before it
 * @arena:   memory for text and index, if they change
 * @message: as parsed
 * @issues:  told of an ADD that has nothing before it to add to
 * @out:     the message; shares everything with @message if there is no ADD
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_join_additions(struct arena *arena, const struct v2_message *message,
                               struct issues *issues, struct v2_message *out);
