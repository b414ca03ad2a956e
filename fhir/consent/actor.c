/* References by one name each. An identifier goes first: it is the same at every server. */
#include "fhir/consent/actor.h"

#include "crypto/base/attr.h"

static struct str join(struct arena *arena, const struct str *parts, size_t n)
{
    size_t size = 0;
    for (size_t i = 0; i < n; i++) {
        size += parts[i].n;
    }
    struct buf text = arena_buf(arena, size);
    for (size_t i = 0; i < n; i++) {
        buf_str_put(&text, parts[i]);
    }
    return buf_failed(&text) ? (struct str){ 0 } : buf_str(&text);
}

static bool is_actor_type(struct str type)
{
    static const char *const types[] = {
        "CareTeam",          "Device",           "Group",
        "HealthcareService", "Organization",     "Patient",
        "Practitioner",      "PractitionerRole", "RelatedPerson",
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_eq(type, str_z(types[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_known_base(const struct consent_context *context, struct str base)
{
    for (size_t i = 0; i < context->n_bases; i++) {
        if (str_eq(base, context->bases[i])) {
            return true;
        }
    }
    return false;
}

static struct str of_identifier(struct arena *arena, const struct reference *actor)
{
    if (actor->system.n == 0 || str_eq(actor->system, STR("urn:ietf:rfc:3986"))) {
        return actor->value;
    }
    const struct str parts[] = { actor->system, STR("|"), actor->value };
    return join(arena, parts, ARRAY_LEN(parts));
}

/* "Type/id" below a known base or none, else with its base. */
static struct str of_url(const struct consent_context *context, struct arena *arena,
                         const struct reference *actor)
{
    const struct str parts[] = { actor->base, STR("/"), actor->type, STR("/"), actor->id };
    bool local = actor->form == REFERENCE_RELATIVE || is_known_base(context, actor->base);
    return local ? join(arena, parts + 2, 3) : join(arena, parts, ARRAY_LEN(parts));
}

bool consent_actor_plain(const struct consent_context *context, struct arena *arena,
                         const struct reference *actor, struct str *uri)
{
    struct str name = { 0 };
    if (actor->value.n > 0) {
        name = of_identifier(arena, actor);
    } else if (actor->form == REFERENCE_RELATIVE || actor->form == REFERENCE_ABSOLUTE) {
        name = is_actor_type(actor->type) ? of_url(context, arena, actor) : name;
    } else if (actor->form == REFERENCE_URN) {
        name = actor->id;
    }
    if (name.n == 0) {
        return false;
    }
    *uri = name;
    return true;
}

bool consent_actor_uri(const struct consent_context *context, struct arena *arena,
                       const struct reference *actor, struct str *uri)
{
    struct str name = { 0 };
    bool known = context->actor ? context->actor(context->owner, arena, actor, &name)
                                : consent_actor_plain(context, arena, actor, &name);
    if (!known || name.n == 0) {
        return false;
    }
    *uri = name;
    return true;
}

bool consent_data_text(const struct consent_context *context, struct arena *arena,
                       const struct reference *data, struct str *text)
{
    const struct str parts[] = { data->type, STR("/"), data->id, STR("/_history/"),
                                 data->version };
    if (data->form != REFERENCE_RELATIVE &&
        (data->form != REFERENCE_ABSOLUTE || !is_known_base(context, data->base))) {
        return false;
    }
    *text = join(arena, parts, data->version.n ? ARRAY_LEN(parts) : 3);
    return text->n > 0;
}
