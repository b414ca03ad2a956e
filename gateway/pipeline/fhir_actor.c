/*
 * Who asks: the names under which consents know the requester (gateway/identity/asker.h, which
 * reads them back from the text), and the text that the record commits to.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json_write.h"

#include <errno.h>

enum {
    ACTOR_TEXT_MAX = 16 << 10,
};

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
    int r = asker_request(ex->arena, &fx->claims, fx->base, &fx->asker, &fx->asks);
    fx->asks.now = ex->time;
    r = r < 0 ? r : write_recipient(ex);
    return r < 0 ? r : write_text(ex);
}
