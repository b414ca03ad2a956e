/* Rules whose source is another resource, or several: references, and blocks about them. */
#include "fhir/translate/engine.h"

void engine_link_to(struct engine *e, const struct place *place, const struct rule *rule,
                    const struct resource *to)
{
    struct element *object = NULL;
    if (rule->type == TYPE_MAP) {
        struct place about = *place;
        about.it = to;
        about.group = to->group ? to->group : place->group;
        object = engine_block(e, &about, rule, (struct str){ 0 }, LEVEL_PART);
    } else {
        object = mention_refer(e, rule->type == TYPE_LINK, to, (struct str){ 0 });
    }
    if (object) {
        engine_put(e, place, rule, object);
    }
}

/* One of several: conditions, as the block, are about the group it stands in. */
static void link_one(struct engine *e, const struct place *place, const struct rule *rule,
                     const struct resource *to)
{
    struct place there = *place;
    there.it = to;
    there.group = to->group ? to->group : place->group;
    if (source_tests(e, &there, rule->tests)) {
        engine_link_to(e, place, rule, to);
    }
}

static void link_made(struct engine *e, const struct place *place, const struct rule *rule,
                      const struct group *group)
{
    for (const struct resource *r = group->made; r; r = r->made_next) {
        if (r->type == &e->rules->resources[rule->resource] && r != place->owner) {
            link_one(e, place, rule, r);
        }
    }
}

/*
 * References to all of the rule's type in groups below @group, and to those made in it. A group
 * inside one of its own name is about something else, perhaps somebody else: it is entered only
 * if the rule says so.
 */
static void link_below(struct engine *e, const struct place *place, const struct rule *rule,
                       const struct group *group)
{
    link_made(e, place, rule, group);
    for (const struct group *g = group->first; g; g = g->next) {
        uint64_t types = g->rules->types | g->types;
        if (!(types & rule_type_bit(rule->resource)) ||
            (g->rules->again && rule->near == NEAR_BELOW)) {
            continue;
        }
        for (int i = 0; i < g->rules->resource_count; i++) {
            if (g->rules->resources[i] == rule->resource && g->resources[i]) {
                link_one(e, place, rule, g->resources[i]);
            }
        }
        link_below(e, place, rule, g);
    }
}

/* The group of the resource that @rule is limited to; @none if it is to none or isn't there. */
static const struct group *limit(const struct engine *e, const struct place *place,
                                 const struct rule *rule, const struct group *none)
{
    const struct resource *whose =
        rule->of ? groups_resource(e, place->group, rule->within) : NULL;
    return whose ? whose->group : none;
}

/* The resource of @rule's type here or above, not above what it is limited to; or NULL. */
static const struct resource *find_here(const struct engine *e, const struct place *place,
                                        const struct rule *rule)
{
    const struct resource *to = groups_resource(e, place->group, rule->resource);
    const struct group *top = limit(e, place, rule, NULL);
    for (const struct group *g = to && top ? top->parent : NULL; g; g = g->parent) {
        if (to->group == g) {
            return NULL;
        }
    }
    return to;
}

void engine_link(struct engine *e, const struct place *place, const struct rule *rule)
{
    const struct resource *to = NULL;
    const struct group *below = NULL;
    switch (rule->near) {
    case NEAR_BELOW:
    case NEAR_DEEP:
        below = limit(e, place, rule, rule->of ? NULL : place->group);
        if (below) {
            link_below(e, place, rule, below);
        }
        return;
    case NEAR_EVERY:
        for (const struct resource *r = e->first; r; r = r->next) {
            if (r != place->owner && r->root->solid && !r->same) {
                link_one(e, place, rule, r);
            }
        }
        return;
    case NEAR_HERE: to = find_here(e, place, rule); break;
    case NEAR_ABOVE:
        to = place->group->parent ? groups_resource(e, place->group->parent, rule->resource)
                                  : NULL;
        break;
    }
    if (to) {
        engine_link_to(e, place, rule, to);
    }
}
