#include "gateway/identity/asker.h"

#include "fhir/consent/purpose.h"
#include "fhir/format/json.h"

#include <errno.h>

enum {
    NAME_MAX_BYTES = 2 << 10,
};

static int add(struct arena *arena, struct str system, struct str value, struct asker *out,
               struct consent_request *request)
{
    if (value.n == 0 || request->n_actors == ASKER_ACTORS_MAX) {
        return 0;
    }
    struct buf name = arena_buf(arena, NAME_MAX_BYTES);
    buf_str_put(&name, system);
    if (system.n) {
        buf_c(&name, '|');
    }
    buf_str_put(&name, value);
    out->actors[request->n_actors++] = buf_str(&name);
    return buf_failed(&name) ? -ENOMEM : 0;
}

/* fhirUser is "Practitioner/1" or a URL, which is ours if it is below our base. */
struct str asker_user(const struct claims *claims, struct str base)
{
    struct str user = claims->fhir_user;
    bool below = user.n > base.n && str_starts(user, base) && user.p[base.n] == '/';
    return below ? str_slice(user, base.n + 1, user.n) : user;
}

static int add_purposes(struct arena *arena, const struct claims_codes *purposes,
                        struct asker *out, struct consent_request *request)
{
    for (size_t i = 0; i < purposes->count; i++) {
        const struct claims_code *purpose = &purposes->items[i];
        if (purpose->system.n == 0 || purpose_known_system(purpose->system)) {
            request->purposes |= purpose_bit(purpose->code);
            continue;
        }
        struct buf name = arena_buf(arena, NAME_MAX_BYTES);
        buf_str_put(&name, purpose->system);
        buf_c(&name, '|');
        buf_str_put(&name, purpose->code);
        if (buf_failed(&name)) {
            return -ENOMEM;
        }
        out->purposes[request->n_other_purposes++] = buf_str(&name);
    }
    return 0;
}

int asker_request(struct arena *arena, const struct claims *claims, struct str base,
                  struct asker *out, struct consent_request *request)
{
    const struct claims_code names[] = {
        { STR(""), claims->organization },
        { STR(""), asker_user(claims, base) },
        { claims->issuer, claims->subject },
        { claims->issuer, claims->client },
    };
    int r = 0;
    request->actors = out->actors;
    request->other_purposes = out->purposes;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++) {
        r = add(arena, names[i].system, names[i].code, out, request);
    }
    for (size_t i = 0; r == 0 && i < claims->roles.count; i++) {
        r = add(arena, claims->roles.items[i].system, claims->roles.items[i].code, out,
                request);
    }
    return r < 0 ? r : add_purposes(arena, &claims->purposes, out, request);
}

static void read_codes(const struct node *list, struct claims_codes *out)
{
    for (const struct node *at = node_first(list); at && out->count < CLAIMS_CODES_MAX;
         at = at->next) {
        out->items[out->count++] =
            (struct claims_code){ node_text(at, "system"), node_text(at, "code") };
    }
}

void asker_belong(const struct belonging *belonging, struct asker *out,
                  struct consent_request *request)
{
    for (size_t i = 0; i < belonging->n && request->n_actors < ASKER_ACTORS_MAX; i++) {
        out->actors[request->n_actors++] = belonging->at[i];
    }
    request->actors_unknown = belonging->unknown;
}

int asker_read(struct arena *arena, struct str text, struct claims *out,
               struct belonging *belonging)
{
    struct issues issues;
    const struct node *root;
    issues_init(&issues, arena);
    int r = json_parse(arena, text, &issues, &root);
    if (r != 0 || !node_is(root, NODE_OBJECT)) {
        return r < 0 ? r : ASKER_E_FORM;
    }
    *out = (struct claims){
        .organization = node_text(root, "organization"),
        .issuer = node_text(root, "issuer"),
        .subject = node_text(root, "subject"),
        .client = node_text(root, "client"),
        .fhir_user = node_text(root, "user"),
    };
    read_codes(node_get(root, "roles"), &out->roles);
    read_codes(node_get(root, "purposes"), &out->purposes);
    *belonging = (struct belonging){
        .unknown = node_is(node_get(root, "belongsUnknown"), NODE_TRUE),
    };
    const struct node *name = node_first(node_get(root, "belongs"));
    for (; name; name = name->next) {
        belonging_add(belonging, name->text);
    }
    return 0;
}
