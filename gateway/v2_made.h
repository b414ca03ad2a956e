/*
 * The HL7 v2 message that a FHIR write becomes for one receiver: the same whenever and by
 * whomever it is made.
 *
 * MSH-10 is a digest of the message itself, of the exchange it was taken in and of its
 * destination: the same bytes always bear the same, and other bytes never do.
 */
#pragma once

#include "fhir/translate/to_v2.h"
#include "gateway/config/config.h"

/*
 * A write that was taken.
 *
 * @to:       who gets it, and how messages are written for it
 * @route:    its way, whose options of maps count
 * @rules:    the maps of the route
 * @exchange: 16 bytes
 * @accepted: when, ms since 1970
 * @root:     what was written, parsed
 */
struct v2_written {
    const struct config_destination *to;
    const struct config_route *route;
    const struct rules *rules;
    const uint8_t *exchange;
    int64_t accepted;
    const struct node *root;
};

/* @text: the message; @control: its MSH-10, a part of it */
struct v2_made {
    struct str text;
    struct str control;
};

/**
 * v2_made() - make the message
 * @arena:  memory for everything
 * @issues: told what is left out, and why there is no message
 *
 * Return: 0, TO_V2_E_… or -ENOMEM; @out is set only on 0.
 */
MUST_USE int v2_made(struct arena *arena, const struct v2_written *written, struct v2_made *out,
                     struct issues *issues);
