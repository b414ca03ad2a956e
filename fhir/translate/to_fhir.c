/*
 * A message to a Bundle: group the segments, run their maps, finish and recognise the
 * resources, write them.
 */
#include "fhir/translate/to_fhir.h"

#include "fhir/rest/query.h"
#include "fhir/translate/engine.h"
#include "fhir/translate/period.h"
#include "fhir/v2/address.h"

#include <errno.h>

static const struct rule_message *find_rules(const struct rules *rules,
                                             const struct v2_message *message)
{
    struct v2_header h;
    v2_header(message, &h);
    for (uint16_t i = 0; i < rules->message_count; i++) {
        const struct rule_message *known = &rules->messages[i];
        if (str_eq(h.type, known->type) && str_eq(h.event, known->event)) {
            return known;
        }
    }
    return NULL;
}

bool translate_knows(const struct rules *rules, const struct v2_message *message)
{
    return find_rules(rules, message) != NULL;
}

bool translate_has_option(const struct rules *rules, struct str name)
{
    for (size_t i = 0; i < rules->option_count; i++) {
        if (str_eq(rules->options[i], name)) {
            return true;
        }
    }
    return false;
}

/* The resource of type @index that @group itself has, made if it may have one. */
static struct resource *own_resource(struct engine *e, struct group *group, uint16_t index)
{
    for (int i = 0; i < group->rules->resource_count; i++) {
        if (group->rules->resources[i] == index) {
            if (!group->resources[i]) {
                group->resources[i] = engine_resource(e, &e->rules->resources[index], group);
            }
            return group->resources[i];
        }
    }
    return NULL;
}

static void run_segment_map(struct engine *e, const struct rule_segment_map *map,
                            struct group *home, size_t index)
{
    struct group *group = map->above ? home->parent : home;
    struct resource *owner = NULL;
    while (group && !owner && !e->error) {
        owner = own_resource(e, group, map->resource);
        group = map->above ? group->parent : NULL;
    }
    if (!owner) {
        return;
    }
    if (!owner->segment) {
        owner->segment = &e->message->segments[index];
    }
    struct place place = {
        .group = home,
        .segment = &e->message->segments[index],
        .segment_id = e->segment_ids[index],
        .target = owner->root,
        .owner = owner,
        .top = true,
    };
    (void)engine_run(e, &place, map->map);
}

static void run_segments(struct engine *e)
{
    for (size_t i = 0; i < e->message->count && !e->error; i++) {
        int16_t id = e->segment_ids[i];
        if (!e->homes[i]) {
            continue;
        }
        const struct rule_segment *segment = &e->rules->segments[id];
        for (uint16_t m = 0; m < segment->map_count; m++) {
            run_segment_map(e, &segment->maps[m], e->homes[i], i);
        }
    }
}

/* Forget resources that hold nothing, so that nothing refers to them. */
static void drop_empty(struct group *group)
{
    for (int i = 0; i < group->rules->resource_count; i++) {
        if (group->resources[i] && !group->resources[i]->root->solid) {
            group->resources[i] = NULL;
        }
    }
    for (struct group *g = group->first; g; g = g->next) {
        drop_empty(g);
    }
}

/* Where a resource section runs. */
static struct place finishing(struct group *group, struct resource *resource)
{
    return (struct place){
        .group = group,
        .segment_id = RULE_VALUE,
        .target = resource ? resource->root : NULL,
        .owner = resource,
        .top = true,
    };
}

/* The rows of its section see which periods are whole, and may put some themselves. */
static void finish(struct engine *e, struct resource *resource)
{
    struct place place = finishing(resource->group, resource);
    period_mend(e, resource);
    (void)engine_run(e, &place, resource->type->finish);
    period_mend(e, resource);
}

/* All but those that are about the message; whether there is anything. */
static bool finish_all(struct engine *e)
{
    drop_empty(e->root);
    bool any = false;
    for (struct resource *r = e->first; r && !e->error; r = r->next) {
        bool source = r->type->kind == KIND_SOURCE;
        any = any || (r->root->solid && !source);
        if (r->group && r->root->solid && !source) {
            finish(e, r);
        } else if (r->root->solid) {
            period_mend(e, r); /* one that is only mentioned has nothing else to get */
        }
    }
    return any;
}

/*
 * Give all their ids, then make what is about the message: only now is it known which of the
 * others are the same, so that none is spoken of twice.
 */
static void identify(struct engine *e, bool any)
{
    identity_assign(e);
    for (uint16_t i = 0; any && i < e->rules->resource_count && !e->error; i++) {
        const struct rule_resource *type = &e->rules->resources[i];
        struct place place = finishing(e->root, NULL);
        if (type->kind != KIND_SOURCE || !source_tests(e, &place, type->finish->required)) {
            continue;
        }
        struct resource *source = own_resource(e, e->root, i);
        if (source) {
            finish(e, source);
            for (struct resource *r = source->next; r; r = r->next) {
                period_mend(e, r); /* what it mentions */
            }
            identity_assign(e);
        }
    }
}

