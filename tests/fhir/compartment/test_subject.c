/* Whose data a resource is; the traps among the types of R4. */
#include "fhir/compartment/subject.h"

#include "fhir/format/json.h"
#include "tests/check.h"

#include <zlib.h>

static const struct node *read_json(struct arena *arena, const char *text)
{
    struct issues issues;
    issues_init(&issues, arena);
    const struct node *root;
    if (json_parse(arena, str_z(text), &issues, &root)) {
        fail_msg("no JSON: %s", text);
    }
    return root;
}

/* A list as "1 2 http://x|3 system=value": ids, with what else tells them apart. */
static void show(const struct subject_list *list, char *out, size_t size)
{
    struct buf b = buf_fixed(out, size);
    for (const struct subject_ref *ref = list->first; ref; ref = ref->next) {
        buf_z(&b, b.n ? " " : "");
        if (ref->to.base.n) {
            buf_str_put(&b, ref->to.base);
            buf_c(&b, '|');
        }
        if (!str_eq(ref->to.type, STR("Patient")) && ref->to.form == REFERENCE_RELATIVE) {
            buf_str_put(&b, ref->to.type);
            buf_c(&b, '/');
        }
        buf_str_put(&b, ref->to.id);
        if (ref->to.form == REFERENCE_LOGICAL) {
            buf_str_put(&b, ref->to.system);
            buf_c(&b, '=');
            buf_str_put(&b, ref->to.value);
        }
    }
    buf_c(&b, '\0');
    assert_false(buf_failed(&b));
}

#define R(type, rest) "{\"resourceType\":\"" type "\"" rest "}"
#define TO(name, target) ",\"" name "\":{\"reference\":\"" target "\"}"
#define TOS(name, target) ",\"" name "\":[{\"reference\":\"" target "\"}]"

