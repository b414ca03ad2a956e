/* What MDM messages become: documents, their states, what they replace, and their content. */
#include "tests/fhir/translate/expectation.h"

#define MDM(event) MSH("MDM^" event) "EVN|" event "|20260102\r"
#define T02 MDM("T02") PID
#define TXA "TXA|1|HP|TX|||||||||D1^^1.2^ISO|||||AU\r"
#define TEXT "OBX|1|TX|HP^History||first~second||||||F\rOBX|2|FT|HP^History||third\r"
#define ED(data) "OBX|1|ED|HP^History||" data "||||||F\r"

static void test_elements(void **state)
{
    static const struct expectation cases[] = {
        { T02 TXA TEXT, "DocumentReference",
          "\"masterIdentifier\":{\"system\":\"urn:oid:1.2\",\"value\":\"D1\"}" },
        { T02 TXA TEXT, "DocumentReference", "\"status\":\"current\",\"docStatus\":\"final\"" },
        { T02 TXA TEXT, "DocumentReference",
          "\"type\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0270\","
          "\"code\":\"HP\"}]}" },
        { T02 TXA TEXT, "DocumentReference",
          "\"category\":[{\"coding\":[{\"code\":\"HP\",\"display\":\"History\"}]}]" },
        { T02 TXA TEXT, "DocumentReference", "\"subject\":{\"reference\":\"urn:uuid:" },
        { T02 "TXA|1|HP||20260103|5^Do|20260102030405+0100|20260104||9^Wri|8^Mea|7^Ty|D1||P1"
              "|F1|a/b.rtf|AU|R|AV|||6^Sig^^^^^^^^^^^^^20260105|||Title~two||FAC|CARD\r" TEXT,
          "DocumentReference", "\"date\":\"2026-01-02T03:04:05+01:00\"" },
        { T02 "TXA|1|HP||||20260102\r" TEXT, "DocumentReference",
          "{\"url\":\"http://hl7.org/fhir/6.0/StructureDefinition/extension-date\","
          "\"valueDateTime\":\"2026-01-02\"}" },
        { T02 "TXA|1|HP||||||||||D1||||a/b.rtf\r" TEXT, "DocumentReference",
          "\"identifier\":[{\"value\":\"a/b.rtf\"}]" },
        { T02 "TXA|1|HP||||||||||D1|||||||||||||Title~two\r" TEXT, "DocumentReference",
          "\"description\":\"Title\\ntwo\"" },
        { T02 "TXA|1|HP||||||||||D1||||||R\r" TEXT, "DocumentReference",
          "\"securityLabel\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0272\",\"code\":\"R\"}]}]" },
        { T02 "TXA|1|HP||20260103\r" TEXT, "DocumentReference",
          "\"context\":{\"period\":{\"start\":\"2026-01-03\"}}" },
        { T02 "TXA|1|HP||||||||||D1||P1|F1\r" TEXT, "DocumentReference",
          "\"related\":[{\"type\":\"ServiceRequest\",\"identifier\":{\"type\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PLAC\"," },
        { T02 "ORC|RE|P1|F1\rOBR|1|P1|F1|C\rTXA|1|HP||||||||||D1||P1|F1\r" TEXT,
          "DocumentReference", "\"related\":[{\"reference\":\"urn:uuid:" },
        { T02 "ORC|RE|P1|F1\rOBR|1|P1|F1|C\r" TXA TEXT, "ServiceRequest", "\"value\":\"P1\"" },
        { T02 "PV1|1|I\r" TXA TEXT, "DocumentReference",
          "\"encounter\":[{\"reference\":\"urn:uuid:" },
        { T02 TXA "CON|1|001|F1||||||||A|20260102\r" TEXT, "Consent", "\"status\":\"active\"" },
        /* who did it, before who was meant to, and when */
        { T02 "TXA|1|HP|||||||9^Wri|^Mea|||||||AU\r" TEXT, "DocumentReference",
          "\"authenticator\":{\"display\":\"Mea\",\"type\":\"Practitioner\"}" },
        { T02 "TXA|1|HP|||||||9^Wri|^Mea|||||||LA|||||^Sig^^^^^^^^^^^^^20260105\r" TEXT,
          "DocumentReference",
          "\"authenticator\":{\"display\":\"Sig\",\"type\":\"Practitioner\"}" },
        { T02 "TXA|1|HP|||||||||||||||LA|||||^Sig^^^^^^^^^^^^^20260105\r" TEXT,
          "DocumentReference",
          "extension-DocumentReference.attester\",\"extension\":[{\"url\":\"time\","
          "\"valueDateTime\":\"2026-01-05\"},{\"url\":\"party\",\"valueReference\":{"
          "\"display\":\"Sig\",\"type\":\"Practitioner\"}},{\"url\":\"mode\","
          "\"valueCodeableConcept\":{\"coding\":[{"
          "\"system\":\"http://hl7.org/fhir/"
          "composition-attestation-mode\",\"code\":\"legal\"" },
        { T02 "TXA|1|HP||||||||||D1|||||||||||||||FAC|CARD^Cardiology\r" TEXT,
          "DocumentReference",
          "\"custodian\":{\"display\":\"FAC\",\"type\":\"Organization\"}" },
        { T02 "TXA|1|HP||||||||||D1|||||||||||||||FAC|CARD^Cardiology\r" TEXT,
          "DocumentReference",
          "\"practiceSetting\":{\"coding\":[{\"code\":\"CARD\",\"display\":\"Cardiology\"}]}" },
        /* those who had a hand in it */
        { T02 "TXA|1|HP|||||||^Wri||^Ty||||||AU||||Typo||^Copy\r" TEXT, "Provenance",
          "\"reason\":[{\"text\":\"Typo\"}]" },
        { T02 "TXA|1|HP|||||||^Wri||^Ty||||||AU||||Typo||^Copy\r" TEXT, "Provenance",
          "\"code\":\"enterer\",\"display\":\"Enterer\"}]},\"who\":{\"reference\":\"#1\","
          "\"display\":\"Ty\"}}" },
        { T02 "TXA|1|HP|||||||^Wri||^Ty||||||AU||||Typo||^Copy\r" TEXT, "Provenance",
          "\"code\":\"IRCP\",\"display\":\"information recipient\"}]}],\"who\":{\"reference\":"
          "\"#2\",\"display\":\"Copy\"}}" },
        { T02 "TXA|1|HP||||||20260106\r" TEXT, "Provenance",
          "\"occurredDateTime\":\"2026-01-06\"" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* TXA-17 and TXA-19, or the event, to status and docStatus. */
static void test_states(void **state)
{
    static const struct {
        const char *event, *completion, *availability, *want;
    } cases[] = {
        { "T02", "AU", "AV", "\"status\":\"current\",\"docStatus\":\"final\"" },
        { "T02", "LA", "", "\"status\":\"current\",\"docStatus\":\"final\"" },
        { "T01", "DI", "UN",
          "\"status\":\"current\",\"_status\":{\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/alternate-codes\","
          "\"valueCodeableConcept\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0273\",\"code\":\"UN\"}]}}]},"
          "\"docStatus\":\"preliminary\"" },
        { "T03", "IP", "OB", "\"status\":\"superseded\",\"_status\":{" },
        { "T04", "PA", "CA", "\"status\":\"entered-in-error\",\"_status\":{" },
        { "T05", "", "", "\"status\":\"current\"" },
        { "T06", "AU", "", "\"docStatus\":\"final\"" },
        { "T07", "AU", "", "\"docStatus\":\"amended\"" },
        { "T08", "LA", "", "\"docStatus\":\"amended\"" },
        { "T08", "IN", "", "\"docStatus\":\"preliminary\"" },
        { "T09", "AU", "", "\"status\":\"current\",\"docStatus\":\"final\"" },
        { "T10", "AU", "", "\"status\":\"current\",\"docStatus\":\"final\"" },
        { "T11", "AU", "AV",
          "\"status\":\"entered-in-error\",\"docStatus\":\"entered-in-error\"" },
        { "T02", "", "", "\"docStatus\":\"amended\"" }, /* by what the part says */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[400];
        (void)snprintf(text, sizeof(text),
                       MSH("MDM^%s") PID "TXA|1|HP||||||||||D1|||||%s||%s\r%s", cases[i].event,
                       cases[i].completion, cases[i].availability,
                       cases[i].completion[0] ? "" : "OBX|1|TX|A||x||||||C\r");
        const struct expectation wanted = { text, "DocumentReference", cases[i].want };
        check_expectations(&wanted, 1);
    }
}

static void test_parents(void **state)
{
    static const struct {
        const char *event, *code;
        bool superseded;
    } cases[] = {
        { "T02", "appends", false }, { "T05", "appends", false }, { "T06", "appends", false },
        { "T08", "appends", false }, { "T09", "replaces", true }, { "T10", "replaces", true },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        struct translated parent = { .arena = arena };
        char text[400];
        (void)snprintf(text, sizeof(text), MSH("MDM^%s") PID "TXA|1|HP||||||||||D2|D1\r",
                       cases[i].event);
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        assert_int_equal(translate_with(&parent, STR(T02 "TXA|1|HP||||||||||D1\r" TEXT), false),
                         0);
        char want[100];
        (void)snprintf(want, sizeof(want), "\"relatesTo\":[{\"code\":\"%s\",\"target\":{",
                       cases[i].code);
        struct str got = entry(&t, "DocumentReference")->resource;
        assert_non_null(memmem(got.p, got.n, want, strlen(want)));
        /* the replaced one is the same resource as when it came itself */
        struct str id = entry(&parent, "DocumentReference")->full_url;
        assert_int_equal(memmem(got.p, got.n, id.p, id.n) != NULL, cases[i].superseded);
        struct str bundle = t.result.bundle;
        assert_int_equal(memmem(bundle.p, bundle.n, "\"superseded\"", 12) != NULL,
                         cases[i].superseded);
    }
}

/* The first message and those about the same document later are one resource. */
static void test_ids_stay(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated first = { .arena = arena };
    assert_int_equal(translate_with(&first, STR(T02 "TXA|1|HP||||||||||D1\r" TEXT), false), 0);
    static const char *const later[] = { "T03", "T04", "T07", "T08", "T11" };
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        struct translated t = { .arena = arena };
        char text[300];
        (void)snprintf(text, sizeof(text), MSH("MDM^%s") PID "TXA|9|XX||||||||||D1\r",
                       later[i]);
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        assert_true(
            str_eq(entry(&t, "DocumentReference")->id, entry(&first, "DocumentReference")->id));
    }
    struct translated other = { .arena = arena };
    assert_int_equal(translate_with(&other, STR(T02 "TXA|1|HP||||||||||D2\r" TEXT), false), 0);
    assert_false(
        str_eq(entry(&other, "DocumentReference")->id, entry(&first, "DocumentReference")->id));
}

/* Without content the document keeps that it has: what stands there yields. */
static void test_notifications_without_content(void **state)
{
    (void)state;
    static const char *const events[] = { "T01", "T03", "T05", "T07", "T09", "T11" };
    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = { .arena = arena };
        char text[300];
        (void)snprintf(text, sizeof(text), MSH("MDM^%s") PID "TXA|1|HP|%s|||||||||D1\r",
                       events[i], i % 2 ? "TX" : "");
        assert_int_equal(translate_with(&t, str_z(text), false), 0);
        const struct translate_entry *e = entry(&t, "DocumentReference");
        const char *want = i % 2 ? "\"content\":[{\"attachment\":{\"contentType\":"
                                   "\"text/plain\"}}]"
                                 : "\"content\":[{\"attachment\":{\"title\":\"not sent\"}}]";
        assert_non_null(memmem(e->resource.p, e->resource.n, want, strlen(want)));
        assert_non_null(e->defaults);
        assert_str(e->defaults->path, "content");
        assert_null(e->defaults->next);
    }
}

static void test_content(void **state)
{
    static const struct expectation cases[] = {
        /* all text is one part: "first\nsecond\nthird" */
        { T02 TXA TEXT, "DocumentReference",
          "\"content\":[{\"attachment\":{\"data\":\"Zmlyc3QKc2Vjb25kCnRoaXJk\","
          "\"contentType\":\"text/plain\"}}]" },
        { T02 TXA "OBX|1|TX|A||a\\.br\\b \\T\\ c\r", "DocumentReference",
          "\"data\":\"YQpiICYgYw==\"" },
        /* encapsulated data: base64 as it is, digits and text as base64 */
        { T02 TXA ED("^application^pdf^Base64^JVBERi0xLjQ="), "DocumentReference",
          "\"content\":[{\"attachment\":{\"contentType\":\"application/pdf\",\"data\":"
          "\"JVBERi0xLjQ=\",\"title\":\"History\"}}]" },
        { T02 TXA ED("^AP^RTF^Base64^e1xydGYx\\X0D0A\\fQ=="), "DocumentReference",
          "\"contentType\":\"application/rtf\",\"data\":\"e1xydGYxfQ==\"" },
        { T02 TXA ED("^application^pdf^Base64^JVBERi0xLjQ"), "DocumentReference",
          "\"data\":\"JVBERi0xLjQ=\"" },
        { T02 TXA ED("^application^pdf^Hex^255044462d 312E34"), "DocumentReference",
          "\"data\":\"JVBERi0xLjQ=\"" },
        { T02 TXA ED("^application^pdf^Hex^2550444"), "DocumentReference", "!data" },
        { T02 TXA ED("^application^pdf^Base64^<none>"), "DocumentReference", "!data" },
        { T02 TXA ED("^application^pdf^Base64^JVBE=Ri0="), "DocumentReference", "!data" },
        { T02 TXA ED("^TEXT^^A^plain \\T\\ text"), "DocumentReference",
          "\"data\":\"cGxhaW4gJiB0ZXh0\",\"extension\":[{\"url\":"
          "\"http://hl7.org/fhir/StructureDefinition/alternate-codes\","
          "\"valueCodeableConcept\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0191\",\"code\":\"TEXT\"}]}}]" },
        { T02 TXA ED("^text^xml^A^<a>x^y&z</a>"), "DocumentReference",
          "\"contentType\":\"text/xml\",\"data\":\"PGE+eF55Jno8L2E+\"" },
        { T02 TXA ED("^multipart^x-hl7-cda-level-one^A^MIME-Version: 1.0"), "DocumentReference",
          "\"contentType\":\"multipart/x-hl7-cda-level-one\",\"data\":\"TUlNRS1WZXJza" },
        { T02 TXA ED("^application^pdf^^JVBERi0xLjQ="), "DocumentReference",
          "\"data\":\"JVBERi0xLjQ=\"" },
        { T02 TXA ED("^text^plain^^no base64"), "DocumentReference",
          "\"data\":\"bm8gYmFzZTY0\"" },
        { T02 TXA ED("^text^plain^A^a~^text^plain^A^b"), "DocumentReference",
          "\"data\":\"YQ==\",\"title\":\"History\"}},{\"attachment\":{\"contentType\":"
          "\"text/plain\",\"data\":\"Yg==\"" },
        /* pointers */
        { T02 TXA "OBX|1|RP|A^Scan||http://e.org/a^^application^pdf\r", "DocumentReference",
          "\"content\":[{\"attachment\":{\"url\":\"http://e.org/a\",\"contentType\":"
          "\"application/pdf\",\"title\":\"Scan\"}}]" },
        /* a note is a part too */
        { T02 TXA TEXT "NTE|1||look~here\r", "DocumentReference",
          "{\"attachment\":{\"data\":\"bG9vawpoZXJl\",\"contentType\":\"text/plain\","
          "\"title\":\"Note\"}}" },
        { T02 TXA TEXT "NTE|1||look\r", "Observation", "!{" },
        /* a number is no document */
        { T02 TXA "OBX|1|NM|A^Weight||90|kg|||||F\rNTE|1||dressed\r", "Observation",
          "\"valueQuantity\":{\"value\":90,\"unit\":\"kg\"}" },
        { T02 TXA "OBX|1|NM|A^Weight||90|kg|||||F\rNTE|1||dressed\r", "Observation",
          "\"note\":[{\"text\":\"dressed\"}]" },
        { T02 TXA "OBX|1|NM|A^Weight||90|kg|||||F\rNTE|1||dressed\r", "DocumentReference",
          "\"context\":{\"related\":[{\"reference\":" },
        { T02 TXA TEXT, "Observation", "!{" },
        /* a report has the same form of the same data */
        { ORU PID "OBR|1|P|F|C\r" ED("^application^pdf^Hex^255044462d312E34"),
          "DiagnosticReport",
          "\"presentedForm\":[{\"contentType\":\"application/pdf\",\"data\":"
          "\"JVBERi0xLjQ=\"}]" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* On request the bytes are a resource of their own. */
static void test_binary(void **state)
{
    (void)state;
    static const struct str options[] = { STR_INIT("Binary") };
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = { .arena = arena, .options = options, .option_count = 1 };
    assert_int_equal(
        translate_with(&t, STR(T02 TXA ED("^application^pdf^Base64^JVBERi0xLjQ=")), false), 0);
    const struct translate_entry *binary = entry(&t, "Binary");
    const struct translate_entry *document = entry(&t, "DocumentReference");
    assert_non_null(binary);
    char want[200];
    (void)snprintf(want, sizeof(want),
                   "\"content\":[{\"attachment\":{\"contentType\":\"application/pdf\","
                   "\"url\":\"%.*s\",\"title\":\"History\"}}]",
                   (int)binary->full_url.n, binary->full_url.p);
    assert_non_null(memmem(document->resource.p, document->resource.n, want, strlen(want)));
    static const char data[] = "\"contentType\":\"application/pdf\",\"data\":\"JVBERi0xLjQ=\","
                               "\"securityContext\":{\"reference\":";
    assert_non_null(memmem(binary->resource.p, binary->resource.n, data, sizeof(data) - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_parents),
        cmocka_unit_test(test_ids_stay),
        cmocka_unit_test(test_notifications_without_content),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_binary),
    };
    return cmocka_run_group_tests_name("fhir/translate/documents", tests, setup, teardown);
}
