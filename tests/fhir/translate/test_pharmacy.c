/* What orders of medicines become, and what became of them. */
#include "tests/fhir/translate/expectation.h"

#define OMP MSH("OMP^O09^OMP_O09")
#define RDE MSH("RDE^O11^RDE_O11")
#define RDS MSH("RDS^O13^RDS_O13")
#define RGV MSH("RGV^O15^RGV_O15")
#define RAS MSH("RAS^O17^RAS_O17")
#define RXO "RXO|1191^Aspirin^RXNORM|100||mg^^UCUM\r"
#define RXE "RXE||1191^Aspirin^RXNORM|100||mg^^UCUM\r"
#define RXD "RXD|1|1191^Aspirin^RXNORM|20260103|30|TAB^Tablet\r"
#define RXA "RXA|0|1|202601030800+0100||1191^Aspirin^RXNORM|100|mg^^UCUM"

/* A cancel is no active order, whatever else the message says of its state. */
static void test_status_of_orders(void **state)
{
    static const struct {
        const char *control, *status, *want;
        bool certain; /* not a default that yields to what is stored */
    } cases[] = {
        { "NW", "", "active", true },
        { "OK", "", "active", true },
        { "OP", "", "active", true },
        { "XO", "", "active", true },
        { "RL", "", "active", true },
        { "RO", "", "active", true },
        { "AF", "", "active", true },
        { "CA", "", "cancelled", true },
        { "CA", "IP", "cancelled", true },
        { "OC", "SC", "cancelled", true },
        { "CR", "", "cancelled", true },
        { "UA", "", "cancelled", true },
        { "DC", "IP", "stopped", true },
        { "DR", "", "stopped", true },
        { "OD", "", "stopped", true },
        { "DF", "", "stopped", true },
        { "RP", "", "stopped", true },
        { "RQ", "", "stopped", true },
        { "HD", "IP", "on-hold", true },
        { "HR", "", "on-hold", true },
        { "OH", "", "on-hold", true },
        { "SC", "CM", "completed", true },
        { "NW", "CM", "completed", true },
        { "SC", "DC", "stopped", true },
        { "SC", "CA", "cancelled", true },
        { "SC", "ER", "entered-in-error", true },
        { "SC", "HD", "on-hold", true },
        { "RL", "HD", "on-hold", true },
        { "SC", "??", "unknown", false },
        /* these say nothing of the order's own state */
        { "RE", "", "unknown", false },
        { "RF", "", "unknown", false },
        { "SS", "", "unknown", false },
        { "UC", "", "unknown", false },
        { "UD", "", "unknown", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int encoded = 0; encoded < 2; encoded++) {
            char text[300];
            char want[50];
            (void)snprintf(text, sizeof(text), "%sORC|%s|P1|||%s\r%s",
                           encoded ? RDE PID : OMP PID, cases[i].control, cases[i].status,
                           encoded ? RXE : RXO);
            (void)snprintf(want, sizeof(want), "\"status\":\"%s\"", cases[i].want);
            CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
            struct translated t = { .arena = arena };
            assert_int_equal(translate_with(&t, str_z(text), false), 0);
            const struct translate_entry *e = entry(&t, "MedicationRequest");
            if (!memmem(e->resource.p, e->resource.n, want, strlen(want))) {
                fail_msg("%s %s: want %s in %.*s", cases[i].control, cases[i].status, want,
                         (int)e->resource.n, e->resource.p);
            }
            assert_int_equal(e->defaults == NULL, cases[i].certain);
        }
    }
}

