#include "tests/check.h"

#include "gateway/identity/token.h"
#include "gateway/identity/token_cache.h"
#include "tests/crypto/issuer.h"

#define NOW_MS 1800000000000

/* The trusted issuer of the tests, with a key of three kinds, and one that is not trusted. */
static struct issuer es256;
static struct issuer rs256;
static struct issuer eddsa;
static struct issuer stranger;
static struct jwks *keys;
static struct token_issuer issuers[2];
static struct token_rules rules = { .issuers = issuers, .count = 2, .leeway_ms = 30000 };
static struct arena *arena;

static char memory[JWS_MAX * 2];

#define CLAIMS                                                                                 \
    "\"iss\":\"https://idp.example\",\"sub\":\"u1\",\"aud\":\"https://gw.example/fhir\","      \
    "\"exp\":1800000600"

static struct str token_by(const struct issuer *by, const char *header, const char *payload)
{
    struct buf b = buf_fixed(memory, sizeof(memory));
    issuer_token(by, header, payload, &b);
    return buf_str(&b);
}

static struct str token_of(const char *payload)
{
    return token_by(&es256, "{\"alg\":\"ES256\"}", payload);
}

static int check_at(struct str token, int64_t now_ms, struct claims *out)
{
    arena_reset(arena);
    return token_check(arena, &rules, token, now_ms, out);
}

static int result_of(const char *payload)
{
    struct claims claims;
    return check_at(token_of(payload), NOW_MS, &claims);
}

static void test_a_valid_token(void **state)
{
    (void)state;
    struct claims claims;
    struct str token = token_of(
        "{" CLAIMS ",\"jti\":\"j\",\"azp\":\"z\",\"client_id\":\"app\","
        "\"scope\":\"user/*.rs\",\"fhirUser\":\"Practitioner/1\",\"patient\":\"p1\","
        "\"nbf\":1800000000,\"iat\":1800000000,\"auth_time\":1799999990,\"unknown\":[1]}");
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
    assert_str(claims.issuer, "https://idp.example");
    assert_str(claims.subject, "u1");
    assert_str(claims.audience, "https://gw.example/fhir");
    assert_str(claims.id, "j");
    assert_str(claims.client, "app");
    assert_str(claims.scope, "user/*.rs");
    assert_str(claims.fhir_user, "Practitioner/1");
    assert_str(claims.patient, "p1");
    assert_str(claims.organization, "urn:oid:1.2.3"); /* the issuer's own */
    assert_int_equal(claims.roles.count + claims.purposes.count, 0);
    assert_true(claims.expires_ms == 1800000600000);
    assert_true(claims.not_before_ms == NOW_MS && claims.issued_ms == NOW_MS);
    assert_true(claims.logged_in_ms == NOW_MS - 10000);
}

static void test_headers(void **state)
{
    static const struct {
        const char *header;
        int want;
    } cases[] = {
        { "{\"alg\":\"ES256\"}", 0 },
        { "{\"alg\":\"ES256\",\"kid\":\"es\"}", 0 },
        { "{\"alg\":\"ES256\",\"typ\":\"JWT\"}", 0 },
        { "{\"alg\":\"ES256\",\"typ\":\"at+JWT\"}", 0 },
        { "{\"alg\":\"ES256\",\"typ\":\"application/at+jwt\"}", 0 },
        { "{\"alg\":\"ES256\",\"jku\":\"https://evil.example\"}", 0 }, /* never looked at */
        { "{\"alg\":\"ES256\",\"typ\":\"logout+jwt\"}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"typ\":\"\"}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"typ\":1}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"crit\":[]}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"crit\":null}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"b64\":true}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"kid\":\"\"}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"kid\":1}", TOKEN_E_HEADER },
        { "{\"alg\":\"ES256\",\"kid\":\"rs\"}", TOKEN_E_KEY },
        { "{\"alg\":\"ES256\",\"kid\":\"../es\"}", TOKEN_E_KEY },
        { "{\"alg\":\"ES384\"}", TOKEN_E_KEY },
        { "{\"alg\":\"RS256\"}", TOKEN_E_SIGNATURE },
        { "{\"alg\":\"EdDSA\"}", TOKEN_E_SIGNATURE },
        { "{\"alg\":\"none\"}", TOKEN_E_ALGORITHM },
        { "{\"alg\":[\"ES256\"]}", TOKEN_E_ALGORITHM },
        { "{\"alg\":\"HS256\"}", TOKEN_E_ALGORITHM },
        { "{}", TOKEN_E_ALGORITHM },
        { "[]", TOKEN_E_FORM },
        { "null", TOKEN_E_FORM },
        { "\"ES256\"", TOKEN_E_FORM },
        { "{\"alg\":\"ES256\"} ", 0 },
        { "{\"alg\":\"ES256\"}x", TOKEN_E_FORM },
        { "{\"alg\":\"none\",\"alg\":\"ES256\"}", TOKEN_E_FORM },
        { "{\"alg\":\"ES256\",\"\\u0061lg\":\"ES256\"}", TOKEN_E_FORM },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct claims claims;
        struct str token = token_by(&es256, cases[i].header, "{" CLAIMS "}");
        int got = check_at(token, NOW_MS, &claims);
        if (got != cases[i].want) {
            print_error("%s\n", cases[i].header);
        }
        assert_int_equal(got, cases[i].want);
    }
}

