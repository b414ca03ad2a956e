/* Names are resolved here, at start, so that no request waits for DNS. */
#include "gateway/way_out.h"

#include "gateway/log.h"
#include "gateway/net/tls.h"
#include "gateway/net/url.h"

#include <errno.h>
#include <stdio.h>

enum {
    TOKEN_MAX = 16 << 10,
};

static int say(const struct config_destination *config, const char *why)
{
    log_line(LOG_ERROR, "destination can't be used", LOG_Z("destination", config->place.name),
             LOG_Z("reason", why));
    return -EINVAL;
}

struct tls *way_out_tls(const struct config_tls *config, bool http, char *why)
{
    struct tls_config tls = { .alpn_http = http };
    if (config) {
        tls.certificate = config->certificate;
        tls.key = config->key;
        tls.trusted = config->clients;
        tls.only_1_3 = config->least;
    }
    return tls_client_new(&tls, why);
}

static int open_tls(struct way_out *out, bool wanted)
{
    if (!wanted && !out->config->tls) {
        return 0;
    }
    char why[TLS_WHY_MAX];
    out->tls = way_out_tls(out->config->tls, out->config->protocol == PROTOCOL_FHIR, why);
    return out->tls ? 0 : say(out->config, why);
}

static int open_fhir(struct worker *worker, struct way_out *out)
{
    struct url url;
    struct addresses to;
    out->base_url = str_z(out->config->url);
    if (str_ends(out->base_url, STR("/"))) {
        out->base_url.n--;
    }
    if (url_parse(out->base_url, &url) != 0 || url.query.n) {
        return say(out->config, "url is no http or https URL");
    }
    struct str authority = arena_str(worker->arena, url.authority);
    struct str host = arena_str(worker->arena, url.host);
    if (!authority.p || !host.p) {
        return -ENOMEM;
    }
    out->host = authority;
    out->base_path = url.path;
    if (address_resolve(authority, url.tls ? 443 : 80, &to) != 0) {
        return say(out->config, "the host of url has no address");
    }
    int r = open_tls(out, url.tls);
    if (r < 0) {
        return r;
    }
    struct http_client_config config = {
        .base = worker->loop,
        .to = to,
        .host = authority.p,
        .tls_host = host.p,
        .tls = url.tls ? out->tls : NULL,
        .connections_max = (size_t)out->config->connections,
        .first_byte_ms = (int)out->config->timeout,
    };
    out->http = http_client_new(&config);
    return out->http ? 0 : -ENOMEM;
}

static int open_mllp(struct worker *worker, struct way_out *out)
{
    struct str host;
    uint16_t port;
    if (address_split(str_z(out->config->address), 0, &host, &port) == 0) {
        out->host = arena_str(worker->arena, host);
    }
    if (address_resolve(str_z(out->config->address), 0, &out->to) != 0) {
        return say(out->config, "address is no host:port, or has no address");
    }
    return open_tls(out, false);
}

int way_out_open_all(struct worker *worker)
{
    const struct config *config = worker->config;
    worker->ways_out =
        arena_calloc(worker->arena, config->destinations.n + 1, sizeof(*worker->ways_out));
    if (!worker->ways_out) {
        return -ENOMEM;
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < config->destinations.n; i++) {
        struct way_out *out = &worker->ways_out[worker->way_out_count++];
        out->config = config_destination(config, i);
        r = out->config->protocol == PROTOCOL_FHIR ? open_fhir(worker, out)
                                                   : open_mllp(worker, out);
    }
    return r;
}

void way_out_close_all(struct worker *worker)
{
    for (size_t i = 0; i < worker->way_out_count; i++) {
        if (worker->ways_out[i].http) {
            http_client_free(worker->ways_out[i].http);
        }
        tls_free(worker->ways_out[i].tls);
    }
}

struct way_out *worker_way_out(const struct worker *worker, const char *name)
{
    for (size_t i = 0; i < worker->way_out_count; i++) {
        if (strcmp(worker->ways_out[i].config->place.name, name) == 0) {
            return &worker->ways_out[i];
        }
    }
    return NULL;
}

struct str way_out_authorization(const struct way_out *out, struct arena *arena)
{
    const struct config_destination_auth *auth = out->config->auth;
    if (!auth || auth->kind != AUTH_BEARER) {
        return (struct str){ 0 };
    }
    struct buf value = arena_buf(arena, TOKEN_MAX);
    FILE *file = fopen(auth->token_file, "rbe");
    char *token = arena_alloc(arena, TOKEN_MAX);
    size_t n = file && token ? fread(token, 1, TOKEN_MAX - 1, file) : 0;
    if (file) {
        (void)fclose(file);
    }
    while (n && (token[n - 1] == '\n' || token[n - 1] == '\r')) {
        n--;
    }
    buf_z(&value, "Bearer ");
    buf_put(&value, token, n);
    return n ? buf_str(&value) : (struct str){ 0 };
}
