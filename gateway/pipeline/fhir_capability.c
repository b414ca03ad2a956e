/*
 * What anybody may read: what this server can do, and where tokens come from.
 *
 * It says what the gateway carries out itself, not what the upstream could.
 */
#include "gateway/pipeline/fhir_impl.h"

#include "fhir/format/json_write.h"
#include "fhir/rest/outcome.h"
#include "gateway/clock.h"

#include <time.h>

enum {
    STATEMENT_MAX = 32 << 10,
};

static void put_codes(struct json_writer *w, const char *name, const char *const *codes)
{
    json_array(w, name);
    for (; *codes; codes++) {
        json_object(w, NULL);
        json_z(w, "code", *codes);
        json_end(w);
    }
    json_end(w);
}

static void put_security(struct json_writer *w)
{
    json_object(w, "security");
    json_bool(w, "cors", false);
    json_array(w, "service");
    json_object(w, NULL);
    json_array(w, "coding");
    json_object(w, NULL);
    json_z(w, "system", "http://terminology.hl7.org/CodeSystem/restful-security-service");
    json_z(w, "code", "SMART-on-FHIR");
    json_end(w);
    json_end(w);
    json_end(w);
    json_end(w);
    json_z(w, "description",
           "Bearer tokens with SMART scopes and a purpose of use. Each resource is shown only "
           "where the consent of everybody it is about permits it.");
    json_end(w);
}

/* Those of HL7's FAST Scalable Consent Management, served by the gateway itself. */
static void put_consent_operations(struct json_writer *w, const char *type)
{
    static const struct {
        const char *type;
        const char *name;
    } operations[] = {
        { "AuditEvent", "record-disclosure" },
        { "Consent", "file-consent" },
        { "Consent", "revoke-consent" },
    };
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        char memory[128];
        struct buf url = buf_fixed(memory, sizeof(memory));
        if (strcmp(operations[i].type, type) != 0) {
            continue;
        }
        buf_fmt(&url, "http://hl7.org/fhir/us/consent-management/OperationDefinition/%s",
                operations[i].name);
        json_object(w, NULL);
        json_z(w, "name", operations[i].name);
        json_string(w, "definition", buf_str(&url));
        json_end(w);
    }
}

/* No AuditEvent is read or written here, but a disclosure may be told of. */
static void put_audit_events(struct json_writer *w)
{
    json_object(w, NULL);
    json_z(w, "type", "AuditEvent");
    json_array(w, "operation");
    put_consent_operations(w, "AuditEvent");
    json_end(w);
    json_end(w);
}

static void put_operations(struct json_writer *w, const char *type)
{
    json_array(w, "operation");
    put_consent_operations(w, type);
    json_object(w, NULL);
    json_z(w, "name", "validate");
    json_z(w, "definition", "http://hl7.org/fhir/OperationDefinition/Resource-validate");
    json_z(
        w, "documentation",
        "Answered by the gateway, from what is posted alone: a resource of at most 1 MiB, or "
        "Parameters with resource, mode, profile. What is stored is never looked at.");
    json_end(w);
    json_end(w);
}

/* What is written for v2 receivers may come as a message, too. */
static void put_messages(struct json_writer *w)
{
    json_array(w, "operation");
    json_object(w, NULL);
    json_z(w, "name", "process-message");
    json_z(w, "definition",
           "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message");
    json_end(w);
    json_end(w);
}

static void put_rest(struct json_writer *w, bool to_v2)
{
    static const char *const nothing[] = { NULL };
    static const char *const bundles[] = { "transaction", NULL };
    static const char *const types[] = { "Patient",          "Observation",  "Encounter",
                                         "DiagnosticReport", "Condition",    "Consent",
                                         "ServiceRequest",   "Practitioner", "Organization",
                                         "Location",         "Specimen",     NULL };
    static const char *const can[] = { "read",   "vread",  "history-instance",
                                       "create", "update", "search-type",
                                       NULL };
    static const char *const writes[] = { "create", "update", NULL };
    json_array(w, "rest");
    json_object(w, NULL);
    json_z(w, "mode", "server");
    put_security(w);
    json_array(w, "resource");
    for (size_t i = 0; types[i]; i++) {
        json_object(w, NULL);
        json_z(w, "type", types[i]);
        put_codes(w, "interaction", to_v2 ? writes : can);
        if (!to_v2) {
            put_operations(w, types[i]);
        }
        json_end(w);
    }
    if (!to_v2) {
        put_audit_events(w);
    }
    json_end(w);
    put_codes(w, "interaction", to_v2 ? bundles : nothing);
    if (to_v2) {
        put_messages(w);
    }
    json_end(w);
    json_end(w);
}

static void write_statement(const struct way_in *way, struct buf *out)
{
    char date[32];
    time_t now = (time_t)(clock_utc_ms() / 1000);
    struct tm tm;
    (void)gmtime_r(&now, &tm);
    (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
    struct json_writer w = json_writer(out);
    json_object(&w, NULL);
    json_z(&w, "resourceType", "CapabilityStatement");
    json_z(&w, "status", "active");
    json_z(&w, "date", date);
    json_z(&w, "kind", "instance");
    json_object(&w, "software");
    json_z(&w, "name", "Chartseal");
    json_end(&w);
    json_object(&w, "implementation");
    json_z(&w, "description", "Consent gateway");
    json_z(&w, "url", way->config->base);
    json_end(&w);
    json_z(&w, "fhirVersion", "4.0.1");
    json_array(&w, "format");
    json_z(&w, NULL, "json");
    json_z(&w, NULL, "application/fhir+json");
    json_end(&w);
    put_rest(&w, fhir_leads_to_v2(way));
    json_end(&w);
}

static void write_smart(const struct way_in *way, struct buf *out)
{
    const struct config_issuer *issuers = way->config->issuers.items;
    static const char *const can[] = { "permission-v1", "permission-v2", "permission-patient",
                                       "permission-user" };
    struct json_writer w = json_writer(out);
    json_object(&w, NULL);
    if (way->config->issuers.n) {
        json_z(&w, "issuer", issuers[0].issuer);
    }
    json_array(&w, "capabilities");
    for (size_t i = 0; i < ARRAY_LEN(can); i++) {
        json_z(&w, NULL, can[i]);
    }
    json_end(&w);
    json_end(&w);
}

bool fhir_answer_openly(struct way_in *way, struct http_req *req)
{
    static char memory[STATEMENT_MAX];
    const struct http_head *head = http_req_head(req);
    struct str path = head->path;
    struct buf body = buf_fixed(memory, sizeof(memory));
    const char *type = "application/fhir+json; charset=utf-8";
    if (head->method != HTTP_GET && head->method != HTTP_HEAD) {
        return false;
    }
    if (str_ends(path, STR("/metadata"))) {
        write_statement(way, &body);
    } else if (str_ends(path, STR("/.well-known/smart-configuration"))) {
        type = "application/json";
        write_smart(way, &body);
    } else {
        return false;
    }
    const struct http_field fields[] = {
        { .name = STR("Content-Type"), .value = str_z(type) },
        { .name = STR("Cache-Control"), .value = STR("no-store") },
    };
    http_res_full(req, buf_failed(&body) ? 500 : 200, fields, ARRAY_LEN(fields),
                  buf_failed(&body) ? STR("") : buf_str(&body));
    return true;
}

void fhir_refusal_write(int status, const char *reason, struct buf *body)
{
    struct rest_outcome said = {
        .severity = ISSUE_ERROR,
        .code = outcome_code(status),
        .diagnostics = reason,
    };
    outcome_write(&said, body);
}
