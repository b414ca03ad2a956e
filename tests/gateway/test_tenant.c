/* A tenant's policy is taken only with the signature of who may sign it. */
#include "gateway/tenant.h"

#include "crypto/base/base64.h"
#include "crypto/sign.h"
#include "gateway/heap.h"
#include "tests/check.h"

#include <errno.h>
#include <unistd.h>

#define POLICY "{\"combining\":\"most-recent\",\"schema\":1}"

static char folder[] = "/tmp/chartseal-tenant-XXXXXX";
static char policy_path[64];
static char signature_path[64];
static char key_path[64];
static const char *const paths[] = { policy_path, signature_path, key_path };

static void write_file(const char *path, struct str bytes)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

static void write_signature(const struct sign_key *key, const char *text)
{
    uint8_t signature[SIGN_SIZE];
    sign_make(key, str_z(text), signature);
    write_file(signature_path, str_of(signature, sizeof(signature)));
}

static struct sign_key key_of(uint8_t seed)
{
    struct sign_key key;
    uint8_t bytes[SECRET_SIZE];
    memset(bytes, seed, sizeof(bytes));
    sign_key_from_seed(&key, bytes);
    return key;
}

/* The key as "openssl pkey -pubout" writes it. */
static void write_key(const struct sign_key *key)
{
    uint8_t der[44] = {
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00
    };
    char text[256];
    struct buf pem = buf_fixed(text, sizeof(text));
    sign_public(key, der + 12);
    buf_z(&pem, "-----BEGIN PUBLIC KEY-----\n");
    base64_put(&pem, BASE64_USUAL, der, sizeof(der));
    buf_z(&pem, "\n-----END PUBLIC KEY-----\n");
    write_file(key_path, buf_str(&pem));
}

static int setup(void **state)
{
    (void)state;
    struct sign_key key = key_of(7);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(policy_path, sizeof(policy_path), "%s/policy.json", folder);
    (void)snprintf(signature_path, sizeof(signature_path), "%s/policy.json.sig", folder);
    (void)snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    write_file(policy_path, STR(POLICY));
    write_signature(&key, POLICY);
    write_key(&key);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        (void)unlink(paths[i]);
    }
    return rmdir(folder);
}

/* Load with @key_file; says whether @why is what was reported. */
static int load(const char *key_file, const char *why, struct tenant **out)
{
    struct config_consent consent = { .policy = policy_path, .policy_key = key_file };
    struct config config = { .consent = &consent };
    struct buf report = heap_buf(4096);
    int r = tenant_load(&config, &report, out);
    if (*why) {
        assert_non_null(memmem(report.p, report.n, why, strlen(why)));
    } else {
        assert_int_equal(report.n, 0);
    }
    heap_buf_free(&report);
    return r;
}

static void test_a_signed_policy_is_in_force(void **state)
{
    struct tenant *tenant = NULL;
    (void)state;
    assert_int_equal(load(key_path, "", &tenant), 0);
    assert_int_equal(tenant_policy(tenant)->combining, CONSENT_MOST_RECENT);
    tenant_free(tenant);
}

static void test_without_one_consents_decide_alone(void **state)
{
    const struct config config = { 0 };
    struct buf report = heap_buf(256);
    struct tenant *tenant = NULL;
    (void)state;
    assert_int_equal(tenant_load(&config, &report, &tenant), 0);
    assert_null(tenant_policy(tenant));
    tenant_free(tenant);
    heap_buf_free(&report);
}

static void test_what_is_not_signed_by_that_key_is_refused(void **state)
{
    struct tenant *tenant = NULL;
    struct sign_key other = key_of(8);
    struct sign_key key = key_of(7);
    (void)state;
    write_signature(&other, POLICY);
    assert_int_equal(load(key_path, "not this key's signature", &tenant), -EINVAL);
    write_signature(&key, POLICY " ");
    assert_int_equal(load(key_path, "not this key's signature", &tenant), -EINVAL);
    write_file(signature_path, STR(""));
    assert_int_equal(load(key_path, "not this key's signature", &tenant), -EINVAL);
    assert_int_equal(unlink(signature_path), 0);
    assert_int_equal(load(key_path, "policy.json.sig: can't be read", &tenant), -EINVAL);
    write_signature(&key, POLICY);
}

static void test_the_key_has_to_be_there(void **state)
{
    struct tenant *tenant = NULL;
    struct sign_key key = key_of(7);
    (void)state;
    assert_int_equal(load(NULL, "consent.policy_key has to say", &tenant), -EINVAL);
    write_file(key_path, STR("-----BEGIN PUBLIC KEY-----\nAAAA\n"));
    assert_int_equal(load(key_path, "not an Ed25519 public key", &tenant), -EINVAL);
    write_key(&key);
}

static void test_a_signed_mistake_is_told_with_its_element(void **state)
{
    static const char text[] = "{\"combining\":\"first\",\"schema\":1}";
    struct tenant *tenant = NULL;
    struct sign_key key = key_of(7);
    (void)state;
    write_file(policy_path, STR(text));
    write_signature(&key, text);
    assert_int_equal(load(key_path, "policy.json: combining: deny-overrides", &tenant),
                     -EINVAL);
    write_file(policy_path, STR(POLICY));
    write_signature(&key, POLICY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signed_policy_is_in_force),
        cmocka_unit_test(test_without_one_consents_decide_alone),
        cmocka_unit_test(test_what_is_not_signed_by_that_key_is_refused),
        cmocka_unit_test(test_the_key_has_to_be_there),
        cmocka_unit_test(test_a_signed_mistake_is_told_with_its_element),
    };
    return cmocka_run_group_tests_name("gateway/tenant", tests, setup, teardown);
}