static void test_each_of_the_keys_serves(void **state)
{
    (void)state;
    struct claims claims;
    struct str token = token_by(&rs256, "{\"alg\":\"RS256\",\"kid\":\"rs\"}", "{" CLAIMS "}");
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
    token = token_by(&eddsa, "{\"alg\":\"EdDSA\"}", "{" CLAIMS "}");
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
    token = token_by(&stranger, "{\"alg\":\"ES256\"}", "{" CLAIMS "}");
    assert_int_equal(check_at(token, NOW_MS, &claims), TOKEN_E_SIGNATURE);
}

static void test_claims_that_are_refused(void **state)
{
#define ISS "\"iss\":\"https://idp.example\","
#define AUD "\"aud\":\"https://gw.example/fhir\","
#define EXP "\"exp\":1800000600"
#define SUB "\"sub\":\"u1\","
    static const struct {
        const char *payload;
        int want;
    } cases[] = {
        { "{" CLAIMS "}", 0 },
        { "{" ISS SUB "\"aud\":[\"x\",\"https://gw.example/fhir\"]," EXP "}", 0 },
        { "{" CLAIMS ",\"azp\":null}", 0 },
        { "{}", TOKEN_E_ISSUER },
        { "[]", TOKEN_E_FORM },
        { "", TOKEN_E_FORM },
        { "{" SUB AUD EXP "}", TOKEN_E_ISSUER },
        { "{\"iss\":\"https://idp.example/\"," SUB AUD EXP "}", TOKEN_E_ISSUER },
        { "{\"iss\":\"https://IDP.example\"," SUB AUD EXP "}", TOKEN_E_ISSUER },
        { "{\"iss\":[\"https://idp.example\"]," SUB AUD EXP "}", TOKEN_E_ISSUER },
        { "{\"iss\":\"\"," SUB AUD EXP "}", TOKEN_E_ISSUER },
        { "{\"iss\":\"https://keyless.example\"," SUB AUD EXP "}", TOKEN_E_KEYS },
        { "{" ISS AUD EXP "}", TOKEN_E_CLAIMS },
        { "{" ISS "\"sub\":\"\"," AUD EXP "}", TOKEN_E_CLAIMS },
        { "{" ISS "\"sub\":1," AUD EXP "}", TOKEN_E_CLAIMS },
        { "{" ISS SUB EXP "}", TOKEN_E_AUDIENCE },
        { "{" ISS SUB "\"aud\":\"https://gw.example\"," EXP "}", TOKEN_E_AUDIENCE },
        { "{" ISS SUB "\"aud\":\"https://gw.example/fhir/\"," EXP "}", TOKEN_E_AUDIENCE },
        { "{" ISS SUB "\"aud\":[]," EXP "}", TOKEN_E_AUDIENCE },
        { "{" ISS SUB "\"aud\":{\"a\":\"https://gw.example/fhir\"}," EXP "}",
          TOKEN_E_AUDIENCE },
        { "{" ISS SUB "\"aud\":\"x https://gw.example/fhir\"," EXP "}", TOKEN_E_AUDIENCE },
        { "{" ISS SUB AUD "\"exp\":\"1800000600\"}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":1800000600.5}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":1e308}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":-1}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":null}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":9223372036854775807}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":99999999999999999999}", TOKEN_E_CLAIMS },
        { "{" ISS SUB AUD "\"exp\":0}", TOKEN_E_EXPIRED },
        { "{" ISS SUB AUD "\"nbf\":0}", TOKEN_E_CLAIMS },
        { "{" CLAIMS ",\"nbf\":\"0\"}", TOKEN_E_CLAIMS },
        { "{" CLAIMS ",\"nbf\":1800000031}", TOKEN_E_EARLY },
        { "{" CLAIMS ",\"iat\":1800000031}", TOKEN_E_EARLY },
        { "{" CLAIMS ",\"scope\":[\"user/*.rs\"]}", TOKEN_E_CLAIMS },
        { "{" CLAIMS ",\"client_id\":7}", TOKEN_E_CLAIMS },
        { "{" CLAIMS ",\"cnf\":{\"jkt\":\"x\"}}", TOKEN_E_BOUND },
        { "{" CLAIMS ",\"sub\":\"admin\"}", TOKEN_E_FORM },
        { "{" CLAIMS ",\"jti\":\"\\u0000\"}", TOKEN_E_FORM },
        { "{" CLAIMS ",\"jti\":\"\xff\"}", TOKEN_E_FORM },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = result_of(cases[i].payload);
        if (got != cases[i].want) {
            print_error("%s\n", cases[i].payload);
        }
        assert_int_equal(got, cases[i].want);
    }
}

