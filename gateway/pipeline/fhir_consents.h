/*
 * Consents through the FHIR port: filing, granting and revoking them.
 *
 *   POST Consent               kept; the answer holds what is to be signed
 *   POST Consent/[id]/$grant   Parameters: controller, signature, validFrom, validUntil,
 *                              deadline [, version]; relayed to the chain
 *   POST Consent/[id]/$revoke  Parameters: signature [, version]; relayed to the chain
 *   POST Consent/[id]/$revoke-consent  Parameters: reason; staff attest that the patient takes
 *                              it back, on paper or in person; relayed to the chain
 *   GET  Consent/[id]/$status  Parameters: what the chain holds, and what is on its way
 *
 * [id] is the consent id on chain, 64 hexadecimal digits. A later version names it in
 * extension FHIR_ID_EXTENSION.
 */
#pragma once

#include "gateway/pipeline/fhir_impl.h"

#define FHIR_ID_EXTENSION "urn:chartseal:consent-id"
#define FHIR_GRANT_EXTENSION "urn:chartseal:grant"

extern const struct fhir_kind fhir_file_kind;
extern const struct fhir_kind fhir_grant_kind;

/* Stage "authorize" of these: scopes of Consent, no purpose of use. */
enum step fhir_authorize_consent_enter(struct exchange *ex);

/* 64 digits, with or without 0x. Return: 0 or -EINVAL */
MUST_USE int fhir_consent_id(struct str text, uint8_t out[32]);
