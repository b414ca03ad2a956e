/* Messages of which nothing comes: how to suspect one at a glance, and what it lacks. */
#pragma once

#include "fhir/base/arena.h"
#include "fhir/translate/rules.h"
#include "fhir/v2/message.h"

/*
 * Whether so few fields hold something, of segments that @rules read, that perhaps nothing
 * comes of @message: whoever must know translates it, which takes no time then. One that holds
 * more is not suspected, whatever it holds.
 */
bool translate_suspect(const struct rules *rules, const struct v2_message *message);

/*
 * @segment: it is a whole segment that is missing, not a field
 * @place:   "PID", "PID-3"; MSH-9 where the standard misses nothing that a resource is made of
 * @text:    a sentence for the sender, without content of the message
 */
struct translate_lack {
    bool segment;
    struct str place;
    struct str text;
};

/**
 * translate_lack() - what a message of which nothing came lacks
 * @arena:   memory for the texts, and to work in
 * @rules:   the maps in force
 * @message: in UTF-8
 * @out:     the first segment or field that the message's structure requires, that resources
 *           are made of, and that isn't there; @text names some more
 *
 * Return: 0 or -ENOMEM; @out is set only on 0.
 */
MUST_USE int translate_lack(struct arena *arena, const struct rules *rules,
                            const struct v2_message *message, struct translate_lack *out);