static void test_time_has_a_leeway(void **state)
{
    static const struct {
        int64_t now_ms;
        int want;
    } cases[] = {
        { 1800000000000 - 30001, TOKEN_E_EARLY },
        { 1800000000000 - 30000, 0 },
        { 1800000600000 + 29999, 0 },
        { 1800000600000 + 30000, TOKEN_E_EXPIRED },
        { 0, TOKEN_E_EARLY },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct claims claims;
        struct str token = token_of("{" CLAIMS ",\"nbf\":1800000000}");
        assert_int_equal(check_at(token, cases[i].now_ms, &claims), cases[i].want);
    }
}

static void assert_code(struct claims_code got, const char *system, const char *code)
{
    assert_str(got.system, system);
    assert_str(got.code, code);
}

static void test_claims_of_hl7_and_ihe(void **state)
{
    (void)state;
    struct claims claims;
    struct str token =
        token_of("{" CLAIMS
                 ",\"extensions\":{\"hl7-b2b\":{\"version\":\"1\",\"subject_name\":\"Dr Who\","
                 "\"subject_id\":\"urn:x:1\",\"subject_role\":\"http://nucc.org|207L00000X\","
                 "\"organization_id\":\"urn:oid:1.2.99\",\"purpose_of_use\":["
                 "\"urn:oid:2.16.840.1.113883.5.8#TREAT\",\"ETREAT\"]}}}");
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
    assert_str(claims.organization, "urn:oid:1.2.99");
    assert_str(claims.person, "Dr Who");
    assert_int_equal(claims.roles.count, 1);
    assert_code(claims.roles.items[0], "http://nucc.org", "207L00000X");
    assert_int_equal(claims.purposes.count, 2);
    assert_code(claims.purposes.items[0], "urn:oid:2.16.840.1.113883.5.8", "TREAT");
    assert_code(claims.purposes.items[1], "", "ETREAT");

    token = token_of("{" CLAIMS ",\"extensions\":{\"ihe_iua\":{\"subject_name\":\"Dr No\","
                     "\"subject_organization\":\"St\","
                     "\"subject_organization_id\":\"urn:oid:1.2.98\","
                     "\"subject_role\":[{\"system\":\"urn:s\",\"code\":\"nurse\"}],"
                     "\"purpose_of_use\":[{\"system\":\"urn:p\",\"code\":\"TREAT\"}]}}}");
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
    assert_str(claims.organization, "urn:oid:1.2.98");
    assert_str(claims.person, "Dr No");
    assert_code(claims.roles.items[0], "urn:s", "nurse");
    assert_code(claims.purposes.items[0], "urn:p", "TREAT");

    token = token_of("{" CLAIMS ",\"organization\":\"urn:oid:1.2.97\",\"roles\":[\"admin\"],"
                     "\"purpose_of_use\":\"TREAT\"}");
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
    assert_str(claims.organization, "urn:oid:1.2.97");
    assert_code(claims.roles.items[0], "", "admin");
    assert_code(claims.purposes.items[0], "", "TREAT");
}

