/*
 * How rows of the outbox name the way of a message: LISTENER:ROUTE:SENDER, numbers as in the
 * configuration. Translation needs the sender, whose assigners and zone count. What a FHIR
 * client wrote has LISTENER:ROUTE, and no sender.
 */
#pragma once

#include "crypto/base/buf.h"
#include "gateway/config/config.h"

struct stored_route {
    const struct config_route *route;
    const struct config_sender *sender;
};

/* Append the name; @sender is one of @listener's, or NULL. */
void stored_route_put(struct buf *out, const struct config_listener *listener,
                      const struct stored_route *way);

/* Find what @name means; false if the configuration moved on. */
bool stored_route_find(const struct config *config, struct str name, struct stored_route *out);
