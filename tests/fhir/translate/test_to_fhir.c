#include "tests/check.h"

#include "fhir/format/json.h"
#include "fhir/format/json_write.h"
#include "tests/fhir/translate/translated.h"

#include <errno.h>

/* What one segment becomes: a piece of the resource named. */
static void test_elements(void **state)
{
    static const struct {
        const char *message, *type, *want;
    } cases[] = {
        /* identifiers: a system only from what somebody wrote down, or a universal id */
        { ADT PID, "Patient", "\"system\":\"urn:oid:1.2.3.4\",\"value\":\"7\"" },
        { ADT "PID|1||7^^^GEN", "Patient",
          "[{\"value\":\"7\",\"assigner\":{\"display\":\"GEN\"}}]" },
        { ADT "PID|1||7^^^GEN&1.9&ISO", "Patient", "\"system\":\"urn:oid:1.9\"" },
        /* names */
        { ADT PID "PV1|1|I\r", "Encounter", "\"code\":\"IMP\"" },
        { ADT "PID|1||7||Doe&van^Jane^M^Jr^Dr^^L", "Patient",
          "\"name\":[{\"use\":\"official\",\"family\":\"Doe\",\"given\":[\"Jane\",\"M\"],"
          "\"prefix\":[\"Dr\"],\"suffix\":[\"Jr\"],\"_family\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/humanname-own-prefix\","
          "\"valueString\":\"van\"}]}}]" },
        { ADT "PID|1||7||O\\T\\Neil^J\xf6rg", "Patient",
          "\"family\":\"O&Neil\",\"given\":[\"J\xc3\xb6rg\"]" },
        { ADT "PID|1||7|||||X", "Patient", "\"gender\":\"other\"" },
        { ADT "PID|1||7|||197002", "Patient", "\"value\":\"7\"" },
        { ADT "PID|1||7||||197002", "Patient", "\"birthDate\":\"1970-02\"" },
        { ADT "PID|1||7||||19700203101500+0100", "Patient",
          "\"birthDate\":\"1970-02-03\",\"_birthDate\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/patient-birthTime\","
          "\"valueDateTime\":\"1970-02-03T10:15:00+01:00\"}]}" },
        { ADT "PID|1||7||||||||1 Main St^Apt 2^Town^ST^123^DE^H", "Patient",
          "\"address\":[{\"use\":\"home\",\"line\":[\"1 Main St\",\"Apt 2\"],\"city\":\"Town\","
          "\"state\":\"ST\",\"postalCode\":\"123\",\"country\":\"DE\"}]" },
        { ADT "PID|1||7||||||||||^PRN^PH^^49^30^123456", "Patient",
          "\"telecom\":[{\"system\":\"phone\",\"value\":\"+49 30 123456\",\"use\":\"home\"," },
        /* a use or an extension without a number is no way to reach anybody */
        { ADT "PID|1||7^^^LAB||||||||||^PRN^PH~^^FX^^1", "Patient", "\"display\":\"LAB\"}}]}" },
        { ADT "PID|1||7||||||||||^NET^Internet^a@b.example", "Patient",
          "{\"system\":\"email\",\"value\":\"a@b.example\"}" },
        { ADT "PID|1||7|||||||||||||M", "Patient",
          "\"maritalStatus\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus\",\"code\":\"M\","
          "\"display\":\"Married\"},{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0002\",\"code\":\"M\"}]}" },
        /* a code or time with more components is its first */
        { ADT "PID|1||7||||19700203^D|F^Female^HL70001", "Patient",
          "\"gender\":\"female\",\"birthDate\":\"1970-02-03\"" },
        { ADT PID "PV1|1|P^Preadmit|W\r", "Encounter", "\"status\":\"planned\"" },
        /* protection */
        { ADT PID "PD1||||||||||||Y\r", "Patient",
          "\"meta\":{\"security\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-Confidentiality\",\"code\":\"R\"," },
        { ORU PID "ORC|RE|P|F|||||||||||||||||||||||||R\rOBR|1|P|F|C\rOBX|1|ST|A||x\r",
          "Observation",
          "\"meta\":{\"security\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-Confidentiality\",\"code\":\"R\"}]}" },
        /* visit */
        { MSH("ADT^A03") PID "PV1|1|O\r", "Encounter", "\"status\":\"finished\"" },
        { ADT PID "PV1|1|I|W^2^B||||||||||||||||V1^^^LAB\r", "Encounter", "\"value\":\"V1\"" },
        { ADT PID "PV1|1|I|W^2^B\r", "Location", "\"value\":\"W^2^B\"" },
        { ADT PID "PV1|1|I|||||55^Who^Doc^^^Dr^^^LAB\r", "Practitioner",
          "\"name\":[{\"family\":\"Who\",\"given\":[\"Doc\"],\"prefix\":[\"Dr\"]}]" },
        { ADT PID "PV1|1|I|||||^Who^Doc\r", "Encounter",
          "\"individual\":{\"display\":\"Doc Who\",\"type\":\"Practitioner\"}" },
        { ADT PID "NK1|1|Doe^Joe|SPO\r", "RelatedPerson", "\"code\":\"SPS\"" },
        { ADT PID "IN1|1|P|C1^^^LAB|Payer Inc||||||||20260101||||||||||||||||||||||||S9\r",
          "Coverage", "\"subscriberId\":\"S9\"" },
        /* values */
        { ORU PID "OBR|1|P|F|C^N^LN\rOBX|1|NM|A^B^LN||1.00|mg||||F\r", "Observation",
          "\"valueQuantity\":{\"value\":1.00,\"unit\":\"mg\"}" },
        { ORU PID "OBR|1|P|F\rOBX|1|NM|A||+01.50|mg/L^^UCUM\r", "Observation",
          "{\"value\":1.50,\"_value\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/"
          "originalText\",\"valueString\":\"+01.50\"}]},"
          "\"unit\":\"mg/L\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"mg/L\"}" },
        { ORU PID "OBR|1|P|F\rOBX|1|NM|A||negative\r", "Observation",
          "\"valueString\":\"negative\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|SN|A||<^0.10\r", "Observation",
          "\"valueQuantity\":{\"value\":0.10,\"comparator\":\"<\"}" },
        { ORU PID "OBR|1|P|F\rOBX|1|SN|A||^1^:^128\r", "Observation",
          "\"valueRatio\":{\"numerator\":{\"value\":1},\"denominator\":{\"value\":128}}" },
        { ORU PID "OBR|1|P|F\rOBX|1|SN|A||^1^-^5\r", "Observation",
          "\"valueRange\":{\"low\":{\"value\":1},\"high\":{\"value\":5}}" },
        { ORU PID "OBR|1|P|F\rOBX|1|SN|A||^2^+\r", "Observation", "\"valueString\":\"2+\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|CWE|A||1^One^SCT\r", "Observation",
          "\"valueCodeableConcept\":{\"coding\":[{\"system\":\"http://snomed.info/sct\","
          "\"code\":\"1\",\"display\":\"One\"}]}" },
        { ORU PID "OBR|1|P|F\rOBX|1|TX|A||one~two\\.br\\three\r", "Observation",
          "\"valueString\":\"one\\ntwo\\nthree\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|DT|A||20260102\r", "Observation",
          "\"valueDateTime\":\"2026-01-02\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|TM|A||1112\r", "Observation",
          "\"valueTime\":\"11:12:00\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|NM|A||1|||H|||F|||20260102030405.123-0500\r", "Observation",
          "\"effectiveDateTime\":\"2026-01-02T03:04:05.123-05:00\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|NM|A||1|||H|||C\r", "Observation",
          "\"status\":\"corrected\"" },
        { ORU PID "OBR|1|P|F\rOBX|1|ST|A||x\rNTE|1||a~b\rNTE|2||c\r", "Observation",
          "\"note\":[{\"text\":\"a\\nb\"},{\"text\":\"c\"}]" },
        { ORU PID
          "OBR|1|P|F|C|||||||||||||||||||||F\rOBX|1|ED|A||^application^pdf^Base64^QUJD\r",
          "DiagnosticReport", "\"contentType\":\"application/pdf\",\"data\":\"QUJD\"" },
        { ORU PID "OBR|1|P|F|C\rSPM|1|S^T||BLD\r", "Specimen", "\"value\":\"T\"" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), false), 0);
        const struct translate_entry *e = entry(&t, cases[i].type);
        assert_non_null(e);
        if (!memmem(e->resource.p, e->resource.n, cases[i].want, strlen(cases[i].want))) {
            print_error("case %zu: want %s\nin %.*s\n", i, cases[i].want, (int)e->resource.n,
                        e->resource.p);
            fail();
        }
    }
}

