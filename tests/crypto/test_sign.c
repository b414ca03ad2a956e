#include "tests/check.h"

#include "crypto/sign.h"

#include <errno.h>

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct {
    const char *seed, *public_key, *message, *signature;
} vectors[] = {
    { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
      "1cf9b46bd25bf5f0595bbe24655141438e7a100b" },
    { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
      "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
    { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
      "984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static void test_vectors_of_rfc_8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        uint8_t seed[SECRET_SIZE];
        uint8_t message[16];
        (void)check_unhex(vectors[i].seed, seed);
        size_t n = check_unhex(vectors[i].message, message);

        struct sign_key key;
        sign_key_from_seed(&key, seed);
        uint8_t public_key[SIGN_PUBLIC_SIZE];
        sign_public(&key, public_key);
        assert_hex(public_key, sizeof(public_key), vectors[i].public_key);

        uint8_t signature[SIGN_SIZE];
        sign_make(&key, str_of(message, n), signature);
        assert_hex(signature, sizeof(signature), vectors[i].signature);
        assert_int_equal(
            sign_verify(public_key, str_of(message, n), str_of(signature, SIGN_SIZE)), 0);
    }
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    uint8_t public_key[SIGN_PUBLIC_SIZE];
    uint8_t signature[SIGN_SIZE];
    (void)check_unhex(vectors[2].public_key, public_key);
    (void)check_unhex(vectors[2].signature, signature);
    struct str message = STR("\xaf\x82");
    struct str whole = str_of(signature, SIGN_SIZE);
    for (size_t bit = 0; bit < SIGN_SIZE * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sign_verify(public_key, message, whole), -EBADMSG);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(sign_verify(public_key, STR("\xaf\x83"), whole), -EBADMSG);
    assert_int_equal(sign_verify(public_key, message, str_of(signature, 63)), -EBADMSG);
    assert_int_equal(sign_verify(public_key, message, str_of(NULL, 0)), -EBADMSG);
    assert_int_equal(sign_verify(public_key, message, whole), 0);
}

/* Under the neutral point as a key, an all but empty signature would fit any message. */
static void test_keys_of_small_order_are_refused(void **state)
{
    (void)state;
    uint8_t public_key[SIGN_PUBLIC_SIZE] = { 1 };
    uint8_t signature[SIGN_SIZE] = { 1 };
    assert_int_equal(sign_verify(public_key, STR("any"), str_of(signature, SIGN_SIZE)),
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
        cmocka_unit_test(test_vectors_of_rfc_8032),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_keys_of_small_order_are_refused),
    };
    return cmocka_run_group_tests_name("crypto/sign", tests, setup, NULL);
}
