/*
 * Issuers and their key sets.
 *
 * A set is replaced only by one that could be read whole; when it is, the cache of verified
 * tokens is flushed. A token signed with an unknown key asks for the set to be read again, at
 * most once in IDENTITY_RETRY_MS, so a stranger's tokens can't make us hammer the issuer.
 */
#include "gateway/identity/identity.h"

#include "gateway/clock.h"
#include "gateway/identity/own_token.h"
#include "gateway/identity/token_cache.h"
#include "gateway/log.h"
#include "gateway/net/http_client.h"
#include "gateway/net/timer.h"
#include "gateway/net/url.h"
#include "gateway/vault.h"
#include "gateway/way_out.h"
#include "gateway/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOK_MS = 1000, /* pause between two looks whether a set is due */
};

/* One issuer of one listener. */
struct source {
    struct identity *identity;
    const struct config_issuer *config;
    struct jwks *keys;          /* owned; NULL: none could be read yet */
    struct http_client *client; /* owned; NULL: a file */
    struct tls *tls;            /* owned */
    struct str target;
    struct op *op;
    int64_t read_at; /* clock_mono_ms() of the last try */
    bool good;       /* the last try worked */
};

struct group {
    const struct config_listener *listener;
    struct token_issuer *issuers;
    struct source *sources;
    size_t count; /* of both; our own issuer, where patients log in, follows the issuers */
    struct token_cache *cache; /* owned */
};

struct identity {
    struct worker *worker;
    struct group *groups; /* in the worker's arena */
    size_t count;
    struct jwks *own;    /* of our own tokens; owned; NULL until the vault is open */
    struct event *timer; /* owned */
};

static void replace(struct source *source, struct str text)
{
    struct jwks *keys;
    int r = jwks_parse(text, &keys);
    source->good = r == 0;
    if (r != 0) {
        log_line(LOG_WARN, "key set can't be read", LOG_Z("issuer", source->config->issuer));
        return;
    }
    jwks_free(source->keys);
    source->keys = keys;
    for (size_t g = 0; g < source->identity->count; g++) {
        struct group *group = &source->identity->groups[g];
        for (size_t i = 0; i < group->count; i++) {
            if (&group->sources[i] == source) {
                group->issuers[i].keys = keys;
                token_cache_flush(group->cache);
            }
        }
    }
}

static void read_file(struct source *source)
{
    char *text = malloc(JWKS_TEXT_MAX);
    FILE *file = fopen(source->config->jwks_file, "rbe");
    size_t n = file && text ? fread(text, 1, JWKS_TEXT_MAX, file) : 0;
    if (file) {
        (void)fclose(file);
    }
    replace(source, str_of(text, n));
    free(text);
}

static void on_fetched(void *owner, const struct http_answer *answer)
{
    struct source *source = owner;
    source->op = NULL;
    if (answer->fail || answer->head->status != 200) {
        source->good = false;
        log_line(LOG_WARN, "key set can't be fetched", LOG_Z("issuer", source->config->issuer),
                 LOG_Z("reason", answer->fail ? http_fail_text(answer->fail) : "status"));
        return;
    }
    replace(source, answer->body);
}

static void read_again(struct source *source)
{
    source->read_at = clock_mono_ms();
    if (source->config->jwks_file) {
        read_file(source);
        return;
    }
    struct http_ask ask = { .method = STR("GET"), .target = source->target };
    if (!source->op) {
        source->op = http_fetch(source->client, &ask, JWKS_TEXT_MAX, on_fetched, source);
    }
}

static int open_url(struct identity *identity, struct source *source)
{
    struct url url;
    struct addresses to;
    struct arena *arena = identity->worker->arena;
    struct str text = str_z(source->config->jwks_url);
    if (url_parse(text, &url) != 0 ||
        address_resolve(url.authority, url.tls ? 443 : 80, &to) != 0) {
        log_line(LOG_ERROR, "jwks_url can't be used", LOG_Z("issuer", source->config->issuer));
        return -EINVAL;
    }
    struct str authority = arena_str(arena, url.authority);
    struct str host = arena_str(arena, url.host);
    if (!authority.p || !host.p) {
        return -ENOMEM;
    }
    char why[TLS_WHY_MAX];
    source->tls = url.tls ? way_out_tls(source->config->tls, true, why) : NULL;
    if (url.tls && !source->tls) {
        log_line(LOG_ERROR, "jwks_url can't be used", LOG_Z("issuer", source->config->issuer),
                 LOG_Z("reason", why));
        return -EINVAL;
    }
    source->target = url.target.n ? url.target : STR("/");
    struct http_client_config config = {
        .base = identity->worker->loop,
        .to = to,
        .host = authority.p,
        .tls_host = host.p,
        .tls = source->tls,
        .connections_max = 1,
    };
    source->client = http_client_new(&config);
    return source->client ? 0 : -ENOMEM;
}

