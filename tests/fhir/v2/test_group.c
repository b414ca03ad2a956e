#include "fhir/v2/group.h"

#include "tests/fhir/with_arena.h"

enum {
    TEXT_MAX = 4096,
};

static struct issues issues;
static struct v2_message message;
static struct v2_groups groups;

/* "MSH|^~\&|||||||TYPE|||VERSION", then a segment for each word of @segments. */
static void group(const char *type, const char *version, const char *segments)
{
    struct buf text = arena_buf(arena, TEXT_MAX);
    struct str rest = str_z(segments);
    buf_fmt(&text, "MSH|^~\\&|||||||%s|||%s\r", type, version);
    while (rest.n) {
        buf_str_put(&text, str_cut(&rest, ' '));
        buf_z(&text, "|1\r");
    }
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena, buf_str(&text), &issues, &message), 0);
    assert_int_equal(v2_group_segments(arena, &message, &issues, &groups), 0);
}

/* The groups from @outer, which was open last, to @inner, which is next: "]", "NAME[". */
static void step(struct buf *out, size_t outer, size_t inner)
{
    if (outer == inner) {
        return;
    }
    if (outer > inner) {
        buf_z(out, "] ");
        step(out, groups.list[outer].parent, inner);
        return;
    }
    step(out, outer, groups.list[inner].parent);
    buf_fmt(out, "%s[", groups.list[inner].name);
}

/* "PATIENT[PID VISIT[PV1 ] ] OBX " */
static struct str tree(void)
{
    struct buf out = arena_buf(arena, TEXT_MAX);
    size_t open = V2_GROUP_ROOT;
    for (size_t i = 1; i < message.count; i++) {
        step(&out, open, groups.of[i]);
        open = groups.of[i];
        buf_fmt(&out, "%s ", message.segments[i].name);
    }
    step(&out, open, V2_GROUP_ROOT);
    return buf_str(&out);
}

static void test_right_messages(void **state)
{
    static const struct {
        const char *type, *version, *segments, *want;
    } cases[] = {
        /* notes and results belong to the nearest order or specimen before them */
        { "ORU^R01^ORU_R01", "2.5.1", "PID PV1 ORC OBR NTE OBX NTE OBX SPM OBX ORC OBR OBX",
          "PATIENT_RESULT[PATIENT[PID VISIT[PV1 ] ] ORDER_OBSERVATION[ORC OBR NTE "
          "OBSERVATION[OBX NTE ] OBSERVATION[OBX ] SPECIMEN[SPM OBX ] ] "
          "ORDER_OBSERVATION[ORC OBR OBSERVATION[OBX ] ] ] " },
        /* without MSH-9.3, and without ORC */
        { "ORU^R01", "2.3", "PID OBR OBX OBR OBX PID OBR",
          "RESPONSE[PATIENT[PID ] ORDER_OBSERVATION[OBR OBSERVATION[OBX ] ] "
          "ORDER_OBSERVATION[OBR OBSERVATION[OBX ] ] ] "
          "RESPONSE[PATIENT[PID ] ORDER_OBSERVATION[OBR ] ] " },
        { "ORM^O01", "2.5", "PID PV1 ORC OBR OBX ORC RXO NTE",
          "PATIENT[PID PATIENT_VISIT[PV1 ] ] ORDER[ORC ORDER_DETAIL[OBR OBSERVATION[OBX ] ] ] "
          "ORDER[ORC ORDER_DETAIL[RXO NTE ] ] " },
        { "OML^O21^OML_O21", "2.5.1", "PID ORC OBR SPM ORC OBR PID ORC OBR OBX ORC OBR OBX",
          "PATIENT[PID ] ORDER[ORC OBSERVATION_REQUEST[OBR SPECIMEN[SPM ] ] ] "
          "ORDER[ORC OBSERVATION_REQUEST[OBR PRIOR_RESULT[PATIENT_PRIOR[PID ] "
          "ORDER_PRIOR[ORC OBR OBSERVATION_PRIOR[OBX ] ] ORDER_PRIOR[ORC OBR "
          "OBSERVATION_PRIOR[OBX ] ] ] ] ] " },
        { "VXU^V04^VXU_V04", "2.5.1", "PID NK1 ORC RXA RXR OBX OBX ORC RXA",
          "PID NK1 ORDER[ORC RXA RXR OBSERVATION[OBX ] OBSERVATION[OBX ] ] ORDER[ORC RXA ] " },
        { "SIU^S12^SIU_S12", "2.5.1", "SCH PID RGS AIS NTE AIS AIP RGS AIL",
          "SCH PATIENT[PID ] RESOURCES[RGS SERVICE[AIS NTE ] SERVICE[AIS ] "
          "PERSONNEL_RESOURCE[AIP ] ] RESOURCES[RGS LOCATION_RESOURCE[AIL ] ] " },
        { "ADT^A40^ADT_A39", "2.5", "EVN PID MRG PID PD1 MRG PV1",
          "EVN PATIENT[PID MRG ] PATIENT[PID PD1 MRG PV1 ] " },
        { "ADT^A01^ADT_A01", "2.5", "EVN PID ROL PV1 ROL PR1 ROL IN1 IN2 ROL",
          "EVN PID ROL PV1 ROL PROCEDURE[PR1 ROL ] INSURANCE[IN1 IN2 ROL ] " },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        group(cases[i].type, cases[i].version, cases[i].segments);
        assert_str(tree(), cases[i].want);
        assert_int_equal(issues.count, 0);
    }
}

