/* The server as a whole; its connections are in http_link.c, answers in http_res.c. */
#include "gateway/net/http_server.h"
#include "gateway/net/http_server_impl.h"

#include <stdlib.h>

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
    struct http_server *server = arg;
    (void)fd;
    (void)what;
    if (server->on_drained) {
        server->on_drained(server->drain_owner);
    }
}

struct http_server *http_server_new(const struct http_server_config *config)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server) {
        return NULL;
    }
    server->config = *config;
    size_t max = config->connections_max ? config->connections_max : HTTP_SERVER_CONNECTIONS;
    (void)event_assign(&server->drained, config->base, -1, 0, on_drained, server);
    server->listener = listener_new(config->base, config->fd, max, http_link_accept, server);
    if (!server->listener) {
        free(server);
        return NULL;
    }
    return server;
}

void http_server_free(struct http_server *server)
{
    if (!server) {
        return;
    }
    listener_pause(server->listener);
    while (server->links) {
        http_link_stop(server->links);
    }
    (void)event_del(&server->drained);
    listener_free(server->listener);
    free(server);
}

void http_server_drain(struct http_server *server, void (*done)(void *owner), void *owner)
{
    server->draining = true;
    server->on_drained = done;
    server->drain_owner = owner;
    listener_pause(server->listener);
    struct http_link *next = NULL;
    for (struct http_link *link = server->links; link; link = next) {
        next = link->next;
        if (link->phase == HTTP_PHASE_HEAD && link->scan.at == 0) {
            http_link_close(link, false);
        }
    }
    if (!server->links) {
        event_active(&server->drained, EV_TIMEOUT, 1);
    }
}

void http_server_pause(struct http_server *server)
{
    listener_pause(server->listener);
}

void http_server_resume(struct http_server *server)
{
    if (!server->draining) {
        listener_resume(server->listener);
    }
}

size_t http_server_connections(const struct http_server *server)
{
    return listener_count(server->listener);
}

size_t http_server_requests(const struct http_server *server)
{
    return server->requests;
}
