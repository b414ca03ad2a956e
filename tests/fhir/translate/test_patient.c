/* What the rows for patients, visits, charges, allergies and problems make of their segments.
 */
#include "tests/check.h"

#include "fhir/format/json.h"
#include "tests/fhir/translate/expectation.h"

#define EVENT(event) MSH("ADT^" event)
#define VISIT "PV1|1|I|||||||||||||||||V1^^^LAB\r"
#define BAR MSH("BAR^P01")
#define DFT MSH("DFT^P03")
#define PPR MSH("PPR^PC1")

static void test_patients(void **state)
{
    static const struct expectation cases[] = {
        { ADT "PID|1||7^3^M11^LAB\r", "Patient",
          "identifier-checkDigit\",\"valueString\":\"3\"" },
        /* race and ethnicity: a category only for the codes that have one, always the text */
        { ADT "PID|1||7^^^LAB|||||||2106-3^White^HL70005~2028-9^Asian^HL70005\r", "Patient",
          "us-core-race\",\"extension\":[{\"url\":\"ombCategory\",\"valueCoding\":{\"system\":"
          "\"urn:oid:2.16.840.1.113883.6.238\",\"code\":\"2106-3\",\"display\":\"White\"}},"
          "{\"url\":\"ombCategory\",\"valueCoding\":{\"system\":"
          "\"urn:oid:2.16.840.1.113883.6.238\",\"code\":\"2028-9\",\"display\":\"Asian\"}},"
          "{\"url\":\"text\",\"valueString\":\"White, Asian\"}]" },
        { ADT "PID|1||7^^^LAB|||||||W\r", "Patient",
          "us-core-race\",\"extension\":[{\"url\":\"text\",\"valueString\":\"W\"}]" },
        { ADT "PID|1||7^^^LAB|||||||||||||||||||H^Hispanic\r", "Patient",
          "\"valueString\":\"H\"}]},\"display\":\"Hispanic or Latino\"}},{\"url\":\"text\","
          "\"valueString\":\"Hispanic\"}]" },
        { ADT PID "OBX|1|CWE|76689-9^Sex assigned at birth^LN||F\r", "Patient",
          "us-core-birthsex\",\"valueCode\":\"F\"" },
        /* the county in PID-12 is another address's unless it says the same */
        { ADT "PID|1||7^^^LAB||||||||^^A^^^^^^X|X\r", "Patient",
          "\"address\":[{\"city\":\"A\",\"district\":\"X\"}]" },
        { ADT "PID|1||7^^^LAB||||||||^^A^^^^^^X|Y\r", "Patient",
          "{\"district\":\"Y\",\"extension\":[{\"url\":\"urn:chartseal:field\"" },
        { ADT "PID|1||7^^^LAB||||||||||||spa\r", "Patient",
          "\"language\":{\"coding\":[{\"system\":\"urn:ietf:bcp:47\",\"code\":\"es\"," },
        { ADT "PID|1||7^^^LAB||||||||||||eng^^ISO639\r", "Patient",
          "\"system\":\"urn:ietf:bcp:47\",\"code\":\"en\"," },
        { ADT "PID|1||7^^^LAB||||||||||||^Klingon\r", "Patient",
          "\"code\":\"und\",\"display\":\"Undetermined\"}],\"text\":\"Klingon\"}" },
        { EVENT("A29") PID, "Patient", "\"active\":false" },
        { ADT PID, "Patient", "!active" },
        { ADT "PID|1||7^^^LAB||||||||||||||||||9^^^LAB\r", "RelatedPerson",
          "\"relationship\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-RoleCode\",\"code\":\"MTH\"" },
        { ADT PID "PD1|||||||Y\r", "Observation",
          "\"code\":\"75320-2\",\"display\":\"Advance directive\"}]},\"valueCodeableConcept\":{"
          "\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0315\","
          "\"code\":\"Y\"}]}" },
        { ADT PID "PD1||||||||F\r", "Patient",
          "patient-cadavericDonor\",\"valueBoolean\":true,\"_valueBoolean\":{\"extension\":[{"
          "\"url\":\"http://hl7.org/fhir/StructureDefinition/originalText\",\"valueString\":"
          "\"F\"}]}" },
        { ADT PID "ARV|1|A|PSY\r", "Patient",
          "\"security\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0717\","
          "\"code\":\"PSY\"}]" },
        { ADT PID "ARV|1|D|PSY\r", "Patient", "!security" },
        /* kin are persons and contacts, employers only contacts */
        { ADT PID "NK1|1|Doe^Joe|SPO\r", "Patient",
          "\"contact\":[{\"name\":{\"family\":\"Doe\",\"given\":[\"Joe\"]}," },
        { ADT PID "NK1|1||EMR||||||||||Works^^7\r", "Patient",
          "\"organization\":{\"reference\":" },
        { ADT PID "NK1|1||EMR||||||||||Works\r", "RelatedPerson", "!{" },
        { ADT PID "NK1|1||SPO\r", "Patient", "!contact" }, /* of whom nothing is known */
        { EVENT("A48") PID "MRG||9^^^LAB\r", "Patient",
          "{\"use\":\"old\",\"system\":\"urn:oid:1.2.3.4\",\"value\":\"9\"," },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_what_events_say_of_the_visit(void **state)
{
    static const struct {
        const char *event, *status;
        bool certain; /* not a default that yields to what is stored */
    } cases[] = {
        { "A01", "in-progress", true },  { "A02", "in-progress", true },
        { "A03", "finished", true },     { "A04", "in-progress", true },
        { "A05", "planned", true },      { "A06", "in-progress", true },
        { "A08", "in-progress", false }, { "A11", "cancelled", true },
        { "A12", "in-progress", true },  { "A13", "in-progress", true },
        { "A14", "planned", true },      { "A15", "in-progress", false },
        { "A16", "in-progress", false }, { "A21", "onleave", true },
        { "A22", "in-progress", true },  { "A23", "entered-in-error", true },
        { "A27", "cancelled", true },    { "A38", "cancelled", true },
        { "A52", "in-progress", true },  { "A53", "onleave", true },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int old = 0; old < 2; old++) {
            char text[300];
            char want[50];
            (void)snprintf(
                text, sizeof(text),
                "MSH|^~\\&|APP|FAC|||20260102||ADT%s%s|7|P|2.5.1\rEVN|%s\r" PID VISIT,
                old ? "" : "^", old ? "" : cases[i].event, cases[i].event);
            (void)snprintf(want, sizeof(want), "\"status\":\"%s\"", cases[i].status);
            CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
            struct translated t = { .arena = arena };
            assert_int_equal(translate_with(&t, str_z(text), false), 0);
            const struct translate_entry *e = entry(&t, "Encounter");
            if (!memmem(e->resource.p, e->resource.n, want, strlen(want))) {
                fail_msg("%s: want %s in %.*s", cases[i].event, want, (int)e->resource.n,
                         e->resource.p);
            }
            assert_int_equal(e->defaults == NULL, cases[i].certain);
        }
    }
}

static void test_visits(void **state)
{
    static const struct expectation cases[] = {
        { ADT PID "PV1|1|I|W^2^B||||||||T^1\r", "Encounter",
          "\"display\":\"T 1\"},\"status\":\"active\"" },
        { ADT PID "PV1|1|P|W^2^B\r", "Encounter", "\"status\":\"planned\"}]" },
        /* who is only mentioned has no period that ends before it begins either */
        { ADT PID "PV1|1|I|||||9^Who^Doc^^^^^^LAB^^^^^^^^^^2026^2025\r", "Practitioner",
          "\"period\":{\"start\":\"2026\"}" },
        { ADT "EVN||2026|||9^Who^Doc^^^^^^LAB^^^^^^^^^^2026^2025\r" PID, "Practitioner",
          "\"period\":{\"start\":\"2026\"}" },
        { EVENT("A03") PID "PV1|1|I|W^2^B\r", "Encounter", "\"status\":\"completed\"}]" },
        { EVENT("A26") PID "PV1|1|I||||||||||||||||||||||||||||||||||||||||X\r", "Encounter",
          "!location" },
        { EVENT("A15") PID "PV1|1|I||||||||||||||||||||||||||||||||||||||||X\r", "Encounter",
          "\"status\":\"reserved\"" },
        { ADT PID "PV1|1|I|W^2^B|||||||||||||||||||||||||||||||||||||O\r", "Location",
          "\"operationalStatus\":{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0116\","
          "\"code\":\"O\",\"display\":\"Occupied\"}" },
        { EVENT("A20") "EVN|A20\rNPU|W^2^B|C\r", "Location",
          "\"identifier\":[{\"value\":\"W^2^B\"}],\"name\":\"W 2 B\",\"mode\":\"instance\"," },
        { EVENT("A11") "EVN|A11|||01\r" PID VISIT, "Encounter",
          "encounter-reasonCancelled\",\"valueCodeableConcept\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"PATRQT\"" },
        { EVENT("A14") "EVN|A14||20260203\r" PID VISIT "PV2|1\r", "Encounter",
          "Encounter.plannedStartDate\",\"valueDateTime\":\"2026-02-03\"" },
        { ADT PID VISIT "PV2||||||||20260203\r", "Encounter",
          "Encounter.plannedStartDate\",\"valueDateTime\":\"2026-02-03\"" },
        { ADT PID VISIT "PV2|||||||||||||||||||||||||||||||||||||||||A^Aggressive\r", "Flag",
          "\"code\":\"A\",\"display\":\"Aggressive\"}]},\"category\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/flag-category\",\"code\":\"safety\"" },
        { ADT PID "PV1|1|I||||||||||||||||||HMO\r", "Coverage", "\"code\":\"HMO\"}]}" },
        /* a note on what isn't translated is no note on what stands before it */
        { ADT PID VISIT "OBX|1|ST|A||x\rNTE|1||mine\rAIS|1\rNTE|1||other's\r", "Observation",
          "\"note\":[{\"text\":\"mine\"}]" },
        { ADT PID VISIT "OBX|1|ST|A||x\rZZZ|1\rNTE|1||mine\r", "Observation",
          "\"note\":[{\"text\":\"mine\"}]" },
        /* what was found and done in it, wherever it stands; a role, and who has it */
        { ADT PID VISIT "AL1|1||P\rDG1|1||I10^Hypertension^I10|||A\r", "Encounter",
          "\"use\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/diagnosis-role\",\"code\":\"AD\"" },
        { ADT PID VISIT "DG1|1||I10|||W|||||||||2\r", "Encounter", "\"rank\":2" },
        { ADT PID VISIT "DG1|1||I10|||W\r", "Condition", "\"code\":\"provisional\"" },
        { ADT PID VISIT "DG1|1||I10||||||||||||||||||D\r", "Condition",
          "\"code\":\"entered-in-error\"" },
        { ADT PID VISIT "AL1|1||P\rDG1|1||I10\r", "Condition", "\"encounter\":{\"reference\"" },
        { ADT PID VISIT "PR1|1||76164006^Biopsy^SCT|Text|20260102|D||8^Sleep^Doc\r",
          "Procedure", "\"status\":\"unknown\"" },
        { BAR PID VISIT "PR1|1||76164006^Biopsy^SCT\rROL||AD|AT|9^Who\r", "Procedure",
          "\"display\":\"Who\"},\"function\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-ParticipationType\",\"code\":\"ATND\"" },
        { ADT PID VISIT "PR1|1||A^x^C4|||||||||||||51~59\r", "Procedure",
          "\"code\":\"A:51\"},{\"system\":\"http://www.ama-assn.org/go/"
          "cpt\",\"code\":\"A:59\"" },
        { ADT PID VISIT "ROL|1|AD|AT|9^Who\r", "Encounter",
          "\"code\":\"ATND\",\"display\":\"attender\"},{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/"
          "v2-0443\",\"code\":\"AT\"}]}],\"individual\":"
          "{\"reference\":" },
        { ADT PID "ROL|1|AD|PP|9^Who\r" VISIT, "Patient", "\"generalPractitioner\":[{" },
        { ADT PID "ROL|1|AD|AT|9^Who\r" VISIT, "Patient", "!generalPractitioner" },
        { ADT PID "ROL|1|AD|AT|9^Who\r" VISIT, "CareTeam", "\"display\":\"Who\"" },
        { ADT PID VISIT "ROL|1|AD|AT|9^Who\r", "CareTeam", "!{" },
        { ADT PID "PRT|1|AD||PP|9^Who\r" VISIT, "Patient", "\"generalPractitioner\":[{" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_allergies_and_problems(void **state)
{
    static const struct expectation cases[] = {
        { ADT PID "AL1|1|DA|7980^Penicillin^RXNORM|SV|Hives~Rash\r", "AllergyIntolerance",
          "\"type\":\"allergy\",\"category\":[\"medication\"],\"_category\":[{\"extension\":[{"
          "\"url\":\"http://hl7.org/fhir/StructureDefinition/alternate-codes\"" },
        { ADT PID "AL1|1|DA|P|SV|Hives~Rash\r", "AllergyIntolerance",
          "\"reaction\":[{\"manifestation\":[{\"text\":\"Hives\"}]},{\"manifestation\":[{"
          "\"text\":\"Rash\"}]}]" },
        { ADT PID "AL1|1|MC^Contra|P|U\r", "AllergyIntolerance",
          "\"note\":[{\"text\":\"Allergen type: Contra MC\"}]" },
        { ADT PID "AL1|1|MC|P|SV\r", "AllergyIntolerance", "\"criticality\":\"high\"" },
        { EVENT("A60") PID "IAM|1|DA|P|MI||D|X1^LAB\r", "AllergyIntolerance",
          "!clinicalStatus" },
        { EVENT("A60") PID "IAM|1|DA|P|MI||D|X1^LAB\r", "AllergyIntolerance",
          "\"code\":\"entered-in-error\"" },
        { EVENT("A60") PID "IAM|1|DA|P|||A|||||||||||I\r", "AllergyIntolerance",
          "\"code\":\"inactive\"" },
        { EVENT("A60") PID "IAM|1|DA|P|||A||||||||Doe^Jo|SEL\r", "AllergyIntolerance",
          "\"recorder\":{\"reference\":" },
        { EVENT("A60") PID "IAM|1|DA|P|||A||||||||Doe^Jo|MTH\r", "RelatedPerson",
          "\"family\":\"Doe\"" },
        { EVENT("A60") PID "IAM|1|DA|P|||A||||||||Doe^Jo\r", "AllergyIntolerance",
          "\"recorder\":{\"display\":\"Jo Doe\"}" },
        { EVENT("A60") PID "IAM|1|DA|P|||A\rIAR|1^Rash|SV\r", "AllergyIntolerance",
          "\"severity\":\"severe\"" },
        { PPR PID "PRB|AD|2026|I10^Hypertension^I10|5^^1.9^ISO|||2025|||||||ACTIVE\r",
          "Condition",
          "\"clinicalStatus\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/condition-clinical\",\"code\":\"active\"" },
        { PPR PID "PRB|AD|2026|I10|5|||||2026|||||ACTIVE\r", "Condition",
          "\"abatementDateTime\":\"2026\"" },
        { PPR PID "PRB|AD|2026|I10|5|||||2026|||||ACTIVE\r", "Condition",
          "\"code\":\"resolved\"" },
        { PPR PID "PRB|DE|2026|I10|5\r", "Condition", "!clinicalStatus" },
        { PPR PID "PRB|AD|2026|I10|5\rVAR|1|2026||9^Who||late~again\r", "Condition",
          "\"note\":[{\"text\":\"late\\nagain\",\"authorReference\":" },
        { PPR PID "PRB|AD|2026|I10|5\rGOL|AD|2026|G^Walk|7\r", "Goal",
          "\"lifecycleStatus\":\"active\",\"subject\"" },
        { PPR PID "PRB|AD|2026|I10|5\rGOL|AD|2026|G^Walk|7\r", "Goal", "\"addresses\":[{" },
        { PPR PID "PRB|AD|2026|I10|5\rPTH|AD|P^Path|7|2026\r", "CarePlan",
          "\"status\":\"unknown\",\"intent\":\"plan\"" },
        { MSH("PGL^PC6") PID "GOL|AD|2026|G^Walk|7\rPRB|AD|2026|I10|5\r", "Goal",
          "\"addresses\":[{" },
        { MSH("PPP^PCB") PID "PTH|AD|P^Path|7|2026\rPRB|AD|2026|I10|5\rGOL|AD|2026|G^Walk|7\r",
          "CarePlan", "\"goal\":[{" },
        { MSH("PPG^PCG") PID "PTH|AD|P^Path|7|2026\rGOL|AD|2026|G^Walk|7\rPRB|AD|2026|I10|5\r",
          "CarePlan", "\"addresses\":[{" },
        /* a consent is what somebody says there is: without one that permits anything */
        { ADT PID "CON|1|001|F1||||||||A||20260101\r", "Consent",
          "\"status\":\"active\",\"scope\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/"
          "consentscope\",\"code\":\"patient-privacy\"" },
        { ADT PID "CON|1|001|F1||||||||A||20260101\r", "Consent", "!provision" },
        { ADT PID "CON|1|002|F1\r", "Consent", "\"status\":\"draft\"" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_who_pays(void **state)
{
    static const struct expectation cases[] = {
        { ADT "PID|1||7^^^LAB|||||||||||||||77\r" VISIT, "Account",
          "\"code\":\"AN\",\"display\":\"Account number\"}]},\"value\":\"77\"}],\"status\":"
          "\"active\",\"subject\":[{" },
        { ADT "PID|1||7^^^LAB|||||||||||||||77\r" VISIT, "Encounter", "\"account\":[{" },
        { ADT "PID|1||7^^^LAB|||||||||||||||77\rIN1|1|P|C|Inc||||||||||||||||||2\r", "Account",
          "\"priority\":2" },
        { ADT "PID|1||7^^^LAB|||||||||||||||77\rGT1|1||Doe^Jo||||||||MTH\r", "Account",
          "\"guarantor\":[{\"party\":{\"reference\":" },
        { ADT "PID|1||7^^^LAB|||||||||||||||77\rGT1|1||Doe^Jo||||||||SEL\r", "RelatedPerson",
          "!{" },
        { ADT "PID|1||7^^^LAB|||||||||||||||77\rGT1|1||||||||||||||||||||Firm\r", "Account",
          "\"party\":{\"display\":\"Firm\",\"type\":\"Organization\"}" },
        { ADT PID "NK1|1|Doe|SPO\rGT1|1|5^^^LAB|Doe^Jo||||||||MTH\r", "Account", "!{" },
        { ADT PID "IN1|1|P^Plan|C1^^^LAB|Payer Inc|1 St^^X\r", "Organization",
          "\"value\":\"C1\",\"assigner\":{\"display\":\"LAB\"}}],\"name\":\"Payer Inc\"" },
        { ADT PID "IN1|1|P||Payer Inc||||||||||||Doe^Jo|SPO\r", "Coverage",
          "\"subscriber\":{\"reference\":" },
        { ADT PID "IN1|1|P||Payer Inc||||||||||||Doe^Jo|SEL\r", "RelatedPerson", "!{" },
        { ADT PID "IN1|1|P||Payer||||||||||||||||||||||||||||||||||150&USD^DC\r", "Coverage",
          "\"valueMoney\":{\"value\":150,\"currency\":\"USD\"}" },
        { DFT PID VISIT "FT1|1|T1||20260102|20260103|CG|X^Xray|||2|100&USD\r", "ChargeItem",
          "\"status\":\"billable\",\"code\":{\"coding\":[{\"code\":\"X\",\"display\":"
          "\"Xray\"}]},\"occurrenceDateTime\":\"2026-01-02\",\"quantity\":{\"value\":2},"
          "\"priceOverride\":{\"value\":100,\"currency\":\"USD\"}" },
        { DFT PID VISIT "FT1|1|T1||2026||PY^Payment|X\r", "ChargeItem",
          "\"note\":[{\"text\":\"Transaction type: Payment PY\"}]" },
        { DFT PID VISIT "FT1|1|T1||2026||CG|X\rPRT||AD||PH|9^Who\r", "ChargeItem",
          "\"code\":\"pharmacist\"" },
        { DFT PID VISIT "FT1|1|T1||2026||PY|X\r", "ChargeItem", "\"context\":{\"reference\"" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* "Patient:7 Patient:9>7 …": the resources with identifiers, and what they are merged into. */
static void describe(const struct translated *t, struct buf *out)
{
    for (size_t i = 0; i < t->result.count; i++) {
        const struct translate_entry *e = &t->result.entries[i];
        const struct node *root;
        struct issues issues;
        issues_init(&issues, t->arena);
        assert_int_equal(json_parse(t->arena, e->resource, &issues, &root), 0);
        const struct node *id = node_first(node_get(root, "identifier"));
        if (!id) {
            continue;
        }
        buf_z(out, out->n ? " " : "");
        buf_z(out, e->type);
        buf_c(out, ':');
        buf_str_put(out, node_text(id, "value"));
        for (const struct node *l = node_first(node_get(root, "link")); l; l = l->next) {
            buf_c(out, ' ');
            buf_str_put(out, node_text(l, "type"));
        }
        buf_z(out, node_get(root, "partOf") ? " partOf" : "");
        buf_z(out, node_get(root, "active") ? " inactive" : "");
        struct str status = node_text(root, "status");
        if (strcmp(e->type, "Patient") != 0 && status.n) {
            buf_c(out, ' ');
            buf_str_put(out, status);
        }
    }
}

#define PID18 "PID|1||7^^^LAB|||||||||||||||A1\r"

static void test_merges_moves_and_links(void **state)
{
    static const char merged[] = "Patient:7 replaces Patient:9 replaced-by inactive";
    static const struct {
        const char *message, *want;
    } cases[] = {
        { EVENT("A18") PID "MRG|9^^^LAB\r", merged },
        { EVENT("A30") PID "MRG|9^^^LAB\r", merged },
        { EVENT("A34") PID "MRG|9^^^LAB\r", merged },
        { EVENT("A40") PID "MRG|9^^^LAB\r", merged },
        { EVENT("A46") PID "MRG|9^^^LAB\r", merged },
        { EVENT("A47") PID "MRG|9^^^LAB\r", merged },
        { EVENT("A40") PID "MRG||||9^^^LAB\r", merged }, /* as v2.2 had it */
        /* into itself: nobody goes */
        { EVENT("A40") PID "MRG|7^^^LAB\r", "Patient:7" },
        { EVENT("A40") PID "MRG|7\r", "Patient:7" },
        { EVENT("A36") PID18 "MRG|9^^^LAB||A2\r",
          "Patient:7 replaces Account:A1 active "
          "Patient:9 replaced-by inactive Account:A2 partOf inactive" },
        { EVENT("A40") PID18 "MRG|9^^^LAB||A2\r",
          "Patient:7 replaces Account:A1 active "
          "Patient:9 replaced-by inactive Account:A2 unknown" },
        { EVENT("A35") PID18 "MRG|7^^^LAB||A2\r",
          "Patient:7 Account:A1 active Account:A2 partOf inactive" },
        { EVENT("A41") PID18 "MRG|7^^^LAB||A2\r",
          "Patient:7 Account:A1 active Account:A2 partOf inactive" },
        { EVENT("A49") PID18 "MRG|7^^^LAB||A2\r",
          "Patient:7 Account:A1 active Account:A2 partOf inactive" },
        /* moves: what is moved is the patient's in PID, the one in MRG stays as it is */
        { EVENT("A43") PID "MRG|9^^^LAB\r", "Patient:7" },
        { EVENT("A44") PID18 "MRG|9^^^LAB||A1\r", "Patient:7 Account:A1 active" },
        { EVENT("A45") PID "MRG|9^^^LAB||||V1\r" VISIT, "Patient:7 Encounter:V1 in-progress" },
        { EVENT("A42") PID "MRG|7^^^LAB||||V9\r" VISIT,
          "Patient:7 Encounter:V9 partOf entered-in-error Encounter:V1 in-progress" },
        { EVENT("A50") PID "MRG|7^^^LAB||||V9\r" VISIT,
          "Patient:7 Encounter:V9 partOf entered-in-error Encounter:V1 in-progress" },
        { EVENT("A45") PID "MRG|9||||V1\r" VISIT "MRG|9||||V2\rPV1|1|I|||||||||||||||||V2\r",
          "Patient:7 Encounter:V1 in-progress Encounter:V2 in-progress" },
        { EVENT("A24") PID "PID|2||8^^^LAB\r", "Patient:7 seealso Patient:8 seealso" },
        { EVENT("A37") PID "PID|2||8^^^LAB\r", "Patient:7 Patient:8" },
        /* swapped beds: two of everything, none of the other's */
        { EVENT("A17") PID "PV1|1|I|A^1\rPID|2||8^^^LAB\rPV1|1|I|B^2\r",
          "Patient:7 Location:A^1 Patient:8 Location:B^2" },
        { EVENT("A40") PID "MRG|9^^^LAB\rPID|2||8^^^LAB\rMRG|6^^^LAB\r",
          "Patient:7 replaces Patient:9 replaced-by inactive "
          "Patient:8 replaces Patient:6 replaced-by inactive" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), false), 0);
        struct buf got = arena_buf(arena, 10000);
        describe(&t, &got);
        assert_str(buf_str(&got), cases[i].want);
    }
}

/* A37 takes back what A24 said, on both sides. */
static void test_unlinking(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    assert_int_equal(translate_with(&t, STR(EVENT("A37") PID "PID|2||8^^^LAB\r"), false), 0);
    for (size_t i = 0; i < 2; i++) {
        struct buf want = arena_buf(arena, 1000);
        buf_z(&want, "{\"link\":[{\"other\":{\"reference\":\"");
        buf_str_put(&want, t.result.entries[1 - i].full_url);
        buf_z(&want, "\"},\"type\":\"seealso\"}]}");
        assert_true(str_eq(t.result.entries[i].withdrawn, buf_str(&want)));
    }
}

/* The same thing has the same id in whatever message it stands. */
static void test_ids_stay(void **state)
{
    static const struct same_id cases[] = {
        { ADT "PID|1||7^^^LAB|||||||||||||||77\r", DFT "PID|1||8^^^LAB|||||||||||||||77\r",
          "Account" },
        { ADT PID "AL1|1|DA|P|SV\r", EVENT("A08") PID VISIT "AL1|2|DA|P|MI\r",
          "AllergyIntolerance" },
        { ADT PID VISIT "DG1|1||I10\r", BAR PID VISIT "FT1|1|T\rDG1|2||I10\r", "Condition" },
        { EVENT("A20") "NPU|W^2^B|C\r", ADT PID "PV1|1|I|W^2^B\r", "Location" },
        { PPR PID "PRB|AD|2026|I10|5\r", PPR PID VISIT "PRB|UP|2027|I10|5\r", "Condition" },
    };
    (void)state;
    check_same_ids(cases, ARRAY_LEN(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patients),  cmocka_unit_test(test_what_events_say_of_the_visit),
        cmocka_unit_test(test_visits),    cmocka_unit_test(test_allergies_and_problems),
        cmocka_unit_test(test_who_pays),  cmocka_unit_test(test_merges_moves_and_links),
        cmocka_unit_test(test_unlinking), cmocka_unit_test(test_ids_stay),
    };
    return cmocka_run_group_tests_name("fhir/translate/patient", tests, setup, teardown);
}
