#include "tests/check.h"

#include "crypto/digest.h"

static void test_sha256_of_published_inputs(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t got[DIGEST_SIZE];
        digest_sha256(str_z(cases[i].in), got);
        assert_hex(got, sizeof(got), cases[i].want);
    }
}

static void test_pieces_give_the_digest_of_the_whole(void **state)
{
    (void)state;
    struct str parts[] = { STR("ab"), { 0 }, STR(""), STR("c") };
    uint8_t got[DIGEST_SIZE];
    digest_sha256_parts(parts, ARRAY_LEN(parts), got);
    assert_hex(got, sizeof(got),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_parts(NULL, 0, got);
    assert_hex(got, sizeof(got),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_a_million_a_and_reuse(void **state)
{
    (void)state;
    char block[1000];
    memset(block, 'a', sizeof(block));
    struct digest digest;
    digest_start(&digest);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            digest_put(&digest, str_of(block, sizeof(block)));
        }
        uint8_t got[DIGEST_SIZE];
        digest_end(&digest, got);
        assert_hex(got, sizeof(got),
                   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

static void test_a_copy_goes_on_by_itself(void **state)
{
    (void)state;
    struct digest one;
    digest_start(&one);
    digest_put(&one, STR("ab"));
    struct digest two = one;
    digest_put(&two, STR("x"));
    digest_put(&one, STR("c"));
    uint8_t got[DIGEST_SIZE];
    digest_end(&one, got);
    assert_hex(got, sizeof(got),
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_keccak256_is_ethereums(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        { "", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
        { "abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45" },
        { "transfer(address,uint256)",
          "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t got[DIGEST_SIZE];
        digest_keccak256(str_z(cases[i].in), got);
        assert_hex(got, sizeof(got), cases[i].want);
    }
}

/* Lengths around the rate of 136 bytes, against values of another implementation. */
static void test_keccak256_around_its_block(void **state)
{
    static const struct {
        size_t n;
        const char *want;
    } cases[] = {
        { 135, "34367dc248bbd832f4e3e69dfaac2f92638bd0bbd18f2912ba4ef454919cf446" },
        { 136, "a6c4d403279fe3e0af03729caada8374b5ca54d8065329a3ebcaeb4b60aa386e" },
        { 137, "d869f639c7046b4929fc92a4d988a8b22c55fbadb802c0c66ebcd484f1915f39" },
        { 271, "132f47effd6c8b1b299efa53fe68aece77ec8ae4eb2e294f668eec94f76001e1" },
        { 272, "cf7fcd4f705ee749930d19ca84561a9bf62516bd90a471545fa2f49fdc7e63c8" },
        { 273, "5a7b8187d2778e614097fac3097573de1fee4d972304d3360796a857029bb176" },
    };
    (void)state;
    char text[300];
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str parts[] = { str_of(text, cases[i].n / 2),
                               str_of(text, cases[i].n - cases[i].n / 2) };
        uint8_t got[DIGEST_SIZE];
        digest_keccak256_parts(parts, 2, got);
        assert_hex(got, sizeof(got), cases[i].want);
    }
}

/* RFC 4231 test cases 1, 2, 3 and 6. */
static void test_hmac_of_rfc_4231(void **state)
{
    static const struct {
        const char *key, *in, *want;
    } cases[] = {
        { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "dddddddddddddddddddddddddddddddddddddddddddddddddd"
          "dddddddddddddddddddddddddddddddddddddddddddddddddd",
          "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579"
          "202d2048617368204b6579204669727374",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned char key[256];
        unsigned char in[256];
        size_t key_n = check_unhex(cases[i].key, key);
        size_t in_n = check_unhex(cases[i].in, in);
        uint8_t got[DIGEST_SIZE];
        digest_hmac_sha256(str_of(key, key_n), str_of(in, in_n), got);
        assert_hex(got, sizeof(got), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_of_published_inputs),
        cmocka_unit_test(test_pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(test_a_million_a_and_reuse),
        cmocka_unit_test(test_a_copy_goes_on_by_itself),
        cmocka_unit_test(test_keccak256_is_ethereums),
        cmocka_unit_test(test_keccak256_around_its_block),
        cmocka_unit_test(test_hmac_of_rfc_4231),
    };
    return cmocka_run_group_tests_name("crypto/digest", tests, NULL, NULL);
}
