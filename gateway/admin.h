/*
 * Health and metrics, on an address of their own.
 *
 *   /health/live     the process answers
 *   /health/ready    each thing that traffic needs, as JSON; 503 if one is missing
 *   /metrics         OpenMetrics, summed over all processes of this gateway
 */
#pragma once

#include "gateway/worker.h"

/* Begin to answer on @fd. NULL: no memory. */
MUST_USE struct http_server *admin_open(struct worker *worker, int fd);
