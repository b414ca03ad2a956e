#include "fhir/consent/tenant.h"

#include "crypto/digest.h"
#include "fhir/consent/purpose.h"
#include "tests/check.h"

#define PCF "https://profiles.ihe.net/ITI/PCF/Policy-"
#define OBLIGED(rest)                                                                          \
    "{\"schema\":1,\"obligations\":[{\"when\":{\"base\":\"deny\",\"schema\":1}" rest "}]}"
#define RULES(rules) "{\"base\":\"silent\",\"rules\":[" rules "],\"schema\":1}"

static int read_text(struct arena *arena, struct str text, struct issues *issues,
                     struct consent_tenant *out)
{
    issues_init(issues, arena);
    return consent_tenant_read(arena, text, issues, out);
}

static void test_what_is_read(void **state)
{
    static const char text[] =
        "{\"schema\":1, \"combining\":\"most-specific\",\n"
        " \"implicit\":[{\"policy\":\"" PCF "basic-normal\",\"purposes\":[\"TREAT\"]},"
        "{\"policy\":\"" PCF "deny\"}],\n"
        " \"legal\":" RULES("{\"effect\":\"permit\",\"purposes\":[\"PUBHLTH\"]}") "}";
    CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
    struct consent_tenant tenant;
    struct issues issues;
    uint8_t digest[DIGEST_SIZE];
    (void)state;
    assert_int_equal(read_text(arena, STR(text), &issues, &tenant), 0);
    assert_int_equal(tenant.combining, CONSENT_MOST_SPECIFIC);
    assert_int_equal(tenant.n_implicit, 2);
    assert_true(tenant.implicit[0].purposes == purpose_bit(STR("TREAT")));
    assert_true(tenant.implicit[1].purposes == 0);
    assert_int_equal(tenant.legal.n_rules, 1);
    assert_int_equal(tenant.part2.n_rules, 0);
    digest_sha256(STR(text), digest);
    assert_memory_equal(tenant.digest, digest, sizeof(digest));
}

static void test_mistakes_name_the_element(void **state)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        { "{", NULL },
        { "[]", "tenant" },
        { "{}", "schema" },
        { "{\"schema\":2}", "schema" },
        { "{\"schema\":1,\"implicit\":{}}", "implicit" },
        { "{\"schema\":1,\"implicit\":[3]}", "tenant" },
        { "{\"schema\":1,\"implicit\":[{\"policy\":\"" PCF "permit\"}]}", "implicit.policy" },
        { "{\"schema\":1,\"implicit\":[{\"policy\":\"" PCF "deny\",\"purposes\":[]}]}",
          "implicit.purposes" },
        { "{\"schema\":1,\"implicit\":[{\"policy\":\"" PCF "deny\",\"purposes\":[\"X\"]}]}",
          "implicit.purposes" },
        { "{\"schema\":1,\"implicit\":[{\"policy\":\"" PCF "deny\",\"when\":1}]}", "when" },
        { "{\"schema\":1,\"combining\":\"first\"}", "combining" },
        { "{\"schema\":1,\"combining\":1}", "combining" },
        { "{\"schema\":1,\"illegal\":1}", "illegal" },
        { "{\"schema\":1,\"obligations\":{}}", "obligations" },
        { "{\"schema\":1,\"obligations\":[{\"notice\":\"n\"}]}", "obligations.when" },
        { OBLIGED(""), "obligations" },
        { OBLIGED(",\"redact\":[]"), "obligations" },
        { OBLIGED(",\"redact\":[7]"), "obligations" },
        { OBLIGED(",\"redact\":[\"Patient\"]"), "obligations" },
        { OBLIGED(",\"redact\":[\"Patient.\"]"), "obligations" },
        { OBLIGED(",\"redact\":[\"Patient..name\"]"), "obligations" },
        { OBLIGED(",\"redact\":[\"Patient.na-me\"]"), "obligations" },
        { OBLIGED(",\"mask\":[\"[x]\"]"), "obligations" },
        { OBLIGED(",\"mask\":[\"Patient.{\"]"), "obligations" },
        { OBLIGED(",\"mask\":[\"Patient.[\"]"), "obligations" },
        { OBLIGED(",\"label\":[\"R\"]"), "obligations" },
        { OBLIGED(",\"label\":[\"urn:l|\"]"), "obligations" },
        { OBLIGED(",\"label\":[\"|R\"]"), "obligations" },
        { OBLIGED(",\"hide\":[\"Patient.name\"]"), "hide" },
        { "{\"schema\":1,\"obligations\":[{\"when\":{},\"notice\":\"n\"}]}", "policy" },
        { "{\"schema\":1,\"legal\":{\"base\":\"deny\",\"schema\":1}}", "legal" },
        { "{\"schema\":1,\"part2\":{\"schema\":1,\"base\":\"silent\"}}", "policy" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new(4096);
        struct consent_tenant tenant;
        struct issues issues;
        int r = read_text(arena, str_z(cases[i].text), &issues, &tenant);
        if (r != CONSENT_TENANT_E_FORM || !issues.first) {
            print_error("case %zu\n", i);
            fail();
        }
        if (cases[i].place) {
            assert_str(issues.first->place, cases[i].place);
        }
    }
}

