/* EIP-4361: its examples, and each way of departing from its grammar. */
#include "tests/check.h"

#include "gateway/identity/siwe.h"

#define WANTS "wants you to sign in with your Ethereum account:\n"
#define FIRST "example.com " WANTS
#define ADDRESS "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n"
#define STATEMENT "\nI accept the ExampleOrg Terms of Service: https://example.com/tos\n\n"
#define URI "URI: https://example.com/login\n"
#define REST "Version: 1\nChain ID: 1\nNonce: 32891756\n"
#define ISSUED "Issued At: 2021-09-30T16:25:24Z"
#define RESOURCES                                                                              \
    "\nResources:\n"                                                                           \
    "- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n"                  \
    "- https://example.com/my-web2-claim.json"

static const int64_t issued = 1633019124000;

static void test_the_examples_of_the_specification(void **state)
{
    static const struct {
        const char *text, *scheme, *domain;
    } cases[] = {
        { FIRST ADDRESS STATEMENT URI REST ISSUED RESOURCES, "", "example.com" },
        { "example.com:3388 " WANTS ADDRESS STATEMENT URI REST ISSUED RESOURCES, "",
          "example.com:3388" },
        { "https://" FIRST ADDRESS STATEMENT URI REST ISSUED RESOURCES, "https",
          "example.com" },
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct siwe message;
        assert_int_equal(siwe_parse(str_z(cases[i].text), &message), 0);
        assert_str(message.scheme, cases[i].scheme);
        assert_str(message.domain, cases[i].domain);
        assert_hex(message.address, 20, "c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2");
        assert_str(message.statement,
                   "I accept the ExampleOrg Terms of Service: https://example.com/tos");
        assert_str(message.uri, "https://example.com/login");
        assert_int_equal(message.chain, 1);
        assert_str(message.nonce, "32891756");
        assert_int_equal(message.issued, issued);
        assert_int_equal(message.expires, 0);
        assert_int_equal(message.resources.n, sizeof(RESOURCES) - sizeof("\nResources:\n"));
    }
}

