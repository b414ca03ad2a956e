/*
 * What resources are recognised by.
 *
 * Ids are digests: of an identifier, or of the keys of the group a resource stands in (sender,
 * order number, place in the order), or of the message itself. So they are the same whenever
 * the same is said again, whoever translates it. They look like UUIDs because servers expect
 * that.
 *
 * It is done twice: for what the message says, and for those that are only mentioned in what is
 * made last, by the resources that are about all others.
 */
#include "fhir/translate/engine.h"

#include "crypto/digest.h"
#include "fhir/v2/address.h"

#include <errno.h>

/* Put @s with its length before it, so that joined spans can't be read in two ways. */
static void put_span(struct digest *digest, struct str s)
{
    unsigned char length[4];
    for (size_t i = 0; i < sizeof(length); i++) {
        length[i] = (unsigned char)(s.n >> (8 * i));
    }
    digest_put(digest, str_of(length, sizeof(length)));
    digest_put(digest, s);
}

/* Whether the first part of @raw is @code, which may be empty. */
static bool is_code(const struct engine *e, struct str raw, struct str code)
{
    return code.n && str_eq(v2_part(raw, e->message->delims.component, 1), code);
}

/* The first valued address of @key, raw; empty if there is none. */
static struct str key_part(const struct engine *e, const struct group *group,
                           const struct rule_key *key)
{
    for (uint16_t i = 0; i < key->count; i++) {
        const struct rule_address *at = &key->any[i];
        const struct v2_segment *segment = groups_segment(group, at->segment);
        if (!segment) {
            continue;
        }
        struct str field = v2_field(e->message, segment, at->field);
        enum value_level level;
        struct str raw = source_part(
            e, at,
            v2_part(field, e->message->delims.repetition, at->repetition ? at->repetition : 1),
            &level);
        if (v2_presence(raw) == V2_PRESENT && !is_code(e, raw, key->except[i])) {
            coverage_use(e, segment, at->field, false);
            return raw;
        }
    }
    return (struct str){ 0 };
}

static void group_key(const struct engine *e, struct group *group)
{
    if (group->keyed) {
        return;
    }
    group->keyed = true;
    struct digest digest;
    digest_start(&digest);
    put_span(&digest, str_z(group->rules->name));
    const struct rule_key *keys = group->rules->keys;
    bool own = group->rules->key_count && key_part(e, group, &keys[0]).n;
    struct group *scope =
        group->parent && (group->rules->parent_key || !own) ? group->parent : e->root;
    if (scope == group) {
        put_span(&digest, e->site->sender);
    } else {
        group_key(e, scope);
        digest_put(&digest, str_of(scope->key, sizeof(scope->key)));
    }
    int count = own ? group->rules->own_count : group->rules->key_count;
    for (int i = 0; i < count; i++) {
        put_span(&digest, key_part(e, group, &keys[i]));
    }
    digest_end(&digest, group->key);
}

/* "urn:uuid:" and a UUID of version 8 from the first half of @digest. */
static void write_url(const uint8_t *digest, char url[RESOURCE_URL_SIZE])
{
    uint8_t bytes[16];
    memcpy(bytes, digest, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x80);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    static const uint8_t lengths[] = { 4, 2, 2, 2, 6 };
    struct buf b = buf_fixed(url, RESOURCE_URL_SIZE);
    buf_z(&b, "urn:uuid:");
    size_t at = 0;
    for (size_t i = 0; i < sizeof(lengths); i++) {
        buf_z(&b, i ? "-" : "");
        buf_hex(&b, &bytes[at], lengths[i]);
        at += lengths[i];
    }
}

/* The identifier to recognise @resource by; NULL if it has none that serves. */
static const struct element *serving(const struct resource *resource)
{
    const struct element *id = NULL;
    while ((id = resource_identifier(resource, id))) {
        const struct element *system = element_get(id, "system");
        const struct element *value = element_get(id, "value");
        bool trust = resource->type->kind != KIND_TRUSTED || (system && system->trusted);
        if (system && system->text.n && value && value->text.n && trust) {
            return id;
        }
    }
    return NULL;
}

bool identity_has(const struct resource *resource)
{
    const struct element *id = resource_identifier(resource, NULL);
    while (id && !element_text(id, "value").n) {
        id = resource_identifier(resource, id);
    }
    return id != NULL;
}

/* What a resource with a number of no system, which isn't told by its place, is told by. */
static void put_mention(const struct engine *e, struct digest *digest,
                        const struct resource *resource)
{
    put_span(digest, e->site->sender);
    const struct element *id = NULL;
    while ((id = resource_identifier(resource, id))) {
        const struct element *assigner = element_get(id, "assigner");
        put_span(digest, assigner ? element_text(assigner, "display") : (struct str){ 0 });
        put_span(digest, element_text(id, "value"));
    }
}