static void test_extended_claims_that_are_refused(void **state)
{
    static const char *const cases[] = {
        "\"extensions\":[]",
        "\"extensions\":null",
        "\"extensions\":{\"hl7-b2b\":[]}",
        "\"extensions\":{\"ihe_iua\":\"x\"}",
        "\"extensions\":{\"hl7-b2b\":{\"organization_id\":1}}",
        "\"organization\":{}",
        /* two organisations */
        "\"organization\":\"a\",\"extensions\":{\"hl7-b2b\":{\"organization_id\":\"b\"}}",
        "\"roles\":[1]",
        "\"roles\":[\"\"]",
        "\"roles\":{\"code\":1}",
        "\"roles\":{\"system\":\"s\"}",
        "\"roles\":[[\"admin\"]]",
        "\"roles\":[null]",
        "\"purpose_of_use\":\"urn:x|\"",
        "\"purpose_of_use\":true",
        ("\"roles\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\","
         "\"12\","
         "\"13\",\"14\",\"15\",\"16\",\"17\"]"),
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char payload[1024];
        (void)snprintf(payload, sizeof(payload), "{" CLAIMS ",%s}", cases[i]);
        int got = result_of(payload);
        if (got != TOKEN_E_CLAIMS) {
            print_error("%s\n", cases[i]);
        }
        assert_int_equal(got, TOKEN_E_CLAIMS);
    }
}

static void test_every_character_counts(void **state)
{
    (void)state;
    struct str token = token_of("{" CLAIMS "}");
    for (size_t i = 0; i < token.n; i++) {
        char kept = memory[i];
        for (int flip = 1; flip < 256; flip += 36) {
            struct claims claims;
            memory[i] = (char)(kept ^ flip);
            assert_int_not_equal(check_at(token, NOW_MS, &claims), 0);
        }
        memory[i] = kept;
    }
    struct claims claims;
    for (size_t n = 0; n < token.n; n++) {
        assert_int_not_equal(check_at(str_of(memory, n), NOW_MS, &claims), 0);
    }
    assert_int_equal(check_at(token, NOW_MS, &claims), 0);
}

static void test_every_error_has_its_reason(void **state)
{
    (void)state;
    for (int i = TOKEN_E_FORM; i <= TOKEN_E_BOUND; i++) {
        const char *reason = token_reason((enum token_error)i);
        assert_null(strpbrk(reason, "\"\\"));
        for (int j = TOKEN_E_FORM; j < i; j++) {
            assert_string_not_equal(reason, token_reason((enum token_error)j));
        }
    }
}

