#include "fhir/consent/labeller.h"

#include "fhir/format/json.h"
#include "tests/fhir/with_arena.h"

#define ACT "\"system\":\"" LABELS_ACT_CODE "\",\"code\":"
#define LEVEL "\"system\":\"" LABELS_CONFIDENTIALITY "\",\"code\":"
#define FOCUS(codings)                                                                         \
    "\"useContext\":[{\"code\":{\"code\":\"focus\"},\"valueCodeableConcept\":{\"coding\":"     \
    "[" codings "]}}]"
#define SET(url, codings, rest)                                                                \
    "{\"resourceType\":\"ValueSet\",\"url\":\"" url                                            \
    "\",\"status\":\"active\"," FOCUS(codings) "," rest "}"
#define COMPOSE(includes) "\"compose\":{\"include\":[" includes "]}"
#define CONCEPTS(system, codes) "{\"system\":\"" system "\",\"concept\":[" codes "]}"
#define IS_A(system, code)                                                                     \
    "{\"system\":\"" system "\",\"filter\":[{\"property\":\"concept\",\"op\":\"is-a\","        \
    "\"value\":\"" code "\"}]}"
#define ICD "http://hl7.org/fhir/sid/icd-10-cm"
#define LOINC "http://loinc.org"
#define HIV "{" ACT "\"HIV\"},{" LEVEL "\"R\"}"

static int add(struct labeller *labeller, const char *text, struct issues *issues)
{
    const struct node *root;
    issues_init(issues, arena);
    assert_int_equal(json_parse(arena, str_z(text), issues, &root), 0);
    return labeller_add(labeller, root, issues);
}

static void fill(struct labeller *labeller, const char *const *sets, size_t n)
{
    struct issues issues;
    labeller_init(labeller, arena);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(add(labeller, sets[i], &issues), 0);
    }
    labeller_finish(labeller);
}

static struct labeller_found look(const struct labeller *l, const char *system,
                                  const char *code)
{
    struct labeller_found found = { 0 };
    labeller_look(l, str_z(system), str_z(code), &found);
    return found;
}

static void test_codes_in_a_set(void **state)
{
    (void)state;
    static const char *const sets[] = {
        SET("urn:hiv", HIV,
            COMPOSE(CONCEPTS(LOINC, "{\"code\":\"7917-8\"}") "," IS_A(ICD, "B20"))),
        SET("urn:sud", "{" ACT "\"SUD\"}",
            COMPOSE(IS_A(ICD, "F10") "," CONCEPTS(ICD, "{\"code\":\"B20.1\"}"))),
        SET("urn:all", "{" ACT "\"GDIS\"}", COMPOSE("{\"system\":\"urn:genes\"}")),
    };
    static const struct {
        const char *system;
        const char *code;
        uint64_t sets;
    } cases[] = {
        { LOINC, "7917-8", 1 },
        { LOINC, "7917-81", 0 },
        { LOINC, "7917-", 0 },
        { "urn:oid:2.16.840.1.113883.6.1", "7917-8", 1 }, /* the same system */
        { "http://loinc.org/", "7917-8", 0 },
        { ICD, "B20", 1 },
        { ICD, "B20.9", 1 },
        { ICD, "B2", 0 },
        { ICD, "B21", 0 },
        { ICD, "B20.1", 1 | 2 }, /* in both */
        { "urn:oid:2.16.840.1.113883.6.90", "F10.20", 2 },
        { "http://hl7.org/fhir/sid/icd-10", "F10.20", 0 }, /* another ICD */
        { "urn:genes", "anything", 4 },
        { "urn:genes", "", 4 },
        { "", "B20", 0 },
        { "urn:gene", "s", 0 },
    };
    struct labeller l;
    fill(&l, sets, ARRAY_LEN(sets));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(look(&l, cases[i].system, cases[i].code).sets, cases[i].sets);
    }
}

static void test_what_sets_say_adds_up(void **state)
{
    (void)state;
    static const char *const sets[] = {
        SET("urn:hiv", HIV, COMPOSE(IS_A(ICD, "B20"))),
        SET("urn:more", "{" ACT "\"STD\"},{" LEVEL "\"V\"},{" LEVEL "\"L\"}",
            COMPOSE(CONCEPTS(ICD, "{\"code\":\"B20\"}"))),
    };
    struct labeller l;
    fill(&l, sets, ARRAY_LEN(sets));
    struct labeller_found found = look(&l, ICD, "B20");
    assert_int_equal(found.sensitivity, labels_bit(STR("HIV")) | labels_bit(STR("STD")));
    assert_int_equal(found.level, CONFIDENTIALITY_V);
    labeller_look(&l, STR(ICD), STR("Z00"), &found); /* another code takes nothing away */
    assert_int_equal(found.level, CONFIDENTIALITY_V);
    assert_str(l.sets[0].name, "urn:hiv");
}

