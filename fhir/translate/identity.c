/*
 * What resources are recognised by.
 *
 * Ids are digests: of an identifier, or of the keys of the group a resource stands in (sender,
 * order number, place in the order), or of the message itself. So they are the same whenever
 * the same is said again, whoever translates it. They look like UUIDs because servers expect
 * that.
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
    const struct element *id = element_first(resource->root, "identifier");
    for (; id; id = id->next) {
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
    const struct element *id = element_first(resource->root, "identifier");
    while (id && !element_text(id, "value").n) {
        id = id->next;
    }
    return id != NULL;
}

/* What a resource with a number of no system, which isn't told by its place, is told by. */
static void put_mention(const struct engine *e, struct digest *digest,
                        const struct resource *resource)
{
    put_span(digest, e->site->sender);
    const struct element *id = element_first(resource->root, "identifier");
    for (; id; id = id->next) {
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

/* The slot where @resource is, or would be, by its URL; @mask + 1 slots, some free. */
static struct resource **find_slot(struct resource **slots, size_t mask,
                                   const struct resource *resource)
{
    size_t at = 0;
    for (size_t i = 9; i < RESOURCE_URL_SIZE; i++) {
        at = at * 31 + (unsigned char)resource->url[i];
    }
    for (at &= mask; slots[at]; at = (at + 1) & mask) {
        if (memcmp(slots[at]->url, resource->url, RESOURCE_URL_SIZE) == 0) {
            break;
        }
    }
    return &slots[at];
}

static void join(struct resource *into, struct resource *from)
{
    from->same = into;
    element_unite(into->root, from->root);
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

void identity_assign(struct engine *e)
{
    size_t count = 0;
    for (struct resource *r = e->first; r; r = r->next) {
        count++;
    }
    size_t size = 16;
    while (size < count * 2) {
        size *= 2;
    }
    struct resource **slots = arena_calloc(e->arena, size, sizeof(struct resource *));
    if (!slots) {
        e->error = -ENOMEM;
        return;
    }
    for (struct resource *r = e->first; r; r = r->next) {
        if (!r->root->solid) {
            continue;
        }
        compute(e, r);
        struct resource **slot = find_slot(slots, size - 1, r);
        bool counted = r->by_id && r->group && !r->type->unite;
        if (*slot && counted) {
            /* The first of them remembers how many there are. */
            r->repeat = ++(*slot)->repeats;
            compute(e, r);
            slot = find_slot(slots, size - 1, r);
        }
        if (*slot) {
            join(*slot, r);
        } else {
            *slot = r;
        }
    }
}