static void test_times_take_the_senders_zone(void **state)
{
    static const struct {
        const char *time;
        bool zoned;
        const char *want;
        size_t warnings;
    } cases[] = {
        { "2026", true, "\"start\":\"2026\"", 0 },
        { "20260102", true, "\"start\":\"2026-01-02\"", 0 },
        { "202601020304", true, "\"start\":\"2026-01-02T03:04:00+02:00\"", 0 },
        { "20260102030405.1", true, "\"start\":\"2026-01-02T03:04:05.1+02:00\"", 0 },
        { "20260102030405Z", true, "\"class\"", 1 }, /* not a time of HL7 */
        { "20260102030405-0330", true, "\"start\":\"2026-01-02T03:04:05-03:30\"", 0 },
        { "202601020304", false,
          "\"start\":\"2026-01-02\",\"_start\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/originalText\","
          "\"valueString\":\"202601020304\"}]}",
          1 },
        { "198001020304", true, "\"start\":\"1980-01-02\",\"_start\"", 1 },
        { "20260002", true, "\"class\"", 1 },
        { "20260000", true, "\"start\":\"2026\"", 0 },
        { "20260230", true, "\"class\"", 1 },
        { "20260102240000", true, "\"class\"", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        char text[400];
        (void)snprintf(text, sizeof(text), ADT PID "PV1|1|I%.42s%s\r",
                       "||||||||||||||||||||||||||||||||||||||||||", cases[i].time);
        assert_int_equal(translate_with(&t, str_z(text), cases[i].zoned), 0);
        const struct translate_entry *e = entry(&t, "Encounter");
        assert_non_null(e);
        assert_non_null(
            memmem(e->resource.p, e->resource.n, cases[i].want, strlen(cases[i].want)));
        assert_int_equal(t.issues.count, cases[i].warnings);
    }
}

/* Types and places of all entries, in order. */
static void test_what_is_written_where(void **state)
{
    static const struct {
        const char *message, *want;
    } cases[] = {
        { ADT PID, "Patient?identifier=urn%3aoid%3a1.2.3.4%7C7 Provenance/" },
        { ADT "PID|1||7^^^GEN", "Patient/ Provenance/" },
        { ADT PID "PV1|1|I|||||||||||||||||V^^^LAB",
          "Patient?identifier=urn%3aoid%3a1.2.3.4%7C7 "
          "Encounter?identifier=urn%3aoid%3a1.2.3.4%7CV Provenance/" },
        { ORU PID "OBR|1||F|C\rOBX|1|ST|A||x\rOBX|2|ST|A||y\r",
          "Patient?identifier=urn%3aoid%3a1.2.3.4%7C7 ServiceRequest/ DiagnosticReport/ "
          "Observation/ Observation/ Provenance/" },
        { MSH("ADT^A40^ADT_A39") PID "MRG|9^^^LAB",
          "Patient?identifier=urn%3aoid%3a1.2.3.4%7C7 "
          "Patient?identifier=urn%3aoid%3a1.2.3.4%7C9 "
          "Provenance/" },
        /* the same patient twice is one entry */
        { ORU PID "OBR|1||F|C\r" PID "OBR|1||G|C\r",
          "Patient?identifier=urn%3aoid%3a1.2.3.4%7C7 ServiceRequest/ DiagnosticReport/ "
          "ServiceRequest/ DiagnosticReport/ Provenance/" },
        { ADT "PID|1||a\\T\\b$c^^^LAB", "Patient?identifier=urn%3aoid%3a1.2.3.4%7Ca%26b%5C%24c "
                                        "Provenance/" },
        { ADT, "" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), false), 0);
        struct buf got = arena_buf(arena, 100000);
        for (size_t j = 0; j < t.result.count; j++) {
            const struct translate_entry *e = &t.result.entries[j];
            buf_z(&got, j ? " " : "");
            buf_str_put(&got, str_slice(e->url, 0, e->url.n - e->id.n));
        }
        assert_str(buf_str(&got), cases[i].want);
    }
}

