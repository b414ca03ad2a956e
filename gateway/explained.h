/* What consents said of a request, in words for people: for the command and for the port. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/consent/compiled.h"

/* "permit", "deny", "depends on the data" */
const char *explained_decision(enum consent_decision decision);

/* "denies by rules[0]", "may permit by base, may say nothing" */
void explained_finding_put(struct buf *b, const struct consent_finding *found);

/* The place of the rule that decided; nothing where none did. */
void explained_path_put(struct buf *b, const struct consent_verdict *verdict);

/* What could be done about a refusal on this basis, and by whom; empty: nothing is known. */
const char *explained_advice(struct str basis);
