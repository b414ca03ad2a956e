/* A resource's facts in the words of the consent engine. */
#pragma once

#include "fhir/compartment/facts.h"
#include "fhir/consent/actor.h"
#include "fhir/consent/evaluate.h"
#include "fhir/consent/labeller.h"

/**
 * facts_for_consent() - what the consent rules may ask of a resource
 * @arena:   memory for the lists; @out borrows from it and from @facts
 * @context: how actors and resources are named, as when consents were filed
 * @labeller: adds to the labels in it; NULL: it counts as not labelled
 *
 * Return: 0 or -ENOMEM; @out is set only on 0
 */
MUST_USE int facts_for_consent(struct arena *arena, const struct resource_facts *facts,
                               const struct consent_context *context,
                               const struct labeller *labeller, struct consent_facts *out);