static struct str request_url(struct engine *e, const struct resource *r)
{
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    buf_z(&b, r->type->type);
    if (r->by_id) {
        buf_c(&b, '/');
        buf_put(&b, r->url + 9, RESOURCE_UUID_SIZE);
    } else {
        buf_z(&b, "?identifier=");
        query_token(&b, r->system);
        buf_z(&b, "%7C");
        query_token(&b, r->value);
    }
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    return buf_str(&b);
}

/* Identifiers of @r that say where they come from, the one in the URL first. */
static void list_identifiers(struct engine *e, const struct resource *r,
                             struct translate_entry *entry)
{
    if (r->by_id) {
        return;
    }
    entry->identifiers =
        arena_calloc(e->arena, TRANSLATE_IDENTIFIERS_MAX, sizeof(*entry->identifiers));
    if (!entry->identifiers) {
        e->error = -ENOMEM;
        return;
    }
    entry->identifiers[entry->identifier_count++] =
        (struct translate_identifier){ .system = r->system, .value = r->value };
    const struct element *id = NULL;
    while ((id = resource_identifier(r, id)) &&
           entry->identifier_count < TRANSLATE_IDENTIFIERS_MAX) {
        const struct element *system = element_get(id, "system");
        struct str value = element_text(id, "value");
        bool first = system && str_eq(system->text, r->system) && str_eq(value, r->value);
        bool trust = r->type->kind != KIND_TRUSTED || (system && system->trusted);
        if (system && system->text.n && value.n && trust && !first) {
            entry->identifiers[entry->identifier_count++] =
                (struct translate_identifier){ .system = system->text, .value = value };
        }
    }
}

/* Deletes of elements that the resource doesn't carry all the same, each once. */
static const struct translate_path *list_deletes(struct engine *e, const struct resource *r)
{
    struct translate_path *kept = NULL;
    for (const struct translate_path *d = r->deletes; d; d = d->next) {
        bool seen = element_get(r->root, d->path.p) != NULL;
        for (const struct translate_path *k = kept; k && !seen; k = k->next) {
            seen = str_eq(k->path, d->path);
        }
        struct translate_path *made = seen ? NULL : arena_alloc(e->arena, sizeof(*made));
        if (made) {
            *made = *d;
            made->next = kept;
            kept = made;
        }
        e->error = seen || made ? e->error : -ENOMEM;
    }
    return kept;
}

/* Whether all that @element says yields to what is stored. */
static bool is_weak(const struct element *element)
{
    bool weak = element->weak;
    for (const struct element *m = element->first; m && !weak; m = m->next) {
        if (!is_weak(m)) {
            return false;
        }
        weak = !m->next;
    }
    return weak;
}

/* Elements that yield to what is stored. */
static const struct translate_path *list_defaults(struct engine *e, const struct resource *r)
{
    struct translate_path *list = NULL;
    for (const struct element *m = r->root->first; m; m = m->next) {
        if (!is_weak(m)) {
            continue;
        }
        struct translate_path *path = arena_alloc(e->arena, sizeof(*path));
        if (!path) {
            e->error = -ENOMEM;
            return NULL;
        }
        *path = (struct translate_path){ .path = str_of(m->name->z, m->name->n), .next = list };
        list = path;
    }
    return list;
}

static void write_resource(struct buf *out, const struct resource *r)
{
    buf_z(out, "{\"resourceType\":");
    json_quote_plain(out, str_z(r->type->type));
    if (r->by_id) {
        buf_z(out, ",\"id\":");
        json_quote_plain(out, str_of(r->url + 9, RESOURCE_UUID_SIZE));
    }
    element_write_members(out, r->root, false);
    buf_c(out, '}');
}

static struct str write_withdrawn(struct engine *e, const struct resource *r)
{
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    if (r->withdrawn) {
        buf_c(&b, '{');
        element_write_members(&b, r->withdrawn, true);
        buf_c(&b, '}');
    }
    e->error = buf_failed(&b) ? -ENOMEM : e->error;
    return buf_str(&b);
}

static void describe(struct engine *e, const struct resource *r, struct translate_entry *entry)
{
    entry->type = r->type->type;
    entry->shared = r->type->kind != KIND_EVENT && r->type->kind != KIND_SOURCE;
    entry->full_url = resource_url(r);
    entry->id = r->by_id ? str_of(r->url + 9, RESOURCE_UUID_SIZE) : (struct str){ 0 };
    entry->url = request_url(e, r);
    entry->deletes = list_deletes(e, r);
    entry->defaults = list_defaults(e, r);
    entry->withdrawn = write_withdrawn(e, r);
    list_identifiers(e, r, entry);
}

/*
 * What the message deletes, by field: an element that isn't there says nothing, so the way back
 * wouldn't know.
 */