/* The field that a resource was made of, which tells it from those of other fields. */
static void put_maker(const struct engine *e, struct digest *digest,
                      const struct resource *resource)
{
    if (!resource->maker) {
        return;
    }
    char text[16];
    struct buf b = buf_fixed(text, sizeof(text));
    const struct rule_address *from = &resource->maker->from;
    bool field = resource->maker->source == SOURCE_VALUE && from->segment != RULE_VALUE;
    buf_fmt(&b, "%s-%u", field ? e->rules->segments[from->segment].name : "",
            (unsigned)from->field);
    put_span(digest, buf_str(&b));
}

static void compute(const struct engine *e, struct resource *resource)
{
    struct digest digest;
    digest_start(&digest);
    enum rule_kind kind = resource->type->kind;
    bool event = kind == KIND_EVENT;
    put_span(&digest, str_z(event ? resource->type->name : resource->type->type));
    const struct element *id = event || kind == KIND_SOURCE ? NULL : serving(resource);
    bool numbered = kind == KIND_NUMBER && identity_has(resource);
    resource->by_id = id == NULL;
    if (id) {
        resource->system = element_text(id, "system");
        resource->value = element_text(id, "value");
        put_span(&digest, resource->system);
        put_span(&digest, resource->value);
    } else if (kind == KIND_SOURCE) {
        put_span(&digest, e->site->digest ? str_of(e->site->digest, 32) : e->message->text);
    } else if (resource->group && !numbered) {
        group_key(e, resource->group);
        put_span(&digest, str_of(resource->group->key, sizeof(resource->group->key)));
        put_maker(e, &digest, resource);
    } else {
        put_mention(e, &digest, resource);
    }
    if (resource->repeat) {
        char repeat[8];
        struct buf b = buf_fixed(repeat, sizeof(repeat));
        buf_be64(&b, resource->repeat);
        digest_put(&digest, buf_str(&b));
    }
    uint8_t result[DIGEST_SIZE];
    digest_end(&digest, result);
    write_url(result, resource->url);
}

/* The slot where @resource is, or would be, by its URL. */
static struct resource **find_slot(const struct engine *e, const struct resource *resource)
{
    uint64_t digits; /* of a digest, so as good as any hash of all of them */
    memcpy(&digits, resource->url + sizeof("urn:uuid:") - 1, sizeof(digits));
    size_t at = (digits * UINT64_C(0x9e3779b97f4a7c15) >> 32) & e->slot_mask;
    for (; e->slots[at]; at = (at + 1) & e->slot_mask) {
        if (memcmp(e->slots[at]->url, resource->url, RESOURCE_URL_SIZE) == 0) {
            break;
        }
    }
    return &e->slots[at];
}

/* Room for @count resources more, with some slots left free. */
static bool make_slots(struct engine *e, size_t count)
{
    size_t size = e->slots ? e->slot_mask + 1 : 16;
    while (size < (e->slot_count + count) * 2) {
        size *= 2;
    }
    if (e->slots && size == e->slot_mask + 1) {
        return true;
    }
    struct resource **old = e->slots;
    size_t old_size = old ? e->slot_mask + 1 : 0;
    e->slots = arena_calloc(e->arena, size, sizeof(struct resource *));
    e->slot_mask = size - 1;
    for (size_t i = 0; e->slots && i < old_size; i++) {
        if (old[i]) {
            *find_slot(e, old[i]) = old[i];
        }
    }
    return e->slots != NULL;
}

static void join(struct engine *e, struct resource *into, struct resource *from)
{
    from->same = into;
    element_unite(into->root, from->root);
    for (const struct resource_source *s = from->sources; s; s = s->next) {
        engine_note_source(e, into, s->segment);
    }
    if (from->deletes) {
        struct translate_path *d = from->deletes;
        while (d->next) {
            d = d->next;
        }
        d->next = into->deletes;
        into->deletes = from->deletes;
        from->deletes = NULL;
    }
}

static void assign(struct engine *e, struct resource *r)
{
    compute(e, r);
    struct resource **slot = find_slot(e, r);
    bool counted = r->by_id && r->group && !r->type->unite;
    if (*slot && counted) {
        /* The first of them remembers how many there are. */
        r->repeat = ++(*slot)->repeats;
        compute(e, r);
        slot = find_slot(e, r);
    }
    if (*slot) {
        join(e, *slot, r);
    } else {
        *slot = r;
        e->slot_count++;
    }
}

void identity_assign(struct engine *e)
{
    struct resource *first = e->assigned ? e->assigned->next : e->first;
    size_t count = 0;
    for (const struct resource *r = first; r; r = r->next) {
        count++;
    }
    if (!make_slots(e, count)) {
        e->error = -ENOMEM;
        return;
    }
    for (struct resource *r = first; r; r = r->next) {
        if (r->root->solid) {
            assign(e, r);
        }
    }
    e->assigned = e->last;
}
