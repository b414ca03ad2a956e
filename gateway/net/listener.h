/* Listening sockets, and accepting from them. */
#pragma once

#include "crypto/base/attr.h"
#include "gateway/net/address.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    LISTENER_BACKLOG = 1024,
    LISTENER_BATCH = 64,     /* accepted per turn of the loop */
    LISTENER_RETRY_MS = 200, /* pause when descriptors have run out */
};

/**
 * listener_open() - open a socket and listen
 * @address:   where
 * @reuseport: several sockets share the address, and the kernel spreads connections
 * @fd:        non-blocking, close-on-exec; the supervisor keeps it and its children inherit it
 *
 * Return: 0 or -errno; @fd is set only on 0.
 */
MUST_USE int listener_open(const struct address *address, bool reuseport, int *fd);

/* A new connection: the owner takes over @fd. */
typedef void (*listener_fn)(void *owner, int fd, const struct address *peer);

struct listener;

/**
 * listener_new() - accept connections of @fd
 * @base:  event loop
 * @fd:    listening socket; borrowed, it stays open when the listener is freed
 * @max:   connections at a time; further ones wait in the kernel's queue
 * @fn:    told each connection
 * @owner: handed to @fn
 *
 * Return: the listener, or NULL without memory
 */
MUST_USE struct listener *listener_new(struct event_base *base, int fd, size_t max,
                                       listener_fn fn, void *owner);
void listener_free(struct listener *listener);

/* One of its connections has ended. */
void listener_ended(struct listener *listener);

/* Connections open. */
size_t listener_count(const struct listener *listener);

/* Accept no more until listener_resume(). */
void listener_pause(struct listener *listener);
void listener_resume(struct listener *listener);
