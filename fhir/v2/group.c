/*
 * Grouping the segments of a message by its structure.
 *
 * One pass with a stack: the groups that are open, from the root to the innermost, each with
 * the place in its structure that was reached. group_look.c finds the best place for each
 * segment.
 *
 * A place that was passed is filled without closing anything, so what follows goes on where it
 * was. Groups opened there stand on top of the stack for a while, a detour: what fits them goes
 * to them, anything else ends it.
 */
#include "fhir/v2/group_impl.h"

#include <errno.h>

/* --- issues ------------------------------------------------------------------------------- */

enum {
    PLACE_MAX = 32,
};

/* "OBX[3]": segment @segment and which of its name it is. */
static struct str segment_place(const struct grouper *g, size_t segment, char text[PLACE_MAX])
{
    const struct v2_segment *list = g->message->segments;
    struct buf out = buf_fixed(text, PLACE_MAX);
    uint32_t n = 0;
    if (g->issues->count >= ISSUES_MAX) {
        return STR(""); /* counted only */
    }
    bool more = v2_find(g->message, list[segment].name, segment + 1) < g->message->count;
    for (size_t i = 0; i <= segment; i++) {
        n += memcmp(list[i].name, list[segment].name, 4) == 0;
    }
    buf_z(&out, list[segment].name);
    if (n > 1 || more) {
        buf_fmt(&out, "[%u]", n);
    }
    return buf_str(&out);
}

/* The segment by which @node is there: of a group the first that is required in it. */
static const char *node_segment(const struct v2_node *node)
{
    while (v2_node_kind(node) != V2_NODE_SEGMENT) {
        const struct v2_node *inner = node + 1;
        for (const struct v2_node *c = inner; c < group_children_end(node);
             c += v2_node_span(c)) {
            if (v2_node_required(c)) {
                inner = c;
                break;
            }
        }
        node = inner;
    }
    return v2_node_name(node);
}

static void say_missing(struct grouper *g, size_t group, const struct v2_node *child)
{
    const char *around = group_at(g, group)->name;
    bool is_group = v2_node_kind(child) == V2_NODE_GROUP;
    char text[PLACE_MAX];
    struct str at = segment_place(g, group_at(g, group)->segment, text);
    issues_add(g->issues, ISSUE_ERROR, "required", str_z(node_segment(child)),
               "%s%s is required in %s%s that begins with %.*s, and missing",
               is_group ? "group " : "it", is_group ? v2_node_name(child) : "",
               around[0] ? "group " : "the message", around, (int)at.n, at.p);
}

static void say_here(struct grouper *g, enum issue_severity severity, const char *text)
{
    char place[PLACE_MAX];
    issues_add(g->issues, severity, "structure", segment_place(g, g->segment, place), "%s",
               text);
}

/* --- the groups made ---------------------------------------------------------------------- */

/* A group made of @node within @parent, which has it as @child; the root has no parent. */
static size_t new_group(struct grouper *g, const struct v2_node *node, size_t parent)
{
    size_t made = group_count(g);
    struct v2_group group = {
        .name = v2_node_name(node),
        .parent = parent,
        .occurrence = 1,
        .segment = g->segment,
    };
    struct group_instance instance = { .node = node };
    instance.newest = arena_calloc(g->arena, group_child_number(node, group_children_end(node)),
                                   sizeof(*instance.newest));
    if (parent != V2_GROUP_NONE) {
        const struct group_instance *above = group_instance_at(g, parent);
        uint32_t *newest = &above->newest[group_child_number(above->node, node)];
        group.occurrence += *newest ? group_at(g, *newest)->occurrence : 0;
        *newest = (uint32_t)made;
    }
    buf_put(&g->groups, &group, sizeof(group));
    buf_put(&g->instances, &instance, sizeof(instance));
    g->failed |= !instance.newest || buf_failed(&g->groups) || buf_failed(&g->instances);
    return g->failed ? V2_GROUP_ROOT : made;
}

