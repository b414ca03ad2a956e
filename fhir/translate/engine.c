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
    struct element *element = element_new(&e->pool, kind);
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

void engine_note_source(struct engine *e, struct resource *to, const struct v2_segment *segment)
{
    const struct resource_source *last = to->sources_last;
    if (!segment || (last && last->segment == segment)) {
        return; /* most often */
    }
    for (const struct resource_source *s = to->sources; s; s = s->next) {
        if (s->segment == segment) {
            return;
        }
    }
    struct resource_source *made = arena_alloc(e->arena, sizeof(*made));
    if (!made) {
        e->error = -ENOMEM;
        return;
    }
    *made = (struct resource_source){ .segment = segment };
    if (to->sources_last) {
        to->sources_last->next = made;
    } else {
        to->sources = made;
    }
    to->sources_last = made;
}

/* What the message takes out of lists of @owner; made if it isn't there. */
static struct element *withdrawn(struct engine *e, struct resource *owner)
{
    if (!owner->withdrawn) {
        owner->withdrawn = engine_element(e, ELEMENT_OBJECT);
    }
    return owner->withdrawn;
}

/* The value that tells which element of an array @rule is about; empty if it asks for none. */
static struct str item_key(const struct engine *e, const struct place *place,
                           const struct rule *rule)
{
    for (uint8_t i = 0; rule->keyed && i < rule->path_count; i++) {
        if (rule->path[i].item == ITEM_KEYED) {
            enum value_level level;
            return source_find(e, place, &rule->path[i].key, &level);
        }
    }
    return (struct str){ 0 };
}

/* Put @child where @rule says. */
void engine_put(struct engine *e, const struct place *place, const struct rule *rule,
                struct element *child)
{
    if (engine_is_display(rule)) {
        struct str *display = &place->owner->display;
        *display = display->n ? *display : child->text; /* the first that fits, as elsewhere */
        return;
    }
    child->weak = rule->weak;
    if (rule->ends) {
        struct resource *owner = place->owner;
        (owner->container ? owner->container : owner)->ends = true;
    }
    struct element *target = rule->withdraws ? withdrawn(e, place->owner) : place->target;
    if (!target || !element_put(&e->pool, target, rule->path, rule->path_count, child,
                                item_key(e, place, rule))) {
        e->error = -ENOMEM;
        return;
    }
    bool constant = rule->source == SOURCE_TEXT || rule->source == SOURCE_NONE ||
                    (rule->source == SOURCE_KNOWN && rule->known == KNOWN_TABLE) ||
                    rule->type == TYPE_ASSIGNER || rule->type == TYPE_ISSUER;
    target->marks |= rule->source == SOURCE_KNOWN && rule->known == KNOWN_FIELD;
    bool says = child->kind == ELEMENT_OBJECT && rule->type == TYPE_MAP && !child->marks;
    if (!constant || says) {
        target->solid = true;
        if (place->top) {
            engine_note_source(e, place->owner,
                               place->segment ? place->segment : place->origin);
        }
    }
    if (e->site->explain && rule->type != TYPE_MAP) {
        explain_note(e, place, rule, child);
    }
}

static void run_rules(struct engine *e, const struct place *place, const struct rule_map *map);

