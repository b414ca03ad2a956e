/* What orders and referrals become. */
#include "tests/check.h"

#include "tests/fhir/translate/expectation.h"

#define ORM MSH("ORM^O01^ORM_O01")
#define OML MSH("OML^O21^OML_O21")
#define REF MSH("REF^I12^REF_I12")
#define OMN MSH("OMN^O07^OMN_O07") PID ORC "\r"
#define ORC "ORC|NW|P1^HIS|||||||20260101"
#define OBR "OBR|1|P1^HIS||CBC^Blood count^L\r"

/* What the order control code, in table 0119, makes of the request. */
static void test_order_control(void **state)
{
    static const struct {
        const char *code, *status;
    } cases[] = {
        /* new ones, changed ones, those that go on */
        { "NW", "active" },
        { "CH", "active" },
        { "PA", "active" },
        { "RO", "active" },
        { "XO", "active" },
        { "XX", "active" },
        { "XR", "active" },
        { "OK", "active" },
        { "NA", "active" },
        { "RR", "active" },
        { "RL", "active" },
        { "OE", "active" },
        { "OR", "active" },
        { "UC", "active" },
        { "UD", "active" },
        { "UX", "active" },
        /* those that are held */
        { "HD", "on-hold" },
        { "HR", "on-hold" },
        { "OH", "on-hold" },
        { "UR", "on-hold" },
        /* those that are over */
        { "CA", "revoked" },
        { "CR", "revoked" },
        { "OC", "revoked" },
        { "DC", "revoked" },
        { "DR", "revoked" },
        { "OD", "revoked" },
        { "RP", "revoked" },
        { "RQ", "revoked" },
        { "RU", "revoked" },
        { "UA", "revoked" },
        { "DF", "revoked" },
        { "FU", "completed" },
        /* of which another field tells */
        { "RE", "unknown" },
        { "SC", "unknown" },
        { "SR", "unknown" },
        { "ZZ", "unknown" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        char text[300];
        char status[50];
        char event[200];
        (void)snprintf(text, sizeof(text), ORM PID "ORC|%s|P1\r" OBR, cases[i].code);
        (void)snprintf(status, sizeof(status), "\"status\":\"%s\"", cases[i].status);
        (void)snprintf(event, sizeof(event),
                       "businessEvent\",\"extension\":[{\"url\":\"value\","
                       "\"valueCodeableConcept\":{\"coding\":[{\"system\":"
                       "\"http://terminology.hl7.org/CodeSystem/v2-0119\",\"code\":\"%s\"}]}}]",
                       cases[i].code);
        struct translated t = translated(arena, text);
        struct str got = nth(&t, "ServiceRequest", 0)->resource;
        if (!memmem(got.p, got.n, status, strlen(status)) ||
            !memmem(got.p, got.n, event, strlen(event))) {
            fail_msg("%s: want %s in %.*s", cases[i].code, cases[i].status, (int)got.n, got.p);
        }
    }
}

static void test_orders(void **state)
{
    static const struct expectation cases[] = {
        /* status: ORC-5, then what results tell, then ORC-1 */
        { ORM PID "ORC|NW|P1|||CM\r" OBR, "ServiceRequest", "\"status\":\"completed\"" },
        { ORM PID "ORC|SC|P1|||HD\r" OBR, "ServiceRequest", "\"status\":\"on-hold\"" },
        { ORM PID "ORC|NW|P1|||ZZ\r" OBR, "ServiceRequest", "\"status\":\"active\"" },
        { ORU PID "ORC|RE|P1|F1\rOBR|1|P1|F1|C|||||||||||||||||||||F\r", "ServiceRequest",
          "\"status\":\"completed\"" },
        { ORU PID "ORC|RE|P1|F1\rOBR|1|P1|F1|C|||||||||||||||||||||P\r", "ServiceRequest",
          "\"status\":\"active\"" },
        { ORU PID "ORC|RE|P1|F1\rOBR|1|P1|F1|C|||||||||||||||||||||X\r", "ServiceRequest",
          "\"status\":\"revoked\"" },
        { ORU PID "OBR|1|P1|F1|C\r", "ServiceRequest", "\"status\":\"unknown\"" },
        /* when it was asked for: only new ones say it */
        { ORM PID ORC "\r" OBR, "ServiceRequest", "\"authoredOn\":\"2026-01-01\"" },
        { ORM PID "ORC|CA|P1|||||||20260101\r" OBR, "ServiceRequest", "!authoredOn" },
        { ORM PID "ORC|CA|P1|||||||20260101\r" OBR, "ServiceRequest",
          "{\"url\":\"date\",\"valueDateTime\":\"2026-01-01\"}" },
        { ORM PID "ORC|CA|P1||||||||||||||DUP^Duplicate\r" OBR, "ServiceRequest",
          "request-statusReason\",\"valueCodeableConcept\":{\"coding\":[{\"code\":\"DUP\"," },
        /* numbers, EIP and EI */
        { ORM PID "ORC|NW|P1^A|F1^B|G1^C\r" OBR, "ServiceRequest",
          "\"code\":\"PGN\",\"display\":\"Placer Group "
          "Number\"}]},\"value\":\"G1\",\"assigner\":"
          "{\"display\":\"C\"}}" },
        { ORM PID "ORC|NW|P1||G1&C&1.2&ISO^H1&D&1.3&ISO\r" OBR, "ServiceRequest",
          "\"system\":\"urn:oid:1.2\",\"value\":\"G1\"" },
        { ORM PID "ORC|NW|P1||G1&C&1.2&ISO^H1&D&1.3&ISO\r" OBR, "ServiceRequest",
          "\"code\":\"FGN\",\"display\":\"Filler Group Number\"}]},\"system\":\"urn:oid:1.3\","
          "\"value\":\"H1\"" },
        /* parents, by either field */
        { ORM PID "ORC|CH|P2||||||P1&HIS&1.2&ISO^F1\rOBR|1|P2||C\r", "ServiceRequest",
          "\"basedOn\":[{\"type\":\"ServiceRequest\",\"identifier\":{\"type\":{\"coding\":[{"
          "\"system\":\"http://terminology.hl7.org/CodeSystem/v2-0203\",\"code\":\"PLAC\","
          "\"display\":\"Placer Identifier\"}]},\"system\":\"urn:oid:1.2\",\"value\":\"P1\"," },
        { ORU PID "OBR|1|P2|F2|C|||||||||||||||||||||||||P1^F1\r", "ServiceRequest",
          "\"code\":\"FILL\",\"display\":\"Filler Identifier\"}]},\"value\":\"F1\"}}]" },
        { ORU PID "OBR|1|P2|F2|C||||||||||||||||||||||OR&Organism&L^1^E. coli\r",
          "ServiceRequest",
          "\"supportingInfo\":[{\"type\":\"Observation\",\"display\":\"Organism 1 E. "
          "coli\"}]" },
        /* who asks: a person, a facility, one for the other */
        { ORM PID "ORC|NW|P1||||||||||9^Who^Doc^^^^^^LAB\r" OBR, "ServiceRequest",
          "\"requester\":{\"reference\":\"urn:uuid:" },
        { ORM PID "ORC|NW|P1|||||||||||||||||||Clinic\r" OBR, "ServiceRequest",
          "\"requester\":{\"display\":\"Clinic\",\"type\":\"Organization\"}" },
        { ORM PID "ORC|NW|P1||||||||||9^Who|||||||||Clinic\r" OBR, "PractitionerRole",
          "\"display\":\"Who\"},\"organization\":{\"display\":\"Clinic\",\"type\":"
          "\"Organization\"}" },
        { ORM PID "ORC|NW|P1||||||||||||^WPN^PH^^^30^123\r" OBR, "ServiceRequest",
          "order-callback-phone-number\",\"valueContactPoint\":{\"system\":\"phone\"" },
        { ORM PID ORC "\rOBR|1|P1||C||||||||||||||||||||||||||||C1^Cough\r", "ServiceRequest",
          "!reasonCode" },
        { ORM PID ORC "\rOBR|1|P1||C|||||||||||||||||||||||||||C1^Cough\r", "ServiceRequest",
          "\"reasonCode\":[{\"coding\":[{\"code\":\"C1\",\"display\":\"Cough\"}]}]" },
        { ORM PID ORC "\r" OBR "PRT|1|AD||OP^Ordering^HL70912|9^Who\r", "ServiceRequest",
          "\"requester\":{\"reference\":\"urn:uuid:" },
        /* who had it in hands */
        { ORM PID "ORC|DC|P1||||||||8^Enter|7^Check|9^Who\r" OBR, "Provenance",
          "\"activity\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-DataOperation\",\"code\":\"ABORT\"" },
        { ORM PID ORC "\r" OBR, "Provenance", "\"code\":\"v2-fhir-transformation\"" },
        /* notes with author and time */
        { ORM PID ORC "\r" OBR "NTE|1||a~b||9^Who^Doc|20260102\r", "ServiceRequest",
          "\"note\":[{\"text\":\"a\\nb\",\"authorReference\":{\"reference\":" },
        /* what else stands with an order */
        { ORM PID ORC "\r" OBR "CTI|S1^LAB|2^Second\r", "ServiceRequest",
          "workflow-researchStudy\",\"valueReference\":{\"reference\":" },
        { ORM PID ORC "\r" OBR "CTI|S1^LAB|2^Second\r", "ResearchStudy",
          "\"system\":\"urn:oid:1.2.3.4\",\"value\":\"S1\"}],\"status\":\"active\"," },
        { ORM PID ORC "\r" OBR "BLG||CH|A1^^^LAB\r", "Account", "\"value\":\"A1\"" },
        { ORM PID ORC "\r" OBR "CTD|C^Emergency|Doe^Jo\r", "RelatedPerson",
          "\"relationship\":[{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v2-0131\",\"code\":\"C\"" },
        { MSH("OMI^O23^OMI_O23") PID ORC "\r" OBR
                                         "IPC|A1^LAB|R1|1.2.3^^1.2.3^ISO|S1|CT^Tomography\r",
          "ImagingStudy",
          "\"status\":\"registered\",\"identifier\":[{\"system\":\"urn:dicom:uid\",\"value\":"
          "\"urn:oid:1.2.3\"}," },
        /* a diet is no service */
        { MSH("OMD^O03^OMD_O03") PID ORC "\rODS|D||LF^Low fat\rNTE|1||x\r", "NutritionOrder",
          "\"oralDiet\":{\"type\":[{\"coding\":[{\"code\":\"LF\",\"display\":\"Low "
          "fat\"}]}]}" },
        { MSH("OMD^O03^OMD_O03") PID ORC "\rODS|D||LF^Low fat\rNTE|1||x\r", "ServiceRequest",
          "!{" },
        /* nor is a requisition */
        { OMN "RQD|1|A^Gloves^L|||3|bx^Box|||W1|20260105\r", "SupplyRequest",
          "\"quantity\":{\"value\":3,\"unit\":\"Box\"}" },
        { OMN "RQD|1|A^Gloves^L|||3|bx^Box|||W1|20260105\r", "SupplyRequest",
          "\"occurrenceDateTime\":\"2026-01-05\"" },
        { OMN "RQD|1|A^Gloves\r", "SupplyRequest",
          "\"itemCodeableConcept\":{\"coding\":[{\"code\":\"A\",\"display\":\"Gloves\"}],"
          "\"text\":\"Gloves\"}" },
        { OMN "RQD|1|A^Gloves^L\r", "SupplyRequest", "\"quantity\":{\"unit\":\"unknown\"}" },
        { OMN "RQD|1|A^Gloves^L\r", "SupplyRequest", "\"code\":\"nonstock\"" },
        { OMN "RQD|1|A\r", "ServiceRequest", "!{" },
        /* nobody's order */
        { ORM ORC "\r" OBR, "ServiceRequest", "\"subject\":{\"display\":\"unknown patient\"}" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

static void test_timing(void **state)
{
    static const struct expectation cases[] = {
        { OML PID ORC "\rTQ1|1||BID|||||20260105|S\r" OBR, "ServiceRequest",
          "\"occurrenceTiming\":{\"code\":{\"coding\":[{\"system\":"
          "\"http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation\",\"code\":\"BID\"" },
        { OML PID ORC "\rTQ1|1||||||20260103|20260105|S\r" OBR, "ServiceRequest",
          "\"boundsPeriod\":{\"start\":\"2026-01-03\",\"end\":\"2026-01-05\"}" },
        { OML PID ORC "\rTQ1|1||||||||S\r" OBR, "ServiceRequest", "\"priority\":\"stat\"" },
        { OML PID ORC "\rTQ1|1||||||||S\rOBR|1|P1||C|R\r", "ServiceRequest",
          "\"priority\":\"stat\"" },
        { OML PID ORC "\rOBR|1|P1||C|R\r", "ServiceRequest", "\"priority\":\"routine\"" },
        { OML PID ORC "\rTQ1|1|||0800~2000\r" OBR, "ServiceRequest",
          "\"timeOfDay\":[\"08:00:00\",\"20:00:00\"]" },
        { OML PID ORC "\rTQ1|1|||||3^d\r" OBR, "ServiceRequest",
          "\"boundsDuration\":{\"value\":3,\"unit\":\"d\",\"system\":"
          "\"http://unitsofmeasure.org\",\"code\":\"d\"}" },
        { OML PID ORC "\rTQ1|1|||||3^boxes\r" OBR, "ServiceRequest", "!boundsDuration" },
        { OML PID ORC "\rTQ1|1|||||||||for pain|with food||15^min|2\r" OBR, "ServiceRequest",
          "\"repeat\":{\"count\":2,\"duration\":15,\"durationUnit\":\"min\"}},"
          "\"asNeededCodeableConcept\":{\"text\":\"for pain\"},\"note\":[{\"text\":"
          "\"with food\"}]" },
        { OML PID ORC "\rTQ1|1\rTQ2|1|S|P0|||ES\r" OBR, "ServiceRequest",
          "\"supportingInfo\":[{\"type\":\"ServiceRequest\",\"identifier\":" },
        /* the older fields, if there is no TQ1 */
        { ORM PID "ORC|NW|P1|||||1^TID^^20260103^20260105^A\r" OBR, "ServiceRequest",
          "\"priority\":\"asap\",\"quantityQuantity\":{\"value\":1},\"occurrenceTiming\":" },
        { ORM PID "ORC|NW|P1|||||^^^20260103\r" OBR, "ServiceRequest",
          "\"occurrenceTiming\":{\"repeat\":{\"boundsPeriod\":{\"start\":\"2026-01-03\"}}}" },
        { ORM PID "ORC|NW|P1\rOBR|1|P1||C|||||||||||||||||||||||^^^20260103^^S\r",
          "ServiceRequest", "\"priority\":\"stat\",\"occurrenceTiming\"" },
        { OML PID "ORC|NW|P1|||||^^^20260103\rTQ1|1||||||20260104\r" OBR, "ServiceRequest",
          "\"boundsPeriod\":{\"start\":\"2026-01-04\"}" },
        /* without any, when it was asked for; what is done already has no such time */
        { ORM PID ORC "\rOBR|1|P1||C||20260107\r", "ServiceRequest",
          "\"occurrenceDateTime\":\"2026-01-07\"" },
        { ORM PID ORC "\rOBR|1|P1||C|||||||||||||||||||||||||||||||||20260108\r",
          "ServiceRequest", "!\"occurrence" },
        { ORM PID ORC "\rOBR|1|P1||C||||||||||||||||||||||||||||||||20260108\r",
          "ServiceRequest", "\"occurrenceDateTime\":\"2026-01-08\"" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* Earlier results are reports that the order comes with; its own answers are no results. */
static void test_prior_results(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t =
        translated(arena, OML PID ORC
                   "\r" OBR "OBX|1|CWE|FAST||Y\rDG1|1||I10\r" PID
                   "PV1|1|O\rORC|PR|P0|F0\rOBR|1|P0|F0|HB|||20250101||||||||||||||||||F\r"
                   "OBX|1|NM|HB||12\r");
    assert_int_equal(count_of(&t, "Patient"), 1);
    assert_int_equal(count_of(&t, "ServiceRequest"), 2);
    assert_int_equal(count_of(&t, "DiagnosticReport"), 1);
    const struct translate_entry *order = nth(&t, "ServiceRequest", 0);
    const struct translate_entry *report = nth(&t, "DiagnosticReport", 0);
    assert_true(refers(&t, order, "supportingInfo", nth(&t, "Observation", 0)));
    assert_false(refers(&t, order, "supportingInfo", nth(&t, "Observation", 1)));
    assert_true(refers(&t, order, "supportingInfo", report));
    assert_true(refers(&t, order, "reasonReference", nth(&t, "Condition", 0)));
    assert_false(refers(&t, nth(&t, "Observation", 0), "basedOn", order));
    assert_true(refers(&t, report, "result", nth(&t, "Observation", 1)));
    assert_true(refers(&t, report, "basedOn", nth(&t, "ServiceRequest", 1)));
    assert_non_null(memmem(report->resource.p, report->resource.n, "\"status\":\"final\"", 16));
}

/* Another patient's orders in the same message: nothing of one refers to the other's. */
static void test_several_patients(void **state)
{
    static const char *const segments[] = { "DG1|1||I10\r",
                                            "OBX|1|NM|A||1\r",
                                            "NTE|1||x\r",
                                            "AL1|1|DA|PEN\r",
                                            "PV1|1|I\r",
                                            "IN1|1|P|C1^^^LAB\r",
                                            "NK1|1|Doe^Jo|SPO\r",
                                            "GT1|1||Doe^Jo\r",
                                            "SPM|1|S2||BLD\r",
                                            "ORC|NW|P2\rOBR|1|P2||B||||||9^Col\r",
                                            "PRT|1|AD||OP|9^Who\r",
                                            "FT1|1|||20260101||CG|C\r",
                                            "CTD|C|Doe^Jo\r" };
    (void)state;
    for (size_t first = 0; first < ARRAY_LEN(segments); first++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct buf text = arena_buf(arena, 5000);
        struct buf alone = arena_buf(arena, 5000);
        buf_z(&text, ORM PID ORC "\r" OBR "PID|1||8^^^LAB\r");
        buf_z(&alone, ORM "PID|1||8^^^LAB\r");
        for (size_t i = 0; i < ARRAY_LEN(segments); i++) {
            buf_z(&text, segments[(first + i) % ARRAY_LEN(segments)]);
            buf_z(&alone, segments[(first + i) % ARRAY_LEN(segments)]);
        }
        struct translated t = translated(arena, arena_str(arena, buf_str(&text)).p);
        struct translated a = translated(arena, arena_str(arena, buf_str(&alone)).p);
        const struct translate_entry *patient = nth(&t, "Patient", 0);
        assert_non_null(nth(&t, "Patient", 1));
        size_t about = 0;
        for (size_t i = 0; i < t.result.count; i++) {
            const struct translate_entry *e = &t.result.entries[i];
            bool source = strcmp(e->type, "Provenance") == 0;
            about += !source && memmem(e->resource.p, e->resource.n, patient->full_url.p,
                                       patient->full_url.n);
        }
        if (about != 1) {
            fail_msg("from %.3s on: %zu are about the first patient", segments[first], about);
        }
        struct str got = nth(&t, "ServiceRequest", 0)->resource;
        static const char *const names[] = { "reasonReference", "supportingInfo", "requester",
                                             "specimen",        "insurance",      "note",
                                             "encounter" };
        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
            if (memmem(got.p, got.n, names[n], strlen(names[n]))) {
                fail_msg("from %.3s on: %s", segments[first], names[n]);
            }
        }
        /* the second patient's are as if they stood alone; a team is none after an order */
        assert_int_equal(t.result.count + count_of(&a, "CareTeam"), a.result.count + 2);
    }
}

/* A later message about the same order has its id, whatever it says of it. */
static void test_ids_of_orders(void **state)
{
    static const char first[] = ORM PID ORC "\r" OBR;
    static const struct {
        const char *message;
        bool same;
    } cases[] = {
        { ORM PID ORC "\r" OBR, true },
        { "MSH|^~\\&|APP|FAC|||2027||ORM^O01|8|P|2.3\r" PID "PV1|1|I\rORC|SC|P1^HIS|F7|||CM\r"
          "OBR|3|P1^HIS|F7|CBC^Count\r",
          true },
        { ORM PID "ORC|CA|P1^HIS\r", true },
        { OML PID "ORC|DC|P1^HIS\r" OBR, true },
        { ORM PID "ORC|NW|P2^HIS\r" OBR, false },
        { ORM PID "ORC|NW|P1^OTHER\r", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated a = translated(arena, first);
        struct translated b = translated(arena, cases[i].message);
        assert_int_equal(
            str_eq(nth(&a, "ServiceRequest", 0)->id, nth(&b, "ServiceRequest", 0)->id),
            cases[i].same);
    }
}

/*
 * What only must stand there yields to what is stored, so that a message that only has the
 * number leaves what is stored of the order.
 */
static void test_what_stays_of_orders(void **state)
{
    static const struct {
        const char *message;
        const char *yields;
    } cases[] = {
        { ORM PID ORC "\r" OBR, "" },
        { ORM PID "ORC|CA|P1\r", "intent " },
        { ORM PID "ORC|SC|P1|||HD\r", "intent " },
        { ORM PID "ORC|SR|P1\r", "intent status " },
        { ORM "ORC|CA|P1\r", "subject intent " },
        { REF "RF1|||Med|||R1\r" PID, "" },
        { MSH("REF^I14^REF_I12") "RF1||||||R1\r" PID, "code intent " },
        { MSH("REF^I15^REF_I12") "RF1|||Med|||R1\r" PID, "intent status " },
        { MSH("REF^I13^REF_I12") "RF1|||Med|||R1\r", "subject intent status " },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated t = translated(arena, cases[i].message);
        struct buf yields = arena_buf(arena, 100);
        const struct translate_path *path = nth(&t, "ServiceRequest", 0)->defaults;
        for (; path; path = path->next) {
            buf_str_put(&yields, path->path);
            buf_c(&yields, ' ');
        }
        if (!str_eq(buf_str(&yields), str_z(cases[i].yields))) {
            fail_msg("case %zu: %.*s", i, (int)yields.n, yields.p);
        }
    }
}

/* Orders without a number are told by what was ordered, for whom and when. */
static void test_orders_without_a_number(void **state)
{
    static const char first[] = ORM PID "ORC|NW\rOBR|1|||A|||20260101\rORC|NW\r"
                                        "OBR|2|||A|||20260101\r";
    static const struct {
        const char *message;
        bool same;
    } cases[] = {
        { "MSH|^~\\&|APP|FAC|||2027||ORM^O01|9|P|2.3\r" PID "ORC|XO\rOBR|1|||A|||20260101\r",
          true },
        { ORM PID "ORC|NW\rOBR|1|||B|||20260101\r", false },
        { ORM PID "ORC|NW\rOBR|1|||A|||20260102\r", false },
        { ORM "PID|1||8^^^LAB\rORC|NW\rOBR|1|||A|||20260101\r", false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        struct translated a = translated(arena, first);
        struct translated again = translated(arena, first);
        struct translated b = translated(arena, cases[i].message);
        assert_true(str_eq(a.result.bundle, again.result.bundle));
        assert_int_equal(count_of(&a, "ServiceRequest"), 2);
        assert_int_equal(
            str_eq(nth(&a, "ServiceRequest", 0)->id, nth(&b, "ServiceRequest", 0)->id),
            cases[i].same);
    }
}

#define PROVIDERS                                                                              \
    "PRD|RP^Referring^HL70286|Ford^Ann|||^WPN^PH^^^30^1||R1\r"                                 \
    "PRD|RT^Referred to^HL70286|Berg^Bo|||||R2|||Clinic^^7\rCTD||Desk^Front\r"

static void test_referrals(void **state)
{
    static const struct expectation cases[] = {
        { REF
          "RF1|A|S|Med^Medical|WR^Report|O|R1^HIS|20260101|20260201|20260102|W|X1\r" PROVIDERS
              PID,
          "ServiceRequest",
          "\"status\":\"active\",\"category\":[{\"coding\":[{\"system\":"
          "\"http://snomed.info/sct\",\"code\":\"3457005\",\"display\":\"Patient "
          "referral\"}]}," },
        { REF
          "RF1|A|S|Med^Medical|WR^Report|O|R1^HIS|20260101|20260201|20260102|W|X1\r" PROVIDERS
              PID,
          "ServiceRequest",
          "\"occurrencePeriod\":{\"start\":\"2026-01-01\",\"end\":\"2026-02-01\"},"
          "\"authoredOn\":\"2026-01-02\"" },
        { REF "RF1|R||Med|||R1\r" PROVIDERS PID, "ServiceRequest", "\"status\":\"revoked\"" },
        { MSH("REF^I14^REF_I12") "RF1|A||Med|||R1\r" PROVIDERS PID, "ServiceRequest",
          "\"status\":\"revoked\"" },
        { REF "RF1|A||Med|||R1\r" PROVIDERS PID, "ServiceRequest",
          "\"requester\":{\"reference\":\"urn:uuid:" },
        { REF "RF1|A||Med|||R1\r" PROVIDERS PID "NTE|1||please\r", "ServiceRequest",
          "\"note\":[{\"text\":\"please\"}]" },
        { REF "RF1|A||Med|||R1\r" PROVIDERS PID "OBR|1||F1|HB\rNTE|1||of the test\r",
          "ServiceRequest", "!of the test" },
        { REF "RF1|A||Med|||R1\r" PROVIDERS PID, "Organization",
          "\"contact\":[{\"name\":{\"family\":\"Desk\",\"given\":[\"Front\"]}}]" },
        { REF
          "RF1|A||Med|||R1\rAUT|PPO|HC2|Health Co|20260101|20260301|A7|100&USD|1|2\r" PROVIDERS
              PID,
          "ClaimResponse",
          "\"use\":\"preauthorization\",\"insurer\":{\"reference\":\"urn:uuid:" },
        { REF "RF1|A||||||20260101\r" PROVIDERS PID, "ServiceRequest",
          "\"code\":{\"text\":\"Referral\"}" },
    };
    (void)state;
    check_expectations(cases, ARRAY_LEN(cases));
}

/* What is known of the patient stands with the referral. */
static void test_what_a_referral_brings(void **state)
{
    (void)state;
    CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
    struct translated t = translated(
        arena, REF "RF1|A||Med|||R1\rAUT|PPO|HC2|Health Co|||A7\r" PROVIDERS PID
                   "DG1|1||I10\rAL1|1|DA|PEN\rPR1|1||47^Biopsy\rOBR|1||F1|HB\rOBX|1|NM|HB||12\r"
                   "PV1|1|O|||||||||||||||||V1^^^LAB\r");
    const struct translate_entry *referral = nth(&t, "ServiceRequest", 0);
    assert_true(refers(&t, referral, "performer", nth(&t, "PractitionerRole", 1)));
    assert_true(refers(&t, referral, "reasonReference", nth(&t, "Condition", 0)));
    assert_true(refers(&t, referral, "insurance", nth(&t, "ClaimResponse", 0)));
    assert_true(refers(&t, referral, "supportingInfo", nth(&t, "DiagnosticReport", 0)));
    assert_true(refers(&t, referral, "supportingInfo", nth(&t, "AllergyIntolerance", 0)));
    assert_true(refers(&t, referral, "supportingInfo", nth(&t, "Procedure", 0)));
    assert_true(
        refers(&t, nth(&t, "DiagnosticReport", 0), "result", nth(&t, "Observation", 0)));
    static const char *const whole[] = { "\"subject\":{\"reference\"",
                                         "\"encounter\":{\"reference\"" };
    for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
        assert_non_null(
            memmem(referral->resource.p, referral->resource.n, whole[i], strlen(whole[i])));
    }
}

/* Each type of these is translated; fields that nothing came of are named. */
static void test_types(void **state)
{
    static const char *const types[] = {
        "ORM^O01", "OMD^O03", "OMG^O19", "OMI^O23", "OML^O21", "OML^O33", "OML^O35",
        "OML^O39", "ORU^R01", "ORU^R30", "ORU^R31", "ORU^R32", "ORU^R40", "OUL^R21",
        "OUL^R22", "OUL^R23", "OUL^R24", "REF^I12", "REF^I13", "REF^I14", "REF^I15",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(65536);
        char text[400];
        (void)snprintf(text, sizeof(text),
                       "MSH|^~\\&|APP|FAC|||20260102||%s|7|P|2.5.1\r" PID
                       "ORC|NW|P1|F1\rOBR|1|P1|F1|C||||||||||||||PF1\rOBX|1|NM|A||1\r",
                       types[i]);
        struct translated t = translated(arena, text);
        assert_int_equal(count_of(&t, "ServiceRequest"), 1);
        assert_int_equal(t.result.unread, 1);
        assert_str(t.issues.last->place, "OBR[1]-18");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_control),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_timing),
        cmocka_unit_test(test_prior_results),
        cmocka_unit_test(test_several_patients),
        cmocka_unit_test(test_ids_of_orders),
        cmocka_unit_test(test_what_stays_of_orders),
        cmocka_unit_test(test_orders_without_a_number),
        cmocka_unit_test(test_referrals),
        cmocka_unit_test(test_what_a_referral_brings),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests_name("fhir/translate/orders", tests, setup, teardown);
}
