#include "gateway/net/conn.h"
#include "gateway/net/tls.h"
#include "tests/gateway/net/cert.h"
#include "tests/gateway/net/loop.h"

#include <openssl/err.h>

/* An echo over TLS, and a client of it. */
struct side {
    struct conn *conn;
    bool ready;
    bool ended;
    enum conn_end why;
    size_t got;
    size_t to_send;
    bool drained;
    int pauses;
};

struct pair {
    struct loop loop;
    struct listener *listener;
    struct tls *server_tls;
    struct tls *client_tls;
    struct side server;
    struct side client;
};

static size_t echo_read(void *owner, struct str bytes)
{
    struct side *side = owner;
    side->got += bytes.n;
    (void)conn_write(side->conn, bytes);
    return bytes.n;
}

/* Takes a little, pauses now and then: what TLS holds must not be forgotten. */
static size_t slow_read(void *owner, struct str bytes)
{
    struct side *side = owner;
    side->got += bytes.n;
    if (++side->pauses % 3 == 0) {
        conn_pause(side->conn);
        conn_timeout(side->conn, 1);
    }
    return bytes.n;
}

static void on_resume(void *owner)
{
    const struct side *side = owner;
    conn_resume(side->conn);
}

static void on_ready(void *owner)
{
    struct side *side = owner;
    side->ready = true;
}

static void on_end(void *owner, enum conn_end why)
{
    struct side *side = owner;
    side->ended = true;
    side->why = why;
    side->conn = NULL;
}

static void on_drain(void *owner)
{
    struct side *side = owner;
    side->drained = true;
}

static const struct conn_calls echo_calls = {
    echo_read, on_end, on_ready, on_drain, NULL, NULL
};
static const struct conn_calls client_calls = { slow_read, on_end,    on_ready,
                                                on_drain,  on_resume, NULL };

static void on_accept(void *owner, int fd, const struct address *peer)
{
    struct pair *pair = owner;
    struct conn_config config = {
        .base = pair->loop.base,
        .calls = &echo_calls,
        .owner = &pair->server,
        .tls = pair->server_tls,
    };
    pair->server = (struct side){ 0 };
    pair->server.conn = conn_accepted(&config, fd, peer);
}

static void pair_open(struct pair *pair, const struct tls_config *server,
                      const struct tls_config *client)
{
    char why[TLS_WHY_MAX] = "";
    *pair = (struct pair){ .loop = loop_open() };
    pair->server_tls = tls_server_new(server, why);
    pair->client_tls = tls_client_new(client, why);
    assert_string_equal(why, "");
    pair->listener = listener_new(pair->loop.base, pair->loop.fd, 10, on_accept, pair);
}

static void pair_connect(struct pair *pair, const char *host)
{
    struct conn_config config = {
        .base = pair->loop.base,
        .calls = &client_calls,
        .owner = &pair->client,
        .tls = pair->client_tls,
        .host = host,
    };
    pair->client = (struct side){ 0 };
    pair->client.conn = conn_connect(&config, &pair->loop.at);
    assert_non_null(pair->client.conn);
    /* TLS 1.3: a client learns of its refusal only after its own part is done. */
    loop_until(&pair->loop, pair->client.ended || (pair->client.ready && pair->server.ready));
}

static void pair_close(struct pair *pair)
{
    conn_free(pair->client.conn);
    conn_free(pair->server.conn);
    listener_free(pair->listener);
    tls_free(pair->server_tls);
    tls_free(pair->client_tls);
    loop_close(&pair->loop);
}

/* --- tests ------------------------------------------------------------------------------ */

static void test_who_is_believed(void **state)
{
    const struct tls_config plain = { .certificate = certs.server };
    const struct tls_config stranger = { .certificate = certs.stranger };
    const struct tls_config mutual = { .certificate = certs.server,
                                       .trusted = certs.ca,
                                       .client_certificate = true };
    const struct tls_config any = { .certificate = certs.server,
                                    .any_client_certificate = true,
                                    .client_certificate = true };
    const struct tls_config trusts = { .trusted = certs.ca };
    const struct tls_config shows = { .trusted = certs.ca, .certificate = certs.client };
    const struct tls_config odd = { .trusted = certs.ca, .certificate = certs.stranger };
    const struct tls_config blind = { .no_verify = true };
    const struct {
        const struct tls_config *server, *client;
        const char *host;
        bool agreed;
        bool certificate;
    } cases[] = {
        { &plain, &trusts, "localhost", true, false },
        { &plain, &trusts, "127.0.0.1", true, false },
        { &plain, &trusts, "other.example", false, false },
        { &plain, &trusts, NULL, false, false },
        { &stranger, &trusts, "localhost", false, false },
        { &stranger, &blind, "localhost", true, false },
        { &mutual, &shows, "localhost", true, true },
        { &mutual, &trusts, "localhost", false, false },
        { &mutual, &odd, "localhost", false, false },
        { &any, &odd, "localhost", true, true },
        { &any, &trusts, "localhost", false, false },
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pair pair;
        pair_open(&pair, cases[i].server, cases[i].client);
        if (!cases[i].host) {
            struct conn_config config = { .base = pair.loop.base,
                                          .calls = &client_calls,
                                          .owner = &pair.client,
                                          .tls = pair.client_tls };
            assert_null(conn_connect(&config, &pair.loop.at));
            pair_close(&pair);
            continue;
        }
        pair_connect(&pair, cases[i].host);
        bool agreed = pair.server.ready && !pair.client.ended;
        if (agreed != cases[i].agreed) {
            print_error("case %zu\n", i);
        }
        assert_int_equal(agreed, cases[i].agreed);
        if (cases[i].certificate) {
            const struct tls_peer *peer = conn_tls_peer(pair.server.conn);
            assert_true(peer && peer->certificate);
            assert_true(strncmp(peer->subject, "CN=", 3) == 0);
        }
        pair_close(&pair);
    }
}

