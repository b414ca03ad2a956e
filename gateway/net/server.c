/* "Drained" is told from the loop, so that nobody is told inside the call that asked for it. */
#include "gateway/net/server.h"

#include <errno.h>
#include <stdlib.h>

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
    struct server *server = arg;
    (void)fd;
    (void)what;
    if (server->on_drained) {
        server->on_drained(server->drain_owner);
    }
}

int server_init(struct server *server, struct event_base *base, int fd, size_t max,
                listener_fn accept, void *owner)
{
    *server = (struct server){ 0 };
    server->listener = listener_new(base, fd, max, accept, owner);
    if (!server->listener) {
        return -ENOMEM;
    }
    (void)event_assign(&server->drained, base, -1, 0, on_drained, server);
    return 0;
}

void server_deinit(struct server *server, server_stop_fn stop)
{
    listener_pause(server->listener);
    while (server->links) {
        stop(server->links);
    }
    (void)event_del(&server->drained);
    listener_free(server->listener);
}

struct server_link *server_take(struct server *server, size_t size,
                                const struct conn_config *config, int fd,
                                const struct address *peer)
{
    struct server_link *link = calloc(1, size);
    struct conn_config own = *config;
    own.owner = link;
    struct conn *conn = conn_accepted(&own, fd, peer);
    if (!link || !conn) {
        conn_free(conn);
        free(link);
        listener_ended(server->listener);
        return NULL;
    }
    link->conn = conn;
    link->next = server->links;
    link->back = &server->links;
    if (link->next) {
        link->next->back = &link->next;
    }
    server->links = link;
    return link;
}

static void tell_drained(struct server *server)
{
    if (server->draining && !server->links) {
        event_active(&server->drained, EV_TIMEOUT, 1);
    }
}

void server_let_go(struct server *server, struct server_link *link, bool at_once)
{
    if (at_once) {
        conn_free(link->conn);
    } else {
        conn_close(link->conn);
    }
    link->conn = NULL;
    *link->back = link->next;
    if (link->next) {
        link->next->back = link->back;
    }
    listener_ended(server->listener);
    tell_drained(server);
    life_over(&link->life, link);
}

void server_drain(struct server *server, server_stop_fn stop, void (*done)(void *owner),
                  void *owner)
{
    server->draining = true;
    server->on_drained = done;
    server->drain_owner = owner;
    listener_pause(server->listener);
    struct server_link *next = NULL;
    for (struct server_link *link = server->links; link; link = next) {
        next = link->next;
        stop(link);
    }
    tell_drained(server);
}

void server_pause(struct server *server)
{
    listener_pause(server->listener);
}

void server_resume(struct server *server)
{
    if (!server->draining) {
        listener_resume(server->listener);
    }
}

size_t server_connections(const struct server *server)
{
    return listener_count(server->listener);
}