static void test_excluded_codes(void **state)
{
    (void)state;
    static const char *const sets[] = {
        SET("urn:a", HIV,
            "\"compose\":{\"include\":[" IS_A(ICD, "F1") "],\"exclude\":[" IS_A(
                ICD, "F17") "," CONCEPTS(ICD, "{\"code\":\"F10.9\"}") "]}"),
        SET("urn:b", "{" ACT "\"SUD\"}", COMPOSE(CONCEPTS(ICD, "{\"code\":\"F17.1\"}"))),
    };
    struct labeller l;
    fill(&l, sets, ARRAY_LEN(sets));
    assert_int_equal(look(&l, ICD, "F10.1").sets, 1);
    assert_int_equal(look(&l, ICD, "F10.9").sets, 0);
    assert_int_equal(look(&l, ICD, "F17").sets, 0);
    assert_int_equal(look(&l, ICD, "F17.1").sets, 2); /* one set's exclusion is its own */
}

static void test_an_expansion_is_what_counts(void **state)
{
    (void)state;
    static const char *const sets[] = {
        SET("urn:a", HIV,
            COMPOSE(IS_A(ICD, "F10")) ",\"expansion\":{\"total\":2,\"contains\":["
                                      "{\"system\":\"" LOINC "\",\"code\":\"1-8\",\"contains\":"
                                      "[{\"system\":\"" LOINC "\",\"code\":\"2-6\"}]}]}"),
    };
    struct labeller l;
    fill(&l, sets, ARRAY_LEN(sets));
    assert_int_equal(look(&l, LOINC, "1-8").sets, 1);
    assert_int_equal(look(&l, LOINC, "2-6").sets, 1);
    assert_int_equal(look(&l, ICD, "F10").sets, 0);
}

static void test_what_cant_be_read_is_refused_by_place(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        const char *place;
    } cases[] = {
        { "{\"resourceType\":\"CodeSystem\"}", "" },
        { SET("", HIV, COMPOSE(IS_A(ICD, "B20"))), "ValueSet.url" },
        { SET("urn:a", "{" ACT "\"HOPE\"}", COMPOSE(IS_A(ICD, "B20"))), "ValueSet.useContext" },
        { SET("urn:a", "{" LEVEL "\"Q\"}", COMPOSE(IS_A(ICD, "B20"))), "ValueSet.useContext" },
        { SET("urn:a", "", COMPOSE(IS_A(ICD, "B20"))), "ValueSet.useContext" },
        { "{\"resourceType\":\"ValueSet\",\"url\":\"urn:a\"}", "ValueSet.useContext" },
        { SET("urn:a", HIV, "\"compose\":{}"), "ValueSet" },
        { SET("urn:a", HIV, COMPOSE("{\"valueSet\":[\"urn:b\"]}")),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV, COMPOSE(IS_A(ICD, "B20") "," IS_A(LOINC, "1-8"))),
          "ValueSet.compose.include[1]" },
        { SET("urn:a", HIV,
              COMPOSE("{\"system\":\"" ICD "\",\"filter\":[{\"property\":\"concept\",\"op\":"
                      "\"regex\",\"value\":\"B.*\"}]}")),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV, COMPOSE(IS_A(ICD, "12345678901234567"))),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV, COMPOSE(CONCEPTS(ICD, "{\"display\":\"no code\"}"))),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV,
              COMPOSE("{\"system\":\"" ICD "\",\"filter\":[{\"property\":\"parent\",\"op\":"
                      "\"is-a\",\"value\":\"B20\"}]}")),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV,
              COMPOSE("{\"system\":\"" ICD "\",\"filter\":[{\"property\":\"concept\",\"op\":"
                      "\"is-a\",\"value\":\"B20\"},{\"property\":\"concept\",\"op\":\"is-a\","
                      "\"value\":\"B21\"}]}")),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV, COMPOSE(IS_A(ICD, ""))), "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV, COMPOSE("{\"concept\":[{\"code\":\"1\"}]}")),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", HIV,
              COMPOSE("{\"system\":\"" ICD "\",\"concept\":[{\"code\":\"B20\"}],\"filter\":[{"
                      "\"property\":\"concept\",\"op\":\"is-a\",\"value\":\"B21\"}]}")),
          "ValueSet.compose.include[0]" },
        { SET("urn:a", "{\"system\":\"urn:x\",\"code\":\"HIV\"}", COMPOSE(IS_A(ICD, "B20"))),
          "ValueSet.useContext" },
        { "{\"resourceType\":\"ValueSet\",\"url\":\"urn:a\",\"useContext\":[{\"code\":{"
          "\"code\":"
          "\"age\"},\"valueCodeableConcept\":{\"coding\":[" HIV "]}}]}",
          "ValueSet.useContext" },
        { SET("urn:a", HIV,
              "\"expansion\":{\"contains\":[{\"code\":\"1-8\"},{\"system\":\"" LOINC
              "\",\"code\":\"2-6\"}]}"),
          "ValueSet.expansion.contains" },
        { SET("urn:a", HIV,
              "\"expansion\":{\"total\":3,\"contains\":[{\"system\":\"" LOINC
              "\",\"code\":\"1-8\"}]}"),
          "ValueSet.expansion.total" },
        { SET("urn:a", HIV, "\"expansion\":{\"contains\":[{\"code\":\"1-8\"}]}"),
          "ValueSet.expansion.contains" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct labeller l;
        struct issues issues;
        labeller_init(&l, arena);
        assert_int_equal(add(&l, cases[i].set, &issues), LABELLER_E_SET);
        assert_true(issues.count > 0);
        assert_str(issues.first->place, cases[i].place);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct labeller l;
    struct issues issues;
    labeller_init(&l, arena);
    for (int i = 0; i < LABELLER_SETS_MAX; i++) {
        assert_int_equal(add(&l, SET("urn:a", HIV, COMPOSE(IS_A(ICD, "B20"))), &issues), 0);
    }
    assert_int_equal(add(&l, SET("urn:a", HIV, COMPOSE(IS_A(ICD, "B20"))), &issues),
                     LABELLER_E_SET);
    l.n_sets--;
    labeller_finish(&l);
    assert_int_equal(look(&l, ICD, "B20").sets, UINT64_MAX);

    labeller_init(&l, arena);
    labeller_finish(&l);
    assert_int_equal(look(&l, ICD, "B20").sets, 0); /* no sets, nothing known */
}

