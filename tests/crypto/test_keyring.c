#include "tests/check.h"

#include "crypto/keyring.h"

#include <errno.h>

#define TENANT STR("st-elsewhere")

static const char root_hex[] =
    "d6b2f4c81a907e3355c10f9be82467ad913c5e7f02a8bb64d01f7799e3c5461b";

static void fill(uint8_t *p, size_t n, uint8_t first)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(first + i);
    }
}

static void test_a_root_key_in_both_forms(void **state)
{
    static const char *const cases[] = {
        "d6b2f4c81a907e3355c10f9be82467ad913c5e7f02a8bb64d01f7799e3c5461b",
        "D6B2F4C81A907E3355C10F9BE82467AD913C5E7F02A8BB64D01F7799E3C5461B\n",
        "1rL0yBqQfjNVwQ+b6CRnrZE8Xn8CqLtk0B93mePFRhs=",
        "1rL0yBqQfjNVwQ+b6CRnrZE8Xn8CqLtk0B93mePFRhs=\r\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t root[SECRET_SIZE];
        assert_int_equal(keyring_root_parse(str_z(cases[i]), root), 0);
        assert_hex(root, sizeof(root), root_hex);
    }
}

static void test_what_is_no_root_key(void **state)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        { "", KEYRING_E_FORM },
        { "\n", KEYRING_E_FORM },
        { "CHANGE-ME", KEYRING_E_FORM },
        { "d6b2f4c81a907e3355c10f9be82467ad", KEYRING_E_FORM },
        { "d6b2f4c81a907e3355c10f9be82467ad913c5e7f02a8bb64d01f7799e3c5461b\n\n",
          KEYRING_E_FORM },
        { " d6b2f4c81a907e3355c10f9be82467ad913c5e7f02a8bb64d01f7799e3c5461b", KEYRING_E_FORM },
        { "d6b2f4c81a907e3355c10f9be82467ad913c5e7f02a8bb64d01f7799e3c5461b00",
          KEYRING_E_FORM },
        { "1rL0yBqQfjNVwQ+b6CRnrZE8Xn8CqLtk0B93mePFRh==", KEYRING_E_FORM },
        { "0000000000000000000000000000000000000000000000000000000000000000", KEYRING_E_WEAK },
        { "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", KEYRING_E_WEAK },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", KEYRING_E_WEAK },
        { "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef", KEYRING_E_WEAK },
        { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", KEYRING_E_WEAK },
        { "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0", KEYRING_E_WEAK },
        /* "please change this key quickly !" */
        { "cGxlYXNlIGNoYW5nZSB0aGlzIGtleSBxdWlja2x5ICE=", KEYRING_E_WEAK },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t root[SECRET_SIZE];
        assert_int_equal(keyring_root_parse(str_z(cases[i].text), root), cases[i].want);
        assert_int_equal(root[0] | root[31], 0);
    }
}

/* Computed by another implementation. */
static void test_known_derivations(void **state)
{
    (void)state;
    uint8_t root[SECRET_SIZE];
    fill(root, sizeof(root), 1);
    uint8_t out[SECRET_SIZE];
    keyring_derive(root, KEYRING_WRAP, TENANT, out);
    assert_hex(out, sizeof(out),
               "04a376dc56af09e5d413247d5dd9b7f8483ccc165c0cba8cfb4adaa39325f80f");
    keyring_derive(root, KEYRING_IDENTIFIERS, TENANT, out);
    assert_hex(out, sizeof(out),
               "62a76f4f7bd14de8ee92bb2336fae8f00d8a8c49c6dd1a4cbf3f32d9d220a99b");

    uint8_t hash[DIGEST_SIZE];
    keyring_lookup(out, STR("urn:oid:1.2"), STR("12345"), hash);
    assert_hex(hash, sizeof(hash),
               "f5f10d81ccd37804511030677c74b359e86452b94c522160ae1777c728cb22c4");

    uint8_t id[KEYRING_ROOT_ID_SIZE];
    keyring_root_id(root, id);
    assert_hex(id, sizeof(id), "c24017c366d99218");
}

