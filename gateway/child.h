/* What a child of the supervisor is given at its fork. */
#pragma once

#include "gateway/config/config.h"
#include "gateway/setup.h"

#include <stddef.h>

struct neighbours;

/* A socket that listens, opened and kept by the supervisor. */
struct child_socket {
    const char *listener; /* name in the configuration; NULL: the admin address */
    int fd;
};

/*
 * @config:  in force for the child's whole life: a reload starts new children; so are
 *           @maps, @validation, @labeller and @tenant
 * @sockets: those of this child, shared and its own
 * @neighbours: the workers of the same configuration
 * @ready:   a byte is written here when the child takes traffic
 */
struct child {
    const struct config *config;
    const struct maps *maps;
    const struct validation *validation;
    const struct labeller *labeller;     /* NULL: nothing is labelled */
    const struct consent_tenant *tenant; /* NULL: consents decide alone */
    int index;                           /* of the worker; -1: the notary */
    const struct child_socket *sockets;
    size_t socket_count;
    const struct neighbours *neighbours;
    int ready;
};

/* Both run until SIGTERM, then drain, and return a sysexits code. */
int worker_run(const struct child *child);
int notary_run(const struct child *child);

/* Say that this child takes traffic. */
void child_ready(const struct child *child);
