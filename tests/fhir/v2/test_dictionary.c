#include "fhir/v2/dictionary.h"

#include "fhir/v2/dictionary_rows.h"
#include "tests/check.h"

static void test_versions(void **state)
{
    static const struct {
        const char *text;
        enum v2_version_fit fit;
        enum v2_version version;
    } cases[] = {
        { "2.1", V2_VERSION_KNOWN, V2_2_1 },       { "2.3.1", V2_VERSION_KNOWN, V2_2_3_1 },
        { "2.7.1", V2_VERSION_KNOWN, V2_2_7_1 },   { "2.7.2", V2_VERSION_LATER, V2_2_7_1 },
        { "2.8", V2_VERSION_LATER, V2_2_7_1 },     { "2.9.1", V2_VERSION_LATER, V2_2_7_1 },
        { "2.10", V2_VERSION_LATER, V2_2_7_1 },    { "2.0", V2_VERSION_UNKNOWN, V2_2_5_1 },
        { "2.5.3", V2_VERSION_UNKNOWN, V2_2_5_1 }, { "", V2_VERSION_UNKNOWN, V2_2_5_1 },
        { "P", V2_VERSION_UNKNOWN, V2_2_5_1 },     { "2.", V2_VERSION_UNKNOWN, V2_2_5_1 },
        { "2.x", V2_VERSION_UNKNOWN, V2_2_5_1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum v2_version version;
        assert_int_equal(v2_version_find(str_z(cases[i].text), &version), cases[i].fit);
        assert_int_equal(version, cases[i].version);
    }
    assert_string_equal(v2_version_name(V2_2_3_1), "2.3.1");
}

static void test_fields_by_version(void **state)
{
    static const struct {
        enum v2_version version;
        const char *segment;
        uint32_t number;
        struct v2_item want;
    } cases[] = {
        { V2_2_1, "PID", 3, { "Patient Identifier List", "CK", V2_REQUIRED, 1, 16, 0 } },
        { V2_2_3, "PID", 3, { "Patient Identifier List", "CX", V2_REQUIRED, 0, 20, 0 } },
        { V2_2_5_1, "PID", 8, { "Administrative Sex", "IS", V2_OPTIONAL, 1, 1, 1 } },
        { V2_2_7_1, "PID", 2, { "Patient ID", "ST", V2_WITHDRAWN, 1, 0, 0 } },
        { V2_2_7, "OBX", 5, { "Observation Value", "VARIES", V2_CONDITIONAL, 0, 0, 0 } },
        { V2_2_5_1, "OBR", 49, { "Result Handling", "IS", V2_OPTIONAL, 1, 2, 507 } },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct v2_definition segment;
        struct v2_item got;
        assert_true(v2_segment_definition(cases[i].version, str_z(cases[i].segment), &segment));
        assert_true(v2_item(&segment, cases[i].number, &got));
        assert_string_equal(got.name, cases[i].want.name);
        assert_string_equal(got.type, cases[i].want.type);
        assert_int_equal(got.use, cases[i].want.use);
        assert_int_equal(got.repeat, cases[i].want.repeat);
        assert_int_equal(got.length, cases[i].want.length);
        assert_int_equal(got.table, cases[i].want.table);
    }
}

static void test_what_a_version_has_not(void **state)
{
    struct v2_definition definition;
    struct v2_item item;
    (void)state;
    assert_false(v2_segment_definition(V2_2_4, STR("SPM"), &definition));
    assert_true(v2_segment_definition(V2_2_5, STR("SPM"), &definition));
    assert_string_equal(definition.text, "Specimen");
    assert_false(v2_segment_definition(V2_2_5, STR("ZZZ"), &definition));
    assert_false(v2_segment_definition(V2_2_5, STR(""), &definition));
    assert_false(v2_segment_definition(V2_2_6, STR("ED"), &definition));

    assert_true(v2_segment_definition(V2_2_1, STR("PID"), &definition));
    assert_int_equal(definition.count, 20);
    assert_true(v2_item(&definition, 20, &item));
    assert_false(v2_item(&definition, 21, &item));
    assert_false(v2_item(&definition, 0, &item));
}

static void test_components(void **state)
{
    struct v2_definition type;
    struct v2_item item;
    (void)state;
    assert_true(v2_type_definition(V2_2_5_1, STR("CX"), &type));
    assert_int_equal(type.count, 10);
    assert_true(v2_item(&type, 4, &item));
    assert_string_equal(item.type, "HD");
    assert_int_equal(item.table, 363);
    assert_false(v2_type_definition(V2_2_5_1, STR("ST"), &type));
    assert_false(v2_type_definition(V2_2_7, STR("CE"), &type));
    assert_true(v2_type_definition(V2_2_6, STR("CWE"), &type));
}

/* The names below @root in order, with its marks, into @out. */
static void print(const struct v2_node *root, char *out)
{
    const struct v2_node *end = root + v2_node_span(root);
    for (const struct v2_node *node = root + 1; node < end; node++) {
        out += sprintf(out, "%s%s%s ", v2_node_required(node) ? "!" : "", v2_node_name(node),
                       v2_node_many(node) ? "*" : "");
    }
}

static void test_structures(void **state)
{
    static const struct {
        enum v2_version version;
        const char *name, *want;
    } cases[] = {
        { V2_2_4, "ACK", "!MSH !MSA ERR " },
        { V2_2_5, "ACK", "!MSH SFT* !MSA ERR* " },
        { V2_2_5, "ADT_A40", "!MSH SFT* !EVN !PATIENT* !PID PD1 !MRG PV1 " },
        { V2_2_5, "PMU_B06", "!MSH SFT* !EVN !STF PRA* ORG* " }, /* by table 354 */
        { V2_2_3_1, "RAR_RAR",
          "!MSH !MSA ERR !DEFINITION* !QRD QRF PATIENT !PID NTE* !ORDER* "
          "!ORC ENCODING !RXE !RXR* RXC* !RXA* !RXR DSC " },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char got[1024] = "";
        const struct v2_node *root = v2_structure_root(cases[i].version, str_z(cases[i].name));
        assert_non_null(root);
        assert_int_equal(v2_node_kind(root), V2_NODE_GROUP);
        print(root, got);
        assert_string_equal(got, cases[i].want);
    }
    assert_null(v2_structure_root(V2_2_7, STR("ORM_O01")));
    assert_null(v2_structure_root(V2_2_5, STR("OMG_019")));
    assert_null(v2_structure_root(V2_2_5, STR("")));
}

static void test_choices(void **state)
{
    const struct v2_node *node = v2_structure_root(V2_2_5, STR("ORM_O01"));
    (void)state;
    while (v2_node_kind(node) != V2_NODE_CHOICE) {
        node++;
    }
    assert_int_equal(v2_node_span(node), 7);
    assert_true(v2_node_required(node));
    assert_int_equal(node[1].id, v2_segment_id(STR("OBR")));
    assert_int_equal(node[6].id, v2_segment_id(STR("ODT")));
    assert_int_equal(v2_segment_id(STR("ZPI")), V2_SEGMENT_ID_NONE);
}

static void test_tables(void **state)
{
    const char *name = NULL;
    (void)state;
    assert_int_equal(v2_table_code(1, STR("F"), &name), V2_CODE_KNOWN);
    assert_string_equal(name, "Female");
    assert_int_equal(v2_table_code(1, STR("X"), NULL), V2_CODE_UNKNOWN);
    assert_int_equal(v2_table_code(1, STR(""), NULL), V2_CODE_UNKNOWN);
    assert_int_equal(v2_table_code(9999, STR("F"), NULL), V2_CODE_NO_TABLE);
    assert_string_equal(v2_table_name(3), "Event type");
    assert_null(v2_table_name(9999));
}

/* The counts of the dictionary that the rows were made of, less the datatype ED that is no
 * segment, with the events that table 354 adds to its messages. */
static void test_nothing_is_lost(void **state)
{
    static const struct {
        size_t segments, types, structures;
    } want[V2_VERSIONS] = {
        { 38, 8, 53 },    { 62, 52, 89 },   { 112, 75, 252 }, { 111, 78, 260 },
        { 138, 80, 316 }, { 149, 78, 338 }, { 149, 78, 338 }, { 174, 78, 416 },
        { 171, 74, 365 }, { 171, 74, 365 },
    };
    (void)state;
    for (int v = 0; v < V2_VERSIONS; v++) {
        size_t segments = 0;
        size_t types = 0;
        size_t structures = 0;
        for (size_t i = 0; i < v2_segment_rows_n; i++) {
            segments += v2_segment_rows[i].definitions[v] != 0;
        }
        for (size_t i = 0; i < v2_type_rows_n; i++) {
            types += v2_type_rows[i].definitions[v] != 0;
        }
        for (size_t i = 0; i < v2_structure_rows_n; i++) {
            structures += v2_structure_rows[i].roots[v] != 0;
        }
        assert_int_equal(segments, want[v].segments);
        assert_int_equal(types, want[v].types);
        assert_int_equal(structures, want[v].structures);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_fields_by_version),
        cmocka_unit_test(test_what_a_version_has_not),
        cmocka_unit_test(test_components),
        cmocka_unit_test(test_structures),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_nothing_is_lost),
    };
    return cmocka_run_group_tests_name("fhir/v2/dictionary", tests, NULL, NULL);
}