static void test_no_two_uses_or_tenants_share_a_key(void **state)
{
    (void)state;
    uint8_t root[SECRET_SIZE];
    fill(root, sizeof(root), 1);
    uint8_t keys[2 * KEYRING_CONSENTS][SECRET_SIZE];
    size_t n = 0;
    for (int use = KEYRING_WRAP; use <= KEYRING_CONSENTS; use++) {
        keyring_derive(root, (enum keyring_use)use, STR("a"), keys[n++]);
        keyring_derive(root, (enum keyring_use)use, STR("b"), keys[n++]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(keys[i], keys[j], SECRET_SIZE);
        }
    }
}

static void test_a_lookup_keeps_domain_and_value_apart(void **state)
{
    (void)state;
    uint8_t key[SECRET_SIZE];
    fill(key, sizeof(key), 7);
    uint8_t one[DIGEST_SIZE];
    uint8_t two[DIGEST_SIZE];
    keyring_lookup(key, STR("ab"), STR("c"), one);
    keyring_lookup(key, STR("a"), STR("bc"), two);
    assert_memory_not_equal(one, two, sizeof(one));
}

struct wrap {
    uint8_t wrap_key[SECRET_SIZE];
    uint8_t wrapped[KEYRING_WRAPPED_SIZE];
    struct keyring_owner owner;
};

static struct wrap make(void)
{
    struct wrap w = { .owner = { .tenant = TENANT } };
    memset(w.owner.patient, 0x11, sizeof(w.owner.patient));
    memset(w.owner.key_id, 0x22, sizeof(w.owner.key_id));
    uint8_t root[SECRET_SIZE];
    fill(root, sizeof(root), 1);
    keyring_derive(root, KEYRING_WRAP, TENANT, w.wrap_key);
    uint8_t nonce[SEAL_NONCE_SIZE];
    fill(nonce, sizeof(nonce), 100);
    uint8_t key[SECRET_SIZE];
    fill(key, sizeof(key), 200);
    keyring_wrap(w.wrap_key, &w.owner, nonce, key, w.wrapped);
    return w;
}

static int unwrap(const struct wrap *w, uint8_t key[SECRET_SIZE])
{
    return keyring_unwrap(w->wrap_key, &w->owner, str_of(w->wrapped, sizeof(w->wrapped)), key);
}

static void test_a_wrapped_key_comes_back(void **state)
{
    (void)state;
    struct wrap w = make();
    assert_hex(
        w.wrapped, sizeof(w.wrapped),
        "6465666768696a6b6c6d6e6f707172737475767778797a7b896a4fcbe34bf040aa4c9396e85433b3"
        "8c20e105845c90f426308942f5b0eda0319cd6b757cd52626090bc2995df9216");
    uint8_t want[SECRET_SIZE];
    fill(want, sizeof(want), 200);
    uint8_t key[SECRET_SIZE];
    assert_int_equal(unwrap(&w, key), 0);
    assert_memory_equal(key, want, sizeof(key));
}

static void test_a_wrap_of_somebody_else_does_not(void **state)
{
    (void)state;
    struct wrap w = make();
    uint8_t key[SECRET_SIZE];
    for (size_t bit = 0; bit < sizeof(w.wrapped) * 8; bit++) {
        struct wrap g = w;
        g.wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(unwrap(&g, key), -EBADMSG);
        assert_int_equal(key[0] | key[31], 0);
    }
    struct wrap g = w;
    g.owner.patient[0] ^= 1;
    assert_int_equal(unwrap(&g, key), -EBADMSG);
    g = w;
    g.owner.key_id[15] ^= 1;
    assert_int_equal(unwrap(&g, key), -EBADMSG);
    g = w;
    g.owner.tenant = STR("other");
    assert_int_equal(unwrap(&g, key), -EBADMSG);
    g = w;
    g.wrap_key[0] ^= 1;
    assert_int_equal(unwrap(&g, key), -EBADMSG);
    assert_int_equal(keyring_unwrap(w.wrap_key, &w.owner, str_of(w.wrapped, 71), key),
                     -EBADMSG);
}

static int setup(void **state)
{
    (void)state;
    return secret_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_root_key_in_both_forms),
        cmocka_unit_test(test_what_is_no_root_key),
        cmocka_unit_test(test_known_derivations),
        cmocka_unit_test(test_no_two_uses_or_tenants_share_a_key),
        cmocka_unit_test(test_a_lookup_keeps_domain_and_value_apart),
        cmocka_unit_test(test_a_wrapped_key_comes_back),
        cmocka_unit_test(test_a_wrap_of_somebody_else_does_not),
    };
    return cmocka_run_group_tests_name("crypto/keyring", tests, setup, NULL);
}
