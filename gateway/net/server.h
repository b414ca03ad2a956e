/*
 * What servers share: a listener, its connections, and draining them.
 */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/net/conn.h"
#include "gateway/net/life.h"
#include "gateway/net/listener.h"

#include <event2/event_struct.h>

/* A connection; first member of what the protocol keeps of it, which is on the heap. */
struct server_link {
    struct server_link *next;
    struct server_link **back;
    struct conn *conn; /* owned; NULL when it has gone */
    struct life life;
};

/* Its owner reads @links and @draining. */
struct server {
    struct listener *listener; /* owned */
    struct server_link *links; /* owned; all connections */
    bool draining;
    struct event drained;
    void (*on_drained)(void *owner);
    void *drain_owner;
};

/**
 * server_init() - listen
 * @max:    connections at a time
 * @accept: told each new connection, and handed @owner; it calls server_take()
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int server_init(struct server *server, struct event_base *base, int fd, size_t max,
                         listener_fn accept, void *owner);

/* Ends a connection, or, while draining, lets it end by itself. */
typedef void (*server_stop_fn)(struct server_link *link);

/* @stop: ends each connection at once. */
void server_deinit(struct server *server, server_stop_fn stop);

/**
 * server_take() - a connection for a socket that was accepted
 * @size:   of what begins with its struct server_link
 * @config: of the connection; the owner will be the link
 *
 * Return: the link, zeros but for its base; or NULL, and the socket is closed
 */
MUST_USE struct server_link *server_take(struct server *server, size_t size,
                                         const struct conn_config *config, int fd,
                                         const struct address *peer);

/* Close the connection, politely or not, and let go of @link; its life must not be over. */
void server_let_go(struct server *server, struct server_link *link, bool at_once);

/* Accept no more; @done is told, from the loop, when the last connection has gone. */
void server_drain(struct server *server, server_stop_fn stop, void (*done)(void *owner),
                  void *owner);

/* Accept no more until server_resume(), which does nothing while draining. */
void server_pause(struct server *server);
void server_resume(struct server *server);

/* Connections open. */
size_t server_connections(const struct server *server);
