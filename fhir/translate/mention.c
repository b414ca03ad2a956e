/*
 * Resources that rows make of a value or a block, besides those that groups have.
 *
 * What is recognised by identifier is made once for the same value, since the same doctor often
 * signs each result; one without an identifier is only a name. An event belongs to the group it
 * is made in and is finished like the others there. A contained one stands inside its owner.
 */
#include "fhir/translate/engine.h"

#include <errno.h>

static const struct rule_name REFERENCE = RULE_NAME("reference");
static const struct rule_name DISPLAY = RULE_NAME("display");

static bool add_text(struct engine *e, struct element *object, const struct rule_name *name,
                     struct str text)
{
    struct element *child = element_new(&e->pool, ELEMENT_STRING);
    if (!child || !text.p) {
        e->error = -ENOMEM;
        return false;
    }
    child->text = text;
    element_append(object, child, name);
    return true;
}

struct element *mention_refer(struct engine *e, bool link_only, const struct resource *to,
                              struct str display)
{
    struct element *object = engine_element(e, ELEMENT_OBJECT);
    struct element *link = to ? engine_element(e, ELEMENT_LINK) : NULL;
    struct element *name = display.n ? engine_element(e, ELEMENT_STRING) : NULL;
    if (e->error || (!link && !name)) {
        return NULL;
    }
    if (link) {
        link->link = to;
    }
    if (link_only) {
        return link;
    }
    object->solid = true;
    if (link) {
        element_append(object, link, &REFERENCE);
    }
    if (name) {
        name->text = display;
        element_append(object, name, &DISPLAY);
    }
    return object;
}

static const struct mention *recall(const struct engine *e, const struct rule *rule,
                                    struct str raw)
{
    for (size_t i = 0; i < MENTIONS && i < e->mentioned; i++) {
        const struct mention *m = &e->mentions[i];
        if (m->map == rule->map && str_eq(m->raw, raw)) {
            return m;
        }
    }
    return NULL;
}

/* Where the map of @row runs to fill @made, about @value or what @place is about. */
static struct place inside(const struct place *place, const struct rule *row,
                           struct value *value, struct resource *made)
{
    struct place inner = *place;
    inner.value = value;
    inner.row = inner.row ? inner.row : row;
    inner.table = NULL;
    inner.top = false;
    inner.owner = made;
    inner.target = made->root;
    return inner;
}

/* Add @made to those of its group. */
static void adopt(const struct engine *e, struct resource *made)
{
    struct group *g = made->group;
    do {
        g->types |= rule_type_bit((size_t)(made->type - e->rules->resources));
        g = g->parent;
    } while (g);
    struct resource **end = &made->group->made;
    if (made->group->made) {
        end = &made->group->made_last->made_next;
    }
    *end = made;
    made->group->made_last = made;
}

/* Take @made, which nothing came of, out of the list; what it mentions itself stays. */
static void drop(struct engine *e, struct resource *before, struct resource *made)
{
    made->root->solid = false;
    if (e->last == made) {
        e->last = before;
        *(before ? &before->next : &e->first) = NULL;
    }
}

/* What @made was made of isn't used if it doesn't stay, but for its name. */
static void unuse(struct engine *e, const struct place *inner, const struct rule_map *map,
                  uint64_t parts)
{
    if (inner->value) {
        inner->value->used = parts;
    }
    if (inner->owner->display.n) {
        engine_name(e, inner, map);
    }
}

/* Say in @root, inside of @outer, what it is; its reference is added to @object. */
static bool number_inner(struct engine *e, struct resource *outer, const char *name,
                         struct element *root, struct element *object)
{
    static const struct rule_name type = RULE_NAME("resourceType");
    static const struct rule_name id = RULE_NAME("id");
    char text[16];
    struct buf b = buf_fixed(text, sizeof(text));
    buf_fmt(&b, "#%u", (unsigned)++outer->contained);
    struct str url = arena_str(e->arena, buf_str(&b));
    return add_text(e, root, &type, str_z(name)) &&
           add_text(e, root, &id, str_slice(url, 1, url.n)) &&
           add_text(e, object, &REFERENCE, url);
}

static const struct rule_name CONTAINED = RULE_NAME("contained");
static const struct rule_step INSIDE[] = { { .name = &CONTAINED, .item = ITEM_NEW } };

/* Put a resource inside the owner; a reference to it, or NULL if it is empty. */
static struct element *contain(struct engine *e, const struct place *place,
                               const struct rule *rule, struct value *value)
{
    struct resource *outer = place->owner->container ? place->owner->container : place->owner;
    struct resource *made = arena_calloc(e->arena, 1, sizeof(*made));
    struct element *object = element_new(&e->pool, ELEMENT_OBJECT);
    struct element *root = element_new(&e->pool, ELEMENT_OBJECT);
    if (!made || !object || !root) {
        e->error = -ENOMEM;
        return NULL;
    }
    made->type = &e->rules->resources[rule->resource];
    made->root = root;
    made->container = outer;
    if (!number_inner(e, outer, made->type->type, root, object)) {
        return NULL;
    }
    struct place inner = inside(place, rule, value, made);
    if (!engine_run(e, &inner, rule->map) || !root->solid || e->error) {
        return NULL;
    }
    object->solid = true;
    bool good = element_put(&e->pool, outer->root, INSIDE, 1, root, STR("")) &&
                (!made->display.n || add_text(e, object, &DISPLAY, made->display));
    e->error = good ? e->error : -ENOMEM;
    return object;
}

