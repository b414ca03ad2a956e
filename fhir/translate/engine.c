/*
 * Running maps.
 *
 * A rule is one row: find, test, convert, put. What it makes is built apart and put into the
 * target only if there is something in it, so that rows for what a message leaves out leave no
 * trace. Constants alone are nothing: a block of constants around a missing value disappears.
 */
#include "fhir/translate/engine.h"

#include "fhir/v2/address.h"

#include <errno.h>

struct element *engine_element(struct engine *e, enum element_kind kind)
{
    struct element *element = element_new(e->arena, kind);
    if (!element) {
        e->error = -ENOMEM;
    }
    return element;
}

struct resource *engine_resource(struct engine *e, const struct rule_resource *type,
                                 struct group *group)
{
    struct resource *resource = arena_calloc(e->arena, 1, sizeof(*resource));
    struct element *root = engine_element(e, ELEMENT_OBJECT);
    if (!resource || !root) {
        e->error = -ENOMEM;
        return NULL;
    }
    resource->type = type;
    resource->group = group;
    resource->root = root;
    if (e->last) {
        e->last->next = resource;
    } else {
        e->first = resource;
    }
    e->last = resource;
    return resource;
}

static bool is_display(const struct rule *rule)
{
    return rule->path[0].name[0] == '$';
}

/* What the message takes out of lists of @owner; made if it isn't there. */
static struct element *withdrawn(struct engine *e, struct resource *owner)
{
    if (!owner->withdrawn) {
        owner->withdrawn = engine_element(e, ELEMENT_OBJECT);
    }
    return owner->withdrawn;
}

/* Put @child where @rule says. */
static void put(struct engine *e, const struct place *place, const struct rule *rule,
                struct element *child)
{
    if (is_display(rule)) {
        struct str *display = &place->owner->display;
        *display = display->n ? *display : child->text; /* the first that fits, as elsewhere */
        return;
    }
    child->weak = rule->weak;
    struct element *target = rule->withdraws ? withdrawn(e, place->owner) : place->target;
    if (!target || !element_put(e->arena, target, rule->path, rule->path_count, child)) {
        e->error = -ENOMEM;
        return;
    }
    bool constant = rule->source == SOURCE_TEXT || rule->source == SOURCE_NONE ||
                    (rule->source == SOURCE_KNOWN && rule->known == KNOWN_TABLE) ||
                    rule->type == TYPE_ASSIGNER || rule->type == TYPE_ISSUER;
    if (!constant || (child->kind == ELEMENT_OBJECT && rule->type == TYPE_MAP)) {
        target->solid = true;
    }
}

static void run_rules(struct engine *e, const struct place *place, const struct rule_map *map);

/* Run a datatype or block on @raw; NULL if it gives nothing. */
static struct element *run_block(struct engine *e, const struct place *place,
                                 const struct rule *rule, struct str raw,
                                 enum value_level level)
{
    struct place inner = *place;
    inner.top = false;
    if (rule->source == SOURCE_VALUE) {
        inner.value = raw;
        inner.level = level;
    }
    if (rule->table) {
        inner.table = rule->table; /* a block keeps the one it stands under */
    }
    inner.target = NULL;
    if (!source_tests(e, &inner, rule->map->required)) {
        return NULL; /* most often, and before anything is allocated */
    }
    inner.target = engine_element(e, ELEMENT_OBJECT);
    if (!inner.target) {
        return NULL;
    }
    run_rules(e, &inner, rule->map);
    return inner.target->solid ? inner.target : NULL;
}

/* What @rule makes of @raw; *unfit if there is a value that isn't of its type. */
static struct element *convert(struct engine *e, const struct place *place,
                               const struct rule *rule, struct str raw, enum value_level level,
                               bool *unfit)
{
    if (rule->type == TYPE_MAP) {
        return run_block(e, place, rule, raw, level);
    }
    if (rule->type == TYPE_RESOURCE) {
        return mention_make(e, place, rule, raw, level);
    }
    struct element *out = engine_element(e, ELEMENT_STRING);
    enum leaf_result r = out ? leaf_convert(e, place, rule, raw, out) : LEAF_NOTHING;
    *unfit = r == LEAF_UNFIT;
    return r == LEAF_FITS && !e->error ? out : NULL;
}

