/*
 * Who asks: the names under which consents know the requester, and the text that the record
 * commits to.
 *
 * Names follow fhir/consent/actor.h: an identifier is "system|value", or the value alone if it
 * is a URI itself; a reference is "Type/id" below the base of the FHIR server.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/consent/purpose.h"
#include "fhir/format/json_write.h"
#include "fhir/model/reference.h"
#include "gateway/identity/scope.h"

#include <errno.h>

enum {
    NAME_MAX_BYTES = 2 << 10,
    ACTOR_TEXT_MAX = 16 << 10,
};

static int add(struct exchange *ex, struct str system, struct str value)
{
    struct fhir_exchange *fx = fhir_of(ex);
    if (value.n == 0 || fx->asks.n_actors == ARRAY_LEN(fx->actors)) {
        return 0;
    }
    struct buf name = arena_buf(ex->arena, NAME_MAX_BYTES);
    buf_str_put(&name, system);
    if (system.n) {
        buf_c(&name, '|');
    }
    buf_str_put(&name, value);
    fx->actors[fx->asks.n_actors++] = buf_str(&name);
    return buf_failed(&name) ? -ENOMEM : 0;
}

/* fhirUser is "Practitioner/1" or a URL, which is ours if it is below our base. */
static int add_user(struct exchange *ex, struct str user)
{
    const struct fhir_exchange *fx = fhir_of(ex);
    if (user.n > fx->base.n && str_starts(user, fx->base) && user.p[fx->base.n] == '/') {
        user = str_slice(user, fx->base.n + 1, user.n);
    }
    return add(ex, STR(""), user);
}

static int set_purposes(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    for (size_t i = 0; i < fx->claims.purposes.count; i++) {
        const struct claims_code *purpose = &fx->claims.purposes.items[i];
        bool known = purpose->system.n == 0 || purpose_known_system(purpose->system);
        if (known) {
            fx->asks.purposes |= purpose_bit(purpose->code);
            continue;
        }
        struct buf name = arena_buf(ex->arena, NAME_MAX_BYTES);
        buf_str_put(&name, purpose->system);
        buf_c(&name, '|');
        buf_str_put(&name, purpose->code);
        if (buf_failed(&name)) {
            return -ENOMEM;
        }
        fx->purposes[fx->asks.n_other_purposes++] = buf_str(&name);
    }
    return 0;
}

static void put_codes(struct json_writer *w, const char *name, const struct claims_codes *codes)
{
    if (codes->count == 0) {
        return;
    }
    json_array(w, name);
    for (size_t i = 0; i < codes->count; i++) {
        json_object(w, NULL);
        if (codes->items[i].system.n) {
            json_string(w, "system", codes->items[i].system);
        }
        json_string(w, "code", codes->items[i].code);
        json_end(w);
    }
    json_end(w);
}

static void put(struct json_writer *w, const char *name, struct str value)
{
    if (value.n) {
        json_string(w, name, value);
    }
}

static int write_text(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct claims *claims = &fx->claims;
    const struct tls_peer *peer = http_req_tls_peer(fx->req);
    struct buf text = arena_buf(ex->arena, ACTOR_TEXT_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    json_z(&w, "listener", fx->way->config->place.name);
    put(&w, "organization", claims->organization);
    put(&w, "issuer", claims->issuer);
    put(&w, "subject", claims->subject);
    put(&w, "client", claims->client);
    put(&w, "user", claims->fhir_user);
    put(&w, "person", claims->person);
    put(&w, "patient", claims->patient);
    put(&w, "token", claims->id);
    put_codes(&w, "roles", &claims->roles);
    put_codes(&w, "purposes", &claims->purposes);
    if (peer && peer->certificate) {
        struct buf hex = arena_buf(ex->arena, (size_t)2 * TLS_DIGEST_SIZE);
        buf_hex(&hex, peer->digest, TLS_DIGEST_SIZE);
        put(&w, "certificate", buf_str(&hex));
    }
    json_end(&w);
    fx->dossier.actor = buf_str(&text);
    return buf_failed(&text) ? -ENOMEM : 0;
}

/* Of the actor what stays the same from token to token. */
static int write_recipient(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct buf text = arena_buf(ex->arena, ACTOR_TEXT_MAX);
    struct json_writer w = json_writer(&text);
    json_object(&w, NULL);
    put(&w, "client", fx->claims.client);
    put(&w, "issuer", fx->claims.issuer);
    put(&w, "organization", fx->claims.organization);
    put(&w, "subject", fx->claims.subject);
    put(&w, "user", fx->claims.fhir_user);
    json_end(&w);
    fx->dossier.recipient = buf_str(&text);
    return buf_failed(&text) ? -ENOMEM : 0;
}

int fhir_actor_set(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct claims *claims = &fx->claims;
    int r = add(ex, STR(""), claims->organization);
    if (r == 0) {
        r = add_user(ex, claims->fhir_user);
    }
    if (r == 0) {
        r = add(ex, claims->issuer, claims->subject);
    }
    if (r == 0) {
        r = add(ex, claims->issuer, claims->client);
    }
    for (size_t i = 0; r == 0 && i < claims->roles.count; i++) {
        r = add(ex, claims->roles.items[i].system, claims->roles.items[i].code);
    }
    if (r == 0) {
        r = set_purposes(ex);
    }
    fx->asks.actors = fx->actors;
    fx->asks.other_purposes = fx->purposes;
    fx->asks.now = ex->time;
    r = r < 0 ? r : write_recipient(ex);
    return r < 0 ? r : write_text(ex);
}
