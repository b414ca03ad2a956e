#include "crypto/base/base64.h"
#include "gateway/net/http1.h"
#include "tests/check.h"
#include "tests/gateway/net/stream.h"

#include <strings.h>

#define HOST "Host: a\r\n"

static int verdict_of(struct str text)
{
    enum stream_verdict verdict = STREAM_OPEN;
    struct stream s = stream_cut_at(text, text.n, &verdict);
    return verdict == STREAM_REFUSED ? s.status : verdict == STREAM_COMPLETE ? 0 : -EAGAIN;
}

static void test_requests(void **state)
{
    static const struct {
        const char *text;
        int want; /* 0, -EAGAIN or a status */
    } cases[] = {
        { "GET / HTTP/1.1\r\n" HOST "\r\n", 0 },
        { "GET / HTTP/1.0\r\n" HOST "\r\n", 0 },
        { "GET / HTTP/1.1\r\n" HOST, -EAGAIN },
        { "GET /fhir/Patient?identifier=urn:oid:1.2|4&_sort=-date HTTP/1.1\r\n" HOST "\r\n",
          0 },
        { "GET /fhir/Patient/$everything HTTP/1.1\r\n" HOST "\r\n", 0 },
        { "GET /a%20b HTTP/1.1\r\n" HOST "\r\n", 0 },
        { "GET /a?b=%0A HTTP/1.1\r\n" HOST "\r\n", 0 },
        { "GET http://A/x HTTP/1.1\r\n" HOST "\r\n", 0 },
        { "GET http://a HTTP/1.1\r\n" HOST "\r\n", 0 },
        { "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0 },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0 },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length:2\r\n\r\nab", 0 },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nab", -EAGAIN },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
          0 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
          "1;a=\"b\";c\r\na\r\n0\r\nX: y\r\n\r\n",
          0 },

        /* targets */
        { "GET  HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET x HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /../x HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a/. HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a/%2e%2E/b HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a%2fb HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a%5cb HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a%00 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a?b=%00 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a%2 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a%zz HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /a|b HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET http://b/x HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET http:///x HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET ftp://a/x HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },

        /* hosts */
        { "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\nHost: \r\n\r\n", 400 },
        { "GET / HTTP/1.0\r\n\r\n", 400 },

        /* where it ends */
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 5 \r\n\r\nhello", 400 },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length:\t5\r\n\r\nhello", 400 },
        { "POST / HTTP/1.1\r\n" HOST "Content_Length: 5\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", 400 },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1099511627777\r\n\r\n", 413 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000000001\r\n", 400 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX y\r\n\r\n",
          400 },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nX: \x01\r\n\r\n",
          400 },

        /* the rest */
        { "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET / HTTP/1.1\r\n" HOST " x: y\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400 },
        { "GET / HTTP/1.1\r\n" HOST "Expect: 100-continue, x\r\n\r\n", 417 },
        { "TRACE / HTTP/1.1\r\n" HOST "\r\n", 501 },
        { "GET / HTTP/1.2\r\n" HOST "\r\n", 505 },
        { "GET / HTTP/3.0\r\n" HOST "\r\n", 505 },
        { "GET / HTTP/1.10\r\n" HOST "\r\n", 400 },
        { "\x16\x03\x01", 400 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = verdict_of(str_z(cases[i].text));
        if (got != cases[i].want) {
            print_error("%s\ngot %d, want %d\n", cases[i].text, got, cases[i].want);
            fail();
        }
    }
}

