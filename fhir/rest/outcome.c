/* Writing OperationOutcomes. */
#include "fhir/rest/outcome.h"

#include "fhir/format/json_write.h"

static void write_place(struct json_writer *w, struct str place)
{
    if (place.n) {
        json_array(w, "expression");
        json_string(w, NULL, place);
        json_end(w);
    }
}

static void write_issue(struct json_writer *w, const struct rest_outcome *outcome)
{
    json_object(w, NULL);
    json_z(w, "severity", issue_severity_name(outcome->severity));
    json_z(w, "code", outcome->code);
    if (outcome->what.n) {
        json_object(w, "details");
        json_string(w, "text", outcome->what);
        json_end(w);
    }
    if (outcome->diagnostics) {
        json_z(w, "diagnostics", outcome->diagnostics);
    }
    write_place(w, outcome->place);
    json_end(w);
}

static void write_listed(struct json_writer *w, const struct issue *issue)
{
    json_object(w, NULL);
    json_z(w, "severity", issue_severity_name(issue->severity));
    json_z(w, "code", issue->code);
    json_string(w, "diagnostics", issue->text);
    write_place(w, issue->place);
    json_end(w);
}

static void write_resource(struct json_writer *w, const char *name,
                           const struct rest_outcome *outcome, const struct issues *issues)
{
    json_object(w, name);
    json_z(w, "resourceType", "OperationOutcome");
    if (outcome->correlation.n) {
        json_string(w, "id", outcome->correlation);
    }
    json_array(w, "issue");
    write_issue(w, outcome);
    for (const struct issue *at = issues ? issues->first : NULL; at; at = at->next) {
        write_listed(w, at);
    }
    json_end(w);
    json_end(w);
}

void outcome_write_issues(const struct rest_outcome *outcome, const struct issues *issues,
                          struct buf *out)
{
    struct json_writer w = json_writer(out);
    write_resource(&w, NULL, outcome, issues);
}

void outcome_write(const struct rest_outcome *outcome, struct buf *out)
{
    outcome_write_issues(outcome, NULL, out);
}

void outcome_write_verdict(struct str type, const struct issues *issues, struct str correlation,
                           struct buf *out)
{
    bool bad = issues_bad(issues);
    const struct rest_outcome outcome = {
        .severity = bad ? ISSUE_ERROR : ISSUE_INFORMATION,
        .code = bad ? "invalid" : "informational",
        .diagnostics = bad ? "not valid" : "valid",
        .place = type,
        .correlation = correlation,
    };
    outcome_write_issues(&outcome, issues, out);
}

void outcome_write_entry(const struct rest_outcome *outcome, struct buf *out)
{
    struct json_writer w = json_writer(out);
    json_object(&w, NULL);
    write_resource(&w, "resource", outcome, NULL);
    json_object(&w, "search");
    json_z(&w, "mode", "outcome");
    json_end(&w);
    json_end(&w);
}

const char *outcome_code(int status)
{
    switch (status) {
    case 400: return "invalid";
    case 401: return "login";
    case 403: return "forbidden";
    case 404: return "not-found";
    case 405:
    case 406:
    case 415:
    case 501: return "not-supported";
    case 409:
    case 412: return "conflict";
    case 410: return "deleted";
    case 413: return "too-long";
    case 422: return "processing";
    case 429: return "throttled";
    case 503: return "transient";
    case 504: return "timeout";
    default: return "exception";
    }
}