/* Run a datatype or block on @raw; NULL if it gives nothing. */
struct element *engine_block(struct engine *e, const struct place *place,
                             const struct rule *rule, struct str raw, enum value_level level)
{
    UNINITIALIZED struct value room;
    struct place inner = *place;
    inner.top = false;
    inner.row = inner.row ? inner.row : rule;
    if (rule->source == SOURCE_VALUE) {
        inner.value = source_value(e, place, raw, level, &room);
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
    if (!inner.target->solid) {
        return NULL;
    }
    e->parts += inner.value == &room ? coverage_left(e, place, &room) : 0;
    return inner.target;
}

/* What @rule makes of @raw; *unfit if there is a value that isn't of its type. */
struct element *engine_convert(struct engine *e, const struct place *place,
                               const struct rule *rule, struct str raw, enum value_level level,
                               bool *unfit)
{
    if (rule->type == TYPE_MAP) {
        return engine_block(e, place, rule, raw, level);
    }
    if (rule->type == TYPE_RESOURCE) {
        return mention_make(e, place, rule, raw, level);
    }
    struct element *out = engine_element(e, ELEMENT_STRING);
    enum leaf_result r = out ? leaf_convert(e, place, rule, raw, out) : LEAF_NOTHING;
    *unfit = r == LEAF_UNFIT;
    if (r == LEAF_FITS && !e->error) {
        out->plain = out->plain || rule->plain;
        return out;
    }
    element_drop(&e->pool, out);
    return NULL;
}

bool engine_apply(struct engine *e, const struct place *place, const struct rule *rule,
                  struct str raw, enum value_level level)
{
    bool unfit = false;
    struct element *child = engine_convert(e, place, rule, raw, level, &unfit);
    const struct rule *used = rule;
    if (!child && rule->otherwise) {
        used = rule->otherwise;
        child = engine_convert(e, place, used, raw, level, &unfit);
    } else if (unfit) {
        coverage_unfit(e, place, rule);
        source_issue(e, place, ISSUE_WARNING, "value",
                     "not a value of the type or table that is expected here: not read");
    }
    if (child && !e->error && used->path_count) {
        engine_put(e, place, used, child);
    }
    return child != NULL || unfit; /* told already */
}

/* Whether what @rule needs is not there: most rules, of most messages. */
static inline bool is_absent(const struct engine *e, const struct place *place,
                             const struct rule *rule)
{
    if (rule->parts) {
        return !place->value || !(place->value->valued & rule->parts);
    }
    return rule->needs && rule->from.segment == place->segment_id &&
           !coverage_valued(e, place->segment, rule->needs);
}

/* Whether something stands already where @rule would put one thing. */
static bool is_taken(const struct place *place, const struct rule *rule)
{
    const struct element *at = place->target;
    for (uint8_t i = 0; i < rule->path_count && at; i++) {
        if (rule->path[i].item != ITEM_NONE || rule->withdraws) {
            return false;
        }
        at = element_named(at, rule->path[i].name);
    }
    return at && rule->path_count && !rule->otherwise && !element_is_bare(at);
}

static void run_rule(struct engine *e, const struct place *place, const struct rule *rule)
{
    if ((rule->table_given && !place->table) || is_taken(place, rule)) {
        return;
    }
    bool several = rule->near == NEAR_BELOW || rule->near == NEAR_DEEP ||
                   rule->near == NEAR_EVERY ||
                   rule->which == WHICH_ALL; /* each is tested for itself */
    if (!several && !source_tests(e, place, rule->tests)) {
        return;
    }
    if (rule->path_count == 0 && rule->type == TYPE_MAP) {
        run_rules(e, place, rule->map); /* rows that share a condition */
        return;
    }
    struct str text = rule->text;
    switch (rule->source) {
    case SOURCE_VALUE: engine_value(e, place, rule); return;
    case SOURCE_FORMAT: engine_format(e, place, rule); return;
    case SOURCE_RESOURCE: engine_link(e, place, rule); return;
    case SOURCE_KNOWN:
        if (rule->known == KNOWN_IT) {
            engine_link_to(e, place, rule, place->it);
            return;
        }
        text = engine_known(e, place, rule->known);
        break;
    case SOURCE_NONE:
    case SOURCE_TEXT: break;
    case SOURCE_PATH:
    case SOURCE_PARTED: return; /* of the way back */
    }
    if (text.n || rule->source == SOURCE_NONE) {
        (void)engine_apply(e, place, rule, text, LEVEL_PART);
    }
}

static void run_rules(struct engine *e, const struct place *place, const struct rule_map *map)
{
    for (uint16_t i = 0; i < map->count && !e->error; i++) {
        if (!is_absent(e, place, &map->rules[i])) {
            run_rule(e, place, &map->rules[i]);
        }
    }
}

void engine_name(struct engine *e, const struct place *place, const struct rule_map *map)
{
    for (uint16_t i = 0; i < map->count && !e->error; i++) {
        const struct rule *rule = &map->rules[i];
        if (is_absent(e, place, rule)) {
            continue;
        }
        if (rule->path_count && engine_is_display(rule)) {
            run_rule(e, place, rule);
        } else if (!rule->path_count && rule->type == TYPE_MAP &&
                   source_tests(e, place, rule->tests)) {
            engine_name(e, place, rule->map);
        }
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