static int open_group(struct identity *identity, struct group *group,
                      const struct config_listener *listener)
{
    const struct config_issuer *issuers = listener->issuers.items;
    struct arena *arena = identity->worker->arena;
    group->listener = listener;
    group->cache = token_cache_new(TOKEN_CACHE_MAX);
    group->issuers = arena_calloc(arena, listener->issuers.n + 1, sizeof(*group->issuers));
    group->sources = arena_calloc(arena, listener->issuers.n + 1, sizeof(*group->sources));
    if (!group->cache || !group->issuers || !group->sources) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < listener->issuers.n; i++) {
        struct source *source = &group->sources[i];
        group->issuers[i] = (struct token_issuer){
            .issuer = str_z(issuers[i].issuer),
            .audience = str_z(issuers[i].audience),
            .organization = str_z(issuers[i].organization),
        };
        *source = (struct source){ .identity = identity, .config = &issuers[i] };
        group->count++;
        int r = issuers[i].jwks_url ? open_url(identity, source) : 0;
        if (r < 0) {
            return r;
        }
        read_again(source);
    }
    if (listener->login) {
        struct str base = config_base(listener);
        group->issuers[group->count] =
            (struct token_issuer){ .issuer = base, .audience = base };
    }
    return 0;
}

int identity_unlock(struct identity *identity)
{
    struct sign_key key;
    vault_token_key(identity->worker->vault, &key);
    int r = own_token_keys(&key, &identity->own);
    secret_wipe(&key, sizeof(key));
    for (size_t g = 0; r == 0 && g < identity->count; g++) {
        struct group *group = &identity->groups[g];
        if (group->listener->login) {
            group->issuers[group->count].keys = identity->own;
        }
    }
    return r ? -ENOMEM : 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct identity *identity = arg;
    int64_t now = clock_mono_ms();
    for (size_t g = 0; g < identity->count; g++) {
        for (size_t i = 0; i < identity->groups[g].count; i++) {
            struct source *source = &identity->groups[g].sources[i];
            int64_t pause = source->good ? IDENTITY_REFRESH_MS : IDENTITY_RETRY_MS;
            if (now - source->read_at >= pause) {
                read_again(source);
            }
        }
    }
    (void)timer_add(identity->worker->loop, identity->timer, LOOK_MS);
}

struct identity *identity_new(struct worker *worker)
{
    struct identity *identity = calloc(1, sizeof(*identity));
    if (!identity) {
        return NULL;
    }
    const struct config *config = worker->config;
    identity->worker = worker;
    identity->groups =
        arena_calloc(worker->arena, config->listeners.n + 1, sizeof(struct group));
    identity->timer = event_new(worker->loop, -1, 0, on_timer, identity);
    bool good = identity->groups && identity->timer;
    for (size_t i = 0; good && i < config->listeners.n; i++) {
        good = open_group(identity, &identity->groups[identity->count++],
                          config_listener(config, i)) == 0;
    }
    if (!good) {
        identity_free(identity);
        return NULL;
    }
    on_timer(-1, 0, identity);
    return identity;
}

void identity_free(struct identity *identity)
{
    if (!identity) {
        return;
    }
    for (size_t g = 0; identity->groups && g < identity->count; g++) {
        struct group *group = &identity->groups[g];
        for (size_t i = 0; i < group->count; i++) {
            op_cancel(group->sources[i].op);
            if (group->sources[i].client) {
                http_client_free(group->sources[i].client);
            }
            tls_free(group->sources[i].tls);
            jwks_free(group->sources[i].keys);
        }
        token_cache_free(group->cache);
    }
    if (identity->timer) {
        event_free(identity->timer);
    }
    jwks_free(identity->own);
    free(identity);
}

/* The keys may have changed: read sets again that weren't read just now. */
static void suspect(struct group *group)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < group->count; i++) {
        if (now - group->sources[i].read_at >= IDENTITY_RETRY_MS) {
            read_again(&group->sources[i]);
        }
    }
}

int identity_check(struct identity *identity, const struct config_listener *listener,
                   struct arena *arena, struct str token, int64_t now, struct claims *out)
{
    for (size_t g = 0; g < identity->count; g++) {
        struct group *group = &identity->groups[g];
        if (group->listener != listener) {
            continue;
        }
        struct token_rules rules = {
            .issuers = group->issuers,
            .count = group->count + (listener->login != NULL),
            .leeway_ms = IDENTITY_LEEWAY_MS,
        };
        int r = token_cache_check(group->cache, arena, &rules, token, now, out);
        if (r == TOKEN_E_KEY || r == TOKEN_E_KEYS) {
            suspect(group);
        }
        return r;
    }
    return TOKEN_E_ISSUER;
}
