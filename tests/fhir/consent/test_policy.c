#include "fhir/consent/policy.h"

#include "fhir/consent/action.h"
#include "fhir/consent/purpose.h"
#include "tests/check.h"

static struct policy_texts texts(struct arena *arena, const char *words)
{
    struct policy_texts list = { .at = arena_calloc(arena, 8, sizeof(struct str)) };
    struct str rest = str_z(words);
    while (rest.n) {
        list.at[list.n++] = str_cut(&rest, ' ');
    }
    return list;
}

static struct str written(struct arena *arena, const struct policy *policy)
{
    struct buf out = arena_buf(arena, POLICY_TEXT_MAX);
    policy_write(&out, policy);
    assert_false(buf_failed(&out));
    return buf_str(&out);
}

static void test_equal_policies_have_equal_bytes(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct policy_rule one[2] = { { .effect = POLICY_DENY }, { .effect = POLICY_PERMIT } };
    struct policy_rule other[3] = { { .effect = POLICY_PERMIT },
                                    { .effect = POLICY_DENY },
                                    { .effect = POLICY_PERMIT } };
    (void)state;

    one[0].when.lists[POLICY_ACTORS] = texts(arena, "b a");
    one[1].when.lists[POLICY_CODES] = texts(arena, "s|1");
    one[1].when.actions = ACTION_USE | ACTION_ACCESS;
    other[1].when.lists[POLICY_ACTORS] = texts(arena, "a b a");
    other[0] = one[1];
    other[2] = one[1];
    struct policy a = { .base = POLICY_PERMIT, .rules = one, .n_rules = 2 };
    struct policy b = { .base = POLICY_PERMIT, .rules = other, .n_rules = 3 };
    policy_finish(&a);
    policy_finish(&b);
    struct str text = written(arena, &a);
    assert_true(str_eq(text, written(arena, &b)));
    assert_str(text,
               "{\"base\":\"permit\",\"rules\":[{\"actors\":[\"a\",\"b\"],\"effect\":\"deny\"},"
               "{\"actions\":[\"access\",\"use\"],\"codes\":[\"s|1\"],"
               "\"effect\":\"permit\"}],\"schema\":1}");
}

/* Canonical texts, each a fixed point. */
static const char *const canonical[] = {
    "{\"base\":\"silent\",\"schema\":1}",
    "{\"base\":\"permit\",\"reading\":\"pcf\",\"schema\":1}",
    "{\"base\":\"permit\",\"reading\":\"r4\",\"schema\":1}",
    "{\"base\":\"permit\",\"reading\":\"r5\",\"schema\":1}",
    "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"otherLabels\":["
    "\"http://terminology.hl7.org/CodeSystem/v3-ActCode|X\"],\"otherPurposes\":["
    "\"http://terminology.hl7.org/CodeSystem/v3-ActReason|X\"]}}",
    "{\"base\":\"deny\",\"schema\":1,\"sources\":[\"sha256:00\"],\"uris\":[\"urn:a\",\"urn:b\"]"
    "}",
    "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"period\":{\"from\":-5,\"until\":7}}}",
    "{\"base\":\"permit\",\"schema\":1,\"scope\":{\"dataPeriod\":{\"from\":0},"
    "\"purposes\":[\"HPAYMT\",\"TREAT\"]}}",
    "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"x\"],\"classes\":[\"Observation\"],"
    "\"confidentiality\":[\"N\",\"R\"],\"custodians\":[\"y\"],\"dataAuthoredBy\":[\"z\"],"
    "\"dataDependents\":[\"A/1\"],\"dataInstances\":[\"A/1/_history/2\"],"
    "\"dataRelated\":[\"Encounter/1\"],\"effect\":\"permit\",\"otherLabels\":[\"s|l\"],"
    "\"otherPurposes\":[\"s|p\"],\"rules\":[{\"effect\":\"deny\",\"sensitivity\":[\"ETH\","
    "\"PSY\"]}]}],\"schema\":1}",
    "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"a\\\"\\\\\\n\\u0001/\xc3\xa9\"],"
    "\"effect\":\"permit\"}],\"schema\":1}",
};

static void test_reading_writes_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(canonical); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        struct policy policy;
        issues_init(&issues, arena);
        assert_int_equal(policy_read(arena, str_z(canonical[i]), &issues, &policy), 0);
        assert_str(written(arena, &policy), canonical[i]);
    }
}

static void test_a_copy_stands_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(canonical); i++) {
        struct arena *arena = arena_new(4096);
        struct issues issues;
        struct policy policy;
        issues_init(&issues, arena);
        assert_int_equal(policy_read(arena, str_z(canonical[i]), &issues, &policy), 0);
        size_t size = policy_size(&policy);
        void *memory = malloc(size);
        assert_non_null(memory);
        const struct policy *copy = policy_copy(memory, &policy);
        arena_free(arena);
        arena = arena_new(4096);
        assert_str(written(arena, copy), canonical[i]);
        assert_int_equal(policy_size(copy), size);
        arena_free(arena);
        free(memory);
    }
}