static void test_a40_links_both_patients(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    assert_int_equal(translate_with(&t, STR(MSH("ADT^A40^ADT_A39") PID "MRG|9^^^LAB\r"), false),
                     0);
    const struct translate_entry *stays = &t.result.entries[0];
    const struct translate_entry *goes = &t.result.entries[1];
    struct buf want = arena_buf(arena, 1000);
    buf_z(&want, "\"link\":[{\"other\":{\"reference\":\"");
    buf_str_put(&want, goes->full_url);
    buf_z(&want, "\"},\"type\":\"replaces\"}]");
    assert_non_null(memmem(stays->resource.p, stays->resource.n, want.p, want.n));
    want.n = 0;
    buf_z(&want, "\"active\":false,\"link\":[{\"other\":{\"reference\":\"");
    buf_str_put(&want, stays->full_url);
    buf_z(&want, "\"},\"type\":\"replaced-by\"}]");
    assert_non_null(memmem(goes->resource.p, goes->resource.n, want.p, want.n));
}

static void test_deletes_and_defaults(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    assert_int_equal(translate_with(&t,
                                    STR(MSH("ADT^A08") "PID|1||7^^^LAB||||\"\"|M|||\"\"\r"
                                                       "PV1|1|I\r"),
                                    false),
                     0);
    const struct translate_entry *patient = entry(&t, "Patient");
    const struct translate_path *first = patient->deletes;
    assert_non_null(first);
    assert_non_null(first->next);
    assert_null(first->next->next);
    assert_true(str_eq(first->path, STR("address")) || str_eq(first->path, STR("birthDate")));
    assert_null(patient->defaults);
    const struct translate_entry *visit = entry(&t, "Encounter");
    assert_str(visit->defaults->path, "status"); /* an update says nothing about it */
}