/* Whether a group can be there without a segment: nothing in it is required. */
static bool may_be_empty(const struct v2_node *node)
{
    if (v2_node_kind(node) != V2_NODE_GROUP) {
        return false;
    }
    for (const struct v2_node *c = node + 1; c < group_children_end(node);
         c += v2_node_span(c)) {
        if (v2_node_required(c) && !may_be_empty(c)) {
            return false;
        }
    }
    return true;
}

/* Report each required child of @group from @from up to @to that isn't there; once. */
static void report_missing(struct grouper *g, size_t group, const struct v2_node *from,
                           const struct v2_node *to)
{
    struct group_instance *instance = group_instance_at(g, group);
    for (const struct v2_node *c = from; c < to; c += v2_node_span(c)) {
        uint64_t bit = group_child_bit(instance->node, c);
        if (v2_node_required(c) && !(instance->seen & bit) && !may_be_empty(c)) {
            say_missing(g, group, c);
            instance->seen |= bit;
        }
    }
}

static void close_to(struct grouper *g, size_t depth)
{
    while (g->depth > depth) {
        g->depth--;
        size_t group = g->frames[g->depth].group;
        const struct v2_node *node = group_instance_at(g, group)->node;
        report_missing(g, group, node + 1, group_children_end(node));
    }
}

/* --- placing ------------------------------------------------------------------------------ */

/* Put the segment into @group at @child, opening groups as needed. */
static void enter(struct grouper *g, size_t group, const struct v2_node *child)
{
    struct group_instance *instance = group_instance_at(g, group);
    instance->seen |= group_child_bit(instance->node, child);
    while (v2_node_kind(child) == V2_NODE_GROUP && !g->failed) {
        group = new_group(g, child, group);
        const struct v2_node *inner = child + 1;
        while (group_reach(inner, g->id) == GROUP_NOWHERE) {
            inner += v2_node_span(inner);
        }
        report_missing(g, group, child + 1, inner);
        group_instance_at(g, group)->seen |= group_child_bit(child, inner);
        g->frames[g->depth++] = (struct group_frame){ .group = group, .at = inner };
        child = inner;
    }
    g->out.of[g->segment] = (uint32_t)group;
}

/* Which child of which group takes it at a place that was passed: a group's that has room. */
static const struct v2_node *find_behind(const struct grouper *g, size_t *group,
                                         const struct v2_node *child)
{
    while (v2_node_kind(child) == V2_NODE_GROUP) {
        const struct group_instance *instance = group_instance_at(g, *group);
        bool seen = instance->seen & group_child_bit(instance->node, child);
        if ((!seen || v2_node_many(child)) &&
            (!seen || group_reach(child, g->id) == GROUP_DIRECT)) {
            break;
        }
        *group = group_newest(g, child, *group);
        const struct v2_node *inner = child + 1;
        while (!group_free_behind(g, *group, inner)) {
            inner += v2_node_span(inner);
        }
        child = inner;
    }
    return child;
}

/* Closing what is open reports what is missing, and then it isn't free any more: found before.
 */
static void enter_behind(struct grouper *g, size_t group, const struct v2_node *passed)
{
    const struct v2_node *child = find_behind(g, &group, passed);
    struct group_instance *instance = group_instance_at(g, group);
    instance->seen |= group_child_bit(instance->node, child);
    close_to(g, g->base);
    enter(g, group, child);
}

/* What may stand anywhere, and says something about what it follows. */
static bool follows(struct str name)
{
    return name.p[0] == 'Z' || str_eq(name, STR("NTE")) || str_eq(name, STR("ROL")) ||
           str_eq(name, STR("PRT")) || str_eq(name, STR("ADD"));
}

static void stay(struct grouper *g, struct str name)
{
    g->out.of[g->segment] = (uint32_t)g->frames[g->depth - 1].group;
    if (follows(name)) {
        return;
    }
    say_here(g, ISSUE_WARNING,
             g->id == V2_SEGMENT_ID_NONE ? "no segment of the standard"
             : g->out.structure.root     ? "isn't part of this message's structure"
                                         : "can't be placed");
}