/* Whether @resource says more than a name that isn't taken apart. */
static bool says_more(const struct resource *resource)
{
    static const char *const parts[] = { "address", "telecom", "qualification" };
    const struct element *name = element_get(resource->root, "name");
    bool more = name && name->kind == ELEMENT_ARRAY;
    for (size_t i = 0; i < ARRAY_LEN(parts) && !more; i++) {
        more = element_get(resource->root, parts[i]) != NULL;
    }
    return more;
}

/*
 * What has no number but more than one name stands inside the owner, so that a person's name
 * stays taken apart, and an address stays; not where the owner may be joined with another,
 * whose numbers would be the same. NULL: it isn't one.
 */
static struct element *contain_named(struct engine *e, const struct place *place,
                                     const struct rule *rule, const struct resource *named)
{
    struct resource *owner = place->owner;
    bool stays = owner->type->kind == KIND_EVENT || owner->type->kind == KIND_SOURCE;
    if (!named->display.n || !says_more(named) || !stays || owner->type->unite ||
        owner->container || rule->refer == REFER_LINK || !rule->path_count) {
        return NULL;
    }
    struct element *object = engine_element(e, ELEMENT_OBJECT);
    struct element *root = engine_element(e, ELEMENT_OBJECT);
    if (!object || !root || !number_inner(e, owner, named->type->type, root, object) ||
        !element_put(&e->pool, owner->root, INSIDE, 1, root, STR("")) ||
        !add_text(e, object, &DISPLAY, named->display)) {
        e->error = -ENOMEM;
        return NULL;
    }
    root->last->next = named->root->first;
    root->last = named->root->last;
    owner->ends |= named->ends;
    object->solid = true;
    return object;
}

/* Make the resource; it stays only if it can be recognised again, or stands inside the owner.
 */
static void make(struct engine *e, const struct place *place, const struct rule *rule,
                 struct value *value, struct mention *mention)
{
    struct resource *before = e->last;
    const struct rule_resource *type = &e->rules->resources[rule->resource];
    bool event = type->kind == KIND_EVENT;
    struct resource *made = engine_resource(e, type, event ? place->group : NULL);
    struct coverage_mark *mark = rule->map->alone ? NULL : coverage_mark(e);
    if (e->error) {
        return;
    }
    made->segment = place->segment ? place->segment : place->origin;
    made->maker = rule;
    engine_note_source(e, made, made->segment);
    struct place inner = inside(place, rule, value, made);
    uint64_t parts = value ? value->used : 0;
    bool kept =
        engine_run(e, &inner, rule->map) && (event ? made->root->solid : identity_has(made));
    mention->made = kept ? made : NULL;
    mention->display = made->display;
    mention->inner = kept ? NULL : contain_named(e, place, rule, made);
    if (mark) {
        coverage_end(e, mark, kept || mention->inner);
    }
    if (!kept) {
        drop(e, before, made);
    }
    if (!kept && !mention->inner) {
        unuse(e, &inner, rule->map, parts);
    } else if (kept && event) {
        adopt(e, made);
    }
}

/* What @rule puts for @made; where there is only a name, that says what it is of. */
static struct element *refer(struct engine *e, const struct rule *rule,
                             const struct resource *made, struct str display)
{
    static const struct rule_name type = RULE_NAME("type");
    struct element *object = mention_refer(e, rule->refer == REFER_LINK, made, display);
    if (object && !made) {
        (void)add_text(e, object, &type, str_z(e->rules->resources[rule->resource].type));
    }
    return object;
}

/* What was made of the same value before, as if it were made again. */
static struct element *repeat(struct engine *e, const struct place *place,
                              const struct rule *rule, const struct mention *known,
                              struct str raw)
{
    struct value *value = place->value;
    if (known->made) {
        engine_note_source(e, known->made, place->segment ? place->segment : place->origin);
    }
    if (value && value->level == LEVEL_REPETITION && value->raw.p == raw.p) {
        value->used |= known->used;
    } else {
        e->parts += known->left;
    }
    return refer(e, rule, known->made, known->display);
}

struct element *mention_make(struct engine *e, const struct place *place,
                             const struct rule *rule, struct str raw, enum value_level level)
{
    bool again = rule->map->alone && rule->source == SOURCE_VALUE &&
                 rule->refer != REFER_CONTAINED && !e->site->explain &&
                 e->rules->resources[rule->resource].kind != KIND_EVENT;
    const struct mention *known = again ? recall(e, rule, raw) : NULL;
    if (known) {
        return repeat(e, place, rule, known, raw);
    }
    struct value room;
    bool none = rule->source == SOURCE_NONE;
    struct value *value = none ? place->value : source_value(e, place, raw, level, &room);
    struct mention new_one = { .map = rule->map, .raw = raw };
    if (rule->refer == REFER_CONTAINED) {
        return contain(e, place, rule, value);
    }
    make(e, place, rule, value, &new_one);
    bool something = new_one.made || new_one.display.n;
    if (value == &room && something) {
        new_one.left = coverage_left(e, place, value);
        e->parts += new_one.left;
    }
    if (new_one.inner) {
        return new_one.inner;
    }
    if (again) {
        new_one.used = value->used;
        e->mentions[e->mentioned++ % MENTIONS] = new_one;
    }
    return refer(e, rule, new_one.made, new_one.display);
}