/* An expansion @depth deep, with nothing but headings above its one code. */
static int add_deep(int depth)
{
    CLEANUP(arena_freep) struct arena *own = arena_new(1 << 16);
    struct buf text = arena_buf(own, 1 << 16);
    struct labeller l;
    struct issues issues;
    labeller_init(&l, own);
    buf_z(&text, "{\"resourceType\":\"ValueSet\",\"url\":\"urn:a\",\"version\":\"2\"," FOCUS(
                     HIV) ",\"expansion\":{\"contains\":[");
    for (int i = 0; i < depth; i++) {
        buf_z(&text, "{\"contains\":[");
    }
    buf_z(&text, "{\"system\":\"urn:s\",\"code\":\"1\"}");
    for (int i = 0; i < depth; i++) {
        buf_z(&text, "]}");
    }
    buf_z(&text, "]}}");
    buf_c(&text, '\0');
    int r = add(&l, text.p, &issues);
    assert_str(l.sets[0].name, "urn:a|2");
    return r;
}

/* A set of @n codes. */
static int add_many(size_t n)
{
    CLEANUP(arena_freep) struct arena *own = arena_new(1 << 20);
    struct buf text = arena_buf(own, 64 << 20);
    struct labeller l;
    struct issues issues;
    labeller_init(&l, own);
    buf_z(&text, "{\"resourceType\":\"ValueSet\",\"url\":\"urn:a\"," FOCUS(HIV) ",");
    buf_z(&text,
          "\"compose\":{\"include\":[{\"system\":\"urn:s\",\"concept\":[{\"code\":\"1\"}");
    for (size_t i = 1; i < n; i++) {
        buf_z(&text, ",{\"code\":\"1\"}");
    }
    buf_z(&text, "]}]}}");
    buf_c(&text, '\0');
    assert_false(buf_failed(&text));
    return add(&l, text.p, &issues);
}

static void test_sizes_are_bounded(void **state)
{
    (void)state;
    assert_int_equal(add_deep(LABELLER_DEPTH_MAX - 1), 0);
    assert_int_equal(add_deep(LABELLER_DEPTH_MAX + 1), LABELLER_E_SET);
    assert_int_equal(add_many(LABELLER_CODES_MAX), 0);
    assert_int_equal(add_many(LABELLER_CODES_MAX + 1), LABELLER_E_SET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_in_a_set),
        cmocka_unit_test(test_what_sets_say_adds_up),
        cmocka_unit_test(test_excluded_codes),
        cmocka_unit_test(test_an_expansion_is_what_counts),
        cmocka_unit_test(test_what_cant_be_read_is_refused_by_place),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_sizes_are_bounded),
    };
    return cmocka_run_group_tests_name("fhir/consent/labeller", tests, open_arena, close_arena);
}
