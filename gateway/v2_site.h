/* What translation is told of a message's sender, and of the gateway: the same whenever and by
 * whomever the message is translated. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/translate/to_fhir.h"
#include "gateway/config/config.h"

/**
 * v2_site_know() - the sender, by configuration and maps
 * @rules: the sender's own maps, without any route
 * @out:   good for finding the message's patients
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_site_know(struct arena *arena, const struct config_sender *sender,
                          const struct rules *rules, const struct v2_message *message,
                          struct translate_site *out);

/*
 * A message that was taken.
 *
 * @sender:   whose it is; @route: its way; both may ask for options of maps
 * @rules:    the maps of the route
 * @gateway:  name of this installation
 * @accepted: when, ms since 1970
 * @raw:      as it came
 */
struct v2_taken {
    const struct config_sender *sender;
    const struct config_route *route;
    const struct rules *rules;
    const char *gateway;
    int64_t accepted;
    struct str raw;
};

enum {
    V2_BECAME_SIZE = 5 + 64,
};

/* Append what records of a delivery say of what was made: its form @form, "fhir" or "v2", and
 * the SHA-256 of @text. */
void v2_became_put(struct buf *out, const char *form, struct str text);

/* The instant of @ms since 1970, by the second, as maps are told when; empty: no memory. */
struct str v2_site_instant(struct arena *arena, int64_t ms);

/* Complete @site for translation. Return: 0 or -ENOMEM */
MUST_USE int v2_site_take(struct arena *arena, const struct v2_taken *taken,
                          struct translate_site *site);
