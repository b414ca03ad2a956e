/*
 * From a FHIR Consent to its normal form, or to the reasons why it can't be enforced.
 *
 * Three shapes are read: FHIR R4 as the core specification has it (no type at the root;
 * policyRule says the base), IHE PCF 1.1 (type at the root) and FHIR R5 (decision). What can't
 * be enforced to the letter is refused at filing, each reason naming its element.
 */
#pragma once

#include "crypto/base/attr.h"
#include "fhir/base/arena.h"
#include "fhir/base/issue.h"
#include "fhir/consent/actor.h"
#include "fhir/consent/policy.h"
#include "fhir/model/node.h"

enum {
    CONSENT_E_REFUSED = 1, /* the issues say why: 422 */
};

/*
 * @policy:     finished; it says how it was read
 * @patient:    who it is about
 * @period:     of the whole consent; open ends are INSTANT_LEAST and INSTANT_MOST
 * @id:         logical id; empty before the server gave one
 * @identifier_system, @identifier_value: the first business identifier
 * @version:    meta.versionId
 * @date:       dateTime, or date in R5
 * All borrow from the resource or lie in the arena.
 */
struct consent_filing {
    struct policy policy;
    struct reference patient;
    struct instant_span period;
    struct str id;
    struct str identifier_system;
    struct str identifier_value;
    struct str version;
    struct str status;
    struct str date;
};

/**
 * consent_normalise() - read a Consent into its normal form
 * @arena:    memory for the result
 * @resource: the Consent; the result borrows from it
 * @context:  how to resolve references
 * @issues:   told every reason of a refusal, and what was read in a particular way
 * @out:      what was filed
 *
 * Return: 0, CONSENT_E_REFUSED or -ENOMEM; @out is set only on 0.
 */
MUST_USE int consent_normalise(struct arena *arena, const struct node *resource,
                               const struct consent_context *context, struct issues *issues,
                               struct consent_filing *out);
