/* What SIU messages become: appointments, who and what takes part, and when. */
#include "tests/fhir/translate/expectation.h"

#define SIU(event) MSH("SIU^" event "^SIU_S12")
#define S12 SIU("S12")
/* SCH-9, SCH-10, SCH-11.4 and SCH-11.5 */
#define SCH                                                                                    \
    "SCH|P1|F1||||WHY^Why|CHECKUP|Normal|30|min|^^^20260102100000+0100^20260102104500+0100"
#define END "\r"

static void test_elements(void **state)
{
    static const struct expectation cases[] = {
        { S12 SCH END PID, "Appointment",
          "\"identifier\":[{\"type\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PLAC\",\"display\":"
          "\"Placer Identifier\"}]},\"value\":\"P1\"}," },
        { S12 SCH END PID, "Appointment",
          "\"reasonCode\":[{\"coding\":[{\"system\":\"http://snomed.info/sct\",\"code\":"
          "\"866149003\",\"display\":\"Annual visit\"},{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0276\",\"code\":\"CHECKUP\"}]}]" },
        { S12 SCH END PID, "Appointment",
          "\"appointmentType\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0277\",\"code\":\"Normal\"}]}" },
        { S12 "SCH|P1|F1|||||Tentative^^HL70277\r" PID, "Appointment",
          "\"appointmentType\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0277\",\"code\":\"Tentative\"}]}" },
        { S12 SCH END PID, "Appointment", "\"minutesDuration\":30" },
        { S12 "SCH|P1|F1|||||||90|s\r" PID, "Appointment", "!minutesDuration" },
        /* why it was sent, or why there is none */
        { S12 SCH END PID, "Provenance",
          "\"reason\":[{\"coding\":[{\"code\":\"WHY\",\"display\":\"Why\"}]}]" },
        { S12 SCH END PID, "Appointment", "!cancelationReason" },
        { SIU("S15") SCH END PID, "Appointment",
          "\"cancelationReason\":{\"coding\":[{\"code\":\"WHY\",\"display\":\"Why\"}]}" },
        { SIU("S15") SCH END PID, "Provenance", "!reason" },
        /* orders and parents are known by their numbers */
        { S12 SCH "|||||||||||||||P7~P8|F7" END PID, "Appointment",
          "\"basedOn\":[{\"type\":\"ServiceRequest\",\"identifier\":{\"type\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PLAC\","
          "\"display\":\"Placer Identifier\"}]},\"value\":\"P7\"}}," },
        { S12 SCH "||||||||||||P6|F6" END PID, "Appointment",
          "\"supportingInformation\":[{\"type\":\"Appointment\",\"identifier\":{" },
        /* contacts, and how to reach them */
        { S12 SCH "|9^Plan|^PRN^PH^^^^555|1 Main St^^Town" END PID, "Practitioner",
          "\"telecom\":[{\"system\":\"phone\",\"value\":\"555\"," },
        { S12 SCH "|9^Plan|^PRN^PH^^^^555|1 Main St^^Town" END PID, "Practitioner",
          "\"address\":[{\"line\":[\"1 Main St\"],\"city\":\"Town\"}]" },
        { S12 SCH "|9^Plan" END PID, "Appointment",
          "\"type\":[{\"text\":\"placer contact\"}],\"status\":\"accepted\"}" },
        { S12 SCH "|||||^Fill" END PID, "Appointment",
          "{\"actor\":{\"display\":\"Fill\",\"type\":\"Practitioner\"},\"type\":[{\"text\":"
          "\"filler contact\"}]," },
        { S12 SCH "|||||||||^Ent" END PID, "Appointment",
          "{\"actor\":{\"display\":\"Ent\",\"type\":\"Practitioner\"},\"type\":[{\"coding\":[{"
          "\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/provenance-participant-type\",\"code\":"
          "\"enterer\",\"display\":\"Enterer\"}]}]," },
        { S12 SCH "|||||||||^Ent" END PID, "Provenance",
          "\"code\":\"enterer\",\"display\":\"Enterer\"}]},\"who\":{\"reference\":\"#1\","
          "\"display\":\"Ent\"}" },
        /* the patient, the visit, the diagnosis */
        { S12 SCH END PID, "Appointment",
          "\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.subject\","
          "\"valueReference\":{\"reference\":\"urn:uuid:" },
        { S12 SCH END PID "PV1|1|O\r", "Encounter", "\"status\":\"planned\"" },
        { S12 SCH END PID "PV1|1|O\r", "Encounter",
          "\"appointment\":[{\"reference\":\"urn:uuid:" },
        { S12 SCH END PID "DG1|1||A^B\r", "Appointment",
          "\"reasonReference\":[{\"reference\":\"urn:uuid:" },
        { S12 SCH END PID "OBX|1|NM|A||1\rNTE|1||of the result\r", "Appointment", "!result" },
        { S12 SCH END PID "OBX|1|NM|A||1\rNTE|1||of the result\r", "Observation",
          "\"note\":[{\"text\":\"of the result\"}]" },
        /* notes: on the appointment, and on what is below it */
        { S12 SCH END "NTE|1||a~b\rNTE|2||c\r" PID "AIS|1||X\rNTE|1||d\r", "Appointment",
          "\"comment\":\"a\\nb\\nc\"" },
        { S12 SCH END PID "AIS|1||X\rNTE|1||d|RE|^Who|20260103\r", "Appointment",
          "extension-Appointment.note\",\"valueAnnotation\":{\"text\":\"d\","
          "\"authorReference\":{\"display\":\"Who\",\"type\":\"Practitioner\"},\"time\":\"2026-"
          "01-03\",\"extension\":["
          "{\"url\":\"http://hl7.org/fhir/StructureDefinition/annotationType\"," },
        { S12 SCH END PID "AIS|1||X\rNTE|1||||||||C^Coded\r", "Appointment",
          "{\"url\":\"http://hl7.org/fhir/StructureDefinition/alternate-codes\","
          "\"valueCodeableConcept\":{\"coding\":[{\"code\":\"C\",\"display\":\"Coded\"}]}}" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* The event, SCH-25 and AIS-10 to the state. */
static void test_states(void **state)
{
    static const struct {
        const char *event, *filler, *want;
        bool certain; /* not a default that yields to what is stored */
    } cases[] = {
        { "S12", "", "booked", true },
        { "S12", "Booked", "booked", true },
        { "S12", "Pending", "pending", true },
        { "S12", "Waitlist", "waitlist", true },
        { "S12", "Overbook", "booked", true },
        { "S12", "Blocked", "booked", true },
        { "S12", "own word", "booked", true },
        { "S13", "", "booked", true },
        { "S14", "", "booked", false },
        { "S14", "Started", "checked-in", true },
        { "S14", "Complete", "fulfilled", true },
        { "S14", "Cancelled", "cancelled", true },
        { "S15", "", "cancelled", true },
        { "S15", "Booked", "cancelled", true }, /* what happened is the event */
        { "S15", "Noshow", "noshow", true },
        { "S15", "Deleted", "entered-in-error", true },
        { "S16", "Dc", "cancelled", true },
        { "S17", "", "entered-in-error", true },
        { "S18", "", "booked", false },
        { "S19", "", "booked", false },
        { "S20", "", "booked", false },
        { "S21", "", "booked", false },
        { "S22", "", "booked", false },
        { "S23", "", "booked", true },
        { "S24", "", "cancelled", true },
        { "S26", "", "noshow", true },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        char text[500];
        char want[50];
        (void)snprintf(text, sizeof(text), MSH("SIU^%s") SCH "||||||||||||||%s\r" PID,
                       cases[i].event, cases[i].filler);
        (void)snprintf(want, sizeof(want), "\"status\":\"%s\"", cases[i].want);
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        const struct translate_entry *e = entry(&t, "Appointment");
        if (!memmem(e->resource.p, e->resource.n, want, strlen(want)) ||
            !e->defaults != cases[i].certain) {
            fail_msg("%s %s: %.*s", cases[i].event, cases[i].filler, (int)e->resource.n,
                     e->resource.p);
        }
    }
}

static void test_times(void **state)
{
    static const char unknown[] = "{\"extension\":[{\"url\":"
                                  "\"http://hl7.org/fhir/StructureDefinition/"
                                  "data-absent-reason\",\"valueCode\":\"unknown\"}]}";
    static const struct {
        const char *event, *segments;
        const char *wants[3]; /* "!" before what must not be there */
    } cases[] = {
        { "S12",
          SCH END,
          { "\"start\":\"2026-01-02T10:00:00+01:00\",\"end\":\"2026-01-02T10:45:00+01:00\"",
            "!requestedPeriod" } },
        /* TQ1 before SCH-11, which is then what was asked for */
        { "S12",
          SCH END "TQ1|1||||||20260103110000Z|20260103120000+0000\r",
          { "!\"start\":\"2026-01-03" } },
        { "S12",
          SCH END "TQ1|1||||||20260103110000+0000|20260103120000+0000\r",
          { "\"start\":\"2026-01-03T11:00:00+00:00\",\"end\":\"2026-01-03T12:00:00+00:00\"",
            "\"requestedPeriod\":[{\"start\":\"2026-01-02T10:00:00+01:00\",\"end\":"
            "\"2026-01-02T10:45:00+01:00\"}]" } },
        /* the end by the duration, in what units there are */
        { "S12",
          "SCH|P1|F1|||||||30||^^^202601022345+0100\r",
          { "\"start\":\"2026-01-02T23:45:00+01:00\"", "\"end\":\"2026-01-03T00:15:00+01:00\"",
            "\"valueString\":\"202601022345+0100\"" } },
        { "S12",
          "SCH|P1|F1|||||||2|hr^hours|^^^20260228233000-0500\r",
          { "\"end\":\"2026-03-01T01:30:00-05:00\"" } },
        { "S12",
          "SCH|P1|F1|||||||90|s|^^^20260102100000+0100\r",
          { "\"end\":\"2026-01-02T10:01:30+01:00\"" } },
        { "S12",
          "SCH|P1|F1|||||||3|fortnight|^^^20260102100000+0100\r",
          { "\"start\":\"2026-01-02T10:00:00+01:00\"", "\"_end\":" } },
        { "S12",
          "SCH|P1|F1\rTQ1|1|||||45^min&minutes|20260102100000+0100\r",
          { "\"end\":\"2026-01-02T10:45:00+01:00\"", "\"minutesDuration\":45" } },
        { "S12",
          "SCH|P1|F1\rAIS|1||X|20260102100000+0100|||20|min\r",
          { "\"start\":\"2026-01-02T10:00:00+01:00\",\"end\":\"2026-01-02T10:20:00+01:00\"" } },
        /* R4 has both or neither */
        { "S12", "SCH|P1|F1\r", { "\"_start\":", "\"_end\":", unknown } },
        { "S15", "SCH|P1|F1\r", { "!_start", "!_end" } },
        { "S12",
          "SCH|P1|F1|||||||||^^^20260102100000+0100^20260102094500+0100\r",
          { "\"start\":\"2026-01-02T10:00:00+01:00\"", "!\"end\":\"", "\"_end\":" } },
        { "S12",
          "SCH|P1|F1|||||||||^^^^20260102100000+0100\r",
          { "\"end\":\"2026-01-02T10:00:00+01:00\"", "\"_start\":", "!_end" } },
        { "S12",
          "SCH|P1|F1|||||||||^^^20260102\r",
          { "\"requestedPeriod\":[{\"start\":\"2026-01-02\"}]", "\"_start\":", "\"_end\":" } },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t w = 0; w < ARRAY_LEN(cases[i].wants) && cases[i].wants[w]; w++) {
            char text[600];
            (void)snprintf(text, sizeof(text), MSH("SIU^%s") "%s", cases[i].event,
                           cases[i].segments);
            const struct expectation wanted = { text, "Appointment", cases[i].wants[w] };
            check_expectations(&wanted, 1);
        }
    }
}

static void test_participants(void **state)
{
#define AT "20260102100000+0100|||20|min"
#define PERIOD                                                                                 \
    "\"period\":{\"start\":\"2026-01-02T10:00:00+01:00\",\"end\":"                             \
    "\"2026-01-02T10:20:00+01:00\"}"
    static const struct expectation cases[] = {
        { S12 SCH END PID "RGS|1\rAIS|1||X^Scan\r", "Appointment",
          "\"serviceType\":[{\"coding\":[{\"code\":\"X\",\"display\":\"Scan\"}]}]" },
        { S12 SCH END PID "RGS|1\rAIS|1||X^Scan\rAIS|2||X^Scan\r", "Appointment",
          "\"serviceType\":[{\"coding\":[{\"code\":\"X\",\"display\":\"Scan\"}]}]," },
        { S12 SCH END PID "RGS|1\rAIS|1||X^Scan|" AT "\r", "Appointment",
          "{\"actor\":{\"type\":\"HealthcareService\",\"display\":\"Scan\"},\"status\":"
          "\"accepted\"," PERIOD "}" },
        { S12 SCH END PID "RGS|1\rAIP|1||9^Doc|R^Role||" AT "\r", "Appointment",
          ",\"type\":[{\"coding\":[{\"code\":\"R\",\"display\":\"Role\"}]}],\"status\":"
          "\"accepted\"," PERIOD "}" },
        { S12 SCH END PID "RGS|1\rAIP|1||9^Doc\r", "Practitioner", "\"value\":\"9\"" },
        { S12 SCH END PID "RGS|1\rAIP|1|||R^Role\r", "Appointment",
          "{\"type\":[{\"coding\":[{\"code\":\"R\",\"display\":\"Role\"}]}],\"status\":"
          "\"needs-action\"}" },
        { S12 SCH END PID "RGS|1\rAIL|1||W^2^B|C^Clinic^HL70305||" AT "\r", "Appointment",
          "\"display\":\"W 2 B\"},\"status\":\"accepted\"," PERIOD "}" },
        { S12 SCH END PID "RGS|1\rAIL|1||W^2^B|C^Clinic^HL70305\r", "Location",
          "\"type\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0305\",\"code\":\"C\"" },
        /* general resources are things, unless their kind says otherwise */
        { S12 SCH END PID "RGS|1\rAIG|1||7^Scanner|E^Equipment||||" AT "\r", "Appointment",
          "\"display\":\"Scanner\"},\"status\":\"accepted\"," PERIOD "}" },
        { S12 SCH END PID "RGS|1\rAIG|1||7^Scanner|E^Equipment\r", "Device",
          "\"identifier\":[{\"value\":\"7\"}],\"deviceName\":[{\"name\":\"Scanner\",\"type\":"
          "\"user-friendly-name\"}]" },
        { S12 SCH END PID "RGS|1\rAIG|1||7^Room|R\r", "Location", "\"name\":\"Room\"" },
        { S12 SCH END PID "RGS|1\rAIG|1||7^Who|P\r", "Practitioner",
          "\"name\":[{\"text\":\"Who\"}]" },
        /* without the group segment, as some send */
        { S12 SCH END PID "AIG|1||7^Scanner\r", "Device", "\"value\":\"7\"" },
        /* a start by an offset */
        { S12 SCH END PID "RGS|1\rAIP|1||^Doc||||15|min\r", "Appointment",
          "\"period\":{\"start\":\"2026-01-02T10:15:00+01:00\"}" },
        /* states: what the resource says, what is done to it, what the event is */
        { S12 SCH END PID "RGS|1\rAIP|1||^Doc|||||||||Pending\r", "Appointment",
          "{\"actor\":{\"display\":\"Doc\",\"type\":\"Practitioner\"},\"status\":"
          "\"tentative\"" },
        { SIU("S14") SCH END PID "RGS|1\rAIP|1|D|^Doc\r", "Appointment",
          "{\"actor\":{\"display\":\"Doc\",\"type\":\"Practitioner\"},\"status\":"
          "\"declined\"" },
        { SIU("S20") SCH END PID "RGS|1\rAIP|1||^Doc\r", "Appointment",
          "{\"actor\":{\"display\":\"Doc\",\"type\":\"Practitioner\"},\"status\":"
          "\"declined\"" },
        { SIU("S20") SCH END PID "RGS|1\rAIP|1|X|^Doc\r", "Appointment",
          "{\"actor\":{\"display\":\"Doc\",\"type\":\"Practitioner\"},\"status\":"
          "\"accepted\"" },
        { SIU("S18") SCH END PID "RGS|1\rAIP|1|A|^Doc\r", "Appointment",
          "{\"actor\":{\"display\":\"Doc\",\"type\":\"Practitioner\"},\"status\":"
          "\"accepted\"" },
        /* blocked time is nobody's */
        { SIU("S23") SCH END "RGS|1\rAIL|1||W\r", "Appointment",
          "\"participant\":[{\"actor\":{\"reference\":" },
        { SIU("S23") SCH END, "Appointment",
          "\"participant\":[{\"actor\":{\"display\":\"unknown\"},\"status\":\"accepted\"}]" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* What is said later about an appointment is about the same one; resources are shared. */
static void test_ids_stay(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    struct translated first = { .arena = arena };
    assert_int_equal(
        translate_with(&first, STR(S12 SCH END PID "RGS|1\rAIG|1||7^Scanner\r"), false), 0);
    static const char *const later[] = { "S13", "S14", "S15", "S16", "S17", "S18", "S19",
                                         "S20", "S21", "S22", "S23", "S24", "S26" };
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct translated t = { .arena = arena };
        char text[300];
        (void)snprintf(text, sizeof(text), MSH("SIU^%s") "SCH||F1\r" PID "AIG|2||7\r",
                       later[i]);
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        assert_true(str_eq(entry(&t, "Appointment")->id, entry(&first, "Appointment")->id));
        assert_true(str_eq(entry(&t, "Device")->id, entry(&first, "Device")->id));
    }
    static const char *const others[] = { "SCH|P1|F2\r", "SCH|P1|F1|2\r" };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct translated t = { .arena = arena };
        char text[300];
        (void)snprintf(text, sizeof(text), S12 "%s" PID, others[i]);
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        assert_false(str_eq(entry(&t, "Appointment")->id, entry(&first, "Appointment")->id));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements), cmocka_unit_test(test_states),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_participants),
        cmocka_unit_test(test_ids_stay),
    };
    return cmocka_run_group_tests_name("fhir/translate/scheduling", tests, setup, teardown);
}