static void test_limits(void **state)
{
    static char text[64 << 10];
    (void)state;

    struct buf b = buf_fixed(text, sizeof(text));
    buf_z(&b, "GET /");
    memset(buf_extend(&b, HTTP_TARGET_MAX), 'a', HTTP_TARGET_MAX);
    buf_z(&b, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(verdict_of(buf_str(&b)), 414);

    b = buf_fixed(text, sizeof(text));
    buf_z(&b, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < HTTP_FIELDS_MAX; i++) {
        buf_z(&b, "X: y\r\n");
    }
    buf_z(&b, "\r\n");
    assert_int_equal(verdict_of(buf_str(&b)), 0);
    b.n -= 2;
    buf_z(&b, "X: y\r\n\r\n");
    assert_int_equal(verdict_of(buf_str(&b)), 431);

    b = buf_fixed(text, sizeof(text));
    buf_z(&b, "GET / HTTP/1.1\r\n" HOST "X: ");
    memset(buf_extend(&b, HTTP_HEAD_MAX), 'a', HTTP_HEAD_MAX);
    assert_int_equal(verdict_of(buf_str(&b)), 431);
}

static void test_parts_of_a_request(void **state)
{
    static const char text[] =
        "POST http://a:80/x/y?q=1?2 HTTP/1.1\r\nhOsT: A:80\r\nX-One:  two \t\r\n"
        "Content-type: text/plain\r\nCONNECTION: close, X-Drop, Authorization\r\n"
        "X-Drop: 1\r\nAuthorization: Bearer x\r\nx-one: three\r\nContent-Length: 7\r\n"
        "Expect: 100-Continue\r\n\r\n";
    (void)state;

    struct http_head head;
    const char *reason = NULL;
    assert_int_equal(http1_request(str_z(text), &head, &reason), 0);
    assert_int_equal(head.method, HTTP_POST);
    assert_str(head.target, "/x/y?q=1?2");
    assert_str(head.path, "/x/y");
    assert_str(head.query, "q=1?2");
    assert_str(head.host, "A:80");
    assert_int_equal(head.length, 7);
    assert_false(head.keep_alive);
    assert_true(head.expect_continue);
    assert_str(http_field(&head, HTTP_CONTENT_TYPE), "text/plain");
    assert_str(http_field_named(&head, STR("X-ONE")), "two");
    assert_null(http_field(&head, HTTP_ACCEPT).p);

    /* Naming Authorization in Connection doesn't make it vanish. */
    static const bool hop[] = { true, false, false, true, true, false, false, true, true };
    assert_int_equal(head.n_fields, ARRAY_LEN(hop));
    for (size_t i = 0; i < ARRAY_LEN(hop); i++) {
        assert_int_equal(http_field_is_hop(&head, i), hop[i]);
    }
}

static void test_answers(void **state)
{
    static const struct {
        const char *text;
        enum http_method to;
        int want;
        enum http_framing framing;
        bool keep;
    } cases[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_GET, 0, HTTP_BODY_LENGTH, true },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_HEAD, 0, HTTP_BODY_NONE, true },
        { "HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n", HTTP_GET, 0, HTTP_BODY_NONE, true },
        { "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GET, 0, HTTP_BODY_CHUNKED,
          true },
        { "HTTP/1.1 200 OK\r\n\r\n", HTTP_GET, 0, HTTP_BODY_CLOSE, false },
        { "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_GET, 0, HTTP_BODY_LENGTH,
          false },
        { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", HTTP_GET, 502, 0,
          0 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HTTP_GET, 502, 0, 0 },
        { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_GET, 502, 0, 0 },
        { "HTTP/1.1 20 OK\r\n\r\n", HTTP_GET, 502, 0, 0 },
        { "HTTP/1.1 600 OK\r\n\r\n", HTTP_GET, 502, 0, 0 },
        { "HTTP/1.1 200 OK\r\n folded\r\n\r\n", HTTP_GET, 502, 0, 0 },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct http_head head;
        const char *reason = NULL;
        assert_int_equal(http1_answer(str_z(cases[i].text), cases[i].to, &head, &reason),
                         cases[i].want);
        if (cases[i].want == 0) {
            assert_int_equal(head.framing, cases[i].framing);
            assert_int_equal(head.keep_alive, cases[i].keep);
        }
    }
}

static void test_heads_are_written_whole_or_not_at_all(void **state)
{
    char text[512];
    (void)state;

    struct buf b = buf_fixed(text, sizeof(text));
    http1_put_request(&b, STR("GET"), STR("/x?y=z|1"), STR("[::1]:80"));
    http1_put_field(&b, STR("Accept"), STR("*/*"));
    http1_put_length(&b, 12);
    http1_put_end(&b);
    assert_false(buf_failed(&b));
    assert_str(buf_str(&b), "GET /x?y=z|1 HTTP/1.1\r\nHost: [::1]:80\r\nAccept: */*\r\n"
                            "Content-Length: 12\r\n\r\n");

    static const char *const bad[] = { "a\rb", "a\nb", "a\x01" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        b = buf_fixed(text, sizeof(text));
        http1_put_field(&b, STR("X"), str_z(bad[i]));
        assert_true(buf_failed(&b));
        b = buf_fixed(text, sizeof(text));
        http1_put_field(&b, str_z(bad[i]), STR("x"));
        assert_true(buf_failed(&b));
        b = buf_fixed(text, sizeof(text));
        http1_put_request(&b, STR("GET"), str_z(bad[i]), STR("a"));
        assert_true(buf_failed(&b));
    }
}

/* --- reference cases -------------------------------------------------------------------- */

/* The text of member @name in one line of JSON whose strings hold no escapes. */
static struct str member(struct str line, const char *name)
{
    char key[64];
    (void)snprintf(key, sizeof(key), "\"%s\": \"", name);
    const char *at = memmem(line.p, line.n, key, strlen(key));
    if (!at) {
        return (struct str){ 0 };
    }
    at += strlen(key);
    const char *end = memchr(at, '"', line.n - (size_t)(at - line.p));
    return str_of(at, end ? (size_t)(end - at) : 0);
}

typedef void (*case_fn)(struct str line, struct str payload);

