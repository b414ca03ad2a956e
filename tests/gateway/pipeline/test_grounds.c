/* What a decision went by, as text. */
#include "gateway/pipeline/grounds.h"
#include "tests/check.h"

#define ID_7 "07" Z31
#define ID_B "0b" Z31
#define Z31 "00000000000000000000000000000000000000000000000000000000000000"

static const struct consent_evidence PERMIT = {
    .verdict = { CONSENT_PERMIT, CONSENT_BASIS_PERMIT, { .n = 2, .steps = { 0, 3 } } },
    .engine = 1,
    .has_consent = true,
    .safe = true,
    .version = 2,
    .reading = CONSENT_PCF,
    .id = { 7 },
    .policy_hash = { 11 },
};

static const struct consent_evidence UNREADABLE = {
    .verdict = { CONSENT_DENY, CONSENT_BASIS_UNPROCESSABLE, { 0 } },
    .engine = 1,
    .has_consent = true,
    .version = 65535,
    .id = { 7 },
};

static const struct consent_evidence NONE = {
    .verdict = { CONSENT_DENY, CONSENT_BASIS_NO_CONSENT, { 0 } },
    .engine = 1,
};

static const struct consent_evidence IMPLICIT = {
    .verdict = { CONSENT_PERMIT, CONSENT_BASIS_IMPLICIT, { 0 } },
    .engine = 1,
    .tenant = { 11 },
    .obligations = 1U | 1U << 31,
};

static void check(const struct grounds *grounds, const char *want)
{
    char text[GROUNDS_TEXT_MAX];
    struct buf b = buf_fixed(text, sizeof(text));
    grounds_write(grounds, &b);
    assert_false(buf_failed(&b));
    assert_str(buf_str(&b), want);
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const struct consent_evidence *evidence;
        const char *want;
    } cases[] = {
        { &PERMIT,
          "{\"engine\":1,\"grounds\":[{\"basis\":\"consent-permit\",\"consent\":\"0x" ID_7
          "\",\"policy\":\"" ID_B "\",\"reading\":\"pcf\",\"rule\":\"rules[0].rules[3]\","
          "\"safe\":true,\"version\":2}]}" },
        { &UNREADABLE,
          "{\"engine\":1,\"grounds\":[{\"basis\":\"unprocessable\",\"consent\":\"0x" ID_7
          "\",\"safe\":false,\"version\":65535}]}" },
        { &NONE, "{\"engine\":1,\"grounds\":[{\"basis\":\"no-consent\"}]}" },
        { &IMPLICIT, "{\"engine\":1,\"grounds\":[{\"basis\":\"implicit-policy\","
                     "\"obligations\":[0,31]}],\"tenant\":\"" ID_B "\"}" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct grounds grounds = { 0 };
        grounds_add(&grounds, cases[i].evidence);
        check(&grounds, cases[i].want);
    }
}

static void test_nobody_asked_nothing_said(void **state)
{
    (void)state;
    struct grounds grounds = { 0 };
    check(&grounds, "");
}

static void test_each_is_told_once(void **state)
{
    (void)state;
    struct grounds grounds = { 0 };
    struct consent_evidence other = PERMIT;
    other.verdict.path.steps[1] = 4;
    grounds_add(&grounds, &PERMIT);
    grounds_add(&grounds, &other);
    grounds_add(&grounds, &PERMIT);
    assert_int_equal(grounds.count, 2);
    assert_int_equal(grounds.at[1].verdict.path.steps[1], 4);
    assert_false(grounds.more);
}

/* The longest text there can be fits, and says that it isn't all. */
static void test_limit(void **state)
{
    (void)state;
    struct grounds grounds = { 0 };
    struct consent_evidence one = PERMIT;
    one.obligations = UINT32_MAX;
    one.version = UINT16_MAX;
    one.verdict.path.n = POLICY_DEPTH_MAX;
    memset(one.verdict.path.steps, 255, sizeof(one.verdict.path.steps));
    memset(one.tenant, 255, sizeof(one.tenant));
    for (uint8_t i = 0; i <= GROUNDS_MAX; i++) {
        one.id[0] = i;
        assert_false(grounds.more);
        grounds_add(&grounds, &one);
    }
    assert_true(grounds.more);
    assert_int_equal(grounds.count, GROUNDS_MAX);
    char text[GROUNDS_TEXT_MAX];
    struct buf b = buf_fixed(text, sizeof(text));
    grounds_write(&grounds, &b);
    buf_c(&b, '\0');
    assert_false(buf_failed(&b));
    assert_non_null(strstr(text, "],\"more\":true,\"tenant\":\"ff"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_nobody_asked_nothing_said),
        cmocka_unit_test(test_each_is_told_once),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests_name("gateway/pipeline/grounds", tests, NULL, NULL);
}
