/* Ways out: the destinations of a worker, each with the client that reaches it. */
#pragma once

#include "gateway/worker.h"

/* Resolve and prepare all destinations. Return: 0 or -errno after saying why */
MUST_USE int way_out_open_all(struct worker *worker);
void way_out_close_all(struct worker *worker);

/* The gateway's own Authorization field value for @out, in @arena; empty: none. */
struct str way_out_authorization(const struct way_out *out, struct arena *arena);