static void each_case(const char *name, const char *payload, case_fn fn)
{
    static uint8_t bytes[512 << 10];
    char path[512];
    check_data(name, path, sizeof(path));
    size_t n = 0;
    char *text = check_read(path, &n);
    assert_non_null(text);
    size_t cases = 0;
    for (struct str rest = str_of(text, n); rest.n; cases++) {
        struct str line = str_cut(&rest, '\n');
        size_t size = 0;
        assert_int_equal(
            base64_decode(BASE64_USUAL, member(line, payload), bytes, sizeof(bytes), &size), 0);
        /* A copy of its own size, so that sanitizers see a read beyond the end. */
        char *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, size);
        fn(line, str_of(exact, size));
        free(exact);
    }
    assert_true(cases > 50);
    free(text);
}

/* However @payload is cut, the verdict is that on the whole. */
static enum stream_verdict verdict_at_every_cut(struct str name, struct str payload)
{
    enum stream_verdict whole = STREAM_OPEN;
    struct stream want = stream_cut_at(payload, payload.n, &whole);
    size_t step = payload.n > 4096 ? 997 : 1;
    for (size_t cut = 0; cut < payload.n; cut += step) {
        enum stream_verdict verdict = STREAM_OPEN;
        struct stream got = stream_cut_at(payload, cut, &verdict);
        if (verdict != whole || got.messages != want.messages || got.status != want.status ||
            got.body != want.body) {
            print_error("%.*s cut at %zu: %d %u %d, whole: %d %u %d\n", (int)name.n, name.p,
                        cut, verdict, got.messages, got.status, whole, want.messages,
                        want.status);
            fail();
        }
    }
    return whole;
}

static void check_http1_case(struct str line, struct str payload)
{
    struct str id = member(line, "id");
    struct str expect = member(line, "expect");
    enum stream_verdict verdict = verdict_at_every_cut(id, payload);
    bool wrong = (str_eq(expect, STR("reject")) && verdict != STREAM_REFUSED) ||
                 (str_eq(expect, STR("accept")) && verdict != STREAM_COMPLETE);
    if (wrong) {
        print_error("%.*s: verdict %d\n", (int)id.n, id.p, verdict);
        fail();
    }
}

static void test_reference_cases(void **state)
{
    (void)state;
    each_case("attack/http/http1_cases.jsonl", "payload_b64", check_http1_case);
}

static void check_probe(struct str line, struct str payload)
{
    struct str id = member(line, "id");
    enum stream_verdict verdict = verdict_at_every_cut(id, payload);
    bool wrong =
        str_eq(member(line, "level"), STR("Must")) &&
        ((str_eq(member(line, "expected"), STR("Exact(400)")) && verdict != STREAM_REFUSED) ||
         (str_eq(member(line, "expected"), STR("Range2xx")) && verdict != STREAM_COMPLETE));
    if (wrong) {
        print_error("%.*s: verdict %d\n", (int)id.n, id.p, verdict);
        fail();
    }
}

static void test_http11probe(void **state)
{
    (void)state;
    each_case("attack/http/http11probe_payloads.jsonl", "payload_b64", check_probe);
}

/* Whether a line of @gadget begins with that field, in any case. */
static bool has_plain_coding(struct str gadget)
{
    static const struct str name = STR_INIT("transfer-encoding:");
    for (struct str rest = gadget; rest.n;) {
        struct str line = str_cut(&rest, '\n');
        if (line.n >= name.n && strncasecmp(line.p, name.p, name.n) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * A gadget is a Transfer-Encoding that some parsers see and others don't. We refuse it, or we
 * see exactly "chunked", or it isn't that field at all and the length counts. With a length
 * besides, whoever sees chunked refuses.
 */
static void check_gadget(struct str line, struct str gadget)
{
    static const char *const bodies[] = { "Content-Length: 5\r\n\r\n0\r\n\r\n",
                                          "\r\n0\r\n\r\n" };
    struct str name = member(line, "name");
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        char text[1024];
        struct buf b = buf_fixed(text, sizeof(text));
        buf_z(&b, "POST / HTTP/1.1\r\nHost: localhost\r\n");
        buf_str_put(&b, gadget);
        buf_z(&b, "\r\n");
        buf_z(&b, bodies[i]);
        buf_z(&b, "GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_false(buf_failed(&b));

        enum stream_verdict verdict = STREAM_OPEN;
        struct stream s = stream_cut_at(buf_str(&b), b.n, &verdict);
        bool plain = has_plain_coding(gadget);
        bool fine =
            verdict == STREAM_REFUSED ||
            (verdict == STREAM_COMPLETE && s.messages == 2 && s.body == (i == 0 ? 5U : 0U));
        if (!fine || (verdict != STREAM_REFUSED && i == 1 && !plain)) {
            print_error("%.*s with %s: verdict %d, %u messages\n", (int)name.n, name.p,
                        i ? "chunks" : "length", verdict, s.messages);
            fail();
        }
    }
}

static void test_smuggling_gadgets(void **state)
{
    (void)state;
    each_case("attack/http/smuggler_gadgets.jsonl", "gadget_b64", check_gadget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parts_of_a_request),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_heads_are_written_whole_or_not_at_all),
        cmocka_unit_test(test_reference_cases),
        cmocka_unit_test(test_http11probe),
        cmocka_unit_test(test_smuggling_gadgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
