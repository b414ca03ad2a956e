/*
 * Placing segments in groups.
 *
 * A segment goes to the innermost open group that has room for it or may open a group below
 * itself that does; only if there is none, one whose first segments are missing is opened. A
 * group has room if the segment isn't there yet, or may repeat, and none that belongs after it
 * has come. So an OBR after an OBX closes that result and its order and
 * opens the next order, whatever the version's exact structure is. What belongs below a group
 * that another kind has closed goes back to it: a DG1 after an AL1 to the visit before that.
 * A note on a segment that no group has is nobody's, so that it isn't read as one on the result
 * before that; site's own segments (Z…) leave their neighbours as they are.
 */
#include "fhir/translate/engine.h"

#include "fhir/v2/address.h"

#include <errno.h>

static int member_index(const struct rule_group *rules, int16_t id)
{
    for (int i = 0; i < rules->member_count; i++) {
        if (rules->members[i].segment == id) {
            return i;
        }
    }
    return -1;
}

/* Whether @group can take one more segment @id; the member's index or -1. */
static int room(const struct group *group, int16_t id)
{
    int i = member_index(group->rules, id);
    const struct rule_member *member = i < 0 ? NULL : &group->rules->members[i];
    if (!member || member->rank < group->rank || (group->members[i] && !member->many)) {
        return -1;
    }
    return i;
}

/* Where the last group of a kind just below @group is kept. */
static struct group **last_of(const struct group *group, const struct rule_group *rules)
{
    int i = 0;
    while (group->rules->children[i] != rules) {
        i++;
    }
    return &group->last_of[i];
}

static struct group *open_group(struct engine *e, const struct rule_group *rules,
                                struct group *parent)
{
    struct group *group = arena_calloc(e->arena, 1, sizeof(*group));
    const struct v2_segment **members =
        arena_calloc(e->arena, rules->member_count, sizeof(struct v2_segment *));
    struct resource **resources =
        arena_calloc(e->arena, rules->resource_count, sizeof(struct resource *));
    struct group **below = arena_calloc(e->arena, rules->child_count, sizeof(struct group *));
    if (!group || !members || !resources || !below) {
        e->error = -ENOMEM;
        return NULL;
    }
    group->members = members;
    group->resources = resources;
    group->last_of = below;
    group->rules = rules;
    group->parent = parent;
    if (parent && parent->newest) {
        parent->newest->next = group;
    } else if (parent) {
        parent->first = group;
    }
    if (parent) {
        parent->newest = group;
        *last_of(parent, rules) = group;
    }
    return group;
}

/* Whether groups of this kind, or below one, have @id. */
static bool leads_to(const struct rule_group *rules, int16_t id)
{
    if (member_index(rules, id) >= 0) {
        return true;
    }
    for (int i = 0; i < rules->child_count; i++) {
        if (leads_to(rules->children[i], id)) {
            return true;
        }
    }
    return false;
}

/* The last group of this kind just below @group; NULL if there is none. */
static struct group *last_below(const struct group *group, const struct rule_group *rules)
{
    return *last_of(group, rules);
}

/* Of the kinds just below that have @id the one that it rather begins; NULL if none has it. */
static const struct rule_group *direct_way(const struct rule_group *rules, int16_t id)
{
    const struct rule_group *best = NULL;
    uint8_t rank = UINT8_MAX;
    for (int i = 0; i < rules->child_count; i++) {
        const struct rule_group *child = rules->children[i];
        int member = member_index(child, id);
        if (member >= 0 && child->members[member].rank < rank) {
            rank = child->members[member].rank;
            best = child;
        }
    }
    return best;
}

/* The first kind just below that leads to @id; NULL if none does. */
static const struct rule_group *long_way(const struct rule_group *rules, int16_t id)
{
    for (int i = 0; i < rules->child_count; i++) {
        if (leads_to(rules->children[i], id)) {
            return rules->children[i];
        }
    }
    return NULL;
}

/*
 * The group below @group that takes @id, opened if need be; NULL if none does. Those between
 * that no segment has opened yet are, too, if @invent.
 */
static struct group *find_below(struct engine *e, struct group *group, int16_t id, bool invent)
{
    const struct rule_group *way = direct_way(group->rules, id);
    if (way) {
        struct group *last = last_below(group, way);
        return last && room(last, id) >= 0 ? last : open_group(e, way, group);
    }
    way = long_way(group->rules, id);
    if (!way) {
        return NULL;
    }
    struct group *between = last_below(group, way);
    if (!between && invent) {
        between = open_group(e, way, group); /* the segment that should open it is missing */
    }
    return between ? find_below(e, between, id, invent) : NULL;
}

