/*
 * Who asks: the names under which consents know the requester (gateway/identity/asker.h, which
 * reads them back from the text), and the text that the record commits to.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json_write.h"
#include "gateway/directory.h"

#include <errno.h>

enum {
    ACTOR_TEXT_MAX = 64 << 10,
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

static void put_belonging(struct json_writer *w, const struct belonging *belonging)
{
    if (belonging->n) {
        json_array(w, "belongs");
        for (size_t i = 0; i < belonging->n; i++) {
            json_string(w, NULL, belonging->at[i]);
        }
        json_end(w);
    }
    if (belonging->unknown) {
        json_bool(w, "belongsUnknown", true);
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
    put_belonging(&w, &fx->belonging);
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

/* --- whom the directory knows besides ------------------------------------------------------
 */

static struct directory_asker asker_of(const struct fhir_exchange *fx)
{
    return (struct directory_asker){
        .organization = fx->claims.organization,
        .user = asker_user(&fx->claims, fx->base),
        .base = fx->server,
    };
}

static enum step belong(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    const struct directory_asker asker = asker_of(fx);
    directory_known(fx->dossier.worker->directory, ex->arena, &asker, &fx->belonging);
    asker_belong(&fx->belonging, &fx->asker, &fx->asks);
    return write_text(ex) < 0 ? exchange_stop(ex, OUTCOME_UNAVAILABLE, "memory") : STEP_NEXT;
}

static void on_found(void *arg)
{
    struct exchange *ex = exchange_woken(arg);
    exchange_move(ex, belong(ex));
}

enum step fhir_actor_enter(struct exchange *ex)
{
    struct fhir_exchange *fx = fhir_of(ex);
    struct directory *directory = fx->dossier.worker->directory;
    const struct directory_asker asker = asker_of(fx);
    if (fx->logged_in || !directory_asks(directory, &asker)) {
        return STEP_NEXT;
    }
    struct op *op = directory_find(directory, &asker, on_found, ex);
    return op ? exchange_wait(ex, op) : belong(ex);
}
