/* What tests of filings share: a Consent from its pieces, and decisions on it. */
#pragma once

#include "fhir/consent/evaluate.h"
#include "fhir/consent/normalise.h"
#include "fhir/consent/purpose.h"
#include "fhir/format/json.h"
#include "tests/check.h"

#define FILING_R4                                                                              \
    "\"resourceType\":\"Consent\",\"id\":\"c1\",\"meta\":{\"versionId\":\"4\"},"               \
    "\"identifier\":[{\"system\":\"urn:x\",\"value\":\"77\"}],\"status\":\"active\","          \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"              \
    "consentscope\",\"code\":\"patient-privacy\"}]},\"patient\":{\"reference\":\"Patient/"     \
    "1\"},"                                                                                    \
    "\"dateTime\":\"2022-06-13\""
#define FILING_R5                                                                              \
    "\"resourceType\":\"Consent\",\"status\":\"active\",\"date\":\"2024-01-01\","              \
    "\"subject\":{\"reference\":\"Patient/1\"}"
#define OPT(code)                                                                              \
    "\"policyRule\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"         \
    "v3-ActCode\",\"code\":\"" code "\"}]}"
#define ROLE(code)                                                                             \
    "\"role\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"               \
    "v3-ParticipationType\",\"code\":\"" code "\"}]}"
#define ACTOR(code, ref)                                                                       \
    "\"actor\":[{" ROLE(code) ",\"reference\":{\"reference\":\"" ref "\"}}]"
#define PURPOSE(code) "\"purpose\":[{\"system\":\"" PURPOSE_SYSTEM "\",\"code\":\"" code "\"}]"
#define LABEL(system, code)                                                                    \
    "\"securityLabel\":[{\"system\":\"" system "\",\"code\":\"" code "\"}]"

/* Normalise @text with references below https://fhir.example; returns what it returns. */
static inline int filing_read(struct arena *arena, struct str text, struct issues *issues,
                              struct consent_filing *out)
{
    static const struct str bases[] = { { "https://fhir.example", 20 } };
    static const struct consent_context context = { .bases = bases, .n_bases = 1 };
    const struct node *root = NULL;
    issues_init(issues, arena);
    if (json_parse(arena, text, issues, &root) != 0) {
        print_error("no JSON: %.*s\n", (int)text.n, text.p);
        fail();
    }
    return consent_normalise(arena, root, &context, issues, out);
}

/* The policy's text, but for how it was read. */
static inline struct str filing_text(struct arena *arena, const struct consent_filing *filing)
{
    struct buf out = arena_buf(arena, POLICY_TEXT_MAX);
    struct policy policy = filing->policy;
    policy.reading = CONSENT_READING_NONE;
    policy_write(&out, &policy);
    assert_false(buf_failed(&out));
    return buf_str(&out);
}
