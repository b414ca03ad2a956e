/* Writing queries: parts of the values of search parameters. */
#pragma once

#include "crypto/base/buf.h"

/*
 * @text as part of a token or reference parameter: FHIR's escapes of , | $ and \, then percent
 * signs.
 *
 * Spec: FHIR R4 search, section 3.1.1.4 "Escaping search parameters"; RFC 3986 section 2.1
 */
void query_token(struct buf *out, struct str text);