static void test_subjects(void **state)
{
    static const struct {
        const char *in;
        enum subject_class class;
        const char *patients, *participants;
    } cases[] = {
        /* The usual. */
        { R("Patient", ",\"id\":\"1\""), SUBJECT_KNOWN, "1", "" },
        { R("Observation", TO("subject", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Observation", TO("subject", "Patient/1/_history/3")), SUBJECT_KNOWN, "1", "" },
        { R("AllergyIntolerance", TO("patient", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Coverage", TO("beneficiary", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Organization", ""), SUBJECT_NONE, "", "" },
        { R("Practitioner", ",\"id\":\"1\""), SUBJECT_NONE, "", "" },
        { R("OperationOutcome", ""), SUBJECT_NONE, "", "" },
        { R("Medication", TO("manufacturer", "Organization/1")), SUBJECT_NONE, "", "" },

        /* A mention makes nobody a subject. */
        { R("Observation", TOS("performer", "Patient/1")), SUBJECT_UNKNOWN, "", "1" },
        { R("Observation", TO("subject", "Patient/1") TOS("performer", "Patient/2")),
          SUBJECT_KNOWN, "1", "2" },
        { R("Observation", TO("subject", "Patient/1") TOS("performer", "Patient/1")),
          SUBJECT_KNOWN, "1", "" },
        { R("Condition",
            TO("subject",
               "Patient/1") ",\"asserter\":{\"identifier\":{"
                            "\"system\":\"urn:ietf:rfc:6234#sha-256\",\"value\":\"x\"}}"),
          SUBJECT_KNOWN, "1", "" },
        { R("Condition",
            TO("subject", "Patient/1") ",\"asserter\":{\"identifier\":{"
                                       "\"system\":\"urn:ietf:rfc:6235\",\"value\":\"x\"}}"),
          SUBJECT_KNOWN, "1", "urn:ietf:rfc:6235=x" },
        { R("Observation", TO("subject", "Patient/1") TOS("focus", "Patient/2")), SUBJECT_KNOWN,
          "1", "2" },
        { R("Condition", TO("subject", "Patient/1") TO("recorder", "Patient/2")), SUBJECT_KNOWN,
          "1", "2" },
        { R("Consent", TO("patient", "Patient/1") TOS("performer", "Patient/2")), SUBJECT_KNOWN,
          "1", "2" },
        { R("Coverage", TO("beneficiary", "Patient/1") TO("subscriber", "Patient/2")),
          SUBJECT_KNOWN, "1", "2" },
        { R("Patient", ",\"id\":\"1\",\"link\":[{\"other\":{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "1", "2" },
        { R("MedicationDispense", TO("subject", "Patient/1") TOS("receiver", "Patient/2")),
          SUBJECT_KNOWN, "1", "2" },

        /* Each of several subjects. */
        { R("Account", ",\"subject\":[{\"reference\":\"Patient/1\"},"
                       "{\"reference\":\"Patient/2\"}]"),
          SUBJECT_KNOWN, "1 2", "" },
        { R("Group", ",\"member\":[{\"entity\":{\"reference\":\"Patient/1\"}},"
                     "{\"entity\":{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "1 2", "" },
        { R("Appointment", ",\"participant\":[{\"actor\":{\"reference\":\"Patient/1\"}},"
                           "{\"actor\":{\"reference\":\"Practitioner/2\"}},"
                           "{\"actor\":{\"reference\":\"Patient/3\"}}]"),
          SUBJECT_KNOWN, "1 3", "" },
        { R("Person", ",\"link\":[{\"target\":{\"reference\":\"Patient/1\"}}]"), SUBJECT_KNOWN,
          "1", "" },

        /* Outside of the patient compartment. */
        { R("Task", TO("for", "Patient/1") TO("requester", "Patient/2")), SUBJECT_KNOWN, "1",
          "2" },
        { R("Task", TO("focus", "ServiceRequest/1")), SUBJECT_UNKNOWN, "", "" },
        { R("GuidanceResponse", TO("subject", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Device", TO("patient", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Device", ""), SUBJECT_NONE, "", "" },
        { R("Group", ",\"actual\":false"), SUBJECT_NONE, "", "" },
        { R("Schedule", TOS("actor", "Practitioner/1")), SUBJECT_NONE, "", "" },
        { R("Schedule", TOS("actor", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Slot", TO("schedule", "Schedule/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Binary", TO("securityContext", "DocumentReference/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Binary", TO("securityContext", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Binary", ""), SUBJECT_UNKNOWN, "", "" },
        { R("PaymentReconciliation", ",\"detail\":[{\"request\":{\"reference\":\"Claim/1\"}}]"),
          SUBJECT_UNKNOWN, "", "" },
        { R("Subscription", ",\"criteria\":\"Observation?patient=1\""), SUBJECT_UNKNOWN, "",
          "" },

        /* Derived subjects. */
        { R("Provenance", TOS("target", "Observation/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Provenance", TOS("target", "Patient/1")), SUBJECT_KNOWN, "1", "" },
        { R("Provenance",
            TOS("target",
                "Observation/1") ",\"agent\":[{\"who\":{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_UNKNOWN, "", "2" },
        { R("List", ",\"entry\":[{\"item\":{\"reference\":\"Observation/1\"}}]"),
          SUBJECT_UNKNOWN, "", "" },
        { R("List",
            TO("subject", "Patient/1") ",\"entry\":[{\"item\":{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "1 2", "" },
        { R("Composition",
            TO("subject", "Patient/1") ",\"section\":[{\"section\":[{\"entry\":[{\"reference\":"
                                       "\"Patient/2\"}]}]}]"),
          SUBJECT_KNOWN, "1 2", "" },
        { R("AuditEvent", ",\"entity\":[{\"what\":{\"reference\":\"Patient/1\"}}]"),
          SUBJECT_KNOWN, "1", "" },

        /* Not to be told. */
        { R("Observation", ""), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "Location/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "Group/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "1")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "patient/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "/Patient/1")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "Patient/1") TOS("performer", "1")), SUBJECT_UNKNOWN,
          "1", "" },
        { R("Observation", ",\"subject\":{\"display\":\"x\"}"), SUBJECT_UNKNOWN, "", "" },
        { R("Unheard", TO("subject", "Patient/1")), SUBJECT_UNKNOWN, "", "" },
        { "{\"x\":1}", SUBJECT_UNKNOWN, "", "" },
        { R("Parameters", ",\"parameter\":[]"), SUBJECT_UNKNOWN, "", "" },
        { R("Patient", ""), SUBJECT_UNKNOWN, "", "" },

        /* Other forms of reference. */
        { R("Observation", TO("subject", "http://x/fhir/Patient/1")), SUBJECT_KNOWN,
          "http://x/fhir|1", "" },
        { R("Observation", TO("subject", "http://x/Patient?x=1")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation", ",\"subject\":{\"identifier\":{\"system\":\"s\",\"value\":\"v\"}}"),
          SUBJECT_KNOWN, "s=v", "" },
        { R("Observation",
            ",\"subject\":{\"type\":\"Device\",\"identifier\":{\"value\":\"v\"}}"),
          SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "urn:uuid:1")), SUBJECT_KNOWN, "urn:uuid:1", "" },
        { R("Observation", TO("subject", "Patient?identifier=s|v")), SUBJECT_KNOWN, "s=v", "" },
        { R("Patient", ",\"identifier\":[{\"system\":\"s\",\"value\":\"v\"}]"), SUBJECT_KNOWN,
          "s=v", "" },
        { R("Observation",
            TO("subject", "Patient/1") ",\"performer\":[{\"identifier\":{\"value\":\"v\"}}]"),
          SUBJECT_KNOWN, "1", "=v" },

        /* Mentions where no element is for them. */
        { R("Observation",
            TO("subject", "Patient/1") ",\"extension\":[{\"url\":\"u\",\"valueReference\":"
                                       "{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "1", "2" },
        { R("Observation",
            TO("subject",
               "Patient/1") ",\"note\":[{\"authorReference\":{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "1", "2" },
        { R("Organization", ",\"extension\":[{\"url\":\"u\",\"valueReference\":"
                            "{\"reference\":\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "2", "" },

        /* Contained resources. */
        { R("Observation", TO("subject", "#p") ",\"contained\":[{\"resourceType\":\"Patient\","
                                               "\"id\":\"p\",\"identifier\":[{\"system\":\"s\","
                                               "\"value\":\"v\"}]}]"),
          SUBJECT_KNOWN, "s=v", "" },
        { R("Observation",
            TO("subject", "#p") ",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\"}]"),
          SUBJECT_UNKNOWN, "", "" },
        { R("Observation", TO("subject", "#p")), SUBJECT_UNKNOWN, "", "" },
        { R("Observation",
            TO("subject",
               "Patient/1") ",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"p\","
                            "\"identifier\":[{\"value\":\"v\"}]}]"),
          SUBJECT_KNOWN, "1", "=v" },
        { R("DiagnosticReport",
            TO("subject", "Patient/1") ",\"contained\":[{\"resourceType\":\"Observation\","
                                       "\"id\":\"o\",\"subject\":{\"reference\":"
                                       "\"Patient/2\"}}]"),
          SUBJECT_KNOWN, "1 2", "" },

        /* Bundles. */
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":"
          "\"Patient\",\"id\":\"1\"}},{\"resource\":{\"resourceType\":\"Observation\","
          "\"subject\":{\"reference\":\"Patient/2\"}}}]}",
          SUBJECT_KNOWN, "1 2", "" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":"
          "\"Organization\"}}]}",
          SUBJECT_NONE, "", "" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":"
          "\"Observation\"}},{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]}",
          SUBJECT_UNKNOWN, "1", "" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"request\":{}}]}", SUBJECT_UNKNOWN, "",
          "" },
        { "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"urn:uuid:p\",\"resource\":{"
          "\"resourceType\":\"Patient\",\"identifier\":[{\"value\":\"v\"}]}},{\"fullUrl\":"
          "\"urn:uuid:o\",\"resource\":{\"resourceType\":\"Observation\",\"subject\":{"
          "\"reference\":\"urn:uuid:p\"}}},{\"resource\":{\"resourceType\":\"Provenance\","
          "\"target\":[{\"reference\":\"urn:uuid:o\"}]}}]}",
          SUBJECT_KNOWN, "=v", "" },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1024);
        struct subjects got;
        assert_int_equal(subject_find(arena, read_json(arena, cases[i].in), &got), 0);
        char patients[256];
        char participants[256];
        show(&got.patients, patients, sizeof(patients));
        show(&got.participants, participants, sizeof(participants));
        if (got.class != cases[i].class || strcmp(patients, cases[i].patients) != 0 ||
            strcmp(participants, cases[i].participants) != 0) {
            fail_msg("%s: class %d, patients %s, participants %s", cases[i].in, got.class,
                     patients, participants);
        }
        assert_int_equal(got.class == SUBJECT_UNKNOWN, got.why != NULL);
    }
}

static void test_types(void **state)
{
    (void)state;
    assert_int_equal(subject_of_type(STR("Location")), SUBJECT_NONE);
    assert_int_equal(subject_of_type(STR("Observation")), SUBJECT_UNKNOWN);
    assert_int_equal(subject_of_type(STR("Device")), SUBJECT_UNKNOWN);
    assert_int_equal(subject_of_type(STR("Nothing")), SUBJECT_UNKNOWN);
    assert_true(subject_type_known(STR("Account")));
    assert_true(subject_type_known(STR("VisionPrescription")));
    assert_false(subject_type_known(STR("Visio")));
    assert_false(subject_type_known(STR("")));
}

static void test_a_real_record_is_one_patients(void **state)
{
    (void)state;
    char path[1024];
    check_data("synthea_r4/Max_Dicki_d9f8849f-e4a7-4ced-b057-c618db16a117.json.gz", path,
               sizeof(path));
    static char text[4 << 20];
    gzFile file = gzopen(path, "rb");
    assert_non_null(file);
    int n = gzread(file, text, sizeof(text) - 1);
    (void)gzclose(file);
    assert_true(n > 0);

    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
    const struct node *root = read_json(arena, text);
    struct subjects got;
    const struct node *entry = node_first(node_get(root, "entry"));
    for (; entry; entry = entry->next) {
        assert_int_equal(subject_find(arena, node_get(entry, "resource"), &got), 0);
        assert_int_equal(got.patients.count, got.class == SUBJECT_KNOWN ? 1 : 0);
        assert_int_not_equal(got.class, SUBJECT_UNKNOWN);
    }
    assert_int_equal(subject_find(arena, root, &got), 0);
    assert_int_equal(got.class, SUBJECT_KNOWN);
    assert_int_equal(got.patients.count, 1);
    assert_int_equal(got.participants.count, 0);
}

/* Numbers are stored: whatever is added to the table, these must stay. */
static void test_numbers_of_types_never_change(void **state)
{
    static const struct {
        const char *type;
        unsigned number;
    } cases[] = {
        { "Account", 1 },     { "Composition", 26 },         { "Observation", 96 },
        { "Patient", 103 },   { "VisionPrescription", 147 }, { "Nothing", 0 },
        { "observation", 0 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(subject_type_number(str_z(cases[i].type)), cases[i].number);
        if (cases[i].number) {
            assert_string_equal(subject_type_name(cases[i].number), cases[i].type);
        }
    }
    assert_null(subject_type_name(0));
    assert_null(subject_type_name(148));
}

/* A Group of @members, each named twice. */
static struct str group(struct arena *arena, int members)
{
    struct buf b = arena_buf(arena, 16 << 20);
    buf_z(&b, "{\"resourceType\":\"Group\",\"type\":\"person\",\"actual\":true,\"member\":[");
    for (int i = 0; i < 2 * members; i++) {
        buf_fmt(&b, "%s{\"entity\":{\"reference\":\"Patient/%d\"}}", i ? "," : "", i / 2);
    }
    buf_z(&b, "]}");
    buf_c(&b, '\0');
    assert_false(buf_failed(&b));
    return buf_str(&b);
}

/* Work is bounded: whose data what names too many is, nobody is told. */
static void test_as_many_as_can_be_compared(void **state)
{
    static const struct {
        int members;
        enum subject_class class;
    } cases[] = { { 3000, SUBJECT_KNOWN }, { 30000, SUBJECT_UNKNOWN } };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 20);
        struct subjects got;
        const struct node *root = read_json(arena, group(arena, cases[i].members).p);
        assert_int_equal(subject_find(arena, root, &got), 0);
        assert_int_equal(got.class, cases[i].class);
        if (got.class == SUBJECT_KNOWN) {
            assert_int_equal(got.patients.count, cases[i].members);
        } else {
            assert_string_equal(got.why, "more references than are compared");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_of_types_never_change),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_as_many_as_can_be_compared),
        cmocka_unit_test(test_a_real_record_is_one_patients),
    };
    return cmocka_run_group_tests_name("subject", tests, NULL, NULL);
}
