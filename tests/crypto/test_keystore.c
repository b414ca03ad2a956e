#include "tests/check.h"

#include "crypto/keystore.h"

#include <errno.h>

/* The two test vectors of the Web3 Secret Storage Definition. */
static const struct {
    enum keystore_kdf kdf;
    uint64_t n, r, p, c;
    const char *salt, *iv, *ciphertext, *mac;
} vectors[] = {
    { KEYSTORE_PBKDF2, 0, 0, 0, 262144,
      "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
      "6087dab2f9fdbbfaddc31a909735c1e6",
      "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
      "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2" },
    { KEYSTORE_SCRYPT, 262144, 1, 8, 0,
      "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
      "83dbcc02d8ccb40e466191a123791e0e",
      "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
      "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097" },
};
static const char secret_hex[] =
    "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

static struct keystore vector(size_t i)
{
    struct keystore store = {
        .kdf = vectors[i].kdf,
        .n = vectors[i].n,
        .r = vectors[i].r,
        .p = vectors[i].p,
        .c = vectors[i].c,
    };
    store.salt_n = check_unhex(vectors[i].salt, store.salt);
    (void)check_unhex(vectors[i].iv, store.iv);
    (void)check_unhex(vectors[i].ciphertext, store.ciphertext);
    (void)check_unhex(vectors[i].mac, store.mac);
    return store;
}

static void test_published_files_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct keystore store = vector(i);
        uint8_t secret[SECRET_SIZE];
        assert_int_equal(keystore_open(&store, STR("testpassword"), secret), 0);
        assert_hex(secret, sizeof(secret), secret_hex);
    }
}

/* With little work for the password, so that many cases are cheap. */
static struct keystore cheap(enum keystore_kdf kdf)
{
    struct keystore store = { .kdf = kdf, .n = 2, .r = 1, .p = 1, .c = 1, .salt_n = 32 };
    memset(store.salt, 5, sizeof(store.salt));
    memset(store.iv, 6, sizeof(store.iv));
    uint8_t secret[SECRET_SIZE];
    (void)check_unhex(secret_hex, secret);
    assert_int_equal(keystore_close(&store, STR("pass"), secret), 0);
    return store;
}

static void test_what_was_closed_opens(void **state)
{
    (void)state;
    for (int kdf = KEYSTORE_SCRYPT; kdf <= KEYSTORE_PBKDF2; kdf++) {
        struct keystore store = cheap((enum keystore_kdf)kdf);
        uint8_t secret[SECRET_SIZE];
        assert_int_equal(keystore_open(&store, STR("pass"), secret), 0);
        assert_hex(secret, sizeof(secret), secret_hex);
    }
}

static void test_wrong_password_or_damage(void **state)
{
    (void)state;
    struct keystore store = cheap(KEYSTORE_SCRYPT);
    uint8_t secret[SECRET_SIZE];
    assert_int_equal(keystore_open(&store, STR("Pass"), secret), KEYSTORE_E_PASSWORD);
    assert_int_equal(keystore_open(&store, STR(""), secret), KEYSTORE_E_PASSWORD);
    assert_int_equal(keystore_open(&store, str_of(NULL, 0), secret), KEYSTORE_E_PASSWORD);
    struct keystore bad = store;
    bad.ciphertext[0] ^= 1;
    assert_int_equal(keystore_open(&bad, STR("pass"), secret), KEYSTORE_E_PASSWORD);
    bad = store;
    bad.mac[31] ^= 1;
    assert_int_equal(keystore_open(&bad, STR("pass"), secret), KEYSTORE_E_PASSWORD);
    bad = store;
    bad.salt[0] ^= 1;
    assert_int_equal(keystore_open(&bad, STR("pass"), secret), KEYSTORE_E_PASSWORD);
}

static void test_parameters_out_of_bounds(void **state)
{
    static const struct {
        enum keystore_kdf kdf;
        uint64_t n, r, p, c;
        size_t salt_n;
    } cases[] = {
        { KEYSTORE_SCRYPT, 0, 8, 1, 0, 32 },
        { KEYSTORE_SCRYPT, 1, 8, 1, 0, 32 },
        { KEYSTORE_SCRYPT, 3, 8, 1, 0, 32 },
        { KEYSTORE_SCRYPT, 262144, 0, 1, 0, 32 },
        { KEYSTORE_SCRYPT, 262144, 8, 0, 0, 32 },
        { KEYSTORE_SCRYPT, 262144, 8, 17, 0, 32 },
        { KEYSTORE_SCRYPT, 1 << 20, 8, 1, 0, 32 },    /* 1 GiB */
        { KEYSTORE_SCRYPT, 1ULL << 63, 8, 1, 0, 32 }, /* wraps if multiplied */
        { KEYSTORE_SCRYPT, 2, 1ULL << 57, 1, 0, 32 }, /* same */
        { KEYSTORE_SCRYPT, 2, (8 << 20) / 128 + 1, 1, 0, 32 },
        { KEYSTORE_SCRYPT, 262144, 8, 1, 0, 65 },
        { KEYSTORE_PBKDF2, 0, 0, 0, 0, 32 },
        { KEYSTORE_PBKDF2, 0, 0, 0, 10000001, 32 },
        { KEYSTORE_PBKDF2, 0, 0, 0, 1ULL << 32, 32 },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct keystore store = {
            .kdf = cases[i].kdf,
            .n = cases[i].n,
            .r = cases[i].r,
            .p = cases[i].p,
            .c = cases[i].c,
            .salt_n = cases[i].salt_n,
        };
        uint8_t secret[SECRET_SIZE];
        assert_int_equal(keystore_open(&store, STR("pass"), secret), KEYSTORE_E_COST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_files_open),
        cmocka_unit_test(test_what_was_closed_opens),
        cmocka_unit_test(test_wrong_password_or_damage),
        cmocka_unit_test(test_parameters_out_of_bounds),
    };
    return cmocka_run_group_tests_name("crypto/keystore", tests, NULL, NULL);
}
