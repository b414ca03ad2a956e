/* Groups, messages and lists: resolving names, and building the tables of rules.h. */
#include "fhir/translate/map_back.h"

static const char CODING_SYSTEMS[] = "CodingSystems";

/* --- groups and messages --------------------------------------------------------------- */

static void link_members(struct map_compiler *c, struct draft_group *group)
{
    struct rule_group *made = &group->group;
    struct rule_member *members = map_alloc(c, made->member_count, sizeof(*members));
    uint16_t *resources = map_alloc(c, made->resource_count, sizeof(*resources));
    struct rule_key *keys = map_alloc(c, made->key_count, sizeof(*keys));
    if (!members || !resources || !keys) {
        return;
    }
    size_t n = 0;
    uint8_t rank = 0;
    for (const struct draft_member *m = group->members; m; m = m->next) {
        rank = (uint8_t)(rank + (n > 0 && !m->beside));
        members[n] = m->member;
        members[n++].rank = rank;
    }
    n = 0;
    for (const struct draft_owned *o = group->resources; o; o = o->next, n++) {
        struct draft_resource *found = map_names_get(&c->resource_names, o->resource);
        if (found) {
            found->owned = true;
            resources[n] = found->id;
        } else {
            map_wrong_at(c, group->where, "unknown resource '%.*s'", MAP_SPAN(o->resource));
        }
    }
    n = 0;
    for (const struct draft_key *k = group->keys; k; k = k->next) {
        keys[n++] = k->key;
    }
    made->members = members;
    made->resources = resources;
    made->keys = keys;
}

/* Names of the groups above one. */
struct above {
    const char *name;
    const struct above *next;
};

static bool stands_above(const struct above *above, const char *name)
{
    while (above && above->name != name) {
        above = above->next;
    }
    return above != NULL;
}

static void link_group(struct map_compiler *c, struct draft_group *group,
                       const struct above *above)
{
    struct rule_group *made = &group->group;
    const struct rule_group **children =
        map_alloc(c, made->child_count, sizeof(struct rule_group *));
    const struct above here = { made->name, above };
    link_members(c, group);
    made->again = stands_above(above, made->name);
    for (uint8_t i = 0; i < made->resource_count && made->resources; i++) {
        made->types |= rule_type_bit(made->resources[i]);
    }
    map_link_ties(c, group);
    size_t n = 0;
    for (struct draft_group *child = group->children; child && children; child = child->next) {
        link_group(c, child, &here);
        made->types |= child->group.types;
        children[n++] = &child->group;
    }
    made->children = children;
}

/* What is about the message belongs to each, whether its structure says so or not. */
static void add_sources(struct map_compiler *c, struct draft_group *root)
{
    for (const struct draft_resource *r = c->resources; r; r = r->next) {
        struct draft_owned **at = &root->resources;
        while (*at && !str_eq((*at)->resource, r->name)) {
            at = &(*at)->next;
        }
        if (r->kind != KIND_SOURCE || *at) {
            continue;
        }
        *at = map_alloc(c, 1, sizeof(**at));
        if (*at) {
            (*at)->resource = r->name;
            root->group.resource_count++;
        }
    }
}

static void link_structures(struct map_compiler *c)
{
    for (struct draft_structure *s = c->structures; s; s = s->next) {
        if (s->top.group.child_count == 0) {
            map_wrong_at(c, s->top.where, "a structure has one outermost group");
        } else {
            add_sources(c, s->top.children);
        }
        link_group(c, &s->top, NULL);
    }
}

static void link_messages(struct map_compiler *c, struct rules *out)
{
    struct rule_message *messages = map_alloc(c, c->message_count, sizeof(*messages));
    for (struct draft_message *m = c->messages; m && messages; m = m->next) {
        const struct draft_structure *found = map_names_get(&c->structure_names, m->structure);
        if (!found) {
            map_wrong_at(c, m->where, "unknown structure '%.*s'", MAP_SPAN(m->structure));
            continue;
        }
        if (m->gone) {
            continue;
        }
        if (found->top.group.child_count > 1) {
            map_wrong_at(c, m->where, "a message's structure has one outermost group");
        }
        m->message.root = found->top.children ? &found->top.children->group : NULL;
        messages[out->message_count++] = m->message;
    }
    out->messages = messages;
}

/* --- lists ----------------------------------------------------------------------------- */

static void link_resources(struct map_compiler *c, struct rules *out)
{
    struct rule_resource *resources = map_alloc(c, c->resource_count, sizeof(*resources));
    for (const struct draft_resource *r = c->resources; r && resources; r = r->next) {
        resources[out->resource_count++] = (struct rule_resource){ .name = r->name.p,
                                                                   .type = r->type.p,
                                                                   .kind = r->kind,
                                                                   .unite = r->unite,
                                                                   .finish = &r->finish->map };
    }
    out->resources = resources;
}

