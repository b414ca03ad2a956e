/* OperationOutcome: what a client is told when something isn't done. */
#pragma once

#include "crypto/base/buf.h"
#include "fhir/base/issue.h"

/*
 * @severity:    worst first
 * @code:        FHIR IssueType: "forbidden", "not-found", "suppressed"; static text
 * @diagnostics: a sentence without content of the exchange; static text
 * @what:        part of the request that is meant, or empty; never from upstream
 * @place:       FHIRPath of what is meant, or empty
 * @correlation: id by which the operator finds the exchange; or empty
 */
struct rest_outcome {
    enum issue_severity severity;
    const char *code;
    const char *diagnostics;
    struct str what;
    struct str place;
    struct str correlation;
};

/* The JSON of an OperationOutcome with one issue. */
void outcome_write(const struct rest_outcome *outcome, struct buf *out);

/* The same, and each issue of @issues after it; @issues may be NULL. */
void outcome_write_issues(const struct rest_outcome *outcome, const struct issues *issues,
                          struct buf *out);

/* What validation of a resource of @type came to: valid or not, and each of @issues. */
void outcome_write_verdict(struct str type, const struct issues *issues, struct str correlation,
                           struct buf *out);

/* A Bundle entry that holds the outcome with search.mode "outcome". */
void outcome_write_entry(const struct rest_outcome *outcome, struct buf *out);

/* The usual issue type for HTTP status @status: 403 "forbidden", 404 "not-found", … */
const char *outcome_code(int status);
