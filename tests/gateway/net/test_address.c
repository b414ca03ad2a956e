#include "gateway/net/address.h"
#include "gateway/net/url.h"
#include "tests/check.h"

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        uint16_t usual;
        int want;
        const char *out;
    } cases[] = {
        { "127.0.0.1:2575", 0, 0, "127.0.0.1:2575" },
        { "[::1]:443", 0, 0, "[::1]:443" },
        { "127.0.0.1", 80, 0, "127.0.0.1:80" },
        { "[::1]", 80, 0, "[::1]:80" },
        { "unix:/run/x.sock", 0, 0, "unix:/run/x.sock" },
        { "127.0.0.1", 0, ADDRESS_E_SYNTAX, NULL },
        { "127.0.0.1:", 80, ADDRESS_E_SYNTAX, NULL },
        { "127.0.0.1:65536", 0, ADDRESS_E_SYNTAX, NULL },
        { "127.0.0.1:8a", 0, ADDRESS_E_SYNTAX, NULL },
        { "[::1", 80, ADDRESS_E_SYNTAX, NULL },
        { "[::1]80", 0, ADDRESS_E_SYNTAX, NULL },
        { ":80", 0, ADDRESS_E_SYNTAX, NULL },
        { "", 80, ADDRESS_E_SYNTAX, NULL },
        { "unix:", 0, ADDRESS_E_SYNTAX, NULL },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct addresses out;
        int r = address_resolve(str_z(cases[i].text), cases[i].usual, &out);
        if (r != cases[i].want) {
            print_error("%s: %d\n", cases[i].text, r);
        }
        assert_int_equal(r, cases[i].want);
        if (r == 0) {
            char text[ADDRESS_TEXT_MAX];
            address_text(&out.each[0], text);
            assert_string_equal(text, cases[i].out);
        }
    }
}

static void test_same_host(void **state)
{
    struct addresses a;
    struct addresses b;
    struct addresses c;
    (void)state;
    assert_int_equal(address_resolve(STR("127.0.0.1:1"), 0, &a), 0);
    assert_int_equal(address_resolve(STR("127.0.0.1:2"), 0, &b), 0);
    assert_int_equal(address_resolve(STR("[::1]:1"), 0, &c), 0);
    assert_true(address_same_host(&a.each[0], &b.each[0]));
    assert_false(address_same_host(&a.each[0], &c.each[0]));
}

static void test_urls(void **state)
{
    static const struct {
        const char *text;
        int want;
        bool tls;
        const char *authority, *host;
        uint16_t port;
        const char *path, *query, *target;
    } cases[] = {
        { "https://ehr.example/fhir", 0, true, "ehr.example", "ehr.example", 443, "/fhir", "",
          "/fhir" },
        { "HTTP://a:8080", 0, false, "a:8080", "a", 8080, "", "", "" },
        { "http://[::1]:8080/x?y=/z", 0, false, "[::1]:8080", "::1", 8080, "/x", "y=/z",
          "/x?y=/z" },
        { "http://a?x", 0, false, "a", "a", 80, "", "x", "?x" },
        { "ftp://a/", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "http://", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "http://u:p@a/", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "http://a:0/", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "http://a/b c", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "http://a/#f", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "http://a\\b/", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
        { "a/b", URL_E_SYNTAX, false, NULL, NULL, 0, NULL, NULL, NULL },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct url url;
        assert_int_equal(url_parse(str_z(cases[i].text), &url), cases[i].want);
        if (cases[i].want == 0) {
            assert_int_equal(url.tls, cases[i].tls);
            assert_int_equal(url.port, cases[i].port);
            assert_str(url.authority, cases[i].authority);
            assert_str(url.host, cases[i].host);
            assert_str(url.path, cases[i].path);
            assert_str(url.query, cases[i].query);
            assert_str(url.target, cases[i].target);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_same_host),
        cmocka_unit_test(test_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