static void test_much_data_with_pauses(void **state)
{
    static const char block[100000];
    static const size_t total = 160 * sizeof(block);
    const struct tls_config server = { .certificate = certs.server };
    const struct tls_config client = { .trusted = certs.ca };
    struct pair pair;
    (void)state;

    pair_open(&pair, &server, &client);
    pair_connect(&pair, "localhost");
    for (size_t i = 0; i < total / sizeof(block); i++) {
        (void)conn_write(pair.client.conn, str_of(block, sizeof(block)));
    }
    loop_until(&pair.loop, pair.client.got == total);
    assert_true(pair.client.drained);

    conn_close(pair.client.conn); /* close_notify arrives as an orderly end */
    pair.client.conn = NULL;
    loop_until(&pair.loop, pair.server.ended);
    assert_int_equal(pair.server.why, CONN_END_PEER);
    pair_close(&pair);
}

static void test_cut_without_close_notify_is_seen(void **state)
{
    const struct tls_config server = { .certificate = certs.server };
    const struct tls_config client = { .trusted = certs.ca };
    struct pair pair;
    (void)state;

    pair_open(&pair, &server, &client);
    pair_connect(&pair, "localhost");
    conn_free(pair.server.conn);
    pair.server.conn = NULL;
    loop_until(&pair.loop, pair.client.ended);
    assert_int_equal(pair.client.why, CONN_END_RESET);
    pair_close(&pair);
}

static void test_plain_bytes_on_a_tls_port(void **state)
{
    const struct tls_config server = { .certificate = certs.server };
    const struct tls_config client = { .trusted = certs.ca };
    struct pair pair;
    (void)state;

    pair_open(&pair, &server, &client);
    int fd = raw_connect(&pair.loop);
    raw_send(fd, STR("GET / HTTP/1.1\r\n\r\n"));
    loop_until(&pair.loop, pair.server.ended);
    assert_int_equal(pair.server.why, CONN_END_HANDSHAKE);
    (void)close(fd);
    pair_close(&pair);
}

/* Whether client and server agree if the client knows nothing newer than TLS @version. */
static bool agree(const struct tls_config *server, int version)
{
    const struct tls_config trusts = { .trusted = certs.ca };
    char why[TLS_WHY_MAX] = "";
    struct tls *tls[2] = { tls_server_new(server, why), tls_client_new(&trusts, why) };
    assert_string_equal(why, "");
    SSL *side[2] = { tls_session(tls[0], NULL), tls_session(tls[1], "localhost") };
    BIO *wire[2];
    assert_int_equal(BIO_new_bio_pair(&wire[0], 0, &wire[1], 0), 1);
    assert_int_equal(SSL_set_max_proto_version(side[1], version), 1);
    bool done = true;
    for (int i = 0; i < 2; i++) {
        SSL_set_bio(side[i], wire[i], wire[i]);
    }
    for (int i = 0; i < 10; i++) {
        (void)SSL_do_handshake(side[i % 2]);
    }
    for (int i = 0; i < 2; i++) {
        done &= SSL_is_init_finished(side[i]) == 1;
        SSL_free(side[i]);
        tls_free(tls[i]);
    }
    ERR_clear_error();
    return done;
}

static void test_the_lowest_version_is_as_configured(void **state)
{
    const struct tls_config both = { .certificate = certs.server };
    const struct tls_config newest = { .certificate = certs.server, .only_1_3 = true };
    (void)state;

    assert_false(agree(&both, TLS1_1_VERSION));
    assert_true(agree(&both, TLS1_2_VERSION));
    assert_true(agree(&both, TLS1_3_VERSION));
    assert_false(agree(&newest, TLS1_2_VERSION));
    assert_true(agree(&newest, TLS1_3_VERSION));
}

static void test_missing_files_are_named(void **state)
{
    const struct tls_config missing = { .certificate = "/nowhere/cert.pem" };
    const struct tls_config none = { 0 };
    char why[TLS_WHY_MAX] = "";
    (void)state;

    assert_null(tls_server_new(&missing, why));
    assert_non_null(strstr(why, "/nowhere/cert.pem"));
    assert_null(tls_server_new(&none, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_believed),
        cmocka_unit_test(test_much_data_with_pauses),
        cmocka_unit_test(test_cut_without_close_notify_is_seen),
        cmocka_unit_test(test_plain_bytes_on_a_tls_port),
        cmocka_unit_test(test_the_lowest_version_is_as_configured),
        cmocka_unit_test(test_missing_files_are_named),
    };
    return cmocka_run_group_tests(tests, certs_setup, certs_teardown);
}
