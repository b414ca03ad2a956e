#include "fhir/consent/action.h"
#include "tests/fhir/consent/filing.h"

#define R4(rest) "{" FILING_R4 "," rest "}"
#define R5(rest) "{" FILING_R5 "," rest "}"
#define ACTION(code)                                                                           \
    "\"action\":[{\"coding\":[{\"system\":\"" ACTION_SYSTEM "\",\"code\":\"" code "\"}]}]"
#define LEVEL(code) LABEL(LABELS_CONFIDENTIALITY, code)
#define LABELS                                                                                 \
    "\"securityLabel\":[{\"system\":\"" LABELS_CONFIDENTIALITY "\",\"code\":\"N\"},"           \
    "{\"system\":\"" LABELS_ACT_CODE "\",\"code\":\"PSY\"}]"
#define SINCE(name) "\"" name "\":{\"start\":\"2022\"}"

/* What was signed, by digest or by address; several in R5. */
static void test_sources(void **state)
{
    static const char r5[] =
        R5("\"decision\":\"permit\",\"policyBasis\":{\"uri\":\"http://p/2\"},"
           "\"sourceAttachment\":[{\"url\":\"http://a/1\"},{\"url\":\"http://a/2\"},{}],"
           "\"sourceReference\":[{\"reference\":\"DocumentReference/1\"},"
           "{\"reference\":\"DocumentReference/2\"}]");
    static const char r4[] =
        R4("\"sourceReference\":{\"reference\":\"DocumentReference/1\"}," OPT("OPTIN"));
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct issues issues;
    struct consent_filing filing;
    (void)state;
    assert_int_equal(filing_read(arena, str_z(r5), &issues, &filing), 0);
    assert_str(filing.policy.uris.at[0], "http://p/2");
    assert_int_equal(filing.policy.sources.n, 4);
    assert_str(filing.policy.sources.at[3], "http://a/2");
    assert_int_equal(filing_read(arena, str_z(r4), &issues, &filing), 0);
    assert_int_equal(filing.policy.sources.n, 1);
}

/* File an R4 Consent whose root asks for @root and has @exceptions. */
static void file_root(struct arena *arena, const char *root, const char *exceptions,
                      struct issues *issues, struct consent_filing *out)
{
    struct buf text = arena_buf(arena, 8192);
    buf_fmt(&text, "{%s,%s,\"provision\":{%s%s}}", FILING_R4, OPT("OPTOUT"), root, exceptions);
    assert_int_equal(filing_read(arena, buf_str(&text), issues, out), 0);
}

