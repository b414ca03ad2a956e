/* What fhir/v2/group.c and group_look.c share: the stack of open groups, and ranks of places.
 */
#pragma once

#include "fhir/v2/group.h"

enum group_rank {
    GROUP_DIRECT,  /* the next place of an open group, or the begin of one that may come */
    GROUP_THROUGH, /* in a group that may come next, past optional parts of it */
    GROUP_BACK,    /* already passed, still free; or the next of a repeating group, past
                    * optional parts of it */
    GROUP_SKIP,    /* past something required */
    GROUP_BEYOND,  /* more often than it may be */
    GROUP_NOWHERE,
};

/*
 * What is behind a group of the result.
 *
 * @seen:   a bit for each child that is there
 * @newest: for each child that is a group, the newest one made of it; 0: none
 */
struct group_instance {
    const struct v2_node *node;
    uint64_t seen;
    uint32_t *newest;
};

/* An open group. @at: its child that was reached last; NULL: none yet. */
struct group_frame {
    size_t group;
    const struct v2_node *at;
};

/* Where a segment may go: to @child of the group in @frame. */
struct group_place {
    enum group_rank rank;
    size_t frame;
    const struct v2_node *child;
};

struct grouper {
    struct arena *arena;
    const struct v2_message *message;
    struct issues *issues;
    struct v2_groups out;
    struct buf groups;    /* of struct v2_group */
    struct buf instances; /* of struct group_instance */
    struct group_frame frames[2 * V2_GROUP_DEPTH];
    size_t depth;
    size_t base;    /* frames below this are no detour */
    size_t segment; /* index of the segment at hand */
    uint16_t id;
    bool failed;
};

static inline struct v2_group *group_at(const struct grouper *g, size_t i)
{
    return (struct v2_group *)(void *)g->groups.p + i;
}

static inline struct group_instance *group_instance_at(const struct grouper *g, size_t i)
{
    return (struct group_instance *)(void *)g->instances.p + i;
}

static inline size_t group_count(const struct grouper *g)
{
    return g->groups.n / sizeof(struct v2_group);
}

static inline const struct v2_node *group_children_end(const struct v2_node *group)
{
    return group + v2_node_span(group);
}

/* Which of its group's children @child is. */
static inline unsigned group_child_number(const struct v2_node *group,
                                          const struct v2_node *child)
{
    unsigned i = 0;
    for (const struct v2_node *c = group + 1; c < child; c += v2_node_span(c)) {
        i++;
    }
    return i;
}

static inline uint64_t group_child_bit(const struct v2_node *group, const struct v2_node *child)
{
    return UINT64_C(1) << (group_child_number(group, child) % V2_GROUP_CHILDREN);
}

/* The newest group made of @node within @parent, or V2_GROUP_ROOT: none. */
static inline size_t group_newest(const struct grouper *g, const struct v2_node *node,
                                  size_t parent)
{
    const struct group_instance *above = group_instance_at(g, parent);
    return above->newest[group_child_number(above->node, node)];
}

/* How a new @node would take segment @id: GROUP_DIRECT, GROUP_THROUGH, GROUP_SKIP or
 * GROUP_NOWHERE. */
enum group_rank group_reach(const struct v2_node *node, uint16_t id);

/* Whether @child, which was passed in @group, or a group below it that is closed, has a place
 * for the segment at hand. */
bool group_free_behind(const struct grouper *g, size_t group, const struct v2_node *child);

/* The best place for the segment at hand. */
struct group_place group_look(const struct grouper *g);