/* Convert and put, by the rule or its alternative. */
static void apply(struct engine *e, const struct place *place, const struct rule *rule,
                  struct str raw, enum value_level level)
{
    bool unfit = false;
    struct element *child = convert(e, place, rule, raw, level, &unfit);
    const struct rule *used = rule;
    if (!child && rule->otherwise) {
        used = rule->otherwise;
        child = convert(e, place, used, raw, level, &unfit);
    } else if (unfit && rule->type == TYPE_CODESYSTEM) {
        e->systemless++; /* often the same one in each result: told once */
    } else if (unfit) {
        source_issue(e, place, ISSUE_WARNING, "value",
                     "not a value of the type or table that is expected here: not read");
    }
    if (child && !e->error && used->path_count) {
        put(e, place, used, child);
    }
}

static void record_delete(struct engine *e, const struct place *place, const struct rule *rule)
{
    if (!place->top || is_display(rule)) {
        return;
    }
    struct translate_path *d = arena_alloc(e->arena, sizeof(*d));
    if (!d) {
        e->error = -ENOMEM;
        return;
    }
    *d = (struct translate_path){ .path = str_z(rule->path[0].name),
                                  .next = place->owner->deletes };
    place->owner->deletes = d;
}

/* Count the components of repetition @raw that @map leaves alone. */
static void count_parts(struct engine *e, const struct rule_map *map, struct str raw)
{
    uint32_t number = 1;
    size_t start = 0;
    for (size_t i = 0; i <= raw.n; i++) {
        if (i < raw.n && raw.p[i] != e->message->delims.component) {
            continue;
        }
        bool read = number < 64 && (map->read >> number & 1);
        if (!read && v2_presence(str_slice(raw, start, i)) == V2_PRESENT) {
            e->parts++;
        }
        number++;
        start = i + 1;
    }
}

/* One raw value of SOURCE_VALUE. */
static void apply_value(struct engine *e, const struct place *place, const struct rule *rule,
                        struct str raw, enum value_level level)
{
    switch (v2_presence(raw)) {
    case V2_PRESENT:
        if (rule->map && level == LEVEL_REPETITION) {
            count_parts(e, rule->map, raw);
        }
        apply(e, place, rule, raw, level);
        return;
    case V2_DELETE: record_delete(e, place, rule); return;
    case V2_ABSENT:
    case V2_EMPTY:
        if (rule->type == TYPE_ISSUER) {
            apply(e, place, rule, raw, level); /* the sender may have a default */
        }
        return;
    }
}

/* Append the repetitions of a text field as lines. */
static void put_lines(struct engine *e, struct str field, struct buf *out)
{
    while (field.n) {
        struct str part = str_cut(&field, e->message->delims.repetition);
        buf_z(out, out->n ? "\n" : "");
        buf_str_put(out, source_text(e, part));
    }
}

/* The lines in @text, decoded already, by @rule. */
static void apply_text(struct engine *e, const struct place *place, const struct rule *rule,
                       const struct buf *text)
{
    struct rule decoded = *rule;
    decoded.source = SOURCE_TEXT;
    bool unfit = false;
    struct element *child = convert(e, place, &decoded, buf_str(text), LEVEL_PART, &unfit);
    e->error = buf_failed(text) ? -ENOMEM : e->error;
    if (child && !e->error) {
        put(e, place, rule, child);
    }
}

/* All repetitions of a text field as lines. */
static void apply_lines(struct engine *e, const struct place *place, const struct rule *rule,
                        struct str field)
{
    if (v2_presence(field) != V2_PRESENT) {
        apply_value(e, place, rule, field, LEVEL_PART);
        return;
    }
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    put_lines(e, field, &b);
    apply_text(e, place, rule, &b);
}