/* The group that takes @id, from @current up to, not including, @end; NULL if none does. */
static struct group *home_from(struct engine *e, struct group *current, const struct group *end,
                               int16_t id, bool invent)
{
    for (struct group *g = current; g != end; g = g->parent) {
        if (room(g, id) >= 0) {
            return g;
        }
        struct group *below = find_below(e, g, id, invent);
        if (below || e->error) {
            return below;
        }
    }
    return NULL;
}

static struct group *home_below(struct engine *e, struct group *current,
                                const struct group *end, int16_t id)
{
    struct group *found = home_from(e, current, end, id, false);
    return found || e->error ? found : home_from(e, current, end, id, true);
}

/*
 * The group that @id belongs to, coming after something in @current; NULL if none. Inside a
 * group that stands in one of its own name, what has a place there doesn't go out of it.
 */
static struct group *home(struct engine *e, struct group *current, int16_t id)
{
    for (const struct group *g = current; g; g = g->parent) {
        if (g->rules->again) {
            struct group *found = home_below(e, current, g->parent, id);
            if (found || e->error) {
                return found;
            }
        }
    }
    return home_below(e, current, NULL, id);
}

/* Segment @i stands in @group, and so in those above. */
static void extend(struct group *group, size_t i)
{
    for (struct group *g = group; g; g = g->parent) {
        g->from = g->to ? g->from : i;
        g->to = i + 1;
    }
}

/* Number the segments of each name. */
static void count_segments(struct engine *e)
{
    const struct v2_message *m = e->message;
    uint32_t *counts = arena_calloc(e->arena, e->rules->segment_count, sizeof(*counts));
    e->occurrences = arena_calloc(e->arena, m->count, sizeof(*e->occurrences));
    e->segment_ids = arena_calloc(e->arena, m->count, sizeof(*e->segment_ids));
    if (!counts || !e->occurrences || !e->segment_ids) {
        e->error = -ENOMEM;
        return;
    }
    for (size_t i = 0; i < m->count; i++) {
        const char *name = m->segments[i].name;
        e->segment_ids[i] = name[0] ? rules_segment(e->rules, name) : -1;
        e->occurrences[i] = e->segment_ids[i] >= 0 ? ++counts[e->segment_ids[i]] : 0;
    }
}

/* Whether a note after @segment, which no group has, would be about @segment. */
static bool takes_notes(const struct v2_segment *segment)
{
    return segment->name[0] != 'Z' && segment->name[0] != '\0';
}

void groups_build(struct engine *e, const struct rule_group *root)
{
    const struct v2_message *m = e->message;
    count_segments(e);
    e->homes = arena_calloc(e->arena, m->count, sizeof(struct group *));
    e->root = open_group(e, root, NULL);
    if (e->error || !e->homes || !e->root) {
        e->error = -ENOMEM;
        return;
    }

    struct group *current = e->root;
    bool foreign = false; /* notes are on a segment that no group has */
    for (size_t i = 0; i < m->count; i++) {
        int16_t id = e->segment_ids[i];
        bool skip = foreign && memcmp(m->segments[i].name, "NTE", 4) == 0;
        struct group *group = id >= 0 && !skip ? home(e, current, id) : NULL;
        if (e->error) {
            return;
        }
        if (!group) {
            foreign = foreign || takes_notes(&m->segments[i]);
            continue;
        }
        foreign = false;
        int member = member_index(group->rules, id);
        if (!group->members[member]) {
            group->members[member] = &m->segments[i];
        }
        group->rank = group->rules->members[member].rank;
        extend(group, i);
        e->homes[i] = group;
        current = group;
    }
}

static const struct v2_segment *own_segment(const struct group *group, int16_t id)
{
    int i = member_index(group->rules, id);
    return i >= 0 ? group->members[i] : NULL;
}

const struct v2_segment *groups_segment(const struct group *group, int16_t id)
{
    for (const struct group *g = group; g; g = g->parent) {
        const struct v2_segment *segment = own_segment(g, id);
        if (segment) {
            return segment;
        }
    }
    for (const struct group *g = group ? group->first : NULL; g; g = g->next) {
        const struct v2_segment *segment = own_segment(g, id);
        if (segment) {
            return segment;
        }
    }
    return NULL;
}

struct resource *groups_resource(const struct engine *e, const struct group *group,
                                 uint16_t type)
{
    for (const struct group *g = group; g; g = g->parent) {
        for (int i = 0; i < g->rules->resource_count; i++) {
            if (g->rules->resources[i] == type && g->resources[i]) {
                return g->resources[i];
            }
        }
        for (struct resource *r = g->made; r; r = r->made_next) {
            if (r->type == &e->rules->resources[type]) {
                return r;
            }
        }
    }
    return NULL;
}