static void test_sizes_are_bounded(void **state)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new(1 << 16);
    struct consent_tenant tenant;
    struct issues issues;
    (void)state;
    for (size_t n = CONSENT_TENANT_IMPLICIT_MAX; n <= CONSENT_TENANT_IMPLICIT_MAX + 1; n++) {
        struct buf text = arena_buf(arena, 1 << 16);
        buf_z(&text, "{\"schema\":1,\"implicit\":[{\"policy\":\"" PCF "deny\"}");
        for (size_t i = 1; i < n; i++) {
            buf_z(&text, ",{\"policy\":\"" PCF "deny\"}");
        }
        buf_z(&text, "]}");
        assert_int_equal(read_text(arena, buf_str(&text), &issues, &tenant) == 0,
                         n == CONSENT_TENANT_IMPLICIT_MAX);
    }
    for (size_t n = CONSENT_TENANT_OBLIGATIONS_MAX; n <= CONSENT_TENANT_OBLIGATIONS_MAX + 1;
         n++) {
        static const char one[] =
            "{\"when\":{\"base\":\"deny\",\"schema\":1},\"notice\":\"n\"}";
        struct buf text = arena_buf(arena, 1 << 16);
        buf_fmt(&text, "{\"schema\":1,\"obligations\":[%s", one);
        for (size_t i = 1; i < n; i++) {
            buf_fmt(&text, ",%s", one);
        }
        buf_z(&text, "]}");
        assert_int_equal(read_text(arena, buf_str(&text), &issues, &tenant) == 0,
                         n == CONSENT_TENANT_OBLIGATIONS_MAX);
    }
    for (size_t n = POLICY_VALUES_MAX; n <= POLICY_VALUES_MAX + 1; n++) {
        struct buf text = arena_buf(arena, 1 << 16);
        buf_z(&text,
              "{\"schema\":1,\"obligations\":[{\"when\":{\"base\":\"deny\",\"schema\":1},"
              "\"redact\":[\"A.b\"");
        for (size_t i = 1; i < n; i++) {
            buf_z(&text, ",\"A.b\"");
        }
        buf_z(&text, "]}]}");
        assert_int_equal(read_text(arena, buf_str(&text), &issues, &tenant) == 0,
                         n == POLICY_VALUES_MAX);
    }
    char *space = arena_alloc(arena, CONSENT_TENANT_TEXT_MAX + 1);
    assert_non_null(space);
    memset(space, ' ', CONSENT_TENANT_TEXT_MAX + 1);
    memcpy(space, "{\"schema\":1}", 12);
    assert_int_equal(read_text(arena, str_of(space, CONSENT_TENANT_TEXT_MAX), &issues, &tenant),
                     0);
    assert_int_equal(
        read_text(arena, str_of(space, CONSENT_TENANT_TEXT_MAX + 1), &issues, &tenant),
        CONSENT_TENANT_E_FORM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_read),
        cmocka_unit_test(test_mistakes_name_the_element),
        cmocka_unit_test(test_sizes_are_bounded),
    };
    return cmocka_run_group_tests_name("fhir/consent/tenant", tests, NULL, NULL);
}
