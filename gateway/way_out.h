/* Ways out: the destinations of a worker, each with the client that reaches it. */
#pragma once

#include "gateway/worker.h"

/* Resolve and prepare all destinations. Return: 0 or -errno after saying why */
MUST_USE int way_out_open_all(struct worker *worker);
void way_out_close_all(struct worker *worker);

/**
 * way_out_tls() - TLS of connections that we open, as a configuration says
 * @config: its section tls; NULL: the system's authorities
 * @http:   offers http/1.1
 * @why:    reason of a failure, TLS_WHY_MAX bytes
 *
 * Return: the context, or NULL and @why is set
 */
MUST_USE struct tls *way_out_tls(const struct config_tls *config, bool http, char *why);

/* The gateway's own Authorization field value for @out, in @arena; empty: none. */
struct str way_out_authorization(const struct way_out *out, struct arena *arena);