/* A correction has the ids of what it corrects, whatever its own number and time. */
static void test_ids_depend_on_the_order_alone(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated a = { .arena = arena };
    struct translated b = { .arena = arena };
    struct translated c = { .arena = arena };
    assert_int_equal(
        translate_with(&a, STR(ORU PID "OBR|1|P|F|C\rOBX|1|NM|A||1||||||P\r"), false), 0);
    assert_int_equal(translate_with(&b,
                                    STR("MSH|^~\\&|APP|FAC|||2027||ORU^R01|8|P|2.3\r" PID
                                        "PV1|1|I\rORC|RE|P|F\rOBR|7|P|F|C\r"
                                        "OBX|3|NM|A||2||||||C\r"),
                                    false),
                     0);
    assert_int_equal(
        translate_with(&c, STR(ORU PID "OBR|1|P|G|C\rOBX|1|NM|A||1||||||P\r"), false), 0);
    /* Without a number the time tells orders apart; a visit number does without a time. */
    struct translated d = { .arena = arena };
    struct translated e = { .arena = arena };
    assert_int_equal(
        translate_with(&d, STR(ORU PID "PV1|1|I|||||||||||||||||V\rOBR|1|||C|||2025\r"), false),
        0);
    assert_int_equal(
        translate_with(&e,
                       STR(ORU PID "PV1|1|O|||||||||||||||||V|||||||||||||||||||||||||2024\r"
                                   "OBR|1|||C|||2026\r"),
                       false),
        0);
    assert_false(str_eq(entry(&d, "DiagnosticReport")->id, entry(&e, "DiagnosticReport")->id));
    assert_true(str_eq(entry(&d, "Encounter")->id, entry(&e, "Encounter")->id));
    static const char *const types[] = { "Observation", "DiagnosticReport", "ServiceRequest" };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        assert_true(str_eq(entry(&a, types[i])->id, entry(&b, types[i])->id));
        assert_false(str_eq(entry(&a, types[i])->id, entry(&c, types[i])->id));
    }
}

