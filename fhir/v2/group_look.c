/*
 * Looking for the place of a segment.
 *
 * The places where it may stand are looked through from the innermost open group outwards, and
 * the one of the best rank is taken; innermost first among equals. So a note after a result is
 * the result's, and an ORC that could open a prior order past optional parts opens the next
 * order instead, of which it is the begin.
 */
#include "fhir/v2/group_impl.h"

static bool is_segment(const struct v2_node *node, uint16_t id)
{
    if (v2_node_kind(node) != V2_NODE_CHOICE) {
        return node->id == id;
    }
    for (const struct v2_node *c = node + 1; c < group_children_end(node); c++) {
        if (c->id == id) {
            return true;
        }
    }
    return false;
}

/*
 * Prior results begin with their patient or visit. The standard lets them begin with an order
 * as well, but then a second OBR that lacks its ORC, as many send, would be a prior result.
 */
static bool begins_anywhere(const struct v2_node *group)
{
    return strcmp(v2_node_name(group), "PRIOR_RESULT") != 0;
}

enum group_rank group_reach(const struct v2_node *node, uint16_t id)
{
    if (v2_node_kind(node) != V2_NODE_GROUP) {
        return is_segment(node, id) ? GROUP_DIRECT : GROUP_NOWHERE;
    }
    enum group_rank past = GROUP_DIRECT; /* what was passed to come here */
    for (const struct v2_node *c = node + 1; c < group_children_end(node);
         c += v2_node_span(c)) {
        enum group_rank r = group_reach(c, id);
        if (r != GROUP_NOWHERE) {
            r = r > past ? r : past;
            return r == GROUP_DIRECT || begins_anywhere(node) ? r : GROUP_NOWHERE;
        }
        past = v2_node_required(c) || past == GROUP_SKIP ? GROUP_SKIP : GROUP_THROUGH;
    }
    return GROUP_NOWHERE;
}

static void offer(struct group_place *best, enum group_rank rank, size_t frame,
                  const struct v2_node *child)
{
    if (rank < best->rank) {
        *best = (struct group_place){ .rank = rank, .frame = frame, .child = child };
    }
}

/* The child that was reached, once more. */
static void look_again(const struct grouper *g, size_t frame, struct group_place *best)
{
    const struct v2_node *at = g->frames[frame].at;
    enum group_rank r = group_reach(at, g->id);
    if (r == GROUP_NOWHERE) {
        return;
    }
    if (!v2_node_many(at)) {
        r = r == GROUP_SKIP ? GROUP_NOWHERE : GROUP_BEYOND;
    } else if (r == GROUP_THROUGH) {
        r = GROUP_BACK;
    }
    offer(best, r, frame, at);
}

static void look_forward(const struct grouper *g, size_t frame, struct group_place *best)
{
    const struct group_frame *f = &g->frames[frame];
    const struct group_instance *instance = group_instance_at(g, f->group);
    const struct v2_node *c = f->at ? f->at + v2_node_span(f->at) : instance->node + 1;
    bool skipped = false;
    for (; c < group_children_end(instance->node); c += v2_node_span(c)) {
        enum group_rank r = group_reach(c, g->id);
        if (r != GROUP_NOWHERE) {
            offer(best, skipped && r < GROUP_SKIP ? GROUP_SKIP : r, frame, c);
        }
        skipped |=
            v2_node_required(c) && !(instance->seen & group_child_bit(instance->node, c));
    }
}

bool group_free_behind(const struct grouper *g, size_t group, const struct v2_node *child)
{
    const struct group_instance *instance = group_instance_at(g, group);
    bool seen = instance->seen & group_child_bit(instance->node, child);
    if (v2_node_kind(child) != V2_NODE_GROUP) {
        return is_segment(child, g->id) && (!seen || v2_node_many(child));
    }
    if (!seen || v2_node_many(child)) {
        enum group_rank r = group_reach(child, g->id);
        if (r == GROUP_DIRECT || (r != GROUP_NOWHERE && !seen)) {
            return true;
        }
    }
    size_t below = group_newest(g, child, group);
    if (below == V2_GROUP_ROOT) {
        return false;
    }
    for (const struct v2_node *c = child + 1; c < group_children_end(child);
         c += v2_node_span(c)) {
        if (group_free_behind(g, below, c)) {
            return true;
        }
    }
    return false;
}

static void look_back(const struct grouper *g, size_t frame, struct group_place *best)
{
    const struct group_frame *f = &g->frames[frame];
    if (!f->at || best->rank <= GROUP_BACK) {
        return;
    }
    const struct v2_node *first = group_instance_at(g, f->group)->node + 1;
    for (const struct v2_node *c = first; c < f->at; c += v2_node_span(c)) {
        if (group_free_behind(g, f->group, c)) {
            offer(best, GROUP_BACK, frame, c);
            return;
        }
    }
}

struct group_place group_look(const struct grouper *g)
{
    struct group_place best = { .rank = GROUP_NOWHERE };
    for (size_t f = g->depth; f-- > 0 && best.rank != GROUP_DIRECT;) {
        if (g->frames[f].at) {
            look_again(g, f, &best);
        }
        look_forward(g, f, &best);
        look_back(g, f, &best);
    }
    return best;
}
