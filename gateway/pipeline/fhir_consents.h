/*
 * Consents through the FHIR port: filing, granting and revoking them.
 *
 *   POST Consent               kept; the answer holds what is to be signed
 *   POST Consent/$file-consent Parameters: consent, document; the same, and the document is
 * kept POST Consent/[id]/$grant   Parameters: controller, signature, statementSignature,
 *                              validFrom, validUntil, deadline; relayed to the chain
 *   POST Consent/[id]/$revoke  Parameters: signature [, version]; relayed to the chain
 *   POST Consent/[id]/$revoke-consent  Parameters: reason; staff attest that the patient takes
 *                              it back, on paper or in person; relayed to the chain
 *   POST AuditEvent/$record-disclosure  Parameters: disclosure, consent; what was disclosed
 *                              elsewhere becomes a record of the patient
 *   GET  Consent/[id]/$status  Parameters: what the chain holds, and what is on its way
 *
 * [id] is the consent id on chain, 64 hexadecimal digits. A later version names it in
 * extension FHIR_ID_EXTENSION.
 */
#pragma once

#include "fhir/consent/policy.h"
#include "gateway/pipeline/fhir_impl.h"
#include "gateway/store/consents.h"
#include "gateway/vault.h"

#define FHIR_ID_EXTENSION "urn:chartseal:consent-id"
#define FHIR_GRANT_EXTENSION "urn:chartseal:grant"

extern const struct fhir_kind fhir_file_kind;
extern const struct fhir_kind fhir_grant_kind;
extern const struct fhir_kind fhir_disclose_kind;

/* Stage "authorize" of these: scopes of Consent, no purpose of use. */
enum step fhir_authorize_consent_enter(struct exchange *ex);

/* --- fhir_statement.c --------------------------------------------------------------------- */

/* What @policy says in words, as @row->id in @row->version, in the arena. Return: 0 or -ENOMEM
 */
MUST_USE int fhir_statement_write(struct exchange *ex, const struct store_consent *row,
                                  const struct policy *policy, struct str *out);

/* What is signed for the statement @text of @row, and what the commitment covers. */
void fhir_statement_digest(struct exchange *ex, const struct store_consent *row,
                           struct str text, uint8_t out[DIGEST_SIZE]);

/* @text sealed as @row->statement: nonce, ciphertext. Return: 0 or -ENOMEM */
MUST_USE int fhir_statement_seal(struct exchange *ex, const struct vault_key *key,
                                 struct str text, struct store_consent *row);

/* The text of @row->statement, whose key is in memory. Return: 0, -EBADMSG or -ENOMEM */
MUST_USE int fhir_statement_open(struct exchange *ex, const struct store_consent *row,
                                 struct str *out);

/* 64 digits, with or without 0x. Return: 0 or -EINVAL */
MUST_USE int fhir_consent_id(struct str text, uint8_t out[32]);