/* The same over all such segments of the group; where one of them is at hand, only once. */
static void apply_all(struct engine *e, const struct place *place, const struct rule *rule)
{
    const struct group *group = place->group;
    if (place->segment_id == rule->from.segment &&
        place->segment != groups_segment(group, rule->from.segment)) {
        return;
    }
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    for (size_t i = group->from; i < group->to; i++) {
        struct str field = { 0 };
        if (e->segment_ids[i] == rule->from.segment) {
            field = v2_field(e->message, &e->message->segments[i], rule->from.field);
        }
        if (v2_presence(field) == V2_PRESENT) {
            put_lines(e, field, &b);
        }
    }
    if (b.n) {
        apply_text(e, place, rule, &b);
    }
}

static void run_value(struct engine *e, const struct place *place, const struct rule *rule)
{
    if (rule->from.segment == RULE_VALUE) {
        enum value_level level;
        struct str raw = source_find(e, place, &rule->from, &level);
        apply_value(e, place, rule, raw, level);
        return;
    }
    struct place here = *place;
    here.from = rule->from.segment;
    here.field = rule->from.field;
    here.repetition = 0;
    if (rule->which == WHICH_ALL) {
        apply_all(e, &here, rule);
        return;
    }
    struct str rest = source_field(e, place, &rule->from);
    if (rule->from.repetition) {
        here.repetition = rule->from.repetition - 1u;
        rest = v2_part(rest, e->message->delims.repetition, rule->from.repetition);
    }
    if (rule->which == WHICH_LINES) {
        apply_lines(e, &here, rule, rest);
        return;
    }
    bool more = rest.p != NULL;
    while (more && !e->error) {
        struct str whole = rest;
        struct str repetition = str_cut(&rest, e->message->delims.repetition);
        more = repetition.n < whole.n; /* a delimiter followed */
        here.repetition++;
        if (rule->which != WHICH_REST || here.repetition > 1) {
            enum value_level level;
            struct str raw = source_part(e, &rule->from, repetition, &level);
            apply_value(e, &here, rule, raw, level);
        }
        if (rule->which == WHICH_FIRST) {
            return;
        }
    }
}

static void run_format(struct engine *e, const struct place *place, const struct rule *rule)
{
    struct buf b = arena_buf(e->arena, V2_MESSAGE_MAX);
    bool any = false;
    for (int i = 0; i < rule->piece_count; i++) {
        const struct rule_piece *piece = &rule->pieces[i];
        enum value_level level;
        struct str raw = source_find(e, place, &piece->at, &level);
        if (v2_presence(raw) != V2_PRESENT) {
            continue;
        }
        if (any || i == 0) {
            buf_str_put(&b, piece->lead);
        }
        buf_str_put(&b, source_text(e, raw));
        any = true;
    }
    if (any) {
        buf_str_put(&b, rule->text);
        e->error = buf_failed(&b) ? -ENOMEM : e->error;
        apply(e, place, rule, buf_str(&b), LEVEL_PART);
    }
}

/* "OBX[3]" for the segment of the block's resource, or for the one at hand. */
static struct str segment_place(struct engine *e, const struct place *place)
{
    const struct v2_segment *segment =
        place->it && place->it->segment ? place->it->segment : place->segment;
    struct buf b = arena_buf(e->arena, 64);
    if (segment) {
        buf_fmt(&b, "%s[%u]", segment->name,
                (unsigned)e->occurrences[segment - e->message->segments]);
    }
    return buf_str(&b);
}