static void test_other_texts_are_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"base\":\"silent\"}",
        "{\"base\":\"maybe\",\"schema\":1}",
        "{\"base\":\"deny\",\"schema\":2}",
        "{\"base\":\"deny\",\"schema\":1} ",
        "{ \"base\":\"deny\",\"schema\":1}",
        "{\"schema\":1,\"base\":\"deny\"}",
        "{\"base\":\"deny\",\"schema\":1,\"x\":1}",
        "{\"base\":\"deny\",\"schema\":1.0}",
        "{\"base\":\"deny\",\"rules\":[],\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"effect\":\"silent\"}],\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{}],\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[1],\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"actors\":[],\"effect\":\"deny\"}],\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"\"],\"effect\":\"deny\"}],\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"b\",\"a\"],\"effect\":\"deny\"}],"
        "\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"actors\":[\"a\",\"a\"],\"effect\":\"deny\"}],"
        "\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"effect\":\"deny\"},{\"effect\":\"deny\"}],\"schema\":"
        "1}",
        "{\"base\":\"deny\",\"rules\":[{\"effect\":\"permit\"},{\"effect\":\"deny\"}],"
        "\"schema\":1}",
        "{\"base\":\"deny\",\"rules\":[{\"effect\":\"deny\",\"purposes\":[\"TREATS\"]}],"
        "\"schema\":1}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"actors\":\"a\"}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"actors\":[1]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"purposes\":\"TREAT\"}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"purposes\":[]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"purposes\":[7]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"confidentiality\":[\"Q\"]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"period\":{\"from\":-9007199254740991}}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"period\":{\"from\":9007199254740991}}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"otherPurposes\":[\"foo\"]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"otherLabels\":["
        "\"http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R\"]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"effect\":\"deny\"}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"period\":{}}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"period\":{\"from\":\"1\"}}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"period\":{\"from\":9007199254740993}}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"otherPurposes\":["
        "\"http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT\"]}}",
        "{\"base\":\"deny\",\"schema\":1,\"scope\":{\"otherLabels\":["
        "\"http://terminology.hl7.org/CodeSystem/v3-ActCode|ETH\"]}}",
        "{\"base\":\"deny\",\"schema\":1,\"uris\":[\"a\\/b\"]}",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct issues issues;
        struct policy policy;
        issues_init(&issues, arena);
        if (policy_read(arena, str_z(cases[i]), &issues, &policy) != POLICY_E_FORM) {
            print_error("accepted: %s\n", cases[i]);
            fail();
        }
        assert_true(issues_bad(&issues));
    }
}

static void test_sizes_are_bounded(void **state)
{
    (void)state;
    for (size_t n = POLICY_VALUES_MAX; n <= POLICY_VALUES_MAX + 1; n++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
        struct buf text = arena_buf(arena, 1 << 16);
        struct issues issues;
        struct policy policy;
        issues_init(&issues, arena);
        buf_z(&text, "{\"base\":\"deny\",\"schema\":1,\"uris\":[\"urn:100\"");
        for (size_t i = 1; i < n; i++) {
            buf_fmt(&text, ",\"urn:%zu\"", 100 + i);
        }
        buf_z(&text, "]}");
        assert_int_equal(policy_read(arena, buf_str(&text), &issues, &policy),
                         n == POLICY_VALUES_MAX ? 0 : POLICY_E_FORM);
    }
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    char *space = arena_alloc(arena, POLICY_TEXT_MAX + 1);
    struct issues issues;
    struct policy policy;
    assert_non_null(space);
    memset(space, ' ', POLICY_TEXT_MAX + 1);
    issues_init(&issues, arena);
    assert_int_equal(policy_read(arena, str_of(space, POLICY_TEXT_MAX + 1), &issues, &policy),
                     POLICY_E_FORM);
    assert_str(issues.first->text, "longer than 1048576 bytes");
}

static void test_depth_ends_at_eight(void **state)
{
    (void)state;
    for (int depth = 1; depth <= POLICY_DEPTH_MAX + 1; depth++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct buf text = arena_buf(arena, 4096);
        struct issues issues;
        struct policy policy;
        issues_init(&issues, arena);
        buf_z(&text, "{\"base\":\"deny\"");
        for (int i = 0; i < depth; i++) {
            buf_z(&text, ",\"rules\":[{\"effect\":\"permit\"");
        }
        for (int i = 0; i < depth; i++) {
            buf_z(&text, "}]");
        }
        buf_z(&text, ",\"schema\":1}");
        int want = depth <= POLICY_DEPTH_MAX ? 0 : POLICY_E_FORM;
        assert_int_equal(policy_read(arena, buf_str(&text), &issues, &policy), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_policies_have_equal_bytes),
        cmocka_unit_test(test_reading_writes_the_same),
        cmocka_unit_test(test_a_copy_stands_alone),
        cmocka_unit_test(test_other_texts_are_refused),
        cmocka_unit_test(test_sizes_are_bounded),
        cmocka_unit_test(test_depth_ends_at_eight),
    };
    return cmocka_run_group_tests_name("fhir/consent/policy", tests, NULL, NULL);
}
