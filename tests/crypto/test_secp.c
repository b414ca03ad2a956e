#include "tests/check.h"

#include "crypto/secp.h"

#include <errno.h>

static const uint8_t blind[SECRET_SIZE] = { 42 };

static struct secp_signer signer_of(const char *hex)
{
    uint8_t secret[SECRET_SIZE];
    (void)check_unhex(hex, secret);
    struct secp_signer signer;
    assert_int_equal(secp_signer_init(&signer, secret, blind), 0);
    return signer;
}

#define ONE "0000000000000000000000000000000000000000000000000000000000000001"

/* The widely published vector of RFC 6979 on this curve: SHA-256, key 1. */
static void test_signatures_are_deterministic_with_low_s(void **state)
{
    (void)state;
    struct secp_signer signer = signer_of(ONE);
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(STR("Satoshi Nakamoto"), digest);
    struct secp_signature signature;
    secp_sign(&signer, digest, &signature);
    assert_hex(signature.r, 32,
               "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8");
    assert_hex(signature.s, 32,
               "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
    assert_int_equal(secp_verify(signer.public_key, digest, &signature), 0);
    secp_signer_deinit(&signer);
    assert_null(signer.context);
}

static void test_addresses_of_known_keys(void **state)
{
    static const struct {
        const char *secret, *address;
    } cases[] = {
        { ONE, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" },
        { "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
          "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct secp_signer signer = signer_of(cases[i].secret);
        char text[SECP_ADDRESS_TEXT];
        secp_address_text(signer.address, text);
        assert_str(str_of(text, sizeof(text)), cases[i].address);
        secp_signer_deinit(&signer);
    }
}

static void test_recovery_names_the_signer(void **state)
{
    (void)state;
    struct secp_signer signer = signer_of(ONE);
    for (int i = 0; i < 64; i++) {
        uint8_t digest[DIGEST_SIZE];
        digest_sha256(str_of(&i, sizeof(i)), digest);
        struct secp_signature signature;
        secp_sign(&signer, digest, &signature);

        uint8_t address[SECP_ADDRESS_SIZE];
        assert_int_equal(secp_recover(digest, &signature, address), 0);
        assert_memory_equal(address, signer.address, sizeof(address));

        struct secp_signature other = signature;
        other.v ^= 1;
        if (secp_recover(digest, &other, address) == 0) {
            assert_memory_not_equal(address, signer.address, sizeof(address));
        }
        digest[0] ^= 1;
        assert_int_equal(secp_verify(signer.public_key, digest, &signature), -EBADMSG);
    }
    secp_signer_deinit(&signer);
}

static void test_bad_signatures_are_refused(void **state)
{
    /* The order less the s of the vector above: the same signature to those who don't mind. */
    static const char high[] =
        "dbbd3162d46e9f9bef7feb87c16dc13b4f6568a87f4e83f728e2443ba586675c";
    static const char order[] =
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    (void)state;
    struct secp_signer signer = signer_of(ONE);
    uint8_t digest[DIGEST_SIZE];
    digest_sha256(STR("Satoshi Nakamoto"), digest);
    struct secp_signature good;
    secp_sign(&signer, digest, &good);

    struct secp_signature bad[8];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        bad[i] = good;
    }
    (void)check_unhex(high, bad[0].s);
    memset(bad[1].r, 0, 32);
    memset(bad[2].s, 0, 32);
    (void)check_unhex(order, bad[3].r);
    (void)check_unhex(order, bad[4].s);
    bad[5].v = 4;
    bad[6].v = 27;
    bad[7].v = 2; /* r isn't so small that r + order would be a coordinate */
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t address[SECP_ADDRESS_SIZE];
        assert_int_equal(secp_recover(digest, &bad[i], address), -EBADMSG);
        if (i < 5) {
            assert_int_equal(secp_verify(signer.public_key, digest, &bad[i]), -EBADMSG);
        }
    }
    uint8_t off_curve[SECP_PUBLIC_SIZE];
    memcpy(off_curve, signer.public_key, sizeof(off_curve));
    off_curve[64] ^= 1;
    assert_int_equal(secp_verify(off_curve, digest, &good), -EBADMSG);
    memcpy(off_curve, signer.public_key, sizeof(off_curve));
    off_curve[0] = 0x06;
    assert_int_equal(secp_verify(off_curve, digest, &good), -EBADMSG);
    secp_signer_deinit(&signer);
}

static void test_impossible_keys_are_refused(void **state)
{
    static const char *const cases[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t secret[SECRET_SIZE];
        (void)check_unhex(cases[i], secret);
        struct secp_signer signer;
        assert_int_equal(secp_signer_init(&signer, secret, blind), -EINVAL);
    }
}

static void test_texts_of_eip_55(void **state)
{
    static const char *const cases[] = {
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7", /* all capitals */
        "0xde709f2102306220921060314715629080e2fb77", /* none */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t address[SECP_ADDRESS_SIZE];
        assert_int_equal(secp_address_parse(str_z(cases[i]), address), 0);
        char text[SECP_ADDRESS_TEXT];
        secp_address_text(address, text);
        assert_str(str_of(text, sizeof(text)), cases[i]);
    }
}

static void test_texts_that_are_no_address(void **state)
{
    static const char *const cases[] = {
        "",
        "0x",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
        "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", /* one capital too many */
        "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", /* one too few */
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t address[SECP_ADDRESS_SIZE];
        assert_int_equal(secp_address_parse(str_z(cases[i]), address), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signatures_are_deterministic_with_low_s),
        cmocka_unit_test(test_addresses_of_known_keys),
        cmocka_unit_test(test_recovery_names_the_signer),
        cmocka_unit_test(test_bad_signatures_are_refused),
        cmocka_unit_test(test_impossible_keys_are_refused),
        cmocka_unit_test(test_texts_of_eip_55),
        cmocka_unit_test(test_texts_that_are_no_address),
    };
    return cmocka_run_group_tests_name("crypto/secp", tests, NULL, NULL);
}
