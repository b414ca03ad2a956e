/*
 * Which segments of a message belong together: the groups of its message structure.
 *
 * Where senders err the message is grouped all the same and an issue names the segment: what
 * stands in the wrong order goes to the group it belongs to, what repeats too often opens the
 * next one, what the structure doesn't know (Z segments, notes) stays with what precedes it.
 */
#pragma once

#include "fhir/v2/structure.h"

enum {
    V2_GROUP_ROOT = 0, /* index of the group that is the whole message */
    V2_GROUP_DEPTH = 16,
    V2_GROUP_CHILDREN = 64, /* of one group in any structure; the generator checks both */
};

#define V2_GROUP_NONE SIZE_MAX

/*
 * @name:       "ORDER_OBSERVATION"; of the root ""
 * @parent:     index of the group around it; V2_GROUP_NONE for the root
 * @occurrence: which of its parent's groups of this name, from 1
 * @segment:    index of its first segment
 */
struct v2_group {
    const char *name;
    size_t parent;
    uint32_t occurrence;
    size_t segment;
};

/*
 * @structure: what they were found by
 * @list:      @count groups, each after the one around it; all segments are in the root alone
 * if no structure is known
 * @of:        for each segment of the message, the innermost group it is in
 */
struct v2_groups {
    struct v2_structure structure;
    struct v2_group *list;
    size_t count;
    uint32_t *of;
};

/**
 * v2_group_segments() - find the groups of a message
 * @arena:   memory for them
 * @message: as parsed
 * @issues:  told of segments that are missing, misplaced, too many or unknown, and what
 *           v2_structure_of() says
 * @out:     the groups
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 * Spec:   HL7 v2.5.1 section 2.12
 */
MUST_USE int v2_group_segments(struct arena *arena, const struct v2_message *message,
                               struct issues *issues, struct v2_groups *out);

/* The innermost group called @name that segment @segment is in, or V2_GROUP_NONE. */
size_t v2_group_around(const struct v2_groups *groups, size_t segment, const char *name);

/* Whether segment @segment is in @group, directly or in a group below. */
bool v2_group_has(const struct v2_groups *groups, size_t group, size_t segment);

/* The next segment called @name in @group or below, at or after index @from; or the count of
 * segments. */
size_t v2_group_find(const struct v2_groups *groups, const struct v2_message *message,
                     size_t group, const char *name, size_t from);
