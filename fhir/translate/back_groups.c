/*
 * Which resources give which segments.
 *
 * A group is written once for each resource of its first link that is tied to the group above
 * and, unless that one names it, that no group was written for yet; then come the groups below.
 * A segment of which nothing but constants would be left isn't written.
 */
#include "fhir/translate/back.h"
#include "fhir/translate/to_fhir.h"

#include <errno.h>

/* --- ties -------------------------------------------------------------------------------- */

/* The resource that groups above are about: what a link is tied to. */
static struct back_resource *about(const struct back_group *group)
{
    for (; group; group = group->above) {
        if (group->rules->link_count && group->resources[0]) {
            return group->resources[0];
        }
    }
    return NULL;
}

static bool fits_link(struct back *b, struct back_group *group, const struct rule_link *link,
                      struct back_resource *r)
{
    struct back_place place = { .group = group, .at = r->node };
    return str_eq(r->type, str_z(link->type)) && back_holds(b, &place, link->tests);
}

/* Whether @r refers to @to from @path. */
static bool refers(struct back *b, struct back_group *group, const struct rule_path *path,
                   const struct back_resource *r, const struct back_resource *to)
{
    struct back_place place = { .group = group, .at = r->node };
    struct back_nodes found = { 0 };
    back_find(b, &place, path, &found);
    for (size_t i = 0; i < found.n; i++) {
        if (back_resolve(b, found.list[i]) == to) {
            return true;
        }
    }
    return false;
}

/* What is tied by a link, one after another: each call of next() gives the next. */
struct candidates {
    const struct rule_link *link;
    struct back_resource *to;
    struct back_nodes found; /* if the link has an "in" */
    size_t i;
    struct back_resource *next; /* if not */
};

static void begin(struct back *b, struct back_group *group, const struct rule_link *link,
                  struct back_resource *to, struct candidates *c)
{
    *c = (struct candidates){ .link = link, .to = to };
    if (link->in) {
        struct back_place place = { .group = group, .at = to ? to->node : NULL };
        back_find(b, &place, link->in, &c->found);
        return;
    }
    c->next = strcmp(link->type, "Bundle") == 0 ? &b->bundle : back_first(b, link->type);
}

/* Step to the next one, whatever it is; false after the last. *r may be NULL in between. */
static bool step(const struct back *b, struct candidates *c, struct back_resource **r)
{
    if (c->link->in) {
        bool more = c->i < c->found.n;
        *r = more ? back_resolve(b, c->found.list[c->i++]) : NULL;
        return more;
    }
    *r = c->next;
    c->next = *r ? (*r)->next : NULL;
    return *r != NULL;
}

static struct back_resource *next(struct back *b, struct back_group *group,
                                  struct candidates *c)
{
    const struct rule_link *link = c->link;
    struct back_resource *r;
    while (!b->error && step(b, c, &r)) {
        bool tied = r && (!link->with || (c->to && refers(b, group, link->with, r, c->to)));
        if (tied && fits_link(b, group, link, r)) {
            return r;
        }
    }
    return NULL;
}

/* --- segments ---------------------------------------------------------------------------- */

/* Whether the field that @name, "PID-13", is belongs to segment @segment; its number then. */
static uint8_t field_of(struct str name, const char *segment)
{
    unsigned number = 0;
    if (name.n < 5 || memcmp(name.p, segment, 3) != 0 || name.p[3] != '-') {
        return 0;
    }
    for (size_t i = 4; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9' || number > UINT8_MAX) {
            return 0;
        }
        number = number * 10 + (unsigned)(name.p[i] - '0');
    }
    return number <= UINT8_MAX ? (uint8_t)number : 0;
}

/* Two double quotes where the entry says that the message it came from deleted something. */
static void write_deletes(struct back *b, const struct back_resource *r, const char *segment)
{
    const struct node *x = node_first(node_get(r->entry, "extension"));
    for (; x; x = x->next) {
        const struct node *part = node_first(node_get(x, "extension"));
        bool deletes = str_eq(node_text(x, "url"), str_z(TRANSLATE_DELETES));
        for (; part && deletes; part = part->next) {
            uint8_t field = str_eq(node_text(part, "url"), STR("field"))
                                ? field_of(node_text(part, "valueString"), segment)
                                : 0;
            struct v2_address at = { .field = field };
            if (field && !v2_write_has(&b->writer, at)) {
                v2_write_raw(&b->writer, at, STR("\"\""));
                b->solid = true;
            }
        }
    }
}

bool back_is_spent(const struct back *b, const struct node *node)
{
    for (size_t i = 0; i < b->spent_count; i++) {
        const struct node *at = b->spent[i];
        for (; at && at != node && at->kind != NODE_ARRAY; at = at->parent) {}
        if (at == node) {
            return true;
        }
    }
    return false;
}

/* How many segments of this name stand in the groups below @group already. */
static uint32_t *number_of(struct back *b, struct back_group *group, uint16_t segment)
{
    if (!group->numbers) {
        group->numbers =
            arena_calloc(b->arena, b->rules->segment_count, sizeof(*group->numbers));
    }
    b->error = group->numbers ? b->error : -ENOMEM;
    return group->numbers ? &group->numbers[segment] : NULL;
}

