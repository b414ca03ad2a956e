/*
 * The sockets that the supervisor opens and keeps.
 *
 * They outlive every child, so a connection that arrives while a worker is being replaced
 * waits in the kernel instead of being refused. FHIR listeners have one socket for each worker
 * (the kernel spreads connections by hash); MLLP feeds are few and long, so all workers share
 * one; so does the admin address.
 */
#pragma once

#include "gateway/child.h"

enum {
    SOCKETS_MAX = 64, /* of one worker: listeners and the admin address */
};

struct sockets;

MUST_USE struct sockets *sockets_new(void);
void sockets_free(struct sockets *sockets);

/**
 * sockets_open() - open what a configuration listens on and isn't open yet
 * @sockets: the table
 * @config:  names and addresses
 * @workers: how many share the FHIR listeners
 *
 * Return: 0, or -errno after saying which address failed; nothing that was open is closed
 */
MUST_USE int sockets_open(struct sockets *sockets, const struct config *config, size_t workers);

/* Close what @config doesn't name; after a reload. */
void sockets_keep(struct sockets *sockets, const struct config *config, size_t workers);

/* The sockets of worker @worker under the generation opened last; returns how many. */
size_t sockets_for_worker(const struct sockets *sockets, size_t worker,
                          struct child_socket out[SOCKETS_MAX]);
