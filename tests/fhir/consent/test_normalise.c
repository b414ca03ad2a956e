#include "fhir/consent/normalise.h"

#include "tests/fhir/consent/filing.h"

#define CONFIDENTIALITY LABELS_CONFIDENTIALITY
#define R4(rest) "{" FILING_R4 "," rest "}"
#define R5(rest) "{" FILING_R5 "," rest "}"
#define PCF(type, rest) R4("\"provision\":{\"type\":\"" type "\"" rest "}")

static const struct {
    const char *consent;
    enum consent_reading reading;
    const char *policy;
} readings[] = {
    /* R4 core */
    { R4(OPT("OPTIN")), CONSENT_R4, "{\"base\":\"permit\",\"schema\":1}" },
    { R4(OPT("OPTOUTE")), CONSENT_R4, "{\"base\":\"deny\",\"schema\":1}" },
    { R4(OPT("OPTIN") ",\"provision\":{" ACTOR("CST", "Organization/f") "}"), CONSENT_R4,
      "{\"base\":\"permit\",\"rules\":[{\"custodians\":[\"Organization/f\"],"
      "\"effect\":\"deny\"}],\"schema\":1}" },
    { R4("\"provision\":{" ACTOR("IRCP", "Organization/f") "," PURPOSE("TREAT") "}"),
      CONSENT_R4,
      "{\"base\":\"silent\",\"rules\":[{\"actors\":[\"Organization/f\"],"
      "\"effect\":\"permit\",\"purposes\":[\"TREAT\"]}],\"schema\":1}" },
    { R4(OPT("OPTOUT") ",\"provision\":{\"period\":{\"start\":\"1970-01-02\"},"
                       "\"provision\":[{\"type\":\"permit\"," PURPOSE("TREAT") "}]}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"TREAT\"]}],"
      "\"schema\":1,\"scope\":{\"period\":{\"from\":86400000}}}" },
    /* the base repeated inside the one rule is no exception to it */
    { R4(OPT("OPTOUT") ",\"provision\":{" ACTOR("CST", "Organization/f") "," PURPOSE(
          "ETREAT") ",\"provision\":[{\"type\":\"deny\"," ACTOR("CST", "Organization/f") "}]}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"custodians\":[\"Organization/f\"],"
      "\"effect\":\"permit\",\"purposes\":[\"ETREAT\"]}],\"schema\":1}" },
    { R4(OPT("OPTOUT") ",\"provision\":{" ACTOR(
          "IRCP",
          "Organization/f") ",\"provision\":[{\"type\":\"deny\"," PURPOSE("HMARKT") "}]"
                                                                                    "}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"Organization/f\"],"
      "\"effect\":\"permit\",\"rules\":[{\"effect\":\"deny\",\"purposes\":[\"HMARKT\"]}]}],"
      "\"schema\":1}" },
    { R4("\"policyRule\":{\"coding\":[{\"system\":\"" LABELS_ACT_CODE "\",\"code\":\"OPTIN\"},"
         "{\"system\":\"" LABELS_ACT_CODE "\",\"code\":\"OPTINR\"}]}"),
      CONSENT_R4, "{\"base\":\"permit\",\"schema\":1}" },
    { R4("\"policyRule\":{\"coding\":[{\"system\":\"urn:x\",\"code\":\"OPTOUT\"},{"
         "\"system\":\"" LABELS_ACT_CODE "\",\"code\":\"OPTINR\"}]}"),
      CONSENT_R4, "{\"base\":\"permit\",\"schema\":1}" },
    { R4(OPT("OPTIN") ",\"provision\":{\"period\":{\"start\":\"1970-01-02\"},\"provision\":"
                      "[]}"),
      CONSENT_R4,
      "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"period\":{\"from\":86400000}}}" },
    /* an ordinary extension changes nothing; nor do ids and what primitives have beside
       them */
    { R4(OPT("OPTOUT") ",\"provision\":{\"id\":\"p\",\"extension\":[{\"url\":\"urn:x\"}],"
                       "\"_type\":{\"id\":\"t\"}," PURPOSE("TREAT") "}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"TREAT\"]}],"
      "\"schema\":1}" },
    /* exceptions that say more than the base again, or nothing at all, stay */
    { R4(OPT("OPTOUT") ",\"provision\":{" PURPOSE(
          "TREAT") ",\"provision\":[{\"type\":\"deny\"}]}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"TREAT\"],"
      "\"rules\":[{\"effect\":\"deny\"}]}],\"schema\":1}" },
    { R4(OPT("OPTOUT") ",\"provision\":{" PURPOSE(
          "TREAT") ",\"provision\":[{\"type\":\"permit\"," PURPOSE("TREAT") "}]}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"TREAT\"],"
      "\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"TREAT\"]}]}],\"schema\":1}" },
    { R4(OPT("OPTOUT") ",\"provision\":{" PURPOSE(
          "TREAT") ",\"provision\":[{\"type\":"
                   "\"deny\"," PURPOSE("TREAT") ",\"provision\":[{"
                                                "\"type\":"
                                                "\"permit\""
                                                "," PURPOSE("COC") "}]}]}"),
      CONSENT_R4,
      "{\"base\":\"deny\",\"rules\":[{\"effect\":\"permit\",\"purposes\":[\"TREAT\"],"
      "\"rules\":[{\"effect\":\"deny\",\"purposes\":[\"TREAT\"],\"rules\":[{\"effect\":"
      "\"permit\","
      "\"purposes\":[\"COC\"]}]}]}],\"schema\":1}" },
    /* IHE PCF */
    { R4(OPT("OPTIN") ",\"provision\":{\"type\":\"permit\"}"), CONSENT_PCF,
      "{\"base\":\"permit\",\"schema\":1}" },
    { PCF("permit", "," PURPOSE("TREAT")), CONSENT_PCF,
      "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"purposes\":[\"TREAT\"]}}" },
    { PCF("permit", "," PURPOSE("TREAT") ",\"provision\":[{\"type\":\"deny\","
                                         "\"dataPeriod\":{\"end\":\"1970-01-01\"}}]"),
      CONSENT_PCF,
      "{\"base\":\"permit\",\"rules\":[{\"dataPeriod\":{\"until\":86400000},"
      "\"effect\":\"deny\"}],\"schema\":1,\"scope\":{\"purposes\":[\"TREAT\"]}}" },
    /* a permit takes from the scope what it doesn't say itself */
    { PCF("permit", "," PURPOSE("TREAT") "," LABEL(
                        CONFIDENTIALITY,
                        "N") ",\"provision\":["
                             "{\"type\":\"permit\"," LABEL(CONFIDENTIALITY, "R") "," ACTOR(
                                 "IRCP", "Practitioner/p") "}]"),
      CONSENT_PCF,
      "{\"base\":\"permit\",\"rules\":[{\"actors\":[\"Practitioner/p\"],"
      "\"confidentiality\":[\"R\"],\"effect\":\"permit\",\"purposes\":[\"TREAT\"]}],"
      "\"schema\":1,\"scope\":{\"confidentiality\":[\"N\"],\"purposes\":[\"TREAT\"]}}" },
    { PCF("permit",
          "," ACTOR(
              "TRC",
              "Group/1") ",\"action\":[{\"coding\":[{\"system\":\"urn:s\","
                         "\"code\":\"x\"},{\"system\":\"" ACTION_SYSTEM
                         "\",\"code\":\"use\"}]}],"
                         "\"data\":[{\"meaning\":\"related\",\"reference\":{\"reference\":"
                         "\"CarePlan/"
                         "1\"}},{\"meaning\":\"related\",\"reference\":{\"reference\":"
                         "\"EpisodeOfCare/1\"}}],\"dataPeriod\":{\"start\":\"1970-01-01\"},"
                         "\"provision\":[{\"type\":\"permit\",\"actor\":[{\"role\":{"
                         "\"coding\":["
                         "{\"system\":\"urn:roles\",\"code\":\"x\"},{\"system\":\"http://"
                         "terminology.hl7.org/CodeSystem/"
                         "v3-ParticipationType\",\"code\":\"PRCP\"}]},"
                         "\"reference\":{\"reference\":\"Group/2\"}}]}]"),
      CONSENT_PCF,
      "{\"base\":\"permit\",\"rules\":[{\"actions\":[\"use\"],\"actors\":[\"Group/2\"],"
      "\"dataPeriod\":{\"from\":0},\"dataRelated\":[\"CarePlan/1\",\"EpisodeOfCare/1\"],"
      "\"effect\":\"permit\"}],\"schema\":1,\"scope\":{\"actions\":[\"use\"],\"actors\":["
      "\"Group/1\"],\"dataPeriod\":{\"from\":0},\"dataRelated\":[\"CarePlan/1\","
      "\"EpisodeOfCare/1\"]}}" },
    { PCF("permit", "," PURPOSE("TREAT") "," LABEL(
                        "s", "l") ",\"provision\":[{\"type\":\"permit\","
                                  "\"dataPeriod\":{\"start\":\"1970-01-01\"},\"purpose\":[{"
                                  "\"system\":\"s\",\"code\":"
                                  "\"p\"}]},{\"type\":\"permit\",\"action\":[{\"coding\":[{"
                                  "\"system\":\"" ACTION_SYSTEM
                                  "\",\"code\":\"use\"}]}]," LABEL("s", "m") "}]"),
      CONSENT_PCF,
      "{\"base\":\"permit\",\"rules\":[{\"actions\":[\"use\"],\"effect\":\"permit\","
      "\"otherLabels\":[\"s|m\"],\"purposes\":[\"TREAT\"]},{\"dataPeriod\":{\"from\":0},"
      "\"effect\":\"permit\",\"otherLabels\":[\"s|l\"],\"otherPurposes\":[\"s|p\"]}],"
      "\"schema\":1,"
      "\"scope\":{\"otherLabels\":[\"s|l\"],\"purposes\":[\"TREAT\"]}}" },
    { PCF("permit",
          ",\"data\":[{\"meaning\":\"instance\",\"reference\":{\"reference\":"
          "\"Observation/1/_history/2\"}}],\"class\":[{\"system\":\"http://hl7.org/fhir/"
          "fhir-types\",\"code\":\"Condition\"}]"),
      CONSENT_PCF,
      "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"classes\":[\"Condition\"],"
      "\"dataInstances\":["
      "\"Observation/1/_history/2\"]}}" },
    { "{\"resourceType\":\"Consent\",\"status\":\"active\",\"decision\":\"permit\",\"subject\":"
      "{\"reference\":\"https://fhir.example/Patient/1\"}}",
      CONSENT_R5, "{\"base\":\"permit\",\"schema\":1}" },
    { "{\"resourceType\":\"Consent\",\"status\":\"active\",\"decision\":\"permit\",\"subject\":"
      "{\"identifier\":{\"system\":\"urn:x\",\"value\":\"1\"}}}",
      CONSENT_R5, "{\"base\":\"permit\",\"schema\":1}" },
    /* R5 */
    { R5("\"decision\":\"deny\",\"provision\":[{\"actor\":[{\"role\":{\"coding\":[{"
         "\"system\":"
         "\"urn:roles\",\"code\":\"nurse\"},{\"system\":\"urn:roles\",\"code\":\"midwife\"}"
         "]}}]}]"),
      CONSENT_R5,
      "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"urn:roles|midwife\",\"urn:roles|"
      "nurse\"],"
      "\"effect\":\"permit\"}],\"schema\":1}" },
    { R5("\"decision\":\"permit\""), CONSENT_R5, "{\"base\":\"permit\",\"schema\":1}" },
    { R5("\"decision\":\"deny\",\"period\":{\"end\":\"1970-01-01\"},\"provision\":["
         "{\"actor\":[{\"reference\":{\"identifier\":{\"system\":\"urn:ietf:rfc:3986\","
         "\"value\":\"urn:oid:1.2\"}}}],\"provision\":[{" PURPOSE("HMARKT") "}]}]"),
      CONSENT_R5,
      "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"urn:oid:1.2\"],\"effect\":\"permit\","
      "\"rules\":[{\"effect\":\"deny\",\"purposes\":[\"HMARKT\"]}]}],\"schema\":1,"
      "\"scope\":{\"period\":{\"until\":86400000}}}" },
    { R5("\"decision\":\"permit\",\"provision\":[{\"resourceType\":[{\"system\":"
         "\"http://hl7.org/fhir/fhir-types\",\"code\":\"Observation\"}]}]"),
      CONSENT_R5,
      "{\"base\":\"permit\",\"rules\":[{\"classes\":[\"Observation\"],\"effect\":\"deny\"}]"
      ","
      "\"schema\":1}" },
};

static void test_readings(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        struct consent_filing filing;
        int r = filing_read(arena, str_z(readings[i].consent), &issues, &filing);
        if (r != 0) {
            print_error("case %zu: %.*s: %.*s\n", i, (int)issues.first->place.n,
                        issues.first->place.p, (int)issues.first->text.n, issues.first->text.p);
        }
        assert_int_equal(r, 0);
        assert_int_equal(filing.policy.reading, readings[i].reading);
        assert_str(filing_text(arena, &filing), readings[i].policy);
    }
}

static void test_every_criterion(void **state)
{
    static const char consent[] = PCF(
        "permit",
        "," ACTOR("IRCP",
                  "Organization/o") ",\"action\":[{\"coding\":[{\"system\":\""
                                    "http://terminology.hl7.org/CodeSystem/"
                                    "consentaction\",\"code\":\"access\"}]}],"
                                    "\"securityLabel\":[{\"system\":\"" LABELS_ACT_CODE
                                    "\",\"code\":\"PSY\"},"
                                    "{\"system\":\"s\",\"code\":\"l\"}],"
                                    "\"purpose\":[{\"system\":\"s\",\"code\":\"p\"}],"
                                    "\"class\":[{\"system\":\"http://hl7.org/fhir/"
                                    "resource-types\",\"code\":\"Condition\"},"
                                    "{\"system\":\"urn:ietf:rfc:3986\",\"code\":\"http://p\"},"
                                    "{\"system\":\"urn:ietf:bcp:13\",\"code\":\"text/plain\"}],"
                                    "\"code\":[{\"coding\":[{\"system\":\"http://"
                                    "loinc.org\",\"code\":\"1-8\"}]}],"
                                    "\"data\":[{\"meaning\":\"instance\",\"reference\":{"
                                    "\"reference\":"
                                    "\"https://fhir.example/Observation/1\"}},"
                                    "{\"meaning\":\"related\",\"reference\":{\"reference\":"
                                    "\"Encounter/1\"}},"
                                    "{\"meaning\":\"dependents\",\"reference\":{\"reference\":"
                                    "\"Condition/1\"}},"
                                    "{\"meaning\":\"authoredby\",\"reference\":{\"reference\":"
                                    "\"Practitioner/1\"}}]");
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct issues issues;
    struct consent_filing filing;
    (void)state;

    assert_int_equal(filing_read(arena, str_z(consent), &issues, &filing), 0);
    assert_str(filing_text(arena, &filing),
               "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"actions\":[\"access\"],"
               "\"actors\":[\"Organization/o\"],\"classes\":[\"Condition\",\"http://p\","
               "\"urn:ietf:bcp:13|text/plain\"],\"codes\":[\"http://loinc.org|1-8\"],"
               "\"dataAuthoredBy\":[\"Practitioner/1\"],\"dataDependents\":[\"Condition/1\"],"
               "\"dataInstances\":[\"Observation/1\"],\"dataRelated\":[\"Encounter/1\"],"
               "\"otherLabels\":[\"s|l\"],\"otherPurposes\":[\"s|p\"],"
               "\"sensitivity\":[\"PSY\"]}}");
}

static void test_what_else_a_filing_says(void **state)
{
    static const char consent[] =
        R4("\"policy\":[{\"uri\":\"http://p/1\"}],\"sourceAttachment\":{\"data\":\"YWJj\"},"
           "\"provision\":{\"type\":\"deny\",\"period\":{\"start\":\"1970-01-01\","
           "\"end\":\"1970-01-01T10:00:00Z\"}}");
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct issues issues;
    struct consent_filing filing;
    (void)state;

    assert_int_equal(filing_read(arena, str_z(consent), &issues, &filing), 0);
    assert_str(filing.id, "c1");
    assert_str(filing.version, "4");
    assert_str(filing.identifier_system, "urn:x");
    assert_str(filing.identifier_value, "77");
    assert_str(filing.status, "active");
    assert_str(filing.date, "2022-06-13");
    assert_str(filing.patient.type, "Patient");
    assert_str(filing.patient.id, "1");
    assert_int_equal(filing.period.from, 0);
    assert_int_equal(filing.period.until, 36001000);
    assert_int_equal(filing.policy.uris.n, 1);
    assert_str(filing.policy.uris.at[0], "http://p/1");
    assert_int_equal(filing.policy.sources.n, 1);
    assert_str(filing.policy.sources.at[0],
               "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static const struct {
    const char *consent, *place;
} refusals[] = {
    { "{\"resourceType\":\"Patient\"}", "Consent.resourceType" },
    { R4("\"modifierExtension\":[{\"url\":\"http://"
         "x\"}],\"provision\":{\"type\":\"deny\"}"),
      "Consent.modifierExtension" },
    { PCF("deny", ",\"modifierExtension\":[{\"url\":\"http://x\"}]"),
      "Consent.provision.modifierExtension" },
    { PCF("deny", ",\"provision\":[{\"type\":\"permit\",\"actor\":[{" ROLE(
                      "IRCP") ",\"modifierExtension\":[{\"url\":\"http://x\"}],"
                              "\"reference\":{\"reference\":\"Group/1\"}}]}]"),
      "Consent.provision.provision[0].actor[0].modifierExtension" },
    { R4("\"implicitRules\":\"http://x\"," OPT("OPTIN")), "Consent.implicitRules" },
    { R4(OPT("HIPAA-Auth")), "Consent.policyRule" },
    { R4("\"policyRule\":{\"text\":\"see paper\"}"), "Consent.policyRule" },
    { R4("\"policyRule\":{\"coding\":[{\"system\":\"" LABELS_ACT_CODE "\",\"code\":\"OPTIN\"},"
         "{\"system\":\"" LABELS_ACT_CODE "\",\"code\":\"OPTOUT\"}]}"),
      "Consent.policyRule" },
    { R4("\"policyRule\":{\"coding\":[{\"system\":\"urn:x\",\"code\":\"OPTIN\"}]}"),
      "Consent.policyRule" },
    { R4(OPT("OPTIN") ",\"provision\":[]"), "Consent.decision" }, /* as R5 has it */
    { R4(OPT("OPTIN") ",\"provision\":7"), "Consent.provision" },
    { R4("\"sourceAttachment\":{\"data\":\"?\"}," OPT("OPTIN")),
      "Consent.sourceAttachment.data" },
    { R4(OPT("OPTIN") ",\"provision\":{\"type\":\"deny\"}"), "Consent.policyRule" },
    { "{" FILING_R4 "}", "Consent.provision" },
    { R4("\"provision\":{}"), "Consent.provision" },
    { R4("\"provision\":{\"type\":\"allow\"}"), "Consent.provision.type" },
    { PCF("permit", ",\"provision\":[{" PURPOSE("TREAT") "}]"),
      "Consent.provision.provision[0].type" },
    { PCF("permit", "," ACTOR("AUT", "Practitioner/1")), "Consent.provision.actor[0].role" },
    { PCF("permit", ",\"actor\":[{\"reference\":{\"reference\":\"Group/1\"}}]"),
      "Consent.provision.actor[0].role" },
    { PCF("permit", "," ACTOR("IRCP", "#org")), "Consent.provision.actor[0].reference" },
    { PCF("permit", "," ACTOR("IRCP", "Location/1")), "Consent.provision.actor[0].reference" },
    { PCF("permit", ",\"actor\":[{" ROLE("IRCP") ",\"reference\":{\"display\":\"Dr X\"}}]"),
      "Consent.provision.actor[0].reference" },
    { PCF("permit", ",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/"
                    "consent-location\"}]"),
      "Consent.provision.extension[0]" },
    { PCF("permit", ",\"actor\":[{\"role\":{\"coding\":[{\"system\":\"urn:roles\",\"code\":"
                    "\"nurse\"}]}}]"),
      "Consent.provision.actor[0].role" }, /* R4 always names somebody */
    { R5("\"decision\":\"permit\",\"provision\":[{\"actor\":[{" ROLE("IRCP") "}]}]"),
      "Consent.provision[0].actor[0].reference" },
    { R5("\"decision\":\"permit\",\"provision\":[{\"actor\":[{}]}]"),
      "Consent.provision[0].actor[0].reference" },
    { R5("\"decision\":\"permit\",\"provision\":[{\"actor\":[{\"role\":{\"coding\":[{"
         "\"system\":"
         "\"urn:roles\",\"code\":\"nurse\"}]},\"reference\":{\"reference\":\"Group/1\"}}]}]"),
      "Consent.provision[0].actor[0].role" },
    { PCF("permit", ",\"purpose\":[7]"), "Consent.provision.purpose[0]" },
    { PCF("permit", ",\"period\":{}"), "Consent.provision.period" },
    { PCF("permit", ",\"period\":{\"end\":7}"), "Consent.provision.period.end" },
    { PCF("permit", ",\"provision\":{}"), "Consent.provision.provision" },
    { PCF("permit", ",\"provision\":[{\"type\":\"allow\"}]"),
      "Consent.provision.provision[0].type" },
    { PCF("permit", ",\"purpose\":[{\"system\":\"a|b\",\"code\":\"c\"}]"),
      "Consent.provision.purpose[0]" },
    { PCF("permit", ",\"purpose\":[{\"system\":\"urn:s\"}]"), "Consent.provision.purpose[0]" },
    { PCF("permit", ",\"action\":[{\"coding\":[{\"system\":\"urn:s\",\"code\":\"access\"}]}]"),
      "Consent.provision.action[0]" },
    { PCF("permit", ",\"class\":[{\"system\":\"urn:ietf:rfc:3986\",\"code\":\"lab\"}]"),
      "Consent.provision.class[0]" },
    { PCF("permit", ",\"class\":[{\"system\":\"urn:ietf:rfc:3986\"}]"),
      "Consent.provision.class[0]" },
    { PCF("permit", ",\"data\":[{\"meaning\":\"related\",\"reference\":{\"reference\":"
                    "\"Encounter/1/_history/2\"}}]"),
      "Consent.provision.data[0].reference" },
    { PCF("permit", ",\"data\":[{\"meaning\":\"dependents\",\"reference\":{\"reference\":"
                    "\"Observation/1/_history/2\"}}]"),
      "Consent.provision.data[0].reference" },
    { PCF("permit", "," PURPOSE("TREATS")), "Consent.provision.purpose[0]" },
    { PCF("permit", ",\"purpose\":[{\"code\":\"TREAT\"}]"), "Consent.provision.purpose[0]" },
    { PCF("permit", "," LABEL(CONFIDENTIALITY, "Q")), "Consent.provision.securityLabel[0]" },
    { PCF("permit", ",\"class\":[{\"system\":\"http://hl7.org/fhir/resource-types\","
                    "\"code\":\"*\"}]"),
      "Consent.provision.class[0]" },
    { PCF("permit", ",\"code\":[{\"text\":\"all my labs\"}]"), "Consent.provision.code[0]" },
    { PCF("permit", ",\"action\":[{\"text\":\"read\"}]"), "Consent.provision.action[0]" },
    { PCF("permit", ",\"data\":[{\"meaning\":\"siblings\",\"reference\":{\"reference\":"
                    "\"Observation/1\"}}]"),
      "Consent.provision.data[0].meaning" },
    { PCF("permit", ",\"data\":[{\"meaning\":\"related\",\"reference\":{\"reference\":"
                    "\"Observation/1\"}}]"),
      "Consent.provision.data[0].reference" },
    { PCF("permit", ",\"data\":[{\"meaning\":\"instance\",\"reference\":{\"reference\":"
                    "\"https://elsewhere.example/Observation/1\"}}]"),
      "Consent.provision.data[0].reference" },
    { PCF("permit", ",\"period\":{\"start\":\"2022\",\"end\":\"2021\"}"),
      "Consent.provision.period" },
    { PCF("permit", ",\"dataPeriod\":{\"start\":\"last year\"}"),
      "Consent.provision.dataPeriod.start" },
    { PCF("permit", ",\"purposeCode\":1"), "Consent.provision.purposeCode" },
    { PCF("permit", ",\"purpose\":[]"), "Consent.provision.purpose" },
    { PCF("permit", ",\"actor\":{}"), "Consent.provision.actor" },
    { R5("\"decision\":\"permit\",\"provision\":[{\"expression\":{}}]"),
      "Consent.provision[0].expression" },
    { R5("\"decision\":\"permit\",\"provision\":[{\"type\":\"deny\"}]"),
      "Consent.provision[0].type" },
    { R5("\"provision\":[{}]"), "Consent.decision" },
    { R5("\"decision\":\"permit\",\"patient\":{\"reference\":\"Patient/1\"}"),
      "Consent.patient" },
    { "{\"resourceType\":\"Consent\",\"status\":\"active\",\"decision\":\"permit\","
      "\"subject\":{\"reference\":\"Group/1\"}}",
      "Consent.subject" },
};

static void test_refusals_name_the_element(void **state)
{
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        struct consent_filing filing;
        bool named = false;
        int r = filing_read(arena, str_z(refusals[i].consent), &issues, &filing);
        for (const struct issue *issue = issues.first; issue; issue = issue->next) {
            named = named || str_eq(issue->place, str_z(refusals[i].place));
        }
        if (r != CONSENT_E_REFUSED || !named || !issues_bad(&issues)) {
            print_error("case %zu: %s: %d, %.*s\n", i, refusals[i].place, r,
                        issues.first ? (int)issues.first->place.n : 0,
                        issues.first ? issues.first->place.p : "");
            fail();
        }
    }
}

/* Replace what stands after a member's name in a good filing. */
static void test_whom_and_in_which_state(void **state)
{
    static const struct {
        const char *member, *place;
    } cases[] = {
        { "\"status\":\"inactive\"", "Consent.status" },
        { "\"status\":\"draft\"", "Consent.status" },
        { "\"status\":\"active\",\"scope\":{\"text\":\"all\"}", "Consent.scope" },
        { "\"status\":\"active\"", "Consent.patient" },
        { "\"patient\":{\"display\":\"Jane\"}", "Consent.patient" },
        { "\"patient\":{\"reference\":\"RelatedPerson/1\"}", "Consent.patient" },
        { "\"patient\":{\"reference\":\"#p\"}", "Consent.patient" },
        { "\"patient\":{\"identifier\":{\"system\":\"urn:x\"}}", "Consent.patient" },
        { "\"patient\":{\"type\":\"Group\",\"identifier\":{\"value\":\"1\"}}",
          "Consent.patient" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct buf text = arena_buf(arena, 4096);
        struct issues issues;
        struct consent_filing filing;
        bool named = false;
        buf_fmt(&text, "{\"resourceType\":\"Consent\",%s,%s}", cases[i].member, OPT("OPTIN"));
        assert_int_equal(filing_read(arena, buf_str(&text), &issues, &filing),
                         CONSENT_E_REFUSED);
        for (const struct issue *issue = issues.first; issue; issue = issue->next) {
            named = named || str_eq(issue->place, str_z(cases[i].place));
        }
        assert_true(named);
    }
}

static bool resolve(void *owner, struct arena *arena, const struct reference *actor,
                    struct str *uri)
{
    (void)arena;
    (void)owner;
    *uri = STR("urn:oid:1.2.3");
    return str_eq(actor->id, STR("known"));
}

static void test_actors_are_resolved_by_the_caller(void **state)
{
    static const struct consent_context context = { .actor = resolve };
    static const struct {
        const char *consent;
        int want;
    } cases[] = {
        { PCF("permit", "," ACTOR("IRCP", "Organization/known")), 0 },
        { PCF("permit", "," ACTOR("IRCP", "Organization/other")), CONSENT_E_REFUSED },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        const struct node *root;
        struct issues issues;
        struct consent_filing filing;
        issues_init(&issues, arena);
        assert_int_equal(json_parse(arena, str_z(cases[i].consent), &issues, &root), 0);
        assert_int_equal(consent_normalise(arena, root, &context, &issues, &filing),
                         cases[i].want);
        if (cases[i].want == 0) {
            assert_str(filing.policy.scope.lists[POLICY_ACTORS].at[0], "urn:oid:1.2.3");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_every_criterion),
        cmocka_unit_test(test_what_else_a_filing_says),
        cmocka_unit_test(test_refusals_name_the_element),
        cmocka_unit_test(test_whom_and_in_which_state),
        cmocka_unit_test(test_actors_are_resolved_by_the_caller),
    };
    return cmocka_run_group_tests_name("fhir/consent/normalise", tests, NULL, NULL);
}
