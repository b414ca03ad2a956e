#include "gateway/net/http_client.h"
#include "gateway/net/http_server.h"
#include "tests/gateway/net/cert.h"
#include "tests/gateway/net/loop.h"

/* Our client against our server over TLS. */
struct heard {
    bool done;
    enum http_fail fail;
    size_t n;
};

static char big[300000];

static void on_end(void *owner)
{
    http_res_full(owner, 200, NULL, 0, str_of(big, sizeof(big)));
}

static void on_abort(void *owner, enum http_abort why)
{
    (void)owner;
    (void)why;
}

static void on_request(void *owner, struct http_req *req)
{
    static const struct http_req_calls calls = { .on_end = on_end, .on_abort = on_abort };
    const struct tls_peer *peer = http_req_tls_peer(req);
    bool *certificate = owner;
    *certificate = peer && peer->certificate;
    http_req_take(req, &calls, req);
}

static void on_fetched(void *owner, const struct http_answer *answer)
{
    struct heard *heard = owner;
    heard->done = true;
    heard->fail = answer->fail;
    heard->n = answer->fail ? 0 : answer->body.n;
}

static void test_fetches(void **state)
{
    const struct {
        struct tls_config server, client;
        const char *host;
        enum http_fail fail;
    } cases[] = {
        { { .certificate = certs.server, .alpn_http = true },
          { .trusted = certs.ca, .alpn_http = true },
          "localhost:8443",
          0 },
        { { .certificate = certs.server, .trusted = certs.ca, .client_certificate = true },
          { .trusted = certs.ca, .certificate = certs.client },
          "localhost",
          0 },
        { { .certificate = certs.stranger },
          { .trusted = certs.ca },
          "localhost",
          HTTP_FAIL_TLS },
        { { .certificate = certs.server },
          { .trusted = certs.ca },
          "other.example",
          HTTP_FAIL_TLS },
    };
    const struct http_ask ask = { .method = STR("GET"), .target = STR("/") };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct loop loop = loop_open();
        char why[TLS_WHY_MAX];
        bool certificate = false;
        struct tls *server_tls = tls_server_new(&cases[i].server, why);
        struct tls *client_tls = tls_client_new(&cases[i].client, why);
        struct http_server_config sc = { .base = loop.base,
                                         .fd = loop.fd,
                                         .tls = server_tls,
                                         .owner = &certificate,
                                         .on_request = on_request };
        struct http_server *server = http_server_new(&sc);
        struct http_client_config cc = { .base = loop.base,
                                         .to = { .each = { loop.at }, .n = 1 },
                                         .host = cases[i].host,
                                         .tls = client_tls };
        for (int round = 0; round < 2; round++) { /* the second with a session to resume */
            struct http_client *client = http_client_new(&cc);
            struct heard heard = { 0 };
            assert_non_null(http_fetch(client, &ask, sizeof(big), on_fetched, &heard));
            loop_until(&loop, heard.done);
            assert_int_equal(heard.fail, cases[i].fail);
            assert_int_equal(heard.n, cases[i].fail ? 0 : sizeof(big));
            assert_int_equal(certificate, cases[i].server.client_certificate);
            http_client_free(client);
        }
        http_server_free(server);
        tls_free(server_tls);
        tls_free(client_tls);
        loop_close(&loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetches),
    };
    return cmocka_run_group_tests(tests, certs_setup, certs_teardown);
}
