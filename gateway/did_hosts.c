/* One client for each host of each listener, so that each has the authorities it is said to. */
#include "gateway/did_hosts.h"

#include "gateway/config/config.h"
#include "gateway/log.h"
#include "gateway/way_out.h"
#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>

enum {
    HTTPS_PORT = 443,
    CONNECTIONS = 4,
    ANSWER_MS = 3000,
};

struct host {
    const struct config_did_web *config;
    const struct config_login *login;
    struct http_client *client; /* owned */
    struct tls *tls;            /* owned */
};

struct did_hosts {
    struct host *hosts; /* in the worker's arena */
    size_t count;
};

static int open_host(struct worker *worker, struct host *host)
{
    struct addresses to;
    char why[TLS_WHY_MAX] = "its name isn't known";
    host->tls = way_out_tls(host->config->tls, true, why);
    if (!host->tls || address_resolve(str_z(host->config->host), HTTPS_PORT, &to) != 0) {
        log_line(LOG_ERROR, "a host of did_web can't be used",
                 LOG_Z("host", host->config->host), LOG_Z("reason", why));
        return -EINVAL;
    }
    const struct http_client_config config = {
        .base = worker->loop,
        .to = to,
        .host = host->config->host,
        .tls = host->tls,
        .connections_max = CONNECTIONS,
        .first_byte_ms = ANSWER_MS,
        .stalled_ms = ANSWER_MS,
    };
    host->client = http_client_new(&config);
    return host->client ? 0 : -ENOMEM;
}

static size_t count_all(const struct config *config)
{
    size_t n = 0;
    for (size_t i = 0; i < config->listeners.n; i++) {
        const struct config_login *login = config_listener(config, i)->login;
        n += login ? login->did_web.n : 0;
    }
    return n;
}

static int open_all(struct did_hosts *hosts, struct worker *worker)
{
    for (size_t i = 0; i < worker->config->listeners.n; i++) {
        const struct config_login *login = config_listener(worker->config, i)->login;
        const struct config_did_web *list = login ? login->did_web.items : NULL;
        for (size_t k = 0; login && k < login->did_web.n; k++) {
            struct host *host = &hosts->hosts[hosts->count++];
            *host = (struct host){ .config = &list[k], .login = login };
            int r = open_host(worker, host);
            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

struct did_hosts *did_hosts_new(struct worker *worker)
{
    struct did_hosts *hosts = calloc(1, sizeof(*hosts));
    if (!hosts) {
        return NULL;
    }
    hosts->hosts =
        arena_calloc(worker->arena, count_all(worker->config) + 1, sizeof(*hosts->hosts));
    if (!hosts->hosts || open_all(hosts, worker) < 0) {
        did_hosts_free(hosts);
        return NULL;
    }
    return hosts;
}

void did_hosts_free(struct did_hosts *hosts)
{
    if (!hosts) {
        return;
    }
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->hosts[i].client) {
            http_client_free(hosts->hosts[i].client);
        }
        tls_free(hosts->hosts[i].tls);
    }
    free(hosts);
}

struct op *did_hosts_fetch(struct did_hosts *hosts, const struct config_login *login,
                           const struct did_web_place *place, http_fetch_fn done, void *owner)
{
    const struct http_ask ask = { .method = STR("GET"), .target = place->target };
    for (size_t i = 0; i < hosts->count; i++) {
        const struct host *host = &hosts->hosts[i];
        if (host->login == login && str_eq(str_z(host->config->host), place->host)) {
            return http_fetch(host->client, &ask, DID_WEB_DOCUMENT_MAX, done, owner);
        }
    }
    return NULL;
}