static void test_a_cached_token_is_not_verified_again(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_new(64);
    struct str token = token_of("{" CLAIMS ",\"roles\":[\"s|a\"],\"scope\":\"user/*.r\"}");
    struct claims claims;
    assert_int_equal(token_cache_check(cache, arena, &rules, token, NOW_MS, &claims), 0);
    assert_int_equal(token_cache_count(cache), 1);

    /* Without keys only the cache can know it. */
    struct token_issuer bare[] = { issuers[0] };
    bare[0].keys = NULL;
    struct token_rules no_keys = { .issuers = bare, .count = 1 };
    assert_int_equal(token_cache_check(cache, arena, &no_keys, token, NOW_MS + 1, &claims), 0);
    assert_str(claims.subject, "u1");
    assert_str(claims.scope, "user/*.r");
    assert_code(claims.roles.items[0], "s", "a");

    memory[token.n - 1] ^= 1; /* not that token */
    assert_int_not_equal(token_cache_check(cache, arena, &rules, token, NOW_MS, &claims), 0);
    memory[token.n - 1] ^= 1;
    assert_int_equal(token_cache_check(cache, arena, &no_keys, token, 1800000600000, &claims),
                     TOKEN_E_KEYS); /* expired in the cache */
    assert_int_equal(token_cache_count(cache), 0);

    assert_int_equal(token_cache_check(cache, arena, &rules, token, NOW_MS, &claims), 0);
    token_cache_flush(cache);
    assert_int_equal(token_cache_count(cache), 0);
    assert_int_equal(token_cache_check(cache, arena, &no_keys, token, NOW_MS, &claims),
                     TOKEN_E_KEYS);
    token_cache_free(cache);
    token_cache_free(NULL);
}

static void test_the_cache_is_bounded(void **state)
{
    (void)state;
    struct token_cache *cache = token_cache_new(16);
    for (int i = 0; i < 100; i++) {
        char payload[256];
        (void)snprintf(payload, sizeof(payload), "{" CLAIMS ",\"jti\":\"%d\"}", i);
        struct claims claims;
        arena_reset(arena);
        assert_int_equal(
            token_cache_check(cache, arena, &rules, token_of(payload), NOW_MS, &claims), 0);
        assert_true(token_cache_count(cache) <= 16);
    }
    assert_true(token_cache_count(cache) > 8);

    /* Large claims pass and aren't kept. */
    token_cache_flush(cache);
    char payload[6000];
    (void)snprintf(payload, sizeof(payload), "{" CLAIMS ",\"scope\":\"%05000d\"}", 0);
    struct claims claims;
    assert_int_equal(
        token_cache_check(cache, arena, &rules, token_of(payload), NOW_MS, &claims), 0);
    assert_int_equal(claims.scope.n, 5000);
    assert_int_equal(token_cache_count(cache), 0);
    token_cache_free(cache);
}

static int setup(void **state)
{
    (void)state;
    es256 = issuer_new(JWS_ES256);
    rs256 = issuer_new(JWS_RS256);
    eddsa = issuer_new(JWS_EDDSA);
    stranger = issuer_new(JWS_ES256);
    char text[4096];
    struct buf b = buf_fixed(text, sizeof(text));
    buf_z(&b, "{\"keys\":[");
    issuer_jwk_json(&es256, "es", &b);
    buf_c(&b, ',');
    issuer_jwk_json(&rs256, "rs", &b);
    buf_c(&b, ',');
    issuer_jwk_json(&eddsa, "ed", &b);
    buf_z(&b, "]}");
    issuers[0] = (struct token_issuer){ .issuer = STR("https://idp.example"),
                                        .audience = STR("https://gw.example/fhir"),
                                        .organization = STR("urn:oid:1.2.3") };
    issuers[1] = issuers[0];
    issuers[1].issuer = STR("https://keyless.example");
    arena = arena_new(1 << 16);
    if (!arena || secret_start() < 0 || jwks_parse(buf_str(&b), &keys) != 0) {
        return -1;
    }
    issuers[0].keys = keys;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    jwks_free(keys);
    arena_free(arena);
    issuer_free(&es256);
    issuer_free(&rs256);
    issuer_free(&eddsa);
    issuer_free(&stranger);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_valid_token),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_each_of_the_keys_serves),
        cmocka_unit_test(test_claims_that_are_refused),
        cmocka_unit_test(test_time_has_a_leeway),
        cmocka_unit_test(test_claims_of_hl7_and_ihe),
        cmocka_unit_test(test_extended_claims_that_are_refused),
        cmocka_unit_test(test_every_character_counts),
        cmocka_unit_test(test_every_error_has_its_reason),
        cmocka_unit_test(test_a_cached_token_is_not_verified_again),
        cmocka_unit_test(test_the_cache_is_bounded),
    };
    return cmocka_run_group_tests_name("gateway/identity/token", tests, setup, teardown);
}