/* Begin segment @index for @group; where its number counts, or NULL. */
static uint32_t *begin_segment(struct back *b, struct back_group *group, uint16_t index)
{
    bool leads = group->rules->members[0].segment == index;
    uint32_t *number = number_of(b, leads && group->above ? group->above : group, index);
    if (!number || !back_begin(b, index)) {
        return NULL;
    }
    b->number = *number + 1;
    b->solid = false;
    return number;
}

/* Keep the segment begun if there is something in it. */
static bool end_segment(struct back *b, uint32_t *number)
{
    if (b->solid) {
        (*number)++;
    } else {
        v2_write_drop(&b->writer);
    }
    return b->solid;
}

/* One segment of all resources at hand that its maps know. */
static bool write_one(struct back *b, struct back_group *group, uint16_t index)
{
    const struct rule_segment *segment = &b->rules->segments[index];
    uint32_t *number = NULL;
    for (uint16_t i = 0; i < segment->back_count && !b->error; i++) {
        const struct rule_segment_back *map = &segment->backs[i];
        struct back_resource *r = map->each ? NULL : back_reach(group, map->type);
        if (!r) {
            continue;
        }
        number = number ? number : begin_segment(b, group, index);
        if (!number) {
            return false;
        }
        struct back_place place = { .group = group, .at = r->node };
        (void)back_run(b, &place, map->map);
        write_deletes(b, r, segment->name);
        r->read = r->read || b->solid;
    }
    return number && end_segment(b, number);
}

/* The group whose resources @group is about: itself unless it has none. */
static struct back_group *own_of(struct back_group *group)
{
    return group->rules->link_count || !group->above ? group : group->above;
}

static bool is_own(const struct back_group *group, const struct back_resource *r)
{
    for (uint8_t i = 0; i < group->rules->link_count; i++) {
        if (group->resources[i] == r) {
            return true;
        }
    }
    return false;
}

/* One segment for each that the maps' paths find. */
static bool write_each(struct back *b, struct back_group *group, uint16_t index)
{
    const struct rule_segment *segment = &b->rules->segments[index];
    bool any = false;
    for (uint16_t i = 0; i < segment->back_count && !b->error; i++) {
        const struct rule_segment_back *map = &segment->backs[i];
        struct back_resource *r = map->each ? back_reach(own_of(group), map->type) : NULL;
        struct back_nodes found = { 0 };
        struct back_place place = { .group = group, .at = r ? r->node : NULL };
        if (r && is_own(own_of(group), r)) {
            back_find(b, &place, map->each, &found);
        }
        for (size_t k = 0; k < found.n && !b->error; k++) {
            uint32_t *number =
                back_is_spent(b, found.list[k]) ? NULL : begin_segment(b, group, index);
            if (number) {
                place.at = found.list[k];
                (void)back_run(b, &place, map->map);
                any = end_segment(b, number) || any;
            }
        }
    }
    return any;
}

/* --- groups ------------------------------------------------------------------------------ */

static bool write_group(struct back *b, struct back_group *above,
                        const struct rule_group *rules);

static void take_also(struct back *b, struct back_group *group)
{
    for (uint8_t i = 1; i < group->rules->link_count && !b->error; i++) {
        struct candidates c;
        begin(b, group, &group->rules->links[i], group->resources[0], &c);
        group->resources[i] = next(b, group, &c);
        if (group->resources[i]) {
            group->resources[i]->read = true;
        }
    }
}

static bool is_required(const struct rule_group *rules)
{
    for (uint8_t i = 0; i < rules->child_count; i++) {
        if (rules->children[i]->required) {
            return true;
        }
    }
    return false;
}

/* The groups below; false if none of those was written that the message can't be without. */
static bool write_children(struct back *b, struct back_group *group)
{
    const struct rule_group *rules = group->rules;
    bool enough = !is_required(rules);
    for (uint8_t i = 0; i < rules->child_count && !b->error; i++) {
        bool written = write_group(b, group, rules->children[i]);
        enough = enough || (written && rules->children[i]->required);
    }
    return enough;
}

/* One group, for the resource it has; whether something was written. */
static bool write_instance(struct back *b, struct back_group *group)
{
    struct v2_written_segment *last = b->writer.last;
    const struct rule_group *rules = group->rules;
    bool any = false;
    b->spent_count = 0;
    take_also(b, group);
    for (uint8_t i = 0; i < rules->member_count && !b->error; i++) {
        any = write_one(b, group, rules->members[i].segment) || any;
        any = write_each(b, group, rules->members[i].segment) || any;
    }
    if (!write_children(b, group)) {
        while (b->writer.last != last) {
            v2_write_drop(&b->writer); /* without these it says nothing */
        }
        return false;
    }
    return any || b->writer.last != last;
}

static bool write_group(struct back *b, struct back_group *above,
                        const struct rule_group *rules)
{
    struct back_group group = { .above = above, .rules = rules };
    if (rules->link_count == 0) {
        return write_instance(b, &group);
    }
    struct candidates c;
    bool any = false;
    begin(b, above, &rules->links[0], about(above), &c);
    for (struct back_resource *r = next(b, above, &c); r; r = next(b, above, &c)) {
        if (r->used && !rules->links[0].in) {
            continue; /* what is referred to may be referred to again */
        }
        r->used = true;
        r->read = true;
        group = (struct back_group){ .above = above, .rules = rules };
        group.resources[0] = r;
        any = write_instance(b, &group) || any;
    }
    return any;
}

void back_groups(struct back *b)
{
    (void)write_group(b, NULL, b->message->root);
}