/* Hang @m between the maps of its segment, those of later layers first. */
static void hang_segment_map(const struct map_compiler *c, struct draft_segment_map *m)
{
    struct draft_segment_map **at = m->map->back ? &m->segment->backs : &m->segment->maps;
    while (*at && map_layer(c, (*at)->map->where) >= map_layer(c, m->map->where)) {
        at = &(*at)->beside;
    }
    m->beside = *at;
    *at = m;
    *(m->map->back ? &m->segment->back_count : &m->segment->map_count) += 1;
}

/* Give each segment its maps. */
static void sort_segment_maps(struct map_compiler *c)
{
    for (struct draft_segment_map *m = c->segment_maps; m; m = m->next) {
        const struct draft_resource *found = map_names_get(&c->resource_names, m->resource);
        if (m->map->gone) {
            continue;
        }
        bool owned = m->map->back || (found && found->owned);
        if (!owned || m->segment->map_count == MAP_BESIDE_MAX ||
            m->segment->back_count == MAP_BESIDE_MAX) {
            map_wrong_at(c, m->map->where,
                         owned ? "too many maps of the segment" : "no group has a '%.*s'",
                         MAP_SPAN(m->resource));
            continue;
        }
        hang_segment_map(c, m);
    }
}

static void link_segment_maps(struct map_compiler *c, const struct draft_segment *segment,
                              struct rule_segment *out)
{
    struct rule_segment_map *maps = map_alloc(c, segment->map_count, sizeof(*maps));
    for (const struct draft_segment_map *m = segment->maps; m && maps; m = m->beside) {
        const struct draft_resource *of = map_names_get(&c->resource_names, m->resource);
        maps[out->map_count++] = (struct rule_segment_map){ .resource = of->id,
                                                            .above = m->above,
                                                            .map = &m->map->map };
    }
    out->maps = maps;
    struct rule_segment_back *backs = map_alloc(c, segment->back_count, sizeof(*backs));
    for (const struct draft_segment_map *m = segment->backs; m && backs; m = m->beside) {
        backs[out->back_count++] = (struct rule_segment_back){
            .type = map_intern(c, m->resource).p, .each = m->path, .map = &m->map->map
        };
    }
    out->backs = backs;
}

static void link_segments(struct map_compiler *c, struct rules *out)
{
    size_t size = 16;
    while (size < c->segment_count * 2) {
        size *= 2;
    }
    struct rule_segment *segments = map_alloc(c, c->segment_count, sizeof(*segments));
    uint16_t *slots = map_alloc(c, size, sizeof(*slots));
    if (!segments || !slots) {
        return;
    }
    for (const struct draft_segment *s = c->segments; s; s = s->next) {
        memcpy(segments[s->id].name, s->name.p, sizeof(segments[s->id].name));
        memcpy(segments[s->id].ignored, s->ignored, sizeof(s->ignored));
        size_t at = rules_slot(s->name.p, size - 1);
        while (slots[at]) {
            at = (at + 1) & (size - 1);
        }
        slots[at] = (uint16_t)(s->id + 1);
    }
    sort_segment_maps(c);
    for (const struct draft_segment *s = c->segments; s; s = s->next) {
        link_segment_maps(c, s, &segments[s->id]);
    }
    out->segments = segments;
    out->segment_count = (uint16_t)c->segment_count;
    out->slots = slots;
    out->slot_mask = (uint16_t)(size - 1);
}

static void link_options(struct map_compiler *c, struct rules *out)
{
    struct str *names = map_alloc(c, c->option_count, sizeof(*names));
    for (const struct draft_option *o = c->options; o && names; o = o->next) {
        names[out->option_count++] = o->name;
    }
    out->options = names;
}

struct rules *map_link(struct map_compiler *c)
{
    struct rules *out = map_alloc(c, 1, sizeof(*out));
    if (!out) {
        return NULL;
    }
    for (struct draft_table *t = c->tables; t && !c->error; t = t->next) {
        map_link_table(c, t);
    }
    for (struct draft_map *m = c->maps; m && !c->error; m = m->next) {
        map_link_map(c, m);
    }
    map_check_depth(c);
    link_structures(c);
    link_messages(c, out);
    map_link_backs(c, out);
    link_resources(c, out);
    link_segments(c, out);
    out->senders = map_link_senders(c, &out->sender_count);
    link_options(c, out);
    const struct draft_table *systems = map_names_get(&c->table_names, str_z(CODING_SYSTEMS));
    if (!systems) {
        map_wrong_at(c, (struct map_where){ 0 }, "no table %s", CODING_SYSTEMS);
        return NULL;
    }
    out->coding_systems = &systems->table;
    return c->error || c->mistake_count ? NULL : out;
}