static void place_segment(struct grouper *g)
{
    struct str name = str_z(g->message->segments[g->segment].name);
    if (name.n == 0 || !g->out.structure.root) {
        g->out.of[g->segment] = V2_GROUP_ROOT;
        return;
    }
    g->id = v2_segment_id(name);
    struct group_place place = { .rank = GROUP_NOWHERE };
    if (g->id != V2_SEGMENT_ID_NONE) {
        place = group_look(g);
    }
    if (place.rank == GROUP_NOWHERE || (place.rank >= GROUP_BACK && follows(name))) {
        stay(g, name);
        return;
    }

    size_t group = g->frames[place.frame].group;
    const struct v2_node *at = g->frames[place.frame].at;
    if (place.rank == GROUP_BACK && at && place.child < at) {
        say_here(g, ISSUE_WARNING, "stands further back than it belongs");
        enter_behind(g, group, place.child);
        return;
    }
    if (place.rank == GROUP_BEYOND) {
        say_here(g, ISSUE_ERROR, "stands more often than it may");
    }
    close_to(g, place.frame + 1);
    if (place.child != at) {
        const struct v2_node *node = group_instance_at(g, group)->node;
        report_missing(g, group, at ? at + v2_node_span(at) : node + 1, place.child);
    }
    g->frames[place.frame].at = place.child;
    enter(g, group, place.child);
    g->base = place.frame < g->base ? g->depth : g->base;
}

int v2_group_segments(struct arena *arena, const struct v2_message *message,
                      struct issues *issues, struct v2_groups *out)
{
    static const struct v2_node unknown = { .id = V2_NODE_GROUP_ID }; /* named "" */
    struct grouper g = {
        .arena = arena,
        .message = message,
        .issues = issues,
        .groups = arena_buf(arena,
                            (size_t)V2_SEGMENTS_MAX * V2_GROUP_DEPTH * sizeof(struct v2_group)),
        .instances = arena_buf(arena, (size_t)V2_SEGMENTS_MAX * V2_GROUP_DEPTH *
                                          sizeof(struct group_instance)),
    };
    v2_structure_of(message, issues, &g.out.structure);
    g.out.of = arena_calloc(arena, message->count, sizeof(*g.out.of));
    (void)new_group(&g, g.out.structure.root ? g.out.structure.root : &unknown, V2_GROUP_NONE);
    if (!g.out.of || g.failed) {
        return -ENOMEM;
    }
    g.frames[g.depth++] = (struct group_frame){ .group = V2_GROUP_ROOT };
    g.base = g.depth;
    for (; g.segment < message->count && !g.failed; g.segment++) {
        place_segment(&g);
    }
    if (g.failed) {
        return -ENOMEM;
    }
    close_to(&g, 0);
    g.out.list = group_at(&g, 0);
    g.out.count = group_count(&g);
    *out = g.out;
    return 0;
}

/* --- questions ---------------------------------------------------------------------------- */

size_t v2_group_around(const struct v2_groups *groups, size_t segment, const char *name)
{
    size_t group = groups->of[segment];
    while (group != V2_GROUP_NONE && strcmp(groups->list[group].name, name) != 0) {
        group = groups->list[group].parent;
    }
    return group;
}

bool v2_group_has(const struct v2_groups *groups, size_t group, size_t segment)
{
    size_t g = groups->of[segment];
    while (g != V2_GROUP_NONE && g != group) {
        g = groups->list[g].parent;
    }
    return g == group;
}

size_t v2_group_find(const struct v2_groups *groups, const struct v2_message *message,
                     size_t group, const char *name, size_t from)
{
    size_t at = v2_find(message, name, from);
    while (at < message->count && !v2_group_has(groups, group, at)) {
        at = v2_find(message, name, at + 1);
    }
    return at;
}