static void test_what_is_not_read_is_told(void **state)
{
    static const struct {
        const char *message;
        size_t unread;
        const char *place; /* of the last issue */
    } cases[] = {
        { ADT PID, 0, NULL },
        { ADT PID "ZPI|1|x\r", 1, "ZPI" },
        { ADT "PID|1||7^^^LAB||||||||||||||||||||||||V\r", 1, "PID[1]-27" },
        { ADT PID "ODS|1\rPSH|1\r", 2, "PSH" },
        { ADT "PID|1||7^^^LAB^MR^FAC||Doe^^^^^^^^x\r", 2, "message" }, /* components */
        { ADT PID "garbage\r", 1, "message" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        assert_int_equal(translate_with(&t, str_z(cases[i].message), false), 0);
        assert_int_equal(t.result.unread, cases[i].unread);
        if (cases[i].place) {
            assert_str(t.issues.last->place, cases[i].place);
        }
    }
}

static void test_unknown_types_refused(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    assert_int_equal(translate_with(&t, STR(MSH("ZZZ^Z01") PID), false), TRANSLATE_E_TYPE);
}

static void test_memory_exhausted(void **state)
{
    (void)state;
    int failed = 0;
    for (size_t limit = 1024; limit < 40000; limit += 160) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(256);
        arena_limit(arena, limit);
        struct translated t = { .arena = arena };
        int r = translate_with(
            &t, STR(ORU PID "PV1|1|I|W|||||9^Who\rOBR|1|P|F|C\rOBX|1|NM|A||1||||||P\r"), false);
        assert_true(r == 0 || r == -ENOMEM);
        failed += r != 0;
    }
    assert_true(failed > 10);
}

/* Every Bundle is JSON, the same each time, and its resources stand where the entries say. */
static void check_message(const char *path)
{
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated first = { .arena = arena };
    struct translated again = { .arena = arena };
    int r = translate_with(&first, str_of(text, n), true);
    if (r == 0) {
        assert_int_equal(translate_with(&again, str_of(text, n), true), 0);
        assert_true(str_eq(first.result.bundle, again.result.bundle));
        const struct node *root;
        assert_int_equal(json_parse(arena, first.result.bundle, &again.issues, &root), 0);
        for (size_t i = 0; i < first.result.count; i++) {
            const struct translate_entry *e = &first.result.entries[i];
            assert_int_equal(json_parse(arena, e->resource, &again.issues, &root), 0);
            assert_str(node_text(root, "resourceType"), e->type);
            assert_true(e->id.n > 0 || e->identifier_count > 0);
        }
    }
    free(text);
}

/* Facts that any right translation carries; those we can't know are listed in the README. */
static bool carries(const struct translate_result *result, struct str fact)
{
    char quoted[4096];
    struct buf b = buf_fixed(quoted, sizeof(quoted));
    json_quote(&b, fact);
    return memmem(result->bundle.p, result->bundle.n, b.p + 1, b.n - 2) != NULL;
}

/* Facts looked for and those not found. */
struct facts {
    size_t messages;
    size_t all;
    size_t missing;
};

static void expect(struct facts *facts, const struct translate_result *result, struct str fact)
{
    facts->all += fact.n != 0;
    facts->missing += fact.n && !carries(result, fact);
}

static void expect_list(struct facts *facts, const struct translate_result *result,
                        const struct node *list)
{
    for (const struct node *n = node_first(list); n; n = n->next) {
        expect(facts, result, n->text);
    }
}