static void test_orders(void **state)
{
    static const struct expectation cases[] = {
        { OMP PID "ORC|NW|P1^EHR|F1|G1||E|||20260102\r" RXO, "MedicationRequest",
          "\"identifier\":[{\"type\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PLAC\"" },
        { OMP PID "ORC|NW|P1|F1|G1||E|||20260102\r" RXO, "MedicationRequest",
          "\"authoredOn\":\"2026-01-02\"" },
        { OMP PID "ORC|NW|P1\r" RXO, "MedicationRequest", "\"intent\":\"original-order\"" },
        { OMP PID "ORC|NW|P1\r" RXO, "MedicationRequest",
          "\"medicationCodeableConcept\":{\"coding\":[{\"system\":"
          "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"1191\",\"display\":"
          "\"Aspirin\"}]}" },
        /* numbers stay the text they are */
        { OMP PID "ORC|NW|P1\rRXO|A|0.50||mg^^UCUM\r", "MedicationRequest",
          "\"doseQuantity\":{\"value\":0.50,\"unit\":\"mg\",\"system\":"
          "\"http://unitsofmeasure.org\",\"code\":\"mg\"}" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|2|TAB^Tablet\r", "MedicationRequest",
          "\"doseRange\":{\"low\":{\"value\":1,\"unit\":\"Tablet\"},\"high\":{\"value\":2,"
          "\"unit\":\"Tablet\"}}" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|2\r", "MedicationRequest",
          "\"doseRange\":{\"low\":{\"value\":1},\"high\":{\"value\":2}}" },
        { OMP PID "ORC|NW|P1\rRXO|A|2|1|mg\r", "MedicationRequest",
          "\"doseQuantity\":{\"value\":2,\"unit\":\"mg\"}" },
        { OMP PID "ORC|NW|P1\rRXO|A|2|2|mg\r", "MedicationRequest", "!doseRange" },
        { OMP PID "ORC|NW|P1\rRXO|A|some||mg\r", "MedicationRequest", "!doseAndRate" },
        { OMP PID "ORC|NW|P1\rRXO|A|100||mL|||||||||||||H8\r", "MedicationRequest",
          "\"rateRatio\":{\"denominator\":{\"value\":8,\"unit\":\"h\",\"system\":"
          "\"http://unitsofmeasure.org\",\"code\":\"h\"},\"numerator\":{\"value\":100,"
          "\"unit\":\"mL\"}}" },
        { OMP PID "ORC|NW|P1\rRXO|A|100||mL|||||||||||||bolus\r", "MedicationRequest",
          "!rateRatio" },
        { OMP PID "ORC|NW|P1\rRXO|A||||||||||||||||||||25|mL/h\r", "MedicationRequest",
          "\"rateQuantity\":{\"value\":25,\"unit\":\"mL/h\"}" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|||||||||||||||||||||4^g&&UCUM\r", "MedicationRequest",
          "\"maxDosePerPeriod\":{\"numerator\":{\"value\":4,\"unit\":\"g\",\"system\":"
          "\"http://unitsofmeasure.org\",\"code\":\"g\"},\"denominator\":{\"value\":1,\"unit\":"
          "\"d\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"d\"}}" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|||||^Take with water~X^Shake\r", "MedicationRequest",
          "\"additionalInstruction\":[{\"text\":\"Take with water\"},{\"coding\":[{\"code\":"
          "\"X\",\"display\":\"Shake\"}]}]" },
        { OMP PID "ORC|NW|P1\rRXO|A|1||||^To the pharmacist\r", "MedicationRequest",
          "\"note\":[{\"text\":\"To the pharmacist\"}]" },
        { OMP PID "ORC|NW|P1\rRXO|A||||||||G||30|TAB^Tablet|0\r", "MedicationRequest",
          "\"dispenseRequest\":{\"numberOfRepeatsAllowed\":0,\"quantity\":{\"value\":30,"
          "\"unit\":\"Tablet\"}},\"substitution\":{\"allowedCodeableConcept\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0161\",\"code\":\"G\"" },
        { OMP PID "ORC|NW|P1\rRXO|A|1||||||||||||||||||||||||||14||||9^Corner\r",
          "MedicationRequest",
          "\"dispenseRequest\":{\"dispenseInterval\":{\"value\":14,\"unit\":\"d\"" },
        /* who: a DEA number is one only if it looks like one */
        { OMP PID "ORC|NW|P1||||||||||D7^Who^Doc\rRXO|A|1||||||||||||AB1234567\r",
          "Practitioner",
          "\"code\":\"DEA\",\"display\":\"Drug Enforcement Administration registration number\""
          "}]},\"system\":\"urn:oid:2.16.840.1.113883.4.814\",\"value\":\"AB1234567\"" },
        { OMP PID "ORC|NW|P1||||||||||D7^Who^Doc\rRXO|A|1||||||||||||222\r", "Practitioner",
          "!2.16.840.1.113883.4.814" },
        { OMP PID "ORC|NW|P1\rRXO|A|1||||||||||||222^Jones^Jon\r", "MedicationRequest",
          "\"requester\":{\"reference\":" },
        { OMP PID "ORC|NW|P1|||||||||||||||||||Clinic^^9\r" RXO, "MedicationRequest",
          "\"requester\":{\"reference\":" },
        { OMP PID "ORC|DC|P1||||||||||||||A^Allergic^L\r" RXO, "MedicationRequest",
          "\"statusReason\":{\"coding\":[{\"code\":\"A\"" },
        { OMP PID "ORC|NW|P1||||||||||||||H^Headache^L\r" RXO, "MedicationRequest",
          "\"reasonCode\":[{\"coding\":[{\"code\":\"H\"" },
        { OMP PID "ORC|NW|P1|||||||||||||||||||||||||||I\r" RXO, "MedicationRequest",
          "\"category\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/medicationrequest-category\",\"code\":"
          "\"inpatient\"" },
        { OMP PID "PV1|1|I|||||||||||||||||V1^^^LAB\rORC|NW|P1\r" RXO, "MedicationRequest",
          "\"encounter\":{\"reference\":" },
        /* ways, and what is mixed */
        { OMP PID "ORC|NW|P1\r" RXO "RXR|PO^Oral^HL70162|LA|NEB^Nebulizer|CH\r",
          "MedicationRequest",
          "\"site\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0163\","
          "\"code\":\"LA\",\"display\":\"Left Arm\"}]},\"route\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/"
          "v3-RouteOfAdministration\",\"code\":\"PO\"" },
        { OMP PID "ORC|NW|P1\r" RXO "RXR|PO\rRXR|IV^Intravenous\r", "MedicationRequest",
          "\"note\":[{\"text\":\"Or by: Intravenous IV\"}]" },
        { OMP PID "ORC|NW|P1\r" RXO "NTE|1||careful\r", "MedicationRequest",
          "\"note\":[{\"text\":\"careful\"}]" },
        { OMP PID "ORC|NW|P1\r" RXO "RXR|PO\rNTE|1||careful\r", "MedicationRequest",
          "\"note\":[{\"text\":\"careful\"}]" },
        { OMP PID "ORC|NW|P1\r" RXO "OBX|1|NM|3141-9^Weight^LN||90|kg\rNTE|1||on scale\r",
          "MedicationRequest", "!note" },
        { OMP PID "ORC|NW|P1\r" RXO "OBX|1|NM|3141-9^Weight^LN||90|kg\r", "Observation",
          "\"basedOn\":[{\"reference\":" },
        { OMP PID "ORC|NW|P1\r" RXO, "Medication", "!{" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|||CAP^Capsule\r", "Medication",
          "\"form\":{\"coding\":[{\"code\":\"CAP\"" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|||CAP^Capsule\r", "MedicationRequest",
          "\"medicationReference\":{\"reference\":" },
        { OMP PID "ORC|NW|P1\rRXO|A|1|||CAP^Capsule\r", "MedicationRequest",
          "!medicationCodeableConcept" },
        { OMP PID "ORC|NW|P1\rRXO|A|||||||||||||||||250|mg||||||5|mL\r", "Medication",
          "\"ingredient\":[{\"itemCodeableConcept\":{\"coding\":[{\"code\":\"A\"}]},"
          "\"strength\":{\"numerator\":{\"value\":250,\"unit\":\"mg\"},\"denominator\":{"
          "\"value\":5,\"unit\":\"mL\"}}}]" },
        { OMP PID "ORC|NW|P1\rRXO|A|1\rRXR|IV\rRXC|B|S^Saline|500|mL\rRXC|A|K^Potassium\r",
          "Medication",
          "\"ingredient\":[{\"itemCodeableConcept\":{\"coding\":[{\"code\":\"S\",\"display\":"
          "\"Saline\"}]},\"strength\":{\"numerator\":{\"value\":500,\"unit\":\"mL\"},"
          "\"denominator\":{\"value\":1}}},{\"itemCodeableConcept\":{\"coding\":[{\"code\":"
          "\"K\",\"display\":\"Potassium\"}]}}]" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_times_of_doses(void **state)
{
    static const struct expectation cases[] = {
        { OMP PID "ORC|NW|P1\rTQ1|1||BID|||3^D|||R\r" RXO, "MedicationRequest",
          "\"timing\":{\"code\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation\",\"code\":\"BID\","
          "\"display\":\"BID\"}]},\"repeat\":{\"boundsDuration\":{\"value\":3,\"unit\":\"D\","
          "\"system\":\"http://unitsofmeasure.org\",\"code\":\"d\"}}}" },
        { OMP PID "ORC|NW|P1\rTQ1|1||BID|||3^D|||R\r" RXO, "MedicationRequest",
          "\"priority\":\"routine\"" },
        { OMP PID "ORC|NW|P1\rTQ1|1||as told\r" RXO, "MedicationRequest",
          "\"timing\":{\"code\":{\"text\":\"as told\"}}" },
        { OMP PID "ORC|NW|P1\rTQ1|1||||||20260102|20260109||when awake|one each\r" RXO,
          "MedicationRequest",
          "\"boundsPeriod\":{\"start\":\"2026-01-02\",\"end\":\"2026-01-09\"}" },
        { OMP PID "ORC|NW|P1\rTQ1|1||||||20260102|20260109||when awake|one each\r" RXO,
          "MedicationRequest",
          "\"sequence\":1,\"text\":\"one each\",\"additionalInstruction\":[{\"text\":"
          "\"when awake\"}]" },
        { OMP PID "ORC|NW|P1\rTQ1|1|||0800~2000\r" RXO, "MedicationRequest",
          "\"timeOfDay\":[\"08:00:00\",\"20:00:00\"]" },
        /* times of day and events exclude each other */
        { OMP PID "ORC|NW|P1\rTQ1|1||^^^^^^^PC^30^min|0800\r" RXO, "MedicationRequest",
          "\"repeat\":{\"when\":[\"PC\"],\"offset\":30}" },
        { OMP PID "ORC|NW|P1\rTQ1|1||^^^^8^h||||||||||2^h|5\r" RXO, "MedicationRequest",
          "\"repeat\":{\"count\":5,\"duration\":2,\"durationUnit\":\"h\",\"period\":8,"
          "\"periodUnit\":\"h\"}" },
        { OMP PID "ORC|NW|P1\rTQ1|1||^DW^2^4\r" RXO, "MedicationRequest",
          "\"dayOfWeek\":[\"tue\",\"wed\",\"thu\"]" },
        { OMP PID "ORC|NW|P1\rTQ1|1||^DW^7\r" RXO, "MedicationRequest",
          "\"dayOfWeek\":[\"sun\"]" },
        { OMP PID "ORC|NW|P1\rTQ1|1||PRN\r" RXO, "MedicationRequest",
          "\"asNeededBoolean\":true" },
        { OMP PID "ORC|NW|P1\rTQ1|1||QID\rTQ1|2|5^mg|BID\r" RXO, "MedicationRequest",
          "\"dosageInstruction\":[{\"sequence\":2," },
        /* TQ of old, in ORC and RXE */
        { OMP PID "ORC|NW|P1|||||10^BID^D4^20260102^20260106^R\r" RXO, "MedicationRequest",
          "\"additionalInstruction\":[{\"text\":\"For "
          "D4\"}],\"timing\":{\"code\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation\",\"code\":"
          "\"BID\",\"display\":\"BID\"}]},\"repeat\":{\"boundsPeriod\":{\"start\":"
          "\"2026-01-02\",\"end\":\"2026-01-06\"}}}" },
        { OMP PID "ORC|NW|P1|||||^^D14\r" RXO, "MedicationRequest",
          "\"boundsDuration\":{\"value\":14,\"unit\":\"d\",\"system\":"
          "\"http://unitsofmeasure.org\",\"code\":\"d\"}" },
        { OMP PID "ORC|NW|P1|||||^^INDEF\r" RXO, "MedicationRequest", "!bounds" },
        { OMP PID "ORC|NW|P1|||||^^^^^S\r" RXO, "MedicationRequest", "\"priority\":\"stat\"" },
        { RDE PID "ORC|NW|P1\rRXE|^Q24H&0600^^20260102|A|3||mL\r", "MedicationRequest",
          "\"timing\":{\"code\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0335\",\"code\":\"Q24H\",\"display\":"
          "\"every 24 hours\"}]},\"repeat\":{\"boundsPeriod\":{\"start\":\"2026-01-02\"},"
          "\"timeOfDay\":[\"06:00:00\"]}}" },
        { OMP PID "ORC|NW|P1|||||10^BID\rRXO|A\r", "MedicationRequest",
          "\"doseQuantity\":{\"value\":10}" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_encoded_orders(void **state)
{
    static const struct expectation cases[] = {
        { RDE PID "ORC|NW|P1\r" RXE, "MedicationRequest", "\"intent\":\"filler-order\"" },
        { RDE PID "ORC|NW|P1\r" RXE, "MedicationRequest", "!basedOn" },
        { RDE PID "ORC|NW|P1\r" RXO RXE, "MedicationRequest", "\"intent\":\"original-order\"" },
        { RDE PID "ORC|NW|P1\rRXE||A|1||mg||||N|30|TAB|2|||RX7\r", "MedicationRequest",
          "{\"type\":{\"text\":\"Prescription number\"},\"value\":\"RX7\"}" },
        { RDE PID "ORC|NW|P1\rRXE||A|1||mg||||N|30|TAB|2|||RX7\r", "MedicationRequest",
          "\"dispenseRequest\":{\"numberOfRepeatsAllowed\":2,\"quantity\":{\"value\":30,"
          "\"unit\":\"TAB\"}},\"substitution\":{\"allowedCodeableConcept\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0167\",\"code\":\"N\"" },
        { RDE PID "ORC|NW|P1||||||||20260105\rRXE||A"
                  "||||||||||||||||||||||||||||||20260101\r",
          "MedicationRequest", "\"authoredOn\":\"2026-01-01\"" },
        { RDE PID "ORC|NW|P1\rRXE||A|1||TAB||||||||||||||||||||20|mg\r", "Medication",
          "\"strength\":{\"numerator\":{\"value\":20,\"unit\":\"mg\"},\"denominator\":{"
          "\"value\":1}}" },
        { RDE PID "ORC|NW|P1\r" RXE "NTE|1||n\rRXR|PO\rOBX|1|ST|A||x\r", "Observation",
          "\"basedOn\":[{\"reference\":" },
        { RDE PID "ORC|NW|P1\r" RXE "FT1|1|T1||20260102||CG|9^Fee\r", "ChargeItem",
          "\"status\":\"billable\"" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_dispensed_given_and_administered(void **state)
{
    static const struct expectation cases[] = {
        { RDS PID "ORC|NW|P1\r" RXD, "MedicationDispense",
          "\"status\":\"completed\",\"authorizingPrescription\":[{\"type\":"
          "\"MedicationRequest\",\"identifier\":" },
        { RDS PID "ORC|NW|P1\r" RXD, "MedicationDispense",
          "\"quantity\":{\"value\":30,\"unit\":\"Tablet\"},\"whenHandedOver\":\"2026-01-03\"" },
        { RDS PID "ORC|NW|P1\r" RXO RXD, "MedicationDispense",
          "\"authorizingPrescription\":[{\"reference\":" },
        { RDS PID "ORC|CA|P1\r" RXD, "MedicationDispense", "\"status\":\"cancelled\"" },
        { RDS PID "ORC|OD|P1\r" RXD, "MedicationDispense", "\"status\":\"stopped\"" },
        { RDS PID "ORC|NW|P1\rRXD|1|A|20260103||||||||G\r", "MedicationDispense",
          "\"substitution\":{\"wasSubstituted\":true,\"type\":" },
        { RDS PID "ORC|NW|P1\rRXD|1|A|20260103||||||||N\r", "MedicationDispense",
          "\"wasSubstituted\":false" },
        { RDS PID "ORC|NW|P1\rRXD|1|A|20260103||||||||1\r", "MedicationDispense",
          "!substitution" },
        { RDS PID "ORC|NW|P1\rRXD|1|A|20260103|||||||||||||||L7|20270101|M^Maker^MVX\r",
          "Medication", "\"batch\":{\"lotNumber\":\"L7\",\"expirationDate\":\"2027-01-01\"}" },
        { RGV PID "ORC|RE|P1\r" RXE "RXG|1||^^^20260103|A^Aspirin|100||mg\r",
          "MedicationRequest", "\"intent\":\"filler-order\"" },
        { RGV PID "ORC|NW|P1\rRXG|1||^^^20260103|A^Aspirin|100||mg\r", "MedicationRequest",
          "\"intent\":\"instance-order\"" },
        { RAS PID "ORC|RE|P1\r" RXA "\rRXR|PO\r", "MedicationAdministration",
          "\"status\":\"completed\",\"effectiveDateTime\":\"2026-01-03T08:00:00+01:00\"" },
        { RAS PID "ORC|RE|P1\r" RXA "\rRXR|PO\r", "MedicationAdministration",
          "\"dosage\":{\"route\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/"
          "v3-RouteOfAdministration\",\"code\":\"PO\"" },
        { RAS PID "ORC|RE|P1\r" RXA "|||||||||||||CP\r", "MedicationAdministration",
          "\"status\":\"completed\"" },
        { RAS PID "ORC|RE|P1\r" RXA "|||||||||||00^Refused^L||RE\r", "MedicationAdministration",
          "\"status\":\"not-done\",\"statusReason\":[{\"coding\":[{\"code\":\"00\"" },
        { RAS PID "ORC|RE|P1\r" RXA "|||||||||||00^Refused^L\r", "MedicationAdministration",
          "\"status\":\"not-done\"" },
        { RAS PID "ORC|RE|P1\r" RXA "|||||||||||||NA\r", "MedicationAdministration",
          "\"status\":\"not-done\"" },
        { RAS PID "ORC|RE|P1\r" RXA "|||||||||||||CP|D\r", "MedicationAdministration",
          "\"status\":\"entered-in-error\"" },
        { RAS PID "ORC|RE|P1\rRXA|0|1|20260103|20260104|A|999\rRXR|PO\r",
          "MedicationAdministration", "!dosage" },
        { RAS PID "ORC|RE|P1\rRXA|0|1|20260103|20260104|A|999\rRXR|PO\r",
          "MedicationAdministration",
          "\"effectivePeriod\":{\"start\":\"2026-01-03\",\"end\":\"2026-01-04\"}" },
        { RAS PID "ORC|RE|P1\rRXA|0|1|||A|1|mg\r", "MedicationAdministration",
          "\"_effectiveDateTime\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/data-absent-reason\",\"valueCode\":"
          "\"unknown\"}]}" },
        { RAS PID "ORC|RE|P1\rRXA|0|1|||A|1|mg\r", "MedicationAdministration",
          "\"status\":\"unknown\"" },
        { RAS PID "ORC|RE|P1\r" RXA "|||8^Nurse^Ann\r", "MedicationAdministration",
          "\"performer\":[{\"function\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0443\",\"code\":\"AP\"" },
        { RAS PID "ORC|RE|P1\r" RXE RXA "\r", "MedicationAdministration",
          "\"request\":{\"reference\":" },
        { RAS PID "ORC|RE|P1\r" RXA "\rOBX|1|NM|8480-6^Systolic^LN||120|mm[Hg]\r",
          "Observation", "\"partOf\":[{\"reference\":" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* A change, a cancel and a later answer are about the order that was placed. */
static void test_orders_stay_the_same(void **state)
{
    static const struct same_id cases[] = {
        { OMP PID "ORC|NW|P1\r" RXO, OMP PID "ORC|CA|P1|F1\r" RXO, "MedicationRequest" },
        { OMP PID "ORC|NW|P1\r" RXO,
          RAS PID "PV1|1|I|||||||||||||||||V1\rORC|RE|P1|F1\r" RXO RXA "\r",
          "MedicationRequest" },
        { RDE PID "ORC|NW|P1\r" RXE, RDS PID "ORC|RE|P1\r" RXE RXD, "MedicationRequest" },
        { RDS PID "ORC|RE|P1\r" RXD, RDS PID "ORC|RE|P1\r" RXO RXE RXD, "MedicationDispense" },
        { RAS PID "ORC|RE|P1\r" RXA "\r",
          RAS PID "ORC|RE|P1\r" RXO RXE RXA "|||||||||||||CP|D\r", "MedicationAdministration" },
    };
    (void)state;
    check_same_ids(cases, ARRAY_LEN(cases));
}

/* Fields that no element has are named, one by one. */
static void test_what_is_not_read(void **state)
{
    static const struct {
        const char *message;
        const char *places; /* of what was told, in order */
    } cases[] = {
        { OMP PID "ORC|NW|P1^EHR|F1^RX\r" RXO "RXR|PO\rRXC||K^Potassium|1|g\r", "" },
        { OMP PID "ORC|NW|P1^EHR|F1^RX|||E\r" RXO "RXC|A|K^Potassium|1\r",
          "ORC[1]-6 RXC[1]-1 " },
        { OMP PID "ORC|NW|P1\rRXO|A|1||mg||||||||||||Y\r", "RXO[1]-16 " },
        { OMP PID "ORC|NW|P1\rTQ1|1||BID\rTQ2|1|S|P0\r" RXO, "TQ2 " },
        { RDE PID "ORC|NW|P1\rRXE||A|1||mg|||Ward\r", "RXE[1]-8 " },
        { RAS PID "ORC|RE|P1\r" RXO RXE RXA "\rRXR|PO\r", "ORC[1]-1 " },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), true), 0);
        struct buf got = arena_buf(arena, 1000);
        for (const struct issue *issue = t.issues.first; issue; issue = issue->next) {
            buf_str_put(&got, issue->place);
            buf_c(&got, ' ');
        }
        assert_str(buf_str(&got), cases[i].places);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_of_orders),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_times_of_doses),
        cmocka_unit_test(test_encoded_orders),
        cmocka_unit_test(test_dispensed_given_and_administered),
        cmocka_unit_test(test_orders_stay_the_same),
        cmocka_unit_test(test_what_is_not_read),
    };
    return cmocka_run_group_tests_name("fhir/translate/pharmacy", tests, setup, teardown);
}