static void write_deletes(struct buf *out, const struct translate_path *deletes)
{
    buf_z(out, "\"extension\":[");
    for (const struct translate_path *d = deletes; d; d = d->next) {
        buf_z(out, d == deletes ? "{\"url\":" : ",{\"url\":");
        json_quote(out, str_z(TRANSLATE_DELETES));
        buf_z(out, ",\"extension\":[{\"url\":\"element\",\"valueString\":");
        json_quote(out, d->path);
        buf_z(out, "},{\"url\":\"field\",\"valueString\":");
        json_quote(out, d->field);
        buf_z(out, "}]}");
    }
    buf_z(out, "],");
}

/* Write one entry; where its resource stands in the text goes to @span. */
static void write_entry(struct buf *out, const struct resource *r,
                        const struct translate_entry *entry, size_t span[2])
{
    buf_c(out, '{');
    if (r->deletes) {
        write_deletes(out, r->deletes);
    }
    buf_z(out, "\"fullUrl\":");
    json_quote_plain(out, entry->full_url);
    buf_z(out, ",\"resource\":");
    span[0] = out->n;
    write_resource(out, r);
    span[1] = out->n;
    buf_z(out, ",\"request\":{\"method\":\"PUT\",\"url\":");
    json_quote_plain(out, entry->url); /* percent signs are in it instead */
    buf_z(out, "}}");
}

static int write_entries(struct engine *e, struct translate_result *out, size_t (*spans)[2])
{
    struct buf b = arena_buf(e->arena, TRANSLATE_BUNDLE_MAX);
    buf_z(&b, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\"");
    if (e->site->recorded.n) {
        buf_z(&b, ",\"timestamp\":");
        json_quote(&b, e->site->recorded);
    }
    buf_z(&b, out->count ? ",\"entry\":[" : "");
    size_t n = 0;
    for (const struct resource *r = e->first; r; r = r->next) {
        if (resource_written(r)) {
            buf_z(&b, n ? "," : "");
            write_entry(&b, r, &out->entries[n], spans[n]);
            n++;
        }
    }
    buf_z(&b, out->count ? "]}" : "}");
    if (buf_failed(&b)) {
        return b.n >= b.limit / 2 ? TRANSLATE_E_SIZE : -ENOMEM;
    }
    out->bundle = buf_str(&b);
    for (size_t i = 0; i < n; i++) {
        out->entries[i].resource = str_slice(out->bundle, spans[i][0], spans[i][1]);
    }
    return 0;
}

/* What made the elements of @count resources. */
static void explain(struct engine *e, size_t count, struct translate_result *out)
{
    const struct resource **list = arena_calloc(e->arena, count, sizeof(struct resource *));
    size_t n = 0;
    if (!list) {
        e->error = -ENOMEM;
        return;
    }
    for (const struct resource *r = e->first; r; r = r->next) {
        if (resource_written(r)) {
            list[n++] = r;
        }
    }
    out->origins = explain_list(e, list, n);
}

static int write_bundle(struct engine *e, struct translate_result *out)
{
    for (const struct resource *r = e->first; r; r = r->next) {
        out->count += resource_written(r);
    }
    out->entries = arena_calloc(e->arena, out->count, sizeof(*out->entries));
    size_t(*spans)[2] = arena_calloc(e->arena, out->count, sizeof(*spans));
    if (!out->entries || !spans) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (const struct resource *r = e->first; r; r = r->next) {
        if (resource_written(r)) {
            describe(e, r, &out->entries[n++]);
        }
    }
    if (e->site->explain) {
        explain(e, n, out);
    }
    int r = e->error ? e->error : write_entries(e, out, spans);
    return r == 0 && e->site->tree ? tree_make(e, out) : r;
}

int translate_to_fhir(struct arena *arena, const struct v2_message *message,
                      const struct translate_site *site, struct translate_result *out,
                      struct issues *issues)
{
    const struct rule_message *found = find_rules(site->rules, message);
    if (!found) {
        return TRANSLATE_E_TYPE;
    }
    struct engine e = {
        .arena = arena,
        .pool = { .arena = arena },
        .rules = site->rules,
        .message = message,
        .site = site,
        .issues = issues,
    };
    struct v2_header header;
    v2_header(message, &header);
    e.event = header.event;
    groups_build(&e, found->root);
    if (!e.error) {
        coverage_begin(&e);
    }
    if (!e.error) {
        run_segments(&e);
    }
    bool any = !e.error && finish_all(&e);
    if (!e.error) {
        identify(&e, any);
    }
    if (e.error) {
        return e.error;
    }
    struct translate_result result = { 0 };
    int r = write_bundle(&e, &result);
    if (r != 0) {
        return r;
    }
    coverage_report(&e);
    if (e.error) {
        return e.error;
    }
    result.unread = e.unread;
    result.kept = e.kept;
    *out = result;
    return 0;
}