/* Codes of all results, values of those that stay the text they are. */
static void expect_results(struct facts *facts, const struct translate_result *result,
                           const struct node *list)
{
    for (const struct node *obx = node_first(list); obx; obx = obx->next) {
        struct str type = node_text(obx, "type");
        bool text_type = str_eq(type, STR("ST")) || str_eq(type, STR("CE")) ||
                         str_eq(type, STR("CWE")) || str_eq(type, STR("IS"));
        expect(facts, result, node_text(obx, "code"));
        if (text_type) {
            expect(facts, result, node_text(obx, "value"));
        }
    }
}

/* Vaccines: code, day and lot of each. */
static void expect_vaccines(struct facts *facts, const struct translate_result *result,
                            const struct node *list)
{
    for (const struct node *rxa = node_first(list); rxa; rxa = rxa->next) {
        struct str when = node_text(rxa, "when");
        char day[32] = "";
        if (when.n >= 8) {
            (void)snprintf(day, sizeof(day), "%.4s-%.2s-%.2s", when.p, when.p + 4, when.p + 6);
        }
        expect(facts, result, node_text(rxa, "cvx"));
        expect(facts, result, str_z(day));
        expect(facts, result, node_text(rxa, "lot"));
    }
}

/* @line of facts against the translation of their message, if it has one. */
static void check_facts(const struct node *line, struct facts *facts)
{
    char name[256];
    char path[2048];
    (void)snprintf(name, sizeof(name), "v2_messages/%.*s", (int)node_text(line, "file").n,
                   node_text(line, "file").p);
    check_data(name, path, sizeof(path));
    check_message(path);
    size_t n = 0;
    char *text = check_read(path, &n);
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena };
    if (translate_with(&t, str_of(text, n), true) == 0) {
        static const char *const paths[] = { "patient.family", "patient.given",
                                             "patient.gender", "patient.birthDate" };
        size_t before = facts->missing;
        for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
            const struct node *fact = node_at(line, paths[i]);
            expect(facts, &t.result, fact ? fact->text : (struct str){ 0 });
        }
        expect_list(facts, &t.result, node_at(line, "patient.ids"));
        expect_list(facts, &t.result, node_get(line, "al1"));
        expect_list(facts, &t.result, node_get(line, "dg1"));
        expect_results(facts, &t.result, node_get(line, "obx"));
        expect_vaccines(facts, &t.result, node_get(line, "rxa"));
        facts->messages++;
        if (facts->missing > before) {
            print_message("%zu facts missing: %s\n", facts->missing - before, name);
        }
    }
    free(text);
}

static void test_known_messages_carry_their_facts(void **state)
{
    (void)state;
    char path[1024];
    check_data("v2_messages/facts.jsonl", path, sizeof(path));
    char *text = check_read(path, NULL);
    assert_non_null(text);
    struct str rest = str_z(text);
    struct facts facts = { 0 };
    while (rest.n) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct issues issues;
        issues_init(&issues, arena);
        const struct node *line;
        assert_int_equal(json_parse(arena, str_cut(&rest, '\n'), &issues, &line), 0);
        check_facts(line, &facts);
    }
    free(text);
    print_message("%zu messages, %zu of %zu facts missing\n", facts.messages, facts.missing,
                  facts.all);
    assert_true(facts.messages >= 395);
    assert_true(facts.missing * 200 <= facts.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_times_take_the_senders_zone),
        cmocka_unit_test(test_what_is_written_where),
        cmocka_unit_test(test_a40_links_both_patients),
        cmocka_unit_test(test_deletes_and_defaults),
        cmocka_unit_test(test_ids_depend_on_the_order_alone),
        cmocka_unit_test(test_what_is_not_read_is_told),
        cmocka_unit_test(test_unknown_types_refused),
        cmocka_unit_test(test_memory_exhausted),
        cmocka_unit_test(test_known_messages_carry_their_facts),
    };
    return cmocka_run_group_tests_name("fhir/translate/to_fhir", tests, setup, teardown);
}
