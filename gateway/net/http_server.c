/* The server as a whole; its connections are in http_link.c, answers in http_res.c. */
#include "gateway/net/http_server.h"
#include "gateway/net/http_server_impl.h"

#include <stdlib.h>

struct http_server *http_server_new(const struct http_server_config *config)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server) {
        return NULL;
    }
    server->config = *config;
    size_t max = config->connections_max ? config->connections_max : HTTP_SERVER_CONNECTIONS;
    if (server_init(&server->base, config->base, config->fd, max, http_link_accept, server) <
        0) {
        free(server);
        return NULL;
    }
    return server;
}

void http_server_free(struct http_server *server)
{
    if (server) {
        server_deinit(&server->base, http_link_stop);
        free(server);
    }
}

void http_server_drain(struct http_server *server, void (*done)(void *owner), void *owner)
{
    server_drain(&server->base, http_link_drain, done, owner);
}

void http_server_pause(struct http_server *server)
{
    server_pause(&server->base);
}

void http_server_resume(struct http_server *server)
{
    server_resume(&server->base);
}

size_t http_server_connections(const struct http_server *server)
{
    return server_connections(&server->base);
}

size_t http_server_requests(const struct http_server *server)
{
    return server->requests;
}