static struct str known(struct engine *e, const struct place *place, enum rule_known which)
{
    struct buf b = arena_buf(e->arena, 64);
    switch (which) {
    case KNOWN_RECORDED: return e->site->recorded;
    case KNOWN_GATEWAY: return e->site->gateway;
    case KNOWN_SENDER: return e->site->sender;
    case KNOWN_TABLE: return place->table ? place->table->source : (struct str){ 0 };
    case KNOWN_EVENT: return e->event;
    case KNOWN_SEGMENT: return segment_place(e, place);
    case KNOWN_NUMBER: buf_u64(&b, place->repetition ? place->repetition : 1); break;
    case KNOWN_DIGEST:
        if (e->site->digest) {
            buf_hex(&b, e->site->digest, 32);
        }
        break;
    case KNOWN_IT: break;
    }
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    return buf_str(&b);
}

static void link_to(struct engine *e, const struct place *place, const struct rule *rule,
                    const struct resource *to)
{
    struct element *object = NULL;
    if (rule->type == TYPE_MAP) {
        struct place about = *place;
        about.it = to;
        about.group = to->group ? to->group : place->group;
        object = run_block(e, &about, rule, (struct str){ 0 }, LEVEL_PART);
    } else {
        object = mention_refer(e, rule->type == TYPE_LINK, to, (struct str){ 0 });
    }
    if (object) {
        put(e, place, rule, object);
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
        link_to(e, place, rule, to);
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

/* References to all of the rule's type in groups below @group, and to those made in it. */
static void link_below(struct engine *e, const struct place *place, const struct rule *rule,
                       const struct group *group)
{
    link_made(e, place, rule, group);
    for (const struct group *g = group->first; g; g = g->next) {
        for (int i = 0; i < g->rules->resource_count; i++) {
            if (g->rules->resources[i] == rule->resource && g->resources[i]) {
                link_one(e, place, rule, g->resources[i]);
            }
        }
        link_below(e, place, rule, g);
    }
}

static void run_resource(struct engine *e, const struct place *place, const struct rule *rule)
{
    const struct resource *to = NULL;
    switch (rule->near) {
    case NEAR_BELOW: link_below(e, place, rule, place->group); return;
    case NEAR_EVERY:
        for (const struct resource *r = e->first; r; r = r->next) {
            if (r != place->owner && r->root->solid) {
                link_one(e, place, rule, r);
            }
        }
        return;
    case NEAR_HERE: to = groups_resource(e, place->group, rule->resource); break;
    case NEAR_ABOVE:
        to = place->group->parent ? groups_resource(e, place->group->parent, rule->resource)
                                  : NULL;
        break;
    }
    if (to) {
        link_to(e, place, rule, to);
    }
}

static void run_rule(struct engine *e, const struct place *place, const struct rule *rule)
{
    if (rule->table_given && !place->table) {
        return;
    }
    bool several = rule->near == NEAR_BELOW || rule->near == NEAR_EVERY;
    if (!several && !source_tests(e, place, rule->tests)) {
        return;
    }
    if (rule->path_count == 0 && rule->type == TYPE_MAP) {
        run_rules(e, place, rule->map); /* rows that share a condition */
        return;
    }
    struct str text = rule->text;
    switch (rule->source) {
    case SOURCE_VALUE: run_value(e, place, rule); return;
    case SOURCE_FORMAT: run_format(e, place, rule); return;
    case SOURCE_RESOURCE: run_resource(e, place, rule); return;
    case SOURCE_KNOWN:
        if (rule->known == KNOWN_IT) {
            link_to(e, place, rule, place->it);
            return;
        }
        text = known(e, place, rule->known);
        break;
    case SOURCE_NONE:
    case SOURCE_TEXT: break;
    }
    if (text.n || rule->source == SOURCE_NONE) {
        apply(e, place, rule, text, LEVEL_PART);
    }
}

static void run_rules(struct engine *e, const struct place *place, const struct rule_map *map)
{
    for (uint16_t i = 0; i < map->count && !e->error; i++) {
        run_rule(e, place, &map->rules[i]);
    }
}

bool engine_run(struct engine *e, const struct place *place, const struct rule_map *map)
{
    if (!source_tests(e, place, map->required)) {
        return false;
    }
    run_rules(e, place, map);
    return true;
}