/* An exception inside R4's one rule is left out only if it says nothing of its own. */
static void test_what_repeats_the_base(void **state)
{
    static const char root[] =
        PURPOSE("TREAT") "," LABELS "," ACTOR("CST", "Organization/f") "," ACTION("use");
    static const struct {
        const char *exception;
        size_t kept;
    } cases[] = {
        { root, 0 },
        { PURPOSE("TREAT"), 0 },
        { LEVEL("N"), 0 },
        { ACTOR("CST", "Organization/f"), 0 },
        { ACTION("use"), 0 },
        { ACTION("access"), 1 },
        { PURPOSE("COC"), 1 },
        { LEVEL("R"), 1 },
        { LABEL(LABELS_ACT_CODE, "PSY"), 0 },
        { LABEL(LABELS_ACT_CODE, "HIV"), 1 },
        { LABEL("s", "l"), 1 },
        { ACTOR("CST", "Organization/g"), 1 },
        { ACTOR("IRCP", "Organization/f"), 1 },
        { "\"actor\":[{" ROLE("CST") ",\"reference\":{\"reference\":\"Organization/"
                                     "f\"}},{" ROLE("CST") ",\"reference\":{\"reference\":"
                                                           "\"Organization/g\"}}]",
          1 },
        { SINCE("dataPeriod"), 1 },
        { PURPOSE("TREAT") "," SINCE("period"), 1 },
        { PURPOSE("TREAT") "," SINCE("dataPeriod"), 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct buf exception = arena_buf(arena, 4096);
        struct issues issues;
        struct consent_filing filing;
        buf_fmt(&exception, ",\"provision\":[{\"type\":\"deny\",%s}]%c", cases[i].exception, 0);
        file_root(arena, root, exception.p, &issues, &filing);
        if (filing.policy.rules[0].n_rules != cases[i].kept) {
            print_error("case %zu: %s\n", i, cases[i].exception);
            fail();
        }
        assert_int_equal(issues.count, cases[i].kept == 0);
    }
}

/* A root that asks for anything but a period makes a rule of its own. */
static void test_what_a_root_asks_for(void **state)
{
    static const struct {
        const char *root;
        size_t rules;
    } cases[] = {
        { PURPOSE("TREAT"), 1 },
        { LEVEL("N"), 1 },
        { LABEL(LABELS_ACT_CODE, "PSY"), 1 },
        { LABEL("s", "l"), 1 },
        { ACTOR("CST", "Organization/f"), 1 },
        { ACTION("use"), 1 },
        { SINCE("dataPeriod"), 1 },
        { SINCE("period"), 0 },
        { "\"class\":[{\"system\":\"http://hl7.org/fhir/fhir-types\",\"code\":\"Media\"}]", 1 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        struct consent_filing filing;
        file_root(arena, cases[i].root, "", &issues, &filing);
        assert_int_equal(filing.policy.n_rules, cases[i].rules);
    }
}

/* IHE PCF: a nested permit takes from the root what it doesn't ask for itself. */
static void test_what_a_permit_takes_from_the_scope(void **state)
{
    static const struct {
        const char *permit;
        bool purposes, labels; /* of the root */
    } cases[] = {
        { SINCE("dataPeriod"), true, true },
        { PURPOSE("HRESCH"), false, true },
        { "\"purpose\":[{\"system\":\"s\",\"code\":\"p\"}]", false, true },
        { LEVEL("R"), true, false },
        { LABEL(LABELS_ACT_CODE, "HIV"), true, false },
        { LABEL("s", "l"), true, false },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct buf text = arena_buf(arena, 8192);
        struct issues issues;
        struct consent_filing filing;
        buf_fmt(&text,
                "{%s,\"provision\":{\"type\":\"permit\",%s,%s,\"provision\":[{\"type\":"
                "\"permit\",%s}]}}",
                FILING_R4, PURPOSE("TREAT"), LABELS, cases[i].permit);
        assert_int_equal(filing_read(arena, buf_str(&text), &issues, &filing), 0);
        const struct policy_criteria *when = &filing.policy.rules[0].when;
        assert_int_equal(when->purposes == purpose_bit(STR("TREAT")), cases[i].purposes);
        assert_int_equal(when->sensitivity == labels_bit(STR("PSY")), cases[i].labels);
    }
}

/* A list of @n, each made of @each, its number and @tail. */
static int file_many(const char *head, const char *each, const char *tail, int n)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct buf text = arena_buf(arena, 1 << 20);
    struct issues issues;
    struct consent_filing filing;
    buf_fmt(&text, "{%s,\"provision\":{\"type\":\"permit\",%s[", FILING_R4, head);
    for (int i = 0; i < n; i++) {
        buf_fmt(&text, "%s%s%d%s", i ? "," : "", each, i, tail);
    }
    buf_z(&text, "]}}");
    return filing_read(arena, buf_str(&text), &issues, &filing);
}

static void test_lists_are_bounded(void **state)
{
    static const char actor[] = "{" ROLE("IRCP") ",\"reference\":{\"reference\":\"Group/";
    static const char rule[] = "{\"type\":\"deny\",\"purpose\":[{\"system\":\"s\",\"code\":\"";
    static const struct {
        const char *head, *each, *tail;
        int most;
    } cases[] = {
        { "\"actor\":", actor, "\"}}", POLICY_VALUES_MAX },
        { "\"provision\":", rule, "\"}]}", POLICY_RULES_MAX },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int most = cases[i].most;
        assert_int_equal(file_many(cases[i].head, cases[i].each, cases[i].tail, most), 0);
        assert_int_equal(file_many(cases[i].head, cases[i].each, cases[i].tail, most + 1),
                         CONSENT_E_REFUSED);
    }
}

static void test_depth_ends_at_eight(void **state)
{
    (void)state;
    for (int depth = 1; depth <= POLICY_DEPTH_MAX + 1; depth++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct buf text = arena_buf(arena, 4096);
        struct issues issues;
        struct consent_filing filing;
        buf_z(&text, "{" FILING_R4 ",\"provision\":{\"type\":\"permit\"");
        for (int i = 1; i < depth; i++) {
            buf_fmt(&text, ",\"provision\":[{\"type\":\"deny\"");
        }
        for (int i = 1; i < depth; i++) {
            buf_z(&text, "}]");
        }
        buf_z(&text, "}}");
        assert_int_equal(filing_read(arena, buf_str(&text), &issues, &filing),
                         depth <= POLICY_DEPTH_MAX ? 0 : CONSENT_E_REFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_what_repeats_the_base),
        cmocka_unit_test(test_what_a_root_asks_for),
        cmocka_unit_test(test_what_a_permit_takes_from_the_scope),
        cmocka_unit_test(test_lists_are_bounded),
        cmocka_unit_test(test_depth_ends_at_eight),
    };
    return cmocka_run_group_tests_name("fhir/consent/provision", tests, NULL, NULL);
}
