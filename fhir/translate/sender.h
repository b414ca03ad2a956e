/* What maps know of the sender of a message. */
#pragma once

#include "fhir/translate/to_fhir.h"

/**
 * translate_sender() - add what @site's maps know to what the caller says
 * @arena:   memory for lists
 * @message: in UTF-8; its facility (MSH-4) tells which sections apply
 * @site:    with ->rules; assigners and options get more, the zone only if there is none
 *
 * What the caller says comes first, then sections for the facility, then those for all.
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int translate_sender(struct arena *arena, const struct v2_message *message,
                              struct translate_site *site);