static void test_what_may_be_there_and_what_may_not(void **state)
{
    static const char *const good[] = {
        FIRST ADDRESS "\n\n" URI REST ISSUED,
        "example.com:3388 wants you to sign in with your Ethereum account:\n" ADDRESS
        "\n\n" URI REST ISSUED,
        FIRST ADDRESS "\n\n" URI REST "Issued At: 2021-09-30T16:25:24.000+02:00",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nExpiration Time: 2021-10-01T00:00:00Z",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nNot Before: 2021-10-01T00:00:00Z",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nRequest ID: a%20b",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nRequest ID: ",
        FIRST ADDRESS "\n\n" URI REST ISSUED
                      "\nExpiration Time: 2021-10-01T00:00:00Z\nNot Before: "
                      "2021-09-01T00:00:00Z\nRequest ID: 1\nResources:",
        FIRST ADDRESS "\n\nURI: urn:example:login\n" REST ISSUED,
    };
    static const char *const bad[] = {
        "",
        "\n",
        FIRST,
        FIRST ADDRESS,
        FIRST ADDRESS "\n\n" URI REST,
        FIRST ADDRESS "\n\n" URI REST ISSUED "\n",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\n\n",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nAnything: else",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\r\nNot Before: 2021-10-01T00:00:00Z",
        FIRST ADDRESS "\n" URI REST ISSUED,
        FIRST ADDRESS "\n\n\n" URI REST ISSUED,
        FIRST ADDRESS "\nwords\n" URI REST ISSUED,
        FIRST ADDRESS "\nwords\nmore words\n\n" URI REST ISSUED,
        FIRST ADDRESS "\nw\xc3\xb6rds\n\n" URI REST ISSUED,
        FIRST ADDRESS "\na \"quoted\" one\n\n" URI REST ISSUED,
        " wants you to sign in with your Ethereum account:\n" ADDRESS "\n\n" URI REST ISSUED,
        "example.com wants you to sign in with your ethereum account:\n" ADDRESS
        "\n\n" URI REST ISSUED,
        "example.com/ wants you to sign in with your Ethereum account:\n" ADDRESS
        "\n\n" URI REST ISSUED,
        "example.com  wants you to sign in with your Ethereum account:\n" ADDRESS
        "\n\n" URI REST ISSUED,
        "://example.com wants you to sign in with your Ethereum account:\n" ADDRESS
        "\n\n" URI REST ISSUED,
        "1s://example.com wants you to sign in with your Ethereum account:\n" ADDRESS
        "\n\n" URI REST ISSUED,
        FIRST "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2\n\n\n" URI REST ISSUED,
        FIRST "0xC02AAA39B223FE8D0A0E5C4F27EAD9083C756CC2\n\n\n" URI REST ISSUED,
        FIRST "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756CC2\n\n\n" URI REST ISSUED,
        FIRST "C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n\n" URI REST ISSUED,
        FIRST "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc\n\n\n" URI REST ISSUED,
        FIRST ADDRESS "\n\nURI: example.com\n" REST ISSUED,
        FIRST ADDRESS "\n\nURI: \n" REST ISSUED,
        FIRST ADDRESS "\n\nURI: https://example.com/a b\n" REST ISSUED,
        FIRST ADDRESS "\n\nURI: https://example.com/%2\n" REST ISSUED,
        FIRST ADDRESS "\n\nURI: https://example.com/%zz\n" REST ISSUED,
        FIRST ADDRESS "\n\nuri: https://example.com\n" REST ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 2\nChain ID: 1\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 01\nChain ID: 1\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 1\nChain ID: \nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 1\nChain ID: 0x1\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 1\nChain ID: 01\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 1\nChain ID: -1\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI
                      "Version: 1\nChain ID: 18446744073709551617\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 1\nChain ID: 1\nNonce: 3289175\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Version: 1\nChain ID: 1\nNonce: 3289175-\n" ISSUED,
        FIRST ADDRESS "\n\n" URI "Chain ID: 1\nVersion: 1\nNonce: 32891756\n" ISSUED,
        FIRST ADDRESS "\n\n" URI REST REST ISSUED,
        FIRST ADDRESS "\n\n" URI REST "Issued At: 2021-09-30",
        FIRST ADDRESS "\n\n" URI REST "Issued At: 2021-09-30T16:25:24",
        FIRST ADDRESS "\n\n" URI REST "Issued At: 2021-09-30 16:25:24Z",
        FIRST ADDRESS "\n\n" URI REST "Issued At: 2021-02-30T16:25:24Z",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nExpiration Time: ",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nNot Before: 2021-10-01T00:00:00Z"
                      "\nExpiration Time: 2021-10-01T00:00:00Z",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nRequest ID: a b",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nRequest ID: %4",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nResources: - https://example.com",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nResources:\n- no URI",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nResources:\n* https://example.com",
        FIRST ADDRESS "\n\n" URI REST ISSUED "\nResources:\n- https://example.com\nmore",
    };
    (void)state;
    struct siwe message;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (siwe_parse(str_z(good[i]), &message) != 0) {
            print_error("refused: %s\n", good[i]);
            fail();
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (siwe_parse(str_z(bad[i]), &message) != SIWE_E_FORM) {
            print_error("taken: %s\n", bad[i]);
            fail();
        }
    }
}

/* Cut anywhere it is no message, but where a field or a time ends. */
static void test_every_beginning_of_a_message(void **state)
{
    (void)state;
    const struct str whole = STR(FIRST ADDRESS STATEMENT URI REST ISSUED);
    struct siwe message;
    for (size_t n = 0; n < whole.n; n++) {
        assert_int_equal(siwe_parse(str_slice(whole, 0, n), &message), SIWE_E_FORM);
    }
    assert_int_equal(siwe_parse(whole, &message), 0);
}

static void test_a_message_may_not_be_too_long(void **state)
{
    (void)state;
    const struct str head = STR(FIRST ADDRESS "\n");
    const struct str tail = STR("\n\n" URI REST ISSUED);
    char *text = malloc(SIWE_TEXT_MAX + 1);
    struct siwe message;
    assert_non_null(text);
    for (size_t n = SIWE_TEXT_MAX; n <= SIWE_TEXT_MAX + 1; n++) {
        memset(text, 'a', n);
        memcpy(text, head.p, head.n);
        memcpy(text + n - tail.n, tail.p, tail.n);
        assert_int_equal(siwe_parse(str_of(text, n), &message),
                         n > SIWE_TEXT_MAX ? SIWE_E_FORM : 0);
    }
    free(text);
}

/* What every library of wallets gives for this text. */
static void test_the_digest_of_personal_sign(void **state)
{
    (void)state;
    uint8_t digest[DIGEST_SIZE];
    siwe_digest(STR("hello world"), digest);
    assert_hex(digest, sizeof(digest),
               "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_specification),
        cmocka_unit_test(test_what_may_be_there_and_what_may_not),
        cmocka_unit_test(test_every_beginning_of_a_message),
        cmocka_unit_test(test_a_message_may_not_be_too_long),
        cmocka_unit_test(test_the_digest_of_personal_sign),
    };
    return cmocka_run_group_tests_name("gateway/identity/siwe", tests, NULL, NULL);
}