/* What senders get wrong: the groups all the same, and the issue with its place. */
static void test_wrong_messages(void **state)
{
    static const struct {
        const char *type, *version, *segments, *want, *place, *text;
        size_t issues;
    } cases[] = {
        { "ORU^R01^ORU_R01", "2.5.1", "PID OBX OBX", /* OBR forgotten */
          "PATIENT_RESULT[PATIENT[PID ] ORDER_OBSERVATION[OBSERVATION[OBX ] OBSERVATION[OBX ] "
          "] "
          "] ",
          "OBR",
          "it is required in group ORDER_OBSERVATION that begins with OBX[1], and "
          "missing",
          1 },
        { "OML^O21^OML_O21", "2.5.1", "PID ORC OBR OBR", /* the second ORC forgotten */
          "PATIENT[PID ] ORDER[ORC OBSERVATION_REQUEST[OBR ] ] ORDER[OBSERVATION_REQUEST[OBR ] "
          "] ",
          "ORC", "it is required in group ORDER that begins with OBR[2], and missing", 1 },
        { "ADT^A01^ADT_A01", "2.5", "EVN PID PV1 DG1 OBX IN1 IN2", /* OBX too late */
          "EVN PID PV1 DG1 OBX INSURANCE[IN1 IN2 ] ", "OBX",
          "stands further back than it belongs", 1 },
        { "ADT^A01^ADT_A01", "2.5", "EVN PID PV1 IN1 AL1 IN2", /* and inside a group */
          "EVN PID PV1 INSURANCE[IN1 ] AL1 INSURANCE[IN2 ] ", "AL1",
          "stands further back than it belongs", 1 },
        { "VXU^V04^VXU_V04", "2.5.1", "PID ORC RXA OBX RXR OBX",
          "PID ORDER[ORC RXA OBSERVATION[OBX ] RXR OBSERVATION[OBX ] ] ", "RXR",
          "stands further back than it belongs", 1 },
        { "ORM^O01", "2.5", "PID ORC OBR PV1 PV2 OBX", /* the visit goes to the patient */
          "PATIENT[PID ] ORDER[ORC ORDER_DETAIL[OBR ] ] PATIENT[PATIENT_VISIT[PV1 PV2 ] ] "
          "ORDER[ORDER_DETAIL[OBSERVATION[OBX ] ] ] ",
          "PV1", "stands further back than it belongs", 1 },
        { "ORU^R01^ORU_R01", "2.5.1", "OBR DSC PID SPM", /* what misses its order is in one */
          "PATIENT_RESULT[ORDER_OBSERVATION[OBR ] ] DSC PATIENT_RESULT[PATIENT[PID ] "
          "ORDER_OBSERVATION[SPECIMEN[SPM ] ] ] ",
          "PID", "stands further back than it belongs", 3 },
        { "ADT^A01^ADT_A01", "2.5", "EVN PID PV1 PV1", "EVN PID PV1 PV1 ", "PV1[2]",
          "stands more often than it may", 1 },
        { "ADT^A01^ADT_A01", "2.5", "PID PV1", "PID PV1 ", "EVN",
          "it is required in the message that begins with MSH, and missing", 1 },
        { "ORM^O01", "2.5", "PID", "PATIENT[PID ] ", "ORC",
          "group ORDER is required in the message that begins with MSH, and missing", 1 },
        { "ADT^A01^ADT_A01", "2.5", "EVN PID PV1 TXA", "EVN PID PV1 TXA ", "TXA",
          "isn't part of this message's structure", 1 },
        { "ADT^A01^ADT_A01", "2.5", "EVN PID PV1 QQQ", "EVN PID PV1 QQQ ", "QQQ",
          "no segment of the standard", 1 },
        { "XYZ^Q99", "2.5", "PID OBX", "PID OBX ", "MSH-9",
          "no structure is known for messages of this type", 1 },
        { "ADT^A01", "2.9", "EVN PID PV1", "EVN PID PV1 ", "MSH-12",
          "a later version than those known; read as 2.7.1", 1 },
        { "ADT^A01", "two", "EVN PID PV1", "EVN PID PV1 ", "MSH-12",
          "no version of HL7 v2; read as 2.5.1", 1 },
        { "ORM^O01", "2.7", "PID ORC OBR", "PATIENT[PID ] ORDER[ORC ORDER_DETAIL[OBR ] ] ",
          "MSH-9", "version 2.7 has no structure ORM_O01; that of 2.6 is taken", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        group(cases[i].type, cases[i].version, cases[i].segments);
        assert_str(tree(), cases[i].want);
        assert_int_equal(issues.count, cases[i].issues);
        assert_str(issues.first->place, cases[i].place);
        assert_str(issues.first->text, cases[i].text);
    }
}

/* Z segments, notes and roles stay with what precedes them, without an issue. */
static void test_what_may_stand_anywhere(void **state)
{
    (void)state;
    group("ORU^R01^ORU_R01", "2.5.1", "ZMH PID ZPI ORC ZOR NTE OBR ZBR OBX ZBX ROL ZZZ");
    assert_str(tree(), "ZMH PATIENT_RESULT[PATIENT[PID ZPI ] ORDER_OBSERVATION[ORC ZOR NTE OBR "
                       "ZBR OBSERVATION[OBX ZBX ROL ZZZ ] ] ] ");
    assert_int_equal(issues.count, 0);
}

static void test_questions(void **state)
{
    (void)state;
    group("ORU^R01^ORU_R01", "2.5.1", "PID ORC OBR OBX NTE SPM OBX ORC OBR OBX");
    size_t first = v2_group_around(&groups, 4, "ORDER_OBSERVATION");
    size_t second = v2_group_around(&groups, 10, "ORDER_OBSERVATION");
    assert_int_equal(groups.list[first].occurrence, 1);
    assert_int_equal(groups.list[second].occurrence, 2);
    assert_int_equal(groups.list[second].segment, 8);
    assert_int_equal(v2_group_around(&groups, 7, "ORDER_OBSERVATION"), first);
    assert_true(v2_group_around(&groups, 1, "ORDER_OBSERVATION") == V2_GROUP_NONE);

    assert_int_equal(v2_group_find(&groups, &message, first, "OBX", 0), 4);
    assert_int_equal(v2_group_find(&groups, &message, first, "OBX", 5), 7);
    assert_int_equal(v2_group_find(&groups, &message, first, "OBX", 8), message.count);
    assert_int_equal(v2_group_find(&groups, &message, second, "OBX", 0), 10);
    assert_int_equal(v2_group_find(&groups, &message, V2_GROUP_ROOT, "SPM", 0), 6);
    assert_true(v2_group_has(&groups, first, 5));
    assert_false(v2_group_has(&groups, second, 5));
}

/* Many misplaced segments take no longer than as many right ones. */
static void test_a_long_wrong_message(void **state)
{
    enum { SEGMENTS = 20000 };
    (void)state;
    struct buf text = arena_buf(arena, 16 << 20);
    buf_z(&text, "MSH|^~\\&|||||||ORM^O01|||2.5\rPID|1\rORC|1\rOBR|1\r");
    for (int i = 0; i < SEGMENTS; i++) {
        buf_z(&text, i % 3 ? "PV1|1\r" : "TXA|1\r");
    }
    issues_init(&issues, arena);
    assert_int_equal(v2_parse(arena, buf_str(&text), &issues, &message), 0);
    assert_int_equal(v2_group_segments(arena, &message, &issues, &groups), 0);
    assert_int_equal(issues.count, SEGMENTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_messages),          cmocka_unit_test(test_wrong_messages),
        cmocka_unit_test(test_what_may_stand_anywhere), cmocka_unit_test(test_questions),
        cmocka_unit_test(test_a_long_wrong_message),
    };
    return cmocka_run_group_tests_name("fhir/v2/group", tests, open_arena, close_arena);
}
